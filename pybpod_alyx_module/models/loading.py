"""Loads all that PyBpod will ask the plugin for, and shows the user what is missing.

PyBpod's loader only logs a plugin that cannot be imported, and its class finder swallows every error in silence: a
user would see nothing but a missing menu entry.
"""

from __future__ import annotations

import importlib
import logging
import os
from typing import Final

logger = logging.getLogger(__name__)

#: What PyBpod asks for by name, and what those need; none of it may import pybpodgui_plugin's models, which would fix
#: PyBpod's classes before the plugins further down the list are known.
NEEDED: Final = (
    "alyx_connector",
    "pybpod_alyx_module.models.project.impl",
    "pybpod_alyx_module.models.projects",
    "pybpod_alyx_module.models.subject.impl",
    "pybpod_alyx_module.models.session.impl",
    "pybpod_alyx_module.models.board.impl",
    "pybpod_alyx_module.models.setup.impl",
    "pybpod_alyx_module.models.setup.board_task",
    "pybpod_alyx_module.models.user",
    "pybpod_alyx_module.host.project",
    "pybpod_alyx_module.gui.sync.sync_window",
    "pybpod_alyx_module.gui.history.details_window",
    "pybpod_alyx_module.gui.outbox.window",
    "pybpod_alyx_module.gui.outbox.status_bar",
)

#: The error that the user was shown.
_shown: list[Exception] = []

TITLE: Final = "The Alyx plugin was not loaded"


def load_for_host() -> None:
    """Register the settings and import everything now; again it does nothing.

    Raises
    ------
    Exception
        Whatever an import raised, after a message to the user was put into Qt's queue.
    """
    from confapp import conf

    try:
        _start_log()
        conf += "pybpod_alyx_module.defaults"
        for name in NEEDED:
            importlib.import_module(name)
    except Exception as error:
        logger.exception(TITLE)
        if not _shown:  # PyBpod asks for each of its classes, and each asks for all that is needed
            _shown.append(error)
            _show_later(explain(error))
        raise


def _start_log() -> None:
    # imported here: what they need may be what is missing
    from pybpod_alyx_module.doctor.versions import all_versions, this_computer
    from pybpod_alyx_module.log_file import start_log

    if start_log():
        versions = ", ".join(f"{name} {version}" for name, version in all_versions())
        logger.info("PyBpod starts, process %s: %s; %s", os.getpid(), versions, this_computer())


def explain(error: Exception) -> str:
    """Say in words why the plugin was not loaded and what to do."""
    cause = f"{type(error).__name__}: {error}"
    missing = getattr(error, "name", None) or ""
    advice = (
        "In the Python environment of PyBpod run\n"
        '    python -m pip install "pybpod-gui-plugin-alyx>=2.dev0"\n'
        "and start PyBpod again."
    )
    if missing.split(".")[0] == "alyx_connector":
        advice = (
            "Another package, alyx-connector, may hide the alyx_connector that the plugin brings. In the Python "
            "environment of PyBpod, in a copy of the plugin's repository, run\n"
            "    python -m pip uninstall alyx-connector pybpod-gui-plugin-alyx\n"
            "    python -m pip install .\n"
            "and start PyBpod again."
        )
    return (
        f"{cause}\n\nPyBpod goes on without Alyx: nothing of Alyx is in its menus, and no session is registered.\n\n"
        f"{advice}\n\nThe whole error is in PyBpod's log. To start without this message take pybpod_alyx_module out of "
        "GENERIC_EDITOR_PLUGINS_LIST in user_settings.py."
    )


def _show_later(text: str) -> None:
    from AnyQt.QtCore import QTimer

    QTimer.singleShot(0, lambda: _show(text))


def _show(text: str) -> None:
    from AnyQt.QtCore import Qt
    from AnyQt.QtWidgets import QMessageBox

    box = QMessageBox(QMessageBox.Critical, TITLE, text)
    box.setTextFormat(Qt.PlainText)
    box.setTextInteractionFlags(Qt.TextSelectableByMouse)
    box.exec_()
