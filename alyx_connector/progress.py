"""Progress that work reports, and the token that cancels it; neither knows of a GUI."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from dataclasses import dataclass

__all__ = ["CancelToken", "Cancelled", "Estimate", "Progress", "Report", "only_waits"]


@dataclass(frozen=True)
class Progress:
    """How far some work has come.

    Parameters
    ----------
    stage : str
        What is being done: ``"connect"``, ``"login"``, ``"get"``, ``"post"``, ``"patch"``, ``"list"``, ``"details"``,
        or ``"wait"`` before a request is sent again.
    done : int
        How many of the units are done: rows of a list, or lists where several are read at once, records, or seconds
        of a wait.
    total : int, optional
        How many there are; None where that is not known.
    message : str
        One sentence for people; may be empty.
    left_s : float, optional
        How long the rest will take, in seconds; None where that is not known.
    """

    #: What is being done.
    stage: str
    #: Units done.
    done: int
    #: Units there are; None where that is not known.
    total: int | None = None
    #: One sentence for people; may be empty.
    message: str = ""
    #: Seconds that the rest will take; None where that is not known.
    left_s: float | None = None


#: What takes progress: called by the thread that does the work, never at the same time by two.
Report = Callable[[Progress], None]


def only_waits(report: Report) -> Report:
    """Make a report that passes on nothing but waits.

    Parameters
    ----------
    report : callable
        Takes the waits.

    Returns
    -------
    callable
        Takes all progress.
    """

    def tell(progress: Progress) -> None:
        if progress.stage == "wait":
            report(progress)

    return tell


class Estimate:
    """How long the rest of some work will take.

    Parameters
    ----------
    total : int
        How many units there are.
    workers : int
        How many of them are under way at once.
    first_guess_s : float, optional
        How long one of them may take, in seconds, before any was seen.
    clock : callable
        Monotonic clock, in seconds.
    """

    def __init__(
        self,
        total: int,
        *,
        workers: int,
        first_guess_s: float | None = None,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._total = total
        self._each_s = None if first_guess_s is None else first_guess_s / min(workers, max(1, total))
        self._clock = clock
        self._began = clock()

    def left(self, done: int) -> float | None:
        """Say how long the rest will take.

        Parameters
        ----------
        done : int
            How many units are done.

        Returns
        -------
        float or None
            Seconds; None as long as nothing is done and there is no first guess.
        """
        each_s = (self._clock() - self._began) / done if done else self._each_s
        return None if each_s is None else each_s * (self._total - done)


class Cancelled(Exception):  # noqa: N818 - cancelling is a state, not an error
    """The work was cancelled. Not an `AlyxError`: cancelling is not an error."""


class CancelToken:
    """Asks work to stop; shared between the thread that works and those that may cancel it.

    Parameters
    ----------
    parent : CancelToken, optional
        Cancelling the parent cancels this token too, never the other way round.
    """

    def __init__(self, parent: CancelToken | None = None) -> None:
        self._event = threading.Event()
        self._lock = threading.Lock()
        self._callbacks: list[Callable[[], None]] = []
        self._parent = parent
        if parent is not None:
            parent.subscribe(self.cancel)

    @property
    def cancelled(self) -> bool:
        """Whether `cancel` was called."""
        return self._event.is_set()

    def cancel(self) -> None:
        """Ask the work to stop. May be called from any thread, and more than once."""
        with self._lock:
            self._event.set()
            callbacks, self._callbacks = self._callbacks, []
        for callback in callbacks:
            callback()

    def wait(self, seconds: float) -> bool:
        """Wait, unless cancelled.

        Parameters
        ----------
        seconds : float
            How long to wait, in seconds.

        Returns
        -------
        bool
            True if cancelled.
        """
        return self._event.wait(seconds)

    def raise_if_cancelled(self) -> None:
        """Stop here if cancelled.

        Raises
        ------
        Cancelled
            If `cancel` was called.
        """
        if self.cancelled:
            raise Cancelled("Cancelled.")

    def subscribe(self, callback: Callable[[], None]) -> None:
        """Have a function called once on `cancel`, by the thread that cancels; at once if already cancelled.

        Parameters
        ----------
        callback : callable
            Takes no arguments; must be quick and must not raise.
        """
        with self._lock:
            if not self._event.is_set():
                self._callbacks.append(callback)
                return
        callback()

    def unsubscribe(self, callback: Callable[[], None]) -> None:
        """Take back `subscribe`; a function that is not subscribed is ignored.

        Parameters
        ----------
        callback : callable
            What `subscribe` was given.
        """
        with self._lock:
            if callback in self._callbacks:
                self._callbacks.remove(callback)

    def detach(self) -> None:
        """Let go of the parent, so that it does not keep this token once the work is over."""
        if self._parent is not None:
            self._parent.unsubscribe(self.cancel)
