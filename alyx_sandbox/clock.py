"""Times of the server: naive ones in its own zone (Alyx), or aware ones (Alyx-Local)."""

from __future__ import annotations

from datetime import date, datetime, time, tzinfo
from zoneinfo import ZoneInfo

from django.conf import settings
from django.utils import timezone

#: Where a lab names a zone that does not exist, Alyx takes this one.
FALLBACK_ZONE = "Europe/London"


def zone_of(name: str) -> tzinfo:
    """Return the time zone of a lab, as Alyx takes it: the server's where none is named."""
    if not name:
        return timezone.get_default_timezone()
    try:
        return ZoneInfo(name)
    except (KeyError, ValueError, OSError):
        return ZoneInfo(FALLBACK_ZONE)


def stored(moment: datetime) -> datetime:
    """Return a naive time of the server's zone as the database wants it."""
    return timezone.make_aware(moment) if settings.USE_TZ else moment


def start_of(day: date) -> datetime:
    """Return midnight of a day as the database wants it."""
    return stored(datetime.combine(day, time.min))


def wall_time(moment: datetime, zone: tzinfo | None = None) -> datetime:
    """Return what a clock on the wall in `zone` (default: the server's) showed at a stored time."""
    if timezone.is_naive(moment):
        moment = timezone.make_aware(moment, timezone.get_default_timezone())
    return timezone.make_naive(moment, zone or timezone.get_default_timezone())
