"""What Alyx says of many animals that are to be weighed: a few requests for all of them."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Final

from alyx_connector.errors import AlyxError
from alyx_connector.progress import Cancelled
from alyx_connector.schema.source import dialect_of
from alyx_connector.search.filters import make_requests
from alyx_connector.zones.lab_zones import zones_of
from alyx_connector.zones.moments import lab_zone
from pybpod_alyx_module.animals.alyx_access import find_client, no_minimum_weights
from pybpod_alyx_module.animals.alyx_subject import server_name
from pybpod_alyx_module.animals.handled_animals import (
    can_be_asked_about,
    fetch_all,
    list_owners,
    may_handle_all,
    rows_of_each,
)
from pybpod_alyx_module.animals.rows import current_clock, new_day_note, running_restriction, weighings
from pybpod_alyx_module.animals.today.today_animals import judge_row, shares_of
from pybpod_alyx_module.deadline import cancel_after
from pybpod_alyx_module.remedies import explain

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping, Sequence

    from alyx_connector.http.client import AlyxClient
    from alyx_connector.progress import CancelToken
    from pybpod_alyx_module.animals.alyx_access import AlyxAccess
    from pybpod_alyx_module.animals.weight import LabShares, LastJudged
    from pybpod_alyx_module.animals.weight_plausibility import Weighed

__all__ = ["DEADLINE_S", "SeenAnimal", "SeenAnimals", "fetch_seen_animals"]

#: How long Alyx has to answer about all of them, in seconds; one can weigh meanwhile.
DEADLINE_S: Final = 30.0


@dataclass(frozen=True)
class SeenAnimal:
    """One animal as Alyx's lists describe it now."""

    #: Nickname.
    name: str
    alive: bool
    #: ISO date; None without one.
    death_date: str | None
    #: Time zone of its lab, None if it is not known.
    lab_zone: str | None
    responsible_user: str
    #: Whether the user who asked may handle it; None where the server does not tell.
    may_handle: bool | None
    #: As Alyx names it; None without one.
    species: str | None
    restricted: bool
    #: Those of the last days, the newest last.
    weighings: tuple[Weighed, ...]
    #: How its last weight is judged, and by what; None without one, or without a water restriction.
    judged: LastJudged | None
    #: Whether its lab sets no minimum weight.
    has_no_limit: bool


@dataclass(frozen=True)
class SeenAnimals:
    """What a server said of the animals that it was asked for."""

    server: str
    #: As whom is recorded there; empty if nobody was ever connected.
    username: str
    #: By Alyx id; one that is neither here nor in `not_told` is not on Alyx, or this user may not see it.
    animals: Mapping[str, SeenAnimal] = field(default_factory=dict)
    #: Ids of those whose rows cannot be asked for: their responsible user cannot be named to the server.
    not_told: frozenset[str] = frozenset()
    #: Why nothing could be asked; empty if it could.
    problem: str = ""
    #: What one must know of this server, a sentence each.
    notes: tuple[str, ...] = ()
    #: Whether the server tells the minimum weight of any animal.
    tells_limits: bool = True


def fetch_seen_animals(
    access: AlyxAccess, server: str, alyx_user: str, subject_ids: Collection[str], *, cancel: CancelToken
) -> SeenAnimals:
    """Ask a server about animals.

    Returns: with its problem where the server could not be asked.
    ``alyx_user``: the Alyx user who is logged in to the PyBpod project, empty if none is.
    ``subject_ids``: Alyx ids.
    """
    username, client, problem = find_client(access, server, alyx_user)
    if client is None:
        return SeenAnimals(server, username, problem=problem)
    try:
        with cancel_after(DEADLINE_S, cancel) as stop:
            return _fetch(client, server, username, subject_ids, stop)
    except AlyxError as error:
        return SeenAnimals(server, username, problem=explain(error))
    except Cancelled:
        cancel.raise_if_cancelled()
        late = f"{server_name(server)} did not answer within {DEADLINE_S:g} s."
        return SeenAnimals(server, username, problem=late)


def _fetch(
    client: AlyxClient, server: str, username: str, subject_ids: Collection[str], cancel: CancelToken
) -> SeenAnimals:
    found = [
        row
        for filters in make_requests({"id": sorted(subject_ids)})
        for row in client.list("subjects", filters, cancel=cancel)
        if row.get("id") in subject_ids
    ]
    rows = [row for row in found if can_be_asked_about(row)]
    not_told = frozenset(row["id"] for row in found if not can_be_asked_about(row))
    dialect = dialect_of(client, cancel=cancel)
    of_labs = client.list("labs", cancel=cancel) if dialect.tells_minimum_weights else ()
    shares = {str(lab.get("name")): shares_of(lab) for lab in of_labs}
    labs = {str(row.get("lab")) for row in rows if row.get("lab")}
    zones = zones_of(client).names(labs, cancel=cancel)
    clock = current_clock(client, cancel)
    handled = _handled(client, username, rows, cancel)
    animals = {}
    for owner in sorted({str(row["responsible_user"]) for row in rows}):
        weights, restrictions = fetch_all(
            cancel,
            rows_of_each(client, owner, "weighings", "date_time"),
            rows_of_each(client, owner, "water-restriction", None),
        )
        for row in rows:
            if row.get("responsible_user") == owner:
                zone = zones.get(row.get("lab") or "")
                weighed = weighings(weights(row), lab_zone(zone), clock)
                may_handle = None if handled is None else owner in handled
                animals[row["id"]] = _seen(
                    row, zone, weighed, restrictions(row), shares.get(row.get("lab") or ""), may_handle
                )
    notes = [new_day_note(client, lab, lab_zone(zones.get(lab)), cancel) for lab in sorted(labs)]
    limits = "" if dialect.tells_minimum_weights else no_minimum_weights(client.url)
    said = tuple(note for note in dict.fromkeys([*notes, limits]) if note)
    return SeenAnimals(server, username, animals, not_told, notes=said, tells_limits=dialect.tells_minimum_weights)


def _handled(client: AlyxClient, username: str, rows: Sequence[dict[str, Any]], cancel: CancelToken) -> set[str] | None:
    # the responsible users whose animals this user may handle, of those that these rows name
    owners = {str(row.get("responsible_user")) for row in rows}
    if not dialect_of(client, cancel=cancel).tells_allowed_users:
        return None if owners - {username} else owners
    allowing = set(list_owners(client, username, cancel))
    return owners if owners - allowing and may_handle_all(client, username, cancel) else allowing


def _seen(
    row: dict[str, Any],
    zone: str | None,
    weighed: tuple[Weighed, ...],
    restrictions: Sequence[dict[str, Any]],
    shares: LabShares | None,
    may_handle: bool | None,
) -> SeenAnimal:
    restricted = bool(running_restriction(restrictions))
    judged = judge_row(weighed[-1].grams, row, restrictions, shares) if restricted and shares and weighed else None
    return SeenAnimal(
        name=str(row["nickname"]),
        alive=row.get("alive") is not False,
        death_date=row.get("death_date"),
        lab_zone=zone,
        responsible_user=str(row["responsible_user"]),
        may_handle=may_handle,
        species=row.get("species"),
        restricted=restricted,
        weighings=weighed,
        judged=judged,
        has_no_limit=shares is not None and not (shares.reference or shares.zscore),
    )
