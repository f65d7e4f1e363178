"""When the answers of a server were sent, by the clock that dates them."""

from __future__ import annotations

import datetime as dt
import threading
from email.utils import parsedate_to_datetime
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from alyx_connector.http.transport import Reply

__all__ = ["ServerTime", "utc_now"]

#: No server answers in another: days can be added to and taken from each time in these.
_YEARS = range(1970, 9000)


class ServerTime:
    """Takes the ``Date`` header of the answers to one call; may be used by several threads.

    All times are naive UTC. A ``Date`` is in whole seconds, rounded down. Without one in every answer nothing is known.
    """

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._date: dt.datetime | None = None
        self._unknown = False

    @property
    def date(self) -> dt.datetime | None:
        """When the last of the answers was sent; None if not known."""
        return None if self._unknown else self._date

    def note(self, reply: Reply) -> None:
        """Take note of an answer."""
        date = _utc(reply.headers.get("Date", ""))
        with self._lock:
            if date is None:
                self._unknown = True
                return
            self._date = max(self._date or date, date)


def utc_now() -> dt.datetime:
    """Return what the clock of this computer shows; naive UTC."""
    return dt.datetime.now(dt.timezone.utc).replace(tzinfo=None)


def _utc(header: str) -> dt.datetime | None:
    try:
        date = parsedate_to_datetime(header).astimezone(dt.timezone.utc).replace(tzinfo=None)
        return date if date.year in _YEARS else None
    except (ValueError, TypeError, OverflowError):
        return None
