"""An item as a row of the table, and back. Pure."""

from __future__ import annotations

import json
from datetime import datetime, timezone
from typing import TYPE_CHECKING, Any

from pybpod_alyx_module.outbox.items import Item, Kind, State, WaitsFor

if TYPE_CHECKING:
    import sqlite3

#: Columns that hold a field of an item as it is.
_PLAIN = (
    *("number", "key", "server", "username", "subject_id", "subject_name", "follows", "rig", "reason", "hint"),
    *("attempts", "faults", "server_id", "misplaced", "revision"),
)
_COLUMNS = (*_PLAIN, "kind", "state", "waits_for", "values", "origin", "created", "sent_at", "sent_as")
#: Asks for rows that `item_of_row` takes.
SELECT = "SELECT " + ", ".join(f'"{name}"' for name in _COLUMNS) + " FROM items"  # noqa: S608 - our own words


def row_of_item(item: Item) -> dict[str, Any]:
    """Return the row of an item, by column; ``moment`` is its time once more, see `moment_of`."""
    return {
        **{name: getattr(item, name) for name in _PLAIN},
        "kind": item.kind.value,
        "state": item.state.value,
        "waits_for": item.waits_for.value,
        "values": json.dumps(item.values),
        "origin": json.dumps(item.origin),
        "created": item.created.isoformat(),
        "sent_at": item.sent_at and item.sent_at.isoformat(),
        "sent_as": json.dumps(item.sent_as),
        "moment": moment_of(item.values.get("date_time")),
    }


def moment_of(time: str | None) -> str | None:
    """Return a time as the column has it that no two items may have alike: in UTC if it has an offset."""
    if time is None:
        return None
    moment = datetime.fromisoformat(time)
    return time if moment.tzinfo is None else moment.astimezone(timezone.utc).isoformat()


def item_of_row(row: sqlite3.Row) -> Item:
    """Return the item of a row."""
    fields = dict(row)
    fields.update(
        kind=Kind(row["kind"]),
        state=State(row["state"]),
        waits_for=WaitsFor(row["waits_for"]),
        values=json.loads(row["values"]),
        origin=json.loads(row["origin"]),
        created=datetime.fromisoformat(row["created"]),
        sent_at=row["sent_at"] and datetime.fromisoformat(row["sent_at"]),
        sent_as=tuple(json.loads(row["sent_as"])),
    )
    return Item(**fields)
