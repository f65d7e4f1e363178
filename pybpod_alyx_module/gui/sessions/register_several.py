"""The window *Register sessions on Alyx*: the recorded sessions of a setup or a project that are not registered yet."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

from AnyQt.QtCore import QSignalBlocker, Qt
from AnyQt.QtWidgets import (
    QApplication,
    QHBoxLayout,
    QHeaderView,
    QPlainTextEdit,
    QPushButton,
    QTreeWidget,
    QTreeWidgetItem,
    QVBoxLayout,
    QWidget,
)

from pybpod_alyx_module.animals.alyx_subject import server_name
from pybpod_alyx_module.errors import RigError
from pybpod_alyx_module.gui.guard import override, slot
from pybpod_alyx_module.gui.messages import describe
from pybpod_alyx_module.gui.running_outbox import running_outbox
from pybpod_alyx_module.gui.sessions.follow_registered import registration_follower
from pybpod_alyx_module.gui.sessions.register_dialog import open_register_dialog
from pybpod_alyx_module.gui.show_in_front import show_in_front
from pybpod_alyx_module.gui.task import Task
from pybpod_alyx_module.gui.widgets import BigLabel, plain_label
from pybpod_alyx_module.gui.windows import AlyxWindow, main_window_of, resize_to_screen
from pybpod_alyx_module.gui.words import cell
from pybpod_alyx_module.read_settings import read_rig_settings
from pybpod_alyx_module.sessions.advice import advise, default_request
from pybpod_alyx_module.sessions.ask_alyx_about_session import SessionQuestions
from pybpod_alyx_module.sessions.prepared_session import prepare_session
from pybpod_alyx_module.sessions.pybpod_session import alyx_subjects, csv_of, linked_subjects, read_pybpod_session
from pybpod_alyx_module.sessions.register import register
from pybpod_alyx_module.sessions.session_csv import read_start

if TYPE_CHECKING:
    from datetime import datetime
    from pathlib import Path

    from AnyQt.QtGui import QCloseEvent

    from alyx_connector.progress import CancelToken, Report
    from pybpod_alyx_module.sessions.prepared_session import PreparedSession
    from pybpod_alyx_module.sessions.register import RegistrationRequest, RegistrationResult

#: The time in the name that PyBpod gives a session.
_NAMED: Final = re.compile(r"\d{8}-\d{6}")

#: Label of the menu entry of setups and projects.
REGISTER_SEVERAL: Final = "Register sessions on Alyx…"

_DATE, _PROTOCOL, _ANIMAL, _TRIALS, _STATE = range(5)

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
    #: What a person should read about it, in full.
    text: str = ""
    registered: bool = False


class SessionsWindow(AlyxWindow):
    """Lists sessions that are not registered; those that a person ticks are registered one after the other."""

    def __init__(self, owner: Any, sessions: list[Any], parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.owner = owner
        self.setAttribute(Qt.WA_DeleteOnClose)
        self.setWindowTitle(f"Register sessions on Alyx – {owner.name}")  # noqa: RUF001 - a dash is meant
        self._settings = read_rig_settings()
        self._questions = SessionQuestions(running_outbox().client)
        self._task: Task | None = None
        self.user = BigLabel("on Alyx")
        self.table = QTreeWidget()
        self.table.setHeaderLabels(["Session", "Task protocol", "Animal", "Trials", "State"])
        self.table.setRootIsDecorated(False)
        self.table.setUniformRowHeights(True)
        header = self.table.header()
        header.setStretchLastSection(True)
        for column, width in ((_DATE, 210), (_PROTOCOL, 160), (_ANIMAL, 140), (_TRIALS, 60)):
            header.resizeSection(column, width)
            header.setSectionResizeMode(column, QHeaderView.Interactive)
        self.notices = QPlainTextEdit()
        self.notices.setReadOnly(True)
        self.notices.setTabChangesFocus(True)
        self.notices.setFixedHeight(110)
        self.status = plain_label()
        self.open_button, self.close_button, self.register_button = (
            QPushButton(text) for text in ("&Open…", "&Close", "&Register the ticked ones")
        )
        row = QHBoxLayout()
        row.addWidget(self.open_button)
        row.addStretch(1)
        row.addWidget(self.close_button)
        row.addWidget(self.register_button)
        column = QVBoxLayout(self)
        column.addWidget(self.user)
        column.addWidget(self.table, 1)
        column.addWidget(self.notices)
        column.addWidget(self.status)
        column.addLayout(row)
        resize_to_screen(self, 900, 560)
        #: The sessions; the newest first, once the beginnings of their files were read.
        self.rows = [self._row(session) for session in sessions]
        self._queue = list(self.rows)
        self._to_register: list[Row] = []
        self.table.itemChanged.connect(self._refresh)
        self.table.currentItemChanged.connect(self._on_current)
        self.table.itemDoubleClicked.connect(self._on_open)
        self.open_button.clicked.connect(self._on_open)
        self.close_button.clicked.connect(self.close)
        self.register_button.clicked.connect(self._on_register)
        registration_follower().news.connect(self._on_news)
        self._read_starts()
        self._refresh()

    @property
    def busy(self) -> bool:
        """Whether sessions are read or registered."""
        return self._task is not None and not self._task.settled

    def _read_starts(self) -> None:
        # PyBpod itself does not know when a session of an earlier day began
        files = [csv_of(row.session) for row in self.rows]

        def work(report: Report, cancel: CancelToken) -> list[datetime | RigError]:
            del report
            return [_start(file, cancel) for file in files]

        task = Task(work, "alyx-session-starts")
        task.succeeded.connect(self._on_starts)
        task.finished.connect(self._on_finished)
        self._task = task
        task.start()

    @slot
    def _on_starts(self, starts: list[datetime | RigError]) -> None:
        found = sorted(
            zip(self.rows, starts, strict=True), key=lambda one: _place(one[0].session, one[1]), reverse=True
        )
        self.rows = [row for row, _start in found]
        with QSignalBlocker(self.table):
            current = self.table.currentItem()
            self.table.invisibleRootItem().takeChildren()
            self.table.addTopLevelItems([row.item for row in self.rows])
            self.table.setCurrentItem(current)
            for row, start in found:
                if not isinstance(start, RigError):
                    row.item.setText(_DATE, f"{start:%Y-%m-%d %H:%M:%S}")
        for row, start in found:
            if isinstance(start, RigError):
                self._on_failed(row, start)
        self._queue = [row for row, start in found if not isinstance(start, RigError)]

    def _row(self, session: Any) -> Row:
        texts = [session.name, "", "", "", READING]
        item = QTreeWidgetItem(texts)
        item.setToolTip(_DATE, session.name)
        item.setFlags(Qt.ItemIsSelectable | Qt.ItemIsEnabled)
        item.setTextAlignment(_TRIALS, int(Qt.AlignRight | Qt.AlignVCenter))
        self.table.addTopLevelItem(item)
        return Row(session, item)

    def _next(self) -> None:
        # one after the other: first what is to be registered, then what is to be read
        if self.busy:
            return
        if self._to_register:
            self._register_next(self._to_register.pop(0))
        elif self._queue:
            self._read_next(self._queue.pop(0))

    def _read_next(self, row: Row) -> None:
        recorded, questions, outbox = read_pybpod_session(row.session), self._questions, running_outbox()

        def work(report: Report, cancel: CancelToken) -> PreparedSession:
            del report
            return questions.ask(prepare_session(recorded, outbox.open(), outbox.account_for), cancel)

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
        row.prepared, choice = prepared, prepared.default
        names = [one.animal.nickname for one in prepared.choices]
        row.item.setText(_PROTOCOL, cell(prepared.file.protocol))
        row.item.setText(_ANIMAL, cell(choice.animal.nickname if choice is not None else " or ".join(names)))
        row.item.setText(_TRIALS, str(prepared.file.n_trials))
        for column in (_PROTOCOL, _ANIMAL):
            row.item.setToolTip(column, row.item.text(column))
        row.request = default_request(prepared, self._settings)
        advice = advise(prepared, choice, self._settings, chosen=False) if choice is not None else None
        which = f"Say which animal it was: {' or '.join(names)}."
        notes = [*advice.blocking, *advice.notes] if advice is not None else [which]
        if row.request is None:
            self._say(row, HAS_QUESTION, "\n".join(notes))
        else:
            row.item.setFlags(row.item.flags() | Qt.ItemIsUserCheckable)
            row.item.setCheckState(_DATE, Qt.Unchecked)
            self._say(row, READY_WITH_NOTES if advice is not None and advice.needs_person else READY, "\n".join(notes))
        accounts = {
            f"as {one.username} at {server_name(one.server)}"
            for read in self.rows
            if read.prepared is not None
            for one in read.prepared.choices
            if one.username
        }
        self.user.say(", ".join(sorted(accounts)) or "nobody is connected to Alyx")

    @slot
    def _on_registered(self, row: Row, result: RegistrationResult) -> None:
        row.registered = True
        row.item.setData(_DATE, Qt.CheckStateRole, None)
        row.item.setFlags(Qt.ItemIsSelectable | Qt.ItemIsEnabled)
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
        row.item.setText(_STATE, cell(state))
        row.item.setToolTip(_STATE, state)
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
            if row.request is not None and not row.registered and row.item.checkState(_DATE) == Qt.Checked
        ]

    @slot
    def _refresh(self) -> None:
        ticked, current = self._ticked(), self._current()
        unread = sum(row.prepared is None for row in self._queue)
        self.register_button.setEnabled(bool(ticked) and not self._to_register)
        self.open_button.setEnabled(current is not None and not current.registered)
        parts = [f"{len(ticked)} ticked", f"{sum(row.registered for row in self.rows)} registered"]
        if unread or self.busy:
            parts.append(f"{unread + self.busy} still to be read" if not self._to_register else "registering…")
        self.status.setText(f"{len(self.rows)} sessions: {', '.join(parts)}" if self.rows else NOTHING)

    @slot
    def _on_open(self) -> None:
        row = self._current()
        if row is None or row.registered:
            return
        dialog = open_register_dialog(row.session)
        dialog.registered.connect(lambda result: self._on_registered(row, result))

    @slot
    def _on_register(self) -> None:
        self._to_register = self._ticked()
        for row in self._to_register:
            self._say(row, WAITS, row.text)
        self._next()
        self._refresh()

    @override
    def closeEvent(self, event: QCloseEvent) -> None:  # noqa: N802 - Qt's name
        """End the reading; what is written down already stays."""
        super().closeEvent(event)
        self._queue.clear()
        self._to_register.clear()
        if self._task is not None:
            self._task.cancel()


def open_sessions_window(owner: Any) -> SessionsWindow:
    """Show the sessions of a setup or a project that can be registered, in the open window, else in a new one."""
    for window in QApplication.topLevelWidgets():
        if isinstance(window, SessionsWindow) and window.owner is owner and window.isVisible():
            show_in_front(window)
            return window
    window = SessionsWindow(owner, _unregistered(owner), main_window_of(owner))
    show_in_front(window)
    return window


def close_sessions_windows(project: Any) -> None:
    """Close the windows that list sessions of a project."""
    for window in QApplication.topLevelWidgets():
        if isinstance(window, SessionsWindow) and getattr(window.owner, "project", window.owner) is project:
            window.close()


def _unregistered(owner: Any) -> list[Any]:
    if hasattr(owner, "experiments"):
        sessions = [one for experiment in owner.experiments for setup in experiment.setups for one in setup.sessions]
    else:
        sessions = list(owner.sessions)
    linked = linked_subjects(getattr(owner, "project", owner))
    found = [
        session
        for session in sessions
        if not session.is_running
        and session.alyx_registration_state.registration is None
        and alyx_subjects(session, linked)
        and csv_of(session).is_file()
    ]
    return sorted(found, key=lambda session: str(session.name), reverse=True)


def _start(file: Path, cancel: CancelToken) -> datetime | RigError:
    cancel.raise_if_cancelled()
    try:
        return read_start(file)
    except RigError as error:
        return error


def _place(session: Any, start: datetime | RigError) -> tuple[str, str]:
    # by its start; where the file does not tell it, by the time that PyBpod gave it as a name
    if not isinstance(start, RigError):
        return f"{start:%Y%m%d-%H%M%S}", session.name
    named = _NAMED.search(session.name)
    return named[0] if named else "", session.name
