"""A time as text: naive, on the clock of some place, or with its offset from UTC. Pure."""

from __future__ import annotations

import datetime as dt
import re
from typing import TYPE_CHECKING, Any
from zoneinfo import ZoneInfo

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

__all__ = [
    "LAB_TIMES",
    "MOMENTS",
    "lab_times",
    "lab_zone",
    "on_lab_clock",
    "read_time",
    "same_time",
    "with_lab_offset",
]

#: Fields that hold a time of the lab; other times are the server's own.
LAB_TIMES = ("start_time", "end_time", "date_time")
#: Lists whose times a server that keeps no zones reads on its own clock, to say for which day of the lab they count.
MOMENTS = frozenset({"weighings", "water-administrations"})
_ZULU = re.compile(r"[Zz]$")


def lab_zone(name: str | None) -> ZoneInfo | None:
    """Find the zone that a lab has on Alyx; None where no zone has that name.

    ``name``: ``timezone`` of ``GET /labs``: free text, usually such as ``Europe/Lisbon`` or ``GB``.
    """
    try:
        return ZoneInfo((name or "").strip())
    except (ValueError, LookupError, OSError):  # "", "../x", "Mars/Base", "Europe"
        return None


def read_time(value: Any) -> dt.datetime | None:
    """Read a time; None if it is none."""
    try:
        return dt.datetime.fromisoformat(_ZULU.sub("+00:00", value.strip())) if isinstance(value, str) else None
    except ValueError:
        return None


def lab_times(rows: Iterable[Mapping[str, Any]]) -> list[dt.datetime]:
    """Return all lab times of rows."""
    times = (read_time(row.get(name)) for row in rows for name in LAB_TIMES)
    return [time for time in times if time is not None]


def on_lab_clock(value: Any, zone: dt.tzinfo) -> Any:
    """Return what the lab's clock showed at a moment, ISO; what has no offset stays what it is."""
    time = read_time(value)
    return value if time is None or time.tzinfo is None else time.astimezone(zone).replace(tzinfo=None).isoformat()


def with_lab_offset(value: Any, zone: dt.tzinfo) -> Any:
    """Return a naive time of a lab with its offset, ISO; what has one, or is no time, stays what it is.

    An hour that comes twice in autumn is taken to be the first, one that spring leaves out to be an hour later.
    """
    time = read_time(value)
    return value if time is None or time.tzinfo is not None else time.replace(tzinfo=zone).isoformat()


def same_time(one: str, other: str) -> bool:
    """Tell whether two texts are the same time, however they are written.

    With two offsets they are moments; else what the clocks showed counts.
    """
    times = (read_time(one), read_time(other))
    if times[0] is None or times[1] is None:
        return False
    if times[0].tzinfo is not None and times[1].tzinfo is not None:
        return times[0] == times[1]
    return times[0].replace(tzinfo=None) == times[1].replace(tzinfo=None)
