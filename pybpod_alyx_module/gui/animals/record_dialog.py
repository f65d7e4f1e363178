"""What the dialogs have in common that record something of one animal: who, as whom, when, and what is asked before."""

from __future__ import annotations

from dataclasses import dataclass
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
from pybpod_alyx_module.animals.ask_alyx import Asked, asking, unsent_of
from pybpod_alyx_module.animals.unsent import unsent_sentences
from pybpod_alyx_module.config import read_rig_settings
from pybpod_alyx_module.gui.animals.lab_time_field import LabTimeField
from pybpod_alyx_module.gui.guard import slot
from pybpod_alyx_module.gui.messages import describe
from pybpod_alyx_module.gui.running_outbox import running_outbox
from pybpod_alyx_module.gui.show_in_front import show_in_front
from pybpod_alyx_module.gui.task import Task
from pybpod_alyx_module.gui.widgets import BigLabel, plain_label
from pybpod_alyx_module.gui.words import without_long_words
from pybpod_alyx_module.outbox.items import Draft, State

if TYPE_CHECKING:
    from collections.abc import Callable

    from AnyQt.QtGui import QKeyEvent

    from pybpod_alyx_module.animals.alyx_subject import Target
    from pybpod_alyx_module.outbox.items import Item, Kind
    from pybpod_alyx_module.rig_settings import RigSettings

#: How long Alyx has to say what it knows of the animal, in seconds; one can type meanwhile.
DEADLINE_S: Final = 10.0

#: What is said of an item once it is durable, by its state.
TOLD: Final = {
    State.WAITING: "Kept on this computer; it is being sent.",
    State.SENDING: "Kept on this computer; it is being sent.",
    State.UNSURE: "Kept on this computer; whether it arrived is being looked up.",
    State.SENT: "It is on Alyx.",
    State.PARKED: "Kept on this computer, but it could not be sent: see Alyx outbox.",
    State.DISCARDED: "It was discarded in Alyx outbox.",
}


@dataclass(frozen=True)
class Entry:
    """What was typed, checked."""

    kind: Kind
    values: dict[str, Any]
    #: What it is, for people: ``24.5 g``.
    what: str


class RecordDialog(QDialog):
    """Records one thing of one animal; does not block PyBpod. Subclasses give the fields."""

    #: Whether the types of water are asked for.
    asks_water_types = False

    def __init__(self, target: Target, title: str = "Record", parent: QWidget | None = None) -> None:
        super().__init__(parent, Qt.Window)
        self.target = target
        #: Key of the PyBpod subject that it was opened for.
        self.subject_key = ""
        self.setAttribute(Qt.WA_DeleteOnClose)
        self.setWindowTitle(f"{title} – {target.name}")  # noqa: RUF001 - a dash is meant
        self.resize(720, 430)  # fits on a screen of 1366 x 768
        self.settings: RigSettings = read_rig_settings()
        self.running = running_outbox()
        self.asked: Asked | None = None
        self._asking: Task | None = None
        self._writing: Task | None = None
        self._looking: Task | None = None
        self._wanted = False
        self._entry: Entry | None = None
        self._item: Item | None = None
        self._left = False
        self.user = BigLabel(f"at {target.where}", points=4)
        self.animal = BigLabel(target.name, points=8)
        self.notice = plain_label()
        self.notice.hide()
        self.time = LabTimeField()
        self.form = QFormLayout()
        self.facts = plain_label()
        self.told = plain_label()
        self.told.setStyleSheet("color: #a00000;")
        self.status = plain_label()
        self.record_button = self._button("&Record", self._on_record)
        self.again_button = self._button("&Ask Alyx again", self.ask_again)
        self.close_button = self._button("&Close", self.close)
        self._make_question()
        self._lay_out()
        self.time.changed.connect(self.show_facts)
        self.running.changed.connect(self._on_outbox)

    # What subclasses give ----------------------------------------------------------------------------------------

    def first_field(self) -> QWidget:
        """Return the field that is typed into first."""
        raise NotImplementedError

    def entry(self) -> Entry:
        """Return what was typed; a ConfigurationError says what is wrong with it."""
        raise NotImplementedError

    def speaks_against(self, entry: Entry) -> tuple[str, ...]:
        """Return a sentence for all that must be asked before it is recorded."""
        raise NotImplementedError

    def fact_lines(self) -> list[str]:
        """Return what is known and what follows from what was typed."""
        raise NotImplementedError

    def hold(self, held: bool) -> None:
        """Keep the fields as they are while a question is open."""
        self.time.setEnabled(not held)

    def arrived(self) -> None:
        """Take up what Alyx said."""

    def typed_anything(self) -> bool:
        """Tell whether something stands in the fields."""
        raise NotImplementedError

    @property
    def is_recorded(self) -> bool:
        """Whether it has recorded what it is there for."""
        return self._item is not None

    # The window -------------------------------------------------------------------------------------------------

    def begin(self) -> None:
        """Show the window and ask Alyx."""
        show_in_front(self)
        self.first_field().setFocus()
        self.ask_again()

    @slot
    def ask_again(self) -> None:
        """Ask Alyx what it knows of the animal."""
        if self._asking is not None or self._item is not None:
            return
        self.again_button.hide()
        task = Task(
            asking(self.running, self.target, deadline_s=DEADLINE_S, water_types=self.asks_water_types),
            "alyx-animal",
        )
        self._asking = task
        task.succeeded.connect(self._on_asked)
        task.failed.connect(self._on_not_asked)
        task.finished.connect(self._on_asked_at_all)
        task.start()
        self._show_status()

    @slot
    def show_facts(self) -> None:
        """Show what is known, and what follows from what was typed."""
        if self._item is None:
            lines = [*self.fact_lines(), *unsent_sentences(self.asked.unsent if self.asked else ())]
            self.facts.setText("\n".join(lines))

    def subject_left(self, why: str) -> None:
        """Take note that the PyBpod subject is gone: nothing typed is lost, it is of the animal on Alyx."""
        if self._item is not None or not self.typed_anything():
            self.close()
            return
        self.notice.setText(f"{why} What you typed can still be recorded for {self.target.name} on Alyx.")
        self.notice.show()

    @slot
    def done(self, result: int) -> None:
        """Close, also when asked twice, as by two quick Escapes."""
        if not self._left:
            self._left = True
            self.leave()
        super().done(result)

    @slot
    def leave(self) -> None:
        """Give up what is being asked, once; what is being kept is kept."""
        for task in (self._asking, self._looking):
            if task is not None:
                task.cancel()
        self.running.changed.disconnect(self._on_outbox)

    @slot
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

    # Asking -----------------------------------------------------------------------------------------------------

    @slot
    def _on_asked(self, asked: Asked) -> None:
        self.asked = asked
        self.user.say(f"as {asked.username} at {self.target.where}" if asked.username else f"at {self.target.where}")
        if asked.state.found and asked.state.name != self.target.name:
            self.animal.say(f"{self.target.name} (on Alyx: {asked.state.name})")
        self.time.set_zone(asked.state.lab_zone)
        self.arrived()

    @slot
    def _on_not_asked(self, error: BaseException) -> None:
        self.told.setText(describe(error).text)

    @slot
    def _on_asked_at_all(self) -> None:
        self._asking = None
        self.again_button.setVisible(self._item is None and (self.asked is None or bool(self.asked.not_checked)))
        self._show_status()
        self.show_facts()
        if self._wanted:
            self._wanted = False
            self._on_record()

    def _show_status(self) -> None:
        if self._item is not None:
            return
        if self._asking is not None:
            waits = "It is recorded as soon as it was compared. " if self._wanted else ""
            self.status.setText(f"{waits}Asking {self.target.where} about {self.target.name}…")
            return
        lines = []
        if self.asked is not None:
            lines = list(self.asked.not_checked)
            if self.asked.state.found is False:
                lines = lines[:1]
            if lines and self.asked.username:
                lines.append("It can be recorded all the same: it is kept on this computer and sent later.")
            if self.asked.outbox_problem:
                lines.append(self.asked.outbox_problem)
        self.status.setText("\n".join(lines))

    # Recording --------------------------------------------------------------------------------------------------

    @slot
    def _on_record(self) -> None:
        if self._writing is not None or self._item is not None or self.question.isVisible():
            return
        self.told.clear()
        try:
            entry = self.entry()
        except AlyxError as error:
            self._wanted = False
            self.told.setText(str(error))
            self._show_status()
            self.first_field().setFocus()
            return
        if self._asking is not None:
            self._wanted = True
            self._show_status()
            return
        if self.asked is None or not self.asked.username:
            self.told.setText(
                "; ".join(self.asked.not_checked) if self.asked else "It is not known who you are on Alyx."
            )
            return
        sentences = self.speaks_against(entry)
        if sentences:
            self._ask(entry, sentences)
        else:
            self._put(entry)

    def _ask(self, entry: Entry, sentences: tuple[str, ...]) -> None:
        self._entry = entry
        self.hold(True)
        self.record_button.hide()
        self.reasons.setText(without_long_words("\n".join(sentences)))
        self.anyway_button.setText(f"Record {entry.what} for {_short(self.target.name)}")
        self.question.show()
        self.correct_button.setFocus()

    @property
    def asked_about(self) -> Entry | None:
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
        entry = self._entry
        if entry is not None and self._writing is None:
            self._put(entry)

    def _put(self, entry: Entry) -> None:
        assert self.asked is not None  # noqa: S101 - who records is known by then
        draft = Draft(
            kind=entry.kind,
            server=self.target.server,
            username=self.asked.username,
            subject_id=self.target.subject_id,
            subject_name=self.target.name,
            values=entry.values,
        )
        self._entry = entry
        self.hold(True)
        for button in (self.record_button, self.anyway_button, self.correct_button):
            button.setEnabled(False)
        task = self.running.add(draft)
        self._writing = task
        task.succeeded.connect(self._on_kept)
        task.failed.connect(self._on_not_kept)
        task.start()

    @slot
    def _on_kept(self, items: tuple[Item, ...]) -> None:
        self._writing = None
        self.question.hide()
        self.record_button.hide()
        self.again_button.hide()
        self.facts.clear()
        self.told.clear()
        font = self.status.font()
        font.setBold(True)
        self.status.setFont(font)
        self._show_item(items[0])
        self.close_button.setFocus()
        self.finished_recording()

    def finished_recording(self) -> None:
        """Let go of what is needed for typing only."""

    @slot
    def _on_not_kept(self, error: BaseException) -> None:
        self._writing = None
        for button in (self.record_button, self.anyway_button, self.correct_button):
            button.setEnabled(True)
        self.told.setText(describe(error).text)
        self._on_correct()

    @slot
    def _on_outbox(self) -> None:
        if self._looking is not None:
            return
        item, target = self._item, self.target
        look: Callable[..., Any] = (
            (lambda outbox: unsent_of(outbox, target)) if item is None else (lambda outbox: outbox.item(item.key))
        )
        task = self.running.read(look)
        self._looking = task
        task.succeeded.connect(self._on_item_now if item is not None else self._on_unsent_now)
        task.finished.connect(self._on_looked)
        task.start()

    @slot
    def _on_looked(self) -> None:
        self._looking = None

    @slot
    def _on_item_now(self, item: Item) -> None:
        self._show_item(item)

    @slot
    def _on_unsent_now(self, unsent: tuple[Item, ...]) -> None:
        if self.asked is not None and unsent != self.asked.unsent and not self.question.isVisible():
            self.ask_again()

    def _show_item(self, item: Item) -> None:
        self._item = item
        what = self._entry.what if self._entry is not None else ""
        when = str(item.values["date_time"])[:16].replace("T", " ")
        lines = [f"{what} for {self.target.name}, {when} lab time.", TOLD[item.state]]
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
        self.reasons = plain_label()
        self.anyway_button = self._button("", self._on_anyway)
        self.correct_button = self._button("&Correct", self._on_correct)
        row = QHBoxLayout()
        row.addStretch(1)
        row.addWidget(self.anyway_button)
        row.addWidget(self.correct_button)
        column = QVBoxLayout(self.question)
        column.addWidget(self.reasons)
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
        for widget in (self.question, self.told, self.status):
            column.addWidget(widget)
        column.addLayout(buttons)
        self.again_button.hide()


def _short(name: str) -> str:
    # a button stays readable; the whole name stands above in large type
    return name if len(name) <= 24 else f"{name[:12]}…{name[-10:]}"
