"""Which number a new session may have on its day, where the server names sessions by subject, day and number."""

from __future__ import annotations

from datetime import date, datetime, timedelta, timezone
from typing import TYPE_CHECKING, Any

from alyx_connector.errors import InvalidDataError
from alyx_connector.zones.moments import read_time

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from alyx_connector.http.client import AlyxClient

__all__ = ["checked_number", "days_around", "free_number", "numbers_taken"]

_A_DAY = timedelta(days=1)


def days_around(start: str) -> tuple[date, date]:
    """Return the first and the last day on which a session may be for any server.

    ``start``: when the session began, ISO.
    """
    day = datetime.fromisoformat(start).date()
    return day - _A_DAY, day + _A_DAY


def numbers_taken(start: str, rows: Iterable[Mapping[str, Any]]) -> set[int]:
    """Return the numbers that a session cannot have, or may come to share with another one.

    A server that keeps zones names a session by its own day, and anew by the day in UTC at any later change.

    ``start``: when the session began, ISO, with or without an offset.
    ``rows``: the subject's sessions of these days, as the server lists them.
    """
    began = datetime.fromisoformat(start)
    seen = [(when, row.get("number")) for row in rows if (when := read_time(row.get("start_time"))) is not None]
    zones = {when.tzinfo for when, _ in seen if when.tzinfo is not None}
    ours = {began.date()}
    for zone in zones:
        ours |= _days(began.replace(tzinfo=zone) if began.tzinfo is None else began.astimezone(zone))
    return {number for when, number in seen if isinstance(number, int) and ours & _days(when)}


def free_number(client: AlyxClient, session: Mapping[str, Any]) -> int:
    """Return the number that a session may have: its own, if no other session has it; the next if it has none.

    An error that names the next one if its own is taken.

    ``session``: what is sent, or stored with its ``id``; with ``subject`` and ``start_time``.
    """
    first, last = days_around(str(session["start_time"]))
    rows = client.list("sessions", {"subject": session["subject"], "date_range": f"{first},{last}"})
    return checked_number(session, rows, client.url)


def checked_number(session: Mapping[str, Any], rows: Iterable[Mapping[str, Any]], url: str) -> int:
    """Return the number that a session may have, as `free_number` does.

    ``rows``: sessions of its subject, those of `days_around` it among them.
    """
    start, subject, number = str(session["start_time"]), session["subject"], session.get("number")
    taken = numbers_taken(start, [row for row in rows if "id" not in row or row["id"] != session.get("id")])
    free = 1 + max(taken, default=0)
    if number not in taken:
        return free if number is None else int(number)
    raise InvalidDataError(
        f"{url} has a session {number} of {subject} on {start[:10]} already, by its own clock or in UTC, and "
        "takes each number of a day only once. Nothing was written.",
        hint=f"Give another number: {free} is free.",
        endpoint="sessions",
        fields={"number": [f"{number} is taken"]},
    )


def _days(when: datetime) -> set[date]:
    return {when.date()} if when.tzinfo is None else {when.date(), when.astimezone(timezone.utc).date()}
