"""Work off the GUI thread: a function in a thread of its own, its outcome as signals in the GUI thread."""

from __future__ import annotations

import logging
import threading
import time
from functools import partial
from typing import TYPE_CHECKING, Any, Final, TypeAlias

from AnyQt.QtCore import QObject, Qt, QTimer, Signal

from alyx_connector.errors import AlyxError
from alyx_connector.progress import Cancelled, CancelToken
from pybpod_alyx_module.gui.words import brief

if TYPE_CHECKING:
    from collections.abc import Callable

    from alyx_connector.progress import Progress, Report

    #: What a task runs: it takes what to report progress to and the token that stops it, and returns a frozen value.
    Work: TypeAlias = Callable[[Report, CancelToken], Any]

logger = logging.getLogger(__name__)

#: Progress reaches the windows at most this often, in seconds; the newest replaces those in between.
PROGRESS_INTERVAL_S: Final = 0.05

#: Tasks whose thread still runs: they must live until it ends, whatever becomes of the windows that started them.
_running: set[Task] = set()


class Task(QObject):
    """A function that runs in a daemon thread and hands over its outcome in the thread that made the task.

    Exactly one of `succeeded`, `failed` and `cancelled` is sent, and after it `finished`, once, whatever the function
    does. `cancel` settles the task at once: work that hangs holds up neither a window nor the end of PyBpod, and what
    it brings later is dropped.

    ``work``: ``work(report, cancel)`` returns the result.
    ``name``: name of the thread, for the log.
    """

    #: How far the work is (`alyx_connector.progress.Progress`).
    progressed = Signal(object)
    #: The result.
    succeeded = Signal(object)
    #: The exception.
    failed = Signal(object)
    #: It was cancelled, by `cancel` or by the work itself.
    cancelled = Signal()
    #: It is over: sent last, always, once.
    finished = Signal()

    _news = Signal()

    def __init__(self, work: Work, name: str = "alyx-task") -> None:
        super().__init__()
        self._work: Work | None = work
        self._cancel = CancelToken()
        self._settled = False
        self._lock = threading.Lock()
        self._progress: Progress | None = None
        self._outcome: Callable[[], None] | None = None
        self._shown_at = float("-inf")
        self._later = QTimer(self, singleShot=True)
        self._later.timeout.connect(self._on_news)
        self._news.connect(self._on_news, Qt.QueuedConnection)
        self._thread = threading.Thread(target=self._run, name=name, daemon=True)

    @property
    def settled(self) -> bool:
        """Whether the outcome is known; nothing but `finished` is sent afterwards."""
        return self._settled

    def start(self) -> None:
        """Start the thread: once, after the signals are connected."""
        _running.add(self)
        self._thread.start()

    def cancel(self) -> None:
        """Ask the work to stop, and settle the task now; does nothing where it is settled."""
        if self._settled:
            return
        self._cancel.cancel()
        self._settle(self.cancelled.emit)

    def _run(self) -> None:
        outcome: Callable[[], None]
        work, self._work = self._work, None
        try:
            if work is None:
                raise TypeError("a task runs once")
            result = work(self._report, self._cancel)
            outcome = partial(self.succeeded.emit, result)
        except Cancelled:
            outcome = self.cancelled.emit
        except AlyxError as error:
            logger.info("%s: %s", self._thread.name, brief(str(error)))
            outcome = partial(self.failed.emit, error)
        except BaseException as error:  # SystemExit, too: nothing may end the thread without a word
            logger.exception("%s failed", self._thread.name)
            outcome = partial(self.failed.emit, error)
        with self._lock:
            self._outcome = outcome
        self._notify()

    def _report(self, progress: Progress) -> None:
        with self._lock:
            pending, self._progress = self._progress is not None, progress
        if not pending:
            self._notify()

    def _notify(self) -> None:
        try:
            self._news.emit()
        except RuntimeError:  # PyBpod is ending and Qt's half of the task is gone: nobody is left to hear of it
            logger.debug("%s ended after PyBpod", self._thread.name)

    def _on_news(self) -> None:
        with self._lock:
            outcome = self._outcome
            wait_s = self._shown_at + PROGRESS_INTERVAL_S - time.monotonic()
            if outcome is None and wait_s > 0:
                self._later.start(int(wait_s * 1000) + 1)
                return
            progress, self._progress = self._progress, None
        if progress is not None and not self._settled:
            self._shown_at = time.monotonic()
            self.progressed.emit(progress)
        if outcome is not None and self in _running:
            self._later.stop()
            self._thread.join()  # it has nothing left to do; a task must not die in its thread
            _running.discard(self)
            if not self._settled:
                self._settle(outcome)

    def _settle(self, outcome: Callable[[], None]) -> None:
        self._settled = True
        outcome()
        self.finished.emit()


def start_task(
    task: Task,
    *,
    succeeded: Callable[..., Any] | None = None,
    failed: Callable[..., Any] | None = None,
    finished: Callable[..., Any] | None = None,
) -> Task:
    """Start a task once its signals are connected.

    Returns: the same task.
    ``succeeded``, ``failed``, ``finished``: slots, for the result, for the exception and for the end.
    """
    for signal, slot in ((task.succeeded, succeeded), (task.failed, failed), (task.finished, finished)):
        if slot is not None:
            signal.connect(slot)
    task.start()
    return task
