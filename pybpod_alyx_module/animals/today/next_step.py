"""What is to be done next with an animal, and which animals come first. Pure."""

from __future__ import annotations

import datetime as dt
from enum import IntEnum
from typing import TYPE_CHECKING, Final

from pybpod_alyx_module.animals.weight import Level

if TYPE_CHECKING:
    from pybpod_alyx_module.animals.today.today_animals import TodayAnimal

__all__ = ["ALARM", "Step", "Urgency", "hours_without_water", "next_step", "urgency"]

#: Without water for so long, an animal that still needs some comes first; and it is due soon before that.
ALARM: Final = dt.timedelta(hours=22)
SOON: Final = dt.timedelta(hours=20)


class Step(IntEnum):
    """What is to be done next."""

    WEIGH = 0
    GIVE = 1
    NOTHING = 2


class Urgency(IntEnum):
    """Why an animal comes before others; the smallest first."""

    FAR_BELOW = 0
    BELOW = 1
    NO_WATER_FOR_LONG = 2
    NOT_WEIGHED = 3
    NEEDS_WATER = 4
    DONE = 5
    NOT_RESTRICTED = 6


def hours_without_water(animal: TodayAnimal) -> dt.timedelta | None:
    """Return how long ago it was given water; None where that was not in the last days."""
    return None if animal.last_water is None else animal.lab_now() - animal.last_water


def is_water_overdue(animal: TodayAnimal) -> bool:
    """Tell whether an animal that still needs water has had none for nearly as long as it may be without."""
    ago = hours_without_water(animal)
    return animal.needs_water and ago is not None and ago >= SOON


def next_step(animal: TodayAnimal) -> Step:
    """Return what a water-restricted animal still lacks today: its weight, then its water."""
    if not animal.water.restricted:
        return Step.NOTHING
    if not animal.weighed_today:
        return Step.WEIGH
    return Step.GIVE if animal.water.remaining > 0 else Step.NOTHING


def urgency(animal: TodayAnimal) -> Urgency:
    """Return why an animal comes before others."""
    if not animal.water.restricted:
        return Urgency.NOT_RESTRICTED
    level = animal.judged.level if animal.judged is not None else None
    if level is Level.FAR_BELOW:
        return Urgency.FAR_BELOW
    if level is Level.BELOW:
        return Urgency.BELOW
    if is_water_overdue(animal):
        return Urgency.NO_WATER_FOR_LONG
    if not animal.weighed_today:
        return Urgency.NOT_WEIGHED
    return Urgency.NEEDS_WATER if animal.needs_water else Urgency.DONE
