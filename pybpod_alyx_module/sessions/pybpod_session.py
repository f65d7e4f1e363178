"""What PyBpod's own objects say of a recorded session, as frozen values that a worker thread may have. No Qt."""

from __future__ import annotations

import itertools
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from pybpod_alyx_module.host.alyx_user import alyx_user
from pybpod_alyx_module.sessions.on_rig import LinkedSubject, who_was_on_rig
from pybpod_alyx_module.sessions.session_csv import read_subject

if TYPE_CHECKING:
    from collections.abc import Callable

    from pybpod_alyx_module.sessions.session_csv import SessionSubject

#: PyBpod's session files begin with some lines about the file.
_METADATA_LINES = 20


@dataclass(frozen=True)
class RecordedSession:
    """A recorded session."""

    #: Its CSV.
    file: Path
    #: The project's linked subjects.
    linked: tuple[LinkedSubject, ...]
    #: The Alyx user who is logged in to the PyBpod project; empty where no user of Alyx is.
    alyx_user: str
    #: Whether PyBpod saw the protocol break off; None where it did not see the end, as of an old session.
    killed: bool | None = None

    @property
    def folder(self) -> Path:
        """The session's folder."""
        return self.file.parent


def read_pybpod_session(session: Any) -> RecordedSession:
    """Read what registering needs from a PyBpod session; on the GUI thread."""
    project = session.project
    return RecordedSession(
        file=csv_of(session),
        linked=linked_subjects(project),
        alyx_user=alyx_user(project),
        killed=session.alyx_broken_off,
    )


def csv_of(session: Any) -> Path:
    """Return where a session's CSV is, also while PyBpod has a new name for it that is not saved yet."""
    place = Path(session.path or "", f"{session.name}.csv")  # without a path the project was never saved
    places = [place, *([Path(session.filepath)] if session.filepath else [])]
    return next((file for file in places if file.is_file()), place)


def uuid_of(session: Any) -> str | None:
    """Return PyBpod's identity of a session, from the first lines of its CSV where PyBpod does not have it.

    PyBpod has that of a detached run only once the project is opened again. `Session.alyx_uuid` keeps it.
    Returns: None where the CSV has none.
    """
    if session.uuid4:
        return str(session.uuid4)
    try:
        with csv_of(session).open(encoding="utf-8", errors="replace") as stream:
            heads = [line.rstrip().split(";") for line in itertools.islice(stream, _METADATA_LINES)]
    except OSError:
        return None
    return next((head[1] for head in heads if head[0] == "__UUID4__" and len(head) > 1), None)


def linked_subjects(project: Any) -> tuple[LinkedSubject, ...]:
    """Return the subjects of a PyBpod project that are linked to Alyx, whatever their server."""
    return tuple(_linked(subject) for subject in project.subjects if subject.is_alyx)


def listed_in(session: Any) -> tuple[SessionSubject, ...]:
    """Read the subjects that a session lists; `Session.alyx_listed` keeps them."""
    return tuple(read_subject(str(text)) for text in session.subjects)


def alyx_subjects(session: Any, linked: tuple[LinkedSubject, ...]) -> tuple[str, ...]:
    """Return the PyBpod names of the Alyx subjects that a session lists.

    Returns: also those of which only the name agrees: a person must confirm them. Empty where there is none.
    ``linked``: the linked subjects of its project.
    """
    found = who_was_on_rig(session.alyx_listed, linked)
    return tuple(dict.fromkeys(candidate.subject.name for on_rig in found for candidate in on_rig.candidates))


def marks_of(linked: tuple[LinkedSubject, ...]) -> frozenset[str]:
    """Return by what `lists_any` knows subjects; for many sessions of one project."""
    return frozenset(text for one in linked for text in (one.name.casefold(), one.uuid.lower(), one.alyx_id.lower()))


def lists_any(session: Any, marks: frozenset[str]) -> bool:
    """Tell whether a session lists one of some subjects, by identity or by name."""
    return any(one.name.casefold() in marks or (one.uuid or "").lower() in marks for one in session.alyx_listed)


def is_unregistered(session: Any, marks: frozenset[str]) -> bool:
    """Tell whether a session has a file, lists one of some subjects, see `lists_any`, and is not registered yet."""
    return (
        not session.is_running
        and session.alyx_registration_state.registration is None
        and lists_any(session, marks)
        and csv_of(session).is_file()
    )


def unregistered_of(project: Any, is_test_subject: Callable[[str], bool]) -> Callable[[Any], int]:
    """Look which sessions of a project are not registered yet.

    Returns: takes a linked subject of the project, and tells how many of them may be its sessions.
    ``is_test_subject``: tells by its name whether nothing of a subject is to be sent.
    """
    known = {text for one in project.subjects for text in _identities(one)}
    found: dict[str, list[Any]] = {}
    for experiment in project.experiments:
        for setup in experiment.setups:
            for session in setup.sessions:
                if session.is_running or session.alyx_registration_state.registration is not None:
                    continue
                for one in session.alyx_listed:
                    uuid = (one.uuid or "").lower()
                    found.setdefault(uuid if uuid in known else one.name.casefold(), []).append(session)

    def count(subject: Any) -> int:
        if is_test_subject(subject.name):
            return 0
        marks = {*_identities(subject), subject.name.casefold()}
        sessions = {id(session): session for mark in marks for session in found.get(mark, ())}
        return sum(csv_of(session).is_file() for session in sessions.values())

    return count


def _identities(subject: Any) -> tuple[str, ...]:
    record = subject.alyx
    alyx_id = () if record is None else (str(record["alyx_id"]).lower(),)
    return (str(subject.uuid4).lower(), *alyx_id)


def _linked(subject: Any) -> LinkedSubject:
    record = subject.alyx
    server = record.get("alyx_server")
    return LinkedSubject(
        subject.name,
        str(subject.uuid4),
        str(record["alyx_id"]),
        server if isinstance(server, str) else "",
        record,
    )
