"""The server's throttle (429): how long to wait, and the gate that holds back a user's requests meanwhile."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

from urllib3.exceptions import InvalidHeader
from urllib3.util.retry import Retry

if TYPE_CHECKING:
    from collections.abc import Callable

__all__ = ["THROTTLED", "ThrottleGate", "parse_retry_after"]

#: The server throttles; it did not carry out the request, so every method may be sent again.
THROTTLED = 429


def parse_retry_after(text: str | None) -> float | None:
    """Read a ``Retry-After`` header.

    Returns: seconds to wait, at least 0; None where there is no such header or it makes no sense.
    ``text``: the header: seconds, or a date.
    """
    if text is None:
        return None
    try:
        return float(Retry().parse_retry_after(text))
    except (InvalidHeader, ValueError, OverflowError, TypeError):
        return None


class ThrottleGate:
    """Holds back all requests of one user while the server throttles that user.

    ``clock``: monotonic clock, in seconds.
    """

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._opens = clock()

    def hold(self, seconds: float) -> None:
        """Close the gate for some seconds; never opens it earlier than it would have."""
        self._opens = max(self._opens, self._clock() + seconds)

    def left(self) -> float:
        """Say how long the gate stays closed."""
        return max(0.0, self._opens - self._clock())
