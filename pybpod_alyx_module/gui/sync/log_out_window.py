"""The window *Log out of Alyx*: who is logged in on this computer, and a button for each to end that."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING, Any

from AnyQt.QtCore import Qt
from AnyQt.QtWidgets import QApplication, QHBoxLayout, QPushButton, QVBoxLayout, QWidget

from pybpod_alyx_module.animals.alyx_subject import server_name
from pybpod_alyx_module.gui.guard import slot
from pybpod_alyx_module.gui.messages import describe
from pybpod_alyx_module.gui.running_outbox import running_outbox
from pybpod_alyx_module.gui.show_in_front import show_in_front
from pybpod_alyx_module.gui.sync.project_login import logged_out_words
from pybpod_alyx_module.gui.task import Task, start_task
from pybpod_alyx_module.gui.widgets import plain_label
from pybpod_alyx_module.gui.windows import AlyxWindow, resize_to_screen

if TYPE_CHECKING:
    from alyx_connector.progress import CancelToken

#: Label of the menu entry.
LOG_OUT = "Log out of Alyx…"

NOBODY = "Nobody is logged in to Alyx on this computer."
LOOKING = "Looking who is logged in…"
UNKNOWN = "Who is logged in could not be found out. Close this window and open it again to look once more."


class LogOutWindow(AlyxWindow):
    """Logs out of Alyx, whoever is connected in whatever window; it never waits for a keyring."""

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setAttribute(Qt.WA_DeleteOnClose)
        self.setWindowTitle("Log out of Alyx")
        resize_to_screen(self, 560, 260)
        self.running = running_outbox()
        #: By server and user.
        self.buttons: dict[tuple[str, str], QPushButton] = {}
        self.message = plain_label()
        self.status = plain_label()
        self.close_button = QPushButton("&Close")
        self.close_button.clicked.connect(self.close)
        self._accounts = QVBoxLayout()
        row = QHBoxLayout()
        row.addStretch(1)
        row.addWidget(self.close_button)
        column = QVBoxLayout(self)
        column.addWidget(self.message)
        column.addLayout(self._accounts)
        column.addStretch(1)
        column.addWidget(self.status)
        column.addLayout(row)
        self.close_button.setFocus()
        self.running.users_changed.connect(self.look)
        self.look()

    def tell(self, text: str) -> None:
        """Add what happened to what is shown."""
        self.status.setText("\n".join(part for part in (self.status.text(), text) if part))

    @slot
    def look(self) -> None:
        """Find out who is logged in."""
        logins = self.running.logins

        def work(_report: Any, _cancel: CancelToken) -> tuple[tuple[str, str], ...]:
            return logins.logged_in()

        self.message.setText(LOOKING)
        start_task(Task(work, "alyx-logged-in"), succeeded=self._on_found, failed=self._on_not_found)

    @slot
    def _on_not_found(self, error: BaseException) -> None:
        self.message.setText(UNKNOWN)
        self._on_failed(error)

    @slot
    def _on_found(self, accounts: tuple[tuple[str, str], ...]) -> None:
        self.message.setText("Logged in on this computer:" if accounts else NOBODY)
        for account in set(self.buttons) - set(accounts):
            self.buttons.pop(account).deleteLater()
        for account in accounts:
            if account not in self.buttons:
                server, username = account
                button = QPushButton(f"Log out {username} of {server_name(server)}")
                button.clicked.connect(partial(self._on_log_out, account))
                self.buttons[account] = button
                self._accounts.addWidget(button)

    @slot
    def _on_log_out(self, account: tuple[str, str]) -> None:
        self.buttons[account].setEnabled(False)
        task = self.running.log_out(*account)
        start_task(task, succeeded=partial(self._on_logged_out, account), failed=partial(self._on_kept, account))

    @slot
    def _on_logged_out(self, account: tuple[str, str]) -> None:
        self.tell(logged_out_words(*account))

    @slot
    def _on_kept(self, account: tuple[str, str], error: BaseException) -> None:
        self._on_failed(error)
        if account in self.buttons:
            self.buttons[account].setEnabled(True)

    @slot
    def _on_failed(self, error: BaseException) -> None:
        self.status.setText(describe(error).text)


def open_log_out_window(parent: QWidget | None = None) -> LogOutWindow:
    """Show the window: the one that is open, or a new one."""
    shown = [one for one in QApplication.topLevelWidgets() if isinstance(one, LogOutWindow) and one.isVisible()]
    window = shown[0] if shown else LogOutWindow(parent.window() if parent is not None else None)
    show_in_front(window)
    return window
