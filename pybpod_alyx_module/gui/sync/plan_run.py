"""A plan on its way into a project, in slices between GUI events."""

from __future__ import annotations

import logging
from datetime import datetime
from typing import TYPE_CHECKING, cast

from AnyQt.QtCore import QObject, QTimer, Signal

from pybpod_alyx_module.gui.guard import slot
from pybpod_alyx_module.gui.time_slice import TimeSlice
from pybpod_alyx_module.sync.apply import apply_plan

if TYPE_CHECKING:
    from collections.abc import Generator

    from pybpod_alyx_module.sync.apply import ProjectPort, Result
    from pybpod_alyx_module.sync.plan import SyncPlan

logger = logging.getLogger(__name__)


class PlanRun(QObject):
    """Applies a plan; one of `succeeded` and `failed` is sent, unless `stop` came first and worked.

    ``plan``: without open questions.
    """

    #: How far it is (int done, int total).
    progressed = Signal(int, int)
    #: It was carried out: a tuple of `Result`, one for each entry.
    succeeded = Signal(object)
    #: It failed (the exception); the project is as it was, except after a `NotTakenBackError`.
    failed = Signal(object)

    def __init__(self, plan: SyncPlan, port: ProjectPort) -> None:
        super().__init__()
        self.plan = plan
        #: When it was applied, ISO 8601 with offset.
        self.time = datetime.now().astimezone().isoformat(timespec="seconds")
        self._results: list[Result] = []
        self._steps: Generator[Result, None, None] | None = cast(
            "Generator[Result, None, None]", apply_plan(plan, port, synced_at=self.time)
        )
        self._timer = QTimer(self, interval=0)
        self._timer.timeout.connect(self._on_slice)

    def start(self) -> None:
        """Begin: once, after the signals are connected."""
        self._timer.start()

    def stop(self) -> bool:
        """Stop now, and take back what was applied.

        Returns: whether that worked; where it did not, `failed` is sent.
        """
        steps = self._steps
        self._end()
        try:
            if steps is not None:
                steps.close()
        except Exception as error:
            logger.exception("What was applied of the plan could not be taken back")
            self.failed.emit(error)
            return False
        return True

    @slot
    def _on_slice(self) -> None:
        if self._steps is None:
            return
        turn = TimeSlice()
        try:
            for result in self._steps:
                self._results.append(result)
                if turn.is_over:
                    break
            else:
                self._end()
                self.succeeded.emit(tuple(self._results))
                return
        except Exception as error:
            logger.exception("The plan could not be applied")
            self._end()
            self.failed.emit(error)
            return
        self.progressed.emit(len(self._results), len(self.plan.entries))

    def _end(self) -> None:
        self._timer.stop()
        self._steps = None
