"""What PyBpod looks up as ``models.subject``."""

from pybpod_alyx_module.models.subject.impl import Subject

__all__ = ["Subject"]
