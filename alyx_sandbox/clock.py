"""Times of the server: naive ones in its own zone (Alyx), or aware ones (Alyx-Local)."""

from __future__ import annotations

from datetime import date, datetime, time, tzinfo
from typing import Any
from zoneinfo import ZoneInfo

from django.conf import settings
from django.db import models
from django.utils import timezone

#: Where a lab names a zone that does not exist, Alyx takes this one.
FALLBACK_ZONE = "Europe/London"


def zone_of(name: str) -> tzinfo:
    """Return the time zone of a lab, as Alyx takes it.

    Returns: the server's where none is named, `FALLBACK_ZONE` where there is none of that name.
    """
    if not name:
        return timezone.get_default_timezone()
    try:
        return ZoneInfo(name)
    except (KeyError, ValueError, OSError):
        return ZoneInfo(FALLBACK_ZONE)


def stored(moment: datetime) -> datetime:
    """Return a naive time of the server's zone as the database wants it.

    Returns: naive on Alyx, aware on Alyx-Local.
    """
    return timezone.make_aware(moment) if settings.USE_TZ else moment


def start_of(day: date) -> datetime:
    """Return midnight of a day as the database wants it; naive on Alyx, aware on Alyx-Local.

    ``day``: in the server's zone.
    """
    return stored(datetime.combine(day, time.min))


def wall_time(moment: datetime | None, zone: tzinfo | None = None) -> datetime:
    """Return what a clock on the wall showed at a stored time.

    Parameters
    ----------
    moment
        As the database has it.
    zone
        Where the clock hangs; default: at the server.

    Returns
    -------
    datetime
        A naive time.

    Raises
    ------
    AssertionError
        There is no time. Alyx takes a weighing without one, and then fails at every request for its subject.
    """
    if moment is None:
        raise AssertionError
    if timezone.is_naive(moment):
        moment = timezone.make_aware(moment, timezone.get_default_timezone())
    return timezone.make_naive(moment, zone or timezone.get_default_timezone())


class Moment(models.DateTimeField):
    """A time. Without zones in the database, one that a filter asks for with its offset is read as a moment."""

    def get_prep_value(self, value: Any) -> Any:
        """Return a time as the database compares it."""
        moment = super().get_prep_value(value)
        if moment is None or settings.USE_TZ or not timezone.is_aware(moment):
            return moment
        return timezone.make_naive(moment, timezone.get_default_timezone())
