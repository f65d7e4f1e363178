"""Who is connected in the sync window of a project, and as whom the project records: what is said where they differ."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from AnyQt.QtCore import QObject, Signal

from pybpod_alyx_module.animals.alyx_subject import server_name
from pybpod_alyx_module.gui.guard import slot
from pybpod_alyx_module.gui.running_outbox import running_outbox
from pybpod_alyx_module.host.alyx_user import alyx_user
from pybpod_alyx_module.host.project_user import log_in_user

if TYPE_CHECKING:
    from pybpod_alyx_module.connect import Connected
    from pybpod_alyx_module.gui.task import Task
    from pybpod_alyx_module.host.pybpod_objects import Project

#: What Disconnect does.
LOG_OUT: Final = "Log out: the token is deleted from this computer; what waits for this user waits for a login"

#: What is said where somebody gives up waiting for the token store.
NOT_LOGGED_OUT: Final = "Cancelled: the token may still be stored on this computer. Press Disconnect to try again."


def logged_out_words(server: str, username: str) -> str:
    """Say that somebody was logged out, and what becomes of what waits."""
    return (
        f"{username} is logged out of {server_name(server)}. What waits in the Alyx outbox for {username} stays there "
        "and is sent after the next login."
    )


def record_as(project: Project, server: str, username: str) -> None:
    """Record as this user from now on, in this project and in those where no Alyx user is logged in.

    Raises SyncError if PyBpod cannot take the user.
    """
    log_in_user(project, username)
    project.alyx_account = server, username
    running_outbox().claim(server, username)


class ProjectLogin(QObject):
    """The connection of a sync window: it does not end where somebody else records in the project."""

    #: Somebody was logged in or out, in this window or another.
    changed = Signal()
    #: Who was connected here was logged out (a sentence).
    logged_out = Signal(str)

    def __init__(self, project: Project) -> None:
        super().__init__()
        self._project = project
        #: What Get Subjects uses; None where nobody is connected here.
        self.connection: Connected | None = None
        running = running_outbox()
        running.users_changed.connect(self.changed)
        running.logged_out.connect(self._on_logged_out)

    def log_in(self, connection: Connected) -> None:
        """Record as this user from now on; an `AlyxError` says why PyBpod cannot."""
        record_as(self._project, connection.client.url, connection.username)
        self.connection = connection
        running_outbox().remember(connection.client, stored=connection.remembered)

    def drop(self) -> None:
        """Let go of the connection; who records stays the same."""
        connection, self.connection = self.connection, None
        if connection is not None:
            connection.client.close()

    def log_out(self) -> Task | None:
        """Make the task that logs out who is connected here; None where nobody is."""
        if self.connection is None:
            return None
        return running_outbox().log_out(self.connection.client.url, self.connection.username)

    def status(self, doing: str) -> str:
        """Say who is connected, and who records where that is somebody else.

        ``doing``: what is going on, empty for nothing.
        """
        recorder, connection = alyx_user(self._project), self.connection
        if connection is None:
            still = f". Records in this project are still made as {recorder}." if recorder else ""
            return f"{doing or 'Not connected'}{still}"
        status = doing or f"CONNECTED to {connection.client.url} as {connection.username}"
        return status if recorder in {"", connection.username} else f"{status}. Records here are made as {recorder}."

    @slot
    def _on_logged_out(self, server: str, username: str) -> None:
        connection = self.connection
        if connection is not None and (connection.client.url, connection.username) == (server, username):
            self.drop()
            self.logged_out.emit(logged_out_words(server, username))
