"""The water of a subject on one day: what it needs, what it got, what remains after an amount.

Shown remainders are rounded up and shown amounts down, so that no animal is promised more than it gets.
"""

from __future__ import annotations

from dataclasses import dataclass
from decimal import Decimal
from typing import TYPE_CHECKING, Final

from pybpod_alyx_module.numbers import rounded_down, rounded_up

if TYPE_CHECKING:
    from collections.abc import Sequence

    from pybpod_alyx_module.animals.requirement import Requirement

__all__ = ["MOST_ML", "PLAIN_WATER", "UNIT", "After", "Water", "default_water_type", "water_today"]

#: What is shown, mL: the smallest step of the syringes that animals are watered with.
UNIT: Final = Decimal("0.01")
#: More in one gift is asked about where nothing tells what the animal needs, mL.
MOST_ML: Final = Decimal(50)
#: What Alyx itself takes where a water administration names no type and the subject has no restriction.
PLAIN_WATER: Final = "Water"


@dataclass(frozen=True)
class After:
    """Need and gifts after an amount was given; mL."""

    #: The amount, rounded down.
    given: Decimal
    #: What is still to be given, rounded up, 0 if nothing is.
    remaining: Decimal
    #: What was given above the need, rounded down, 0 if nothing was.
    excess: Decimal
    #: The same for people.
    sentence: str


@dataclass(frozen=True)
class Water:
    """Need and gifts of one day, exact; mL."""

    #: What the subject needs on that day.
    expected: Decimal
    #: Given in sessions, None if that is not known.
    reward: Decimal | None
    #: Given out of sessions, None if that is not known.
    supplement: Decimal | None
    #: Given in all.
    given: Decimal
    #: Whether the subject is under water restriction: others need no water from a person.
    restricted: bool

    @property
    def weight_known(self) -> bool:
        """Whether Alyx has a weight to compute the need from."""
        return self.expected > 0

    @property
    def remaining(self) -> Decimal:
        """What is still to be given, rounded up, 0 if nothing is."""
        return _remaining(self.expected - self.given)

    @property
    def excess(self) -> Decimal:
        """What was given above the need, rounded down, 0 if nothing was."""
        return _excess(self.expected - self.given)

    @property
    def needs_water(self) -> bool:
        """Whether a person must still give water today; True also if Alyx has no weight to compute it from."""
        return self.restricted and (self.remaining > 0 or not self.weight_known)

    def after(self, amount: Decimal | None) -> After:
        """Return need and gifts after an amount.

        Returns: the remainder is never below the true one, the amount never above.
        ``amount``: mL, from 0; None for water ad lib, of which Alyx counts no amount.
        """
        if amount is not None and amount < 0:
            raise ValueError("an amount of water below 0")
        left = self.expected - self.given - (amount or 0)
        given, remaining, excess = rounded_down(amount or Decimal(0), UNIT), _remaining(left), _excess(left)
        if amount is None:
            due = f"so it still shows {remaining} mL as due today" if remaining else "and shows nothing as due today"
            sentence = f"Alyx records no amount for ad lib water, {due}."
        elif remaining:
            sentence = f"After {given} mL, {remaining} mL remain to be given today."
        elif excess:
            sentence = f"After {given} mL nothing remains: {excess} mL more than needed today."
        else:
            sentence = f"After {given} mL nothing remains to be given today."
        if not self.weight_known:
            sentence = f"{given} mL. How much it needs is unknown: Alyx has no weight for this subject."
        return After(given, remaining, excess, sentence)

    def sentences(self) -> tuple[str, ...]:
        """Put need and gifts into words."""
        if not self.weight_known:
            needed = "How much water it needs is unknown: Alyx has no weight for this subject."
        else:
            needed = f"Needs {rounded_up(self.expected, UNIT)} mL today."
        if self.reward is None or self.supplement is None:
            given = f"Given today: {rounded_down(self.given, UNIT)} mL."
        else:
            reward, supplement = rounded_down(self.reward, UNIT), rounded_down(self.supplement, UNIT)
            given = f"Given today: {reward} mL as reward, {supplement} mL as supplement."
        found = [needed, given]
        if not self.restricted:
            found.insert(0, "Not under water restriction.")
        elif self.remaining:
            found.append(f"{self.remaining} mL remain to be given today.")
        elif self.weight_known:
            found.append(f"{self.excess} mL more than needed." if self.excess else "Nothing remains to be given today.")
        return tuple(found)


def water_today(requirement: Requirement, *, restricted_now: bool | None = None) -> Water:
    """Take the water of today from the server's numbers.

    ``requirement``: its last day is today. What a copy of the subject says of remaining water is yesterday's and
    never used.
    ``restricted_now``: whether the subject is water-restricted at this moment: a day's record says how it was at
    noon.
    """
    today = requirement.today
    restricted = today.is_water_restricted if restricted_now is None else restricted_now
    return Water(today.expected_water, today.given_reward, today.given_supplement, today.given_total, restricted)


def default_water_type(of_restriction: str | None, offered: Sequence[str]) -> str:
    """Choose the type of water that a dialog starts with.

    Returns: the restriction's own, else ``Water``, as Alyx itself does, empty if it offers neither.
    ``of_restriction``: the type of the subject's running restriction, as ``/water-restriction`` answers it.
    """
    return next((name for name in (of_restriction, PLAIN_WATER) if name in offered and name), "")


def _remaining(left: Decimal) -> Decimal:
    return max(rounded_up(left, UNIT), Decimal("0.00"))


def _excess(left: Decimal) -> Decimal:
    return max(rounded_down(-left, UNIT), Decimal("0.00"))
