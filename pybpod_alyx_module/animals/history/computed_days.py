"""The days of an animal computed from rows, where the server does not tell them: Alyx-Local, and namesakes.

Alyx-Local judges by the reference weight alone: its ``WaterControl`` (actions/views/water_control.py) takes the lab's
share of it, 70 % for every lab as the second limit, and 1.5 mL of water for each gram that is missing.
"""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass
from decimal import Decimal
from typing import TYPE_CHECKING, Final

from pybpod_alyx_module.animals.history.animal_history import HistoryDay, percentage

if TYPE_CHECKING:
    from collections.abc import Sequence

    from pybpod_alyx_module.animals.history.animal_history import Restriction

#: Share of the reference weight below which Alyx-Local shows every weight in red.
SECOND_SHARE: Final = Decimal("0.7")
_ML_PER_G: Final = Decimal("1.5")
_LEAST_ML, _MOST_ML = Decimal("0.5"), Decimal("1.2")


@dataclass(frozen=True)
class DayRows:
    """What the rows of an animal say."""

    #: Day and weight of each weighing, in order of time, since ever.
    weighings: Sequence[tuple[dt.date, Decimal]]
    #: Day, mL, and whether it was given in a session.
    gifts: Sequence[tuple[dt.date, Decimal, bool]]
    #: In order.
    restrictions: Sequence[Restriction]
    #: None where it is not known.
    implant: Decimal | None
    #: Share of the reference weight by which the lab judges, 0: not by it; None where this server judges otherwise.
    share: Decimal | None


def computed_days(rows: DayRows, first: dt.date, today: dt.date, now: dt.datetime) -> tuple[HistoryDay, ...]:
    """Compute the days from one to another.

    ``now``: naive lab time.
    """
    count = (today - first).days + 1
    dates = [first + dt.timedelta(days=number) for number in range(count)]
    return tuple(_day(rows, date, now if date == today else dt.datetime.combine(date, dt.time(12))) for date in dates)


def _day(rows: DayRows, date: dt.date, moment: dt.datetime) -> HistoryDay:
    weight = _last(rows, date)
    of_day = [grams for day, grams in rows.weighings if day == date]
    gifts = [(amount, in_session) for day, amount, in_session in rows.gifts if day == date]
    restriction = _restriction_at(rows, date)
    restricted = restriction is not None and (restriction.end is None or restriction.end >= moment)
    reference, implant = _reference(rows, restriction, restricted=restricted), rows.implant
    expected = reference if rows.share is not None else None
    limit = _part(expected, implant, rows.share or Decimal(0))
    return HistoryDay(
        date=date,
        restricted=restricted,
        weighing=of_day[-1] if of_day else None,
        weight=weight,
        reference=reference,
        expected=expected,
        limit=limit,
        second_limit=_part(expected, implant, SECOND_SHARE),
        percentage=percentage(weight, expected, implant),
        reward=sum((amount for amount, in_session in gifts if in_session), Decimal(0)),
        supplement=sum((amount for amount, in_session in gifts if not in_session), Decimal(0)),
        expected_water=None if rows.share is None or implant is None else _water(limit, weight),
        implant=implant,
    )


def _restriction_at(rows: DayRows, date: dt.date) -> Restriction | None:
    begun = [one for one in rows.restrictions if one.start is not None and one.start.date() <= date]
    return begun[-1] if begun else None


def _reference(rows: DayRows, restriction: Restriction | None, *, restricted: bool) -> Decimal | None:
    # That of the last restriction also counts after its end.
    last = rows.restrictions[-1] if rows.restrictions else None
    if restriction is None:
        return None
    if restriction is last and last.reference:
        return last.reference
    if not restricted or restriction.start is None:
        return None
    return restriction.reference or _last(rows, restriction.start.date())


def _last(rows: DayRows, date: dt.date) -> Decimal | None:
    return next((grams for day, grams in reversed(rows.weighings) if day <= date), None)


def _part(expected: Decimal | None, implant: Decimal | None, share: Decimal) -> Decimal | None:
    if expected is None or implant is None or expected <= implant or not share:
        return None
    return share * (expected - implant) + implant


def _water(limit: Decimal | None, weight: Decimal | None) -> Decimal | None:
    if weight is None:
        return None
    return min(max(_ML_PER_G * ((limit or 0) - weight), _LEAST_ML), _MOST_ML)
