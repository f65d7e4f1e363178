"""Asks Alyx for an animal's last weeks, in a few requests, several at once.

All rows are asked for by the animal's id; ``/water-requirement`` alone goes by nickname and is checked. Where that does
not tell, the days are computed from rows, as far as these say it.
"""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass, replace
from decimal import Decimal
from typing import TYPE_CHECKING, Any, Final

from alyx_connector.errors import AlyxError, ConfigurationError, ServerFaultError
from alyx_connector.ids import canonical_id
from alyx_connector.zones.lab_zones import remember_zones
from alyx_connector.zones.moments import lab_zone
from alyx_connector.zones.server_offsets import server_clock
from pybpod_alyx_module.animals.alyx_access import UntoldError, fetch_subject_row
from pybpod_alyx_module.animals.alyx_subject import server_name
from pybpod_alyx_module.animals.handled_animals import fetch_all
from pybpod_alyx_module.animals.history.animal_history import AnimalHistory, Restriction, trimmed
from pybpod_alyx_module.animals.history.computed_days import SECOND_SHARE, DayRows, computed_days
from pybpod_alyx_module.animals.history.implant_weight import fetch_implant
from pybpod_alyx_module.animals.history.told_days import told_days
from pybpod_alyx_module.animals.requirement import fetch_requirement
from pybpod_alyx_module.animals.rows import (
    counted_at,
    current_clock,
    day_of_water,
    is_counted_in_utc,
    number_of,
    session_seen,
    utc_day_note,
    wall_time,
    water_now,
    weighings,
)
from pybpod_alyx_module.animals.water import water_today
from pybpod_alyx_module.animals.weight import FAR_PERCENT, LabShares
from pybpod_alyx_module.lab_time import lab_now
from pybpod_alyx_module.numbers import exact, is_number
from pybpod_alyx_module.remedies import explain

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence

    from alyx_connector.http.client import AlyxClient
    from alyx_connector.progress import CancelToken
    from pybpod_alyx_module.animals.history.animal_history import HistoryDay
    from pybpod_alyx_module.animals.requirement import Requirement
    from pybpod_alyx_module.animals.water import Water

    Rows = list[dict[str, Any]]

__all__ = ["HISTORY_DAYS", "fetch_history"]

#: How many days are shown, with today.
HISTORY_DAYS: Final = 60
#: Days that zones and midnight can put between this computer and a lab.
_MARGIN: Final = 1
#: mL: what the server's own sum may differ.
_SAME: Final = Decimal("1E-6")


@dataclass(frozen=True)
class _Asked:
    # What the first requests brought; all but the subject's row for these days only.
    row: dict[str, Any]
    restrictions: tuple[Restriction, ...]
    weighings: Rows
    sessions: Rows
    zone_name: str | None
    shares: LabShares | None

    @property
    def zone(self) -> dt.tzinfo | None:
        return lab_zone(self.zone_name)

    @property
    def restricted_now(self) -> bool:
        return self.row.get("last_water_restriction") is not None


def fetch_history(client: AlyxClient, subject_id: str, name: str, *, cancel: CancelToken) -> AnimalHistory:
    """Ask for the last weeks of one animal.

    Returns: what cannot be judged has its reason in it; an error of the server or the network is raised.
    ``name``: what to call the animal where Alyx does not tell.
    """
    alyx_id = canonical_id(subject_id)
    if alyx_id is None:
        raise ConfigurationError(f"{subject_id!r} is not a valid Alyx id.", hint="Sync the project.")
    first = dt.datetime.now(dt.timezone.utc).date() - dt.timedelta(days=HISTORY_DAYS - 1 + _MARGIN)
    of_animal = f"subject__pk,{alyx_id}"
    row, restricted, weighed, sessions, _clock = fetch_all(
        cancel,
        lambda stop: fetch_subject_row(client, alyx_id, stop),
        _rows(client, "water-restriction", of_animal),
        _rows(client, "weighings", f"{of_animal},date_time__date__gte,{first}"),
        _rows(client, "sessions", f"{of_animal},start_time__date__gte,{first}"),
        lambda stop: current_clock(client, stop),
    )
    if row is None:
        raise ConfigurationError(
            f"{server_name(client.url)} no longer has {name}, or does not show it to {client.username}.",
            hint="Sync the project: it tells what became of the animal.",
        )

    def require(stop: CancelToken) -> tuple[Requirement | None, AlyxError | None]:
        try:
            return fetch_requirement(client, alyx_id, row["nickname"], first, stop), None
        except (ServerFaultError, ConfigurationError) as error:  # of this animal, or of all at this server
            return None, error

    (requirement, refusal), (zone_name, shares) = fetch_all(
        cancel, require, lambda stop: _lab(client, row.get("lab"), stop)
    )
    zone = lab_zone(zone_name)
    asked = _Asked(row, _restrictions(restricted, zone), weighed, sessions, zone_name, shares)
    if requirement is not None:
        days = told_days(requirement, restricted_now=asked.restricted_now)
        water = water_today(requirement, restricted_now=asked.restricted_now)
        return _history(client, asked, days, water)
    return _from_rows(client, asked, first, refusal, cancel)


def _from_rows(
    client: AlyxClient, asked: _Asked, first: dt.date, reason: AlyxError | None, cancel: CancelToken
) -> AnimalHistory:
    # a server that tells the water requirement of no animal is one whose rules are known
    by_reference = isinstance(reason, UntoldError)
    of_animal, row = f"subject__pk,{asked.row['id']}", asked.row
    weighed, gifts, implant = fetch_all(
        cancel,
        _rows(client, "weighings", of_animal),
        _rows(client, "water-administrations", f"{of_animal},date_time__date__gte,{first}"),
        lambda stop: fetch_implant(client, row["id"], stop) if by_reference else None,
    )
    zone, clock = asked.zone, server_clock(client.url)
    share = asked.shares.reference if by_reference and asked.shares is not None else None
    given = [
        (day, number_of(gift, "water_administered"), bool(gift.get("session")))
        for gift in gifts
        if gift.get("water_administered") is not None
        and (day := day_of_water(gift.get("date_time"), zone, clock)) is not None
    ]
    in_order = sorted(
        (counted_at(one["date_time"], zone, clock), day, number_of(one, "weight"))
        for one in weighed
        if (day := day_of_water(one.get("date_time"), zone, clock)) is not None
    )
    rows = DayRows([(day, grams) for _time, day, grams in in_order], given, asked.restrictions, implant, share)
    now = lab_now(zone)
    today = dt.datetime.now(dt.timezone.utc).date() if is_counted_in_utc(row) else now.date()
    if not by_reference:
        not_judged = explain(reason) if reason is not None else ""
    elif share is None:
        not_judged = f"{server_name(client.url)} does not tell by what share its lab judges weights."
    elif implant is None:
        not_judged = (
            f"{row['nickname']} has an implant whose weight {server_name(client.url)} does not tell: no percentage."
        )
    else:
        not_judged = ""
    days = computed_days(rows, first, today, now)
    if asked.shares is not None and by_reference:  # its other share is a tolerance, no limit
        asked = replace(asked, shares=LabShares(asked.shares.reference, Decimal(0)))
    second = SECOND_SHARE if by_reference else FAR_PERCENT / 100
    return _history(client, asked, days, _water(asked, days[-1]), second=second, not_judged=not_judged)


def _water(asked: _Asked, today: HistoryDay) -> Water:
    # The row has the sum of today alone; the gifts say which part of it is what, unless one was given in between.
    water = water_now(asked.row, restricted=asked.restricted_now)
    if abs(water.given - today.given) > _SAME:
        return water
    return replace(water, reward=today.reward, supplement=today.supplement)


def _history(
    client: AlyxClient,
    asked: _Asked,
    days: Sequence[HistoryDay],
    water: Water,
    *,
    second: Decimal = FAR_PERCENT / 100,
    not_judged: str = "",
) -> AnimalHistory:
    shown = trimmed(tuple(days)[-HISTORY_DAYS:])
    row, zone, first = asked.row, asked.zone, shown[0].date
    points = weighings(asked.weighings, zone, server_clock(client.url))
    seen = [one for session in asked.sessions if (one := session_seen(session, zone)) is not None]
    note = utc_day_note(zone) if is_counted_in_utc(row) else ""
    return AnimalHistory(
        subject_id=row["id"],
        name=row["nickname"],
        lab=row.get("lab") or "",
        lab_zone=asked.zone_name,
        alive=row["alive"],
        death_date=row.get("death_date"),
        days=shown,
        weighings=tuple(one for one in points if one.when is not None and one.when.date() >= first),
        restrictions=asked.restrictions,
        sessions=tuple(
            sorted(
                (one for one in seen if one.start_time.date() >= first), key=lambda one: one.start_time, reverse=True
            )
        ),
        water=water,
        shares=asked.shares,
        second_share=second,
        not_judged=not_judged,
        notes=(note,) if note else (),
    )


def _rows(client: AlyxClient, endpoint: str, django: str) -> Callable[[CancelToken], Rows]:
    return lambda cancel: client.list(endpoint, {"django": django}, cancel=cancel)


def _lab(client: AlyxClient, lab: Any, cancel: CancelToken) -> tuple[str | None, LabShares | None]:
    # Zone and shares of a lab.
    if not isinstance(lab, str) or not lab:
        return None, None
    answer = client.get(("labs", lab), cancel=cancel)
    told = answer if isinstance(answer, dict) else {}
    zone, shares = told.get("timezone"), (told.get("reference_weight_pct"), told.get("zscore_weight_pct"))
    if isinstance(zone, str):
        remember_zones(client.url, {lab: zone})
    numbers = [exact(share) for share in shares if share is not None and is_number(share)]
    return zone if isinstance(zone, str) else None, LabShares(*numbers) if len(numbers) == len(shares) else None


def _restrictions(rows: Iterable[dict[str, Any]], zone: dt.tzinfo | None) -> tuple[Restriction, ...]:
    read = [
        Restriction(
            wall_time(row.get("start_time"), zone),
            wall_time(row.get("end_time"), zone),
            exact(row["reference_weight"]) if is_number(row.get("reference_weight")) else None,
            str(row.get("water_type") or ""),
        )
        for row in rows
    ]
    return tuple(sorted(read, key=lambda one: one.start.isoformat() if one.start else ""))
