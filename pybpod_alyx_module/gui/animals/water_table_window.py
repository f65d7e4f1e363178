"""The window *Water due today…*: all water-restricted animals of the user that still need water."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING, Any, Final

from AnyQt.QtCore import Qt
from AnyQt.QtWidgets import QApplication, QHBoxLayout, QPushButton, QVBoxLayout, QWidget

from alyx_connector.errors import AlyxError, ConfigurationError, UnreachableError
from pybpod_alyx_module.animals.alyx_subject import server_name
from pybpod_alyx_module.animals.water_table import TableRow, WaterTable, fetch_water_table, give_water
from pybpod_alyx_module.gui.animals.recorder import state_sentence
from pybpod_alyx_module.gui.animals.tree_marks import TreeMarks
from pybpod_alyx_module.gui.animals.water_rows import AMOUNT, ANIMAL, WaterRow, WaterRows, no_longer_listed
from pybpod_alyx_module.gui.animals.water_table_view import WaterTableView
from pybpod_alyx_module.gui.guard import override, slot
from pybpod_alyx_module.gui.messages import describe
from pybpod_alyx_module.gui.question_frame import QuestionFrame
from pybpod_alyx_module.gui.running_outbox import running_outbox
from pybpod_alyx_module.gui.show_in_front import show_in_front
from pybpod_alyx_module.gui.task import Task, start_task
from pybpod_alyx_module.gui.widgets import BigLabel, plain_label
from pybpod_alyx_module.gui.windows import AlyxWindow, main_window_of, resize_to_screen
from pybpod_alyx_module.host.alyx_user import alyx_user
from pybpod_alyx_module.numbers import millilitres
from pybpod_alyx_module.outbox.items import COMPUTER_TIME, OPEN, Draft, Item, Kind, State
from pybpod_alyx_module.outbox.words import reason_words
from pybpod_alyx_module.read_settings import read_rig_settings

if TYPE_CHECKING:
    from decimal import Decimal

    from AnyQt.QtGui import QCloseEvent, QKeyEvent

    from alyx_connector.progress import CancelToken
    from pybpod_alyx_module.errors import OutboxError
    from pybpod_alyx_module.host.pybpod_objects import Project
    from pybpod_alyx_module.outbox.outbox import Outbox

#: Label of the menu entry.
WATER_DUE: Final = "Water due today…"

#: What a person can do if Alyx could not be asked.
WITHOUT_ALYX: Final = " Water can be recorded all the same: right-click the subject, Give water…"

#: How to use the table.
HOW_TO: Final = (
    "Tick the animals that you give water (space bar), correct the amounts (Enter), then press Give ticked. "
    "Given: as reward + as supplement. All in mL."
)

#: How many animals a sentence names.
_NAMED: Final = 5


class WaterTableWindow(AlyxWindow):
    """Shows who still needs water today, and records what was given to the ticked ones.

    ``project``: the PyBpod project; it keeps the window as ``alyx_water_window``.
    """

    def __init__(self, project: Project, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.project = project
        self.setAttribute(Qt.WA_DeleteOnClose)
        self.setWindowTitle("Water due today")
        resize_to_screen(self, 1280, 560)
        self.running = running_outbox()
        self.shown: WaterTable | None = None
        self._fetch: Task | None = None
        self._give: Task | None = None
        self._look: Task | None = None
        self._look_again = False
        self._arrived: WaterTable | None = None
        self._close_when_given = False
        self._closed = False
        self.user = BigLabel("Water due today")
        self.message = plain_label()
        self.rows = WaterRows()
        self.tree_marks = TreeMarks(project, self)
        self.table = WaterTableView(self.rows)
        self.question = QuestionFrame(self._on_close_anyway, self._on_go_back)
        self.give_button = self._button("&Give ticked", self._on_give)
        self.refresh_button = self._button("Re&fresh", self.refresh)
        self.close_button = self._button("&Close", self.close)
        buttons = QHBoxLayout()
        buttons.addWidget(self.refresh_button)
        buttons.addStretch(1)
        buttons.addWidget(self.give_button)
        buttons.addWidget(self.close_button)
        column = QVBoxLayout(self)
        column.addWidget(self.user)
        column.addWidget(self.message)
        column.addWidget(self.table, 1)
        column.addWidget(self.question)
        column.addLayout(buttons)
        self.setTabOrder(self.table, self.give_button)  # from the table Tab leads to what it is for
        self.setTabOrder(self.give_button, self.refresh_button)
        self.setTabOrder(self.refresh_button, self.close_button)
        self.rows.edited.connect(self._on_edited)
        self.table.editing_ended.connect(self._show_arrived)
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

        def work(_report: Any, cancel: CancelToken) -> WaterTable:
            return fetch_water_table(outbox, server, user, settings, cancel=cancel)

        self._fetch = start_task(
            Task(work, "alyx-water-table"),
            succeeded=self._on_table,
            failed=self._on_failed,
            finished=self._on_fetch_ended,
        )
        self.message.setText("Asking Alyx who still needs water today…")
        self._update_buttons()

    @slot
    def _on_users_changed(self) -> None:
        if not self._closed and self._give is None:
            self.shown = self._arrived = None  # nothing more is recorded as who was asked about before
            if self._fetch is not None:
                self._fetch.cancel()
            self.refresh()

    @slot
    def _on_table(self, table: WaterTable) -> None:
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
        self.tree_marks.show(table)
        gone = self.rows.show_table(table)
        self.table.go_to(max(self.rows.row_of(current), 0), column)  # the space bar ticks before anybody clicked
        self.table.verticalScrollBar().setValue(scrolled)
        self.user.say(f"as {table.username} at {server_name(table.server)}")
        if table.rows:
            said = HOW_TO
        elif table.restricted:
            said = "All your water-restricted animals have had their water today."
        else:
            said = "None of your animals is water-restricted."
        self.message.setText("\n".join((*no_longer_listed(gone), said, *table.notes)))
        self._on_edited()

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
        rows, drafts = self.rows.to_give(), []
        wrong = []
        for row in rows:
            try:
                drafts.append(self._draft(self.shown, row.seen, millilitres(row.amount)))
            except AlyxError as error:
                row.result = str(error)
                wrong.append(row)
        if wrong:
            self.rows.show_changed(wrong)
            self.table.go_to(self.rows.rows.index(wrong[0]), AMOUNT)
            self.message.setText(f"Nothing was recorded: correct the amount of {_some(wrong)}.")
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

    def _draft(self, table: WaterTable, row: TableRow, amount: Decimal) -> Draft:
        water = row.animal.water
        if water.weight_known and amount > max(2 * water.expected - water.given, water.remaining):
            raise ConfigurationError(
                f"{amount:f} mL would be more than twice what it needs today.",
                hint="To give as much, use Give water… of the subject.",
                setting="amount of water",
            )
        values: dict[str, Any] = {"water_administered": float(amount), **row.time_values()}
        if row.animal.water_type is not None:
            values["water_type"] = row.animal.water_type
        return Draft(
            kind=Kind.WATER,
            server=table.server,
            username=table.username,
            subject_id=row.animal.subject_id,
            subject_name=row.animal.name,
            values=values,
            origin={} if row.lab_timezone else COMPUTER_TIME,
        )

    @slot
    def _on_given(self, results: tuple[Item | OutboxError, ...]) -> None:
        for row, one in zip(self._given_rows, results, strict=True):
            if isinstance(one, Item):
                _take_item(row, one)
            else:
                row.result = str(one)
        self.rows.show_changed(self._given_rows)
        count = sum(isinstance(one, Item) for one in results)
        said = [f"{count} of {len(results)} kept on this computer. The last column says what is on Alyx."]
        if rest := [row for row in self.rows.unrecorded() if not row.ticked]:
            said.append(f"Not ticked, so not recorded: {_some(rest)}.")
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
        followed = [(row, row.item) for row in self.rows.rows if row.item is not None and row.item.state in OPEN]
        if not followed:
            return

        def read(outbox: Outbox) -> list[tuple[WaterRow, Item]]:
            waiting = {item.key: item for item in outbox.items(OPEN)}
            now = [(row, before, waiting.get(before.key) or outbox.item(before.key)) for row, before in followed]
            return [(row, item) for row, before, item in now if item != before]

        self._look_again = False
        self._look = start_task(self.running.read(read), succeeded=self._on_items_read, finished=self._on_look_ended)

    @slot
    def _on_items_read(self, changed: list[tuple[WaterRow, Item]]) -> None:
        for row, item in changed:
            _take_item(row, item)
        self.rows.show_changed(row for row, _ in changed)

    @slot
    def _on_look_ended(self) -> None:
        self._look = None
        if self._look_again and not self._closed:
            self._on_outbox()

    @slot
    def _on_edited(self) -> None:
        self._update_buttons()
        if not self.question.isHidden():
            self.question.text.setText(self._question)
            self.question.setVisible(bool(self.unrecorded))

    @property
    def unrecorded(self) -> str:
        """What was ticked or typed and not recorded, for people; empty if nothing was."""
        rows = self.rows.unrecorded()
        return f"the water of {_some(rows)}" if rows and not self._closed else ""

    @property
    def _is_idle(self) -> bool:
        return self._fetch is None and self._give is None and self._arrived is None

    def _update_buttons(self) -> None:
        idle, can_give = self._is_idle, self.shown is not None and bool(self.rows.to_give())
        for button, enabled in ((self.refresh_button, idle), (self.give_button, idle and can_give)):
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
            if self.project.alyx_water_window is self:
                self.project.alyx_water_window = None
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
    def _on_go_back(self) -> None:
        self.question.hide()
        self.table.setFocus()

    def _button(self, text: str, pressed: Any) -> QPushButton:
        button = QPushButton(text)
        button.clicked.connect(pressed)
        return button


def _take_item(row: WaterRow, item: Item) -> None:
    reason = "" if item.state is State.SENT else reason_words(item)
    row.item, row.result = item, f"{row.amount} mL: {state_sentence(item)} {reason}".rstrip()


def _some(rows: list[WaterRow]) -> str:
    names = [row.name for row in rows]
    if len(names) > _NAMED:
        names[_NAMED:] = [f"{len(names) - _NAMED} more"]
    return " and ".join(part for part in (", ".join(names[:-1]), names[-1]) if part)


def server_of(project: Project) -> str:
    """Return the server of a project's Alyx subjects.

    Returns: that of most of them, empty if there is none.
    """
    records = [subject.alyx or {} for subject in project.subjects]
    servers = Counter(str(record["alyx_server"]) for record in records if record.get("alyx_server"))
    return servers.most_common(1)[0][0] if servers else ""


def open_water_table(project: Project) -> WaterTableWindow:
    """Show which animals of the user still need water today, and ask Alyx again."""
    window = project.alyx_water_window
    if window is None:
        window = WaterTableWindow(project, main_window_of(project))
        project.alyx_water_window = window
    show_in_front(window)
    window.refresh()
    return window
