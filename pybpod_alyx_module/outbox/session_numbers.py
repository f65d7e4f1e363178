"""Which number a new session may have on its day, where the server names sessions by subject, day and number. Pure."""

from __future__ import annotations

from datetime import date, datetime, timedelta, timezone
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

__all__ = ["days_around", "numbers_taken"]

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
    dated = [row for row in rows if row.get("start_time")]
    seen = [(datetime.fromisoformat(str(row["start_time"])), row.get("number")) for row in dated]
    zones = {when.tzinfo for when, _ in seen if when.tzinfo is not None}
    ours = {began.date()}
    for zone in zones:
        ours |= _days(began.replace(tzinfo=zone) if began.tzinfo is None else began.astimezone(zone))
    return {number for when, number in seen if isinstance(number, int) and ours & _days(when)}


def _days(when: datetime) -> set[date]:
    return {when.date()} if when.tzinfo is None else {when.date(), when.astimezone(timezone.utc).date()}
