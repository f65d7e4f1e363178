"""The last weeks of one animal, day by day, as frozen values."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from pybpod_alyx_module.animals.weight import Level

if TYPE_CHECKING:
    import datetime as dt
    from decimal import Decimal

    from pybpod_alyx_module.animals.rows import SessionSeen
    from pybpod_alyx_module.animals.water import Water
    from pybpod_alyx_module.animals.weight import LabShares
    from pybpod_alyx_module.animals.weight_plausibility import Weighed

__all__ = ["AnimalHistory", "HistoryDay", "Restriction", "percentage", "trimmed"]

#: The fewest days that are shown, of an animal of which older ones say nothing.
_FEWEST_DAYS = 7


@dataclass(frozen=True)
class HistoryDay:
    """One day of an animal; weights in g, with the implant of that day, water in mL.

    None is what is not there, or what the server does not tell.
    """

    #: For which the server counts.
    date: dt.date
    restricted: bool
    #: The last weight of that very day.
    weighing: Decimal | None
    #: The last weight known on that day.
    weight: Decimal | None
    reference: Decimal | None
    #: What is 100 %.
    expected: Decimal | None
    #: Below it a weight is too low for the lab.
    limit: Decimal | None
    #: The server's own, second limit; may be above the lab's.
    second_limit: Decimal | None
    #: Of `expected`, the implant off both.
    percentage: Decimal | None
    #: Water in sessions.
    reward: Decimal
    #: Water out of sessions.
    supplement: Decimal
    #: What the animal needs on that day, restricted or not.
    expected_water: Decimal | None
    #: 0 without one.
    implant: Decimal | None

    @property
    def given(self) -> Decimal:
        """Water in all."""
        return self.reward + self.supplement

    @property
    def excess(self) -> Decimal | None:
        """Water above the need, negative below it."""
        return None if self.expected_water is None else self.given - self.expected_water

    @property
    def reference_without_implant(self) -> Decimal | None:
        """The reference weight as Alyx writes it."""
        return None if self.reference is None or self.implant is None else self.reference - self.implant

    @property
    def far_limit(self) -> Decimal | None:
        """The second limit where it is below the lab's."""
        if self.limit is not None and self.second_limit is not None and self.second_limit >= self.limit:
            return None
        return self.second_limit

    def level(self, weight: Decimal) -> Level | None:
        """Judge a weight on that day as the server's pages do; None without a restriction or a limit."""
        if not self.restricted or (self.limit is None and self.second_limit is None):
            return None
        if self.limit is not None and weight >= self.limit:
            return Level.FINE
        if self.second_limit is not None and weight < self.second_limit:
            return Level.FAR_BELOW
        return Level.FINE if self.limit is None else Level.BELOW

    def percentage_of(self, weight: Decimal) -> Decimal | None:
        """Return a weight as percent of what is expected on that day; None where that, or the implant, is not known."""
        return percentage(weight, self.expected, self.implant)


@dataclass(frozen=True)
class Restriction:
    """A period of water restriction."""

    #: Naive lab time; None where Alyx has none.
    start: dt.datetime | None
    #: None while it runs.
    end: dt.datetime | None
    #: Weight at its start, g, with the implant; None or 0 where none was written down.
    reference: Decimal | None
    #: Empty where it names none.
    water_type: str


@dataclass(frozen=True)
class AnimalHistory:
    """The last weeks of one animal, up to today."""

    #: Alyx id.
    subject_id: str
    #: Nickname now.
    name: str
    #: Empty where it has none.
    lab: str
    #: Time zone of the lab, None if it is not known.
    lab_zone: str | None
    alive: bool
    #: ISO date; None without one.
    death_date: str | None
    #: In order, at least one; the last is today.
    days: tuple[HistoryDay, ...]
    #: Those of these days, several a day; in order.
    weighings: tuple[Weighed, ...]
    #: All, in order.
    restrictions: tuple[Restriction, ...]
    #: Those of these days, the newest first.
    sessions: tuple[SessionSeen, ...]
    #: Need and gifts of today.
    water: Water
    #: By what the lab judges; None where the server does not tell.
    shares: LabShares | None
    #: Share of the second limit.
    second_share: Decimal
    #: Why weights cannot be judged, a sentence; empty where they can.
    not_judged: str = ""
    #: What one must know of the numbers, a sentence each.
    notes: tuple[str, ...] = ()

    @property
    def today(self) -> HistoryDay:
        """The last day."""
        return self.days[-1]

    @property
    def running(self) -> Restriction | None:
        """The restriction that has not ended."""
        return next((one for one in reversed(self.restrictions) if one.end is None), None)

    @property
    def ended(self) -> Restriction | None:
        """The last restriction where it has ended."""
        return self.restrictions[-1] if self.restrictions and self.running is None else None


def percentage(weight: Decimal | None, expected: Decimal | None, implant: Decimal | None) -> Decimal | None:
    """Return a weight as percent of what is expected, the implant off both; None where one of them is not known."""
    if weight is None or expected is None or implant is None or expected <= implant:
        return None
    return 100 * (weight - implant) / (expected - implant)


def trimmed(days: tuple[HistoryDay, ...]) -> tuple[HistoryDay, ...]:
    """Leave out the first days that say nothing, but keep a week."""
    most = max(len(days) - _FEWEST_DAYS, 0)
    first = next((place for place, day in enumerate(days[:most]) if _says_something(day)), most)
    return days[first:]


def _says_something(day: HistoryDay) -> bool:
    return day.restricted or day.weight is not None or day.given > 0
