"""The animal in front: who it is, what it weighed, the field of its weight, and what was recorded last."""

from __future__ import annotations

from contextlib import suppress
from typing import TYPE_CHECKING, Final

from AnyQt.QtCore import QTimer
from AnyQt.QtWidgets import QHBoxLayout, QLabel, QPushButton, QVBoxLayout, QWidget

from alyx_connector.errors import AlyxError
from pybpod_alyx_module.animals.weight import COLOURS, LOW_TEXT, TOO_LIGHT
from pybpod_alyx_module.gui.animals.recorder import state_sentence
from pybpod_alyx_module.gui.animals.scale_field import ScaleField
from pybpod_alyx_module.gui.guard import slot
from pybpod_alyx_module.gui.question_frame import QuestionFrame
from pybpod_alyx_module.gui.widgets import BigLabel, Scrolled, plain_label
from pybpod_alyx_module.gui.windows import urgent_colour
from pybpod_alyx_module.gui.words import short_name, without_long_words
from pybpod_alyx_module.numbers import grams, plain

if TYPE_CHECKING:
    from collections.abc import Callable
    from decimal import Decimal

    from pybpod_alyx_module.animals.weigh_all.round_row import RoundRow
    from pybpod_alyx_module.scale.reader import ScaleSettings

#: What is said where nobody is left to weigh.
ALL_WEIGHED: Final = "All listed animals are weighed"

#: How many characters its buttons need side by side.
_CHARACTERS: Final = 50

_NOTICE: Final = "background: #fff4d6; color: #402c00; padding: 4px;"


class AnimalPanel(QWidget):
    """Shows one animal of a round, and takes its weight.

    ``on_anyway``, ``on_back``: answers to a question.
    """

    def __init__(
        self, scale: ScaleSettings | None, on_anyway: Callable[[], object], on_back: Callable[[], object]
    ) -> None:
        super().__init__()
        self._row: RoundRow | None = None
        self.name = BigLabel(points=14)
        self.notice = plain_label()
        self.notice.setStyleSheet(_NOTICE)
        self.last = plain_label()
        self.weight = ScaleField(scale)
        font = self.weight.edit.font()
        font.setPointSize(font.pointSize() + 4)
        self.weight.edit.setFont(font)
        self.weight.edit.setMaximumWidth(170)
        self.weight.edit.setAccessibleName("Weight in grams")
        self.as_typed = plain_label()
        self.question = QuestionFrame(on_anyway, on_back)
        self.problem = plain_label()
        self.problem.setStyleSheet(f"color: {urgent_colour()}")
        #: What was recorded last, in the colour that it has on Alyx's pages.
        self.recorded = plain_label()
        self.record_button = _button("&Record (Enter)")
        self.skip_button = _button("&Skip (Down)")
        self.correct_button = _button("Correct the las&t one")
        buttons = QHBoxLayout()
        buttons.addWidget(self.record_button)
        buttons.addWidget(self.skip_button)
        buttons.addStretch(1)
        field = QHBoxLayout()
        label = QLabel("&Weight")
        label.setBuddy(self.weight.edit)
        field.addWidget(label)
        field.addWidget(self.weight, 1)
        last = QHBoxLayout()
        last.addWidget(self.correct_button)
        last.addStretch(1)
        body = QVBoxLayout()
        body.setContentsMargins(0, 0, 0, 0)
        for widget in (self.notice, self.last):
            body.addWidget(widget)
        body.addLayout(field)
        for widget in (self.as_typed, self.question, self.problem):
            body.addWidget(widget)
        body.addLayout(buttons)
        body.addSpacing(12)
        body.addWidget(self.recorded)
        body.addLayout(last)
        body.addStretch(1)
        column = QVBoxLayout(self)
        column.setContentsMargins(8, 0, 0, 0)
        column.addWidget(self.name)
        self._body = Scrolled(body)
        self._body.setMinimumWidth(self.fontMetrics().averageCharWidth() * _CHARACTERS)
        column.addWidget(self._body, 1)
        #: On a low screen a question may be below what is seen.
        self._soon = QTimer(self, singleShot=True, interval=0)
        self._soon.timeout.connect(self._on_shown)
        self.hide_recorded()
        self.clear_problem()
        self.weight.changed.connect(self._on_typed)

    def show_row(self, row: RoundRow | None, username: str) -> None:
        """Show what is known of an animal; None where all are weighed.

        ``username``: as whom is recorded.
        """
        if row is not self._row:
            self.clear_problem()
        self._row = row
        self.name.say(row.name if row is not None else ALL_WEIGHED)
        said = row.notices(username) if row is not None else ()
        self.notice.setText(_fitting("\n".join(said), row) if row is not None else "")
        self.notice.setVisible(bool(said))
        self.last.setText(row.last_sentence if row is not None else "Click on an animal to weigh it again.")
        for widget in (self.weight, self.record_button, self.skip_button):
            widget.setEnabled(row is not None)
        self._show_as_typed()

    @property
    def typed(self) -> str:
        """What a person typed; a reading of the scale is not lost, it comes again."""
        return "" if self.weight.is_from_scale else self.weight.edit.text().strip()

    @slot
    def _on_typed(self) -> None:
        self.clear_problem()
        self._show_as_typed()

    def _show_as_typed(self) -> None:
        judged, lines = None, tuple[str, ...]()
        if self._row is not None:
            with suppress(AlyxError):  # not all of it is typed yet
                typed = grams(self.weight.edit.text())
                judged, lines = self._row.judge(typed), self._row.judged_lines(typed)
        self.as_typed.setText("\n".join(f"As typed: {line}" for line in lines))
        light = judged is not None and judged.level in TOO_LIGHT
        self.as_typed.setStyleSheet(
            f"background: {COLOURS[judged.level]}; color: {LOW_TEXT}; padding: 4px;"
            if judged is not None and judged.level is not None and light
            else ""
        )

    def clear_problem(self) -> None:
        """Show no problem any more."""
        self.problem.clear()
        self.problem.hide()

    def show_problem(self, text: str) -> None:
        """Show what is wrong with what was typed, or what went wrong."""
        self.problem.setText(without_long_words(text))
        self.problem.show()

    def show_recorded(self, row: RoundRow, grams_: Decimal, more: str = "") -> None:
        """Show what was recorded last, and how it is judged.

        ``more``: what else there is to know of it.
        """
        judged = row.judge(grams_)
        today = row.weight_today
        light = row.too_light(grams_)
        head = f"{row.name}: {plain(grams_)} g{f' – {light}' if light else ''}"  # noqa: RUF001 - a dash is meant
        lines = [head, *row.judged_lines(grams_)]
        if row.record is not None and not row.record.compared:
            lines.append("Kept on this computer; sent once it has been compared with what Alyx says.")
        elif today is not None and today.item is not None:
            lines.append(state_sentence(today.item))
        lines += [more] if more else []
        self.recorded.setText(_fitting("\n".join(lines), row))
        level = judged.level if judged is not None else None
        colours = f"background: {COLOURS[level]}; color: {LOW_TEXT if light else '#202020'};" if level else ""
        self.recorded.setStyleSheet(f"{colours} padding: 6px;")
        self.recorded.show()
        self.correct_button.setText(f"Correct the las&t one, {short_name(row.name)} (F2)")
        self.correct_button.setEnabled(True)

    def hide_recorded(self) -> None:
        """Show nothing as recorded last."""
        self.recorded.hide()
        self.correct_button.setEnabled(False)

    def ask(self, row: RoundRow, sentences: tuple[str, ...]) -> None:
        """Ask whether the weight in the field is right; Enter corrects it."""
        self._hold(True)
        self.question.ask(_fitting("\n".join(sentences), row), "&Record all the same (R)", "C&orrect (Enter)")
        self._soon.start()

    def ask_before_closing(self, text: str) -> None:
        """Ask whether what was typed may be lost."""
        self._hold(True)
        self.question.ask(without_long_words(text), "Close &without recording", "&Go back")
        self._soon.start()

    @slot
    def _on_shown(self) -> None:
        self._body.ensureWidgetVisible(self.question)

    def end_question(self) -> None:
        """Go back to the field."""
        self.question.hide()
        self._hold(False)

    def _hold(self, held: bool) -> None:
        self.weight.hold(held)
        for button in (self.record_button, self.skip_button, self.correct_button):
            button.setVisible(not held)


def _fitting(text: str, row: RoundRow) -> str:
    # a very long nickname, which does not break into lines, stands above in full
    return without_long_words(text.replace(row.name, short_name(row.name)))


def _button(text: str) -> QPushButton:
    button = QPushButton(text)
    button.setAutoDefault(False)
    return button
