"""Reads rows of Alyx about one subject's days: weighings, sessions, restrictions."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

from alyx_connector.errors import AlyxError, ConfigurationError, ProtocolError
from alyx_connector.progress import Cancelled
from alyx_connector.writing.doubtful import LAST_DAYS
from alyx_connector.zones.day_note import server_day_note
from alyx_connector.zones.lab_zones import zones_of
from alyx_connector.zones.moments import lab_zone, read_time
from alyx_connector.zones.server_offsets import last_offset, see_clock, server_clock
from alyx_connector.zones.told_labs import is_first_time
from pybpod_alyx_module.animals.water import Water
from pybpod_alyx_module.animals.weight_plausibility import Weighed
from pybpod_alyx_module.deadline import cancel_after
from pybpod_alyx_module.numbers import exact, is_number

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence
    from decimal import Decimal

    from alyx_connector.http.client import AlyxClient
    from alyx_connector.progress import CancelToken
    from alyx_connector.zones.server_offsets import ServerClock

__all__ = [
    "SessionSeen",
    "counted_at",
    "current_clock",
    "day_in",
    "day_of_water",
    "first_day",
    "is_counted_in_utc",
    "new_day_note",
    "number_of",
    "running_restriction",
    "running_type",
    "session_seen",
    "sessions_of_day",
    "utc_day_note",
    "wall_time",
    "water_now",
    "weighings",
    "zones_of_labs",
]

#: Days that zones and midnight can put between this computer and a lab.
_MARGIN: Final = 1
#: How long a server may take to say whether it keeps zones, before that is left for another time.
_PATIENCE_S: Final = 2.0


@dataclass(frozen=True)
class SessionSeen:
    """A session on Alyx."""

    #: Alyx id.
    id: str
    #: Naive lab time.
    start_time: dt.datetime
    #: Number of that day, None if Alyx has none.
    number: int | None
    #: As the session names it; may be empty.
    task_protocol: str


def first_day() -> dt.date:
    """Return the first day of the rows to ask for: the last three days of any lab, whatever its time zone."""
    return dt.datetime.now(dt.timezone.utc).date() - dt.timedelta(days=LAST_DAYS + _MARGIN)


def day_in(zone: str | None) -> dt.date | None:
    """Return what day it is in a zone, by the clock of this computer; None where the zone is not known."""
    known = lab_zone(zone)
    return None if known is None else dt.datetime.now(known).date()


def wall_time(value: Any, zone: dt.tzinfo | None = None) -> dt.datetime | None:
    """Read a time of Alyx as the lab's clock showed it: naive; None if there is no time.

    ``value``: naive (Alyx), with the server's offset (Alyx-Local), or nothing.
    ``zone``: of the lab; without it, what the server's clock showed.
    """
    moment = _time(value)
    if moment is None:
        return None
    in_lab = moment if zone is None or moment.tzinfo is None else moment.astimezone(zone)
    return in_lab.replace(tzinfo=None)


def counted_at(value: Any, zone: dt.tzinfo | None, clock: ServerClock) -> dt.datetime | None:
    """Read when a weight or water was, as the lab's clock showed it: its date is the day for which Alyx counts it.

    Returns: naive; None if there is no time.
    ``value``: naive (Alyx), of the server's clock, or with an offset (Alyx-Local).
    ``zone``: of the lab; without it, and where nothing is known of the server's clock, what that showed.
    """
    time = _time(value)
    moment = clock.moment(time) if time is not None and time.tzinfo is None else time
    return wall_time(value if moment is None else moment.isoformat(), zone) if zone is not None else wall_time(value)


def current_clock(client: AlyxClient, cancel: CancelToken) -> ServerClock:
    """Return the server's clock, which it is asked for unless it was seen a moment ago."""
    see_clock(client, cancel=cancel)
    return server_clock(client.url)


def zones_of_labs(
    client: AlyxClient, subjects: Iterable[dict[str, Any]], cancel: CancelToken
) -> dict[str | None, dt.tzinfo | None]:
    """Return the zones of the labs of some subjects' rows, by name of the lab; None where one is not known."""
    labs = {row.get("lab") for row in subjects}
    names = zones_of(client).names(labs, cancel=cancel)
    return {lab: lab_zone(names.get(lab or "")) for lab in labs}


def number_of(row: dict[str, Any], name: str) -> Decimal:
    """Read a number of a row."""
    if not is_number(row.get(name)):
        raise ProtocolError(f"Alyx sent {row.get(name)!r} as {name}.", hint="Tell whoever runs the Alyx server.")
    return exact(row[name])


def water_now(row: dict[str, Any], *, restricted: bool) -> Water:
    """Read the water of today from a row of ``/subjects``, where the server computes it again for each answer.

    ``row``: just answered; never a copy that was stored.
    """
    expected = number_of(row, "expected_water")
    return Water(expected, None, None, expected - number_of(row, "remaining_water"), restricted)


def day_of_water(value: Any, zone: dt.tzinfo | None, clock: ServerClock) -> dt.date | None:
    """Return the day for which the server counts water given at a time; None if there is no time.

    ``value``: naive (Alyx, which counts by its lab's day), or with an offset: such a server counts by the day in UTC.
    ``zone``, ``clock``: see `counted_at`.
    """
    when = _time(value)
    if when is not None and when.tzinfo is not None:
        return when.astimezone(dt.timezone.utc).date()
    in_lab = counted_at(value, zone, clock)
    return None if in_lab is None else in_lab.date()


def is_counted_in_utc(row: dict[str, Any]) -> bool:
    """Tell whether the server counts a subject's water by the day in UTC, not by its lab's.

    ``row``: of ``/subjects``; a server whose times carry an offset does.
    """
    when = _time(row.get("last_water_restriction"))
    return when is not None and when.tzinfo is not None


def utc_day_note(zone: dt.tzinfo | None, *, now: dt.datetime | None = None) -> str:
    """Say so where the day in UTC, by which a server counts water, is another one than it is in the lab.

    Returns: empty where it is the same.
    ``zone``: of the lab; this computer's where it is not known.
    ``now``: this moment if it is not given.
    """
    now = now or dt.datetime.now(dt.timezone.utc)
    counted, in_lab = now.astimezone(dt.timezone.utc).date(), now.astimezone(zone).date()
    if counted == in_lab:
        return ""
    return f"The server counts water by the day in UTC: what is given now counts for {counted}, not for {in_lab}."


def new_day_note(client: AlyxClient, lab: str, zone: dt.tzinfo | None, cancel: CancelToken) -> str:
    """Return what `server_day_note` says the first time for a server and lab; empty after that, and without a zone.

    ``lab``, ``zone``: its name, and its zone.
    """
    if zone is None:
        return ""
    note = server_day_note(zone, last_offset(client.url, dt.datetime.now(dt.timezone.utc)))
    if not note:
        return ""
    with cancel_after(_PATIENCE_S, cancel) as stop:
        try:
            keeps_zones = zones_of(client).server_keeps_zones(cancel=stop)
        except (AlyxError, Cancelled):
            cancel.raise_if_cancelled()
            return ""
    return note if not keeps_zones and is_first_time(client.url, lab) else ""


def _time(value: Any) -> dt.datetime | None:
    time = read_time(value)
    if time is None and value is not None:
        raise ProtocolError(f"Alyx sent {value!r} as a time.", hint="Tell whoever runs the Alyx server.")
    return time


def weighings(rows: Iterable[dict[str, Any]], zone: dt.tzinfo | None, clock: ServerClock) -> tuple[Weighed, ...]:
    """Read rows of ``/weighings`` of one subject; for ``zone`` and ``clock`` see `counted_at`."""
    found = [Weighed(number_of(row, "weight"), counted_at(row.get("date_time"), zone, clock)) for row in rows]
    return tuple(sorted(found, key=lambda one: one.when.isoformat() if one.when else ""))


def session_seen(row: dict[str, Any], zone: dt.tzinfo | None) -> SessionSeen | None:
    """Read a row of ``/sessions`` of a lab in that zone; None for a session without a time, which no day has."""
    start = wall_time(row.get("start_time"), zone)
    if start is None:
        return None
    number = row.get("number")
    protocol = row.get("task_protocol") or ""
    return SessionSeen(str(row.get("id")), start, number if isinstance(number, int) else None, str(protocol))


def sessions_of_day(
    rows: Iterable[dict[str, Any]], day: dt.date | None, zone: dt.tzinfo | None, *, since: dt.date, server: str
) -> tuple[SessionSeen, ...]:
    """Read those of a day in the lab from rows of ``/sessions`` since another day, the first one first."""
    if day is None:
        raise ConfigurationError(f"{server} did not say what day it is in the lab.")
    if day < since:
        raise ConfigurationError(
            f"In the lab at {server} it is {day}, days before this computer's date.",
            hint="Set the clock of this computer.",
        )
    seen = [one for row in rows if (one := session_seen(row, zone)) and one.start_time.date() == day]
    return tuple(sorted(seen, key=lambda one: one.start_time))


def running_restriction(rows: Sequence[dict[str, Any]]) -> dict[str, Any]:
    """Return the newest restriction without an end from rows of ``/water-restriction`` of one subject.

    Returns: empty if there is none.
    """
    running = [row for row in rows if row.get("end_time") is None]
    return max(running, key=lambda row: str(row.get("start_time") or ""), default={})


def running_type(rows: Sequence[dict[str, Any]]) -> str | None:
    """Read the type of water of the running restriction; None if there is none, or it names none."""
    name = running_restriction(rows).get("water_type")
    return name if isinstance(name, str) and name else None
