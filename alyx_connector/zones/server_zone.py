"""Whose zone's clock a server's times are on that have no offset: found by its own rows, and kept on the disk.

A filter takes a time with its offset as a moment: only on the right clock does it find the row that says this time.
"""

from __future__ import annotations

import datetime as dt
import logging
import time
import weakref
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final
from zoneinfo import available_timezones

from alyx_connector.errors import ConfigurationError, PermissionDeniedError, RateLimitedError, ResponseError
from alyx_connector.http.retry import RETRIED_STATUSES
from alyx_connector.private_file import JsonFile, home_folder
from alyx_connector.zones.lab_zones import zones_of
from alyx_connector.zones.moments import lab_zone, read_time

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Sequence
    from zoneinfo import ZoneInfo

    from alyx_connector.http.client import AlyxClient
    from alyx_connector.progress import CancelToken, Report

__all__ = ["ZONES_FILE", "ServerZone", "kept_zone", "likely_zones", "zone_around", "zone_of_times"]

LOG = logging.getLogger(__name__)

#: In the folder of `alyx_connector.private_file.home_folder`.
ZONES_FILE: Final = "server_zones.json"
#: Lists whose rows can tell: where they have the time.
_TELLING: Final = (
    ("weighings", "date_time"),
    ("water-administrations", "date_time"),
    ("sessions", "start_time"),
    ("water-restriction", "start_time"),
)
#: How far from a moment rows are looked for.
_AROUND: Final = dt.timedelta(days=30)
#: For so long what was found around a moment counts for others of its month: for many records one search. Seconds.
_COUNTS_S: Final = 10.0
#: More times than these an address cannot hold.
_MOST_TIMES: Final = 40
#: So many clocks are tried.
_MOST_CLOCKS: Final = 12
#: The zone that most servers have, whatever their labs'; and the one that Alyx comes with.
_USUAL, _ALYX = "UTC", "Europe/London"
_STEP: Final = dt.timedelta(minutes=15)
_WEST, _EAST = -48, 56  # of such steps: -12 h, +14 h


@dataclass(frozen=True)
class ServerZone:
    """A zone whose clock a server's rows are on."""

    zone: ZoneInfo
    #: Of the rows that told so, ``2026-11``: zones differ in summer that are the same in winter.
    months: frozenset[str]

    def covers(self, moment: dt.datetime) -> bool:
        """Tell whether rows of the same month told it."""
        return _month(moment.astimezone(self.zone)) in self.months

    def moment(self, naive: dt.datetime) -> dt.datetime:
        """Return the moment at which the clock showed a time: the later one, where it showed it twice, as Alyx does."""
        return naive.replace(tzinfo=self.zone, fold=1)

    def offset(self, moment: dt.datetime) -> dt.timedelta:
        """Return how far the clock is ahead of UTC at a moment."""
        return moment.astimezone(self.zone).utcoffset() or dt.timedelta()


def kept_zone(server: str) -> ServerZone | None:
    """Return the zone of a server as it was last found, without asking; None where it never was."""
    try:
        kept = _file().read().get(server)
    except ConfigurationError as error:
        LOG.warning("%s", error)
        return None
    zone = None if kept is None else lab_zone(kept["zone"])
    return None if kept is None or zone is None else ServerZone(zone, frozenset(kept["months"]))


def zone_around(
    client: AlyxClient, moment: dt.datetime, *, cancel: CancelToken | None = None, report: Report | None = None
) -> ServerZone | None:
    """Find a server's zone by its rows around a moment, or of that month in other years: summer time is much the same.

    Returns: None where there are no such rows, or they say their offset. Other rows then tell what is kept if nothing
    is. An error where the server cannot be asked.
    """
    found_before = _FOUND.setdefault(client, {})
    until, found = found_before.get(_month(moment), (0.0, None))
    if until < time.monotonic():
        since, last = _utc(moment - _AROUND), _utc(moment + _AROUND)
        around = "{0}__gte," + since + ",{0}__lte," + last
        found = _by_rows(client, (around, f"{{0}}__month,{moment.month}"), cancel, report)
        if found is None and kept_zone(client.url) is None:
            _by_rows(client, ("",), cancel, report)
        found_before[_month(moment)] = time.monotonic() + _COUNTS_S, found
    return found


#: What `zone_around` found, and until when that counts, by month.
_FOUND: Final[weakref.WeakKeyDictionary[AlyxClient, dict[str, tuple[float, ServerZone | None]]]] = (
    weakref.WeakKeyDictionary()
)


def _by_rows(
    client: AlyxClient, lookups: Sequence[str], cancel: CancelToken | None, report: Report | None
) -> ServerZone | None:
    # ``lookups``: which rows, those that serve best first; "" for any.
    for lookup in lookups:
        for endpoint, name in _TELLING:
            params = {"limit": 100, **({"django": lookup.format(name)} if lookup else {})}
            rows = _rows(client.get, endpoint, params, cancel, report)
            times = [read for row in rows if (read := read_time(row.get(name))) is not None]
            if any(read.tzinfo is not None for read in times):
                return None  # it keeps zones
            found = zone_of_times(client, endpoint, name, times, cancel=cancel, report=report)
            if found is not None:
                return found
    return None


def zone_of_times(
    client: AlyxClient,
    endpoint: str,
    name: str,
    times: Iterable[dt.datetime],
    *,
    cancel: CancelToken | None = None,
    report: Report | None = None,
) -> ServerZone | None:
    """Find the zone on whose clock a server's rows have these times; None where there is none.

    Returns: the one that is kept where it was found by rows of these months. An error where the server cannot be asked.
    ``endpoint``, ``name``: the list that has the rows, and the field that has the times: naive.
    """
    of_months = {_month(naive): naive for naive in sorted(times)}
    kept = kept_zone(client.url)
    if not of_months:
        return None
    if kept is not None and kept.months.issuperset(of_months):
        return kept
    samples = list(of_months.values())[:: 1 + len(of_months) // _MOST_TIMES]
    tried: set[tuple[dt.timedelta | None, ...]] = set()
    for zone in _candidates(client, endpoint, name, samples, kept, cancel, report):
        found = ServerZone(zone, frozenset(of_months))
        moments = [found.moment(naive) for naive in samples]
        clock = tuple(moment.utcoffset() for moment in moments)
        if clock in tried or len(tried) >= _MOST_CLOCKS:
            continue
        tried.add(clock)
        listed = ",".join(f"'{moment.isoformat()}'" for moment in moments)
        rows = _rows(client.list, endpoint, {"django": f"{name}__in,[{listed}]"}, cancel, report)
        if {read_time(row.get(name)) for row in rows}.issuperset(samples):
            return _keep(client.url, found, kept)
    return None


def likely_zones(
    client: AlyxClient, *, cancel: CancelToken | None = None, report: Report | None = None
) -> list[ZoneInfo]:
    """Return the zones that a server may well have: the usual one, those of its labs, that of Alyx."""
    names = zones_of(client).names(cancel=cancel, report=report).values()
    return [zone for zone in map(lab_zone, dict.fromkeys([_USUAL, *names, _ALYX])) if zone is not None]


def _candidates(
    client: AlyxClient,
    endpoint: str,
    name: str,
    samples: Sequence[dt.datetime],
    kept: ServerZone | None,
    cancel: CancelToken | None,
    report: Report | None,
) -> Iterator[ZoneInfo]:
    # The likely ones first: few requests for most servers. Of all others those with the offset that the last row tells.
    if kept is not None:
        yield kept.zone
    yield from likely_zones(client, cancel=cancel, report=report)
    last = samples[-1]
    offset = _offset_of(client, endpoint, name, last, cancel, report)
    if offset is not None:
        for zone in map(lab_zone, sorted(available_timezones())):
            if zone is not None and last.replace(tzinfo=zone, fold=1).utcoffset() == offset:
                yield zone


def _offset_of(
    client: AlyxClient,
    endpoint: str,
    name: str,
    naive: dt.datetime,
    cancel: CancelToken | None,
    report: Report | None,
) -> dt.timedelta | None:
    # By halving: the row is found up to any moment from its own on.
    def is_by(steps: int) -> bool:
        moment = naive.replace(tzinfo=dt.timezone(steps * _STEP))
        until = f"{name},{naive.isoformat()},{name}__lte,{_utc(moment)}"
        return bool(_rows(client.get, endpoint, {"django": until, "limit": 1}, cancel, report))

    low, high = _WEST, _EAST
    if not is_by(low):
        return None
    while low < high:
        middle = (low + high + 1) // 2
        low, high = (middle, high) if is_by(middle) else (low, middle - 1)
    return low * _STEP


def _rows(
    ask: Callable[..., Any],
    endpoint: str,
    params: dict[str, Any],
    cancel: CancelToken | None,
    report: Report | None,
) -> list[dict[str, Any]]:
    # Empty where the server cannot answer this: another list may tell.
    try:
        answer = ask(endpoint, params, cancel=cancel, report=report)
    except (ResponseError, PermissionDeniedError) as error:
        if isinstance(error, RateLimitedError) or getattr(error, "status", None) in RETRIED_STATUSES:
            raise
        LOG.debug("rows of %s that tell a zone: %s", endpoint, error)
        return []
    rows = answer.get("results") if isinstance(answer, dict) else answer
    return [row for row in rows or () if isinstance(row, dict)]


def _keep(server: str, found: ServerZone, kept: ServerZone | None) -> ServerZone:
    if kept is not None and kept.zone.key == found.zone.key:
        found = ServerZone(found.zone, found.months | kept.months)
    entry = {"zone": found.zone.key, "months": sorted(found.months)}
    try:
        _file().change(lambda content: content.update({server: entry}))
    except ConfigurationError as error:
        LOG.warning("%s", error)
    return found


def _month(when: dt.datetime) -> str:
    return f"{when:%Y-%m}"


def _utc(moment: dt.datetime) -> str:
    return moment.astimezone(dt.timezone.utc).isoformat()


def _file() -> JsonFile:
    return JsonFile(home_folder() / ZONES_FILE, _check)


def _check(content: Any) -> None:
    for entry in content.values():
        if not (isinstance(entry["zone"], str) and all(isinstance(month, str) for month in entry["months"])):
            raise TypeError("not a zone and months")
