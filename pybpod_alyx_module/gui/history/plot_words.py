"""What the plots cannot show, and what a day says, in words. No Qt."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pybpod_alyx_module.animals.weight import TOO_LIGHT
from pybpod_alyx_module.gui.history.axes import day_text
from pybpod_alyx_module.numbers import plain, shown

if TYPE_CHECKING:
    from decimal import Decimal

    from pybpod_alyx_module.animals.history.animal_history import AnimalHistory, HistoryDay
    from pybpod_alyx_module.animals.weight import Level

__all__ = ["day_words", "level_words", "limit_words", "second_words", "what_is_missing"]


def percent(share: Decimal) -> str:
    """Write a share as percent: ``85 %``, ``82.5 %``."""
    value = 100 * share
    return f"{shown(value, 0 if value == value.to_integral_value() else 1)} %"


def limit_words(history: AnimalHistory) -> str:
    """Name the lab's limit."""
    if history.shares is None:
        return "lab's limit"
    return f"lab's limit ({percent(history.shares.reference + history.shares.zscore)})"


def second_words(history: AnimalHistory) -> str:
    """Name the server's own limit."""
    return f"{percent(history.second_share)} of expected"


def level_words(level: Level) -> str:
    """Say how a weight is judged."""
    return TOO_LIGHT.get(level, "fine")


def day_words(history: AnimalHistory, day: HistoryDay) -> tuple[str, str]:
    """Say what is known of a day: of weight and of water."""
    weight = [day_text(day.date, full=True)]
    times = [one for one in history.weighings if one.when is not None and one.when.date() == day.date]
    if times:
        weight += [f"{plain(one.grams)} g at {one.when:%H:%M}" for one in times]
    elif day.weighing is not None:
        weight.append(f"{plain(day.weighing)} g")
    elif day.weight is not None:
        weight.append(f"not weighed (last {plain(day.weight)} g)")
    else:
        weight.append("never weighed until then")
    if day.restricted:
        if day.percentage is not None and day.expected is not None:
            weight.append(f"{shown(day.percentage)} % of {shown(day.expected)} g")
        if day.limit is not None:
            weight.append(f"limit {shown(day.limit)} g")
        level = day.level(day.weight) if day.weight is not None else None
        if level is not None and level in TOO_LIGHT:
            weight.append(TOO_LIGHT[level])
        if day.implant:
            weight.append(f"implant {shown(day.implant)} g")
    reward, supplement, given = (shown(value, 2) for value in (day.reward, day.supplement, day.given))
    water = f"Water: {reward} mL reward + {supplement} mL supplement = {given} mL"
    if not day.restricted:
        water += "; no water restriction (ad lib)"
    elif day.expected_water is not None:
        water += f" of {shown(day.expected_water, 2)} mL required"
    return " · ".join(weight), water


def what_is_missing(history: AnimalHistory) -> tuple[str, ...]:
    """Say what cannot be shown or judged, a sentence each; empty where all can."""
    name, today, first = history.name, history.today, history.days[0]
    found = []
    if today.weight is None:
        found.append(f"{name} has no weight on Alyx yet.")
    elif not history.weighings and all(day.weighing is None for day in history.days):
        found.append(f"{name} was last weighed before {first.date}: {plain(today.weight)} g.")
    if history.not_judged:
        found.append(history.not_judged)
    if history.running is not None:
        found += _of_running(history)
    elif history.ended is not None:
        end = history.ended.end
        on = f" on {end:%Y-%m-%d}" if end is not None else ""
        found.append(f"The last water restriction ended{on}: weights after that are not judged, and water is free.")
    else:
        found.append(f"{name} has no water restriction on Alyx: weights are not judged, and water is free.")
    return tuple(found)


def _of_running(history: AnimalHistory) -> list[str]:
    today = history.today
    if history.not_judged or today.limit is not None:
        return []
    if history.shares is not None and not (history.shares.reference or history.shares.zscore):
        second = f" Only {second_words(history)} is shown, which this server uses for every lab."
        return [
            f"The lab {history.lab} sets no limit on Alyx."
            f"{second if today.second_limit is not None else ' Weights are not judged.'}"
        ]
    if not today.reference:
        return ["The water restriction has no reference weight on Alyx: weights are not judged."]
    return ["Alyx has no minimum weight for this subject: weights are not judged."]
