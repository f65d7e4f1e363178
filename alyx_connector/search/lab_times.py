"""Rows with the times that the lab's clock showed, whatever the clock of the server."""

from __future__ import annotations

import datetime as dt
import logging
from textwrap import shorten
from typing import TYPE_CHECKING, Any

from alyx_connector.errors import AlyxError, CredentialsError
from alyx_connector.frames.tables import identity
from alyx_connector.ids import is_id
from alyx_connector.search.subject_filter import any_of, is_quotable
from alyx_connector.zones.day_note import new_clock_note
from alyx_connector.zones.moments import LAB_TIMES, MOMENTS, lab_times, lab_zone, on_lab_clock, read_time
from alyx_connector.zones.server_offsets import ServerClock, see_clock, server_clock
from alyx_connector.zones.server_zone import zone_of_times

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from alyx_connector.http.client import AlyxClient
    from alyx_connector.warning import Tell
    from alyx_connector.zones.lab_zones import LabZones

__all__ = ["a_day_more", "in_lab_time", "labs_of", "on_days"]

LOG = logging.getLogger(__name__)

#: So many animals a lab are asked for by name: their rows take Alyx long, since it computes each one's water.
_FEW = 4
#: Between lab and nickname in the name of an animal, where the server makes one of both.
_PARTS = "__"


def in_lab_time(
    rows: Sequence[dict[str, Any]], endpoint: str, client: AlyxClient, zones: LabZones, *, ask: bool, tell: Tell
) -> list[dict[str, Any]]:
    """Make the lab times of rows naive, as the clock of each one's lab showed them.

    ``endpoint``: the list that has the rows: of `MOMENTS`, times without an offset are on the server's clock.
    ``ask``: whether the server may be asked for what is not known: the zones of labs, the labs of animals.
    ``tell``: takes a sentence where the zone of a lab, or the clock of the server, is not known, or is not the lab's.
    """
    keeps_zones = zones.observe(rows)
    if not keeps_zones and not (endpoint in MOMENTS and lab_times(rows)):
        return list(rows)
    names = zones.names(ask=ask)
    clock = None if keeps_zones else _clock_of(rows, endpoint, client, ask=ask)
    if clock is not None and clock.moment(dt.datetime.now()) is None:  # noqa: DTZ005 - whether any time can be read
        tell(f"{client.url} does not tell the time on its clock: times of {endpoint} are shown as on it.")
        return list(rows)
    if clock is not None and all(
        _converted(row, lab_zone(name), clock) == row for name in names.values() for row in rows
    ):
        return list(rows)
    labs = labs_of(rows, names, client if ask else None, endpoint)
    names = zones.names(labs, ask=ask)
    known = {lab: zone for lab, name in names.items() if (zone := lab_zone(name)) is not None}
    converted, unknown = [], set()
    for row, lab in zip(rows, labs, strict=True):
        zone = known.get(lab or "")
        if zone is None and lab_times([row]) and (lab or row.get("subject")):
            unknown.add(lab or f"the lab of {row['subject']}")
        converted.append(_converted(row, zone, clock))
    if unknown:
        whose = shorten(", ".join(sorted(unknown)), 120, placeholder=" …")
        tell(f"{client.url} does not tell the time zone of {whose}: those times are shown as on the server's clock.")
    for lab in sorted({lab for lab in labs if lab in known} if clock is not None else ()):
        if note := new_clock_note(client.url, lab, known[lab]):
            tell(note)
    return converted


def _clock_of(rows: Sequence[Mapping[str, Any]], endpoint: str, client: AlyxClient, *, ask: bool) -> ServerClock:
    found = None
    if ask:
        try:
            found = zone_of_times(client, endpoint, "date_time", lab_times(rows))
            if found is None:
                see_clock(client)
        except CredentialsError:
            raise
        except AlyxError as error:
            LOG.debug("the clock of %s: %s", client.url, error)
    return server_clock(client.url) if found is None else ServerClock((), found)


def on_days(
    rows: Sequence[dict[str, Any]], days: tuple[str | None, str | None], client: AlyxClient, zones: LabZones
) -> list[dict[str, Any]]:
    """Return the rows that began on one of some days of their labs, as they are.

    ``days``: the first and the last one, ISO; None for no end.
    """
    first, last = days
    in_lab = in_lab_time(rows, "sessions", client, zones, ask=True, tell=lambda _: None)
    began = [str(row.get("start_time") or "")[:10] for row in in_lab]
    return [row for row, day in zip(rows, began, strict=True) if (first or "") <= day and (last is None or day <= last)]


def a_day_more(days: tuple[str | None, str | None]) -> tuple[str | None, str | None]:
    """Return the days of any clock on which what began on some days of a lab may have begun."""
    first, last = (None if day is None else dt.date.fromisoformat(day) for day in days)
    return (
        None if first is None else (first - dt.timedelta(days=1)).isoformat(),
        None if last is None else (last + dt.timedelta(days=1)).isoformat(),
    )


def _converted(row: dict[str, Any], zone: dt.tzinfo | None, clock: ServerClock | None) -> dict[str, Any]:
    # ``clock``: None where the server says the offset.
    if zone is None:
        return row
    shown = {}
    for name in LAB_TIMES:
        time = read_time(row.get(name))
        moment = clock.moment(time) if time is not None and clock is not None else None
        if name in row:
            shown[name] = on_lab_clock(row[name] if moment is None else moment.isoformat(), zone)
    return {**row, **shown}


def labs_of(
    rows: Sequence[Mapping[str, Any]], names: Mapping[str, str], client: AlyxClient | None, endpoint: str
) -> list[str | None]:
    """Say of which lab each row is: its own, else that of its animal; None where that is not known.

    ``names``: the labs that there are.
    ``client``: is asked for the labs of animals; None if nothing is to be asked.
    ``endpoint``: the list that has the rows.
    """
    if len(names) == 1:
        return [*names] * len(rows)
    labs = [_named_lab(row, names) for row in rows]
    if client is None:
        return labs
    unclear = _animals_without(labs, rows)
    of_animals = _labs_of_animals(unclear, client) if 0 < len(unclear) <= _FEW * len(names) else {}
    labs = [lab or of_animals.get(str(row.get("subject"))) for row, lab in zip(rows, labs, strict=True)]
    unclear = _animals_without(labs, rows)
    of_rows = _labs_by_lists(unclear, rows, names, client, endpoint) if unclear else {}
    return [lab or of_rows.get(str(identity(row))) for row, lab in zip(rows, labs, strict=True)]


def _animals_without(labs: Sequence[str | None], rows: Sequence[Mapping[str, Any]]) -> list[str]:
    # In a lookup a nickname must be quotable; the times of others are told to be the server's.
    named = {str(row.get("subject")) for row, lab in zip(rows, labs, strict=True) if lab is None}
    return sorted(filter(is_quotable, named))


def _labs_by_lists(
    nicknames: Sequence[str],
    rows: Sequence[Mapping[str, Any]],
    names: Mapping[str, str],
    client: AlyxClient,
    endpoint: str,
) -> dict[str, str]:
    # Each lab's rows, by what each is known: quicker than the rows of many animals, and namesakes are told apart.
    times, name = lab_times(rows), "start_time" if any("start_time" in row for row in rows) else "date_time"
    found: dict[str, str] = {}
    if not times:
        return found
    between = f"{name}__gte,{min(times).isoformat()},{name}__lte,{max(times).isoformat()}"
    try:
        for lab in filter(is_quotable, names):
            for lookup in any_of("subject__nickname", nicknames):
                of_lab = f"{lookup},subject__lab__name__in,['{lab}'],{between}"
                found.update((str(identity(row)), lab) for row in client.list(endpoint, {"django": of_lab}))
    except CredentialsError:
        raise
    except AlyxError:
        return {}  # their times are told to be the server's
    return found


def _named_lab(row: Mapping[str, Any], names: Mapping[str, str]) -> str | None:
    lab = row.get("lab")
    if isinstance(lab, str) and lab and not is_id(lab):
        return lab
    before = str(row.get("subject")).partition(_PARTS)[0]
    return before if before in names and _PARTS in str(row.get("subject")) else None


def _labs_of_animals(nicknames: Sequence[str], client: AlyxClient) -> dict[str, str]:
    found: dict[str, set[str]] = {}
    try:
        for lookup in any_of("nickname", nicknames):
            for row in client.list("subjects", {"django": lookup}):
                found.setdefault(str(row.get("nickname")), set()).add(str(row.get("lab")))
    except CredentialsError:
        raise
    except AlyxError:
        return {}  # their times are told to be the server's
    return {nickname: next(iter(labs)) for nickname, labs in found.items() if len(labs) == 1}
