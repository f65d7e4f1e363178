"""The course of a round: which animal is in front, what Enter does with its weight, and what is asked when."""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING, Final

from AnyQt.QtCore import QObject, Qt, Signal
from AnyQt.QtGui import QKeySequence
from AnyQt.QtWidgets import QApplication, QShortcut

from alyx_connector.errors import AlyxError
from pybpod_alyx_module.gui.guard import slot
from pybpod_alyx_module.gui.messages import describe
from pybpod_alyx_module.numbers import grams
from pybpod_alyx_module.outbox.items import State

if TYPE_CHECKING:
    from decimal import Decimal

    from pybpod_alyx_module.animals.weigh_all.round_row import RoundRow
    from pybpod_alyx_module.gui.weigh_all.animal_panel import AnimalPanel
    from pybpod_alyx_module.gui.weigh_all.round_table import RoundModel, RoundTable
    from pybpod_alyx_module.gui.weigh_all.weighing import Weighing

#: What is said of a correction whose first value is on Alyx, or may be.
STAYS_LISTED: Final = "The weight before it is on Alyx and stays listed there: delete it there if it was wrong."


@dataclass(frozen=True)
class _Last:
    # what was recorded last, and the item that it corrects
    row: RoundRow
    grams: Decimal
    replaces: str


class InFront(QObject):
    """Leads through a round."""

    #: Another animal is in front, or something else is known of it.
    changed = Signal()
    #: There is something to ask, and the window may be hidden.
    asked = Signal()

    def __init__(self, weighing: Weighing, panel: AnimalPanel, rows: RoundModel, table: RoundTable) -> None:
        super().__init__(panel)
        self._weighing, self._panel, self._rows, self._table = weighing, panel, rows, table
        self.current: RoundRow | None = None
        self._last: _Last | None = None
        #: Key of the item that the weight in the field corrects; and what was put into the field, not typed.
        self._correcting = self._prefilled = ""
        #: Where to go back to after a correction.
        self._back_to: RoundRow | None = None
        self._to_ask: deque[RoundRow] = deque()
        #: The animal that a question is open about.
        self.questioned: RoundRow | None = None
        #: Whether a person chose an animal or recorded something: nothing else takes its place then.
        self._is_begun = False
        # an arrow in the field would scroll what is around it
        for key, step in ((Qt.Key_Down, 1), (Qt.Key_PageDown, 1), (Qt.Key_Up, -1), (Qt.Key_PageUp, -1)):
            shortcut = QShortcut(QKeySequence(key), panel.weight.edit)
            shortcut.setContext(Qt.WidgetShortcut)
            shortcut.activated.connect(slot(partial(self.walk, step)))
        panel.record_button.clicked.connect(self.record)
        panel.skip_button.clicked.connect(self.skip)
        panel.correct_button.clicked.connect(self.correct_last)
        table.chosen.connect(self.choose)
        weighing.rows_changed.connect(self._on_rows_changed)
        weighing.row_changed.connect(self._on_row_changed)
        weighing.recorded.connect(self._on_recorded)
        weighing.asks.connect(self._on_asks)
        weighing.settled.connect(self._on_settled)
        weighing.not_recorded.connect(self._on_not_recorded)
        weighing.answered.connect(self._on_answered)

    def set_animals(self) -> None:
        """Take the animals that the project has now; that in front stays as long as something is typed for it."""
        row = self.current
        if row is not None:
            row.typed = self.typed
        self._weighing.set_animals()
        if row is not None and row is self.current:
            row.typed = ""  # it is in the field

    # Which animal -------------------------------------------------------------------------------------------------

    def go_to(self, row: RoundRow | None) -> None:
        """Put an animal in front; what was typed for the one before stays with it."""
        before, typed = self.current, self.typed
        if before is not None:
            before.typed = typed
        self._correcting = self._prefilled = ""
        self.current = self._rows.current = row
        self._panel.weight.begin_next(row.typed if row is not None else "")
        if row is not None:
            row.typed = ""  # it is in the field
            self._weighing.ask_alone(row)
        self._rows.show_changed(None)
        self._table.show_current()
        self._show_current()
        self._panel.weight.edit.setFocus()

    def _show_current(self) -> None:
        row = self.current
        self._panel.show_row(row, self._weighing.username(row.animal.server) if row is not None else "")
        self.changed.emit()

    @slot
    def skip(self) -> None:
        """Go to the next animal that was not weighed; nothing is recorded."""
        self.walk(1)

    def walk(self, step: int) -> None:
        """Go to the next animal that was not weighed, or, with -1, to the one before."""
        if self.is_asking:
            return
        self._is_begun = True
        following = self._weighing.round.next_open(self.current, step)
        if following is not None:
            self.go_to(following)
        self.ask_next()

    @slot
    def choose(self, row: RoundRow) -> None:
        """Go to an animal that a person chose, unless a question is open."""
        if self.is_asking:
            self._table.show_current()
            QApplication.beep()
            return
        self._is_begun = True
        self.go_to(row)

    def begin_again(self) -> None:
        """Go to the first animal that was not weighed, unless something is typed or asked."""
        if not self.is_asking and not self._panel.weight.edit.text().strip():
            self.go_to(self._weighing.round.next_open(None))

    @slot
    def _on_rows_changed(self) -> None:
        weighing = self._weighing.round
        self._rows.show_rows(weighing.listed)
        first = weighing.next_open(None)
        if not any(row is self.current for row in weighing.rows):
            self.go_to(first)
        elif not self._is_begun and first is not self.current:
            self.begin_again()
        self._show_current()
        self._show_last()

    @slot
    def _on_row_changed(self, row: RoundRow) -> None:
        self._rows.show_changed(row)
        if row is self.current:
            self._show_current()
        self._show_last()
        self.changed.emit()

    # Recording ----------------------------------------------------------------------------------------------------

    @property
    def typed(self) -> str:
        """What a person typed for the animal in front; empty where it is not theirs, or asked about."""
        return "" if self._panel.typed == self._prefilled or self.questioned is not None else self._panel.typed

    @slot
    def record(self) -> None:
        """Record what is in the field for the animal in front."""
        row, edit = self.current, self._panel.weight.edit
        if row is None or self.is_asking:
            return
        if not edit.text().strip():
            self._panel.show_problem(f"Type the weight of {row.name} in g, or press Down to skip it.")
            return
        try:
            weight = grams(edit.text())
        except AlyxError as error:
            self._panel.show_problem(str(error))
            edit.selectAll()
            return
        self._is_begun = True
        self._weighing.record(row, weight, correcting=self._correcting)

    @slot
    def _on_recorded(self, row: RoundRow) -> None:
        if row.record is None:
            return
        self._last = _Last(row, row.record.grams, row.record.replaces)
        self._show_last()
        if row is self.current:
            self._leave(row)

    def _leave(self, row: RoundRow) -> None:
        # it is done: back to where one was before a correction, else on
        self._panel.weight.begin_next()
        back, self._back_to = self._back_to, None
        self.go_to(back if back is not None and not back.is_done else self._weighing.round.next_open(row))
        self.ask_next()

    def _show_last(self) -> None:
        last = self._last
        if last is None:
            return
        gone = (State.WAITING, State.PARKED)
        stays = any(item.key == last.replaces and item.state not in gone for item in last.row.items)
        self._panel.show_recorded(last.row, last.grams, STAYS_LISTED if stays else "")

    @slot
    def correct_last(self) -> None:
        """Go back to the animal that was recorded last, with its weight in the field."""
        last = self._last
        if last is None or self.is_asking or (self.current is last.row and self.typed):
            return
        if self.current is not None and self.current is not last.row:
            self._back_to = self.current
        self.go_to(last.row)
        today = last.row.weight_today
        self._correcting = today.item.key if today is not None and today.item is not None else ""
        self._prefill(f"{last.grams:f}")

    def _prefill(self, text: str) -> None:
        self._prefilled = text
        self._panel.weight.begin_next(text)

    @slot
    def _on_not_recorded(self, row: RoundRow, error: BaseException) -> None:
        if row.record is not None:  # it is held, and could not be sent or taken back
            self._to_ask.append(row)
            self.ask_next()
        else:
            if self.questioned is row:
                self._end_question()
            if self._last is not None and self._last.row is row:
                self._last = None
                self._panel.hide_recorded()
            if row is not self.current and not self._panel.weight.edit.text().strip():
                self.go_to(row)
        message = describe(error)
        said = (f"The weight of {row.name} was not recorded.", message.sentence, message.advice)
        self._panel.show_problem(" ".join(part for part in said if part))

    # Questions ----------------------------------------------------------------------------------------------------

    @property
    def is_asking(self) -> bool:
        """Whether a question is open, whatever it is about."""
        return not self._panel.question.isHidden()

    @slot
    def _on_asks(self, row: RoundRow) -> None:
        if row is self.current and not self.is_asking:
            self._ask(row)
        else:
            self._to_ask.append(row)
            self.ask_next()

    @slot
    def _on_answered(self) -> None:
        if self.current is not None:
            self._weighing.ask_alone(self.current)
        self.ask_next()

    def ask_next(self) -> None:
        """Ask what Alyx's answer brought up, unless somebody is typing."""
        while self._to_ask and not self.is_asking and not self.typed:
            row = self._to_ask.popleft()
            record = row.record
            if record is None or not record.sentences or record.decided:
                continue
            if self.current is not None and self.current is not row and not self.current.is_done:
                self._back_to = self.current
            self.go_to(row)
            self._prefill(f"{record.grams:f}")
            self._ask(row)

    @property
    def waits_for_answer(self) -> bool:
        """Whether there is something to ask."""
        return self.questioned is not None or bool(self._to_ask)

    def _ask(self, row: RoundRow) -> None:
        if row.record is not None:
            self.questioned = row
            self._panel.ask(row, row.record.sentences)
            QApplication.beep()
            self.asked.emit()

    def _end_question(self) -> None:
        self.questioned = None
        self._prefilled = ""
        self._panel.end_question()
        self._panel.weight.edit.setFocus()
        self._panel.weight.edit.selectAll()

    def go_ahead(self) -> None:
        """Record all the same what is asked about."""
        row = self.questioned
        if row is not None:
            self._end_question()
            self._weighing.decide(row, send=True)
            self._on_recorded(row)

    def go_back(self) -> None:
        """Take back what is asked about, and correct it."""
        row = self.questioned
        if row is not None:
            self._end_question()
            self._weighing.decide(row, send=False)

    @slot
    def _on_settled(self, row: RoundRow) -> None:
        if self.questioned is row:
            self._end_question()
            if row.is_done:
                self._leave(row)
