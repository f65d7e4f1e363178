"""What PyBpod looks up as ``models.project``.

The generic editor composes a project class of its own before PyBpod does, and must not find this one: a mixin in both
has no consistent method resolution order, and PyBpod would not start. So ``Project`` is there only from the moment on
when PyBpod's own module asks.
"""

from __future__ import annotations

import sys
from typing import Any


def __getattr__(name: str) -> Any:
    """Give PyBpod the project mixin.

    Returns: `pybpod_alyx_module.models.project.impl.Project`.
    """
    if name == "Project" and "pybpodgui_plugin.models.project" in sys.modules:
        from pybpod_alyx_module.models.project.impl import Project

        return Project
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
