"""The living water-restricted animals that a user may handle, with weight and water: a few requests for all of them."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass, replace
from decimal import Decimal
from typing import TYPE_CHECKING, Any, Final

from alyx_connector.schema.source import dialect_of
from pybpod_alyx_module.animals.handled_animals import fetch_all, list_owners, list_subjects, rows_of_each
from pybpod_alyx_module.animals.rows import (
    current_clock,
    day_of_water,
    is_counted_in_utc,
    number_of,
    running_restriction,
    running_type,
    water_now,
    weighings,
    zones_of_labs,
)
from pybpod_alyx_module.animals.weight import LabShares, LastJudged, judge_last
from pybpod_alyx_module.numbers import exact, is_number

if TYPE_CHECKING:
    import datetime as dt
    from collections.abc import Mapping, Sequence

    from alyx_connector.http.client import AlyxClient
    from alyx_connector.progress import CancelToken
    from pybpod_alyx_module.animals.water import Water
    from pybpod_alyx_module.animals.weight_plausibility import Weighed

__all__ = ["RestrictedAnimal", "fetch_restricted_animals"]

#: mL: what the rows' own sum may differ from the server's.
_SAME: Final = Decimal("1E-6")


@dataclass(frozen=True)
class RestrictedAnimal:
    """One water-restricted animal."""

    #: Alyx id.
    subject_id: str
    #: Nickname.
    name: str
    lab: str
    responsible_user: str
    #: Today, as far as the server says: need and gifts are of now, in the lab's time zone.
    water: Water
    #: The newest weight of the last days, None if there is none.
    last_weight: Weighed | None
    #: That of the running water restriction, None if it names none.
    water_type: str | None
    #: Whether the server counts its water by the day in UTC, not by its lab's.
    is_counted_in_utc: bool = False
    #: How Alyx judges that weight; None without one, and where the server does not tell.
    judged: LastJudged | None = None

    @property
    def needs_water(self) -> bool:
        """Whether a person must still give water today."""
        return self.water.needs_water


def fetch_restricted_animals(client: AlyxClient, username: str, *, cancel: CancelToken) -> tuple[RestrictedAnimal, ...]:
    """Ask for the living water-restricted animals of a user, and of those who allow this user to handle theirs.

    Returns: by name; also those that need no more water today. Empty where there is none.
    """
    animals: list[RestrictedAnimal] = []
    owners = list_owners(client, username, cancel)
    shares: dict[str, LabShares] | None = None
    if dialect_of(client, cancel=cancel).tells_minimum_weights:
        shares = _shares(client.list("labs", cancel=cancel))
    for owner in owners:
        animals += _animals_of(client, owner, shares, cancel)
    return tuple(sorted(animals, key=lambda animal: (animal.name.casefold(), animal.lab)))


def _shares(labs: Sequence[dict[str, Any]]) -> dict[str, LabShares]:
    # of the labs that tell both
    told = {}
    for row in labs:
        reference, zscore = _number(row, "reference_weight_pct"), _number(row, "zscore_weight_pct")
        if reference is not None and zscore is not None:
            told[str(row.get("name"))] = LabShares(reference, zscore)
    return told


def _number(row: dict[str, Any], name: str) -> Decimal | None:
    value = row.get(name)
    return exact(value) if value is not None and is_number(value) else None


def _animals_of(
    client: AlyxClient, owner: str, shares: Mapping[str, LabShares] | None, cancel: CancelToken
) -> list[RestrictedAnimal]:
    subjects = list_subjects(client, owner, {"water_restricted": "True", "alive": "True"}, cancel)
    if not subjects:
        return []
    weights, gifts, restrictions = fetch_all(
        cancel,
        rows_of_each(client, owner, "weighings", "date_time"),
        rows_of_each(client, owner, "water-administrations", "date_time"),
        rows_of_each(client, owner, "water-restriction", None),
    )
    animals = []
    clock, zones = current_clock(client, cancel), zones_of_labs(client, subjects, cancel)
    for row in subjects:
        zone = zones[row.get("lab")]
        days = [(day_of_water(gift.get("date_time"), zone, clock), gift) for gift in gifts(row)]
        animal = _animal(row, weighings(weights(row), zone, clock), days, restrictions(row))
        if shares is not None and animal.last_weight is not None:
            of_lab = shares.get(animal.lab)
            animal = replace(animal, judged=_judged(animal.last_weight.grams, row, restrictions(row), of_lab))
        animals.append(animal)
    return animals


def _judged(
    weight: Decimal, row: dict[str, Any], restrictions: Sequence[dict[str, Any]], shares: LabShares | None
) -> LastJudged:
    return judge_last(
        weight,
        number_of(row, "expected_water"),
        number_of(row, "reference_weight"),
        _number(running_restriction(restrictions), "reference_weight"),
        shares,
    )


def _animal(
    row: dict[str, Any],
    weighed: Sequence[Weighed],
    gifts: Sequence[tuple[dt.date | None, dict[str, Any]]],
    restrictions: Sequence[dict[str, Any]],
) -> RestrictedAnimal:
    # The list holds those whose restriction has no end.
    water = water_now(row, restricted=True)
    reward, supplement = _split(water.given, gifts)
    return RestrictedAnimal(
        row["id"],
        row["nickname"],
        row.get("lab") or "",
        row["responsible_user"],
        replace(water, reward=reward, supplement=supplement),
        weighed[-1] if weighed else None,
        running_type(restrictions),
        is_counted_in_utc(row),
    )


def _split(
    given: Decimal, gifts: Sequence[tuple[dt.date | None, dict[str, Any]]]
) -> tuple[Decimal | None, Decimal | None]:
    # Into reward and supplement. The server does not say which zone's day it summed up: it is the newest day whose
    # gifts add up to that sum.
    if given == 0:
        return Decimal(0), Decimal(0)
    days: dict[dt.date, list[Decimal]] = defaultdict(lambda: [Decimal(0), Decimal(0)])
    for day, gift in gifts:
        if day is not None and gift.get("water_administered") is not None:
            days[day][0 if gift.get("session") else 1] += number_of(gift, "water_administered")
    newest = max(days, default=None)
    if newest is None or abs(sum(days[newest]) - given) > _SAME:
        return None, None
    reward, supplement = days[newest]
    return reward, supplement
