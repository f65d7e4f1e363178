"""What speaks against a typed weight: a jump, a weight that the species cannot have, another animal that it fits."""

from __future__ import annotations

import datetime as dt
import re
from dataclasses import dataclass
from decimal import Decimal
from typing import TYPE_CHECKING, Final

from pybpod_alyx_module.numbers import shown

if TYPE_CHECKING:
    from collections.abc import Sequence

__all__ = ["LAST_DAYS", "OtherAnimal", "Weighed", "WeightConcern", "concerns", "weight_range"]

#: How many days before today a weight counts for.
LAST_DAYS: Final = 3
#: A word in the name of a species on Alyx ("Mus musculus", "Laboratory mouse"), and what such an animal can weigh, g.
_RANGES: Final = (
    (re.compile(r"\b(musculus|mouse|mice)\b", re.IGNORECASE), (Decimal(5), Decimal(80))),
    (re.compile(r"\b(norvegicus|rat|rats)\b", re.IGNORECASE), (Decimal(20), Decimal(1000))),
)
_ANY_SPECIES: Final = (Decimal(1), Decimal(30000))


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

    #: ``"change"``, ``"species"`` or ``"other animal"``.
    code: str
    #: For people.
    sentence: str
    #: Alyx id of the animal that the weight fits better; else empty.
    subject_id: str = ""


def weight_range(species: str | None) -> tuple[Decimal, Decimal]:
    """Return what an animal of a species can weigh, from after weaning on, with an implant.

    Mouse, 5 to 80 g: weaned at 10 to 12 g (Animal Resources Centre, Western Australia, "Biological data"); means of
    40 inbred strains at 16 weeks from 11.4 g to 39.3 g (Reed, Bachmanov & Tordoff 2007, doi
    10.1016/j.physbeh.2007.03.026); obese strains above that. Rat, 20 to 1000 g: weaned at 40 to 60 g, adult from 350
    g (Animal Resources Centre), males of 450 to 520 g (NCKU Laboratory Animal Center). The limits lie wide of these:
    they are to catch a wrong unit or a missing point, not to judge an animal.

    Returns: lightest and heaviest, g; for a species that is not known here 1 g to 30 kg.
    """
    return next((limits for word, limits in _RANGES if word.search(species or "")), _ANY_SPECIES)


def concerns(
    typed: Decimal,
    name: str,
    history: Sequence[Weighed],
    species: str | None,
    others: Sequence[OtherAnimal],
    *,
    today: dt.date,
    percent: Decimal = Decimal(10),
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
