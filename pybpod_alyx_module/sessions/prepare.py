"""What registering a session does in a thread: reads its file, and asks Alyx for what must be known before. No Qt."""

from __future__ import annotations

import socket
import threading
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any, Final, cast
from uuid import UUID

from alyx_connector.accounts import Accounts
from alyx_connector.address import parse_address
from alyx_connector.errors import AlyxError, CredentialsError, NotFoundError, TransportError
from alyx_connector.progress import Cancelled, CancelToken
from pybpod_alyx_module.animals.water import default_water_type
from pybpod_alyx_module.lab_time import lab_span, lab_zone, last_zone, remember_zones
from pybpod_alyx_module.outbox.items import Kind, State
from pybpod_alyx_module.sessions.alyx_session import FIND_BY_UUID, OURS, OUTBOX_KEY
from pybpod_alyx_module.sessions.on_rig import Animal, OnRig, which_animal
from pybpod_alyx_module.sessions.registration_note import find_registration, read_registrations
from pybpod_alyx_module.sessions.session_csv import read_run_settings, read_session_file
from pybpod_alyx_module.sync.servers import same_server

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping, Sequence

    from alyx_connector.http.client import AlyxClient
    from pybpod_alyx_module.outbox.items import Item
    from pybpod_alyx_module.outbox.outbox import Outbox
    from pybpod_alyx_module.sessions.on_rig import LinkedSubject
    from pybpod_alyx_module.sessions.pybpod_session import LinkedAnimal, Recorded
    from pybpod_alyx_module.sessions.registration_note import Registration
    from pybpod_alyx_module.sessions.session_csv import RunSettings, SessionFile

#: How long the server may take for all that is asked about a session, in seconds.
PATIENCE_S: Final = 10.0

#: What stands for a session whose registration was given up in the outbox.
_GONE: Final = State.DISCARDED


@dataclass(frozen=True)
class Known:
    """An earlier registration of the session, for one animal."""

    key: str
    #: The computer whose outbox has or had it.
    host: str
    #: Id on Alyx; None while it waits.
    session_id: str | None
    registered_at: str
    #: The outbox's item, where this computer's outbox has it.
    item: Item | None = None
    #: The record on Alyx; None where it could not be asked.
    record: Mapping[str, Any] | None = field(default=None, hash=False)
    #: Whether water went with it, or may have: an item of the outbox, or a record on Alyx.
    water: bool = False

    @property
    def waits_elsewhere(self) -> bool:
        """Whether it waits in the outbox of another computer."""
        return self.session_id is None and self.item is None


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
    #: As the lab has it on Alyx, or had it when that was last asked; None where it was never told.
    lab_timezone: str | None = None
    #: Sessions of that lab day; None where they could not be asked.
    same_day: tuple[Mapping[str, Any], ...] | None = field(default=None, hash=False)
    allowed_users: tuple[str, ...] | None = None
    water_types: tuple[str, ...] = ()
    #: The type to start with; empty where none is known.
    water_type: str = ""
    known: Known | None = None
    #: What could not be checked, and why: a sentence each.
    not_checked: tuple[str, ...] = ()


@dataclass(frozen=True)
class Prepared:
    """A session, ready to be asked about."""

    recorded: Recorded
    file: SessionFile
    run: RunSettings
    choices: tuple[Choice, ...]
    #: Whether Alyx was asked yet.
    asked: bool = False

    @property
    def default(self) -> Choice | None:
        """The animal that certainly was on the rig, or that the session was registered for; None: a person says."""
        known = [choice for choice in self.choices if choice.known is not None]
        if len(known) == 1:
            return known[0]
        if len(self.choices) != 1:
            return None
        (only,) = self.choices
        return only if only.on_rig.default is not None else None


class Desk:
    """Asks the servers what must be known before a session is registered: the same thing once.

    ``client``: ``client(server, username)`` gives a connected client, or raises an `AlyxError`.
    ``account_for``: ``account_for(server, alyx_user)`` says as whom something is written to a server.
    """

    def __init__(self, client: Callable[[str, str], AlyxClient], account_for: Callable[[str, str], str]) -> None:
        self._client = client
        self._account_for = account_for
        self._answers: dict[tuple[Any, ...], Any] = {}
        self._down: dict[str, str] = {}

    def read(self, recorded: Recorded, outbox: Outbox) -> Prepared:
        """Read what this computer knows of a session.

        Parameters
        ----------
        recorded : Recorded
            The session.
        outbox : Outbox
            May have it already.

        Returns
        -------
        Prepared
            Its choices tell that Alyx was not asked.

        Raises
        ------
        AlyxError
            The session cannot be read, or whether it was registered is not known.
        """
        file = read_session_file(recorded.file)
        found = read_registrations(recorded.folder, file.uuid)
        choices = []
        for server, links in _by_server(recorded.linked):
            on_rig = which_animal(file.subjects, [link.subject for link in links])
            records = {link.subject.alyx_id: link.record for link in links}
            for candidate in on_rig.candidates:
                subject = candidate.subject
                animal = Animal.of(records[subject.alyx_id])
                known = _known(find_registration(found, server, subject.alyx_id), outbox, server, subject, file)
                choices.append(
                    Choice(
                        server,
                        self._account_for(server, recorded.alyx_user) if server else "",
                        subject,
                        on_rig,
                        animal,
                        lab_timezone=last_zone(server, animal.lab),
                        known=known,
                    )
                )
        return Prepared(recorded, file, read_run_settings(recorded.folder), tuple(choices))

    def ask(self, prepared: Prepared, cancel: CancelToken) -> Prepared:
        """Ask Alyx about each animal of a session.

        Parameters
        ----------
        prepared : Prepared
            What `read` returned.
        cancel : CancelToken
            Stops it.

        Returns
        -------
        Prepared
            What could not be asked stands in ``not_checked``.

        Raises
        ------
        Cancelled
            If cancelled.
        """
        with _within(cancel, PATIENCE_S) as stop:
            choices = tuple(self._asked(choice, prepared.file, stop) for choice in prepared.choices)
        cancel.raise_if_cancelled()
        return replace(prepared, choices=choices, asked=True)

    def _asked(self, choice: Choice, file: SessionFile, stop: CancelToken) -> Choice:
        asking = _Asking(self, choice, stop)
        rows = asking.rows("The animal", "subjects", f"pk,{choice.subject.alyx_id}")
        animal = choice.animal
        if rows:
            animal = Animal.of(rows[0])
        elif rows is not None:
            asking.notes.append(f"{choice.server} has no such animal as {animal.nickname}, or does not show it.")
        zone = asking.zone(animal.lab)
        start, _end = lab_span(file.started, file.end, lab_zone(zone), None)
        days = f"subject__pk,{choice.subject.alyx_id},start_time__date,{start.date()}"
        day = asking.rows("Other sessions of that day", "sessions", days)
        known = asking.known(choice.known, file, animal)
        allowed = asking.allowed_users(animal.responsible_user) if animal.responsible_user != choice.username else ()
        restrictions = asking.rows("The type of water", "water-restriction", f"subject__pk,{choice.subject.alyx_id}")
        types = asking.all_rows("The type of water", "water-type")
        names = tuple(str(row["name"]) for row in types or () if row.get("name"))
        running = [row for row in restrictions or () if row.get("end_time") is None]
        own = str(max(running, key=lambda row: str(row.get("start_time")))["water_type"]) if running else None
        return replace(
            choice,
            animal=animal,
            lab_timezone=zone,
            same_day=None if day is None else tuple(day),
            allowed_users=allowed,
            water_types=names,
            water_type=default_water_type(own, names),
            known=known,
            not_checked=tuple(dict.fromkeys(asking.notes)),
        )


class _Asking:
    # one animal; what fails is noted, and a server that is down is not asked further

    def __init__(self, desk: Desk, choice: Choice, stop: CancelToken) -> None:
        self._desk = desk
        self._server = choice.server
        self._account = choice.server, choice.username
        self._stop = stop
        self.notes: list[str] = []

    def rows(self, what: str, endpoint: str, django: str | None) -> Sequence[Mapping[str, Any]] | None:
        return cast("Sequence[Mapping[str, Any]] | None", self._ask(what, endpoint, django))

    def all_rows(self, what: str, endpoint: str) -> Sequence[Mapping[str, Any]] | None:
        return self.rows(what, endpoint, None)

    def zone(self, lab: str | None) -> str | None:
        # None: neither told now nor ever before
        labs = self.all_rows("The lab's time zone", "labs") if lab else None
        if labs is None:
            return last_zone(self._server, lab)
        zones = {str(row.get("name")): str(row.get("timezone") or "") for row in labs}
        remember_zones(self._server, zones)
        return zones.get(str(lab), "")

    def allowed_users(self, owner: str | None) -> tuple[str, ...] | None:
        if owner is None:
            return None
        user = self._ask("Whom the responsible user allows", ("users", owner), None)
        return tuple(str(name) for name in user.get("allowed_users") or ()) if isinstance(user, dict) else None

    def known(self, known: Known | None, file: SessionFile, animal: Animal) -> Known | None:
        session_id = known.session_id if known is not None else None
        if session_id is None and _is_uuid(file.uuid) and (known is None or known.item is None):
            where = f"{FIND_BY_UUID},{file.uuid},subject__pk,{animal.id}"
            found = self.rows("Whether this session is there already", "sessions", where)
            session_id = str(found[0]["id"]) if found else None
        if session_id is None:
            return known
        record = self._ask("The session as it is on Alyx", ("sessions", session_id), None)
        if record is _MISSING:
            self.notes.append(
                f"The session was registered on {self._server} ({session_id}), but is not there any more: it was "
                "deleted, or is not shown."
            )
            return known
        if not isinstance(record, dict):
            return replace(known, session_id=session_id) if known is not None else None
        free = record.get("json")
        ours = free.get(OURS) if isinstance(free, dict) else None
        found_key = ours.get(OUTBOX_KEY) if isinstance(ours, dict) else None
        base = known or Known(str(found_key or file.uuid), str((ours or {}).get("host") or ""), session_id, "")
        # What the outbox says holds; a note of the registration alone knows nothing of the water.
        water = (base.item is not None and base.water) or bool(record.get("wateradmin_session_related"))
        return replace(base, session_id=session_id, record=record, water=water)

    def _ask(self, what: str, endpoint: str | tuple[str, ...], django: str | None) -> Any:
        desk, question = self._desk, (*self._account, endpoint, django)
        if question in desk._answers:
            return desk._answers[question]
        if self._server in desk._down:
            self.notes.append(desk._down[self._server])
            return None
        try:
            client = desk._client(*self._account)
            if isinstance(endpoint, tuple):
                answer = client.get(endpoint, cancel=self._stop)
            else:
                answer = client.list(endpoint, {"django": django} if django else None, cancel=self._stop)
        except Cancelled:
            self._note_down(f"{self._server} did not answer within {PATIENCE_S:g} s: nothing could be checked there.")
            return None
        except NotFoundError:
            return _MISSING if isinstance(endpoint, tuple) else None
        except (TransportError, CredentialsError) as error:
            self._note_down(f"Nothing could be checked on Alyx. {error}")
            return None
        except AlyxError as error:
            self.notes.append(f"{what} could not be asked. {error}")
            return None
        desk._answers[question] = answer
        return answer

    def _note_down(self, sentence: str) -> None:
        self._desk._down[self._server] = sentence
        self.notes.append(sentence)


#: Told apart from None, which is "could not be asked".
_MISSING: Final = object()


def find_item(outbox: Outbox, server: str, subject_id: str, session_uuid: str | None) -> Item | None:
    """Find the item of a session in the outbox.

    Returns: the newest that was not given up; None where there is none.
    ``session_uuid``: PyBpod's identity of the session.
    """
    if session_uuid is None:
        return None
    found = [
        item
        for item in outbox.items(subject=subject_id)
        if item.kind is Kind.SESSION
        and item.origin.get("session_uuid") == session_uuid
        and same_server(item.server, server)
        and item.state is not _GONE
    ]
    return found[-1] if found else None


def has_water(outbox: Outbox, session: Item) -> bool:
    """Tell whether water went into the outbox with a session."""
    return any(
        one.kind is Kind.WATER and one.follows == session.key and one.state is not _GONE
        for one in outbox.items(subject=session.subject_id)
    )


def _known(
    registration: Registration | None, outbox: Outbox, server: str, subject: LinkedSubject, file: SessionFile
) -> Known | None:
    item = find_item(outbox, server, subject.alyx_id, file.uuid)
    if item is None and registration is not None:
        item = next((one for one in outbox.items(subject=subject.alyx_id) if one.key == registration.key), None)
    if item is not None and item.state is _GONE:
        return None  # somebody gave it up: it may be registered anew
    if item is not None:
        water = has_water(outbox, item)
        sent = item.server_id if item.state is State.SENT else None
        return Known(item.key, item.rig, sent, item.created.isoformat(), item, water=water)
    if registration is None:
        return None
    if registration.session_id is None and registration.host == socket.gethostname():
        return None  # the outbox of this computer does not have it (any more): it never reached Alyx from here
    # Until its record is seen, its water may be there: it must not be given twice.
    return Known(registration.key, registration.host, registration.session_id, registration.registered_at, water=True)


def _by_server(linked: Sequence[LinkedAnimal]) -> Iterator[tuple[str, list[LinkedAnimal]]]:
    fallback = ""
    if any(not animal.server for animal in linked):
        last = Accounts().last_used()
        fallback = last.url if last is not None else ""
    groups: dict[str, list[LinkedAnimal]] = {}
    for animal in linked:
        server = _plain(animal.server or fallback)
        place = next((one for one in groups if same_server(one, server)), server)
        groups.setdefault(place, []).append(animal)
    yield from groups.items()


def _plain(server: str) -> str:
    try:
        return parse_address(server).url if server else ""
    except AlyxError:
        return server


def _is_uuid(text: str | None) -> bool:
    try:
        return text is not None and str(UUID(text)) == text
    except ValueError:
        return False


@contextmanager
def _within(cancel: CancelToken, seconds: float) -> Iterator[CancelToken]:
    stop = CancelToken(parent=cancel)
    timer = threading.Timer(seconds, stop.cancel)
    timer.daemon = True
    timer.start()
    try:
        yield stop
    finally:
        timer.cancel()
        stop.detach()
