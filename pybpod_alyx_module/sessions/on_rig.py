"""Who was on the rig in a session: the one place where that is decided; and what Alyx says of that animal."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any

from alyx_connector.address import parse_address
from alyx_connector.errors import AlyxError
from pybpod_alyx_module.sync.servers import same_server

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping
    from datetime import date

    from pybpod_alyx_module.sessions.session_csv import SessionSubject


@dataclass(frozen=True)
class LinkedSubject:
    """A subject of the PyBpod project that is linked to an Alyx server."""

    name: str
    #: PyBpod's identity of it: the Alyx id where a sync added it, its own where it was linked later.
    uuid: str
    alyx_id: str
    #: Address of that server; empty where the subject's file does not name it.
    server: str = ""
    #: What the last sync stored of it.
    record: Mapping[str, Any] = field(default_factory=dict, repr=False, compare=False)

    @classmethod
    def of_row(cls, row: Mapping[str, Any], server: str) -> LinkedSubject:
        """Take an animal that is not in the project from a row of ``GET /subjects``."""
        alyx_id = str(row["id"])
        return cls(str(row["nickname"]), alyx_id, alyx_id, server, {**row, "alyx_id": alyx_id})


@dataclass(frozen=True)
class Candidate:
    """An Alyx subject that may have been on the rig."""

    subject: LinkedSubject
    #: Only the name agrees: since then that name may have gone to another animal.
    by_name: bool = False


@dataclass(frozen=True)
class OnRig:
    """Who was on the rig, as far as subjects of one Alyx server go."""

    candidates: tuple[Candidate, ...] = ()
    #: Subjects of the session that are not linked to this Alyx server.
    others: tuple[SessionSubject, ...] = ()
    #: Address of that server; empty where it cannot be found out.
    server: str = ""
    #: The project's subjects that are linked to it, whether the session lists them or not.
    linked: tuple[LinkedSubject, ...] = field(default=(), repr=False)

    @property
    def by_name(self) -> LinkedSubject | None:
        """The only one that the session lists, where only its name agrees: another animal may have that name now."""
        if len(self.candidates) == 1 and not self.others and self.candidates[0].by_name:
            return self.candidates[0].subject
        return None

    def lists(self, alyx_id: str) -> bool:
        """Tell whether the session lists an animal, by identity or by name."""
        return any(one.subject.alyx_id == alyx_id for one in self.candidates)

    @property
    def default(self) -> LinkedSubject | None:
        """The one that it certainly was; None where a person must say which."""
        if len(self.candidates) == 1 and not self.others and not self.candidates[0].by_name:
            return self.candidates[0].subject
        return None


@dataclass(frozen=True)
class Animal:
    """What Alyx says of a subject, as far as a session needs it."""

    id: str
    nickname: str
    lab: str | None = None
    projects: tuple[str, ...] = ()
    responsible_user: str | None = None
    #: None where Alyx did not say.
    alive: bool | None = None
    #: ISO dates.
    birth_date: str | None = None
    death_date: str | None = None

    def lived_on(self, day: date) -> bool:
        """Tell whether it may have lived on a day, as far as Alyx says."""
        after_birth = not self.birth_date or self.birth_date <= day.isoformat()
        return after_birth and (not self.death_date or day.isoformat() <= self.death_date)

    @classmethod
    def of(cls, row: Mapping[str, Any]) -> Animal:
        """Take it from a row of ``GET /subjects`` or from the record of a synced subject.

        Returns: what the row has; the rest is None or empty.
        ``row``: with ``id`` or ``alyx_id``, and ``nickname``.
        """
        alive = row.get("alive")
        return cls(
            id=str(row.get("id") or row.get("alyx_id") or ""),
            nickname=str(row.get("nickname") or ""),
            lab=row.get("lab") or None,
            projects=tuple(row.get("projects") or ()),
            responsible_user=row.get("responsible_user") or None,
            alive=alive if isinstance(alive, bool) else None,
            birth_date=row.get("birth_date") or None,
            death_date=row.get("death_date") or None,
        )


def who_was_on_rig(
    subjects: Iterable[SessionSubject], links: Iterable[LinkedSubject], last_server: str = ""
) -> tuple[OnRig, ...]:
    """Find out who was on the rig in a session: for the menu and for the registration alike.

    Returns: one for each server that the project's subjects are linked to.
    ``subjects``: those that the session lists, as PyBpod or the CSV has them.
    ``last_server``: counts for subjects whose file does not name their server.
    """
    subjects = tuple(subjects)
    by_server: dict[str, list[LinkedSubject]] = {}
    places: dict[str, str] = {}  # many subjects, few addresses
    for link in links:
        written = link.server or last_server
        if written not in places:
            server = _usual_address(written)
            places[written] = next((one for one in by_server if same_server(one, server)), server)
        by_server.setdefault(places[written], []).append(link)
    return tuple(
        replace(which_animal(subjects, group), server=server, linked=tuple(group))
        for server, group in by_server.items()
    )


def _usual_address(server: str) -> str:
    try:
        return parse_address(server).url if server else ""
    except AlyxError:
        return server


def which_animal(subjects: Iterable[SessionSubject], links: Iterable[LinkedSubject]) -> OnRig:
    """Find the Alyx subjects of one server among the subjects of a session.

    Returns: each Alyx subject once, found by uuid (PyBpod's or Alyx's); by name only where no uuid agrees. Names that
    only agree but for case are taken as one.
    ``links``: the project's subjects that are linked to that server.
    """
    links = list(links)
    found: dict[str, Candidate] = {}
    others: list[SessionSubject] = []
    for subject in subjects:
        uuid = (subject.uuid or "").lower()
        same = [link for link in links if uuid and uuid in {link.uuid.lower(), link.alyx_id.lower()}]
        named = [] if same else [link for link in links if link.name.casefold() == subject.name.casefold()]
        found |= {link.alyx_id: Candidate(link) for link in same}
        for link in named:
            found.setdefault(link.alyx_id, Candidate(link, by_name=True))
        if not same and not named:
            others.append(subject)
    return OnRig(tuple(found.values()), tuple(others))
