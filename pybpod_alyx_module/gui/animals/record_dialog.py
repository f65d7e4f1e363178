"""The dialog that records something of one animal: who, as whom, when, and what it asks before it records."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from AnyQt.QtCore import Qt
from AnyQt.QtWidgets import (
    QApplication,
    QDialog,
    QFormLayout,
    QFrame,
    QHBoxLayout,
    QLineEdit,
    QPushButton,
    QVBoxLayout,
    QWidget,
)

from alyx_connector.errors import AlyxError
from pybpod_alyx_module.animals.unsent import unsent_sentences
from pybpod_alyx_module.gui.animals.lab_time_field import LabTimeField
from pybpod_alyx_module.gui.animals.recorder import Recorder, state_sentence
from pybpod_alyx_module.gui.guard import override, slot
from pybpod_alyx_module.gui.messages import describe
from pybpod_alyx_module.gui.show_in_front import show_in_front
from pybpod_alyx_module.gui.widgets import BigLabel, plain_label
from pybpod_alyx_module.gui.words import without_long_words
from pybpod_alyx_module.outbox.items import State
from pybpod_alyx_module.read_settings import read_rig_settings

if TYPE_CHECKING:
    from collections.abc import Callable

    from AnyQt.QtGui import QKeyEvent

    from pybpod_alyx_module.animals.alyx_subject import AlyxSubject
    from pybpod_alyx_module.animals.overview import AnimalOverview
    from pybpod_alyx_module.gui.animals.recorder import Entry
    from pybpod_alyx_module.rig_settings import RigSettings

#: Why nothing can be recorded if Alyx could not be asked at all.
NOT_CONNECTED: Final = (
    "You are not connected to Alyx, so the record has no user. Right-click the project, choose Sync to Alyx, and "
    "connect."
)


class RecordDialog(QDialog):
    """Records one thing of one animal; does not block PyBpod. Subclasses give the fields."""

    #: Whether to ask Alyx for the types of water.
    with_water_types = False

    def __init__(self, alyx_subject: AlyxSubject, title: str = "Record", parent: QWidget | None = None) -> None:
        super().__init__(parent, Qt.Window)
        self.alyx_subject = alyx_subject
        #: Key of the PyBpod subject that it was opened for.
        self.subject_key = ""
        self.setAttribute(Qt.WA_DeleteOnClose)
        self.setWindowTitle(f"{title} – {alyx_subject.name}")  # noqa: RUF001 - a dash is meant
        self.resize(720, 430)  # fits on a screen of 1366 x 768
        self.settings: RigSettings = read_rig_settings()
        self.recorder = Recorder(alyx_subject, with_water_types=self.with_water_types)
        self._record_after_fetch = False
        self._entry: Entry | None = None
        self._closed = False
        self.user = BigLabel(f"at {alyx_subject.where}", points=4)
        self.animal = BigLabel(alyx_subject.name, points=8)
        self.notice = plain_label()
        self.notice.hide()
        self.time = LabTimeField()
        self.form = QFormLayout()
        self.facts = plain_label()
        self.problem = plain_label()
        self.problem.setStyleSheet("color: #a00000;")
        self.status = plain_label()
        self.record_button = self._button("&Record", self._on_record)
        self.again_button = self._button("&Ask Alyx again", self.ask_again)
        self.close_button = self._button("&Close", self.close)
        self._make_question()
        self._lay_out()
        self.time.changed.connect(self.show_facts)
        self.recorder.overview_arrived.connect(self._on_overview)
        self.recorder.fetch_failed.connect(self._show_problem)
        self.recorder.fetch_ended.connect(self._on_fetch_ended)
        self.recorder.unsent_changed.connect(self._on_unsent_changed)
        self.recorder.recorded.connect(self._on_recorded)
        self.recorder.not_recorded.connect(self._on_not_recorded)
        self.recorder.item_changed.connect(self._show_item)

    # What subclasses give ----------------------------------------------------------------------------------------

    def first_field(self) -> QWidget:
        """Return the field that is typed into first."""
        raise NotImplementedError

    def entry(self) -> Entry:
        """Return what was typed; a ConfigurationError says what is wrong with it."""
        raise NotImplementedError

    def concern_sentences(self, entry: Entry, overview: AnimalOverview) -> tuple[str, ...]:
        """Return a sentence for all that must be asked before it is recorded."""
        raise NotImplementedError

    def fact_lines(self) -> list[str]:
        """Return what Alyx says of the animal, and what follows from what was typed."""
        raise NotImplementedError

    def hold(self, held: bool) -> None:
        """Keep the fields as they are while a question is open."""
        self.time.setEnabled(not held)

    def show_overview(self, overview: AnimalOverview) -> None:
        """Show in the fields what Alyx said."""

    def typed_anything(self) -> bool:
        """Tell whether anything is in the fields."""
        raise NotImplementedError

    def end_typing(self) -> None:
        """Let go of what is needed for typing only."""

    # The window -------------------------------------------------------------------------------------------------

    @property
    def overview(self) -> AnimalOverview | None:
        """What Alyx and the outbox said last; None before."""
        return self.recorder.overview

    @property
    def is_recorded(self) -> bool:
        """Whether it has recorded what it is there for."""
        return self.recorder.item is not None

    def begin(self) -> None:
        """Show the window and ask Alyx."""
        show_in_front(self)
        self.first_field().setFocus()
        self.ask_again()

    @slot
    def ask_again(self) -> None:
        """Ask Alyx about the animal."""
        if not self.recorder.fetching and not self.is_recorded:
            self.again_button.hide()
            self.recorder.fetch()
            self._show_status()

    @slot
    def show_facts(self) -> None:
        """Show what Alyx says of the animal, and what follows from what was typed."""
        if not self.is_recorded:
            lines = [*self.fact_lines(), *unsent_sentences(self.overview.unsent if self.overview else ())]
            self.facts.setText("\n".join(lines))

    def subject_left(self, why: str) -> None:
        """Take note that the PyBpod subject is gone: what was typed is not lost, it is about the animal on Alyx."""
        if self.is_recorded or not self.typed_anything():
            self.close()
            return
        self.notice.setText(f"{why} What you typed can still be recorded for {self.alyx_subject.name} on Alyx.")
        self.notice.show()

    @override
    def done(self, result: int) -> None:
        """Close; a second call, as from two quick Escapes, does no harm."""
        if not self._closed:
            self._closed = True
            self.leave()
        super().done(result)

    @slot
    def leave(self) -> None:
        """Stop asking Alyx, once."""
        self.recorder.stop()

    @override
    def keyPressEvent(self, event: QKeyEvent) -> None:  # noqa: N802 - Qt's name
        """Enter goes on to the next button and sends nothing by itself; Escape closes."""
        if event.key() in (Qt.Key_Return, Qt.Key_Enter):
            focused = QApplication.focusWidget()
            if isinstance(focused, QPushButton) and focused.window() is self:
                focused.click()
            elif self.question.isVisible():
                self.correct_button.setFocus()
            elif self.record_button.isVisible():
                self.record_button.setFocus()
            event.accept()
            return
        super().keyPressEvent(event)

    # What Alyx says ---------------------------------------------------------------------------------------------

    @slot
    def _on_overview(self) -> None:
        overview, animal = self.overview, self.alyx_subject
        if overview is None:
            return
        self.user.say(f"as {overview.username} at {animal.where}" if overview.username else f"at {animal.where}")
        if overview.state.found and overview.state.name != animal.name:
            self.animal.say(f"{animal.name} (on Alyx: {overview.state.name})")
        self.time.set_zone(overview.state.lab_zone)
        self.show_overview(overview)

    @slot
    def _show_problem(self, error: BaseException) -> None:
        self.problem.setText(describe(error).text)

    @slot
    def _on_fetch_ended(self) -> None:
        overview = self.overview
        self.again_button.setVisible(not self.is_recorded and (overview is None or bool(overview.not_checked)))
        self._show_status()
        self.show_facts()
        if self._record_after_fetch:
            self._record_after_fetch = False
            self._on_record()

    @slot
    def _on_unsent_changed(self) -> None:
        if not self.question.isVisible():
            self.ask_again()

    def _show_status(self) -> None:
        if self.is_recorded:
            return
        animal, overview = self.alyx_subject, self.overview
        if self.recorder.fetching:
            waits = "It will be recorded as soon as the check is finished. " if self._record_after_fetch else ""
            self.status.setText(f"{waits}Asking {animal.where} about {animal.name}…")
            return
        lines = []
        if overview is not None:
            lines = list(overview.not_checked)
            if overview.state.found is False:
                lines = lines[:1]
            if lines and overview.username:
                lines.append("You can record it all the same: it is kept on this computer and sent later.")
            if overview.outbox_problem:
                lines.append(overview.outbox_problem)
        self.status.setText("\n".join(lines))

    # Recording --------------------------------------------------------------------------------------------------

    @slot
    def _on_record(self) -> None:
        if self.recorder.writing or self.is_recorded or self.question.isVisible():
            return
        self.problem.clear()
        try:
            entry = self.entry()
        except AlyxError as error:
            self._record_after_fetch = False
            self.problem.setText(str(error))
            self._show_status()
            self.first_field().setFocus()
            return
        if self.recorder.fetching:
            self._record_after_fetch = True
            self._show_status()
            return
        overview = self.overview
        if overview is None or not overview.username:
            self.problem.setText("; ".join(overview.not_checked) if overview else NOT_CONNECTED)
            return
        sentences = self.concern_sentences(entry, overview)
        if sentences:
            self._ask(entry, sentences)
        else:
            self._record(entry, overview.username)

    def _ask(self, entry: Entry, sentences: tuple[str, ...]) -> None:
        self._entry = entry
        self.hold(True)
        self.record_button.hide()
        self.concerns.setText(without_long_words("\n".join(sentences)))
        self.anyway_button.setText(f"Record {entry.what} for {_short(self.alyx_subject.name)}")
        self.question.show()
        self.correct_button.setFocus()

    @property
    def questioned_entry(self) -> Entry | None:
        """What a question is open about."""
        return self._entry if self.question.isVisible() else None

    @slot
    def _on_correct(self) -> None:
        self.question.hide()
        self.record_button.show()
        self.hold(False)
        field = self.first_field()
        field.setFocus()
        if isinstance(field, QLineEdit):
            field.selectAll()

    @slot
    def _on_anyway(self) -> None:
        if self._entry is not None and self.overview is not None and not self.recorder.writing:
            self._record(self._entry, self.overview.username)

    def _record(self, entry: Entry, username: str) -> None:
        self._entry = entry
        self.hold(True)
        self._enable_buttons(False)
        self.recorder.record(entry, username)

    def _enable_buttons(self, enabled: bool) -> None:
        for button in (self.record_button, self.anyway_button, self.correct_button):
            button.setEnabled(enabled)

    @slot
    def _on_recorded(self) -> None:
        for widget in (self.question, self.record_button, self.again_button):
            widget.hide()
        self.facts.clear()
        self.problem.clear()
        font = self.status.font()
        font.setBold(True)
        self.status.setFont(font)
        self._show_item()
        self.close_button.setFocus()
        self.end_typing()

    @slot
    def _on_not_recorded(self, error: BaseException) -> None:
        self._enable_buttons(True)
        self._show_problem(error)
        self._on_correct()

    @slot
    def _show_item(self) -> None:
        item = self.recorder.item
        if item is None:
            return
        what = self._entry.what if self._entry is not None else ""
        when = str(item.values["date_time"])[:16].replace("T", " ")
        lines = [f"{what} for {self.alyx_subject.name}, {when} lab time.", state_sentence(item)]
        if item.state is not State.SENT and item.reason:
            lines.append(" ".join(part for part in (item.reason, item.hint) if part))
        self.status.setText("\n".join(lines))

    # Layout -----------------------------------------------------------------------------------------------------

    def _button(self, text: str, pressed: Callable[..., Any]) -> QPushButton:
        button = QPushButton(text)
        button.setAutoDefault(False)
        button.clicked.connect(pressed)
        return button

    def _make_question(self) -> None:
        self.question = QFrame()
        self.question.setObjectName("question")
        self.question.setStyleSheet("#question { background: #fff4d6; } #question QLabel { color: #402c00; }")
        self.concerns = plain_label()
        self.anyway_button = self._button("", self._on_anyway)
        self.correct_button = self._button("&Correct", self._on_correct)
        row = QHBoxLayout()
        row.addStretch(1)
        row.addWidget(self.anyway_button)
        row.addWidget(self.correct_button)
        column = QVBoxLayout(self.question)
        column.addWidget(self.concerns)
        column.addLayout(row)
        self.question.hide()

    def _lay_out(self) -> None:
        buttons = QHBoxLayout()
        buttons.addWidget(self.again_button)
        buttons.addStretch(1)
        buttons.addWidget(self.record_button)
        buttons.addWidget(self.close_button)
        column = QVBoxLayout(self)
        for widget in (self.animal, self.user, self.notice):
            column.addWidget(widget)
        column.addLayout(self.form)
        column.addWidget(self.facts)
        column.addStretch(1)
        for widget in (self.question, self.problem, self.status):
            column.addWidget(widget)
        column.addLayout(buttons)
        self.again_button.hide()


def _short(name: str) -> str:
    # so that the button stays readable; the whole name is above in large type
    return name if len(name) <= 24 else f"{name[:12]}…{name[-10:]}"
