"""The dialog *Register on Alyx*: one recorded session, for one animal, as one user."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from AnyQt.QtCore import Qt, Signal
from AnyQt.QtWidgets import QDialog, QHBoxLayout, QPushButton, QVBoxLayout, QWidget

from alyx_connector.errors import ConfigurationError
from pybpod_alyx_module.gui.guard import override, slot
from pybpod_alyx_module.gui.messages import describe
from pybpod_alyx_module.gui.running_outbox import running_outbox
from pybpod_alyx_module.gui.sessions.choose_animal import ChooseAnimalDialog
from pybpod_alyx_module.gui.sessions.register_form import RegisterForm
from pybpod_alyx_module.gui.sessions.session_summary import summarise
from pybpod_alyx_module.gui.show_in_front import show_in_front
from pybpod_alyx_module.gui.task import Task
from pybpod_alyx_module.gui.widgets import BigLabel, CalmComboBox, NoticeBox, Scrolled, button_row, plain_label
from pybpod_alyx_module.gui.windows import FOCUS_STYLE, main_window_of, resize_to_screen
from pybpod_alyx_module.names.mend import names_set
from pybpod_alyx_module.read_settings import read_rig_settings
from pybpod_alyx_module.sessions.advice import initial_fields, water_to_record, water_type_to_record, with_fields
from pybpod_alyx_module.sessions.ask_alyx_about_session import SessionQuestions
from pybpod_alyx_module.sessions.prepared_session import prepare_session
from pybpod_alyx_module.sessions.pybpod_session import csv_of, read_pybpod_session
from pybpod_alyx_module.sessions.register import RegistrationRequest, register

if TYPE_CHECKING:
    from AnyQt.QtGui import QCloseEvent, QResizeEvent

    from alyx_connector.progress import CancelToken, Report
    from pybpod_alyx_module.gui.sessions.session_summary import SessionSummary
    from pybpod_alyx_module.outbox.outbox import Outbox
    from pybpod_alyx_module.sessions.on_rig import LinkedSubject
    from pybpod_alyx_module.sessions.prepared_session import Choice, PreparedSession
    from pybpod_alyx_module.sessions.register import RegistrationResult

#: First entry of the list of animals, where nobody chose yet.
CHOOSE: Final = "Choose the animal that was on the rig…"

#: What is missing where a name is marked that Alyx would refuse.
WRONG_NAMES: Final = "Correct the marked names. If one has been added on Alyx meanwhile, press Check again."

#: Shown once it is durable.
KEPT: Final = "Stored on this computer; it will be sent to Alyx."

#: Lines of the yellow box that are shown without scrolling.
_LINES: Final = 10


class RegisterDialog(QDialog):
    """Shows a session as it would be on Alyx, what speaks against that, and registers it; does not block PyBpod.

    ``session``: the PyBpod session; it keeps the dialog as ``alyx_dialog``.
    ``prepared``: the session as already read and checked; else the dialog does that.
    """

    #: The session is in the outbox (`pybpod_alyx_module.sessions.register.RegistrationResult`).
    registered = Signal(object)

    def __init__(self, session: Any, prepared: PreparedSession | None = None, parent: QWidget | None = None) -> None:
        super().__init__(parent, Qt.Window)
        self.session = session
        self.setWindowTitle(f"Register on Alyx – {session.name}")  # noqa: RUF001 - a dash is meant
        self.setAttribute(Qt.WA_DeleteOnClose)
        self.setStyleSheet(FOCUS_STYLE)
        self._settings = read_rig_settings()
        self._prepared: PreparedSession | None = None
        self._summary: SessionSummary | None = None
        self._filling = False
        self._tasks: list[Task] = []
        self._writing = self._finished = False
        self._failure = ""
        self.user = BigLabel()
        self.animal = BigLabel(points=8)
        self.animals = CalmComboBox()
        self.other_button = QPushButton("&Another animal…")
        self._chosen: LinkedSubject | None = None
        self.facts = plain_label()
        self.notices = NoticeBox()
        self.form = RegisterForm()
        self.status = plain_label()
        self.check_button, self.later_button, self.register_button = (
            QPushButton(text) for text in ("&Check again", "No&t now", "&Register")
        )
        self.other_button.setAutoDefault(False)  # Enter in a field must not decide anything
        top = QHBoxLayout()
        top.addWidget(self.animal, 1)
        top.addWidget(self.other_button, 0, Qt.AlignRight)
        column = QVBoxLayout(self)
        column.addLayout(top)
        for widget in (self.animals, self.user, self.facts, self.notices):
            column.addWidget(widget)
        scroll = Scrolled(self.form)
        scroll.setMinimumHeight(120)
        column.addWidget(scroll, 1)
        column.addWidget(self.status)
        column.addLayout(button_row(self.later_button, self.register_button, left=self.check_button))
        resize_to_screen(self, 720, 660)
        self.animals.currentIndexChanged.connect(self._on_animal)
        self.other_button.clicked.connect(self._ask_for_another)
        self.form.changed.connect(self._refresh)
        self.check_button.clicked.connect(self.check)
        self.later_button.clicked.connect(self.close)
        self.register_button.clicked.connect(self._on_register)
        running_outbox().users_changed.connect(self._on_users_changed)
        if prepared is None:
            self.check()
        else:
            self._show(prepared)

    @property
    def busy(self) -> bool:
        """Whether it reads, asks Alyx or writes."""
        return any(not task.settled for task in self._tasks)

    @property
    def choice(self) -> Choice | None:
        """The animal that is chosen; None where nobody chose yet."""
        if self._prepared is None:
            return None
        place = self.animals.currentData() if self.animals.isVisibleTo(self) else 0
        return None if place is None or not self._prepared.choices else self._prepared.choices[place]

    @slot
    def check(self) -> None:
        """Read the session anew, and ask Alyx."""
        self._settings = read_rig_settings()
        outbox = running_outbox()
        recorded, chosen = read_pybpod_session(self.session), self._chosen
        reading = outbox.read(
            lambda opened: prepare_session(recorded, opened, outbox.account_for, chosen), name="alyx-read-session"
        )
        reading.succeeded.connect(self._on_read)
        self._start(reading)

    @slot
    def _on_users_changed(self) -> None:
        # whoever records now is shown, and asked about, before Register
        if not self._writing and not self._finished:
            for task in self._tasks:
                task.cancel()
            self.check()

    @slot
    def _on_read(self, prepared: PreparedSession) -> None:
        self._show(prepared)
        if prepared.choices:
            questions = SessionQuestions(running_outbox().client)

            def ask(report: Report, cancel: CancelToken) -> PreparedSession:
                del report
                return questions.ask(prepared, cancel)

            checking = Task(ask, "alyx-ask-session")
            checking.succeeded.connect(self._show)
            self._start(checking)

    @slot
    def _ask_for_another(self) -> None:
        if self._prepared is not None:
            question = ChooseAnimalDialog(self._prepared, self)
            question.answered.connect(self._on_another)
            question.open()

    @slot
    def _on_another(self, subject: LinkedSubject | None) -> None:
        if subject is not None and not self._writing and not self._finished:
            self._chosen = subject
            self.animals.clear()  # the one that was chosen in the list before does not count any more
            self.check()

    def _start(self, task: Task) -> None:
        self._failure = ""
        self._tasks = [one for one in self._tasks if not one.settled]
        self._tasks.append(task)
        task.failed.connect(self._on_failed)
        task.finished.connect(self._refresh)
        task.start()
        self._refresh()

    @slot
    def _show(self, prepared: PreparedSession) -> None:
        before = self.choice if self.animals.isVisibleTo(self) else None
        chosen = before.subject if before is not None else self._chosen
        self._prepared = prepared
        self._filling = True
        try:
            self._fill_animals(prepared, chosen.alyx_id if chosen is not None else None)
        finally:
            self._filling = False
        self._on_animal()

    def _fill_animals(self, prepared: PreparedSession, chosen: str | None) -> None:
        default = prepared.default
        self.animals.clear()
        must_choose = len(prepared.choices) > 1 or (default is None and bool(prepared.choices))
        self.animals.setVisible(must_choose)
        if not must_choose:
            return
        self.animals.addItem(CHOOSE, None)
        several = len({choice.server for choice in prepared.choices}) > 1
        for place, choice in enumerate(prepared.choices):
            where = ", ".join(filter(None, (choice.animal.lab, choice.server if several else "")))
            name = f"{choice.animal.nickname} ({where})" if where else choice.animal.nickname
            self.animals.addItem(f"{name}, named in the session file" if choice.is_listed else name, place)
            if chosen == choice.subject.alyx_id or (chosen is None and choice is default):
                self.animals.setCurrentIndex(place + 1)

    @slot
    def _on_animal(self) -> None:
        prepared, choice = self._prepared, self.choice
        if self._filling or prepared is None:
            return
        if choice is not None:
            self.form.fill(initial_fields(choice, self._settings.sessions))
            self.form.know(choice.names)
            water = water_to_record(prepared, choice, self._settings)
            shown = water if water.ask or water.amount is not None else None
            water_type = water_type_to_record(choice, self._settings.sessions)
            self.form.show_water(shown, choice.names, water_type)
        else:
            self.form.show_water(None)
        summary = summarise(prepared, choice, self._settings, chosen=self.animals.isVisibleTo(self))
        self._summary = summary
        self.user.say(summary.user)
        self.animal.setVisible(choice is not None)
        self.animal.say(summary.animal)
        self.facts.setText(summary.facts)
        self._refresh()

    @slot
    def _refresh(self) -> None:
        # also at every keystroke: nothing here reads a file or makes anything of the session
        prepared, choice, summary = self._prepared, self.choice, self._summary
        if self._finished:
            return
        update = choice is not None and choice.earlier is not None
        self.register_button.setText("&Update" if update else "&Register")
        self.check_button.setEnabled(not self.busy)
        self.later_button.setText("Cancel" if update else "No&t now")
        self.form.lock(self._writing)
        self.form.setVisible(choice is not None)
        self.animals.setEnabled(not self._writing)
        self.other_button.setEnabled(prepared is not None and not (update or self.busy))
        blocking = list(summary.blocking) if summary is not None else []
        failure = [self._failure] if self._failure else []
        self._show_notices(blocking, [*failure, *(summary.notes if summary is not None else ())])
        waiting = self._waiting(choice)
        self.status.setText(waiting)
        self.register_button.setEnabled(
            prepared is not None
            and prepared.checked_on_alyx
            and choice is not None
            and not (blocking or waiting or self.busy)
        )

    def _waiting(self, choice: Choice | None) -> str:
        if self._writing:
            return "Writing to the Alyx outbox…"
        if not self.busy:
            missing = WRONG_NAMES if self.form.refused else self._missing_water()
            return missing if self._prepared is not None else ""
        if self._prepared is None:
            return "Reading the session file…"
        return f"Asking {choice.server if choice is not None else 'Alyx'}…"

    def _missing_water(self) -> str:
        if not self.form.water.isVisibleTo(self.form):
            return ""
        if self.form.water.must_choose_type:
            return "Choose the type of water that the animal got."
        try:
            self.form.water.value()
        except ConfigurationError as error:
            if not self.form.water.amount.text().strip():
                press = "Press the amount that is right, or type" if self.form.water.offers else "Type"
                return f"{press} how much water the animal got, in mL: 0 for none."
            return error.message
        return ""

    def _show_notices(self, blocking: list[str], notes: list[str]) -> None:
        lines = [f"✗ {text}" for text in blocking] + [f"• {text}" for text in notes]
        text = "\n".join(lines)
        self.notices.setVisible(bool(lines))
        if text != self.notices.toPlainText():
            self.notices.setPlainText(text)
        self._fit_notices()

    def _fit_notices(self) -> None:
        self.notices.fit(_LINES)

    @slot
    def _on_register(self) -> None:
        prepared, choice = self._prepared, self.choice
        if prepared is None or choice is None or not self.register_button.isEnabled():
            return
        if self.session.alyx_is_gone:
            self._failure = "The session was removed from the PyBpod project meanwhile, so it was not registered."
            self._refresh()
            return
        water = self.form.water.value() if self.form.water.isVisibleTo(self.form) else None
        fields = self.form.fields()
        request = RegistrationRequest(
            prepared,
            choice,
            with_fields(self._settings.sessions, fields),
            fields.narrative.strip(),
            water,
            self.form.water.water_type,
            csv_of(self.session).parent,
            names_set(self._settings.sessions),
        )

        def write(outbox: Outbox) -> RegistrationResult:
            return register(request, outbox)

        writing = running_outbox().read(write, name="alyx-register-session")
        writing.succeeded.connect(self.session.alyx_registered)  # also where this dialog is closed meanwhile
        writing.succeeded.connect(self._on_registered)
        self._writing = True
        self._start(writing)

    @slot
    def _on_registered(self, result: RegistrationResult) -> None:
        self._writing, self._finished = False, True
        self.registered.emit(result)
        if not result.notes:
            self.close()
            return
        self.form.lock(True)
        self.animals.setEnabled(False)
        self.other_button.setEnabled(False)
        self._show_notices([], list(result.notes))
        self.status.setText(KEPT)
        self.register_button.hide()
        self.check_button.hide()
        self.later_button.setText("&Close")

    @slot
    def _on_failed(self, error: BaseException) -> None:
        self._failure = f"{describe(error).text}{' Nothing was sent.' if self._writing else ''}"
        self._writing = False
        self._refresh()

    @override
    def resizeEvent(self, event: QResizeEvent) -> None:  # noqa: N802 - Qt's name
        """Give the yellow box the lines that it needs now."""
        super().resizeEvent(event)
        self._fit_notices()

    @override
    def closeEvent(self, event: QCloseEvent) -> None:  # noqa: N802 - Qt's name
        """End what is under way; what is written down already stays."""
        super().closeEvent(event)
        self._end()

    @override
    def done(self, result: int) -> None:
        """Close, on Escape too: the session is left as it is."""
        super().done(result)
        self._end()

    def _end(self) -> None:
        for task in self._tasks:
            if not self._writing:
                task.cancel()
        if self.session.alyx_dialog is self:
            self.session.alyx_dialog = None


def open_register_dialog(
    session: Any, prepared: PreparedSession | None = None, *, quietly: bool = False
) -> RegisterDialog:
    """Show the dialog of a session: the one that is open, else a new one."""
    dialog = session.alyx_dialog
    if dialog is None:
        dialog = RegisterDialog(session, prepared, main_window_of(session))
        session.alyx_dialog = dialog
    if quietly:
        dialog.setAttribute(Qt.WA_ShowWithoutActivating)
        dialog.show()
        dialog.raise_()
    else:
        show_in_front(dialog)
    return dialog
