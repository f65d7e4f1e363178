"""How an animal is now: the last day of its history, with what the outbox still holds counted in. Pure."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from alyx_connector.zones.moments import lab_zone
from pybpod_alyx_module.animals.unsent import unsent_sentences, unsent_sessions, unsent_weights, with_unsent_water
from pybpod_alyx_module.animals.weight_plausibility import Weighed

if TYPE_CHECKING:
    import datetime as dt
    from collections.abc import Sequence
    from decimal import Decimal

    from pybpod_alyx_module.animals.history.animal_history import AnimalHistory, Restriction
    from pybpod_alyx_module.animals.water import Water
    from pybpod_alyx_module.animals.weight import Level
    from pybpod_alyx_module.outbox.items import Item

__all__ = ["AnimalNow", "animal_now"]


@dataclass(frozen=True)
class AnimalNow:
    """How an animal is now."""

    #: The newest weight, also one that waits in the outbox; None if it was never weighed.
    weight: Weighed | None
    #: Whether that is of today.
    weighed_today: bool
    #: Of the expected weight; None where that cannot be judged.
    percentage: Decimal | None
    #: None where that cannot be judged.
    level: Level | None
    #: Need and gifts of today.
    water: Water
    #: The running one.
    restriction: Restriction | None
    #: How many sessions began today.
    sessions: int
    #: Weights that are not on Alyx yet, in order.
    unsent_weights: tuple[Weighed, ...]
    #: What waits in the outbox, a sentence each.
    unsent: tuple[str, ...]


def animal_now(history: AnimalHistory, items: Sequence[Item]) -> AnimalNow:
    """Say how an animal is now.

    ``items``: of the animal, not on Alyx when the history was asked for.
    """
    today, zone = history.today, lab_zone(history.lab_zone)
    waiting = unsent_weights(items, zone)
    weight = _newest((*history.weighings, *waiting))
    if weight is None and today.weight is not None:
        weight = Weighed(today.weight, None)
    date = _date(weight)
    return AnimalNow(
        weight=weight,
        weighed_today=date == today.date or today.weighing is not None,
        percentage=None if weight is None else today.percentage_of(weight.grams),
        level=None if weight is None else today.level(weight.grams),
        water=with_unsent_water(history.water, items, today.date, zone),
        restriction=history.running,
        sessions=sum(one.start_time.date() == today.date for one in (*history.sessions, *unsent_sessions(items, zone))),
        unsent_weights=waiting,
        unsent=unsent_sentences(items),
    )


def _newest(weights: Sequence[Weighed]) -> Weighed | None:
    return max((one for one in weights if one.when is not None), key=lambda one: str(one.when), default=None)


def _date(weight: Weighed | None) -> dt.date | None:
    return weight.when.date() if weight is not None and weight.when is not None else None
