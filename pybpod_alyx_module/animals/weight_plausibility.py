"""What speaks against a typed weight: a jump, a weight that the species cannot have, another animal that it fits."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass
from decimal import Decimal
from typing import TYPE_CHECKING, Any, Final

from alyx_connector.writing.doubtful import CHANGE_PERCENT, LAST_DAYS, weight_range
from pybpod_alyx_module.numbers import exact, is_number, shown

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

#: A weight beyond the reference weight times or by this is doubtful.
_TIMES: Final = 2

__all__ = ["OtherAnimal", "Weighed", "WeightConcern", "WeightFacts", "concerns", "weight_facts"]


@dataclass(frozen=True)
class Weighed:
    """A weight on Alyx."""

    #: With the implant.
    grams: Decimal
    #: Naive lab time, None if Alyx has none.
    when: dt.datetime | None


@dataclass(frozen=True)
class OtherAnimal:
    """Another living animal of the user, and its last weight."""

    #: Alyx id.
    subject_id: str
    #: Nickname.
    name: str
    weighed: Weighed


@dataclass(frozen=True)
class WeightConcern:
    """One thing to ask before the weight is recorded."""

    #: ``"change"``, ``"species"``, ``"reference"`` or ``"other animal"``.
    code: str
    #: For people.
    sentence: str
    #: Alyx id of the animal that the weight fits better; else empty.
    subject_id: str = ""


@dataclass(frozen=True)
class WeightFacts:
    """What is known of an animal's weight without its weighings."""

    #: As Alyx names it; None where not known.
    species: str | None = None
    #: Weight at the start of its water restriction, g; None without one.
    reference: Decimal | None = None
    #: Day of the sync that told it, ISO; empty where not known.
    as_of: str = ""

    @property
    def sentence(self) -> str:
        """What is known, for people; empty if nothing is."""
        species = [f"species {self.species}"] if self.species else []
        reference = [f"reference weight {_g(self.reference)}"] if self.reference is not None else []
        known = ", ".join([*species, *reference])
        return f"From the project's copy{f', synced on {self.as_of}' if self.as_of else ''}: {known}" if known else ""

    def concerns(self, typed: Decimal, name: str) -> tuple[WeightConcern, ...]:
        """Say what speaks against a weight, by these alone; empty if nothing does."""
        found = _species(typed, self.species)
        if self.reference is not None and not self.reference / _TIMES <= typed <= self.reference * _TIMES:
            share = 100 * typed / self.reference
            found.append(
                WeightConcern(
                    "reference", f"{_g(typed)} is {share:.0f} % of {name}'s reference weight of {_g(self.reference)}."
                )
            )
        return tuple(found)


def weight_facts(record: Mapping[str, Any], as_of: str = "") -> WeightFacts:
    """Read what a subject's row, or an item's origin, says of its weight.

    ``as_of``: day of the sync that told it, ISO.
    """
    species, reference = record.get("species"), record.get("reference_weight")
    known = exact(reference) if reference is not None and is_number(reference) else Decimal(0)
    return WeightFacts(species if isinstance(species, str) and species else None, known if known > 0 else None, as_of)


def concerns(
    typed: Decimal,
    name: str,
    history: Sequence[Weighed],
    species: str | None,
    others: Sequence[OtherAnimal],
    *,
    today: dt.date,
    percent: Decimal = CHANGE_PERCENT,
) -> tuple[WeightConcern, ...]:
    """Say what speaks against a weight; empty if nothing does.

    ``history``: its weights; those of today and the last three days count.
    ``others``: the user's other living animals. Looked at only where something speaks against the weight.
    ``today``: in the lab's time zone.
    ``percent``: from what difference on to ask, percent of the earlier weight.
    """
    recent = [one for one in history if _is_recent(one, today)]
    found = [*_change(typed, name, recent, percent), *_species(typed, species)]
    if found:
        own = min((_difference(typed, one.grams) for one in recent), default=None)
        found += _better(typed, name, own, [one for one in others if _is_recent(one.weighed, today)], percent)
    return tuple(found)


def _change(typed: Decimal, name: str, recent: Sequence[Weighed], percent: Decimal) -> list[WeightConcern]:
    worst = max(recent, key=lambda one: _difference(typed, one.grams), default=None)
    if worst is None or _difference(typed, worst.grams) < percent:
        return []
    difference = _difference(typed, worst.grams)
    more = "more" if typed > worst.grams else "less"
    return [
        WeightConcern(
            "change",
            f"{_g(typed)} is {shown(difference)} % {more} than the {_g(worst.grams)} of {name} {_when(worst)}.",
        )
    ]


def _species(typed: Decimal, species: str | None) -> list[WeightConcern]:
    least, most = weight_range(species)
    if least <= typed <= most:
        return []
    what = f"an animal of the species {species}" if species else "an animal"
    return [WeightConcern("species", f"{_g(typed)} is outside what {what} can weigh ({least:f} g to {most:f} g).")]


def _better(
    typed: Decimal, name: str, own: Decimal | None, others: Sequence[OtherAnimal], percent: Decimal
) -> list[WeightConcern]:
    best = min(others, key=lambda one: (_difference(typed, one.weighed.grams), one.name), default=None)
    if best is None:
        return []
    difference = _difference(typed, best.weighed.grams)
    if difference >= percent or (own is not None and difference >= own):
        return []
    sentence = f"It fits {best.name} better than {name}: {_g(best.weighed.grams)} {_when(best.weighed)}."
    return [WeightConcern("other animal", sentence, best.subject_id)]


def _difference(typed: Decimal, earlier: Decimal) -> Decimal:
    # Percent of the earlier weight; infinite if that is not a weight.
    return abs(typed - earlier) / earlier * 100 if earlier > 0 else Decimal("Infinity")


def _is_recent(weighed: Weighed, today: dt.date) -> bool:
    # A weight of tomorrow is one of a server whose clock is in a zone further east.
    return (
        weighed.when is not None
        and weighed.grams > 0
        and dt.timedelta(days=-1) <= today - weighed.when.date() <= dt.timedelta(days=LAST_DAYS)
    )


def _when(weighed: Weighed) -> str:
    return f"on {weighed.when:%Y-%m-%d at %H:%M}" if weighed.when else "at an unknown time"


def _g(value: Decimal) -> str:
    return f"{shown(value)} g"
