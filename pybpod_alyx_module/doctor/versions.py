"""Which programs and libraries are here, in which versions."""

from __future__ import annotations

import platform
import sys
from importlib import metadata
from typing import Final

from alyx_connector._version import DISTRIBUTION, __version__

#: What PyBpod is made of, beside the distribution of its name.
OF_PYBPOD: Final = (
    "pybpod-gui-api",
    "pybpod-api",
    "pyforms-gui",
    "pyforms-generic-editor",
    "confapp",
    "PyQt5",
    "AnyQt",
)
#: The distributions that matter, PyBpod's own first, by what they are called.
DISTRIBUTIONS: Final = (
    "pybpod-gui-plugin",
    *OF_PYBPOD,
    "pyserial",
    "numpy",
    "pandas",
    "requests",
    "urllib3",
    "idna",
    "keyring",
    "filelock",
    "platformdirs",
    "rich",
)


def version_of(distribution: str) -> str:
    """Return the version of what is installed, empty where it is not."""
    try:
        return metadata.version(distribution)
    except metadata.PackageNotFoundError:
        return ""


def this_computer() -> str:
    """Name Python and the system."""
    return f"Python {platform.python_version()} ({sys.executable}), {platform.platform()}"


def all_versions() -> tuple[tuple[str, str], ...]:
    """Return names and versions of what is installed, the plugin first."""
    found = [(name, version_of(name)) for name in DISTRIBUTIONS]
    return ((DISTRIBUTION, __version__), *((name, version) for name, version in found if version))
