"""What speaks against a new record: a weight that cannot be, one that is there already, a session without a start."""

from __future__ import annotations

import datetime as dt
import re
from decimal import Decimal
from typing import TYPE_CHECKING, Any, Final

from alyx_connector.errors import ConfigurationError
from alyx_connector.remedy import Remedy, RemedyKind
from alyx_connector.zones.moments import same_time

if TYPE_CHECKING:
    from collections.abc import Mapping

    from alyx_connector.http.client import AlyxClient

__all__ = ["CHANGE_PERCENT", "DOUBTED", "LAST_DAYS", "refuse_doubtful", "weight_range"]

#: A word in the name of a species on Alyx ("Mus musculus", "Laboratory mouse"), and what such an animal can weigh, g.
_RANGES: Final = (
    (re.compile(r"\b(musculus|mouse|mice)\b", re.IGNORECASE), (Decimal(5), Decimal(80))),
    (re.compile(r"\b(norvegicus|rat|rats)\b", re.IGNORECASE), (Decimal(20), Decimal(1000))),
)
_ANY_SPECIES: Final = (Decimal(1), Decimal(30000))
#: A weight that differs by so many percent from one of the days before is doubtful.
CHANGE_PERCENT: Final = Decimal(10)
#: How many days before today a weight counts for.
LAST_DAYS: Final = 3
#: By what a record of an animal is the same as another, the time first.
_SAME: Final = {
    "weighings": ("date_time", "weight"),
    "water-administrations": ("date_time", "water_administered"),
    "sessions": ("start_time",),
}
#: Of which lists new records are looked at.
DOUBTED: Final = frozenset(_SAME)


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


def refuse_doubtful(client: AlyxClient, endpoint: str, sent: Mapping[str, Any], animal: Mapping[str, Any]) -> None:
    """Refuse a new record of an animal that is hardly meant.

    ``endpoint``: one of `DOUBTED`.
    ``sent``: its fields.
    ``animal``: the row of its animal.
    """
    time, *amounts = _SAME[endpoint]
    name = animal["nickname"]
    if endpoint == "sessions" and not sent.get(time):
        raise _doubtful(time, f"This session of {name} has no start_time: the server would take the present moment.")
    if endpoint == "weighings":
        _refuse_weight_of_another_species(sent.get("weight"), animal)
    others = client.list(endpoint, {"django": f"subject__pk,{animal['id']}"})
    for other in others:
        if sent.get(time) and same_time(str(sent[time]), str(other.get(time))) and _same(sent, other, amounts):
            what = ", ".join(f"{field} {sent[field]}" for field in (time, *amounts))
            raise _doubtful(time, f"{name} has one of these {endpoint} at {client.url} already ({what}).")
    if endpoint == "weighings":
        _refuse_jump(sent, others, name)


def _doubtful(field: str, sentence: str) -> ConfigurationError:
    return ConfigurationError(f"{sentence} Nothing was written.", hint=Remedy(RemedyKind.FORCE), setting=field)


def _same(sent: Mapping[str, Any], other: Mapping[str, Any], fields: list[str]) -> bool:
    amounts = [(_number(sent.get(field)), _number(other.get(field))) for field in fields]
    return all(one is not None and one == there for one, there in amounts)


def _refuse_weight_of_another_species(weight: Any, animal: Mapping[str, Any]) -> None:
    grams, species = _number(weight), animal.get("species")
    least, most = weight_range(species)
    if grams is not None and not least <= grams <= most:
        what = f"an animal of the species {species}" if species else "an animal"
        raise _doubtful(
            "weight",
            f"{grams} g is outside what {what} such as {animal['nickname']} can weigh ({least} g to {most} g).",
        )


def _refuse_jump(sent: Mapping[str, Any], others: list[dict[str, Any]], name: str) -> None:
    grams = _number(sent.get("weight"))
    day = _day(sent.get("date_time")) or dt.date.today()  # noqa: DTZ011 - to a day, as lab time has no zone here
    for other in others:
        earlier, then = _number(other.get("weight")), _day(other.get("date_time"))
        if grams is None or not earlier or then is None or not 0 <= (day - then).days <= LAST_DAYS:
            continue
        change = abs(grams - earlier) / earlier * 100
        if change >= CHANGE_PERCENT:
            raise _doubtful("weight", f"{grams} g is {change:.0f} % off the {earlier} g that {name} weighed on {then}.")


def _number(value: Any) -> Decimal | None:
    try:
        return None if value is None or isinstance(value, bool) else Decimal(str(value))
    except ArithmeticError:
        return None


def _day(value: Any) -> dt.date | None:
    try:
        return dt.date.fromisoformat(str(value)[:10])
    except ValueError:
        return None
