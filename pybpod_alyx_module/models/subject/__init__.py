"""What PyBpod looks up as ``models.subject``."""

from pybpod_alyx_module.models.loading import load_for_host

load_for_host()  # where the package was imported before PyBpod, as `pybpod-alyx demo` does, nothing was loaded yet

from pybpod_alyx_module.models.subject.impl import Subject  # noqa: E402

__all__ = ["Subject"]
