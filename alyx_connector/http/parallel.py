"""Several requests at once, whose answers and progress are handed over on the thread that called."""

from __future__ import annotations

import queue
import threading
from contextlib import suppress
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from alyx_connector.errors import AlyxError
from alyx_connector.progress import Cancelled, CancelToken, Progress

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence
    from types import TracebackType

    from alyx_connector.progress import Report

    #: A request; takes cancel token and report, returns the answer.
    Job = Callable[[CancelToken, Report], Any]

__all__ = ["Batch", "Gathered", "gather"]

#: Seconds after which the thread that waits looks for a Ctrl-C, which does not wake it on every system.
_LOOK_S = 0.2
#: Seconds that a worker may take to end; a cancelled request ends at once.
_END_S = 5.0


class Batch:
    """Some requests, several under way at once; leaving its ``with`` block cancels those that are.

    ``workers``: how many at once.
    ``report``: takes the progress of the requests themselves, on the thread that called.
    """

    def __init__(self, jobs: Sequence[Job], *, workers: int, cancel: CancelToken, report: Report) -> None:
        self._jobs = jobs
        self._cancel = cancel
        self._report = report
        #: What came of each request so far, an answer or an error, by its number. It is kept here before it is handed
        #: over: Ctrl-C may come between the two.
        self.outcomes: dict[int, Any] = {}
        # Workers hand everything over through the inbox; None only wakes the thread that waits.
        self._inbox: queue.SimpleQueue[int | Progress | None] = queue.SimpleQueue()
        self._waiting: queue.SimpleQueue[int] = queue.SimpleQueue()
        for number in range(len(jobs)):
            self._waiting.put(number)
        self._stop = CancelToken(parent=cancel)
        self._threads = [
            threading.Thread(target=self._work, name=f"alyx-ask-{number}", daemon=True)
            for number in range(min(workers, len(jobs)))
        ]

    def __enter__(self) -> Batch:
        """Return the batch itself."""
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        """Cancel what is under way, without waiting for its end."""
        self._cancel.unsubscribe(self._wake)
        self._stop.detach()
        self._stop.cancel()

    def arriving(self) -> Iterator[Any]:
        """Send the requests, and hand over what comes of each as it arrives."""
        self._cancel.subscribe(self._wake)
        for thread in self._threads:
            thread.start()
        left = len(self._jobs)
        while left:
            self._cancel.raise_if_cancelled()
            try:
                item = self._inbox.get(timeout=_LOOK_S)
            except queue.Empty:
                continue
            if isinstance(item, Progress):
                self._report(item)
            elif item is not None:
                left -= 1
                yield self.outcomes[item]

    def join(self) -> None:
        """Wait for the requests that were cancelled: an answer may come all the same."""
        for thread in self._threads:
            if thread.ident is not None:
                thread.join(_END_S)

    def _wake(self) -> None:
        self._inbox.put(None)

    def _work(self) -> None:
        while not self._stop.cancelled:
            try:
                number = self._waiting.get_nowait()
            except queue.Empty:
                return
            try:
                self.outcomes[number] = self._jobs[number](self._stop, self._inbox.put)
            except BaseException as error:  # noqa: BLE001 - handed to the thread that called
                self.outcomes[number] = error
            self._inbox.put(number)


@dataclass(frozen=True)
class Gathered:
    """What came of some requests."""

    #: In the order of the requests: the answer, or the error; None for those that were not answered before a stop.
    outcomes: list[Any]
    #: What stopped it, a `Cancelled` or a KeyboardInterrupt; None if every request has its outcome.
    stopped: BaseException | None


def gather(
    jobs: Sequence[Job],
    *,
    workers: int,
    cancel: CancelToken,
    report: Report,
    arrived: Callable[[Any], bool],
) -> Gathered:
    """Carry out requests, several at once, and keep all that came: an error is an outcome, a stop loses nothing.

    ``jobs``, ``workers``, ``cancel``, ``report``: see `Batch`. Ctrl-C stops it too.
    ``arrived``: takes each outcome as it arrives, on the thread that called; False ends it, as if stopped.
    """
    stopped: BaseException | None = None
    batch = Batch(jobs, workers=workers, cancel=cancel, report=report)
    try:
        with suppress(Cancelled), batch:
            for outcome in batch.arriving():
                if not arrived(_kept(outcome)):
                    stopped = Cancelled("Given up.")
                    break
    except KeyboardInterrupt as interrupt:
        stopped = interrupt
    batch.join()
    came = {
        number: _kept(outcome)
        for number, outcome in batch.outcomes.copy().items()
        if not isinstance(outcome, Cancelled)
    }
    cancelled = Cancelled("Cancelled.") if len(came) < len(jobs) else None
    return Gathered([came.get(number) for number in range(len(jobs))], stopped or cancelled)


def _kept(outcome: Any) -> Any:
    if isinstance(outcome, BaseException) and not isinstance(outcome, AlyxError):
        raise outcome
    return outcome
