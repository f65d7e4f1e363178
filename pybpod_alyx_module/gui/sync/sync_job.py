"""One press on *Get Subjects*, from the listing to the summary, without a widget."""

from __future__ import annotations

import logging
from dataclasses import dataclass
from typing import TYPE_CHECKING

from AnyQt.QtCore import QObject, QTimer, Signal

from pybpod_alyx_module.animals.handled_animals import list_owners
from pybpod_alyx_module.errors import SyncError
from pybpod_alyx_module.gui.guard import slot
from pybpod_alyx_module.gui.sync.plan_run import PlanRun
from pybpod_alyx_module.gui.task import Task
from pybpod_alyx_module.gui.time_slice import TimeSlice
from pybpod_alyx_module.sync.audit import SUBJECT_CHANGES
from pybpod_alyx_module.sync.fetch import fetch_remote
from pybpod_alyx_module.sync.last_sync import note_sync
from pybpod_alyx_module.sync.make_plan import make_plan
from pybpod_alyx_module.sync.plan import Action, SyncPlan
from pybpod_alyx_module.sync.review import reviewed, without_removals
from pybpod_alyx_module.sync.scope import USUAL, Scope

if TYPE_CHECKING:
    from collections.abc import Collection

    from alyx_connector.http.client import AlyxClient
    from alyx_connector.progress import CancelToken, Progress, Report
    from pybpod_alyx_module.sync.apply import ProjectPort, Result
    from pybpod_alyx_module.sync.review import Review
    from pybpod_alyx_module.sync.snapshot import LocalSubject, RemoteSnapshot

logger = logging.getLogger(__name__)


@dataclass(frozen=True)
class SyncResult:
    """A sync that was carried out."""

    #: The plan as it was applied, every question answered.
    plan: SyncPlan
    #: One for each of its entries.
    results: tuple[Result, ...]
    #: How many subjects the server listed.
    listed: int


class SyncJob(QObject):
    """Fetches, plans, has its questions answered, and applies in slices between GUI events.

    Exactly one of `succeeded`, `failed` and `cancelled` is sent, then `finished`, once.
    """

    #: What is happening (str).
    activity = Signal(str)
    #: How far it is (int done, int total); total 0 where that is not known.
    progressed = Signal(int, int)
    #: The plan (`SyncPlan`) asks, or removes subjects, or is always reviewed: answer with `answer`.
    review_wanted = Signal(object)
    #: The plan (`SyncPlan`) removes many subjects: answer with `confirm`.
    removals_wanted = Signal(object)
    #: A person chooses whom the plan (`SyncPlan`) adds: answer with `choose`.
    choice_wanted = Signal(object)
    #: It was carried out (`SyncResult`).
    succeeded = Signal(object)
    #: It failed (the exception); the project is as it was, except after a `NotTakenBackError`.
    failed = Signal(object)
    #: It was cancelled; the project is as it was.
    cancelled = Signal()
    #: It is over: sent last, once.
    finished = Signal()

    def __init__(
        self,
        port: ProjectPort,
        client: AlyxClient,
        username: str,
        scope: Scope = USUAL,
        *,
        always_review: bool = False,
    ) -> None:
        super().__init__()
        self._always_review = always_review
        self._is_reviewed = False
        self._scope = scope
        self._is_chosen = not scope.asks_which
        self._port = port
        self._server = client.url
        self._username = username
        self._over = False
        self._listed = 0
        self._plan: SyncPlan | None = None
        self._run: PlanRun | None = None
        self._unread = iter(port.names())
        self._local: list[LocalSubject] = []
        self._reading = QTimer(self, interval=0)
        self._reading.timeout.connect(self._on_read)

        def work(report: Report, cancel: CancelToken) -> tuple[RemoteSnapshot, SyncPlan]:
            local = tuple(self._local)
            remote = fetch_remote(client, username, local, scope, list_owners, report=report, cancel=cancel)
            return remote, make_plan(local, remote)

        self._task = Task(work, "alyx-get-subjects")
        self._task.progressed.connect(self._on_progress)
        self._task.succeeded.connect(self._on_fetched)
        self._task.failed.connect(self._on_failed)

    @property
    def over(self) -> bool:
        """Whether the result is known."""
        return self._over

    def start(self) -> None:
        """Ask the server; to be called once, after the signals are connected."""
        self.activity.emit(f"Getting {self._scope.words(self._username)} from {self._server} …")
        self.progressed.emit(0, 0)
        self._reading.start()
        self._on_read()

    @slot
    def _on_read(self) -> None:
        turn = TimeSlice()
        try:
            for key in self._unread:
                subject = self._port.read(key)
                if subject is not None:  # it left the project meanwhile
                    self._local.append(subject)
                if turn.is_over:
                    return
        except Exception as error:
            logger.exception("The project could not be read")
            self._on_failed(error)
            return
        self._reading.stop()
        self._task.start()

    def cancel(self) -> None:
        """Stop now; what was applied already is taken back, and where that does not work the job fails."""
        if self._over:
            return
        self._task.cancel()
        self._reading.stop()
        run, self._run = self._run, None
        if run is not None and not run.stop():
            return
        self._end()
        self.cancelled.emit()
        self.finished.emit()

    @slot
    def _on_progress(self, progress: Progress) -> None:
        if progress.message:
            self.activity.emit(progress.message)
        self.progressed.emit(progress.done, progress.total or 0)

    @slot
    def _on_failed(self, error: BaseException) -> None:
        if not self._over:
            self._end()
            self.failed.emit(error)
            self.finished.emit()

    def _end(self) -> None:
        self._over = True
        self._reading.stop()

    @slot
    def _on_fetched(self, fetched: tuple[RemoteSnapshot, SyncPlan]) -> None:
        if self._over:
            return
        remote, self._plan = fetched
        self._listed = len(remote.listed)
        if not remote.listed:
            self.activity.emit(nobody(remote.server, self._plan.whose))
        self._go_on()

    def _go_on(self) -> None:
        plan = self._plan
        if plan is None:
            raise SyncError("There is no plan yet.")
        if not self._is_chosen and plan.of(Action.ADD):
            self.activity.emit("Waiting for your choice of the subjects to add …")
            self.choice_wanted.emit(plan)
        elif not self._is_reviewed and self._needs_review(plan):
            self.activity.emit("Waiting for your answer about what the sync changes …")
            self.review_wanted.emit(plan)
        elif plan.many_removals:
            self.activity.emit("Waiting for your answer about the subjects that are not alive on Alyx …")
            self.removals_wanted.emit(plan)
        else:
            self._apply(plan)

    def _needs_review(self, plan: SyncPlan) -> bool:
        if plan.of(Action.ASK) or (plan.of(Action.REMOVE) and not plan.many_removals):
            return True  # many removals are a question of their own
        return self._always_review and bool(plan.of(*SUBJECT_CHANGES))

    @slot
    def answer(self, review: Review | None) -> None:
        """Take the answer to `review_wanted`.

        ``review``: what a person chose; None cancels the sync.
        """
        if self._over or self._plan is None:
            return
        if review is None:
            self.cancel()
            return
        self._is_reviewed = True
        self._plan = reviewed(self._plan, review)
        self._go_on()

    @slot
    def choose(self, chosen: Collection[str] | None) -> None:
        """Take the answer to `choice_wanted`.

        ``chosen``: Alyx ids of the subjects to add; None cancels the sync.
        """
        if self._over or self._plan is None:
            return
        if chosen is None:
            self.cancel()
            return
        self._is_chosen = True
        self._plan = self._plan.adding_only(chosen)
        self._go_on()

    @slot
    def confirm(self, remove: bool | None) -> None:
        """Take the answer to `removals_wanted`.

        ``remove``: whether to remove the subjects; None cancels the sync.
        """
        if self._over or self._plan is None:
            return
        if remove is None:
            self.cancel()
            return
        self._apply(self._plan if remove else without_removals(self._plan))

    def _apply(self, plan: SyncPlan) -> None:
        self._plan = plan
        self.activity.emit("Bringing the project up to date …")
        self._run = run = PlanRun(plan, self._port)
        run.progressed.connect(self.progressed)
        run.succeeded.connect(self._on_applied)
        run.failed.connect(self._on_failed)
        run.start()

    @slot
    def _on_applied(self, results: tuple[Result, ...]) -> None:
        run, self._run = self._run, None
        if run is None:
            return
        note_sync(self._port, results, server=self._server, username=self._username, time=run.time)
        self._end()
        self.succeeded.emit(SyncResult(run.plan, results, self._listed))
        self.finished.emit()


def nobody(server: str, whose: str) -> str:
    """Say that there are no such subjects."""
    return f"{server} lists none of {whose}."
