"""Puts a session into the outbox, once, or moves it to another animal, and notes that with it; in a thread. No Qt."""

from __future__ import annotations

import socket
from dataclasses import dataclass, field, replace
from datetime import datetime, timezone
from typing import TYPE_CHECKING, Any, Final

from pybpod_alyx_module.errors import OutboxError, RigError
from pybpod_alyx_module.names.mend import FROM_SETTINGS
from pybpod_alyx_module.outbox.items import Draft, Kind, State
from pybpod_alyx_module.outbox.states import Event, why_not
from pybpod_alyx_module.sessions.alyx_session import make_session_draft, values_for_animal
from pybpod_alyx_module.sessions.earlier_registration import EarlierRegistration, find_item, has_water
from pybpod_alyx_module.sessions.on_rig import Animal
from pybpod_alyx_module.sessions.registration_note import (
    Registration,
    find_registration,
    read_registrations,
    write_registration,
)
from pybpod_alyx_module.sync.servers import same_server

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from decimal import Decimal
    from pathlib import Path

    from pybpod_alyx_module.outbox.items import Item
    from pybpod_alyx_module.outbox.outbox import Outbox
    from pybpod_alyx_module.rig_settings import SessionSettings
    from pybpod_alyx_module.sessions.alyx_session import SessionDraft
    from pybpod_alyx_module.sessions.on_rig import LinkedSubject
    from pybpod_alyx_module.sessions.prepared_session import Choice, PreparedSession


#: What makes or changes a record, and is of the animal that has it.
_MADE_BY: Final = frozenset({Kind.SESSION, Kind.SESSION_UPDATE, Kind.WATER})


#: In the `origin` of a move: the session's folder, and the names that its file has where they are not the animal's.
_FOLDER: Final = "folder"
_LISTED: Final = "listed"
#: What waits and is not on its way.
_CHANGEABLE: Final = frozenset({State.WAITING, State.PARKED})


@dataclass(frozen=True)
class RegistrationRequest:
    """What a person decided about a session, or what needs no decision."""

    prepared: PreparedSession
    choice: Choice
    #: Location, projects, procedures and type as they stand in the dialog.
    settings: SessionSettings
    narrative: str = ""
    #: mL; None or 0: no water is recorded.
    water: Decimal | None = None
    #: Empty: left to Alyx.
    water_type: str = ""
    #: Where the session's folder is now.
    folder: Path | None = None
    #: The names that the rig's settings give, by field of a record: what has them is corrected with them.
    from_settings: Mapping[str, Any] = field(default_factory=dict, hash=False)


@dataclass(frozen=True)
class RegistrationResult:
    """A session that is in the outbox."""

    registration: Registration
    #: PyBpod's identity of the session.
    session_uuid: str | None
    #: What the person should read: a sentence each.
    notes: tuple[str, ...] = ()


def register(request: RegistrationRequest, outbox: Outbox) -> RegistrationResult:
    """Put a session, and its water, into the outbox; where it was registered before, a change of that record.

    Parameters
    ----------
    request : RegistrationRequest
        What was decided.
    outbox : Outbox
        The outbox.

    Returns
    -------
    RegistrationResult
        It is durable. What went wrong after that stands in its notes.

    Raises
    ------
    OutboxError
        It is not in the outbox, or not as it was decided: to do the same again does no harm.
    """
    prepared, choice = request.prepared, request.choice
    session_uuid = prepared.file.uuid
    draft = _session_draft(request)
    earlier = choice.earlier
    items = outbox.items(subject=choice.subject.alyx_id)
    item = find_item(items, choice.server, session_uuid)
    if item is not None:  # also where another window was quicker
        earlier = earlier or EarlierRegistration(item.key, item.rig, None, item.created.isoformat())
        earlier = replace(earlier, item=item, water=earlier.water or has_water(items, item))
    drafts: list[Draft] = []
    if earlier is None:
        drafts.append(_outbox_draft(Kind.SESSION, request, draft, draft.values))
    else:
        earlier, drafts = _update(earlier, request, draft, outbox)
    if request.water and (earlier is None or not earlier.water):
        drafts.append(_water_draft(request, earlier, draft))
    added = outbox.add_all(*drafts)  # session and water at once: a crash leaves none without the other
    if earlier is None:
        earlier = EarlierRegistration(added[0].key, added[0].rig, None, _now(), added[0])
    notes = []
    registration = Registration(
        server=choice.server,
        session_id=earlier.session_id,
        subject_id=choice.subject.alyx_id,
        registered_at=earlier.registered_at or _now(),
        key=earlier.key,
        host=earlier.host or socket.gethostname(),
        subject_name=choice.animal.nickname,
        listed=() if choice.is_listed else prepared.listed,
    )
    try:
        write_registration(request.folder or prepared.recorded.folder, session_uuid, registration)
    except RigError as error:
        notes.append(str(error))
    return RegistrationResult(registration, session_uuid, tuple(notes))


@dataclass(frozen=True)
class MoveRequest:
    """A session that is on Alyx, and the animal that it is of."""

    #: The animal that has it on Alyx, with its `EarlierRegistration`.
    choice: Choice
    animal: LinkedSubject
    #: Ids on Alyx of its water administrations.
    waters: tuple[str, ...]
    #: Weighings that this computer recorded, and that are of the other animal, too.
    weighings: tuple[Item, ...]
    prepared: PreparedSession
    #: Where the session's folder is now.
    folder: Path


def waters_of(items: Sequence[Item], session: Item | None) -> tuple[str, ...]:
    """Return the ids on Alyx of the water that this computer recorded with a session.

    ``items``: all of its animal that the outbox has.
    """
    return tuple(
        item.server_id
        for item in items
        if session is not None and item.kind is Kind.WATER and item.follows == session.key and item.server_id
    )


def weighings_of(items: Sequence[Item], choice: Choice, day: str) -> tuple[Item, ...]:
    """Return the weighings of a day that this computer recorded for an animal and that can go with its session.

    These are on Alyx; where the session still waits, those that wait can, too, but none that waits for a person.

    ``items``: all of the animal that the outbox has.
    ``day``: ISO date.
    """
    states = {State.SENT}
    if choice.earlier is not None and choice.earlier.session_id is None:
        states.add(State.WAITING)
    return tuple(
        item
        for item in items
        if item.kind is Kind.WEIGHING
        and item.state in states
        and same_server(item.server, choice.server)
        and str(item.values["date_time"])[: len(day)] == day
    )


def move_session(request: MoveRequest, outbox: Outbox) -> RegistrationResult:
    """Put into the outbox that a session, its water and weighings are of another animal.

    Returns: it is durable. What went wrong after that stands in its notes.

    Raises OutboxError: nothing of it is in the outbox.
    """
    choice, animal, earlier = request.choice, request.animal, request.choice.earlier
    if earlier is None:
        raise OutboxError("The session is not registered.", hint="Register it for the right animal.")
    old = choice.subject
    new = Animal.of({"id": animal.alyx_id, "nickname": animal.name, **animal.record})
    if earlier.session_id is None:
        _reassign(request, earlier, new, outbox)
    else:
        _move(request, earlier.session_id, new, outbox)
    registration = Registration(
        choice.server,
        earlier.session_id,
        new.id,
        _now(),
        earlier.key,
        earlier.host or socket.gethostname(),
        new.nickname,
        () if choice.on_rig.lists(new.id) else request.prepared.listed,
    )
    notes = []
    uuid = request.prepared.file.uuid
    try:
        write_registration(request.folder, uuid, registration, in_place_of=old.alyx_id)
    except RigError as error:
        notes.append(str(error))
    return RegistrationResult(registration, uuid, tuple(notes))


def why_not_given(earlier: EarlierRegistration) -> str:
    """Say why a session that is not on Alyx yet cannot be given to another animal now; empty if it can."""
    if earlier.item is None:
        return f"The session waits in the outbox of the computer {earlier.host}, and can only be moved there."
    if reason := why_not(earlier.item, Event.EDIT):
        return f"The session cannot be given to another animal now. {reason}"
    return ""


def _reassign(request: MoveRequest, earlier: EarlierRegistration, new: Animal, outbox: Outbox) -> None:
    # nothing of it is on Alyx: it is changed where it waits
    if earlier.item is None:
        raise OutboxError(why_not_given(earlier), hint=f"Move it at {earlier.host}, or when it has been sent.")
    listed = None if request.choice.on_rig.lists(new.id) else request.prepared.listed
    values = values_for_animal(earlier.item.values, request.choice.animal, new, listed)
    weights = {item.key for item in request.weighings}
    outbox.reassign(earlier.item.key, (new.id, new.nickname), values, weights)


def _move(request: MoveRequest, session_id: str, new: Animal, outbox: Outbox) -> None:
    choice, old = request.choice, request.choice.subject
    moved = {"from_id": old.alyx_id, "from_name": choice.animal.nickname}
    sentence = ""
    if not choice.on_rig.lists(new.id):
        sentence = f"The session file names {', '.join(request.prepared.listed) or 'no animal'}."

    # where the note is that has to be put back where the move is given up
    origin: dict[str, Any] = {"session_uuid": request.prepared.file.uuid, _FOLDER: str(request.folder)}
    if not choice.is_listed:
        origin[_LISTED] = list(request.prepared.listed)

    def draft(kind: Kind, record: str, **more: Any) -> Draft:
        follows = 0 if kind is Kind.WATER_MOVE else None
        values = {"id": record, **moved, **more}
        whence = origin if kind is Kind.SESSION_MOVE else {}
        return Draft(kind, choice.server, choice.username, new.id, new.nickname, values, follows, origin=whence)

    def note(animal_id: str, nickname: str) -> Draft:
        told = {"text": _audit_text(request, session_id, new.nickname)}
        return Draft(Kind.NOTE, choice.server, choice.username, animal_id, nickname, told, 0)

    items = outbox.items(subject=old.alyx_id)
    made = {session_id, *request.waters}
    sent = [item for item in items if item.server_id in made and item.state is State.SENT and item.kind in _MADE_BY]
    outbox.give(
        (new.id, new.nickname),
        [
            draft(Kind.SESSION_MOVE, session_id, sentence=sentence, lab=new.lab),
            *(draft(Kind.WATER_MOVE, water) for water in request.waters),
            note(old.alyx_id, choice.animal.nickname),
            note(new.id, new.nickname),
        ],
        {**{item.key: Event.GIVE for item in sent}, **{item.key: Event.REMAKE for item in request.weighings}},
    )


def put_note_back(move: Item) -> None:
    """Note beside a session that it is of the animal that has it on Alyx: its move was given up.

    RigError where that cannot be noted.
    """
    folder, uuid = move.origin.get(_FOLDER), move.origin.get("session_uuid")
    if folder is None:
        return
    noted = find_registration(read_registrations(folder, uuid), move.server, move.subject_id)
    if noted is None or noted.session_id != move.values["id"]:
        return  # the session was renamed since, or registered for that animal as well
    old, name, listed = move.values["from_id"], move.values["from_name"], tuple(move.origin.get(_LISTED, ()))
    before = replace(noted, subject_id=old, subject_name=name, listed=listed)
    write_registration(folder, uuid, before, in_place_of=move.subject_id)


def _audit_text(request: MoveRequest, session_id: str, nickname: str) -> str:
    # what stands on the pages of both animals; who moved it stands beside it there
    file, weights = request.prepared.file, len(request.weighings)
    goes = [
        *(["its water"] if request.waters else []),
        *([f"{weights} weight{'' if weights == 1 else 's'}"] if weights else []),
    ]
    with_it = f" with {' and '.join(goes)}" if goes else ""
    moved = f"moved{with_it} from {request.choice.animal.nickname} to {nickname}"
    return f"Session of {file.started:%Y-%m-%d %H:%M} ({file.protocol}) {moved}. Its id on Alyx: {session_id}."


def _session_draft(request: RegistrationRequest) -> SessionDraft:
    choice = request.choice
    return make_session_draft(
        request.prepared.file,
        choice.animal,
        choice.username,
        request.settings,
        host=socket.gethostname(),
        lab_timezone=choice.lab_timezone,
        narrative=request.narrative,
        run=request.prepared.run,
        listed=None if choice.is_listed else request.prepared.listed,
    )


def _update(
    earlier: EarlierRegistration, request: RegistrationRequest, draft: SessionDraft, outbox: Outbox
) -> tuple[EarlierRegistration, list[Draft]]:
    # what waits is changed where it waits; else the draft of the change
    item = earlier.item
    if item is not None and item.state in _CHANGEABLE and item.server_id is None:
        try:
            return replace(earlier, item=outbox.edit(item.key, _with_number(draft.values, item))), []
        except OutboxError:
            item = outbox.item(item.key)  # it went off meanwhile
            if item.state in _CHANGEABLE:
                raise
    if item is not None and item.state is State.SENT:
        earlier = replace(earlier, session_id=item.server_id)
    if item is None and earlier.session_id is None:
        raise OutboxError(
            f"The session waits in the outbox of the computer {earlier.host}, and can only be changed there.",
            hint=f"Change it at {earlier.host}, or wait until it has been sent from there.",
        )
    current = earlier.record.get("json") if earlier.record is not None else None
    values = draft.update_values(current, earlier.key)
    if earlier.session_id is not None:
        values["id"] = earlier.session_id
    follows = earlier.key if earlier.session_id is None else None
    return earlier, [_outbox_draft(Kind.SESSION_UPDATE, request, draft, values, follows=follows)]


def _with_number(values: Mapping[str, Any], item: Item) -> dict[str, Any]:
    # what a person typed in the outbox's own window, for example the number, stays
    return {**item.values, **{name: value for name, value in values.items() if name not in {"number", "users"}}}


def _water_draft(request: RegistrationRequest, earlier: EarlierRegistration | None, draft: SessionDraft) -> Draft:
    # of a session that is added with it, of one in the outbox, or of one that is on Alyx
    values = draft.water_values(request.water, request.water_type) if request.water else {}
    if not request.water_type:
        values.pop("water_type", None)
    follows: str | int | None = 0
    if earlier is not None:
        follows = earlier.key if earlier.item is not None else None
    if earlier is not None and follows is None:
        values["session"] = earlier.session_id
    return _outbox_draft(Kind.WATER, request, draft, values, follows=follows)


def _outbox_draft(
    kind: Kind,
    request: RegistrationRequest,
    draft: SessionDraft,
    values: Mapping[str, Any],
    *,
    follows: str | int | None = None,
) -> Draft:
    choice = request.choice
    given = {name: value for name, value in request.from_settings.items() if values.get(name) == value}
    return Draft(
        kind=kind,
        server=choice.server,
        username=choice.username,
        subject_id=draft.subject_id,
        subject_name=draft.subject_name,
        values=dict(values),
        follows=follows,
        origin={**draft.origin, **({FROM_SETTINGS: given} if given else {})},
    )


def _now() -> str:
    return datetime.now(timezone.utc).isoformat(timespec="seconds")
