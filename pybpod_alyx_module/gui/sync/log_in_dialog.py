"""The dialog *Log in to Alyx*: one user at one server; it changes nothing in a PyBpod project."""

from __future__ import annotations

from typing import TYPE_CHECKING

from AnyQt.QtCore import Qt, Signal
from AnyQt.QtWidgets import QApplication, QFormLayout, QLineEdit, QPushButton, QVBoxLayout, QWidget

from alyx_connector.errors import LoginRejectedError
from pybpod_alyx_module.connect import connecting
from pybpod_alyx_module.gui.guard import override, slot
from pybpod_alyx_module.gui.messages import describe
from pybpod_alyx_module.gui.running_outbox import running_outbox
from pybpod_alyx_module.gui.show_in_front import show_in_front
from pybpod_alyx_module.gui.sync.questions.question import Question
from pybpod_alyx_module.gui.sync.sync_form import RememberBox
from pybpod_alyx_module.gui.task import Task, start_task
from pybpod_alyx_module.gui.widgets import BigLabel, button_row, plain_label
from pybpod_alyx_module.gui.windows import press_focused, resize_to_screen
from pybpod_alyx_module.gui.words import without_long_words

if TYPE_CHECKING:
    from collections.abc import Callable

    from AnyQt.QtGui import QKeyEvent

    from pybpod_alyx_module.connect import Connected


class LogInDialog(Question):
    """Logs a user in: the answer is the user, None where nobody was logged in. It blocks nothing.

    ``why``: what it is for, a sentence.
    ``username``: who has to log in; empty where the person types who they are.
    """

    #: Somebody is logged in: who.
    logged_in = Signal(str)

    def __init__(self, server: str, why: str, username: str = "", parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.account = server, username
        self._callers: list[Callable[[str], object]] = []
        self.setWindowTitle("Log in to Alyx")
        resize_to_screen(self, 560, 300)
        self.why = plain_label(why)
        self.username = QLineEdit(username)
        self.username.setReadOnly(bool(username))
        self.password = QLineEdit()
        self.password.setEchoMode(QLineEdit.Password)
        self.remember = RememberBox()
        self.status = plain_label()
        self.log_in_button = QPushButton("&Log in")
        self.cancel_button = QPushButton("&Cancel")
        self._task: Task | None = None
        form = QFormLayout()
        form.addRow("&User", self.username)
        form.addRow("&Password", self.password)
        self.log_in_button.clicked.connect(self._on_log_in)
        self.cancel_button.clicked.connect(self.reject)
        column = QVBoxLayout(self)
        column.addWidget(BigLabel(f"Log in to {server}", points=4))
        column.addWidget(self.why)
        column.addLayout(form)
        column.addWidget(self.remember)
        column.addStretch(1)
        column.addWidget(self.status)
        column.addLayout(button_row(self.log_in_button, self.cancel_button))
        (self.password if username else self.username).setFocus()

    def also_for(self, why: str, logged_in: Callable[[str], object]) -> None:
        """Log in for this, too; for what has been asked for already, this does nothing."""
        if why not in self.why.text().split("\n"):
            self.why.setText(f"{self.why.text()}\n{why}")
        if logged_in not in self._callers:
            self._callers.append(logged_in)
            self.logged_in.connect(logged_in)

    @slot
    def _on_log_in(self) -> None:
        username = self.username.text().strip()
        if self._task is not None:
            return
        if not username:
            self.status.setText("The user is missing: type it, then press Log in.")
            self.username.setFocus()
            return
        self.status.setText("Logging in…")
        self._enable(False)
        work = connecting(self.account[0], username, self.password.text(), keep=self.remember.keep)
        self._task = start_task(
            Task(work, "alyx-log-in"),
            succeeded=self._on_logged_in,
            failed=self._on_failed,
            finished=self._on_finished_task,
        )

    @slot
    def _on_logged_in(self, connection: Connected) -> None:
        self.password.clear()
        running_outbox().remember(connection.client, stored=connection.remembered)
        connection.client.close()
        self._answer = connection.username
        self.accept()
        self.logged_in.emit(connection.username)

    @slot
    def _on_failed(self, error: BaseException) -> None:
        self.status.setText(without_long_words(describe(error).text))
        if isinstance(error, LoginRejectedError):
            self.password.clear()

    @slot
    def _on_finished_task(self) -> None:
        self._task = None
        self._enable(True)
        self.password.setFocus()

    def _enable(self, enabled: bool) -> None:
        for widget in (self.username, self.password, self.remember, self.log_in_button):
            widget.setEnabled(enabled)

    @override
    def done(self, result: int) -> None:
        """Close; a log-in that is under way is given up."""
        if self._task is not None and self._answer is None:
            self._task.cancel()
        self.password.clear()
        super().done(result)

    @override
    def keyPressEvent(self, event: QKeyEvent) -> None:  # noqa: N802 - Qt's name
        """Enter logs in, or presses the button that has the keyboard; Escape closes."""
        if event.key() in (Qt.Key_Return, Qt.Key_Enter):
            if not press_focused(self):
                self._on_log_in()
            event.accept()
            return
        super().keyPressEvent(event)


def ask_to_log_in(
    server: str, why: str, logged_in: Callable[[str], object], *, username: str = "", parent: QWidget | None = None
) -> LogInDialog:
    """Show the dialog, the one that is open for this account, else a new one.

    ``logged_in``: a method of a window; takes the user once somebody is logged in, if the window is still there.
    """
    shown = [one for one in QApplication.topLevelWidgets() if isinstance(one, LogInDialog) and one.isVisible()]
    same = [one for one in shown if one.account == (server, username)]
    dialog = same[0] if same else LogInDialog(server, why, username, parent)
    dialog.also_for(why, logged_in)
    show_in_front(dialog)
    return dialog
