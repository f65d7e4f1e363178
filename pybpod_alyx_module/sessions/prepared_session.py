"""A recorded session and the animals that it may be registered for: what this computer knows before Alyx is asked."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any

from alyx_connector.accounts import Accounts
from alyx_connector.zones.lab_zones import last_zone
from pybpod_alyx_module.names.alyx_names import AlyxNames, last_names
from pybpod_alyx_module.sessions.earlier_registration import find_earlier_registration
from pybpod_alyx_module.sessions.on_rig import Animal, LinkedSubject, which_animal, who_was_on_rig
from pybpod_alyx_module.sessions.registration_note import find_registration, read_registrations
from pybpod_alyx_module.sessions.run_settings import read_run_settings
from pybpod_alyx_module.sessions.session_csv import read_session_file
from pybpod_alyx_module.sync.servers import same_server

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping
    from datetime import timedelta

    from pybpod_alyx_module.outbox.outbox import Outbox
    from pybpod_alyx_module.sessions.earlier_registration import EarlierRegistration
    from pybpod_alyx_module.sessions.on_rig import OnRig
    from pybpod_alyx_module.sessions.pybpod_session import RecordedSession
    from pybpod_alyx_module.sessions.registration_note import Registration
    from pybpod_alyx_module.sessions.run_settings import RunSettings
    from pybpod_alyx_module.sessions.session_csv import SessionFile


@dataclass(frozen=True)
class Choice:
    """One animal that the session may be registered for, and what Alyx says."""

    server: str
    #: As whom it is written; empty where nobody was ever connected there.
    username: str
    subject: LinkedSubject
    #: Who was on the rig, as far as subjects of that server go.
    on_rig: OnRig
    animal: Animal
    #: As the lab has it on Alyx, or had it when Alyx last answered; None where this computer never learned it.
    lab_timezone: str | None = None
    #: Sessions of that lab day; None where Alyx did not answer.
    same_day: tuple[Mapping[str, Any], ...] | None = field(default=None, hash=False)
    allowed_users: tuple[str, ...] | None = None
    #: That of the animal's water restriction, else plain water; empty where Alyx has neither.
    water_type: str = ""
    earlier: EarlierRegistration | None = None
    #: What could not be checked, and why: a sentence each.
    not_checked: tuple[str, ...] = ()
    #: How far this computer's clock is ahead of the server's; None where the server did not say.
    clock_ahead: timedelta | None = None
    #: The names that the server has, as far as this computer knows.
    names: AlyxNames = field(default_factory=AlyxNames)

    @property
    def is_listed(self) -> bool:
        """Whether the session's file lists it; else a person said that it was on the rig."""
        return self.on_rig.lists(self.subject.alyx_id)


@dataclass(frozen=True)
class PreparedSession:
    """A session that a person can decide about."""

    recorded: RecordedSession
    file: SessionFile
    run: RunSettings
    choices: tuple[Choice, ...]
    #: Whether Alyx was asked, too, by `SessionQuestions.ask`.
    checked_on_alyx: bool = False
    #: The project's other animals.
    others: tuple[LinkedSubject, ...] = field(default=(), repr=False)

    @property
    def listed(self) -> tuple[str, ...]:
        """The names that stand in the session's file."""
        return tuple(subject.name for subject in self.file.subjects)

    @property
    def default(self) -> Choice | None:
        """The animal that certainly was on the rig, or that the session was registered for; None: a person says."""
        registered = [choice for choice in self.choices if choice.earlier is not None]
        if len(registered) == 1:
            return registered[0]
        if len(self.choices) != 1:
            return None
        (only,) = self.choices
        return only if only.on_rig.default is not None else None


def prepare_session(
    recorded: RecordedSession,
    outbox: Outbox,
    account_for: Callable[[str, str], str],
    chosen: LinkedSubject | None = None,
) -> PreparedSession:
    """Read what this computer knows of a session; for worker threads.

    Parameters
    ----------
    recorded : RecordedSession
        The session.
    outbox : Outbox
        May have it already.
    account_for : callable
        ``account_for(server, alyx_user)`` says as whom something is written to a server.
    chosen : LinkedSubject, optional
        An animal of which a person said that it was on the rig, whatever the file says.

    Returns
    -------
    PreparedSession
        With one choice for each animal that may have been on the rig: those of the file, those for which it was
        registered, and the one that was chosen.

    Raises
    ------
    AlyxError
        The session cannot be read, or it cannot be found out whether it was registered.
    """
    file = read_session_file(recorded.file)
    notes = read_registrations(recorded.folder, file.uuid)
    on_rigs = who_was_on_rig(file.subjects, recorded.linked, _last_server(recorded.linked))

    def choice(subject: LinkedSubject, on_rig: OnRig) -> Choice:
        server, animal = on_rig.server, Animal.of({"nickname": subject.name, "id": subject.alyx_id, **subject.record})
        return Choice(
            server,
            account_for(server, recorded.alyx_user) if server else "",
            subject,
            on_rig,
            animal,
            lab_timezone=last_zone(server, animal.lab),
            names=last_names(server),
            earlier=find_earlier_registration(
                outbox.items(subject=subject.alyx_id),
                find_registration(notes, server, subject.alyx_id),
                server,
                file.uuid,
            ),
        )

    choices = [choice(one.subject, on_rig) for on_rig in on_rigs for one in on_rig.candidates]
    for note in notes:
        if not _is_among(choices, note.subject_id, note.server):
            corrected = choice(*_subject_of(note, file, on_rigs))
            choices += [corrected] if corrected.earlier is not None else []
    if chosen is not None and not _is_among(choices, chosen.alyx_id, chosen.server):
        choices.append(choice(chosen, _on_rig_at(chosen.server, file, on_rigs)))
    others = tuple(
        subject if subject.server else replace(subject, server=on_rig.server)
        for on_rig in on_rigs
        for subject in on_rig.linked
        if not _is_among(choices, subject.alyx_id, on_rig.server)
    )
    return PreparedSession(recorded, file, read_run_settings(recorded.folder), tuple(choices), others=others)


def _is_among(choices: Iterable[Choice], alyx_id: str, server: str) -> bool:
    return any(one.subject.alyx_id == alyx_id and same_server(one.server, server) for one in choices)


def _on_rig_at(server: str, file: SessionFile, on_rigs: Iterable[OnRig]) -> OnRig:
    found = (one for one in on_rigs if same_server(one.server, server))
    return next(found, replace(which_animal(file.subjects, ()), server=server))


def _subject_of(note: Registration, file: SessionFile, on_rigs: Iterable[OnRig]) -> tuple[LinkedSubject, OnRig]:
    # of an animal that the file does not list, and that may have left the project
    on_rig = _on_rig_at(note.server, file, on_rigs)
    found = (one for one in on_rig.linked if one.alyx_id == note.subject_id)
    name = note.subject_name or note.subject_id
    return next(found, LinkedSubject(name, note.subject_id, note.subject_id, on_rig.server)), on_rig


def _last_server(linked: tuple[LinkedSubject, ...]) -> str:
    # only for subjects whose file does not name their server
    if all(subject.server for subject in linked):
        return ""
    last = Accounts().last_used()
    return last.url if last is not None else ""
