"""Rows with the times that the lab's clock showed, whatever the clock of the server."""

from __future__ import annotations

import datetime as dt
from textwrap import shorten
from typing import TYPE_CHECKING, Any

from alyx_connector.errors import AlyxError, CredentialsError
from alyx_connector.ids import is_id
from alyx_connector.search.subject_filter import any_of, is_quotable
from alyx_connector.zones.moments import LAB_TIMES, has_offset, lab_zone, on_lab_clock

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from alyx_connector.http.client import AlyxClient
    from alyx_connector.warning import Tell
    from alyx_connector.zones.lab_zones import LabZones

__all__ = ["a_day_more", "in_lab_time", "labs_of", "on_days"]

#: Between lab and nickname in the name of an animal, where the server makes one of both.
_PARTS = "__"


def in_lab_time(
    rows: Sequence[dict[str, Any]], client: AlyxClient, zones: LabZones, *, ask: bool, tell: Tell
) -> list[dict[str, Any]]:
    """Make the lab times of rows naive, as the clock of each one's lab showed them.

    ``ask``: whether the server may be asked for what is not known: the zones of labs, the labs of animals.
    ``tell``: takes a sentence where the zone of a lab is not known.
    """
    if not zones.observe(rows):
        return list(rows)
    labs = labs_of(rows, zones.names(ask=ask), client if ask else None)
    names = zones.names(labs, ask=ask)
    known = {lab: zone for lab, name in names.items() if (zone := lab_zone(name)) is not None}
    converted, unknown = [], set()
    for row, lab in zip(rows, labs, strict=True):
        zone = known.get(lab or "")
        if zone is None and has_offset([row]) and (lab or row.get("subject")):
            unknown.add(lab or f"the lab of {row['subject']}")
        converted.append(row if zone is None else _converted(row, zone))
    if unknown:
        whose = shorten(", ".join(sorted(unknown)), 120, placeholder=" …")
        tell(f"{client.url} does not tell the time zone of {whose}: those times are shown as on the server's clock.")
    return converted


def on_days(
    rows: Sequence[dict[str, Any]], days: tuple[str | None, str | None], client: AlyxClient, zones: LabZones
) -> list[dict[str, Any]]:
    """Return the rows that began on one of some days of their labs, as they are.

    ``days``: the first and the last one, ISO; None for no end.
    """
    first, last = days
    in_lab = in_lab_time(rows, client, zones, ask=True, tell=lambda _: None)
    began = [str(row.get("start_time") or "")[:10] for row in in_lab]
    return [row for row, day in zip(rows, began, strict=True) if (first or "") <= day and (last is None or day <= last)]


def a_day_more(days: tuple[str | None, str | None]) -> tuple[str | None, str | None]:
    """Return the days of any clock on which what began on some days of a lab may have begun."""
    first, last = (None if day is None else dt.date.fromisoformat(day) for day in days)
    return (
        None if first is None else (first - dt.timedelta(days=1)).isoformat(),
        None if last is None else (last + dt.timedelta(days=1)).isoformat(),
    )


def _converted(row: dict[str, Any], zone: Any) -> dict[str, Any]:
    return {**row, **{name: on_lab_clock(row[name], zone) for name in LAB_TIMES if name in row}}


def labs_of(rows: Sequence[Mapping[str, Any]], names: Mapping[str, str], client: AlyxClient | None) -> list[str | None]:
    """Say of which lab each row is: its own, else that of its animal; None where that is not known.

    ``names``: the labs that there are.
    ``client``: is asked for the labs of animals; None if nothing is to be asked.
    """
    if len(names) == 1:
        return [*names] * len(rows)
    labs = [_named_lab(row, names) for row in rows]
    missing = {str(row.get("subject")) for row, lab in zip(rows, labs, strict=True) if lab is None}
    of_animals = _labs_of_animals(sorted(missing), client) if missing and client is not None else {}
    labs = [lab or of_animals.get(str(row.get("subject"))) for row, lab in zip(rows, labs, strict=True)]
    if client is None:
        return labs
    return [lab or _lab_of_session(row, client) for row, lab in zip(rows, labs, strict=True)]


def _lab_of_session(row: Mapping[str, Any], client: AlyxClient) -> str | None:
    # Of namesakes of several labs, the details of a session alone tell whose it is.
    if not is_id(str(row.get("id"))) or "start_time" not in row:
        return None
    try:
        lab = client.get(("sessions", str(row["id"]))).get("lab")
    except CredentialsError:
        raise
    except AlyxError:
        return None
    return lab if isinstance(lab, str) and lab else None


def _named_lab(row: Mapping[str, Any], names: Mapping[str, str]) -> str | None:
    lab = row.get("lab")
    if isinstance(lab, str) and lab and not is_id(lab):
        return lab
    before = str(row.get("subject")).partition(_PARTS)[0]
    return before if before in names and _PARTS in str(row.get("subject")) else None


def _labs_of_animals(nicknames: Sequence[str], client: AlyxClient) -> dict[str, str]:
    found: dict[str, set[str]] = {}
    try:
        for lookup in any_of("nickname", filter(is_quotable, nicknames)):
            for row in client.list("subjects", {"django": lookup}):
                found.setdefault(str(row.get("nickname")), set()).add(str(row.get("lab")))
    except CredentialsError:
        raise
    except AlyxError:
        return {}  # their times are told to be the server's
    return {nickname: next(iter(labs)) for nickname, labs in found.items() if len(labs) == 1}
