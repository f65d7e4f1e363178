"""When a request is sent again, after how long, and when an operation has taken too long."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

from urllib3.exceptions import MaxRetryError
from urllib3.util.retry import Retry

from alyx_connector.http.throttle import THROTTLED

if TYPE_CHECKING:
    from collections.abc import Callable

__all__ = ["RETRIED_STATUSES", "Attempts", "Deadline"]

#: Answers of a server or a proxy that is restarting or overloaded: a GET may be sent again.
RETRIED_STATUSES = frozenset({502, 503, 504})

# urllib3 counts the attempts and computes the pauses; the waiting is ours, because its own cannot be cancelled.
_READS = Retry(total=4, backoff_factor=0.5, status_forcelist=RETRIED_STATUSES, allowed_methods=frozenset({"GET"}))
_THROTTLED = Retry(total=None, backoff_factor=0.5, status_forcelist={THROTTLED}, allowed_methods=None)


class Attempts:
    """Counts the attempts at one request and says how long to wait before the next.

    ``method``: HTTP method: only a GET is sent again after a dropped connection or a 502, 503 or 504.
    """

    def __init__(self, method: str) -> None:
        self._method = method
        self._reads = _READS
        self._throttled = _THROTTLED
        #: How often the request has been sent.
        self.count = 1

    def wait_after_status(self, status: int, retry_after: float | None) -> float | None:
        """Say how long to wait after an answer before the request is sent again.

        Returns: seconds; None if it must not be sent again.
        """
        if self._throttled.is_retry(self._method, status):
            self._throttled = self._throttled.increment(self._method)
            self.count += 1
            return max(retry_after or 0.0, self._throttled.get_backoff_time())
        if self._reads.is_retry(self._method, status):
            pause = self.wait_after_drop()
            return None if pause is None else max(retry_after or 0.0, pause)
        return None

    def wait_after_drop(self) -> float | None:
        """Say how long to wait after a dropped connection before the request is sent again.

        Returns: seconds; None if it must not be sent again.
        """
        if self._method != "GET":
            return None
        try:
            self._reads = self._reads.increment(self._method)
        except MaxRetryError:
            return None
        self.count += 1
        return self._reads.get_backoff_time()


class Deadline:
    """Limit of an operation that may go on for as long as it makes progress.

    ``limit_s``: how long it may take without progress, in seconds.
    ``clock``: monotonic clock, in seconds.
    """

    def __init__(self, limit_s: float, clock: Callable[[], float] = time.monotonic) -> None:
        self._limit_s = limit_s
        self._clock = clock
        self._end = clock() + limit_s

    def left(self) -> float:
        """Say how much time is left; seconds, at least 0."""
        return max(0.0, self._end - self._clock())

    def renew(self) -> None:
        """Start again: there was progress."""
        self._end = self._clock() + self._limit_s
