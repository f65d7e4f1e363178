"""Whether each plugin of PyBpod's list can be loaded, and if not, why: tried in a program of its own.

PyBpod only logs a plugin that it cannot load. To try it here would import Qt into the command line.
"""

from __future__ import annotations

import importlib
import json
import os
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING, Final

from pybpod_alyx_module.doctor.check import Check, State

if TYPE_CHECKING:
    from collections.abc import Iterator

    from alyx_connector.progress import CancelToken
    from pybpod_alyx_module.doctor.settings import UserSettings

GROUP: Final = "Plugins"

#: How long all plugins may take, in seconds.
LIMIT_S: Final = 60.0
_LOOK_S: Final = 0.05
#: Characters of a reason that are shown.
_LONGEST: Final = 500


def check_plugins(settings: UserSettings, cancel: CancelToken) -> Iterator[Check]:
    """Load the plugins of PyBpod's list in another program, as PyBpod would."""
    try:
        reasons = _reasons(settings.plugins, cancel)
    except (OSError, ValueError) as error:
        advice = "Start PyBpod in a terminal and read what it prints."
        yield Check(GROUP, "Loading", State.WARNING, f"It could not be tried: {error}.", advice)
        return
    for name, reason in reasons.items():
        if reason:
            advice = "Install what it names in the Python environment of PyBpod, or take the plugin out of the list."
            yield Check(GROUP, name, State.WRONG, f"It is not loaded. {reason[:_LONGEST]}", advice)
        else:
            yield Check(GROUP, name, State.OK, "It can be loaded.")


def _reasons(names: tuple[str, ...], cancel: CancelToken) -> dict[str, str]:
    # By plugin: why it cannot be loaded, empty where it can.
    with tempfile.TemporaryDirectory(prefix="alyx-check-", ignore_cleanup_errors=True) as folder:
        told = Path(folder, "told.json")
        environment = {
            **os.environ,
            "PYTHONPATH": os.pathsep.join(os.path.abspath(entry) for entry in sys.path),
            "QT_QPA_PLATFORM": "offscreen",
            "MPLBACKEND": "Agg",
            "ALYX_CONNECTOR_HOME": folder,  # its log goes with it
        }
        program = subprocess.Popen(  # noqa: S603 - this Python, this module
            [sys.executable, "-m", __name__, str(told), *names],
            cwd=folder,  # PyBpod writes app.log where it is loaded
            env=environment,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        )
        try:
            waited = 0.0
            while program.poll() is None and waited < LIMIT_S:
                cancel.wait(_LOOK_S)
                cancel.raise_if_cancelled()
                waited += _LOOK_S
            if program.returncode is None:
                raise TimeoutError(f"it took more than {LIMIT_S:g} s")
        finally:
            program.kill()
            program.wait()
        if not told.exists():
            raise ValueError(f"Python ended with code {program.returncode}")
        reasons: dict[str, str] = json.loads(told.read_text("utf-8"))
        return reasons


def _load(names: list[str]) -> dict[str, str]:
    # In the other program: PyBpod's own order.
    from confapp import conf

    from pybpod_alyx_module.host.user_settings import import_user_settings

    settings = import_user_settings()
    if settings is not None:
        conf += settings
    importlib.import_module("pyforms_generic_editor.settings")
    importlib.import_module("pyforms_generic_editor.editor.base_editor")
    reasons = {}
    for name in names:
        try:
            importlib.import_module(name)
            reasons[name] = ""
        except Exception as error:  # noqa: BLE001 - whatever it is, PyBpod goes on without it
            reasons[name] = f"{type(error).__name__}: {error}"
    return reasons


if __name__ == "__main__":
    try:
        found = _load(sys.argv[2:])
    except Exception as error:  # noqa: BLE001 - PyBpod itself cannot be loaded
        found = dict.fromkeys(sys.argv[2:], f"PyBpod: {type(error).__name__}: {error}")
    Path(sys.argv[1]).write_text(json.dumps(found), "utf-8")
    os._exit(0)  # Qt and PyBpod's threads are not taken apart
