"""Which delivery brings an item to its server."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pybpod_alyx_module.outbox.delivery.change import Change, Move
from pybpod_alyx_module.outbox.delivery.new_record import NewRecord
from pybpod_alyx_module.outbox.delivery.note import Note
from pybpod_alyx_module.outbox.items import MOVES, Kind

if TYPE_CHECKING:
    from alyx_connector import AlyxClient
    from alyx_connector.progress import CancelToken
    from pybpod_alyx_module.outbox.items import Item


def delivery_of(client: AlyxClient, item: Item, session_id: str | None, cancel: CancelToken) -> NewRecord | Change:
    """Return what brings an item to its server; for the arguments see `ItemOnServer`."""
    if item.kind in MOVES:
        return Move(client, item, session_id, cancel)
    if item.kind is Kind.SESSION_UPDATE:
        return Change(client, item, session_id, cancel)
    if item.kind is Kind.NOTE:
        return Note(client, item, session_id, cancel)
    return NewRecord(client, item, session_id, cancel)


def is_client_of(client: AlyxClient, item: Item) -> bool:
    """Tell whether a client is of the item's user and server, which may have sent it from http to https."""
    return client.username == item.username and client.url in {item.server, item.server.replace("http:", "https:", 1)}
