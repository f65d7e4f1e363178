"""A typed weight, judged as the server would judge it: percentage weight and distance to the minimum."""

from __future__ import annotations

from dataclasses import dataclass
from decimal import Decimal
from enum import Enum
from typing import TYPE_CHECKING

from pybpod_alyx_module.numbers import shown

if TYPE_CHECKING:
    from pybpod_alyx_module.animals.requirement import Requirement

__all__ = ["NO_LIMIT", "Judgement", "Level", "judge", "limit_of", "no_limit_reason"]

#: What is shown where the lab sets no minimum weight.
NO_LIMIT = "no limit set on Alyx"

#: Alyx's own second threshold, ``WEIGHT_THRESHOLD`` of its settings_lab.py, which it does not tell.
_FAR_PERCENT = Decimal(75)
#: What is shown where the lab sets no expected weight.
NO_EXPECTED = "the lab sets no expected weight on Alyx"


class Level(Enum):
    """Which colour Alyx's own pages give a weight."""

    #: At the lab's minimum or above: green.
    FINE = "fine"
    #: Below the lab's minimum: orange.
    BELOW = "below"
    #: Also below 75 % of the expected weight: red.
    FAR_BELOW = "far below"


@dataclass(frozen=True)
class Judgement:
    """How Alyx would judge a weight."""

    #: Percent of the expected weight, the implant off both, None if no weight is expected.
    percentage: Decimal | None
    #: g above the minimum weight, negative below it; None without a limit.
    to_minimum: Decimal | None
    #: The percentage in words.
    percentage_text: str
    #: The distance in words.
    minimum_text: str

    @property
    def level(self) -> Level | None:
        """The colour on Alyx's pages; None without a limit."""
        if self.to_minimum is None:
            return None
        if self.to_minimum >= 0:
            return Level.FINE
        is_far = self.percentage is not None and self.percentage < _FAR_PERCENT
        return Level.FAR_BELOW if is_far else Level.BELOW


def limit_of(requirement: Requirement) -> Decimal | None:
    """Return the minimum weight of today.

    Alyx has no word for "none": it answers 0, or with the weight of the implant alone.

    Returns: g, with the implant; None without a limit.
    """
    today = requirement.today
    return today.min_weight if today.min_weight > today.implant_weight else None


def no_limit_reason(requirement: Requirement) -> str:
    """Say why there is no minimum weight.

    Returns: `NO_LIMIT`, or what Alyx lacks to compute the lab's limit from.
    ``requirement``: of a subject without one.
    """
    if not requirement.judged_by:
        return NO_LIMIT
    return f"no minimum on Alyx: the lab judges by {requirement.judged_by}, and Alyx has none for this subject"


def judge(typed: Decimal, requirement: Requirement) -> Judgement:
    """Judge a weight by the server's own numbers of today.

    The percentage is that of ``WaterControl.percentage_weight`` of Alyx: ``100 * (weight - implant) / (expected -
    implant)``. The expected weight is the server's, so that labs that judge by z-score are judged alike: the z-score
    itself needs Alyx's growth tables and is never computed here.

    Returns: with None for what cannot be computed; its texts say why.
    ``typed``: g, with the implant, as a scale shows it.
    """
    today = requirement.today
    implant = today.implant_weight
    expected = today.expected_weight - implant
    percentage = 100 * (typed - implant) / expected if expected > 0 else None
    limit = limit_of(requirement)
    to_minimum = None if limit is None else typed - limit
    if percentage is None:
        whose = "Alyx has no expected weight for this subject" if requirement.judged_by else NO_EXPECTED
        percentage_text = f"no percentage weight: {whose}"
    else:
        off = f", implant of {shown(implant)} g off both" if implant else ""
        by = f", by {requirement.judged_by}" if requirement.zscore_weight_pct else ""
        percentage_text = f"{shown(percentage)} % of the expected {shown(today.expected_weight)} g{off}{by}"
    if limit is None or to_minimum is None:
        minimum_text = no_limit_reason(requirement)
    elif to_minimum < 0:
        minimum_text = f"{_distance(-to_minimum)} below the minimum of {_distance(limit)}"
    elif to_minimum == 0:
        minimum_text = f"at the minimum of {_distance(limit)}"
    else:
        minimum_text = f"{_distance(to_minimum)} above the minimum of {_distance(limit)}"
    return Judgement(percentage, to_minimum, percentage_text, minimum_text)


def _distance(value: Decimal) -> str:
    # Less than a tenth of a gram is not nothing.
    return f"{shown(value, 1 if value == round(value, 1) or value >= 1 else 2)} g"
