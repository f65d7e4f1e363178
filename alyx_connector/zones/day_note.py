"""What a person must know where the clock of a server that keeps no zones is not the lab's."""

from __future__ import annotations

import datetime as dt

from alyx_connector.zones.server_offsets import last_offset
from alyx_connector.zones.told_labs import is_first_time

__all__ = ["new_clock_note", "server_day_note"]


def new_clock_note(server: str, lab: str, zone: dt.tzinfo) -> str:
    """Return what whoever reads and writes in lab time must know, the first time for a server and lab; else empty.

    ``lab``, ``zone``: its name, and its zone.
    """
    offset = last_offset(server, dt.datetime.now(dt.timezone.utc))
    note = "" if offset is None else server_day_note(zone, offset, lab=f"the lab {lab}")
    if not note or offset is None or not is_first_time(server, lab):
        return ""
    ahead = _ahead(zone, offset)
    turn = "later" if ahead > dt.timedelta() else "earlier"
    return f"{note} What another program sent in lab time is shown {_hours(abs(ahead))} {turn} here."


def server_day_note(
    zone: dt.tzinfo, offset: dt.timedelta | None, *, lab: str = "this lab", now: dt.datetime | None = None
) -> str:
    """Say what a person must know where the clock of a server that keeps no zones is not the lab's.

    Returns: empty where it is the same.
    ``zone``: of the lab.
    ``offset``: of the server; None where that could not be learned.
    ``lab``: how the sentence calls it.
    ``now``: this moment if it is not given.
    """
    if offset is None:
        return (
            "Alyx does not tell the time on its server's clock: weights and water are sent in lab time, and may count "
            "for another day if the server is in another time zone."
        )
    ahead = _ahead(zone, offset, now)
    if not ahead:
        return ""
    apart = _hours(abs(ahead))
    if ahead > dt.timedelta():
        place, lists = "behind", "earlier"
        turn = f"after {_clock(dt.timedelta(days=1) - ahead)} counts for tomorrow"
    else:
        place, lists = "ahead of", "later"
        turn = f"before {_clock(-ahead)} counts for yesterday"
    return (
        f"Alyx's server keeps {dt.timezone(offset)}, {apart} {place} {lab}. Weights and water sent from here count "
        f"for the lab's day; Alyx's lists show them {apart} {lists}. What is typed on Alyx's pages {turn}."
    )


def _ahead(zone: dt.tzinfo, offset: dt.timedelta, now: dt.datetime | None = None) -> dt.timedelta:
    in_lab = (now or dt.datetime.now(dt.timezone.utc)).astimezone(zone).utcoffset() or dt.timedelta()
    return in_lab - offset


def _hours(time: dt.timedelta) -> str:
    return f"{time / dt.timedelta(hours=1):g} h"


def _clock(time: dt.timedelta) -> str:
    return f"{time // dt.timedelta(hours=1):02}:{time % dt.timedelta(hours=1) // dt.timedelta(minutes=1):02}"
