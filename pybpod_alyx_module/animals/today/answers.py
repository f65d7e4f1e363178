"""What Alyx answers about a person's animals today, as rows: a few requests for all of them, kept for a server gone."""

from __future__ import annotations

import datetime as dt
from collections import Counter, defaultdict
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

from alyx_connector.errors import NotFoundError
from alyx_connector.ids import canonical_id
from alyx_connector.schema.source import dialect_of
from alyx_connector.search.filters import make_requests
from alyx_connector.zones.lab_zones import zones_of
from alyx_connector.zones.moments import lab_zone
from pybpod_alyx_module.animals.alyx_access import no_minimum_weights
from pybpod_alyx_module.animals.alyx_subject import server_name
from pybpod_alyx_module.animals.handled_animals import (
    can_be_asked_about,
    fetch_all,
    list_owners,
    list_subjects,
    rows_of_each,
)
from pybpod_alyx_module.animals.rows import current_clock, new_day_note, wall_time
from pybpod_alyx_module.lab_time import lab_now

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Iterable, Mapping, Sequence

    from alyx_connector.http.client import AlyxClient
    from alyx_connector.progress import CancelToken

    Row = dict[str, Any]

__all__ = ["AnimalRows", "Answers", "fetch_answers"]

#: Trials are in a session's own page alone: so many pages are asked for.
_MOST_SESSIONS: Final = 60


@dataclass(frozen=True)
class AnimalRows:
    """The rows of Alyx that name one animal; of weights, water and sessions those of the last days."""

    subject: Row
    weighings: tuple[Row, ...] = ()
    water: tuple[Row, ...] = ()
    restrictions: tuple[Row, ...] = ()
    sessions: tuple[Row, ...] = ()

    @property
    def lab(self) -> str:
        """Its lab; empty if it has none."""
        row = self.subject
        return str(row.get("lab") or "")


@dataclass(frozen=True)
class Answers:
    """What Alyx answered; plain JSON in it, so that it can be kept."""

    server: str
    username: str
    #: When, UTC.
    asked: dt.datetime
    animals: tuple[AnimalRows, ...]
    #: Time zone by name of the lab, as far as it is known.
    zones: Mapping[str, str]
    #: Rows of labs by name; None where the server does not tell by what share of which weight a lab judges.
    labs: Mapping[str, Row] | None
    #: Number of trials by id of the session, of those of today that tell it.
    trials: Mapping[str, int]
    #: What one must know of this server, a sentence each.
    notes: tuple[str, ...] = ()
    #: Whether they are those of before, because Alyx cannot be reached now.
    are_kept: bool = False


def fetch_answers(
    client: AlyxClient, username: str, project_ids: Collection[str] = (), *, cancel: CancelToken
) -> Answers:
    """Ask for the living water-restricted animals that a user may handle, and for all living ones of a project.

    ``project_ids``: Alyx ids of the project's animals.
    """
    asked = dt.datetime.now(dt.timezone.utc)
    owners = list_owners(client, username, cancel)
    dialect = dialect_of(client, cancel=cancel)
    wanted = {"water_restricted": "True", "alive": "True"}
    handled = fetch_all(cancel, *(_list_of(client, owner, wanted) for owner in owners))
    subjects: dict[str, list[Row]] = defaultdict(list)
    for owner, rows in zip(owners, handled, strict=True):
        subjects[owner] += rows
    known = {row["id"] for rows in handled for row in rows}
    for row in _living(client, set(project_ids) - known, cancel):
        subjects[row["responsible_user"]].append(row)
    labs = None
    if dialect.tells_minimum_weights:
        labs = {str(row.get("name")): row for row in client.list("labs", cancel=cancel)}
    animals = _with_rows(client, {owner: rows for owner, rows in subjects.items() if rows}, cancel)
    names = {lab for one in animals if (lab := one.lab)}
    current_clock(client, cancel)
    zones = zones_of(client).names(names, cancel=cancel)
    # The windows say so where the zone of a lab is not known.
    known_zones = {lab: zones[lab] for lab in sorted(names) if lab_zone(zones.get(lab)) is not None}
    new = [new_day_note(client, lab, lab_zone(known_zones.get(lab)), cancel) for lab in sorted(names)]
    limits = "" if dialect.tells_minimum_weights else no_minimum_weights(client.url)
    whose = "" if dialect.tells_allowed_users else _own_alone(client.url)
    notes = tuple(note for note in (*new, limits, whose) if note)
    trials = _trials_of(client, animals, known_zones, cancel)
    return Answers(client.url, username, asked, tuple(animals), known_zones, labs, trials, notes)


def _list_of(client: AlyxClient, owner: str, filters: dict[str, str]) -> Callable[[CancelToken], list[Row]]:
    return lambda stop: list_subjects(client, owner, filters, stop)


def _living(client: AlyxClient, ids: Iterable[str], cancel: CancelToken) -> list[Row]:
    # those of the project that are not among the handled ones
    wanted = {one for one in ids if canonical_id(one) == one}
    found = []
    for filters in make_requests({"id": sorted(wanted)}) if wanted else ():
        for row in client.list("subjects", filters, cancel=cancel):
            named = isinstance(row.get("nickname"), str) and row["nickname"]
            if row.get("id") in wanted and row.get("alive") is True and named and can_be_asked_about(row):
                found.append(row)
    return found


def _with_rows(client: AlyxClient, subjects: Mapping[str, Sequence[Row]], cancel: CancelToken) -> list[AnimalRows]:
    lists = (
        ("weighings", "date_time"),
        ("water-administrations", "date_time"),
        ("water-restriction", None),
        ("sessions", "start_time"),
    )
    requests = [rows_of_each(client, owner, *one) for owner in subjects for one in lists]
    answers = iter(fetch_all(cancel, *requests))
    animals = []
    for rows in subjects.values():
        weighings, water, restrictions, sessions = (next(answers) for _ in lists)
        named = Counter(row["nickname"] for row in rows)
        for row in rows:
            own = sessions(row)
            if named[row["nickname"]] > 1:  # whose they are the lab tells
                own = [one for one in own if one.get("lab") == row.get("lab")]
            animals.append(
                AnimalRows(row, tuple(weighings(row)), tuple(water(row)), tuple(restrictions(row)), tuple(own))
            )
    return animals


def _trials_of(
    client: AlyxClient, animals: Iterable[AnimalRows], zones: Mapping[str, str], cancel: CancelToken
) -> dict[str, int]:
    ids = []
    for animal in animals:
        zone = lab_zone(zones.get(animal.lab))
        today = lab_now(zone).date()
        for row in animal.sessions:
            start = wall_time(row.get("start_time"), zone)
            if start is not None and start.date() == today and canonical_id(row.get("id")) is not None:
                ids.append(str(row["id"]))

    def page_of(session_id: str) -> Callable[[CancelToken], Any]:
        def ask(stop: CancelToken) -> Any:
            try:
                return client.get(("sessions", session_id), cancel=stop)
            except NotFoundError:  # deleted a moment ago
                return None

        return ask

    pages = fetch_all(cancel, *(page_of(one) for one in ids[:_MOST_SESSIONS]))
    counts = {one: page.get("n_trials") for one, page in zip(ids, pages, strict=False) if isinstance(page, dict)}
    return {one: count for one, count in counts.items() if type(count) is int and count >= 0}


def _own_alone(server: str) -> str:
    return f"{server_name(server)} does not tell who allows whom: these are the animals you are responsible for."
