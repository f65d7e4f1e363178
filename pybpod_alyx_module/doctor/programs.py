"""PyBpod, Python and the libraries: which are here, and what is missing."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING, Final

from alyx_connector._version import DISTRIBUTION, __version__
from pybpod_alyx_module.doctor.check import Check, State
from pybpod_alyx_module.doctor.versions import OF_PYBPOD, all_versions, this_computer, version_of

if TYPE_CHECKING:
    from collections.abc import Iterator

GROUP: Final = "Programs"

#: The PyBpod that the plugin was tried with.
TRIED_PYBPOD: Final = "1.8.2"
#: The Pythons that it was tried with: the oldest and the newest.
TRIED_PYTHON: Final = ((3, 10), (3, 12))

#: Without one of these PyBpod opens without *New* and *Open*, and says nothing.
_PYBPOD_NEEDS: Final = (
    *OF_PYBPOD,
    "QScintilla",
    "pandas",
    "pyserial",
    "Send2Trash",
    "safe-and-collaborative-architecture",
    "logging-bootstrap",
    "visvis",
    "matplotlib",
    "PyOpenGL",
    "coloredlogs",
    "python-dateutil",
    "numpy",
)


def check_programs() -> Iterator[Check]:
    """Look at what is installed; nothing of it is imported."""
    yield _pybpod()
    yield _python()
    place = Path(__file__).parents[1]
    yield Check(GROUP, "Alyx plugin", State.OK, f"{DISTRIBUTION} {__version__}, in {place}.")
    libraries = ", ".join(f"{name} {version}" for name, version in all_versions()[1:])
    yield Check(GROUP, "Libraries", State.OK, f"{libraries}.")


def _pybpod() -> Check:
    version = version_of("pybpod-gui-plugin")
    if not version:
        advice = "Run pybpod-alyx with the Python that starts PyBpod."
        return Check(GROUP, "PyBpod", State.WRONG, f"PyBpod is not installed in {sys.prefix}.", advice)
    missing = [name for name in _PYBPOD_NEEDS if not version_of(name)]
    if missing:
        advice = f"In the Python environment of PyBpod run: python -m pip install {' '.join(missing)}"
        found = f"PyBpod {version} opens without New and Open: {', '.join(missing)} is not installed."
        return Check(GROUP, "PyBpod", State.WRONG, found, advice)
    if version != TRIED_PYBPOD:
        found = f"PyBpod {version}. The plugin was tried with {TRIED_PYBPOD} only."
        return Check(GROUP, "PyBpod", State.WARNING, found, f"If something fails, try PyBpod {TRIED_PYBPOD}.")
    return Check(GROUP, "PyBpod", State.OK, f"PyBpod {version}.")


def _python() -> Check:
    oldest, newest = TRIED_PYTHON
    if oldest <= sys.version_info[:2] <= newest:
        return Check(GROUP, "Python", State.OK, f"{this_computer()}.")
    tried = f"{oldest[0]}.{oldest[1]} to {newest[0]}.{newest[1]}"
    found = f"{this_computer()}. The plugin was tried with Python {tried}."
    return Check(GROUP, "Python", State.WARNING, found, f"If something fails, use a Python from {tried}.")
