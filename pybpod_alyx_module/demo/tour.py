"""A tour through the plugin's windows in the real PyBpod, for a machine without a display.

``python -m pybpod_alyx_module.demo.tour SCREENSHOTS`` runs in a folder whose ``user_settings.py`` names the project to
open and the server. It presses what a hand would press, prints what the sync did, and writes a screenshot at each step.
"""

from __future__ import annotations

import os
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from AnyQt.QtCore import Qt, QTimer
from AnyQt.QtWidgets import QApplication, QMessageBox, QWidget

from pybpod_alyx_module.gui.sync.questions.review_dialog import ReviewDialog
from pybpod_alyx_module.gui.sync.summary import HEADINGS
from pybpod_alyx_module.sync.plan import Action

if TYPE_CHECKING:
    from collections.abc import Callable, Generator

    from pybpod_alyx_module.gui.sync.sync_job import SyncResult
    from pybpod_alyx_module.gui.sync.sync_window import SyncWindow

    #: Runs to its next wait; goes on when what it yielded is true.
    Steps = Generator[Callable[[], Any], None, None]

#: The subject that the tour overrides; the others that differ are kept.
OVERRIDDEN: Final = "ea04"

#: What the tour shows of a sync, in this order.
SHOWN: Final = (Action.ADD, Action.MERGE, Action.OVERRIDE, Action.KEEP, Action.REMOVE)

#: A step that takes longer than this has failed, in seconds.
STEP_LIMIT_S: Final = 60

#: How often a wait is looked at, in milliseconds.
_LOOK_MS: Final = 20


class TourError(Exception):
    """Something was not as the tour expects it."""


class Tour:
    """The steps of the tour.

    ``editor``: PyBpod's main widget, with the project open.
    """

    def __init__(self, editor: Any, screenshots: Path, say: Callable[[object], None]) -> None:
        self.editor = editor
        self.say = say
        self.screenshots = screenshots
        self.project = editor.model.projects[0]
        self.result: SyncResult | None = None

    def steps(self) -> Steps:
        """Go through the tour."""
        self.say(f"Project {self.project.name!r} holds: {', '.join(self._names())}")
        self._shoot(self.editor.window(), "1-project-before")
        window = self._choose(self.project.node, "Sync to Alyx")
        window.form.connect_button.click()
        yield lambda: not window.working
        if not window.connected:
            raise TourError(f"not connected: {window.form.messages}")
        self.say(window.form.status.text())
        self._shoot(window, "2-connected")
        window.form.get_button.click()
        window.synced.connect(self._on_synced)
        yield lambda: _dialog() or not window.working
        dialog = _dialog()
        if dialog is None:
            raise TourError(f"the sync asked nothing: {window.form.messages}")
        for row, entry in enumerate(dialog.rows.shown):
            if entry.name == OVERRIDDEN:
                index = dialog.rows.index(row, 0)
                dialog.rows.setData(index, Qt.Checked, Qt.CheckStateRole)
                dialog.tree.setCurrentIndex(dialog.rows.index(len(entry.differences) - 1, 0, index))
        self._shoot(dialog, "3-review")
        dialog.buttons["Override"].click()
        yield lambda: not window.working
        if self.result is None:
            raise TourError(f"the sync did not succeed: {window.form.messages}")
        make_room(window)
        self._shoot(window, "4-summary")
        self._tell(self.result)
        subject = next(subject for subject in self.project.subjects if subject.name == OVERRIDDEN)
        details = self._choose(subject.node, "Alyx details")
        yield lambda: details.isVisible() and not details.looker.is_asking
        self._shoot(details, "5-alyx-details")
        details.close()
        window.close()
        QTimer.singleShot(_LOOK_MS, self._on_saved)
        self._choose(self.project.node, "Save")
        if not self.project.is_saved():
            raise TourError("the project was not saved")
        self._shoot(self.editor.window(), "7-project-after")
        self.say(f"Project {self.project.name!r} is saved and holds: {', '.join(self._names())}")
        removed = sorted(path.name for path in Path(self.project.path, "removed").iterdir())
        self.say(f"Folders kept in its 'removed' folder: {', '.join(removed)}")

    def _on_saved(self) -> None:
        """Read the box in which a save says where folders went, as long as it takes to come up, and press OK."""
        box = QApplication.activeModalWidget()
        if not isinstance(box, QMessageBox):
            QTimer.singleShot(_LOOK_MS, self._on_saved)
            return
        self._shoot(box, "6-saved")
        box.button(QMessageBox.Ok).click()

    def _on_synced(self, result: SyncResult) -> None:
        self.result = result

    def _names(self) -> list[str]:
        return sorted(subject.name for subject in self.project.subjects)

    def _choose(self, node: Any, label: str) -> Any:
        # chooses an entry of a node's context menu, as a right click does; gives the window that it opened
        tree = self.editor.model.tree
        before = set(QApplication.topLevelWidgets())
        tree.setCurrentItem(node)
        tree.about_to_show_contextmenu_event()
        action = next((action for action in tree._popup_menu.actions() if action.text() == label), None)
        if action is None:
            raise TourError(f"the menu of {node.text(0)!r} has no entry {label!r}")
        action.trigger()
        opened = [window for window in QApplication.topLevelWidgets() if window not in before and window.isVisible()]
        return opened[0] if opened else None

    def _shoot(self, window: QWidget, name: str) -> None:
        QApplication.processEvents()
        path = self.screenshots / f"{name}.png"
        if not window.grab().save(str(path)):
            raise TourError(f"the screenshot {path} could not be written")
        self.say(path)

    def _tell(self, result: SyncResult) -> None:
        for action in SHOWN:
            names = [done.entry.name for done in result.results if done.entry.action is action]
            self.say(f"{HEADINGS[action]}: {', '.join(names) or '-'}")


def make_room(window: SyncWindow) -> None:
    """Make the sync window so high that all that it says can be seen at once.

    ``window``: the window; nobody looks at it on a screen.
    """
    QApplication.processEvents()
    results = window.form.results
    hidden_lines = results.verticalScrollBar().maximum()
    window.resize(window.width(), window.height() + (hidden_lines + 1) * results.fontMetrics().lineSpacing())
    QApplication.processEvents()


def _dialog() -> ReviewDialog | None:
    shown = [w for w in QApplication.topLevelWidgets() if isinstance(w, ReviewDialog) and w.isVisible()]
    return shown[0] if shown else None


class _Runner:
    """Runs the steps on PyBpod's own event loop."""

    def __init__(self, steps: Steps) -> None:
        self.steps = steps
        self.failure: BaseException | None = None
        self.waiting: Callable[[], Any] = lambda: True
        self.looks = 0
        self.timer = QTimer(interval=_LOOK_MS)
        self.timer.timeout.connect(self.look)
        self.timer.start()

    def look(self) -> None:
        try:
            self.looks += 1
            if self.waiting():
                self.waiting, self.looks = next(self.steps), 0
            elif self.looks * _LOOK_MS > STEP_LIMIT_S * 1000:
                raise TourError(f"a step took longer than {STEP_LIMIT_S} s")
        except StopIteration:
            self.end(None)
        except Exception as error:  # noqa: BLE001 - it ends the tour with an exit code, not PyBpod with an abort
            self.end(error)

    def end(self, failure: BaseException | None) -> None:
        self.timer.stop()
        self.failure = failure
        QApplication.exit(0)


def _say(line: object) -> None:
    sys.stdout.write(f"{line}\n")
    sys.stdout.flush()


def start_pybpod() -> tuple[QApplication, Any]:
    """Start PyBpod as its own program does, with the settings in the current folder.

    Returns: the application, which does not run yet, and PyBpod's main window, shown.
    """
    sys.path.insert(0, str(Path.cwd()))
    import user_settings
    from confapp import conf

    conf += user_settings
    application = QApplication(sys.argv[:1])
    import pyforms_generic_editor.settings  # noqa: F401 - what PyBpod's start does, in its order

    conf += "pyforms_gui.resources_settings"
    from pyforms_generic_editor.editor.base_editor import BaseEditor
    from pyforms_gui.appmanager import StandAloneContainer

    main_window = StandAloneContainer(BaseEditor)
    main_window.resize(1100, 700)
    main_window.show()
    return application, main_window


def main() -> int:
    """Start PyBpod, and take the tour."""
    screenshots = Path(sys.argv[1])
    application, main_window = start_pybpod()
    editor = main_window.centralWidget()
    if not editor.model.projects:
        sys.stderr.write("The tour failed: PyBpod did not open the project.\n")
        return 1
    runner = _Runner(Tour(editor, screenshots, _say).steps())
    application.exec_()
    if runner.failure is not None:
        sys.stderr.write(f"The tour failed: {runner.failure}\n")
    return 0 if runner.failure is None else 1


if __name__ == "__main__":
    code = main()
    sys.stdout.flush()
    sys.stderr.flush()
    os._exit(code)  # Qt's objects and PyBpod's threads are not taken apart one by one
