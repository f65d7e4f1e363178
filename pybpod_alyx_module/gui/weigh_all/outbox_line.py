"""What a window does with the outbox, one after the other: in the order of the presses, however fast they come."""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from AnyQt.QtCore import QObject, Signal

from pybpod_alyx_module.gui.guard import slot
from pybpod_alyx_module.gui.running_outbox import running_outbox
from pybpod_alyx_module.gui.task import start_task

if TYPE_CHECKING:
    from collections.abc import Callable

    from pybpod_alyx_module.outbox.outbox import Outbox


#: Those at work: what was pressed gets into the outbox, whatever becomes of the window.
_at_work: set[OutboxLine] = set()


@dataclass(frozen=True)
class _Job:
    work: Callable[[Outbox], Any]
    done: Callable[[Any], None]
    failed: Callable[[BaseException], None]


class OutboxLine(QObject):
    """Carries out jobs in a thread, each after the one before."""

    #: Nothing is left to do.
    ended = Signal()

    def __init__(self) -> None:
        super().__init__()
        self._running = running_outbox()
        self._jobs: deque[_Job] = deque()
        self._is_busy = False

    @property
    def is_busy(self) -> bool:
        """Whether anything is on its way into the outbox."""
        return self._is_busy or bool(self._jobs)

    def put(
        self, work: Callable[[Outbox], Any], done: Callable[[Any], None], failed: Callable[[BaseException], None]
    ) -> None:
        """Do something after what is on its way already.

        ``work``: takes the outbox, in a thread of its own.
        ``done``, ``failed``: take what came of it, before the next begins.
        """
        self._jobs.append(_Job(work, done, failed))
        self._go_on()

    def _go_on(self) -> None:
        if self._is_busy or not self._jobs:
            return
        job = self._jobs.popleft()
        self._is_busy = True
        _at_work.add(self)
        start_task(
            self._running.read(job.work, name="alyx-outbox-add"),
            succeeded=job.done,
            failed=job.failed,
            finished=self._on_finished,
        )

    @slot
    def _on_finished(self) -> None:
        self._is_busy = False
        self._go_on()
        if not self.is_busy:
            _at_work.discard(self)
            self.ended.emit()
