"""What PyBpod looks up as ``models.session``."""

from pybpod_alyx_module.models.loading import load_for_host

load_for_host()

from pybpod_alyx_module.models.session.impl import Session  # noqa: E402

__all__ = ["Session"]
