"""Days as people type them: a day, a month or a year; what could be read in two ways is refused."""

from __future__ import annotations

import calendar
import datetime as dt
import re
from typing import TYPE_CHECKING, Any

from alyx_connector.errors import ConfigurationError
from alyx_connector.remedy import Remedy, RemedyKind

if TYPE_CHECKING:
    from collections.abc import Mapping

    from alyx_connector.schema.description import Endpoint

__all__ = ["checked_day", "days_of", "with_days"]

_MONTHS = {
    name: number
    for number, names in enumerate(
        (
            *("jan january", "feb february", "mar march", "apr april", "may", "jun june", "jul july", "aug august"),
            *("sep sept september", "oct october", "nov november", "dec december"),
        ),
        start=1,
    )
    for name in names.split()
}
#: Year, then perhaps month, then perhaps day.
_YEAR_FIRST = re.compile(r"(\d{4})(?:([-/.])(\d{1,2})(?:\2(\d{1,2}))?)?", re.ASCII)
_DIGITS = re.compile(r"(\d{4})(\d\d)(\d\d)", re.ASCII)
_DAY_AND_NAME = re.compile(r"(?:(\d{1,2})(?:st|nd|rd|th)?[. -]+)?([a-z]+)\.?[ -]+(\d{4})", re.ASCII)
_NAME_AND_DAY = re.compile(r"([a-z]+)\.? (\d{1,2})(?:st|nd|rd|th)?,? (\d{4})", re.ASCII)
_YEAR_LAST = re.compile(r"\d{1,2}[-/.]\d{1,2}[-/.]\d{2,4}", re.ASCII)
_FORMS = (
    'Write a day like "2024-01-31", "2024/1/31", "20240131" or "31 Jan 2024", a month like "2024-01", a year like 2024.'
)


def days_of(name: str, value: Any) -> tuple[str | None, str | None]:
    """Say from which day to which, both included.

    Returns: like ``2024-01-31``; None for an open end.
    ``value``: a day, a month or a year; or two of them, or a text of two with a comma.
    """
    whole = _period(value)
    if whole is None and isinstance(value, str):
        value = value.split(",")
    if whole is not None:
        first, last = (day.isoformat() for day in whole)
        return first, last
    days = list(value) if isinstance(value, list | tuple) else []
    if len(days) != 2 or not any(day is not None for day in days):
        if len(days) == 1:
            raise _no_day(name, days[0])
        raise ConfigurationError(
            f"The filter {name} cannot be {value!r}.", hint=Remedy(RemedyKind.GIVE_DAYS), setting=name
        )
    begin = None if days[0] is None else checked_day(name, days[0])
    end = None if days[1] is None else checked_day(name, days[1], last=True)
    if begin and end and end < begin:
        raise ConfigurationError(
            f"The filter {name} ends ({end}) before it begins ({begin}).",
            hint="Give the first day, then the last.",
            setting=name,
        )
    return begin, end


def checked_day(name: str, value: Any, *, last: bool = False) -> str:
    """Make a day into what the server understands.

    Returns: like ``2024-01-31``.
    ``name``: what it is for, for the wording of the error.
    ``value``: a text, a date, a datetime in lab time, or a month or a year.
    ``last``: whether a month or a year means its last day, instead of its first.
    """
    if isinstance(value, dt.datetime) and value.tzinfo is not None:
        raise ConfigurationError(
            f"The filter {name} has a time with a time zone.",
            hint="Alyx keeps lab time: give the day in the lab.",
            setting=name,
        )
    period = _period(value)
    if period is None:
        raise _no_day(name, value)
    return period[last].isoformat()


def with_days(filters: Mapping[str, Any], described: Endpoint | None) -> dict[str, Any]:
    """Write the days among filters as the server understands them; what is no single day stays what it is."""
    known = described.filters if described is not None else {}

    def plain(value: Any) -> Any:
        period = _period(value) if isinstance(value, str | int) else None
        return period[0].isoformat() if period is not None and period[0] == period[1] else value

    return {
        name: ([plain(one) for one in value] if isinstance(value, list) else plain(value))
        if name in known and known[name].format == "date"
        else value
        for name, value in filters.items()
    }


def _no_day(name: str, value: Any) -> ConfigurationError:
    two_ways = isinstance(value, str) and _YEAR_LAST.fullmatch(value.strip()) is not None
    why = "which could be the day or the month first" if two_ways else "which is not a valid day"
    return ConfigurationError(f"The filter {name} has {value!r}, {why}.", hint=_FORMS, setting=name)


def _period(value: Any) -> tuple[dt.date, dt.date] | None:
    # First and last day; None for what is none.
    if isinstance(value, dt.datetime):
        if value.tzinfo is not None or value != value:  # NaT differs from itself
            return None
        value = value.date()
    if isinstance(value, dt.date):
        return (value, value) if value == value else None
    if isinstance(value, bool) or not isinstance(value, str | int):
        return None
    try:
        return _typed(" ".join(str(value).lower().split()))
    except ValueError:  # no such day in the calendar
        return None


def _typed(text: str) -> tuple[dt.date, dt.date] | None:
    day: str | None
    if found := _DIGITS.fullmatch(text):
        year, month, day = found[1], int(found[2]), found[3]
    elif found := _YEAR_FIRST.fullmatch(text):
        year, month, day = found[1], int(found[3] or 0), found[4]
        if found[3] is None:
            return dt.date(int(year), 1, 1), dt.date(int(year), 12, 31)
    elif found := _DAY_AND_NAME.fullmatch(text):
        year, month, day = found[3], _MONTHS.get(found[2], 0), found[1]
    elif found := _NAME_AND_DAY.fullmatch(text):
        year, month, day = found[3], _MONTHS.get(found[1], 0), found[2]
    else:
        moment = dt.datetime.fromisoformat(text)
        return None if moment.tzinfo is not None else (moment.date(), moment.date())
    first = dt.date(int(year), month, int(day or 1))
    last = first if day else first.replace(day=calendar.monthrange(first.year, first.month)[1])
    return first, last
