"""A session that PyBpod recorded, as registering it on Alyx needs it: frozen, so that a thread may have it. No Qt."""

from __future__ import annotations

import ast
import itertools
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

from pybpod_alyx_module.host.alyx_user import alyx_user
from pybpod_alyx_module.sessions.on_rig import LinkedSubject, which_animal
from pybpod_alyx_module.sessions.session_csv import SessionSubject

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

#: PyBpod's session files begin with some lines about the file.
_METADATA_LINES = 20


@dataclass(frozen=True)
class LinkedAnimal:
    """A subject of the PyBpod project that is linked to an Alyx server."""

    subject: LinkedSubject
    #: Address of that server; empty where the subject's file does not name it.
    server: str
    #: What the last sync knew of it.
    record: Mapping[str, Any] = field(hash=False)


@dataclass(frozen=True)
class Recorded:
    """A recorded session."""

    #: What PyBpod calls it now.
    name: str
    #: The PyBpod project's name.
    project: str
    #: Its CSV.
    file: Path
    #: The project's linked subjects.
    linked: tuple[LinkedAnimal, ...]
    #: The Alyx user who is logged in to the PyBpod project; empty where that is nobody of Alyx.
    alyx_user: str
    #: Whether PyBpod saw the protocol break off; None where it was not there, as of an old session.
    killed: bool | None = None

    @property
    def folder(self) -> Path:
        """The session's folder."""
        return self.file.parent


def take(session: Any) -> Recorded:
    """Take what is needed of a PyBpod session; belongs to the GUI thread."""
    project = session.project
    return Recorded(
        name=session.name,
        project=project.name,
        file=csv_of(session),
        linked=tuple(_linked(subject) for subject in project.subjects if subject.is_alyx),
        alyx_user=alyx_user(project),
        killed=session.alyx_broken_off,
    )


def csv_of(session: Any) -> Path:
    """Return where a session's CSV is, also while PyBpod has a new name for it that is not saved yet."""
    place = Path(session.path or "", f"{session.name}.csv")  # without a path the project was never saved
    known = [place, *([Path(session.filepath)] if session.filepath else [])]
    return next((file for file in known if file.is_file()), place)


def uuid_of(session: Any) -> str | None:
    """Return PyBpod's identity of a session; of a detached run PyBpod knows it only when the project is opened again.

    Returns: as its CSV has it in one of the first lines; None where it has none.
    """
    if session.uuid4:
        return str(session.uuid4)
    try:
        with csv_of(session).open(encoding="utf-8", errors="replace") as stream:
            heads = [line.rstrip().split(";") for line in itertools.islice(stream, _METADATA_LINES)]
    except OSError:
        return None
    return next((head[1] for head in heads if head[0] == "__UUID4__" and len(head) > 1), None)


def links_of(project: Any) -> tuple[LinkedSubject, ...]:
    """Return the subjects of a PyBpod project that are linked to Alyx.

    Returns: whatever their server; empty where there are none.
    """
    return tuple(_linked(subject).subject for subject in project.subjects if subject.is_alyx)


def alyx_subjects(session: Any, links: tuple[LinkedSubject, ...]) -> tuple[str, ...]:
    """Return the PyBpod names of the Alyx subjects that a session lists.

    Returns: also those of which only the name agrees: a person is asked then. Empty where there is none.
    """
    if not links:
        return ()
    return tuple(one.subject.name for one in which_animal(_listed(session.subjects), links).candidates)


def _listed(texts: Iterable[Any]) -> tuple[SessionSubject, ...]:
    found = []
    for text in texts:
        try:
            name, uuid, *_more = ast.literal_eval(str(text))
        except (ValueError, SyntaxError, TypeError, RecursionError, MemoryError):
            continue
        found.append(SessionSubject(str(name), str(uuid)))
    return tuple(found)


def _linked(subject: Any) -> LinkedAnimal:
    record = subject.alyx
    server = record.get("alyx_server")
    return LinkedAnimal(
        LinkedSubject(subject.name, str(subject.uuid4), str(record["alyx_id"])),
        server if isinstance(server, str) else "",
        record,
    )
