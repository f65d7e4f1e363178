"""How far a server's clock is ahead of UTC, where it says times without their offset: learned, and kept on the disk.

An offset is good for its moment only, since summer time changes it. So those that were seen are kept with the time in
which they were seen.
"""

from __future__ import annotations

import datetime as dt
import logging
import re
import time
import weakref
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final, NamedTuple

from alyx_connector.errors import AlyxError, ConfigurationError
from alyx_connector.private_file import JsonFile, home_folder
from alyx_connector.zones.server_zone import kept_zone, likely_zones, zone_around

if TYPE_CHECKING:
    from collections.abc import Iterator

    from alyx_connector.http.client import AlyxClient
    from alyx_connector.progress import CancelToken, Report
    from alyx_connector.zones.server_zone import ServerZone

__all__ = [
    "OFFSETS_FILE",
    "ServerClock",
    "last_offset",
    "naive_on_server",
    "offset_at",
    "offsets_seen",
    "remember_offset",
    "see_clock",
    "seen_offset",
    "server_clock",
]

LOG = logging.getLogger(__name__)

#: In the folder of `alyx_connector.private_file.home_folder`.
OFFSETS_FILE: Final = "server_offsets.json"
#: What the page says: seconds, with their sign; nothing in the hour that comes twice.
_SAID: Final = re.compile(r'data-admin-utc-offset="(-?\d{1,5})"')
#: Between two times at which the same offset was seen, summer time may have come and gone.
_LONGEST_GAP: Final = dt.timedelta(days=30)
#: What was recorded so shortly before an offset was seen counts by it.
_LEEWAY: Final = dt.timedelta(minutes=10)
#: So many times of the same offset are kept for a server.
_MOST: Final = 20
#: For so long the rows that are read are read by what was seen; and a page that did not come is not asked for again.
_FRESH: Final = dt.timedelta(minutes=30)
#: How long the page may take: half of what the checks before Run have, and there are rows to ask. Seconds.
_PATIENCE_S: Final = 1.0
#: Until when the page is left alone that did not come; monotonic, seconds.
_SILENT_UNTIL: Final[weakref.WeakKeyDictionary[AlyxClient, float]] = weakref.WeakKeyDictionary()


class _Seen(NamedTuple):
    # From when to when an offset was seen, UTC.
    first: dt.datetime
    last: dt.datetime
    offset: dt.timedelta


@dataclass(frozen=True)
class ServerClock:
    """A server's clock, as far as this computer has seen it."""

    seen: tuple[_Seen, ...]
    #: Whose clock it is; None where that was not found.
    zone: ServerZone | None = None

    def moment(self, naive: dt.datetime) -> dt.datetime | None:
        """Return the moment at which the clock showed a time; None where nothing is known of it."""
        if self.zone is not None:
            return self.zone.moment(naive)
        moments = [naive.replace(tzinfo=dt.timezone(one.offset)) for one in self.seen]
        return min(zip(self.seen, moments, strict=True), key=lambda pair: _apart(*pair), default=(None, None))[1]


def server_clock(server: str) -> ServerClock:
    """Return the clock of a server as it was seen last, without asking."""
    runs = tuple(_seen(server))
    zone = kept_zone(server)
    if zone is not None and runs and zone.offset(runs[-1].last) != runs[-1].offset:
        zone = None  # the server has moved, or more rows tell another one
    return ServerClock(runs, zone)


def see_clock(client: AlyxClient, *, cancel: CancelToken | None = None, report: Report | None = None) -> None:
    """Ask for a server's offset unless it was seen a moment ago; where it cannot be asked, what was seen counts on."""
    now = dt.datetime.now(dt.timezone.utc)
    clock = server_clock(client.url)
    if any(map(_is_fresh, clock.seen)) or (clock.zone and clock.zone.covers(now)):
        return
    try:
        if not _learn(client, cancel=cancel, report=report):
            zone_around(client, now, cancel=cancel, report=report)
    except AlyxError as error:
        LOG.debug("the offset of %s: %s", client.url, error)


def offset_at(
    client: AlyxClient, moment: dt.datetime, *, cancel: CancelToken | None = None, report: Report | None = None
) -> dt.timedelta | None:
    """Return how far the server's clock was ahead of UTC at a moment; the server is asked where that is not known.

    Returns: that of another time where nothing tells that of the moment; None where the server does not tell, and never
    told. An error where it cannot be asked.
    ``moment``: with its offset; not in the future.
    """
    found = seen_offset(client, moment, cancel=cancel, report=report)
    return last_offset(client.url, moment) if found is None else found


def seen_offset(
    client: AlyxClient, moment: dt.datetime, *, cancel: CancelToken | None = None, report: Report | None = None
) -> dt.timedelta | None:
    """Return what `offset_at` returns; None where nothing tells the offset of that moment."""
    found = _known(client.url, moment)
    # What the page says now is of no use for what was long before it was seen.
    is_old = any(moment < run.last and _is_fresh(run) for run in _seen(client.url))
    if found is None and not is_old and _learn(client, cancel=cancel, report=report):
        found = _known(client.url, moment)
    if found is None:
        zone = zone_around(client, moment, cancel=cancel, report=report)
        found = _by_likely_zones(client, moment, cancel, report) if zone is None else zone.offset(moment)
    return found


def last_offset(server: str, moment: dt.datetime) -> dt.timedelta | None:
    """Return the offset that a moment had as far as was seen, without asking; None where nothing was."""
    clock = server_clock(server)
    if clock.zone is not None:
        return clock.zone.offset(moment)
    nearest = min(clock.seen, key=lambda run: _apart(run, moment), default=None)
    return None if nearest is None else nearest.offset


def offsets_seen(server: str) -> frozenset[dt.timedelta]:
    """Return all offsets of a server that this computer ever saw."""
    return frozenset(run.offset for run in _seen(server))


def naive_on_server(moment: dt.datetime, offset: dt.timedelta) -> dt.datetime:
    """Return what the clock of a server showed at a moment; naive."""
    return moment.astimezone(dt.timezone(offset)).replace(tzinfo=None)


def remember_offset(server: str, offset: dt.timedelta, seen: dt.datetime | None = None) -> None:
    """Store the offset that a server has.

    ``seen``: when it was seen, with its offset; now if left out.
    """
    seen = (seen or dt.datetime.now(dt.timezone.utc)).astimezone(dt.timezone.utc)
    runs = list(_seen(server))
    last = runs[-1] if runs else None
    if last is not None and last.offset == offset and dt.timedelta(0) <= seen - last.last <= _LONGEST_GAP:
        runs[-1] = last._replace(last=seen)
    elif not any(run.offset == offset and run.first <= seen <= run.last for run in runs):
        runs = sorted([*runs, _Seen(seen, seen, offset)])
    written = [[run.first.isoformat(), run.last.isoformat(), int(run.offset.total_seconds())] for run in runs[-_MOST:]]
    try:
        _file().change(lambda content: content.update({server: written}))
    except ConfigurationError as error:
        LOG.warning("%s", error)


def _apart(run: _Seen, moment: dt.datetime) -> dt.timedelta:
    return max(run.first - moment, moment - run.last, dt.timedelta(0))


def _is_fresh(run: _Seen) -> bool:
    return run.first <= dt.datetime.now(dt.timezone.utc) <= run.last + _FRESH


def _known(server: str, moment: dt.datetime) -> dt.timedelta | None:
    clock = server_clock(server)
    for leeway in (dt.timedelta(0), _LEEWAY):
        for run in clock.seen:
            if run.first - leeway <= moment <= run.last:
                return run.offset
    return clock.zone.offset(moment) if clock.zone is not None and clock.zone.covers(moment) else None


def _learn(client: AlyxClient, *, cancel: CancelToken | None, report: Report | None) -> bool:
    # Whether the page says it. Nothing depends on the page: a lab may block it, or what blocks it may hang.
    if time.monotonic() < _SILENT_UNTIL.get(client, 0):
        return False
    try:
        said = _SAID.search(client.login_page(limit_s=_PATIENCE_S, cancel=cancel, report=report))
    except AlyxError as error:
        LOG.debug("the offset of %s: %s", client.url, error)
        said = None
    if said is None or abs(int(said[1])) >= 86400:
        _SILENT_UNTIL[client] = time.monotonic() + _FRESH.total_seconds()
        return False
    remember_offset(client.url, dt.timedelta(seconds=int(said[1])))
    return True


def _by_likely_zones(
    client: AlyxClient, moment: dt.datetime, cancel: CancelToken | None, report: Report | None
) -> dt.timedelta | None:
    # That in which all likely zones agree that have the offsets that were seen: in winter many are the same.
    seen = [(when, run.offset) for run in _seen(client.url) for when in (run.first, run.last)]
    zones = likely_zones(client, cancel=cancel, report=report) if seen else []
    fitting = [zone for zone in zones if all(when.astimezone(zone).utcoffset() == offset for when, offset in seen)]
    found = {moment.astimezone(zone).utcoffset() for zone in fitting}
    return found.pop() if len(found) == 1 else None


def _seen(server: str) -> Iterator[_Seen]:
    try:
        kept = _file().read().get(server, [])
    except ConfigurationError as error:
        LOG.warning("%s", error)
        return
    for first, last, seconds in kept:
        yield _Seen(dt.datetime.fromisoformat(first), dt.datetime.fromisoformat(last), dt.timedelta(seconds=seconds))


def _file() -> JsonFile:
    return JsonFile(home_folder() / OFFSETS_FILE, _check)


def _check(content: Any) -> None:
    for runs in content.values():
        for first, last, seconds in runs:
            if not (dt.datetime.fromisoformat(first).tzinfo and dt.datetime.fromisoformat(last).tzinfo):
                raise ValueError("not moments")
            dt.timedelta(seconds=seconds)
