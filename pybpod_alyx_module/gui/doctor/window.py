"""The window *Check the Alyx plugin*: each check as soon as it is done, with what was found and what to do."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING, Any, Final

from AnyQt.QtCore import Qt
from AnyQt.QtGui import QBrush, QColor
from AnyQt.QtWidgets import (
    QApplication,
    QPushButton,
    QStyle,
    QTreeWidget,
    QTreeWidgetItem,
    QVBoxLayout,
    QWidget,
)

from alyx_connector.progress import Progress
from pybpod_alyx_module.doctor.check import State
from pybpod_alyx_module.doctor.examine import Here, examine
from pybpod_alyx_module.doctor.report import as_text, summary
from pybpod_alyx_module.gui.guard import override, slot
from pybpod_alyx_module.gui.messages import describe
from pybpod_alyx_module.gui.show_in_front import show_in_front
from pybpod_alyx_module.gui.task import Task, start_task
from pybpod_alyx_module.gui.widgets import ValueBox, button_row, plain_label
from pybpod_alyx_module.gui.windows import AlyxWindow, resize_to_screen, urgent_colour
from pybpod_alyx_module.gui.words import cell, plain_tip

if TYPE_CHECKING:
    from collections.abc import Callable

    from AnyQt.QtGui import QCloseEvent

    from alyx_connector.progress import CancelToken, Report
    from pybpod_alyx_module.doctor.check import Check

#: Label of the menu entry.
CHECK: Final = "Check the Alyx plugin…"

_TITLES: Final = ("Check", "Result", "What was found")
#: What the first two columns have room for, beside what stands before the text.
_WIDEST: Final = ("ALYX_PLUGIN_SCALE_PATTERN", "warning")
_BEFORE_TEXT: Final = (60, 40)
_CHECK, _RESULT, _FOUND = range(3)

_ICONS: Final = {
    State.OK: QStyle.SP_DialogApplyButton,
    State.WARNING: QStyle.SP_MessageBoxWarning,
    State.WRONG: QStyle.SP_MessageBoxCritical,
}
#: Which of the results the window shows first.
_URGENCY: Final = (State.OK, State.WARNING, State.WRONG)

CHECKING: Final = "Checking…"
STOPPED: Final = "Stopped before the end."


class CheckWindow(AlyxWindow):
    """Runs the checks when it is opened, and again when it is asked to; never in the GUI thread.

    ``look``: gives what this PyBpod knows, for the checks.
    """

    def __init__(self, look: Callable[[], Here], parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setAttribute(Qt.WA_DeleteOnClose)
        self.setWindowTitle("Check the Alyx plugin")
        resize_to_screen(self, 920, 620)
        #: What was found so far.
        self.checks: list[Check] = []
        self._look = look
        self._task: Task | None = None
        self._groups: dict[str, QTreeWidgetItem] = {}
        self._urgency, self._is_stopped = -1, False
        self.message = plain_label()
        self.tree = QTreeWidget()
        self.tree.setHeaderLabels(_TITLES)
        self.tree.setUniformRowHeights(True)
        for number, (text, before) in enumerate(zip(_WIDEST, _BEFORE_TEXT, strict=True)):
            self.tree.setColumnWidth(number, self.tree.fontMetrics().horizontalAdvance(text) + before)
        self.tree.currentItemChanged.connect(self._on_current)
        self.details = ValueBox()
        self.again_button = QPushButton("Check &again")
        self.again_button.clicked.connect(self.start)
        self.stop_button = QPushButton("&Stop")
        self.stop_button.clicked.connect(self.stop)
        self.copy_button = QPushButton("C&opy report")
        self.copy_button.setToolTip(
            "For a message to whoever helps you. It holds no passwords, but names and addresses."
        )
        self.copy_button.clicked.connect(self._on_copy)
        self.close_button = QPushButton("&Close")
        self.close_button.clicked.connect(self.close)
        column = QVBoxLayout(self)
        column.addWidget(self.message)
        column.addWidget(self.tree, 3)
        column.addWidget(self.details, 1)
        column.addLayout(button_row(self.again_button, self.stop_button, self.close_button, left=self.copy_button))
        self.start()

    @property
    def working(self) -> bool:
        """Whether checks go on."""
        return self._task is not None

    @slot
    def start(self) -> None:
        """Run all checks anew."""
        if self._task is not None:
            return
        self.checks = arrived = []
        self.tree.clear()
        self._groups, self._urgency, self._is_stopped = {}, -1, False
        self.details.show_value("")
        here = self._look()

        def work(report: Report, cancel: CancelToken) -> None:
            for check in examine(here, cancel):
                arrived.append(check)
                report(Progress("check", len(arrived)))

        self._task = Task(work, "alyx-doctor")
        self.destroyed.connect(self._task.cancel)
        self._task.progressed.connect(self._show_new)
        self._show_working(CHECKING)
        start_task(self._task, failed=self._on_failed, finished=partial(self._on_finished, self._task))

    @slot
    def stop(self) -> None:
        """Check no more."""
        if self._task is not None:
            self._is_stopped = True
            self._task.cancel()

    @slot
    def _on_finished(self, task: Task) -> None:
        if task is not self._task:
            return
        self._task = None
        self.checks = list(self.checks)  # what a check that hung brings later is nobody's
        self._show_new()
        self._show_working(f"{summary(self.checks)}{f' {STOPPED}' if self._is_stopped else ''}")

    @slot
    def _on_failed(self, error: BaseException) -> None:
        self.details.show_value(describe(error).text)

    def _show_working(self, text: str) -> None:
        self.message.setText(text)
        self.again_button.setEnabled(not self.working)
        self.stop_button.setEnabled(self.working)
        (self.stop_button if self.working else self.again_button).setFocus()

    @slot
    def _show_new(self) -> None:
        shown = sum(group.childCount() for group in self._groups.values())
        for check in self.checks[shown:]:
            self._add(check)
        self.copy_button.setEnabled(bool(self.checks))

    def _add(self, check: Check) -> None:
        group = self._groups.get(check.group)
        if group is None:
            group = self._groups[check.group] = QTreeWidgetItem([check.group])
            font = group.font(_CHECK)
            font.setBold(True)
            group.setFont(_CHECK, font)
            self.tree.addTopLevelItem(group)
            group.setFirstColumnSpanned(True)
            group.setExpanded(True)
        row = QTreeWidgetItem([check.title, check.state.value, cell(check.found)])
        row.setToolTip(_CHECK, plain_tip(check.title))
        row.setIcon(_RESULT, self.style().standardIcon(_ICONS[check.state]))
        row.setData(_CHECK, Qt.UserRole, check)
        if check.state is State.WRONG:
            row.setForeground(_RESULT, QBrush(QColor(urgent_colour())))
        group.addChild(row)
        if _URGENCY.index(check.state) > self._urgency:
            self._urgency = _URGENCY.index(check.state)
            self.tree.setCurrentItem(row)

    @slot
    def _on_current(self, row: QTreeWidgetItem | None) -> None:
        check: Any = row.data(_CHECK, Qt.UserRole) if row is not None else None
        self.details.show_value("" if check is None else _whole(check))

    @slot
    def _on_copy(self) -> None:
        QApplication.clipboard().setText(as_text(self.checks))

    @override
    def closeEvent(self, event: QCloseEvent) -> None:  # noqa: N802 - Qt's name
        """Stop checking, and close."""
        self.stop()
        super().closeEvent(event)


def _whole(check: Check) -> str:
    return f"{check.title}: {check.state.value}\n{check.found}" + (
        f"\n\nWhat to do: {check.advice}" if check.advice else ""
    )


def open_check_window(look: Callable[[], Here], parent: QWidget | None = None) -> CheckWindow:
    """Show the window: the one that is open, or a new one."""
    shown = [one for one in QApplication.topLevelWidgets() if isinstance(one, CheckWindow) and one.isVisible()]
    window = shown[0] if shown else CheckWindow(look, parent.window() if parent is not None else None)
    show_in_front(window)
    return window
