"""Which of the details that are kept may still be shown, by the time of the last change that each of them holds.

Alyx writes ``auto_datetime`` with each write of a record itself: naive, in the zone of the server's clock, which nobody
tells. The list does not show it and cannot be ordered by it, but ``django=auto_datetime__gte,<time>`` lists what
changed since a time. The time at which a detail is known to have been current is therefore kept in the server's own
naive time, never too late:

- as of when an answer is true tells `ServerTime`, in UTC;
- the zone is learned from the details: none was changed after it was answered, so each says how far the server's clock
  is ahead of UTC at least. The least whole number of quarters of an hour that all of them allow is taken;
- that holds near a change to or from summer time only but for an hour, which is taken off there.
"""

from __future__ import annotations

import datetime as dt
import math
from dataclasses import dataclass
from functools import lru_cache
from typing import TYPE_CHECKING
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from alyx_connector.zones.moments import read_time

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping

__all__ = ["OVERLAP", "Known", "ServerClock", "changed_names", "read_change"]

#: Taken off each time: a write is seen by others only some time after it got its time, and clocks differ a little.
OVERLAP = dt.timedelta(seconds=10)
#: Zones differ by multiples of this.
_STEP = dt.timedelta(minutes=15)
#: No clock is further behind UTC, or ahead of it.
_LEAST, _MOST = dt.timedelta(hours=-12), dt.timedelta(hours=14)
#: How long what was learned of the server's clock holds.
_LEARNED_FOR = dt.timedelta(hours=24)
#: How near to a change to or from summer time the clock may not be what it was: twice the above and a little.
_NEAR = dt.timedelta(hours=50)
#: Between them their clocks change whenever any clock does.
_ZONES = (
    *("Europe/London", "Europe/Chisinau", "America/New_York", "America/Havana", "America/Santiago", "America/Asuncion"),
    *("Africa/Cairo", "Africa/Casablanca", "Asia/Beirut", "Asia/Gaza", "Asia/Jerusalem"),
    *("Australia/Sydney", "Australia/Lord_Howe", "Pacific/Auckland"),
)


@dataclass(frozen=True)
class Known:
    """What is known of a detail that is kept; times are naive, of the server's clock."""

    #: Its ``auto_datetime``.
    changed: dt.datetime
    #: It was current then, and may have changed since.
    seen: dt.datetime


def read_change(record: Mapping[str, object]) -> dt.datetime | None:
    """Say when a record last changed; naive, of the server's clock; None where the record does not tell."""
    time = read_time(record.get("auto_datetime"))
    return None if time is None else time.replace(tzinfo=None)


class ServerClock:
    """What the clock of the server shows at least, learned from what it answered.

    ``now``: time of the server, UTC.
    ``learned``: the last change of records, of the server's clock, and when they were answered, UTC.
    """

    def __init__(self, now: dt.datetime, learned: Iterable[tuple[dt.datetime, dt.datetime]] = ()) -> None:
        self._now = now
        self._ahead = _LEAST
        for changed, answered in learned:
            self.learn(changed, answered)

    def learn(self, changed: dt.datetime, answered: dt.datetime) -> None:
        """Learn from a record.

        ``changed``: its last change, of the server's clock.
        ``answered``: when it was answered, UTC.
        """
        if abs(self._now - answered) <= _LEARNED_FOR:
            # The overlap covers the part of a second that the time of an answer lacks.
            steps = math.ceil((changed - answered - OVERLAP) / _STEP)
            self._ahead = min(max(self._ahead, steps * _STEP), _MOST)

    def seen(self, as_of: dt.datetime) -> dt.datetime:
        """Say what the clock showed at least, when an answer was true.

        ``as_of``: when that was, UTC.
        """
        near = _clocks_change(as_of.replace(minute=0, second=0, microsecond=0))
        return as_of + self._ahead - dt.timedelta(hours=1 if near else 0) - OVERLAP


@lru_cache(maxsize=64)
def _clocks_change(hour: dt.datetime) -> bool:
    before, after = ((hour + by).replace(tzinfo=dt.timezone.utc) for by in (-_NEAR, _NEAR))
    try:
        zones = [ZoneInfo(name) for name in _ZONES]
    except ZoneInfoNotFoundError:  # a system without a table of zones: it may be so
        return True
    return any(before.astimezone(zone).utcoffset() != after.astimezone(zone).utcoffset() for zone in zones)


def changed_names(kept: Mapping[str, Known], changed_since: Callable[[dt.datetime], set[str]]) -> set[str]:
    """Say which of the details that are kept must be fetched again.

    ``changed_since``: asks the server which records changed at a time or later; called twice at most.
    """
    if not kept:
        return set()
    since = min(known.seen for known in kept.values())
    listed = changed_since(since) & kept.keys()
    # The server lists those too whose change we have already, where it was later than that.
    unclear = {name for name in listed if kept[name].changed >= since}
    if not unclear:
        return listed
    later = min(kept[name].seen for name in unclear)
    return (listed - unclear) | (changed_since(later) & unclear if later > since else unclear)
