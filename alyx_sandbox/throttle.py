"""The throttle: so many requests of one user in a minute, counted over all workers."""

from __future__ import annotations

import sqlite3
import time
from contextlib import closing
from typing import TYPE_CHECKING

from django.conf import settings
from rest_framework.throttling import UserRateThrottle

if TYPE_CHECKING:
    # The module of the views imports this one through the settings.
    from pathlib import Path

    from rest_framework.request import Request
    from rest_framework.views import APIView

_TABLE = "CREATE TABLE IF NOT EXISTS request (who TEXT NOT NULL, at REAL NOT NULL)"
_INDEX = "CREATE INDEX IF NOT EXISTS request_of ON request (who, at)"


def create_counter(path: Path) -> None:
    """Create the file in which the workers count together; requests that an earlier server counted are forgotten."""
    with closing(sqlite3.connect(path, isolation_level=None)) as counter:
        counter.execute("PRAGMA journal_mode=WAL")
        counter.execute(_TABLE)
        counter.execute(_INDEX)
        counter.execute("DELETE FROM request")


class SharedUserThrottle(UserRateThrottle):
    """The framework's throttle of users, with its history in a file that all workers share."""

    scope = "burst"

    def allow_request(self, request: Request, view: APIView) -> bool:
        """Count the request, unless there were too many."""
        if self.rate is None:
            return True
        who = self.get_cache_key(request, view)
        self.now = time.time()
        with closing(sqlite3.connect(settings.ALYX_SANDBOX_COUNTER, timeout=30, isolation_level=None)) as counter:
            counter.execute("PRAGMA synchronous=OFF")
            counter.execute("BEGIN IMMEDIATE")
            counter.execute("DELETE FROM request WHERE who = ? AND at <= ?", (who, self.now - self.duration))
            rows = counter.execute("SELECT at FROM request WHERE who = ? ORDER BY at DESC", (who,)).fetchall()
            allowed = len(rows) < self.num_requests
            if allowed:
                counter.execute("INSERT INTO request VALUES (?, ?)", (who, self.now))
            counter.execute("COMMIT")
        #: What `wait` of the framework computes Retry-After from.
        self.history = [at for (at,) in rows]
        return allowed
