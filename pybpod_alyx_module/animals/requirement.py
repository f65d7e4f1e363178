"""What Alyx says of one subject's weight and water, day by day: the answer of ``/water-requirement``."""

from __future__ import annotations

import datetime as dt
from collections import Counter
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

from alyx_connector.errors import ProtocolError, ServerFaultError
from pybpod_alyx_module.animals.alyx_access import (
    UntoldError,
    check_only_one,
    is_untold,
    no_minimum_weights,
    note_untold,
)
from pybpod_alyx_module.numbers import exact, is_number

if TYPE_CHECKING:
    from collections.abc import Mapping
    from decimal import Decimal

    from alyx_connector.http.client import AlyxClient
    from alyx_connector.progress import CancelToken

__all__ = ["Day", "Requirement", "fetch_requirement", "read_requirement"]

#: How many other animals a server must fail with before it counts as one that tells nothing of this kind.
_WITNESSES: Final = 2
#: Among how many animals these are looked for: a namesake is no witness.
_LISTED: Final = 8


@dataclass(frozen=True)
class Day:
    """One day of one subject, computed by the server; weights in g, water in mL.

    Weight, expected and minimum weight include the implant, the reference weight does not.
    """

    #: In the lab's time zone.
    date: dt.date
    #: The last weight known on that day, 0 if there is none.
    weight: Decimal
    #: The last weight of that very day, None if it was not weighed.
    weighing_at: Decimal | None
    #: 0 where there is none.
    reference_weight: Decimal
    #: 0 where the lab sets no limit.
    expected_weight: Decimal
    #: 0, or the weight of the implant alone, where there is no limit.
    min_weight: Decimal
    #: Percent of the expected weight, the implant off both, 0 if none is expected.
    percentage_weight: Decimal
    #: Water in sessions.
    given_reward: Decimal
    #: Water out of sessions.
    given_supplement: Decimal
    given_total: Decimal
    #: What the subject needs on that day, whether it is water-restricted or not.
    expected_water: Decimal
    is_water_restricted: bool
    #: 0 without an implant.
    implant_weight: Decimal


@dataclass(frozen=True)
class Requirement:
    """The days of one subject, and how its lab judges weights."""

    #: Nickname.
    subject: str
    #: Share of the reference weight below which a weight is too low; 0: the lab does not judge by it.
    reference_weight_pct: Decimal
    #: The same for the weight that the z-score at the start of the restriction predicts.
    zscore_weight_pct: Decimal
    #: In order, at least one; the last is today where no end was asked for.
    days: tuple[Day, ...]

    @property
    def today(self) -> Day:
        """The last day."""
        return self.days[-1]

    @property
    def judged_by(self) -> str:
        """What the lab compares weights with, in words, empty if it sets no limit."""
        names = ((self.reference_weight_pct, "reference weight"), (self.zscore_weight_pct, "z-score"))
        return " and ".join(name for share, name in names if share)


def fetch_requirement(
    client: AlyxClient, subject_id: str, nickname: str, first: dt.date, cancel: CancelToken
) -> Requirement:
    """Ask for the days of one subject, from a day on until today in its lab.

    An UntoldError where the server tells nothing of this kind of any animal; it is asked once.

    ``nickname``: that of this id a moment ago; that it is the only one of that name is checked afterwards.
    """
    if is_untold(client, "requirement"):
        raise _no_requirements(client)
    try:
        answer = _ask(client, nickname, first, cancel)
    except ServerFaultError:
        if _fails_with_others(client, subject_id, first, cancel):
            note_untold(client, "requirement")
            raise _no_requirements(client) from None
        check_only_one(client, subject_id, nickname, cancel)  # says so where that is the reason
        raise
    check_only_one(client, subject_id, nickname, cancel)
    return read_requirement(answer)


def _ask(client: AlyxClient, nickname: str, first: dt.date, cancel: CancelToken) -> Any:
    return client.get(("water-requirement", nickname), {"start_date": first.isoformat()}, cancel=cancel)


def _fails_with_others(client: AlyxClient, subject_id: str, first: dt.date, cancel: CancelToken) -> bool:
    # One animal may have what the server cannot compute; several have not.
    page = client.get("subjects", {"alive": "True", "limit": _LISTED}, cancel=cancel)
    known = Counter(row.get("nickname") for row in page["results"] if row.get("id") != subject_id)
    others = [str(nickname) for nickname, count in known.items() if nickname and count == 1]
    for nickname in others[:_WITNESSES]:
        try:
            _ask(client, nickname, first, cancel)
        except ServerFaultError:
            continue
        return False
    return len(others) >= _WITNESSES


def _no_requirements(client: AlyxClient) -> UntoldError:
    return UntoldError(no_minimum_weights(client.url))


def read_requirement(answer: Any) -> Requirement:
    """Read the answer of ``/water-requirement/<nickname>``.

    Returns: with at least one day.
    """
    try:
        records = [_day(record) for record in answer["records"]]
        shares = [_number(answer, name) for name in ("reference_weight_pct", "zscore_weight_pct")]
        requirement = Requirement(str(answer["subject"]), shares[0], shares[1], tuple(records))
    except (KeyError, TypeError, ValueError) as error:
        raise ProtocolError(
            f"The water requirement that Alyx sent cannot be read: {type(error).__name__} at {error}.",
            hint="Tell whoever runs the Alyx server.",
        ) from None
    if not records:
        raise ProtocolError(
            f"Alyx sent no day of {requirement.subject}'s water requirement.",
            hint="Compare the date of this computer with the server's.",
        )
    return requirement


def _day(record: Mapping[str, Any]) -> Day:
    weighed = record["weighing_at"]
    if not isinstance(record["is_water_restricted"], bool):
        raise TypeError("is_water_restricted")
    return Day(
        date=dt.date.fromisoformat(record["date"]),
        weight=_number(record, "weight"),
        weighing_at=None if weighed is None else _number(record, "weighing_at"),
        reference_weight=_number(record, "reference_weight"),
        expected_weight=_number(record, "expected_weight"),
        min_weight=_number(record, "min_weight"),
        percentage_weight=_number(record, "percentage_weight"),
        given_reward=_number(record, "given_water_reward"),
        given_supplement=_number(record, "given_water_supplement"),
        given_total=_number(record, "given_water_total"),
        expected_water=_number(record, "expected_water"),
        is_water_restricted=record["is_water_restricted"],
        implant_weight=_number(record, "implant_weight"),
    )


def _number(record: Mapping[str, Any], name: str) -> Decimal:
    value = record[name]
    if not is_number(value):
        raise ValueError(name)
    return exact(value)
