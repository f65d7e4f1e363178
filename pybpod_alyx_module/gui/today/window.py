"""The window *Today…*: the animals of the user and of the PyBpod project, and what each still needs today."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from AnyQt.QtCore import Qt, QTimer
from AnyQt.QtWidgets import QApplication, QHBoxLayout, QPushButton, QVBoxLayout, QWidget

from alyx_connector.errors import UnreachableError
from pybpod_alyx_module.animals.alyx_subject import server_name
from pybpod_alyx_module.animals.today.board import Board, fetch_board, give_water, recount
from pybpod_alyx_module.gui.guard import override, slot
from pybpod_alyx_module.gui.messages import describe
from pybpod_alyx_module.gui.question_frame import QuestionFrame
from pybpod_alyx_module.gui.running_outbox import running_outbox
from pybpod_alyx_module.gui.show_in_front import show_in_front
from pybpod_alyx_module.gui.task import Task, start_task
from pybpod_alyx_module.gui.today.choice_row import ChoiceRow
from pybpod_alyx_module.gui.today.columns import AMOUNT, ANIMAL
from pybpod_alyx_module.gui.today.give import make_drafts, some_of, take_item
from pybpod_alyx_module.gui.today.give_in_advance import GiveInAdvance
from pybpod_alyx_module.gui.today.one_animal import project_ids, server_of
from pybpod_alyx_module.gui.today.open_from_row import OpenFromRow
from pybpod_alyx_module.gui.today.rows import TodayRow, TodayRows, no_longer_listed
from pybpod_alyx_module.gui.today.sheet import SheetDialog
from pybpod_alyx_module.gui.today.summary import board_summary
from pybpod_alyx_module.gui.today.tree_marks import TreeMarks
from pybpod_alyx_module.gui.today.view import TodayView
from pybpod_alyx_module.gui.widgets import BigLabel, plain_label
from pybpod_alyx_module.gui.windows import AlyxWindow, main_window_of, resize_to_screen
from pybpod_alyx_module.host.alyx_user import alyx_user
from pybpod_alyx_module.outbox.items import OPEN, Item
from pybpod_alyx_module.read_settings import read_rig_settings

if TYPE_CHECKING:
    from AnyQt.QtGui import QCloseEvent, QKeyEvent

    from alyx_connector.progress import CancelToken
    from pybpod_alyx_module.errors import OutboxError
    from pybpod_alyx_module.host.pybpod_objects import Project
    from pybpod_alyx_module.outbox.outbox import Outbox

#: Label of the menu entry.
TODAY: Final = "Today…"

#: What a person can do if Alyx could not be asked.
WITHOUT_ALYX: Final = " Water can be recorded all the same: right-click the subject, Give water…"

#: What is said of how long ago something was is refreshed this often, in milliseconds.
_AGE_INTERVAL_MS: Final = 60_000


class TodayWindow(AlyxWindow):
    """Shows what each animal still needs today, and records it: of one animal by a key, water of the ticked ones.

    ``project``: the PyBpod project; it keeps the window as ``alyx_today_window``.
    """

    def __init__(self, project: Project, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.project = project
        self.setAttribute(Qt.WA_DeleteOnClose)
        self.setWindowTitle("Today")
        resize_to_screen(self, 1340, 620)
        self.running = running_outbox()
        self.shown: Board | None = None
        self._fetch: Task | None = None
        self._give: Task | None = None
        self._look: Task | None = None
        self._look_again = False
        self._arrived: Board | None = None
        self._close_when_given = False
        self._closed = False
        self.user = BigLabel("Today")
        self.message = plain_label()
        self.rows = TodayRows()
        self.tree_marks = TreeMarks(project, self)
        self.table = TodayView(self.rows)
        self.choice = ChoiceRow(self.rows)
        self.open_from_row = OpenFromRow(self)
        self.question = QuestionFrame(self._on_close_anyway, self._on_go_back)
        self.give_button = self._button("&Give ticked", self._on_give)
        self.in_advance = GiveInAdvance(self)
        self.later_button = self._button("For &later days…", self.in_advance.ask)
        self.tick_button = self._button("&Tick all shown", self.rows.tick_shown)
        self.print_button = self._button("&Print…", self._on_print)
        self.refresh_button = self._button("Re&fresh", self.refresh)
        self.close_button = self._button("&Close", self.close)
        buttons = QHBoxLayout()
        buttons.addWidget(self.refresh_button)
        buttons.addWidget(self.print_button)
        buttons.addStretch(1)
        buttons.addWidget(self.later_button)
        buttons.addWidget(self.tick_button)
        buttons.addWidget(self.give_button)
        buttons.addWidget(self.close_button)
        column = QVBoxLayout(self)
        column.addWidget(self.user)
        column.addWidget(self.message)
        column.addWidget(self.choice)
        column.addWidget(self.table, 1)
        column.addWidget(self.question)
        column.addLayout(buttons)
        self.setTabOrder(self.table, self.give_button)  # from the table Tab leads to what it is for
        self.setTabOrder(self.give_button, self.refresh_button)
        self.setTabOrder(self.refresh_button, self.close_button)
        self.rows.edited.connect(self._on_edited)
        self.table.editing_ended.connect(self._show_arrived)
        self.table.asked_for.connect(self.open_from_row.open)
        self.choice.chosen.connect(self._on_edited)
        self._age_timer = QTimer(self, interval=_AGE_INTERVAL_MS)
        self._age_timer.timeout.connect(self._show_ages)
        self._age_timer.start()
        self.running.changed.connect(self._on_outbox)
        self.running.users_changed.connect(self._on_users_changed)
        self._update_buttons()

    @slot
    def refresh(self) -> None:
        """Ask Alyx again."""
        if not self._is_idle:
            return
        outbox, settings = self.running, read_rig_settings().sessions
        server, user = server_of(self.project), alyx_user(self.project)
        ids = project_ids(self.project, server)

        def work(_report: Any, cancel: CancelToken) -> Board:
            return fetch_board(outbox, server, user, settings, project_ids=ids, cancel=cancel)

        self._fetch = start_task(
            Task(work, "alyx-water-table"),
            succeeded=self._on_table,
            failed=self._on_failed,
            finished=self._on_fetch_ended,
        )
        self.message.setText("Asking Alyx what each animal still needs today…")
        self._update_buttons()

    @slot
    def _on_users_changed(self) -> None:
        if not self._closed and self._give is None:
            self.shown = self._arrived = None  # nothing more is recorded as who was asked about before
            if self._fetch is not None:
                self._fetch.cancel()
            self.refresh()

    @slot
    def _on_table(self, table: Board) -> None:
        self._arrived = table
        if self.table.is_editing:  # what somebody is typing is not taken away
            self.message.setText("Alyx has answered. The table shows it as soon as you finish the amount (Enter).")
        else:
            self._show_arrived()

    @slot
    def _show_arrived(self) -> None:
        table, self._arrived = self._arrived, None
        if table is None:
            return
        place, column = self.table.currentIndex().row(), max(self.table.currentIndex().column(), ANIMAL)
        current = self.rows.rows[place].seen.animal.subject_id if place >= 0 else ""
        scrolled = self.table.verticalScrollBar().value()
        self.shown = table
        if not table.unreachable:
            self.tree_marks.show(table)
        gone = self.rows.show_table(table)
        self.table.show_labs(len({row.animal.lab for row in table.rows}) > 1)
        self.choice.show_counts()
        self.table.go_to(max(self.rows.row_of(current), 0), column)  # the space bar ticks before anybody clicked
        self.table.verticalScrollBar().setValue(scrolled)
        self.user.say(f"as {table.username} at {server_name(table.server)}")
        self.message.setText("\n".join((*no_longer_listed(gone), *board_summary(table), *table.notes)))
        self._on_edited()

    @slot
    def _show_ages(self) -> None:
        self.table.viewport().update()

    @slot
    def _on_failed(self, error: BaseException) -> None:
        message = describe(error).text
        without = WITHOUT_ALYX if isinstance(error, UnreachableError) else ""
        stale = " The table shows an older answer." if self.shown is not None else without
        self.message.setText(f"{message}{stale}")

    @slot
    def _on_fetch_ended(self) -> None:
        self._fetch = None
        self._update_buttons()

    @slot
    def _on_give(self) -> None:
        self.table.finish_editing()
        if self.shown is None or not self._is_idle:
            return
        rows = self.rows.to_give()
        drafts, wrong = make_drafts(self.shown, rows)
        if wrong:
            self.rows.show_changed(wrong)
            self.table.go_to(self.rows.rows.index(wrong[0]), AMOUNT)
            self.message.setText(f"Nothing was recorded: correct the amount of {some_of(wrong)}.")
            return
        if not rows:
            return
        self._given_rows = rows
        self.rows.held = True
        self._give = start_task(
            self.running.read(lambda outbox: give_water(outbox, tuple(drafts)), name="alyx-outbox-add"),
            succeeded=self._on_given,
            failed=self._on_failed,
            finished=self._on_give_ended,
        )
        self._update_buttons()

    @slot
    def _on_given(self, results: tuple[Item | OutboxError, ...]) -> None:
        for row, one in zip(self._given_rows, results, strict=True):
            if isinstance(one, Item):
                take_item(row, one)
            else:
                row.result = str(one)
        self.rows.show_changed(self._given_rows)
        count = sum(isinstance(one, Item) for one in results)
        said = [f"{count} of {len(results)} kept on this computer. The last column says what is on Alyx."]
        if rest := [row for row in self.rows.unrecorded() if not row.ticked]:
            said.append(f"Not ticked, so not recorded: {some_of(rest)}.")
        self.message.setText("\n".join(said))

    @slot
    def _on_give_ended(self) -> None:
        self._give = None
        self.rows.held = False
        self._update_buttons()
        self._on_outbox()
        if self._close_when_given:
            self._close_when_given = False
            self.close()

    @slot
    def _on_outbox(self) -> None:
        if self._look is not None:
            self._look_again = True
            return
        followed = [(row, row.item) for row in self.rows.all if row.item is not None and row.item.state in OPEN]
        board, settings = self.shown, read_rig_settings().sessions
        if board is None:
            return

        def read(outbox: Outbox) -> tuple[list[tuple[TodayRow, Item]], Board]:
            waiting = {item.key: item for item in outbox.items(OPEN)}
            now = [(row, before, waiting.get(before.key) or outbox.item(before.key)) for row, before in followed]
            return [(row, item) for row, before, item in now if item != before], recount(board, outbox, settings)

        self._look_again = False
        self._look = start_task(self.running.read(read), succeeded=self._on_items_read, finished=self._on_look_ended)

    @slot
    def _on_items_read(self, read: tuple[list[tuple[TodayRow, Item]], Board]) -> None:
        changed, counted = read
        for row, item in changed:
            take_item(row, item)
        rows = [row for row, _ in changed]
        if self.shown is not None and self.shown.answers is counted.answers:
            self.shown = counted
            rows += self.rows.count_in(counted)
            self.choice.show_counts()
        self.rows.show_changed(rows)

    @slot
    def _on_look_ended(self) -> None:
        self._look = None
        if self._look_again and not self._closed:
            self._on_outbox()

    @slot
    def _on_edited(self) -> None:
        self._update_buttons()
        count = len(self.rows.to_give())
        self.give_button.setText(f"&Give ticked ({count})" if count else "&Give ticked")
        if not self.question.isHidden():
            self.question.text.setText(self._question)
            self.question.setVisible(bool(self.unrecorded))

    @property
    def unrecorded(self) -> str:
        """What was ticked or typed and not recorded, for people; empty if nothing was."""
        rows = self.rows.unrecorded()
        return f"the water of {some_of(rows)}" if rows and not self._closed else ""

    @property
    def _is_idle(self) -> bool:
        return self._fetch is None and self._give is None and self._arrived is None

    def _update_buttons(self) -> None:
        idle, can_give = self._is_idle, self.shown is not None and bool(self.rows.to_give())
        known = self.shown is not None
        used = {self.refresh_button: idle, self.give_button: idle and can_give}
        for button, enabled in {**used, self.print_button: known, self.later_button: known}.items():
            if button.hasFocus() and not enabled:
                self.table.setFocus()  # Qt would go on to Close, which a second Enter presses
            button.setEnabled(enabled)

    @override
    def keyPressEvent(self, event: QKeyEvent) -> None:  # noqa: N802 - Qt's name
        """Enter presses the button that has the keyboard; Escape closes, where that is asked it stays."""
        focused = QApplication.focusWidget()
        if event.key() in (Qt.Key_Return, Qt.Key_Enter) and isinstance(focused, QPushButton):
            focused.click()
        elif event.key() == Qt.Key_Escape and not self.question.isHidden():
            self._on_go_back()
        else:
            super().keyPressEvent(event)

    @override
    def closeEvent(self, event: QCloseEvent) -> None:  # noqa: N802 - Qt's name
        """Ask where ticks or amounts would be lost; else stop asking Alyx."""
        if not self._closed:
            if not self._may_close():
                event.ignore()
                return
            self._closed = True
            for task in (self._fetch, self._look):
                if task is not None:
                    task.cancel()
            self.running.changed.disconnect(self._on_outbox)
            if self.project.alyx_today_window is self:
                self.project.alyx_today_window = None
        super().closeEvent(event)

    def _may_close(self) -> bool:
        if QApplication.instance().isSavingSession():
            return True
        self.table.finish_editing()
        if self._give is not None:
            self._close_when_given = True
            return False
        return not self._ask_before_closing()

    def _ask_before_closing(self) -> bool:
        if not self.unrecorded:
            return False
        show_in_front(self)
        self.question.ask(self._question, "Close &without recording", "Go &back")
        return True

    @property
    def _question(self) -> str:
        return f"{self.unrecorded[:1].upper()}{self.unrecorded[1:]} has not been recorded."

    @slot
    def _on_close_anyway(self) -> None:
        self.rows.forget_unrecorded()
        self.close()

    @slot
    def _on_print(self) -> None:
        if self.shown is not None:
            SheetDialog(self.shown, self.rows.rows, self).open()

    @slot
    def _on_go_back(self) -> None:
        self.question.hide()
        self.table.setFocus()

    def _button(self, text: str, pressed: Any) -> QPushButton:
        button = QPushButton(text)
        button.clicked.connect(pressed)
        return button


def open_today(project: Project) -> TodayWindow:
    """Show what each animal still needs today, and ask Alyx again."""
    window = project.alyx_today_window
    if window is None:
        window = TodayWindow(project, main_window_of(project))
        project.alyx_today_window = window
    show_in_front(window)
    window.refresh()
    return window
