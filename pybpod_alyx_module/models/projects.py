"""What PyBpod looks up as ``models.projects``: the mixin for the list of projects, with which the outbox starts."""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING, Any

from AnyQt.QtCore import QTimer

from pybpod_alyx_module.doctor.examine import Here
from pybpod_alyx_module.gui.doctor.window import CHECK, open_check_window
from pybpod_alyx_module.gui.guard import slot
from pybpod_alyx_module.gui.manual.pages import RIG
from pybpod_alyx_module.gui.manual.window import MANUAL, ManualKey, open_manual
from pybpod_alyx_module.gui.outbox.status_bar import LABEL, OutboxInMainWindow
from pybpod_alyx_module.gui.outbox.window import open_outbox_window
from pybpod_alyx_module.gui.running_outbox import running_outbox
from pybpod_alyx_module.gui.sessions.mend_waiting import NameMender
from pybpod_alyx_module.gui.subject_search import SubjectSearch
from pybpod_alyx_module.gui.sync.idle_log_out import IdleLogOut
from pybpod_alyx_module.host.menus import open_menu_of_selected
from pybpod_alyx_module.host.running import is_anything_running
from pybpod_alyx_module.read_settings import read_settings

if TYPE_CHECKING:
    from pybpod_alyx_module.models.host_types import PyBpodProjects
else:
    PyBpodProjects = object

logger = logging.getLogger(__name__)


class Projects(PyBpodProjects):
    """Mixed into PyBpod's list of projects."""

    #: The Alyx outbox in the main window, None before that stands.
    alyx_outbox: OutboxInMainWindow | None = None
    #: Corrects what waits in it with a wrong name of a setting.
    alyx_names: NameMender | None = None
    #: The field above the tree, None before the main window stands.
    alyx_search: SubjectSearch | None = None
    #: What has F1 open the manual.
    alyx_manual_key: ManualKey | None = None
    #: What logs out who left, None where nothing does.
    alyx_idle: IdleLogOut | None = None

    def __init__(self, *args: Any) -> None:
        super().__init__(*args)
        open_menu_of_selected(self.tree, lambda: read_settings().mends_pybpod)
        QTimer.singleShot(0, self.start_outbox)  # once the main window stands

    def register_on_main_menu(self, mainmenu: list[dict[str, list[Any]]]) -> None:
        """Put *Alyx outbox* into the menu *Window*, check and manual into *Help*.

        ``mainmenu``: PyBpod's menus: each a title and its entries.
        """
        super().register_on_main_menu(mainmenu)
        for menu in mainmenu:
            if "Window" in menu:
                menu["Window"] += ["-", {LABEL: self.open_alyx_outbox}]
            if "Help" in menu:
                menu["Help"] += ["-", {CHECK: self.open_alyx_check}, {MANUAL: self.open_alyx_manual}]

    @slot
    def start_outbox(self) -> None:
        """Watch the outbox, send what an earlier PyBpod left in it, and show in the main window what waits."""
        if self.alyx_outbox is None:
            self.alyx_outbox = OutboxInMainWindow(self.mainwindow, running_outbox())
            self.alyx_names = NameMender(running_outbox())
            self.watch_for_idleness()
            self.alyx_manual_key = ManualKey(self.mainwindow.window())
            self.alyx_search = SubjectSearch(self.tree, self._open_projects)

    @slot
    def watch_for_idleness(self) -> None:
        """Log out of Alyx who left, where that is set."""
        minutes = read_settings().idle_minutes
        if minutes is not None and self.alyx_idle is None:
            self.alyx_idle = IdleLogOut(minutes, self._is_running, self.mainwindow)

    @slot
    def open_alyx_outbox(self) -> None:
        """Show the outbox window."""
        open_outbox_window(self.mainwindow)

    @slot
    def open_alyx_check(self) -> None:
        """Show the window that checks what the plugin needs."""
        open_check_window(self._what_is_here, self.mainwindow)

    @slot
    def open_alyx_manual(self) -> None:
        """Show the manual for those who work at the rig."""
        open_manual(RIG, self.mainwindow)

    def _what_is_here(self) -> Here:
        outbox = running_outbox()
        paths = tuple(str(project.path) for project in self._open_projects() if project.path)
        return Here(outbox.logins, paths, outbox.outlook.problem)

    def _is_running(self) -> bool:
        return is_anything_running(self._open_projects())

    def _open_projects(self) -> list[Any]:
        return [project for project in self.projects if not project.is_closed]

    def _option_open_project(self) -> None:
        """Open the project that the user chooses; one that cannot be opened is closed, and no other.

        PyBpod closes all projects then, unsaved changes and all, and saved those at the exit at best: a closed project
        writes nothing now.
        """
        before = {id(project) for project in self.projects}
        try:
            self.open_project()
        except Exception as error:
            logger.warning("A project could not be opened", exc_info=True)
            for project in self.projects:
                if id(project) not in before:
                    project.close(silent=True)
            self.warning(str(error), "Invalid project path")
