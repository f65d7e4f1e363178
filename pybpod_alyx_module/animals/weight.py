"""A weight, judged as the server would judge it: percentage weight and distance to the minimum."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass
from decimal import Decimal
from enum import Enum
from types import MappingProxyType
from typing import TYPE_CHECKING, Final

from pybpod_alyx_module.animals.weight_plausibility import Weighed
from pybpod_alyx_module.numbers import plain, shown

if TYPE_CHECKING:
    from pybpod_alyx_module.animals.requirement import Requirement
    from pybpod_alyx_module.animals.subject_state import SubjectState

__all__ = [
    "COLOURS",
    "FAR_PERCENT",
    "LOW",
    "LOW_TEXT",
    "NO_LIMIT",
    "TOO_LIGHT",
    "Judgement",
    "LabShares",
    "LastJudged",
    "Level",
    "WeightNote",
    "judge",
    "judge_last",
    "last_notes",
    "limit_of",
    "limit_text",
    "minimum_text",
    "no_limit_reason",
    "note_of",
    "read_note",
]

#: What is shown where the lab sets no minimum weight.
NO_LIMIT = "no limit set on Alyx"

#: Alyx's own second threshold, ``WEIGHT_THRESHOLD`` of its settings_lab.py, which it does not tell.
FAR_PERCENT = Decimal(75)
#: mL of water that Alyx expects for each g above the implant: below the minimum weight, and else. So says
#: ``WaterControl.expected_water`` of Alyx's actions/water_control.py.
_ML_PER_G_BELOW, _ML_PER_G = Decimal("0.05"), Decimal("0.04")
#: mL: what the server's float may differ.
_SAME = Decimal("1E-6")
#: With how many decimals something is shown, the first that will do; the server's numbers have no more.
_DECIMALS: Final = range(1, 10)
#: What is shown where the lab sets no expected weight.
NO_EXPECTED = "the lab sets no expected weight on Alyx"
#: What is shown where the lists do not tell whether a weight is below the minimum.
_NOT_IN_LISTS = "Record weight… shows whether that is below the minimum"


class Level(Enum):
    """Which colour Alyx's own pages give a weight."""

    #: At the lab's minimum or above: green.
    FINE = "fine"
    #: Below the lab's minimum: orange.
    BELOW = "below"
    #: Also below 75 % of the expected weight: red.
    FAR_BELOW = "far below"


#: Below the minimum.
LOW: Final = (Level.BELOW, Level.FAR_BELOW)
#: What stands beside their colours.
TOO_LIGHT: Final = MappingProxyType({Level.BELOW: "too light", Level.FAR_BELOW: "far too light"})
#: The background that Alyx's own pages give a weight, and a text that is read on it.
COLOURS: Final = MappingProxyType({Level.FINE: "#E7FFF1", Level.BELOW: "#FFE2C9", Level.FAR_BELOW: "#FFC9D2"})
LOW_TEXT: Final = "#a00000"


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
        is_far = self.percentage is not None and self.percentage < FAR_PERCENT
        return Level.FAR_BELOW if is_far else Level.BELOW


@dataclass(frozen=True)
class LabShares:
    """By which share of which weight a lab judges its animals; 0: not by it."""

    reference: Decimal
    zscore: Decimal


@dataclass(frozen=True)
class Limits:
    """By what a lab that judges by the reference weight alone judges an animal; g."""

    #: The implant off.
    reference: Decimal
    implant: Decimal
    #: The lab's minimum, with the implant.
    minimum: Decimal

    def judge(self, weight: Decimal) -> LastJudged:
        """Judge a weight, with the implant."""
        percentage = 100 * (weight - self.implant) / self.reference
        level = Level.FINE
        if weight < self.minimum:
            level = Level.FAR_BELOW if percentage < FAR_PERCENT else Level.BELOW
        return LastJudged(level, minimum_text(weight, self.minimum), True, self, percentage)

    def judgement(self, weight: Decimal) -> Judgement:
        """Judge a weight, with the implant, in the words of `judge`."""
        percentage = 100 * (weight - self.implant) / self.reference
        said = _percentage_text(percentage, self.reference + self.implant, self.implant)
        return Judgement(percentage, weight - self.minimum, said, minimum_text(weight, self.minimum))


@dataclass(frozen=True)
class LastJudged:
    """How Alyx judges the last weight of an animal, as far as its lists tell."""

    #: The colour on Alyx's pages; None without a limit, and where the lists do not tell.
    level: Level | None
    #: The distance to the minimum in words, without the weight.
    text: str
    #: Whether the lists tell how far below the minimum it is.
    tells_how_far: bool = True
    #: By what another weight of the same day is judged; None where the lists do not tell.
    limits: Limits | None = None
    #: Percent of the expected weight, the implant off both; None where the lists do not tell.
    percentage: Decimal | None = None

    @property
    def too_light(self) -> str:
        """That it is below the minimum, in a few words; empty where it is not, or where the lists do not tell."""
        if self.level not in LOW:
            return ""
        return TOO_LIGHT[self.level] if self.tells_how_far else self.text

    def of(self, weight: Decimal) -> LastJudged:
        """Judge a newer weight, g, by the same limits; as not in the lists where these do not tell any."""
        if self.limits is not None:
            return self.limits.judge(weight)
        return self if self.level is None else LastJudged(None, _NOT_IN_LISTS)


@dataclass(frozen=True)
class WeightNote:
    """A last weight and how Alyx judges it, as the project's copy of a subject keeps it."""

    #: None where it has no limit, or it is not known whether the weight is below it.
    level: Level | None
    #: For people.
    text: str

    def as_record(self) -> dict[str, str | None]:
        """Return it as plain JSON."""
        return {"level": None if self.level is None else self.level.value, "text": self.text}


def read_note(record: object) -> WeightNote | None:
    """Read what a subject's file says of its last weight; None if it says nothing that is understood."""
    if not isinstance(record, dict) or not isinstance(record.get("text"), str):
        return None
    levels = {level.value: level for level in Level}
    level = record.get("level")
    return WeightNote(levels.get(level) if isinstance(level, str) else None, record["text"])


def note_of(weighed: Weighed, level: Level | None, judged: str) -> WeightNote:
    """Note a last weight, and how it is judged now, in words; these may be empty."""
    when = f" on {weighed.when:%Y-%m-%d at %H:%M}" if weighed.when else ""
    as_of = f"{dt.datetime.now().astimezone():%Y-%m-%d at %H:%M}"
    said = f", {judged}" if judged else ""
    return WeightNote(level, f"{plain(weighed.grams)} g{when}{said} (as of {as_of})")


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
        by = f", by {requirement.judged_by}" if requirement.zscore_weight_pct else ""
        percentage_text = f"{_percentage_text(percentage, today.expected_weight, implant)}{by}"
    to_it = no_limit_reason(requirement) if limit is None else minimum_text(typed, limit)
    return Judgement(percentage, to_minimum, percentage_text, to_it)


def judge_last(
    weight: Decimal, expected_water: Decimal, reference: Decimal, at_start: Decimal | None, shares: LabShares | None
) -> LastJudged:
    """Judge a last weight by what the lists say of many animals at once.

    They do not say the minimum weight, nor the implant. The implant is what the reference weight lacks of the weight at
    the start of the restriction; whether the weight is below the minimum is seen from the water that the server expects
    for each gram, also in labs that judge by z-score. Where the two do not agree, as after a change of the implant,
    nothing is guessed.

    ``weight``: g, with the implant, that of which the server computes the water.
    ``reference``: that of the subject's row, g, the implant off.
    ``at_start``: that of the running restriction, g, with the implant; None or 0 where it has none.
    ``shares``: of the lab, None where they are not known.
    """
    if shares is not None and not (shares.reference or shares.zscore):
        return LastJudged(None, NO_LIMIT)
    implant = at_start - reference if at_start else None
    if shares is None or implant is None or implant < 0 or reference <= 0:
        return LastJudged(None, _NOT_IN_LISTS)
    above = weight - implant
    below = next(
        (low for low, ml in ((True, _ML_PER_G_BELOW), (False, _ML_PER_G)) if _is(expected_water, ml * above)), None
    )
    limit = shares.reference * reference + implant
    if below is None or above <= 0 or (not shares.zscore and below != (weight < limit)):
        return LastJudged(None, _NOT_IN_LISTS)
    if shares.zscore:  # how far below needs Alyx's growth tables
        level, text = (Level.BELOW, "below the minimum") if below else (Level.FINE, "not below the minimum")
        return LastJudged(level, text, tells_how_far=False)
    return Limits(reference, implant, limit).judge(weight)


def _is(value: Decimal, other: Decimal) -> bool:
    return abs(value - other) <= _SAME


def limit_text(limit: Decimal, weight: Decimal) -> str:
    """Write a limit for people, with as many decimals as it takes to stand on its own side of a `plain` weight."""
    texts = [shown(limit, decimals) for decimals in _DECIMALS]
    sides = ((_side(seen, Decimal(text)), text) for seen in (Decimal(plain(weight)), weight) for text in texts)
    return next((text for side, text in sides if side == _side(weight, limit)), texts[-1])


def last_notes(state: SubjectState) -> tuple[WeightNote | None, ...]:
    """Note the last weight that Alyx told of an animal.

    Returns: one note, None for an animal that is not water-restricted; empty where Alyx did not tell.
    """
    if state.requirement is None:
        return ()
    today, last = state.requirement.today, state.last_weight
    if not today.is_water_restricted:
        return (None,)
    if not today.weight:
        return ()
    judged = judge(today.weight, state.requirement)
    when = last.when if last is not None and last.grams == today.weight else None
    return (note_of(Weighed(today.weight, when), judged.level, judged.minimum_text),)


def _percentage_text(percentage: Decimal, expected: Decimal, implant: Decimal) -> str:
    off = f", implant of {shown(implant)} g off both" if implant else ""
    return f"{shown(percentage)} % of the expected {shown(expected)} g{off}"


def minimum_text(weight: Decimal, limit: Decimal) -> str:
    """Say how far a weight is from the minimum weight."""
    minimum = f"the minimum of {limit_text(limit, weight)} g"
    if weight == limit:
        return f"at {minimum}"
    return f"{_distance(abs(limit - weight))} g {'below' if weight < limit else 'above'} {minimum}"


def _side(weight: Decimal, limit: Decimal) -> int:
    return (weight > limit) - (weight < limit)


def _distance(value: Decimal) -> str:
    # Less than a tenth of a gram is not nothing.
    decimals = 1 if value == round(value, 1) or value >= 1 else 2
    return next(text for text in (shown(value, one) for one in (decimals, *_DECIMALS[2:])) if Decimal(text))
