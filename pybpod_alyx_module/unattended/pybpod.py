"""The real PyBpod without a display, which nobody can answer: what its boxes say goes to whoever started it."""

from __future__ import annotations

import importlib.util
import logging
import os
import sys
import types
from typing import TYPE_CHECKING, Any

from alyx_connector.errors import ConfigurationError
from pybpod_alyx_module.errors import SyncError
from pybpod_alyx_module.host.user_settings import import_user_settings

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

logger = logging.getLogger(__name__)

_PLUGIN = "pybpod_alyx_module"


def read_user_settings() -> None:
    """Give PyBpod the user_settings.py of this folder, else of the home folder, as it would take it; first of all."""
    if importlib.util.find_spec("pybpodgui_plugin") is None:
        raise ConfigurationError(
            "PyBpod is not installed in this Python environment.",
            hint="Run pybpod-alyx with the Python that starts PyBpod.",
        )
    from confapp import conf

    settings = import_user_settings()
    if settings is None:
        settings = types.ModuleType("user_settings")
        settings.SETTINGS_PRIORITY = 0  # type: ignore[attr-defined]
        sys.modules["user_settings"] = settings
    plugins = list(getattr(settings, "GENERIC_EDITOR_PLUGINS_LIST", ["pybpodgui_plugin"]))
    changed = {
        "DEFAULT_PROJECT_PATH": None,  # else PyBpod would open that, too
        "GENERIC_EDITOR_PLUGINS_LIST": plugins if _PLUGIN in plugins else [*plugins, _PLUGIN],
    }
    vars(settings).update(changed)
    conf += settings


class UnattendedPyBpod:
    """PyBpod in this process: one at most, and nothing of PyBpod may be imported before; see `read_user_settings`.

    ``say``: takes what PyBpod tells in boxes; a question is answered with No.
    """

    def __init__(self, say: Callable[[str], None]) -> None:
        os.environ["QT_QPA_PLATFORM"] = "offscreen"
        os.environ["MPLBACKEND"] = "Agg"
        os.environ.setdefault("QT_API", "pyqt5")
        logging.disable(logging.ERROR)  # what PyBpod says of itself when it starts is not about the project
        from confapp import conf

        importlib.import_module("pyforms_generic_editor.settings")  # PyBpod needs it first
        from AnyQt.QtCore import qInstallMessageHandler
        from AnyQt.QtWidgets import QApplication
        from pyforms_generic_editor.editor.base_editor import BaseEditor

        qInstallMessageHandler(lambda _kind, _context, text: logger.info(text))
        self._application = QApplication.instance() or QApplication(sys.argv[:1])
        #: What PyBpod told in boxes.
        self._told: list[str] = []
        self._say = say
        self._answer_boxes()
        conf += "pyforms_gui.resources_settings"
        from pyforms_gui.appmanager import StandAloneContainer

        self._window = StandAloneContainer(BaseEditor)
        _keep_logs_off_the_terminal()
        logging.disable(logging.NOTSET)

    def open_project(self, folder: Path) -> Any:
        """Open a project as PyBpod does.

        Returns: the project. Raises a SyncError if PyBpod told something then, such as of a damaged file: a save would
        settle what a person should decide.
        """
        from pybpod_alyx_module.models.project.impl import Project

        project = self._window.centralWidget().model.open_project(str(folder))
        if not isinstance(project, Project):
            raise ConfigurationError(
                "PyBpod was started without its Alyx plugin.", hint="Start PyBpod once: it shows what is missing."
            )
        if self._told:
            raise SyncError(
                f"PyBpod opened {folder} with a message that somebody should see first. It was not synced.",
                hint="Open and save the project in PyBpod, then sync again.",
            )
        return project

    def _answer_boxes(self) -> None:
        from AnyQt.QtWidgets import QMessageBox

        def answer(box: Any) -> Any:
            self._told.append(box.text())
            self._say(box.text())
            return QMessageBox.No if box.standardButtons() & QMessageBox.No else QMessageBox.Ok

        QMessageBox.exec_ = answer


def _keep_logs_off_the_terminal() -> None:
    loggers = [logging.getLogger(), *map(logging.getLogger, logging.root.manager.loggerDict)]
    for handler in (handler for one in loggers for handler in one.handlers):
        if not isinstance(handler, logging.FileHandler):  # PyBpod's app.log gets all
            handler.setLevel(logging.CRITICAL)
