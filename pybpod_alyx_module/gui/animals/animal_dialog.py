"""The window about one animal: who it is, as whom one writes about it, what Alyx says of it, and the fields."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

from AnyQt.QtCore import QEvent, Qt
from AnyQt.QtWidgets import QDialog, QFormLayout, QHBoxLayout, QPushButton, QVBoxLayout, QWidget

from alyx_connector.zones.lab_zones import last_zone
from pybpod_alyx_module.animals.unsent import unsent_sentences
from pybpod_alyx_module.gui.animals.lab_time_field import LabTimeField
from pybpod_alyx_module.gui.animals.recorder import Recorder
from pybpod_alyx_module.gui.guard import override, slot
from pybpod_alyx_module.gui.messages import describe
from pybpod_alyx_module.gui.question_frame import QuestionFrame
from pybpod_alyx_module.gui.running_outbox import running_outbox
from pybpod_alyx_module.gui.show_in_front import show_in_front
from pybpod_alyx_module.gui.sync.log_in_dialog import ask_to_log_in
from pybpod_alyx_module.gui.sync.project_login import record_as
from pybpod_alyx_module.gui.widgets import BigLabel, Scrolled, plain_label
from pybpod_alyx_module.gui.windows import FOCUS_STYLE, resize_to_screen, urgent_colour
from pybpod_alyx_module.host.alyx_user import alyx_user
from pybpod_alyx_module.read_settings import read_rig_settings

if TYPE_CHECKING:
    from collections.abc import Callable

    from pybpod_alyx_module.animals.alyx_subject import AlyxSubject
    from pybpod_alyx_module.animals.overview import AnimalOverview
    from pybpod_alyx_module.host.pybpod_objects import Project
    from pybpod_alyx_module.rig_settings import RigSettings


class AnimalDialog(QDialog):
    """Asks Alyx about one animal, beside the fields that subclasses give; does not block PyBpod."""

    #: Whether to ask Alyx for the types of water.
    with_water_types = False

    def __init__(self, alyx_subject: AlyxSubject, title: str, parent: QWidget | None = None) -> None:
        super().__init__(parent, Qt.Window)
        self.alyx_subject = alyx_subject
        #: Key of the PyBpod subject that it was opened for.
        self.subject_key = ""
        #: The PyBpod project that it was opened in.
        self.project: Project | None = None
        self.setAttribute(Qt.WA_DeleteOnClose)
        self.setStyleSheet(FOCUS_STYLE)
        self.setWindowTitle(f"{title} – {alyx_subject.name}")  # noqa: RUF001 - a dash is meant
        resize_to_screen(self, 720, 430)
        self.settings: RigSettings = read_rig_settings()
        self.recorder = Recorder(alyx_subject, with_water_types=self.with_water_types)
        self.user = BigLabel(f"at {alyx_subject.where}", points=4)
        self.log_in_button = self._button("&Log in as …", self._on_log_in)
        self.animal = BigLabel(alyx_subject.name, points=8)
        self.handling = plain_label()
        self.handling.setStyleSheet("background: #fff4d6; color: #402c00; padding: 4px;")
        self.handling.hide()
        self.notice = plain_label()
        self.notice.hide()
        self.time = LabTimeField()
        self.time.set_zone(last_zone(alyx_subject.server, alyx_subject.lab))
        self.form = QFormLayout()
        self.facts = plain_label()
        self.problem = plain_label()
        self.problem.setStyleSheet(f"color: {urgent_colour()}")
        self.status = plain_label()
        self.record_button = self._button("&Record", self.record)
        self.again_button = self._button("&Ask Alyx again", self.ask_again)
        self.close_button = self._button("&Close", self.close)
        self.question = QuestionFrame(self.go_ahead, self.go_back)
        self._lay_out()
        self.time.changed.connect(self.show_facts)
        self.recorder.overview_arrived.connect(self._on_overview)
        self.recorder.fetch_failed.connect(self.show_problem)
        self.recorder.unsent_changed.connect(self._on_unsent_changed)
        running_outbox().users_changed.connect(self._on_users_changed)

    # What subclasses give ----------------------------------------------------------------------------------------

    def first_field(self) -> QWidget:
        """Return the field that is typed into first."""
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

    def record(self) -> None:
        """Record what was typed."""
        raise NotImplementedError

    def go_ahead(self) -> None:
        """Do what a question was asked about."""
        raise NotImplementedError

    def go_back(self) -> None:
        """Go back from a question to the fields."""
        raise NotImplementedError

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
            self.show_status()

    @slot
    def show_facts(self) -> None:
        """Show what Alyx says of the animal, and what follows from what was typed."""
        if not self.is_recorded:
            lines = [*self.fact_lines(), *unsent_sentences(self.overview.unsent if self.overview else ())]
            self.facts.setText("\n".join(lines))

    @slot
    def _on_overview(self) -> None:
        overview, animal = self.overview, self.alyx_subject
        if overview is None:
            return
        who = f"as {overview.username} " if overview.username and not overview.asks_who else ""
        self.user.say(f"{who}at {animal.where}{'; you are asked who you are' if overview.asks_who else ''}")
        self.handling.setText(overview.handling_sentence)
        self.handling.setVisible(bool(overview.handling_sentence))
        if overview.state.found and overview.state.name != animal.name:
            self.animal.say(f"{animal.name} (on Alyx: {overview.state.name})")
        self.time.set_zone(overview.state.lab_zone)
        if overview.day_note:
            self.notice.setText(overview.day_note)
            self.notice.show()
        self.show_overview(overview)

    @slot
    def _on_log_in(self) -> None:
        why = f"From then on you record: {self.alyx_subject.name}, and whatever else is recorded in this project."
        ask_to_log_in(self.alyx_subject.server, why, self._on_logged_in, parent=self)

    @slot
    def _on_logged_in(self, username: str) -> None:
        if self.project is not None and not self.project.is_closed:
            record_as(self.project, self.alyx_subject.server, username)
        else:
            running_outbox().claim(self.alyx_subject.server, username)

    @slot
    def _on_users_changed(self) -> None:
        # what Record was pressed for stays that user's who pressed it
        if self.is_recorded or self.recorder.held is not None or self.recorder.writing:
            return
        if self.project is not None:
            self.alyx_subject = replace(self.alyx_subject, alyx_user=alyx_user(self.project))
        self.recorder.animal = self.alyx_subject
        self.recorder.fetch()
        self.show_status()

    @slot
    def show_problem(self, error: BaseException) -> None:
        """Show what went wrong."""
        self.problem.setText(describe(error).text)

    @slot
    def _on_unsent_changed(self) -> None:
        if not self.question.isVisible():
            self.ask_again()

    def show_status(self) -> None:
        """Show what is going on, and what could not be checked."""
        if self.is_recorded:
            return
        animal, overview = self.alyx_subject, self.overview
        if self.recorder.fetching:
            waits = "It is kept on this computer, and sent once it has been compared. " if self.recorder.held else ""
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

    def _button(self, text: str, pressed: Callable[..., Any]) -> QPushButton:
        button = QPushButton(text)
        button.setAutoDefault(False)
        button.clicked.connect(pressed)
        return button

    @override
    def event(self, event: QEvent) -> bool:
        """Grow with what is in the window, as far as the screen goes."""
        handled = bool(super().event(event))
        if event.type() == QEvent.LayoutRequest and self.body.lacking > 0:
            resize_to_screen(self, self.width(), self.height() + self.body.lacking)
        return handled

    def _lay_out(self) -> None:
        buttons = QHBoxLayout()
        buttons.addWidget(self.again_button)
        buttons.addStretch(1)
        buttons.addWidget(self.record_button)
        buttons.addWidget(self.close_button)
        body = QVBoxLayout()
        body.setContentsMargins(0, 0, 0, 0)
        body.addWidget(self.notice)
        body.addLayout(self.form)
        body.addWidget(self.facts)
        body.addStretch(1)
        self.body = Scrolled(body)
        self.body.setMinimumHeight(80)
        column = QVBoxLayout(self)
        user = QHBoxLayout()
        user.addWidget(self.user, 1)
        user.addWidget(self.log_in_button)
        column.addWidget(self.animal)
        column.addLayout(user)
        column.addWidget(self.handling)
        column.addWidget(self.body, 1)
        for widget in (self.question, self.problem, self.status):
            column.addWidget(widget)
        column.addLayout(buttons)
        self.again_button.hide()
