"""One line of the list: what was looked at, how it is, what was found, and what to do."""

from __future__ import annotations

import threading
from dataclasses import dataclass
from enum import Enum
from typing import TYPE_CHECKING, Final, TypeVar

if TYPE_CHECKING:
    from collections.abc import Callable

    from alyx_connector.progress import CancelToken

T = TypeVar("T")

#: How long one check may wait for a network, a keyring or a disk, in seconds.
LIMIT_S: Final = 5.0


class State(Enum):
    """How something is."""

    OK = "ok"
    #: Works, but somebody should know.
    WARNING = "warning"
    #: Something does not work.
    WRONG = "wrong"


@dataclass(frozen=True)
class Check:
    """The result of one check."""

    #: What belongs together: a server, the settings.
    group: str
    #: What was looked at.
    title: str
    state: State
    #: What was found: sentences.
    found: str
    #: What to do; empty where nothing is to be done.
    advice: str = ""


def within(work: Callable[[], T], cancel: CancelToken, limit_s: float = LIMIT_S) -> T:
    """Run what cannot be stopped, such as a look-up of a name, and wait no longer than the limit for its end.

    Raises TimeoutError after the limit, Cancelled as soon as it is cancelled, otherwise what ``work`` raised.
    """
    ended = threading.Event()
    results: list[T] = []
    errors: list[BaseException] = []

    def run() -> None:
        try:
            results.append(work())
        except BaseException as error:  # noqa: BLE001 - raised again by the one who waits
            errors.append(error)
        finally:
            ended.set()

    threading.Thread(target=run, name="alyx-check", daemon=True).start()
    cancel.subscribe(ended.set)
    try:
        ended.wait(limit_s)
    finally:
        cancel.unsubscribe(ended.set)
    cancel.raise_if_cancelled()
    if errors:
        raise errors[0]
    if not results:
        raise TimeoutError(f"no answer within {limit_s:g} s")
    return results[0]
