"""One press on *Undo the last sync*, from what was kept of it to the end, without a widget."""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING, Any, Final

from AnyQt.QtCore import QObject, QTimer, Signal

from pybpod_alyx_module.gui.guard import slot
from pybpod_alyx_module.gui.sync.plan_run import PlanRun
from pybpod_alyx_module.gui.task import Task, start_task
from pybpod_alyx_module.gui.time_slice import TimeSlice
from pybpod_alyx_module.gui.words import when
from pybpod_alyx_module.sync.audit import audit_rows
from pybpod_alyx_module.sync.last_sync import LastSync, lost_folders, read_last_sync
from pybpod_alyx_module.sync.undo import after_undo, look, plan_undo

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from alyx_connector.progress import CancelToken
    from pybpod_alyx_module.host.project import HostProject
    from pybpod_alyx_module.sync.apply import Result
    from pybpod_alyx_module.sync.plan import SyncPlan
    from pybpod_alyx_module.sync.undo import Present

logger = logging.getLogger(__name__)

NOTHING: Final = "There is nothing to undo: no sync has changed this project since it is kept here."
ONCE: Final = "The last sync ({0}) has been undone already ({1}). The syncs before it cannot be undone."
RUNNING: Final = "A session is running. Undo the sync when it has ended; nothing was changed."


class UndoJob(QObject):
    """Reads, plans, asks, and applies in slices between GUI events.

    One of `refused`, `done` and `failed` is sent, unless it is cancelled; then `finished`, once.

    ``username``: the Alyx user who undoes it; empty where nobody is logged in.
    ``obstacle``: says what goes on in the project that an undo must wait for; empty where nothing does.
    """

    #: The plan (`SyncPlan`), and which sync it undoes (str), is to be confirmed: answer with `confirm`.
    confirmation_wanted = Signal(object, str)
    #: Why nothing is undone (str).
    refused = Signal(str)
    #: It was undone: a tuple of `Result`, one for each change of the sync.
    done = Signal(object)
    #: It failed (the exception); the project is as it was, except after a `NotTakenBackError`.
    failed = Signal(object)
    #: It is over: sent last.
    finished = Signal()

    def __init__(self, port: HostProject, username: str, obstacle: Callable[[], str]) -> None:
        super().__init__()
        self._port = port
        self._username = username
        self._obstacle = obstacle
        self._over = False
        self._last: LastSync | None = None
        self._lost: dict[str, str] = {}
        self._plan: SyncPlan | None = None
        self._run: PlanRun | None = None
        self._present: list[Present] = []
        self._looking: Iterator[Present] = iter(())
        self._timer = QTimer(self, interval=0)
        self._timer.timeout.connect(self._on_look)

    def start(self) -> None:
        """Begin: once, after the signals are connected."""
        if self._is_refused():
            return
        folder, unsaved = self._port.folder, self._port.unsaved_last_sync

        def read(_report: Any, _cancel: CancelToken) -> tuple[LastSync | None, dict[str, str]]:
            last = unsaved
            if last is None and folder is not None:
                last = read_last_sync(folder)
            return last, {} if last is None else lost_folders(folder, last)

        start_task(Task(read, "alyx-undo"), succeeded=self._on_kept, failed=self._on_failed)

    def cancel(self) -> None:
        """Stop now; what was applied already is taken back, and where that does not work the job fails."""
        if self._over:
            return
        run, self._run = self._run, None
        if run is None or run.stop():
            self._end()

    @slot
    def _on_kept(self, kept: tuple[LastSync | None, dict[str, str]]) -> None:
        if self._over:
            return
        last, self._lost = kept
        if last is None:
            self._refuse(NOTHING)
        elif not last.changes:
            self._refuse(ONCE.format(when(last.time), when(last.undone)))
        else:
            self._last, self._looking = last, look(self._port, last)
            self._timer.start()

    @slot
    def _on_look(self) -> None:
        if self._last is None or self._over:
            return
        turn = TimeSlice()
        try:
            for one in self._looking:
                self._present.append(one)
                if turn.is_over:
                    return
            self._timer.stop()
            self._plan = plan_undo(self._last, self._present, self._port.setups, self._lost)
        except Exception as error:
            logger.exception("The project could not be read")
            self._on_failed(error)
            return
        self.confirmation_wanted.emit(self._plan, f"the sync of {when(self._last.time)}")

    @slot
    def confirm(self, wanted: bool | None) -> None:
        """Take the answer to `confirmation_wanted`; anything but True cancels it."""
        if self._over or self._plan is None:
            return
        if not wanted:
            self.cancel()
        elif not self._is_refused():
            self._run = run = PlanRun(self._plan, self._port)
            run.succeeded.connect(self._on_applied)
            run.failed.connect(self._on_failed)
            run.start()

    @slot
    def _on_applied(self, results: tuple[Result, ...]) -> None:
        run, self._run = self._run, None
        if run is None or self._last is None:
            return
        rows = audit_rows(results, server=self._last.server, username=self._username, time=run.time)
        if rows:
            self._port.note(rows, after_undo(self._last, results, run.time))
        self._over = True
        self.done.emit(results)
        self.finished.emit()

    @slot
    def _on_failed(self, error: BaseException) -> None:
        if not self._over:
            self._over = True
            self._timer.stop()
            self.failed.emit(error)
            self.finished.emit()

    def _is_refused(self) -> bool:
        why = RUNNING if self._port.is_running else self._obstacle()
        if why:
            self._refuse(why)
        return bool(why)

    def _refuse(self, why: str) -> None:
        self._over = True
        self.refused.emit(why)
        self.finished.emit()

    def _end(self) -> None:
        self._over = True
        self._timer.stop()
        self.finished.emit()
