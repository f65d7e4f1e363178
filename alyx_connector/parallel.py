"""Several requests at once, whose answers are all kept: an error is one, and what came before a stop stays."""

from __future__ import annotations

import queue
import threading
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from alyx_connector.errors import AlyxError
from alyx_connector.progress import Cancelled, CancelToken, Progress

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from alyx_connector.progress import Report

    #: A request; takes cancel token and report, returns the answer.
    Job = Callable[[CancelToken, Report], Any]

__all__ = ["Gathered", "gather"]

#: Seconds after which the thread that waits looks for a Ctrl-C, which does not wake it on every system.
_LOOK_S = 0.2
#: Seconds that a worker may take to end; a cancelled request ends at once.
_END_S = 5.0


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
    """Carry out requests, several at once.

    Parameters
    ----------
    jobs : sequence of callable
        The requests.
    workers : int
        How many at once.
    cancel : CancelToken
        Stops it; so does Ctrl-C.
    report : callable
        Takes the progress of the requests themselves, on the thread that called.
    arrived : callable
        Takes each outcome as it arrives, on the thread that called; False ends it, as if stopped.

    Returns
    -------
    Gathered
        The outcomes.
    """
    inbox: queue.SimpleQueue[tuple[int, Any] | Progress | None] = queue.SimpleQueue()
    waiting: queue.SimpleQueue[int] = queue.SimpleQueue()
    for number in range(len(jobs)):
        waiting.put(number)
    stop = CancelToken(parent=cancel)

    def work() -> None:
        while not stop.cancelled:
            try:
                number = waiting.get_nowait()
            except queue.Empty:
                return
            try:
                inbox.put((number, jobs[number](stop, inbox.put)))
            except Cancelled:
                return
            except BaseException as error:  # noqa: BLE001 - handed to the thread that called
                inbox.put((number, error))

    def wake() -> None:
        inbox.put(None)

    threads = [
        threading.Thread(target=work, name=f"alyx-ask-{number}", daemon=True)
        for number in range(min(workers, len(jobs)))
    ]
    outcomes: list[Any] = [None] * len(jobs)
    stopped: BaseException | None = None
    left = len(jobs)
    cancel.subscribe(wake)
    try:
        for thread in threads:
            thread.start()
        while left and not cancel.cancelled:
            try:
                item = inbox.get(timeout=_LOOK_S)
            except queue.Empty:
                continue
            if isinstance(item, Progress):
                report(item)
            elif item is not None:
                left -= 1
                if not arrived(_keep(outcomes, item)):
                    stopped = Cancelled("Given up.")
                    break
    except KeyboardInterrupt as interrupt:
        stopped = interrupt
    finally:
        cancel.unsubscribe(wake)
        stop.detach()
        stop.cancel()
    for thread in threads:
        if thread.ident is not None:
            thread.join(_END_S)
    while not inbox.empty():
        item = inbox.get()
        if isinstance(item, tuple):
            left -= 1
            _keep(outcomes, item)
    return Gathered(outcomes, stopped or (Cancelled("Cancelled.") if left else None))


def _keep(outcomes: list[Any], item: tuple[int, Any]) -> Any:
    number, outcome = item
    if isinstance(outcome, BaseException) and not isinstance(outcome, AlyxError):
        raise outcome
    outcomes[number] = outcome
    return outcome
