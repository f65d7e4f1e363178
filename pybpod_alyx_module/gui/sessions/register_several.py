"""The window *Register sessions on Alyx*: the recorded sessions of a setup or a project that are not registered yet."""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

from AnyQt.QtCore import Qt, QTimer
from AnyQt.QtWidgets import (
    QApplication,
    QHBoxLayout,
    QLineEdit,
    QPlainTextEdit,
    QPushButton,
    QTreeWidgetItem,
    QVBoxLayout,
    QWidget,
)

from pybpod_alyx_module.animals.alyx_subject import server_name
from pybpod_alyx_module.errors import RigError
from pybpod_alyx_module.gui.guard import override, slot
from pybpod_alyx_module.gui.messages import describe
from pybpod_alyx_module.gui.running_outbox import running_outbox
from pybpod_alyx_module.gui.sessions.find_unregistered import UnregisteredSessions
from pybpod_alyx_module.gui.sessions.follow_registered import registration_follower
from pybpod_alyx_module.gui.sessions.name_question import NameQuestion, named_only
from pybpod_alyx_module.gui.sessions.register_dialog import open_register_dialog
from pybpod_alyx_module.gui.sessions.session_table import ANIMAL, PROTOCOL, STATE, TRIALS, SessionTable
from pybpod_alyx_module.gui.show_in_front import show_in_front
from pybpod_alyx_module.gui.task import Task
from pybpod_alyx_module.gui.time_slice import TimeSlice
from pybpod_alyx_module.gui.widgets import BigLabel, plain_label
from pybpod_alyx_module.gui.windows import AlyxWindow, main_window_of, resize_to_screen
from pybpod_alyx_module.read_settings import read_rig_settings
from pybpod_alyx_module.sessions.advice import advise, default_request
from pybpod_alyx_module.sessions.ask_alyx_about_session import SessionQuestions
from pybpod_alyx_module.sessions.prepared_session import prepare_session
from pybpod_alyx_module.sessions.pybpod_session import read_pybpod_session
from pybpod_alyx_module.sessions.register import register

if TYPE_CHECKING:
    from AnyQt.QtGui import QCloseEvent

    from alyx_connector.progress import CancelToken, Report
    from pybpod_alyx_module.gui.sessions.find_unregistered import Start
    from pybpod_alyx_module.gui.sessions.name_question import Name
    from pybpod_alyx_module.sessions.on_rig import LinkedSubject
    from pybpod_alyx_module.sessions.prepared_session import Choice, PreparedSession
    from pybpod_alyx_module.sessions.register import RegistrationRequest, RegistrationResult

#: Label of the menu entry of setups and projects.
REGISTER_SEVERAL: Final = "Register sessions on Alyx…"

READING: Final = "reading…"
READY: Final = "can be registered"
READY_WITH_NOTES: Final = "can be registered; see below"
HAS_QUESTION: Final = "has a question: Open…"
WAITS: Final = "to be registered…"
NOTHING: Final = "There is no recorded session with an Alyx subject that is not registered."


@dataclass
class Row:
    """One session of the table."""

    session: Any
    item: QTreeWidgetItem
    prepared: PreparedSession | None = None
    request: RegistrationRequest | None = None
    #: The animal of which a person said that it was on the rig.
    chosen: LinkedSubject | None = None
    #: What a person should read about it, in full.
    text: str = ""
    registered: bool = False


class SessionsWindow(AlyxWindow):
    """Lists sessions that are not registered; those that a person ticks are registered one after the other."""

    def __init__(self, owner: Any, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.owner = owner
        self.setAttribute(Qt.WA_DeleteOnClose)
        self.setWindowTitle(f"Register sessions on Alyx – {owner.name}")  # noqa: RUF001 - a dash is meant
        self._settings = read_rig_settings()
        self._questions = SessionQuestions(running_outbox().client)
        self._task: Task | None = None
        self.user = BigLabel(REGISTER_SEVERAL.rstrip("…"))
        self.filter = QLineEdit()
        self.filter.setPlaceholderText("Show only: words of animal, task protocol, date or state")
        self.filter.setClearButtonEnabled(True)
        self.question = NameQuestion()
        self.table = SessionTable()
        self.notices = QPlainTextEdit()
        self.notices.setReadOnly(True)
        self.notices.setTabChangesFocus(True)
        self.notices.setFixedHeight(110)
        self.status = plain_label()
        self.all_button, self.open_button, self.close_button, self.register_button = (
            QPushButton(text) for text in ("&Tick all", "&Open…", "&Close", "&Register the ticked ones")
        )
        top = QHBoxLayout()
        top.addWidget(self.filter, 1)
        top.addWidget(self.all_button)
        row = QHBoxLayout()
        row.addWidget(self.open_button)
        row.addStretch(1)
        row.addWidget(self.close_button)
        row.addWidget(self.register_button)
        column = QVBoxLayout(self)
        column.addWidget(self.user)
        column.addWidget(self.question)
        column.addLayout(top)
        column.addWidget(self.table, 1)
        column.addWidget(self.notices)
        column.addWidget(self.status)
        column.addLayout(row)
        resize_to_screen(self, 900, 560)
        #: The sessions; the newest first, once the beginnings of their files were read.
        self.rows: list[Row] = []
        self._finding = UnregisteredSessions(owner, self)
        self._finding.found.connect(self._on_found)
        self._finding.failed.connect(lambda error: self.status.setText(describe(error).text))
        self._to_add: deque[tuple[Any, Start]] = deque()
        self._queue: deque[Row] = deque()
        self._to_register: deque[Row] = deque()
        self._to_judge: deque[Row] = deque()
        self._working = QTimer(self, interval=0)
        self._working.timeout.connect(self._work_some)
        self._accounts: set[str] = set()
        self.question.answered.connect(self._on_name)
        self.filter.textChanged.connect(self._on_filter)
        self.all_button.clicked.connect(self.table.tick_all)
        self.table.ticked.connect(self._refresh)
        self.table.currentItemChanged.connect(self._on_current)
        self.table.itemDoubleClicked.connect(self._on_open)
        self.open_button.clicked.connect(self._on_open)
        self.close_button.clicked.connect(self.close)
        self.register_button.clicked.connect(self._on_register)
        registration_follower().news.connect(self._on_news)
        running_outbox().users_changed.connect(self._on_users_changed)
        self.table.setFocus()
        self._refresh()

    @property
    def busy(self) -> bool:
        """Whether sessions are listed, read or registered."""
        return self._finding.busy or bool(self._to_add) or self._is_at_work

    @property
    def _is_at_work(self) -> bool:
        return self._task is not None and not self._task.settled

    @slot
    def _on_found(self, found: list[tuple[Any, Start]]) -> None:
        self._to_add.extend(found)
        self._working.start()

    def _add(self, session: Any, start: Start) -> None:
        began = session.name if isinstance(start, RigError) else f"{start:%Y-%m-%d %H:%M:%S}"
        row = Row(session, self.table.add([began, "", "", "", READING], session.name))
        self.rows.append(row)
        if isinstance(start, RigError):
            self._on_failed(row, start)
        else:
            self._queue.append(row)

    def _next(self) -> None:
        # one after the other: first what is to be registered, then what is to be read
        if self._is_at_work:
            return
        if self._to_register:
            self._register_next(self._to_register.popleft())
        elif self._queue:
            self._read_next(self._queue.popleft())

    def _read_next(self, row: Row) -> None:
        recorded, questions, outbox = read_pybpod_session(row.session), self._questions, running_outbox()
        chosen = row.chosen

        def work(report: Report, cancel: CancelToken) -> PreparedSession:
            del report
            return questions.ask(prepare_session(recorded, outbox.open(), outbox.account_for, chosen), cancel)

        task = Task(work, "alyx-prepare-session")
        task.succeeded.connect(lambda prepared: self._on_prepared(row, prepared))
        self._start(task, row)

    def _register_next(self, row: Row) -> None:
        request = row.request
        if request is None or row.session.alyx_is_gone:
            self._say(row, "was removed from the PyBpod project meanwhile")
            self._next()
            return
        task = running_outbox().read(lambda outbox: register(request, outbox), name="alyx-register-session")
        task.succeeded.connect(row.session.alyx_registered)  # also where this window is closed meanwhile
        task.succeeded.connect(lambda result: self._on_registered(row, result))
        self._start(task, row)

    def _start(self, task: Task, row: Row) -> None:
        self._task = task
        task.failed.connect(lambda error: self._on_failed(row, error))
        task.finished.connect(self._on_finished)
        task.start()

    @slot
    def _on_finished(self) -> None:
        self._next()
        self._refresh()

    @slot
    def _on_prepared(self, row: Row, prepared: PreparedSession) -> None:
        if any(one is row for one in self._queue):  # somebody else records meanwhile
            return
        row.prepared = prepared
        self.table.write(row.item, PROTOCOL, prepared.file.protocol)
        self.table.write(row.item, TRIALS, str(prepared.file.n_trials))
        self._accounts |= {
            f"as {one.username} at {server_name(one.server)}" for one in prepared.choices if one.username
        }
        self.user.say(", ".join(sorted(self._accounts)) or "nobody is connected to Alyx")
        row.chosen = row.chosen or self.question.add(prepared)
        self._judge(row)

    def _judge(self, row: Row) -> None:
        # says whether it can be registered, for an animal of which a person said that it was on the rig, too
        prepared = row.prepared
        if prepared is None or row.registered:
            return
        chosen = row.chosen
        choice = prepared.default if chosen is None else _choice_of(prepared, chosen)
        if chosen is not None and choice is None:  # another animal than those of the file: Alyx has to be asked
            self._queue.append(row)
            self._say(row, READING)
            self._next()
            return
        names = [one.animal.nickname for one in prepared.choices]
        self.table.write(row.item, ANIMAL, choice.animal.nickname if choice is not None else " or ".join(names))
        row.request = default_request(prepared, self._settings, choice if chosen is not None else None)
        advice = advise(prepared, choice, self._settings, chosen=chosen is not None) if choice is not None else None
        which = f"Say which animal it was: {' or '.join(names)}."
        notes = [*advice.blocking, *advice.notes] if advice is not None else [which]
        self.table.let_tick(row.item, allowed=row.request is not None)
        if row.request is None:
            self._say(row, HAS_QUESTION, "\n".join(notes))
        else:
            self._say(row, READY_WITH_NOTES if advice is not None and advice.needs_person else READY, "\n".join(notes))

    @slot
    def _work_some(self) -> None:
        turn = TimeSlice()
        while self._to_add and not turn.is_over:
            self._add(*self._to_add.popleft())
        while self._to_judge and not turn.is_over:
            self._judge(self._to_judge.popleft())
        if not (self._to_add or self._to_judge):
            self._working.stop()
            self.table.filter(self.filter.text())
            self._next()
        self._refresh()

    @slot
    def _on_name(self, name: Name, animal: LinkedSubject) -> None:
        rows = [row for row in self.rows if row.prepared is not None and named_only(row.prepared) == name]
        for row in rows:
            row.chosen = animal
        self._to_judge.extend(rows)
        self._working.start()
        self._refresh()

    @slot
    def _on_filter(self) -> None:
        self.table.filter(self.filter.text())
        self._refresh()

    @slot
    def _on_users_changed(self) -> None:
        # read anew as whoever records now, ticks and all; what was sent off before is under way
        under_way = {id(row) for row in self._to_register}
        self._accounts.clear()
        self._queue = deque(row for row in self.rows if not row.registered and id(row) not in under_way)
        for row in self._queue:
            row.request = None
        self._next()
        self._refresh()

    @slot
    def _on_registered(self, row: Row, result: RegistrationResult) -> None:
        row.registered = True
        self.table.let_tick(row.item, allowed=False)
        self._say(row, "stored on this computer; it will be sent", "\n".join(result.notes))

    @slot
    def _on_failed(self, row: Row, error: BaseException) -> None:
        message = describe(error)
        self._say(row, f"failed: {message.title}", message.text)

    @slot
    def _on_news(self, session: Any) -> None:
        for row in self.rows:
            if row.session is session and row.registered:
                state = session.alyx_registration_state
                self._say(row, "on Alyx" if state.sent else "waiting in the Alyx outbox", state.words)
        self._refresh()

    def _say(self, row: Row, state: str, text: str = "") -> None:
        row.text = text
        self.table.write(row.item, STATE, state)
        if row.item is self.table.currentItem():
            self.notices.setPlainText(text)

    @slot
    def _on_current(self) -> None:
        row = self._current()
        self.notices.setPlainText(row.text if row is not None else "")
        self._refresh()

    def _current(self) -> Row | None:
        current = self.table.currentItem()
        return next((row for row in self.rows if row.item is current), None)

    def _ticked(self) -> list[Row]:
        return [
            row
            for row in self.rows
            if row.request is not None and not row.registered and self.table.is_ticked(row.item)
        ]

    @slot
    def _refresh(self) -> None:
        ticked, current = self._ticked(), self._current()
        unread = len(self._queue)
        hidden = sum(row.item.isHidden() for row in ticked)
        self.all_button.setEnabled(bool(self.rows))
        self.all_button.setText("Un&tick all" if self.table.all_ticked else "&Tick all")
        self.register_button.setEnabled(bool(ticked) and not self._to_register)
        self.open_button.setEnabled(current is not None and not current.registered)
        of_them = f" ({hidden} of them not shown)" if hidden else ""
        parts = [f"{len(ticked)} ticked{of_them}", f"{sum(row.registered for row in self.rows)} registered"]
        if unread or self._is_at_work:
            parts.append(f"{unread + self._is_at_work} still to be read" if not self._to_register else "registering…")
        if self.rows:
            sessions = "1 session" if len(self.rows) == 1 else f"{len(self.rows)} sessions"
            self.status.setText(f"{sessions}: {', '.join(parts)}")
        else:
            self.status.setText(READING if self.busy else NOTHING)

    @slot
    def _on_open(self) -> None:
        row = self._current()
        if row is None or row.registered:
            return
        dialog = open_register_dialog(row.session)
        dialog.registered.connect(lambda result: self._on_registered(row, result))

    @slot
    def _on_register(self) -> None:
        self._to_register = deque(self._ticked())
        for row in self._to_register:
            self._say(row, WAITS, row.text)
        self._next()
        self._refresh()

    @override
    def closeEvent(self, event: QCloseEvent) -> None:  # noqa: N802 - Qt's name
        """End the reading; what is written down already stays."""
        super().closeEvent(event)
        self._finding.cancel()
        for waiting in (self._to_add, self._to_judge, self._queue, self._to_register):
            waiting.clear()
        if self._task is not None:
            self._task.cancel()


def open_sessions_window(owner: Any) -> SessionsWindow:
    """Show the sessions of a setup or a project that can be registered, in the open window, else in a new one."""
    for window in QApplication.topLevelWidgets():
        if isinstance(window, SessionsWindow) and window.owner is owner and window.isVisible():
            show_in_front(window)
            return window
    window = SessionsWindow(owner, main_window_of(owner))
    show_in_front(window)
    return window


def close_sessions_windows(project: Any) -> None:
    """Close the windows that list sessions of a project."""
    for window in QApplication.topLevelWidgets():
        if isinstance(window, SessionsWindow) and getattr(window.owner, "project", window.owner) is project:
            window.close()


def _choice_of(prepared: PreparedSession, animal: LinkedSubject) -> Choice | None:
    return next((one for one in prepared.choices if one.subject.alyx_id == animal.alyx_id), None)
