"""What PyBpod looks up as ``models.board``."""

from pybpod_alyx_module.models.loading import load_for_host

load_for_host()

from pybpod_alyx_module.models.board.impl import Board  # noqa: E402

__all__ = ["Board"]
