"""Which user_settings.py counts: that of the folder in which PyBpod is started, else that of the home folder."""

from __future__ import annotations

import importlib
import importlib.util
import os
import sys
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from types import ModuleType

NAME = "user_settings"


def import_user_settings() -> ModuleType | None:
    """Import the user's settings as PyBpod does, or return those that it imported.

    Returns: None where there are none. Whatever the file raises is raised.
    """
    if NAME in sys.modules:
        return sys.modules[NAME]
    for folder in (os.getcwd(), str(Path.home())):
        sys.path.insert(0, folder)
        if importlib.util.find_spec(NAME) is not None:
            return importlib.import_module(NAME)
    return None
