"""Water that is given today for days to come, such as a weekend: an administration for each animal and day. Pure."""

from __future__ import annotations

import datetime as dt
from typing import TYPE_CHECKING, Final

from pybpod_alyx_module.animals.today.water_draft import water_draft
from pybpod_alyx_module.animals.water import UNIT
from pybpod_alyx_module.lab_time import with_zone
from pybpod_alyx_module.numbers import rounded_up

if TYPE_CHECKING:
    from collections.abc import Iterable
    from decimal import Decimal

    from pybpod_alyx_module.animals.today.board import Board
    from pybpod_alyx_module.animals.today.today_animals import TodayAnimal
    from pybpod_alyx_module.outbox.items import Draft

__all__ = ["MOST_DAYS", "daily_need", "days_to_come", "drafts_in_advance", "usual_days"]

#: For more days nobody gives water in advance.
MOST_DAYS: Final = 14
_FRIDAY, _SATURDAY = 4, 5


def usual_days(today: dt.date) -> int:
    """Return for how many days water is given at once: before and on a weekend until Monday, else for one day."""
    return {_FRIDAY: 2, _SATURDAY: 1}.get(today.weekday(), 1)


def days_to_come(today: dt.date, count: int) -> tuple[dt.date, ...]:
    """Return the days after a day."""
    return tuple(today + dt.timedelta(days=number) for number in range(1, count + 1))


def daily_need(animal: TodayAnimal) -> Decimal | None:
    """Return what an animal needs a day, as of its last weight; mL; None where nobody knows."""
    return rounded_up(animal.water.expected, UNIT) if animal.water.weight_known else None


def drafts_in_advance(
    board: Board, animals: Iterable[TodayAnimal], count: int, amount: Decimal | None, *, ad_lib: bool
) -> list[Draft]:
    """Make the administrations, each at this time of its day.

    Returns: none for an animal of which nobody knows what it needs, unless there is an amount or it is ad lib; and
    none for days for which an animal has water already.
    ``count``: for how many days, from tomorrow on.
    ``amount``: mL for each animal and day; None for what each needs.
    ``ad_lib``: as much as it wants: Alyx counts no amount.
    """
    drafts = []
    for animal in animals:
        given = None if ad_lib else amount if amount is not None else daily_need(animal)
        if given is None and not ad_lib:
            continue
        now = animal.lab_now()
        for day in days_to_come(now.date(), count):
            if day in animal.in_advance:
                continue
            moment = with_zone(dt.datetime.combine(day, now.time()), animal.zone).isoformat()
            drafts.append(water_draft(board, animal, given, moment))
    return drafts
