"""What PyBpod looks up as ``models.setup``."""

from pybpod_alyx_module.models.loading import load_for_host

load_for_host()  # where the package was imported before PyBpod, as `pybpod-alyx demo` does, nothing was loaded yet

from pybpod_alyx_module.models.setup.impl import Setup  # noqa: E402

__all__ = ["Setup"]
