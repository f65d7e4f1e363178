"""What speaks against a new record: a weight that cannot be, one that is there already, a session without a start."""

from __future__ import annotations

import datetime as dt
import re
from decimal import Decimal
from typing import TYPE_CHECKING, Any, Final, NamedTuple, TypeVar

from alyx_connector.errors import ConfigurationError
from alyx_connector.remedy import Remedy, RemedyKind
from alyx_connector.search.subject_filter import any_of
from alyx_connector.zones.guessed_times import guessed_times
from alyx_connector.zones.moments import MOMENTS, read_time, same_time

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from alyx_connector.http.client import AlyxClient

__all__ = [
    "CHANGE_PERCENT",
    "DOUBTED",
    "LAST_DAYS",
    "SAME",
    "doubt_beside",
    "doubt_of_itself",
    "guessed_before",
    "records_around",
    "refuse_doubtful",
    "same_record",
    "weight_range",
]

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
SAME: Final = {
    "weighings": ("date_time", "weight"),
    "water-administrations": ("date_time", "water_administered"),
    "sessions": ("start_time",),
}
_A_DAY: Final = dt.timedelta(days=1)
_Record = TypeVar("_Record", bound="Mapping[str, Any]")
#: Of which lists new records are looked at.
DOUBTED: Final = frozenset(SAME)


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


class Doubt(NamedTuple):
    """Why a record is hardly meant."""

    #: Of what field.
    field: str
    #: What speaks against it.
    sentence: str


def refuse_doubtful(
    client: AlyxClient, endpoint: str, sent: Mapping[str, Any], animal: Mapping[str, Any], given: Mapping[str, Any]
) -> None:
    """Refuse a new record of an animal that is hardly meant.

    ``endpoint``: one of `DOUBTED`.
    ``sent``: its fields.
    ``animal``: the row of its animal.
    ``given``: its fields as a person gave them: in lab time.
    """
    doubt = doubt_of_itself(endpoint, sent, animal)
    if doubt is None:
        others = records_around(client, endpoint, [(sent, animal)]).get(str(sent["subject"]), [])
        doubt = doubt_beside(endpoint, sent, animal, others, given)
        before = guessed_before(endpoint, sent, animal, given, client.url)
        if any(same_record(endpoint, one, others) is not None for one in (sent, *before)):
            time, *amounts = SAME[endpoint]
            what = ", ".join(f"{field} {given[field]}" for field in (time, *amounts))
            doubt = Doubt(time, f"{animal['nickname']} has one of these {endpoint} at {client.url} already ({what}).")
    if doubt is not None:
        raise ConfigurationError(
            f"{doubt.sentence} Nothing was written.", hint=Remedy(RemedyKind.FORCE), setting=doubt.field
        )


def records_around(
    client: AlyxClient, endpoint: str, records: Sequence[tuple[Mapping[str, Any], Mapping[str, Any]]]
) -> dict[str, list[dict[str, Any]]]:
    """Return what animals have from `LAST_DAYS` before new records on, by what the server calls each animal.

    ``endpoint``: one of `DOUBTED`.
    ``records``: the fields of each new record, and the row of its animal.
    """
    time = SAME[endpoint][0]
    days = [_day(read_time(sent.get(time))) for sent, _ in records]
    # A day more on either side: the server's clock may be another one than the lab's.
    days_around = f"{time}__date__gte,{min(days) - (LAST_DAYS + 1) * _A_DAY},{time}__date__lte,{max(days) + _A_DAY}"
    found: dict[str, list[dict[str, Any]]] = {}
    for lookup in any_of("subject__pk", dict.fromkeys(str(animal["id"]) for _, animal in records)):
        for row in client.list(endpoint, {"django": f"{lookup},{days_around}"}):
            found.setdefault(str(row.get("subject")), []).append(row)
    return found


def doubt_of_itself(endpoint: str, sent: Mapping[str, Any], animal: Mapping[str, Any]) -> Doubt | None:
    """Say what speaks against a new record, whatever else there is; None if nothing does."""
    time, name = SAME[endpoint][0], animal["nickname"]
    if endpoint == "sessions" and not sent.get(time):
        return Doubt(time, f"This session of {name} has no start_time: the server would take the present moment.")
    grams, species = _number(sent.get("weight")), animal.get("species")
    least, most = weight_range(species)
    if endpoint != "weighings" or grams is None or least <= grams <= most:
        return None
    what = f"an animal of the species {species}" if species else "an animal"
    return Doubt("weight", f"{grams} g is outside what {what} such as {name} can weigh ({least} g to {most} g).")


def doubt_beside(
    endpoint: str,
    sent: Mapping[str, Any],
    animal: Mapping[str, Any],
    others: Iterable[Mapping[str, Any]],
    given: Mapping[str, Any],
) -> Doubt | None:
    """Say what speaks against a new record beside others of its animal, the nearest in time; None if nothing does.

    ``others``: on the clock that ``sent`` is on.
    ``given``: its fields in lab time, by whose days weights are compared.
    """
    grams, time = _number(sent.get("weight")), _time_of(sent)
    in_lab = _time_of(given) or time
    for other in sorted(others, key=lambda other: _apart(sent, other)) if endpoint == "weighings" else ():
        earlier, then = _number(other.get("weight")), _time_of(other)
        if grams is None or not earlier or then is None:
            continue
        if time is not None and in_lab is not None and (time.tzinfo is None) == (then.tzinfo is None):
            then = in_lab.replace(tzinfo=None) - (time - then)
        if not 0 <= (_day(in_lab) - then.date()).days <= LAST_DAYS:
            continue
        change = abs(grams - earlier) / earlier * 100
        if change >= CHANGE_PERCENT:
            return Doubt(
                "weight",
                f"{grams} g is {change:.0f} % off the {earlier} g that {animal['nickname']} weighed on {then.date()}.",
            )
    return None


def same_record(endpoint: str, sent: Mapping[str, Any], others: Iterable[_Record]) -> _Record | None:
    """Return the one of an animal's records that is the same as a new one; None if there is none."""
    time, *amounts = SAME[endpoint]
    return next(
        (
            other
            for other in others
            if sent.get(time) and same_time(str(sent[time]), str(other.get(time))) and _same(sent, other, amounts)
        ),
        None,
    )


def guessed_before(
    endpoint: str, sent: Mapping[str, Any], animal: Mapping[str, Any], given: Mapping[str, Any], url: str
) -> list[dict[str, Any]]:
    """Return a new record as it may have been sent before, while the server's clock or the lab's zone was guessed.

    ``given``: its fields in lab time.
    """
    in_lab = _time_of(given)
    if endpoint not in MOMENTS or in_lab is None or in_lab.tzinfo is not None:
        return []
    times = guessed_times(url, str(animal.get("lab")), in_lab)
    return [{**sent, "date_time": time.isoformat()} for time in times]


def _same(sent: Mapping[str, Any], other: Mapping[str, Any], fields: list[str]) -> bool:
    amounts = [(_number(sent.get(field)), _number(other.get(field))) for field in fields]
    return all(one is not None and one == there for one, there in amounts)


def _number(value: Any) -> Decimal | None:
    try:
        return None if value is None or isinstance(value, bool) else Decimal(str(value))
    except ArithmeticError:
        return None


def _apart(sent: Mapping[str, Any], other: Mapping[str, Any]) -> dt.timedelta:
    # Near enough where one has an offset and the other none.
    times = [_time_of(record) or dt.datetime.now().astimezone() for record in (sent, other)]
    if any(time.tzinfo is None for time in times):
        times = [time.replace(tzinfo=None) for time in times]
    return abs(times[0] - times[1])


def _time_of(record: Mapping[str, Any]) -> dt.datetime | None:
    time = record.get("date_time")
    return read_time(time.isoformat() if isinstance(time, dt.datetime) else time)


def _day(time: dt.datetime | None) -> dt.date:
    # Where none is given, the server takes the present moment; today to a day, as lab time has no zone here.
    return dt.date.today() if time is None else time.date()  # noqa: DTZ011
