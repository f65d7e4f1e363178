"""The window *Sync to Alyx*."""

from __future__ import annotations

from datetime import datetime
from functools import partial
from typing import TYPE_CHECKING, Any, Final

from AnyQt.QtCore import QEvent, Qt, Signal
from AnyQt.QtWidgets import QPlainTextEdit, QPushButton, QWidget

from alyx_connector.errors import (
    AlyxError,
    CertificateError,
    LoginRejectedError,
    LoginRequiredError,
    NotAlyxError,
    NotFoundError,
    UnreachableError,
)
from pybpod_alyx_module.connect import Connected, LastAccount, connecting, last_account
from pybpod_alyx_module.errors import NotTakenBackError, SyncError
from pybpod_alyx_module.gui.guard import override, slot
from pybpod_alyx_module.gui.history.details_window import refresh_details_windows
from pybpod_alyx_module.gui.messages import describe, is_unusable_address
from pybpod_alyx_module.gui.running_outbox import running_outbox
from pybpod_alyx_module.gui.show_in_front import raise_quietly, show_in_front
from pybpod_alyx_module.gui.sync.history.syncs_window import open_syncs_window
from pybpod_alyx_module.gui.sync.project_login import LOG_OUT, NOT_LOGGED_OUT, ProjectLogin
from pybpod_alyx_module.gui.sync.project_port import port_of
from pybpod_alyx_module.gui.sync.project_scope import ProjectScope
from pybpod_alyx_module.gui.sync.questions.choose_subjects import ChooseSubjectsDialog
from pybpod_alyx_module.gui.sync.questions.removals_dialog import RemovalsDialog
from pybpod_alyx_module.gui.sync.questions.review_dialog import ReviewDialog
from pybpod_alyx_module.gui.sync.summary import summary
from pybpod_alyx_module.gui.sync.sync_form import SyncForm
from pybpod_alyx_module.gui.sync.sync_job import SyncJob, SyncResult, nobody
from pybpod_alyx_module.gui.task import Task, start_task
from pybpod_alyx_module.gui.windows import AlyxWindow, main_window_of, resize_to_screen
from pybpod_alyx_module.gui.words import without_long_words
from pybpod_alyx_module.read_settings import read_settings

if TYPE_CHECKING:
    from collections.abc import Callable

    from AnyQt.QtGui import QCloseEvent, QKeyEvent

    from alyx_connector.progress import Progress
    from pybpod_alyx_module.gui.sync.questions.question import Question
    from pybpod_alyx_module.host.pybpod_objects import Project
    from pybpod_alyx_module.sync.plan import SyncPlan

SAVE_FIRST: Final = "Save the project before Run: it has changes that are not saved."

UNDOING: Final = "The last sync is being undone: answer that question first."

#: How a sync that did not come to its end leaves the project.
UNCHANGED: Final = "Nothing in the project was changed."

#: Errors after which most likely the address has to be typed again.
ABOUT_ADDRESS: Final = (UnreachableError, CertificateError, NotFoundError, NotAlyxError)


class SyncWindow(AlyxWindow):
    """Connects a project to Alyx and syncs its subjects; it never waits for the network or a keyring."""

    #: A sync was carried out (`SyncResult`).
    synced = Signal(object)

    def __init__(self, project: Project, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.project = project
        self.form = form = SyncForm(self)
        resize_to_screen(self, 720, 680)
        self._login = ProjectLogin(project)
        self._login.changed.connect(self._update)
        self._login.logged_out.connect(self._on_logged_out)
        self._scope = ProjectScope(project, form, self._login)
        self._lookup: Task | None = None
        self._task: Task | None = None
        self._job: SyncJob | None = None
        self._dialog: Question | None = None
        self._to_correct = form.password
        #: What is going on with the connection, for the status.
        self._doing = ""
        for field in (form.address, form.username):
            field.textEdited.connect(self._on_account_edited)
        form.password.textChanged.connect(self._name_connect_button)
        form.remember.box.toggled.connect(self._name_connect_button)
        form.connect_button.clicked.connect(self._on_connect_button)
        form.get_button.clicked.connect(self._on_get_subjects)
        form.cancel_button.clicked.connect(self._on_cancel)
        form.undo_button.clicked.connect(self._on_undo)
        self._update()

    @property
    def connected(self) -> bool:
        """Whether the connection stands."""
        return self._login.connection is not None

    @property
    def working(self) -> bool:
        """Whether the window connects or syncs."""
        return self._task is not None or self._job is not None

    def prefill(self) -> None:
        """Fill the fields that no hand has filled: from the settings, else from the account used last."""
        self.setWindowTitle(f"Sync to Alyx – {self.project.name}")  # noqa: RUF001 - a dash is meant
        if self.connected or self.working or self._account_typed():
            return
        settings = read_settings()
        self.form.address.setText(settings.address)
        self.form.username.setText(settings.username)
        self.form.password.setText(settings.password)
        if self._lookup is None:
            for problem in settings.problems:
                self.form.tell(problem.text)
        self._lookup = start_task(
            Task(last_account(settings.address, settings.username), "alyx-last-account"),
            succeeded=self._on_last_account,
            failed=self._show_error,
        )

    def _account_typed(self) -> bool:
        return bool(self.form.address.isModified() or self.form.username.isModified())

    @slot
    def _on_last_account(self, found: LastAccount) -> None:
        form = self.form
        form.remember.store = found.store
        for note in found.notes:
            form.tell(note)
        if not (self.connected or self.working or self._account_typed()):
            form.address.setText(found.address)
            form.username.setText(found.username)
            form.remember.show_account(remembered=found.remembered)
            if not form.password.isModified():
                form.focus_first_empty()

    @slot
    def _on_account_edited(self) -> None:
        self.form.remember.show_account(remembered=False)
        self._disconnect()

    def _disconnect(self) -> None:
        self._login.drop()
        self._update()

    @slot
    def _update(self) -> None:
        """Enable what can be used now, and say how things stand."""
        form = self.form
        for widget in (form.address, form.username, form.password, form.remember, form.connect_button):
            widget.setEnabled(not self.working)
        form.get_button.setEnabled(self.connected and not self.working)
        form.scope.setEnabled(not self.working)
        form.cancel_button.setEnabled(self.working)
        self._name_connect_button()
        form.status.setText(without_long_words(f"Status: {self._login.status(self._doing)}"))
        if not self.working:
            form.rest()

    @slot
    def _name_connect_button(self) -> None:
        form = self.form  # who types a password, or changes the tick, means to connect once more
        self._leaves = self.connected and not form.password.text() and not form.remember.is_changed
        form.connect_button.setText("Disconnect" if self._leaves else "Connect")
        form.connect_button.setToolTip(LOG_OUT if self._leaves else "")

    @slot
    def _on_connect_button(self) -> None:
        task = self._login.log_out() if self._leaves and not self.working else None
        if task is None:
            self._on_connect()
            return
        task.cancelled.connect(partial(self.form.tell, NOT_LOGGED_OUT))
        self._doing = "Logging out …"
        self._task = start_task(task, failed=self._show_error, finished=self._on_connect_finished)
        self._update()

    @slot
    def _on_logged_out(self, words: str) -> None:
        self.form.tell(words)
        self.form.remember.show_account(remembered=False)
        self._update_notice()

    @slot
    def _on_connect(self) -> None:
        if self.working:
            return
        form = self.form
        address, username = form.address.text().strip(), form.username.text().strip()
        for value, field, name in ((address, form.address, "address"), (username, form.username, "user")):
            if not value:
                form.tell(f"The {name} is missing: type it, then press Connect.")
                field.setFocus()
                return
        held = None if self._login.connection is None else self._login.connection.client.token
        self._disconnect()
        work = connecting(address, username, form.password.text(), held, keep=form.remember.keep)
        task = Task(work, "alyx-connect")
        self._to_correct = form.password
        task.progressed.connect(self._on_progress)
        task.cancelled.connect(partial(self.form.tell, "Cancelled: not connected."))
        self._doing = "Connecting …"
        form.show_activity(self._doing)
        form.show_progress(0, 0)
        self._task = start_task(
            task,
            succeeded=self._on_connected,
            failed=self._on_not_connected,
            finished=self._on_connect_finished,
        )
        self._update()

    @slot
    def _on_progress(self, progress: Progress) -> None:
        if progress.message:
            self.form.show_activity(progress.message)

    @slot
    def _on_connected(self, connection: Connected) -> None:
        form = self.form
        form.password.clear()
        form.remember.show_account(remembered=connection.remembered)
        form.tell(f"Connected to {connection.client.url} as {connection.username}.")
        if connection.problem:
            form.tell(connection.problem)
        try:
            self._login.log_in(connection)
        except AlyxError as error:
            self._show_error(error)
            connection.client.close()
        self._update_notice()

    @slot
    def _on_not_connected(self, error: BaseException) -> None:
        self._show_error(error)
        if isinstance(error, LoginRejectedError):
            self.form.password.clear()
        elif isinstance(error, ABOUT_ADDRESS) or is_unusable_address(error):
            self._to_correct = self.form.address

    @slot
    def _on_connect_finished(self) -> None:
        self._task, self._doing = None, ""
        self._update()
        if self.connected:
            self.form.get_button.setFocus()
        else:
            self._to_correct.setFocus()

    @slot
    def _show_error(self, error: BaseException) -> None:
        self.form.tell(describe(error).text)

    @slot
    def _on_get_subjects(self) -> None:
        if self.working or (connection := self._login.connection) is None:
            return
        undoing = self.project.alyx_syncs_window
        if undoing is not None and undoing.working:
            self.form.tell(UNDOING)
            return
        if (scope := self._scope.chosen()) is None:
            return
        port = port_of(self.project, running_outbox().hold)
        always = read_settings().review == "always"
        self._job = job = SyncJob(port, connection.client, connection.username, scope, always_review=always)
        job.activity.connect(self.form.show_activity)
        job.progressed.connect(self.form.show_progress)
        for wanted, kind, answer in (
            (job.review_wanted, ReviewDialog, job.answer),
            (job.removals_wanted, RemovalsDialog, job.confirm),
            (job.choice_wanted, ChooseSubjectsDialog, job.choose),
        ):
            wanted.connect(partial(self._ask, kind, answer))
        job.succeeded.connect(self._on_synced)
        job.failed.connect(self._on_sync_failed)
        job.cancelled.connect(self._on_sync_cancelled)
        job.finished.connect(self._on_sync_finished)
        self._update()
        job.start()

    @slot
    def _ask(
        self, kind: Callable[[SyncPlan, QWidget], Question], answer: Callable[[Any], object], plan: SyncPlan
    ) -> None:
        if self._job is None:
            return
        self._dialog = dialog = kind(plan, self)
        dialog.answered.connect(self._on_answered)
        dialog.answered.connect(answer)
        dialog.show()  # not modal: PyBpod's Stop must stay within reach

    @slot
    def _on_answered(self) -> None:
        dialog, self._dialog = self._dialog, None
        if dialog is not None:
            raise_quietly(self)
            if dialog.was_active:
                self.activateWindow()

    @slot
    def _on_synced(self, result: SyncResult) -> None:
        plan = result.plan
        heading = f"Synced {plan.whose} with {plan.server}." if result.listed else nobody(plan.server, plan.whose)
        self._tell_run(f"{heading}\n\n{summary(result.results)}" if result.results else heading)
        refresh_details_windows()
        self.form.undo_button.setVisible(any(it.change is not None for it in result.results))
        self.synced.emit(result)
        self._update_notice()

    def _tell_run(self, text: str) -> None:
        # one window may hold several runs: the time tells them apart
        self.form.tell(f"{datetime.now().astimezone():%H:%M:%S}  {text}")

    @slot
    def _on_undo(self) -> None:
        open_syncs_window(self.project).undo()

    def _update_notice(self) -> None:
        self.form.notice.setText("" if self.project.is_saved() else SAVE_FIRST)

    @slot
    def _on_sync_failed(self, error: BaseException) -> None:
        text = describe(error).text
        self._tell_run(text if isinstance(error, NotTakenBackError) else f"{text} {UNCHANGED}")
        if isinstance(error, LoginRequiredError):
            self._disconnect()

    @slot
    def _on_sync_cancelled(self) -> None:
        self._tell_run(f"You cancelled. {UNCHANGED}")

    @slot
    def _on_sync_finished(self) -> None:
        self._job = None
        dialog, self._dialog = self._dialog, None
        if dialog is not None:
            dialog.reject()
        self._update()
        if not self.connected:
            self.form.password.setFocus()
        raise_quietly(self)

    @slot
    def _on_cancel(self) -> None:
        if self._task is not None:
            self._task.cancel()
        if self._job is not None:
            self._job.cancel()

    @override
    def keyPressEvent(self, event: QKeyEvent) -> None:  # noqa: N802 - Qt's name
        """Connect on Enter, close on Escape; Enter on another button presses that one."""
        if event.key() in (Qt.Key_Return, Qt.Key_Enter):
            focused = self.focusWidget()
            if isinstance(focused, QPushButton):
                focused.click()
            elif not isinstance(focused, QPlainTextEdit):
                self._on_connect()
        else:
            super().keyPressEvent(event)

    @override
    def changeEvent(self, event: QEvent) -> None:  # noqa: N802 - Qt's name
        """Take *save first* away once that was done."""
        super().changeEvent(event)
        if event.type() == QEvent.ActivationChange and self.form.notice.text():
            self._update_notice()

    @override
    def closeEvent(self, event: QCloseEvent) -> None:  # noqa: N802 - Qt's name
        """Stop what is going on; what was applied of an unfinished sync is taken back.

        The window and its connection last as long as the project.
        """
        super().closeEvent(event)
        self._on_cancel()
        self.form.password.clear()
        if self.project.is_closed:
            if self._lookup is not None:
                self._lookup.cancel()
            self._disconnect()
            self.deleteLater()


def open_sync_window(project: Project) -> SyncWindow:
    """Show the sync window of a project: the one that is open, or a new one; SyncError if the project was closed."""
    if project.is_closed:
        raise SyncError(f"The PyBpod project {project.name!r} was closed.", hint="Open it again, then sync.")
    window: SyncWindow | None = project.alyx_window
    if window is None:
        window = SyncWindow(project, main_window_of(project))
        project.alyx_window = window
    if not window.isVisible():
        window.prefill()
    show_in_front(window)
    return window
