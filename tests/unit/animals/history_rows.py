"""A made-up animal's last weeks."""

from __future__ import annotations

import datetime as dt
from dataclasses import replace
from decimal import Decimal

from pybpod_alyx_module.animals.history.animal_history import AnimalHistory, HistoryDay, Restriction, percentage
from pybpod_alyx_module.animals.water import Water
from pybpod_alyx_module.animals.weight import LabShares
from pybpod_alyx_module.animals.weight_plausibility import Weighed

TODAY = dt.date(2026, 3, 20)
REFERENCE = Decimal(25)


def at(date: dt.date, hour: int = 12) -> dt.datetime:
    return dt.datetime.combine(date, dt.time(hour))


def a_day(
    back: int, weighing: float | None, *, restricted: bool = True, share: str = "0.85", implant: str | None = "0"
) -> HistoryDay:
    """A day so many days ago; a lab whose share is 0 sets no limit."""
    weight = None if weighing is None else Decimal(str(weighing))
    on, part = None if implant is None else Decimal(implant), Decimal(share)
    expected = REFERENCE if part and on is not None else None
    limits = [None if expected is None or on is None else one * (expected - on) + on for one in (part, Decimal("0.75"))]
    return HistoryDay(
        date=TODAY - dt.timedelta(days=back),
        restricted=restricted,
        weighing=weight,
        weight=weight,
        reference=REFERENCE,
        expected=expected,
        limit=limits[0],
        second_limit=limits[1],
        percentage=percentage(weight, expected, on),
        reward=Decimal("0.5"),
        supplement=Decimal("0.25"),
        expected_water=None if weight is None else Decimal("0.9"),
        implant=on,
    )


def a_history(*days: HistoryDay, share: str = "0.85", ended: bool = False, **changed: object) -> AnimalHistory:
    """The days of an animal whose restriction began on the first restricted one."""
    began = next((day.date for day in days if day.restricted), None)
    end = at(max(day.date for day in days if day.restricted)) if ended else None
    history = AnimalHistory(
        subject_id="3ae1b2d5-24a8-4c6b-9b3a-000000000001",
        name="ea04",
        lab="haisslab",
        lab_zone="UTC",
        alive=True,
        death_date=None,
        days=days,
        weighings=tuple(Weighed(day.weighing, at(day.date)) for day in days if day.weighing is not None),
        restrictions=() if began is None else (Restriction(at(began), end, REFERENCE, "Water"),),
        sessions=(),
        water=Water(Decimal("0.9"), Decimal("0.5"), Decimal("0.25"), Decimal("0.75"), restricted=began is not None),
        shares=LabShares(Decimal(share), Decimal(0)),
        second_share=Decimal("0.75"),
    )
    return replace(history, **changed)  # type: ignore[arg-type]
