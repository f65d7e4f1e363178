"""The lab's time: what Alyx stores, without a zone, and what decides the day that something counts for."""

from __future__ import annotations

from datetime import datetime, timedelta, tzinfo


def with_zone(moment: datetime, zone: tzinfo | None = None) -> datetime:
    """Give what a clock shows its zone.

    Returns: the same wall time with the offset that the zone had then.
    ``zone``: that of the clock; None for the zone that this computer is set to.
    """
    return moment.astimezone() if zone is None else moment.replace(tzinfo=zone)


def to_lab_time(moment: datetime, zone: tzinfo | None, rig_zone: tzinfo | None = None) -> datetime:
    """Convert a time of the rig's clock to lab time.

    Returns: naive. The rig's own time where the lab's zone is not known.
    ``zone``: the lab's; None where it is not known.
    ``rig_zone``: None for the zone that this computer is set to.
    """
    if zone is None:
        return moment
    return with_zone(moment, rig_zone).astimezone(zone).replace(tzinfo=None)


def lab_now(zone: tzinfo | None) -> datetime:
    """Return what time it is in the lab, to the second; naive.

    ``zone``: the lab's; None where it is not known: this computer's time counts.
    """
    return to_lab_time(datetime.now().astimezone().replace(tzinfo=None, microsecond=0), zone)


def lab_span(
    started: datetime, ended: datetime, zone: tzinfo | None, rig_zone: tzinfo | None = None
) -> tuple[datetime, datetime]:
    """Convert the start and end of a session to lab time.

    Returns: start and end, naive.
    ``started``, ``ended``: naive times of the rig. An end that lies before the start is taken to be after the clock
    was put back in autumn.
    ``zone``: the lab's; None where it is not known.
    ``rig_zone``: None for the zone that this computer is set to.
    """
    ended = _later(started, ended)
    return to_lab_time(started, zone, rig_zone), to_lab_time(ended, zone, rig_zone).replace(fold=0)


def lab_moments(
    started: datetime, ended: datetime, zone: tzinfo | None, rig_zone: tzinfo | None = None
) -> tuple[datetime, datetime]:
    """Return the moments of a session's start and end, with the lab's offset; the rig's where the lab's is not known.

    ``started`` and the others: see `lab_span`.
    """
    start, end = with_zone(started, rig_zone), with_zone(_later(started, ended), rig_zone)
    return (start, end) if zone is None else (start.astimezone(zone), end.astimezone(zone))


def _later(started: datetime, ended: datetime) -> datetime:
    return ended.replace(fold=1) if ended < started else ended


def zone_difference(moment: datetime, zone: tzinfo, rig_zone: tzinfo | None = None) -> timedelta:
    """Tell how far a lab's clock is ahead of the rig's.

    ``moment``: naive time of the rig: zones that agree in winter may not in summer.
    ``rig_zone``: None for the zone that this computer is set to.
    """
    aware = with_zone(moment, rig_zone)
    return (aware.astimezone(zone).utcoffset() or timedelta()) - (aware.utcoffset() or timedelta())
