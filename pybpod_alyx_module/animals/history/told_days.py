"""The days of an animal as the server tells them: from its water requirement."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pybpod_alyx_module.animals.history.animal_history import HistoryDay
from pybpod_alyx_module.animals.weight import FAR_PERCENT

if TYPE_CHECKING:
    from pybpod_alyx_module.animals.requirement import Day, Requirement


def told_days(requirement: Requirement, *, restricted_now: bool) -> tuple[HistoryDay, ...]:
    """Read the days of a water requirement.

    ``restricted_now``: whether it is water-restricted at this moment: a day's record says how it was at noon.
    """
    last = len(requirement.days) - 1
    return tuple(
        _day(day, restricted_now if place == last else day.is_water_restricted)
        for place, day in enumerate(requirement.days)
    )


def _day(day: Day, restricted: bool) -> HistoryDay:
    implant = day.implant_weight
    expected = day.expected_weight if day.expected_weight > implant else None
    return HistoryDay(
        date=day.date,
        restricted=restricted,
        weighing=day.weighing_at,
        weight=day.weight or None,
        reference=day.reference_weight + implant if day.reference_weight > 0 else None,
        expected=expected,
        limit=day.min_weight if day.min_weight > implant else None,
        second_limit=None if expected is None else FAR_PERCENT / 100 * (expected - implant) + implant,
        percentage=day.percentage_weight if day.weight and expected is not None else None,
        reward=day.given_reward,
        supplement=day.given_supplement,
        expected_water=day.expected_water if day.weight else None,
        implant=implant,
    )
