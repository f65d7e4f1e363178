"""The dialog *Register on Alyx*: one recorded session, for one animal, as one user."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from AnyQt.QtCore import Qt, Signal
from AnyQt.QtWidgets import QDialog, QFrame, QHBoxLayout, QPushButton, QScrollArea, QVBoxLayout, QWidget

from alyx_connector.errors import ConfigurationError
from pybpod_alyx_module.config import read_rig_settings
from pybpod_alyx_module.gui.guard import slot
from pybpod_alyx_module.gui.messages import describe
from pybpod_alyx_module.gui.running_outbox import running_outbox
from pybpod_alyx_module.gui.sessions.register_form import RegisterForm
from pybpod_alyx_module.gui.show_in_front import show_in_front
from pybpod_alyx_module.gui.task import Task
from pybpod_alyx_module.gui.widgets import BigLabel, CalmComboBox, NoticeBox, plain_label
from pybpod_alyx_module.gui.words import cell
from pybpod_alyx_module.sessions.advice import advise, earned, fields_of, with_fields
from pybpod_alyx_module.sessions.prepare import Desk
from pybpod_alyx_module.sessions.pybpod_session import take
from pybpod_alyx_module.sessions.register import Order, draft_of, register

if TYPE_CHECKING:
    from AnyQt.QtGui import QCloseEvent, QResizeEvent

    from alyx_connector.progress import CancelToken, Report
    from pybpod_alyx_module.outbox.outbox import Outbox
    from pybpod_alyx_module.sessions.prepare import Choice, Prepared
    from pybpod_alyx_module.sessions.register import Done

#: First entry of the list of animals, where nobody said yet which one it was.
CHOOSE: Final = "Choose the animal that was on the rig…"

#: Said once it is durable.
KEPT: Final = "Kept on this computer; it is being sent."

#: Lines of what speaks against it that are shown without scrolling.
_LINES: Final = 10


class RegisterDialog(QDialog):
    """Shows a session as it would stand on Alyx, what speaks against that, and registers it; does not block PyBpod.

    ``session``: the PyBpod session; it keeps the dialog as ``alyx_dialog``.
    ``prepared``: what was read and asked already; else the dialog does that.
    """

    #: The session is in the outbox (`pybpod_alyx_module.sessions.register.Done`).
    registered = Signal(object)

    def __init__(self, session: Any, prepared: Prepared | None = None, parent: QWidget | None = None) -> None:
        super().__init__(parent, Qt.Window)
        self.session = session
        self.setWindowTitle(f"Register on Alyx – {session.name}")  # noqa: RUF001 - a dash is meant
        self.setAttribute(Qt.WA_DeleteOnClose)
        self._settings = read_rig_settings()
        self._prepared: Prepared | None = None
        self._filling = False
        self._tasks: list[Task] = []
        self._writing = self._done = False
        self._failure = ""
        self.user = BigLabel()
        self.animal = BigLabel(points=8)
        self.animals = CalmComboBox()
        self.facts = plain_label()
        self.told = NoticeBox()
        self.form = RegisterForm()
        self.status = plain_label()
        self.check_button, self.later_button, self.register_button = (
            QPushButton(text) for text in ("&Check again", "No&t now", "&Register")
        )
        for button in (self.check_button, self.later_button, self.register_button):
            button.setAutoDefault(False)  # Enter in a field must not decide anything
        row = QHBoxLayout()
        row.addWidget(self.check_button)
        row.addStretch(1)
        row.addWidget(self.later_button)
        row.addWidget(self.register_button)
        column = QVBoxLayout(self)
        for widget in (self.animal, self.animals, self.user, self.facts, self.told):
            column.addWidget(widget)
        scroll = QScrollArea()  # so that the buttons stay on a small screen
        scroll.setWidgetResizable(True)
        scroll.setFrameShape(QFrame.NoFrame)
        scroll.setMinimumHeight(120)
        scroll.setWidget(self.form)
        column.addWidget(scroll, 1)
        column.addWidget(self.status)
        column.addLayout(row)
        self.resize(720, 660)  # fits on a screen of 1366 x 768
        self.animals.currentIndexChanged.connect(self._on_animal)
        self.form.changed.connect(self._refresh)
        self.check_button.clicked.connect(self.check)
        self.later_button.clicked.connect(self.close)
        self.register_button.clicked.connect(self._on_register)
        if prepared is None:
            self.check()
        else:
            self._show(prepared)

    @property
    def busy(self) -> bool:
        """Whether something is read, asked or written."""
        return any(not task.settled for task in self._tasks)

    @property
    def choice(self) -> Choice | None:
        """The animal that is chosen; None where nobody said yet."""
        if self._prepared is None:
            return None
        place = self.animals.currentData() if self.animals.isVisibleTo(self) else 0
        return None if place is None or not self._prepared.choices else self._prepared.choices[place]

    @slot
    def check(self) -> None:
        """Read the session anew, and ask Alyx."""
        self._settings = read_rig_settings()
        outbox = running_outbox()
        desk = Desk(outbox.client, outbox.account_for)
        recorded = take(self.session)
        reading = outbox.read(lambda opened: desk.read(recorded, opened), name="alyx-read-session")
        reading.succeeded.connect(lambda prepared: self._on_read(prepared, desk))
        self._start(reading)

    @slot
    def _on_read(self, prepared: Prepared, desk: Desk) -> None:
        self._show(prepared)
        if prepared.choices:

            def ask(report: Report, cancel: CancelToken) -> Prepared:
                del report
                return desk.ask(prepared, cancel)

            asking = Task(ask, "alyx-ask-session")
            asking.succeeded.connect(self._show)
            self._start(asking)

    def _start(self, task: Task) -> None:
        self._failure = ""
        self._tasks = [one for one in self._tasks if not one.settled]
        self._tasks.append(task)
        task.failed.connect(self._on_failed)
        task.finished.connect(self._refresh)
        task.start()
        self._refresh()

    @slot
    def _show(self, prepared: Prepared) -> None:
        before = self.choice
        chosen = before.subject.alyx_id if before is not None and self.animals.isVisibleTo(self) else None
        self._prepared = prepared
        self._filling = True
        try:
            self._fill_animals(prepared, chosen)
        finally:
            self._filling = False
        self._on_animal()

    def _fill_animals(self, prepared: Prepared, chosen: str | None) -> None:
        default = prepared.default
        self.animals.clear()
        ask = len(prepared.choices) > 1 or (default is None and bool(prepared.choices))
        self.animals.setVisible(ask)
        if not ask:
            return
        self.animals.addItem(CHOOSE, None)
        several = len({choice.server for choice in prepared.choices}) > 1
        for place, choice in enumerate(prepared.choices):
            where = ", ".join(filter(None, (choice.animal.lab, choice.server if several else "")))
            self.animals.addItem(f"{choice.animal.nickname} ({where})" if where else choice.animal.nickname, place)
            if chosen == choice.subject.alyx_id or (chosen is None and choice is default):
                self.animals.setCurrentIndex(place + 1)

    @slot
    def _on_animal(self) -> None:
        choice = self.choice
        if self._filling or self._prepared is None:
            return
        if choice is not None:
            self.form.fill(fields_of(choice, self._settings.sessions))
            water = earned(self._prepared, choice, self._settings)
            shown = water if water.ask or water.amount is not None else None
            self.form.show_water(shown, choice.water_types, choice.water_type)
        else:
            self.form.show_water(None)
        self._refresh()

    @slot
    def _refresh(self) -> None:
        prepared, choice = self._prepared, self.choice
        if self._done:
            return
        update = choice is not None and choice.known is not None
        self.register_button.setText("&Update" if update else "&Register")
        self.check_button.setEnabled(not self.busy)
        self.later_button.setText("Cancel" if update else "No&t now")
        self.form.lock(self._writing)
        self.animals.setEnabled(not self._writing)
        self.form.setVisible(choice is not None)
        blocking: list[str] = []
        told: list[str] = [self._failure] if self._failure else []
        waiting = "" if not self.busy else "Reading the session file…"
        if prepared is not None:
            self._show_heads(prepared, choice)
            if choice is not None:
                advice = advise(prepared, choice, self._settings, chosen=self.animals.isVisibleTo(self))
                known = [_known_sentence(choice)] if choice.known is not None else []
                blocking, told = list(advice.blocking), [*told, *known, *(advice.told if prepared.asked else ())]
            elif not prepared.choices:
                blocking.append("The session lists no subject that is linked to Alyx: sync the project first.")
            else:
                names = ", ".join(one.animal.nickname for one in prepared.choices)
                blocking.append(f"The session lists {names}. Say which one was on the rig.")
            missing = self._missing_water()
            waiting = missing if not self.busy else f"Asking {choice.server if choice else 'Alyx'}…"
        if self._writing:
            waiting = "Writing it down…"
        self._tell(blocking, told)
        self.status.setText(waiting)
        self.register_button.setEnabled(
            prepared is not None and prepared.asked and not (blocking or waiting or self.busy or choice is None)
        )

    def _show_heads(self, prepared: Prepared, choice: Choice | None) -> None:
        accounts = {(one.username, one.server) for one in ([choice] if choice is not None else prepared.choices)}
        if len(accounts) == 1:
            ((username, server),) = accounts
            self.user.say(f"as {username} at {_host(server)}" if username else "nobody is connected to Alyx")
        else:
            self.user.say("on Alyx")
        self.animal.setVisible(choice is not None)
        self.animal.say(choice.animal.nickname if choice is not None else "")
        self.facts.setText(self._facts(prepared, choice))

    def _facts(self, prepared: Prepared, choice: Choice | None) -> str:
        file = prepared.file
        trials = "1 trial" if file.n_trials == 1 else f"{file.n_trials} trials"
        if choice is None:
            span = f"{file.started:%Y-%m-%d %H:%M:%S} to {file.end:%H:%M:%S} (the rig's clock)"
            return f"{cell(file.protocol)} · {span} · {trials}"
        values = draft_of(Order(prepared, choice, self._settings.sessions)).values
        start, end = (str(values[name]).replace("T", " ")[:19] for name in ("start_time", "end_time"))
        zone = f"lab time, {choice.lab_timezone}" if choice.lab_timezone else "the rig's clock"
        number = "next of that day"
        record = choice.known.record if choice.known is not None else None
        if record is not None:
            number = str(record.get("number"))
        until = end[11:] if end[:10] == start[:10] else end
        return (
            f"Task protocol {cell(file.protocol)} · number: {number} · {trials}\n"
            f"{start} to {until} ({zone}) · lab {cell(choice.animal.lab or 'not known')}"
        )

    def _missing_water(self) -> str:
        if not self.form.water.isVisibleTo(self.form):
            return ""
        try:
            self.form.water.value()
        except ConfigurationError as error:
            if not self.form.water.amount.text().strip():
                return "Type how much water the animal got, in mL: 0 for none."
            return error.message
        return ""

    def _tell(self, blocking: list[str], told: list[str]) -> None:
        lines = [f"✗ {text}" for text in blocking] + [f"• {text}" for text in told]
        text = "\n".join(lines)
        self.told.setVisible(bool(lines))
        if text != self.told.toPlainText():
            self.told.setPlainText(text)
        self._fit_told()

    def _fit_told(self) -> None:
        self.told.fit(_LINES)

    @slot
    def _on_register(self) -> None:
        prepared, choice = self._prepared, self.choice
        if prepared is None or choice is None or not self.register_button.isEnabled():
            return
        if self.session.alyx_is_gone:
            self._failure = "The session was removed from the PyBpod project meanwhile: it is not registered."
            self._refresh()
            return
        water = self.form.water.value() if self.form.water.isVisibleTo(self.form) else None
        fields = self.form.fields()
        order = Order(
            prepared,
            choice,
            with_fields(self._settings.sessions, fields),
            fields.narrative.strip(),
            water,
            self.form.water.water_type,
            take(self.session).folder,
        )

        def write(outbox: Outbox) -> Done:
            return register(order, outbox)

        writing = running_outbox().read(write, name="alyx-register-session")
        writing.succeeded.connect(self.session.alyx_registered)  # also where this dialog is closed meanwhile
        writing.succeeded.connect(self._on_done)
        self._writing = True
        self._start(writing)

    @slot
    def _on_done(self, done: Done) -> None:
        self._writing, self._done = False, True
        self.registered.emit(done)
        if not done.notes:
            self.close()
            return
        self.form.lock(True)
        self.animals.setEnabled(False)
        self._tell([], list(done.notes))
        self.status.setText(KEPT)
        self.register_button.hide()
        self.check_button.hide()
        self.later_button.setText("&Close")

    @slot
    def _on_failed(self, error: BaseException) -> None:
        self._failure = f"{describe(error).text}{' Nothing was sent.' if self._writing else ''}"
        self._writing = False
        self._refresh()

    def resizeEvent(self, event: QResizeEvent) -> None:  # noqa: N802 - Qt's name
        """Give what is told the lines that it needs now."""
        super().resizeEvent(event)
        self._fit_told()

    def closeEvent(self, event: QCloseEvent) -> None:  # noqa: N802 - Qt's name
        """End what is under way; what is written down already stays."""
        super().closeEvent(event)
        self._end()

    @slot
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


def _known_sentence(choice: Choice) -> str:
    known = choice.known
    if known is None:
        return ""
    water = " Its water is not changed here: correct that on Alyx, or while it waits in the Alyx outbox." * known.water
    if known.session_id is not None:
        return f"This session is on Alyx already ({known.session_id}): Update changes that record.{water}"
    return f"This session waits in the Alyx outbox: Update changes what will be sent.{water}"


def _host(server: str) -> str:
    return server.partition("://")[2] or server


def open_register_dialog(session: Any, prepared: Prepared | None = None, *, quietly: bool = False) -> RegisterDialog:
    """Show the dialog of a session: the one that is open, else a new one."""
    dialog = session.alyx_dialog
    if dialog is None:
        mainwindow = getattr(session, "mainwindow", None)
        dialog = RegisterDialog(session, prepared, mainwindow.window() if isinstance(mainwindow, QWidget) else None)
        session.alyx_dialog = dialog
    if quietly:
        dialog.setAttribute(Qt.WA_ShowWithoutActivating)
        dialog.show()
        dialog.raise_()
    else:
        show_in_front(dialog)
    return dialog
