"""All living water-restricted animals of a user, and the weights of all living ones: a few requests for all of them.

Rows of weighings, water and restrictions name their subject by nickname only. Each list is asked for one responsible
user at a time, because a nickname is the only one of its responsible user, but not of the server.
"""

from __future__ import annotations

import re
from collections import defaultdict
from dataclasses import dataclass, replace
from decimal import Decimal
from typing import TYPE_CHECKING, Any, Final

from alyx_connector.errors import ConfigurationError, ProtocolError
from alyx_connector.http.parallel import gather
from pybpod_alyx_module.animals.rows import first_day, number_of, running_type, wall_time, water_now, weighings
from pybpod_alyx_module.animals.weight_plausibility import OtherAnimal

if TYPE_CHECKING:
    import datetime as dt
    from collections.abc import Callable, Sequence

    from alyx_connector.http.client import AlyxClient
    from alyx_connector.progress import CancelToken, Progress
    from pybpod_alyx_module.animals.water import Water
    from pybpod_alyx_module.animals.weight_plausibility import Weighed

__all__ = ["TableRow", "fetch_others", "fetch_table"]

#: What Alyx allows in a user name; nothing else is put where the server evaluates it.
_USER: Final = re.compile(r"[\w.@+-]+")
_WORKERS: Final = 4
#: mL: what the rows' own sum may differ from the server's.
_SAME: Final = Decimal("1E-6")
_TELL: Final = "Tell who runs the server."


@dataclass(frozen=True)
class TableRow:
    """One water-restricted animal."""

    #: Alyx id.
    subject_id: str
    #: Nickname.
    name: str
    lab: str
    responsible_user: str
    #: Today, as far as the server tells: need and gifts are of now, in the lab's time zone.
    water: Water
    #: The newest weight of the last days; None where there is none.
    last_weight: Weighed | None
    #: That of the running water restriction; None where it names none.
    water_type: str | None

    @property
    def needs_water(self) -> bool:
        """Whether a person must still give water today."""
        return self.water.needs_water


def fetch_table(client: AlyxClient, username: str, *, cancel: CancelToken) -> tuple[TableRow, ...]:
    """Ask for the living water-restricted animals of a user, and of those who allow this user to handle theirs.

    Returns: by name; also those that need no more water today. Empty where there is none.
    """
    found: list[TableRow] = []
    for owner in _owners(client, username, cancel):
        found += _rows_of(client, owner, cancel)
    return tuple(sorted(found, key=lambda row: (row.name.casefold(), row.lab)))


def fetch_others(client: AlyxClient, username: str, *, cancel: CancelToken) -> tuple[OtherAnimal, ...]:
    """Ask for the living animals of a user that were weighed in the last days.

    Returns: by name, each with its newest weight; empty where there is none.
    ``username``: the user; animals of those who allow this user to handle theirs are among them.
    """
    found: list[OtherAnimal] = []
    for owner in _owners(client, username, cancel):
        found += _others_of(client, owner, cancel)
    return tuple(sorted(found, key=lambda one: one.name.casefold()))


def _owners(client: AlyxClient, username: str, cancel: CancelToken) -> list[str]:
    # The user, and who names this user among the allowed ones.
    allowing = client.list("users", {"django": f"allowed_users__username__in,['{_checked(username)}']"}, cancel=cancel)
    owners = {str(row.get("username")) for row in allowing if username in (row.get("allowed_users") or ())}
    return [username, *sorted(name for name in owners - {username} if _USER.fullmatch(name))]


def _others_of(client: AlyxClient, owner: str, cancel: CancelToken) -> list[OtherAnimal]:
    subjects, weights = _together(
        cancel,
        lambda stop: _subjects(client, {"responsible_user": owner, "alive": "True"}, owner, stop),
        lambda stop: _of_user(client, "weighings", owner, "date_time", stop),
    )
    newest = {row["id"]: weighings(weights[row["nickname"]])[-1:] for row in subjects}
    return [OtherAnimal(row["id"], row["nickname"], one) for row in subjects for one in newest[row["id"]]]


def _rows_of(client: AlyxClient, owner: str, cancel: CancelToken) -> list[TableRow]:
    restricted = {"responsible_user": owner, "water_restricted": "True", "alive": "True"}
    subjects = _subjects(client, restricted, owner, cancel)
    if not subjects:
        return []
    weights, gifts, restrictions = _together(
        cancel,
        lambda stop: _of_user(client, "weighings", owner, "date_time", stop),
        lambda stop: _of_user(client, "water-administrations", owner, "date_time", stop),
        lambda stop: _of_user(client, "water-restriction", owner, None, stop),
    )
    return [
        _row(row, weights[row["nickname"]], gifts[row["nickname"]], restrictions[row["nickname"]]) for row in subjects
    ]


def _row(
    row: dict[str, Any],
    weights: Sequence[dict[str, Any]],
    gifts: Sequence[dict[str, Any]],
    restrictions: Sequence[dict[str, Any]],
) -> TableRow:
    # The list holds those whose restriction has no end.
    water = water_now(row, restricted=True)
    reward, supplement = _split(water.given, gifts)
    weighed = weighings(weights)
    return TableRow(
        row["id"],
        row["nickname"],
        row.get("lab") or "",
        row["responsible_user"],
        replace(water, reward=reward, supplement=supplement),
        weighed[-1] if weighed else None,
        running_type(restrictions),
    )


def _split(given: Decimal, gifts: Sequence[dict[str, Any]]) -> tuple[Decimal | None, Decimal | None]:
    # Into reward and supplement. Which zone's day the server counted for the sum is not told: the newest day that
    # adds up to it is that day.
    if given == 0:
        return Decimal(0), Decimal(0)
    days: dict[dt.date, list[Decimal]] = defaultdict(lambda: [Decimal(0), Decimal(0)])
    for gift in gifts:
        when = wall_time(gift.get("date_time"))
        if when is not None and gift.get("water_administered") is not None:
            days[when.date()][0 if gift.get("session") else 1] += number_of(gift, "water_administered")
    newest = max(days, default=None)
    if newest is None or abs(sum(days[newest]) - given) > _SAME:
        return None, None
    reward, supplement = days[newest]
    return reward, supplement


def _subjects(client: AlyxClient, filters: dict[str, str], owner: str, cancel: CancelToken) -> list[dict[str, Any]]:
    rows = client.list("subjects", filters, cancel=cancel)
    names = {row.get("nickname") for row in rows if isinstance(row.get("nickname"), str) and row.get("id")}
    if any(row.get("responsible_user") != owner for row in rows) or len(names) != len(rows):
        raise ProtocolError(
            f"{client.url} was asked for the subjects of {owner} and answered something else.", hint=_TELL
        )
    return rows


def _of_user(
    client: AlyxClient, endpoint: str, owner: str, time_field: str | None, cancel: CancelToken
) -> dict[str, list[dict[str, Any]]]:
    # Rows by nickname, of the last days where there is a field to tell.
    django = f"subject__responsible_user__username__in,['{_checked(owner)}']"
    if time_field:
        django += f",{time_field}__date__gte,{first_day()}"
    found: dict[str, list[dict[str, Any]]] = defaultdict(list)
    for row in client.list(endpoint, {"django": django}, cancel=cancel):
        found[str(row.get("subject"))].append(row)
    return found


def _together(cancel: CancelToken, *asked: Callable[[CancelToken], Any]) -> list[Any]:
    def job(ask: Callable[[CancelToken], Any]) -> Callable[[CancelToken, Any], Any]:
        return lambda stop, _report: ask(stop)

    gathered = gather(
        [job(ask) for ask in asked],
        workers=_WORKERS,
        cancel=cancel,
        report=_no_report,
        arrived=lambda outcome: not isinstance(outcome, Exception),
    )
    for outcome in gathered.outcomes:
        if isinstance(outcome, Exception):
            raise outcome
    if gathered.stopped is not None:
        raise gathered.stopped
    return gathered.outcomes


def _checked(username: str) -> str:
    if not _USER.fullmatch(username):
        raise ConfigurationError(
            f"{username!r} is no user name of Alyx.", hint="Log in again with user and password.", setting="username"
        )
    return username


def _no_report(progress: Progress) -> None:
    pass
