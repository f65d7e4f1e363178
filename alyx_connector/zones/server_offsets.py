"""How far a server's clock is ahead of UTC, where it says times without their offset: learned, and kept on the disk.

An offset is good for its moment only, since summer time changes it. So those that were seen are kept with the time in
which they were seen.
"""

from __future__ import annotations

import datetime as dt
import logging
import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final, NamedTuple

from alyx_connector.errors import AlyxError, ConfigurationError, ResponseError, TransportError
from alyx_connector.http.retry import RETRIED_STATUSES
from alyx_connector.private_file import JsonFile, home_folder
from alyx_connector.zones.moments import read_time

if TYPE_CHECKING:
    from collections.abc import Iterator

    from alyx_connector.http.client import AlyxClient
    from alyx_connector.progress import CancelToken, Report

__all__ = [
    "OFFSETS_FILE",
    "ServerClock",
    "last_offset",
    "naive_on_server",
    "offset_at",
    "offsets_seen",
    "remember_offset",
    "see_clock",
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
#: For so long the rows that are read are read by what was seen.
_FRESH: Final = dt.timedelta(minutes=30)
_HOUR: Final = dt.timedelta(hours=1)
#: How far from a moment the row may be that tells the offset of that moment.
_AROUND: Final = dt.timedelta(days=1)
#: Lists whose rows can tell: where they have the time.
_TELLING: Final = (("weighings", "date_time"), ("water-administrations", "date_time"), ("sessions", "start_time"))


class _Seen(NamedTuple):
    # From when to when an offset was seen, UTC.
    first: dt.datetime
    last: dt.datetime
    offset: dt.timedelta


@dataclass(frozen=True)
class ServerClock:
    """A server's clock, as far as this computer has seen it."""

    seen: tuple[_Seen, ...]

    def moment(self, naive: dt.datetime) -> dt.datetime | None:
        """Return the moment at which the clock showed a time; None where nothing is known of it."""
        moments = [naive.replace(tzinfo=dt.timezone(one.offset)) for one in self.seen]
        return min(zip(self.seen, moments, strict=True), key=lambda pair: _apart(*pair), default=(None, None))[1]


def server_clock(server: str) -> ServerClock:
    """Return the clock of a server as it was seen last, without asking."""
    return ServerClock(tuple(_seen(server)))


def see_clock(client: AlyxClient, *, cancel: CancelToken | None = None, report: Report | None = None) -> None:
    """Ask for a server's offset unless it was seen a moment ago; where it cannot be asked, what was seen counts on."""
    now = dt.datetime.now(dt.timezone.utc)
    if any(run.first <= now <= run.last + _FRESH for run in _seen(client.url)):
        return
    try:
        _learn(client, cancel=cancel, report=report)
    except AlyxError as error:
        LOG.debug("the offset of %s: %s", client.url, error)


def offset_at(
    client: AlyxClient, moment: dt.datetime, *, cancel: CancelToken | None = None, report: Report | None = None
) -> dt.timedelta | None:
    """Return how far the server's clock was ahead of UTC at a moment; the server is asked where that is not known.

    Returns: None where the server does not tell, and never told. An error where it cannot be asked.
    ``moment``: with its offset; not in the future.
    """
    found = _known(client.url, moment)
    if found is None and _learn(client, cancel=cancel, report=report):
        found = _known(client.url, moment)
        if found is None:
            found = _by_a_row(client, moment, cancel, report)
    return last_offset(client.url, moment) if found is None else found


def last_offset(server: str, moment: dt.datetime) -> dt.timedelta | None:
    """Return the offset that was seen nearest to a moment, without asking; None where there is none."""
    runs = list(_seen(server))
    nearest = min(runs, key=lambda run: _apart(run, moment), default=None)
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


def _known(server: str, moment: dt.datetime) -> dt.timedelta | None:
    runs = list(_seen(server))
    for leeway in (dt.timedelta(0), _LEEWAY):
        for run in runs:
            if run.first - leeway <= moment <= run.last:
                return run.offset
    return None


def _learn(client: AlyxClient, *, cancel: CancelToken | None, report: Report | None) -> bool:
    # Whether the page could be asked for what it says. A server without such pages is not broken.
    try:
        page = client.login_page(cancel=cancel, report=report)
    except TransportError:
        raise
    except ResponseError as error:
        if error.status in RETRIED_STATUSES:
            raise
        LOG.debug("the offset of %s: %s", client.url, error)
        return False
    except AlyxError as error:
        LOG.debug("the offset of %s: %s", client.url, error)
        return False
    said = _SAID.search(page)
    if said is not None and abs(int(said[1])) < 86400:
        remember_offset(client.url, dt.timedelta(seconds=int(said[1])))
    return True


def _by_a_row(
    client: AlyxClient, moment: dt.datetime, cancel: CancelToken | None, report: Report | None
) -> dt.timedelta | None:
    # A filter takes a time with its offset as a moment: at the right offset it finds the row that says this time.
    offsets = offsets_seen(client.url)
    tried = sorted({other for offset in offsets for other in (offset - _HOUR, offset, offset + _HOUR)})
    if not tried:
        return None
    now = naive_on_server(moment, tried[len(tried) // 2])
    for endpoint, name in _TELLING:
        around = f"{name}__gte,{(now - _AROUND).isoformat()},{name}__lte,{(now + _AROUND).isoformat()}"
        page = client.get(endpoint, {"django": around, "limit": 50}, cancel=cancel, report=report)
        times = [time for row in page.get("results", ()) if (time := read_time(row.get(name))) and time.tzinfo is None]
        nearest = min(times, key=lambda time: abs(time - now), default=None)
        if nearest is None:
            continue
        for offset in tried:
            there = f"{name},{nearest.replace(tzinfo=dt.timezone(offset)).isoformat()}"
            found = client.get(endpoint, {"django": there, "limit": 50}, cancel=cancel, report=report)
            if any(read_time(row.get(name)) == nearest for row in found.get("results", ())):
                return offset
    return None


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
