"""The dialog that records something of one animal: who, as whom, when, and what it asks before it records."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from AnyQt.QtCore import Qt
from AnyQt.QtWidgets import (
    QDialog,
    QLineEdit,
    QWidget,
)

from alyx_connector.errors import AlyxError
from pybpod_alyx_module.errors import OutboxError
from pybpod_alyx_module.gui.animals.animal_dialog import AnimalDialog
from pybpod_alyx_module.gui.animals.recorder import state_sentence
from pybpod_alyx_module.gui.guard import override, show_error, slot
from pybpod_alyx_module.gui.show_in_front import show_in_front
from pybpod_alyx_module.gui.windows import press_focused
from pybpod_alyx_module.gui.words import short_name, without_long_words
from pybpod_alyx_module.outbox.drafts import HELD_HINT
from pybpod_alyx_module.outbox.items import State
from pybpod_alyx_module.outbox.words import describe as describe_item
from pybpod_alyx_module.outbox.words import is_computer_time, why

if TYPE_CHECKING:
    from collections.abc import Callable

    from AnyQt.QtGui import QCloseEvent, QKeyEvent

    from pybpod_alyx_module.animals.alyx_subject import AlyxSubject
    from pybpod_alyx_module.animals.overview import AnimalOverview
    from pybpod_alyx_module.gui.animals.recorder import Entry

#: Why a record waits in the outbox whose animal Alyx is still asked about.
NOT_COMPARED: Final = "It has not been compared with what Alyx says of the animal."

#: Why nothing can be recorded if Alyx could not be asked at all.
NOT_CONNECTED: Final = (
    "You are not connected to Alyx, so the record has no user. Right-click the project, choose Sync to Alyx, and "
    "connect."
)


class RecordDialog(AnimalDialog):
    """Records one thing of one animal.

    What *Record* was pressed for is in the outbox before anything else is asked: held there where there is something to
    ask, or where Alyx is still being asked about the animal.
    """

    def __init__(self, alyx_subject: AlyxSubject, title: str = "Record", parent: QWidget | None = None) -> None:
        super().__init__(alyx_subject, title, parent)
        self._entry: Entry | None = None
        #: What is done once nothing of the record is held any more; None for nothing.
        self._then: Callable[[], object] | None = None
        self._closing = self._closed = False
        self.recorder.fetch_ended.connect(self._on_fetch_ended)
        self.recorder.recorded.connect(self._on_recorded)
        self.recorder.was_held.connect(self._go_on)
        self.recorder.taken_back.connect(self._on_taken_back)
        self.recorder.not_recorded.connect(self._on_not_recorded)
        self.recorder.item_changed.connect(self._show_item)

    # What subclasses give ----------------------------------------------------------------------------------------

    def entry(self) -> Entry:
        """Return what was typed; a ConfigurationError says what is wrong with it."""
        raise NotImplementedError

    def concern_sentences(self, entry: Entry, overview: AnimalOverview) -> tuple[str, ...]:
        """Return a sentence for all that must be asked before it is recorded."""
        raise NotImplementedError

    def asked_sentences(self, sentences: tuple[str, ...]) -> tuple[str, ...]:
        """Return what the question says of these sentences."""
        return sentences

    # The window -------------------------------------------------------------------------------------------------

    @property
    def unrecorded(self) -> str:
        """What was typed and not recorded, for people; empty if nothing was."""
        return f"what you typed for {self.alyx_subject.name}" if self._is_typed_only else ""

    @property
    def _is_typed_only(self) -> bool:
        is_kept = self.is_recorded or self.recorder.held is not None or self._entry is not None
        return not self._closed and not is_kept and self.typed_anything()

    def subject_left(self, why: str) -> None:
        """Take note that the PyBpod subject is gone: what was typed is not lost, it is about the animal on Alyx."""
        if not self._is_typed_only and self.recorder.held is None:
            self.close()
            return
        self.notice.setText(f"{why} What you typed can still be recorded for {self.alyx_subject.name} on Alyx.")
        self.notice.show()

    @override
    def reject(self) -> None:
        """Go back from a question to the fields; without one, close."""
        if self._closing:
            super().reject()
        elif self.question.isVisible():
            self.go_back()
        else:
            self.close()

    @override
    def closeEvent(self, event: QCloseEvent) -> None:  # noqa: N802 - Qt's name
        """Close; what was typed and not recorded is asked about once, and what is being compared goes on unseen."""
        if self._is_typed_only and not self._closing:
            if not self.question.isVisible():  # a second click on Close is no answer
                self._ask_before_closing()
            event.ignore()
        elif self._compares and not self._closed:
            self.hide()
            event.ignore()
        else:
            held = None if self.recorder.writing else self.recorder.held  # it is being taken back, or sent
            self._closing = True  # Qt closes a dialog by rejecting it
            super().closeEvent(event)
            if held is not None:
                show_error(OutboxError(f"{describe_item(held)} has not been sent. {held.reason}", hint=HELD_HINT))

    @override
    def done(self, result: int) -> None:
        """End; a second call does no harm."""
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
        """Enter presses the button that has the keyboard, else it records; Escape goes back or closes."""
        if event.key() in (Qt.Key_Return, Qt.Key_Enter):
            if not press_focused(self):
                self._press_next()
            event.accept()
            return
        super().keyPressEvent(event)

    def _press_next(self) -> None:
        if self.question.isVisible():
            self.question.back_button.setFocus()
        elif self.record_button.isVisible():
            self.record_button.click()

    # What Alyx says ---------------------------------------------------------------------------------------------

    @slot
    def _on_fetch_ended(self) -> None:
        overview = self.overview
        self.again_button.setVisible(not self.is_recorded and (overview is None or bool(overview.not_checked)))
        self.show_status()
        self.show_facts()
        self._go_on()

    # Recording --------------------------------------------------------------------------------------------------

    @slot
    def record(self) -> None:
        """Record what was typed; see `RecordDialog`."""
        if self.is_recorded or self.question.isVisible() or self._compares:
            return
        self.problem.clear()
        if self.recorder.held is not None:  # what is corrected now, and not taken back yet
            self._then = self.record
            if not self.recorder.writing:
                self.recorder.take_back()
            return
        try:
            entry = self.entry()
        except AlyxError as error:
            self.problem.setText(str(error))
            self.show_status()
            self.first_field().setFocus()
            return
        overview = self.overview
        if self.recorder.fetching:
            self._hold(entry, NOT_COMPARED)
        elif overview is None or not overview.username:
            self.problem.setText("; ".join(overview.not_checked) if overview else NOT_CONNECTED)
        elif sentences := self.concern_sentences(entry, overview):
            self._hold(entry, " ".join(sentences))
        else:
            self._record(entry, overview.username)

    def _hold(self, entry: Entry, why: str) -> None:
        self._entry = entry
        self.hold(True)
        self._enable_buttons(False)
        self.recorder.hold(entry, why)
        self.show_status()

    @property
    def _compares(self) -> bool:
        # Whether Record was pressed, and it is not decided yet whether there is anything to ask.
        return self._entry is not None and not self.is_recorded and not self.question.isVisible()

    @slot
    def _go_on(self) -> None:
        entry, overview, held = self._entry, self.overview, self.recorder.held
        if entry is None or held is None or self.recorder.fetching or self.recorder.writing or self._closed:
            self.show_status()
            return
        if self.question.isVisible():
            return
        sentences = self.concern_sentences(entry, overview) if overview is not None else ()
        if not sentences:
            self.recorder.send()
            return
        self._ask(entry, sentences)
        if held.reason == NOT_COMPARED:
            self.recorder.hold_because(" ".join(sentences))

    def _ask(self, entry: Entry, sentences: tuple[str, ...]) -> None:
        self._show_question(
            without_long_words("\n".join(self.asked_sentences(sentences))),
            f"Record {entry.what} for {short_name(self.alyx_subject.name)}",
            "&Correct",
        )
        if not self.isVisible():
            show_in_front(self)

    def _ask_before_closing(self) -> None:
        self._show_question(
            f"What you typed for {self.alyx_subject.name} has not been recorded.", "Close without recording", "&Go back"
        )

    def _show_question(self, text: str, anyway: str, back: str) -> None:
        self.hold(True)
        self.record_button.hide()
        self._enable_buttons(True)
        self.question.ask(text, anyway, back)

    @property
    def questioned_entry(self) -> Entry | None:
        """The record that a question is open about."""
        return self._entry if self.question.isVisible() else None

    @slot
    def go_back(self) -> None:
        """Take back what is held, and correct it."""
        self.recorder.take_back()
        self._show_fields()

    def _show_fields(self) -> None:
        self._entry = None
        self.question.hide()
        self.record_button.show()
        self.hold(False)
        field = self.first_field()
        field.setFocus()
        if isinstance(field, QLineEdit):
            field.selectAll()

    @slot
    def go_ahead(self) -> None:
        """Send what is held; or close, where that was the question."""
        if self._entry is None:
            self._closing = True  # what was typed was asked about
            self.close()
        else:
            self._enable_buttons(False)
            self.recorder.send()

    @slot
    def _on_taken_back(self) -> None:
        if self.question.isVisible() and self._entry is not None:  # discarded in the outbox window
            self.go_back()
        then, self._then = self._then, None
        if then is not None:
            then()

    def _record(self, entry: Entry, username: str) -> None:
        self._entry = entry
        self.hold(True)
        self._enable_buttons(False)
        self.recorder.record(entry, username)

    def _enable_buttons(self, enabled: bool) -> None:
        for button in (self.record_button, self.question.anyway_button, self.question.back_button):
            button.setEnabled(enabled)

    @slot
    def _on_recorded(self) -> None:
        if not self.isVisible():  # closed while it was compared
            self.done(QDialog.Accepted)
            return
        for widget in (self.question, self.record_button, self.again_button, self.log_in_button):
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
        self._then = None
        self._enable_buttons(True)
        self.show_problem(error)
        self._show_fields()
        if not self.isVisible():
            show_in_front(self)

    @slot
    def _show_item(self) -> None:
        item = self.recorder.item
        if item is None:
            return
        self.user.say(f"as {item.username} at {self.alyx_subject.where}")
        what = self._entry.what if self._entry is not None else ""
        when = str(item.values["date_time"])[:16].replace("T", " ")
        clock = "this computer's time" if is_computer_time(item) else "lab time"
        lines = [f"{what} for {self.alyx_subject.name}, {when} {clock}.", state_sentence(item)]
        if item.state is not State.SENT and why(item):
            lines.append(why(item))
        self.status.setText("\n".join(lines))

    # Layout -----------------------------------------------------------------------------------------------------
