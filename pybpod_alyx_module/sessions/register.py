"""Puts a session into the outbox, once, and remembers that with the PyBpod session; in a thread. No Qt."""

from __future__ import annotations

import socket
from dataclasses import dataclass, replace
from datetime import datetime, timezone
from typing import TYPE_CHECKING, Any

from pybpod_alyx_module.errors import OutboxError, RigError
from pybpod_alyx_module.outbox.items import Draft, Kind, State
from pybpod_alyx_module.sessions.alyx_session import make_record
from pybpod_alyx_module.sessions.prepare import Known, find_item, has_water
from pybpod_alyx_module.sessions.registration_note import Registration, remember

if TYPE_CHECKING:
    from collections.abc import Mapping
    from decimal import Decimal
    from pathlib import Path

    from pybpod_alyx_module.outbox.items import Item
    from pybpod_alyx_module.outbox.outbox import Outbox
    from pybpod_alyx_module.rig_settings import SessionSettings
    from pybpod_alyx_module.sessions.alyx_session import SessionDraft
    from pybpod_alyx_module.sessions.prepare import Choice, Prepared


@dataclass(frozen=True)
class Order:
    """What a person decided about a session, or what needs no decision."""

    prepared: Prepared
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


@dataclass(frozen=True)
class Done:
    """A session that is in the outbox."""

    registration: Registration
    #: Whether an earlier registration was changed.
    updated: bool
    #: What must be told: a sentence each.
    notes: tuple[str, ...] = ()


def draft_of(order: Order) -> SessionDraft:
    """Make the Alyx session of an order."""
    prepared, choice = order.prepared, order.choice
    return make_record(
        prepared.file,
        choice.animal,
        choice.username,
        order.settings,
        host=socket.gethostname(),
        lab_timezone=choice.lab_timezone,
        narrative=order.narrative,
        run=prepared.run,
    )


def register(order: Order, outbox: Outbox) -> Done:
    """Put a session, and its water, into the outbox; where it was registered before, a change of that record.

    Parameters
    ----------
    order : Order
        What was decided.
    outbox : Outbox
        The outbox.

    Returns
    -------
    Done
        It is durable. What went wrong after that stands in its notes.

    Raises
    ------
    OutboxError
        It is not in the outbox, or not as it was ordered: to do the same again does no harm.
    """
    prepared, choice = order.prepared, order.choice
    draft = draft_of(order)
    known = choice.known
    item = find_item(outbox, choice.server, choice.subject.alyx_id, prepared.file.uuid)
    if item is not None:  # also where another window was quicker
        known = known or Known(item.key, item.rig, None, item.created.isoformat())
        known = replace(known, item=item, water=known.water or has_water(outbox, item))
    drafts: list[Draft] = []
    updated = known is not None
    if known is None:
        drafts.append(_draft(Kind.SESSION, choice, draft, draft.values))
    else:
        known, drafts = _update(known, choice, draft, outbox)
    if order.water and (known is None or not known.water):
        drafts.append(_water(order, known, draft))
    items = outbox.add_all(*drafts)  # session and water at once: a crash leaves none without the other
    if known is None:
        known = Known(items[0].key, items[0].rig, None, _now(), items[0])
    notes = []
    registration = Registration(
        server=choice.server,
        session_id=known.session_id,
        subject_id=choice.subject.alyx_id,
        registered_at=known.registered_at or _now(),
        key=known.key,
        host=known.host or socket.gethostname(),
    )
    try:
        remember(order.folder or prepared.recorded.folder, prepared.file.uuid, registration)
    except RigError as error:
        notes.append(str(error))
    return Done(registration, updated, tuple(notes))


def _update(known: Known, choice: Choice, draft: SessionDraft, outbox: Outbox) -> tuple[Known, list[Draft]]:
    # what waits is changed where it waits; else the draft of the change
    item = known.item
    if item is not None and item.state in {State.WAITING, State.PARKED} and item.server_id is None:
        try:
            return replace(known, item=outbox.edit(item.key, _kept(draft.values, item))), []
        except OutboxError:
            item = outbox.item(item.key)  # it went off meanwhile
            if item.state in {State.WAITING, State.PARKED}:
                raise
    if item is not None and item.state is State.SENT:
        known = replace(known, session_id=item.server_id)
    if item is None and known.session_id is None:
        raise OutboxError(
            f"The session waits in the outbox of {known.host}, and can only be changed there.",
            hint=f"Go to {known.host}; or wait until it was sent from there.",
        )
    current = known.record.get("json") if known.record is not None else None
    values = draft.update_values(current, known.key)
    if known.session_id is not None:
        values["id"] = known.session_id
    follows = known.key if known.session_id is None else None
    return known, [_draft(Kind.SESSION_UPDATE, choice, draft, values, follows=follows)]


def _kept(values: Mapping[str, Any], item: Item) -> dict[str, Any]:
    # what a person typed in the outbox's own window, as the number, stays
    return {**item.values, **{name: value for name, value in values.items() if name not in {"number", "users"}}}


def _water(order: Order, known: Known | None, draft: SessionDraft) -> Draft:
    # of a session that is added with it, of one in the outbox, or of one that is on Alyx
    values = draft.water_values(order.water, order.water_type) if order.water else {}
    if not order.water_type:
        values.pop("water_type", None)
    follows: str | int | None = 0
    if known is not None:
        follows = known.key if known.item is not None else None
    if known is not None and follows is None:
        values["session"] = known.session_id
    return _draft(Kind.WATER, order.choice, draft, values, follows=follows)


def _draft(
    kind: Kind, choice: Choice, draft: SessionDraft, values: Mapping[str, Any], *, follows: str | int | None = None
) -> Draft:
    return Draft(
        kind=kind,
        server=choice.server,
        username=choice.username,
        subject_id=draft.subject_id,
        subject_name=draft.subject_name,
        values=dict(values),
        follows=follows,
        origin=dict(draft.origin),
    )


def _now() -> str:
    return datetime.now(timezone.utc).isoformat(timespec="seconds")
