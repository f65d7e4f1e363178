"""Whether a session was registered before: as the outbox of this computer and the note in its folder say."""

from __future__ import annotations

import socket
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Final

from pybpod_alyx_module.outbox.items import Kind, State
from pybpod_alyx_module.sync.servers import same_server

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from pybpod_alyx_module.outbox.items import Item
    from pybpod_alyx_module.sessions.registration_note import Registration

#: State of an item that a person gave up: its session may be registered anew.
_GIVEN_UP: Final = State.DISCARDED


@dataclass(frozen=True)
class EarlierRegistration:
    """An earlier registration of the session, for one animal."""

    key: str
    #: The computer whose outbox has or had it.
    host: str
    #: Id on Alyx; None while it waits.
    session_id: str | None
    registered_at: str
    #: The outbox's item, where this computer's outbox has it.
    item: Item | None = None
    #: The record on Alyx; None where Alyx did not answer.
    record: Mapping[str, Any] | None = field(default=None, hash=False)
    #: Whether water went with it, or may have: an item of the outbox, or a record on Alyx.
    water: bool = False

    @property
    def waits_elsewhere(self) -> bool:
        """Whether it waits in the outbox of another computer."""
        return self.session_id is None and self.item is None


def find_item(items: Sequence[Item], server: str, session_uuid: str | None) -> Item | None:
    """Find the item of a session.

    Returns: the newest that was not given up; None where there is none.
    ``items``: all of its animal that the outbox has, in order.
    ``session_uuid``: PyBpod's identity of the session.
    """
    if session_uuid is None:
        return None
    found = [
        item
        for item in items
        if item.kind is Kind.SESSION
        and item.origin.get("session_uuid") == session_uuid
        and same_server(item.server, server)
        and item.state is not _GIVEN_UP
    ]
    return found[-1] if found else None


def has_water(items: Sequence[Item], session: Item) -> bool:
    """Tell whether water went into the outbox with a session."""
    return any(
        item.kind is Kind.WATER and item.follows == session.key and item.state is not _GIVEN_UP for item in items
    )


def find_earlier_registration(
    items: Sequence[Item], note: Registration | None, server: str, session_uuid: str | None
) -> EarlierRegistration | None:
    """Find the earlier registration of a session for an animal; None where it may be registered anew.

    ``items``: all of the animal that the outbox has, in order.
    ``note``: what the session's folder says of this animal and server.
    ``session_uuid``: PyBpod's identity of the session.
    """
    item = find_item(items, server, session_uuid)
    if item is None and note is not None:
        item = next((one for one in items if one.key == note.key), None)
    if item is not None and item.state is _GIVEN_UP:
        return None
    if item is not None:
        sent = item.server_id if item.state is State.SENT else None
        return EarlierRegistration(
            item.key, item.rig, sent, item.created.isoformat(), item, water=has_water(items, item)
        )
    if note is None:
        return None
    if note.session_id is None and note.host == socket.gethostname():
        return None  # the outbox of this computer does not have it (any more): it never reached Alyx from here
    # Until its record is seen, its water may be there: it must not be given twice.
    return EarlierRegistration(note.key, note.host, note.session_id, note.registered_at, water=True)
