"""What an item is made, and refused, by what is in the outbox already."""

from __future__ import annotations

import json
from dataclasses import replace
from typing import TYPE_CHECKING

from pybpod_alyx_module.errors import OutboxError
from pybpod_alyx_module.outbox.drafts import exact_time
from pybpod_alyx_module.outbox.item_rows import SELECT, item_of_row, moment_of
from pybpod_alyx_module.outbox.items import Kind, State, WaitsFor

if TYPE_CHECKING:
    import sqlite3

    from pybpod_alyx_module.outbox.items import Item


def with_own_time(connection: sqlite3.Connection, item: Item) -> Item:
    """Give an item's time microseconds that no other item of its server has."""
    moment = item.values.get("date_time")
    if moment is None:
        return item
    turn = 0
    while True:
        exact = exact_time(moment, item.key, turn)
        taken = connection.execute(
            "SELECT 1 FROM items WHERE server = ? AND moment = ? AND key <> ?",
            (item.server, moment_of(exact), item.key),
        ).fetchone()
        if taken is None:
            return replace(item, values={**item.values, "date_time": exact})
        turn += 1


def with_login(connection: sqlite3.Connection, item: Item) -> Item:
    """Have an item say that it waits for a login where others of its account do."""
    if item.state is not State.WAITING or item.waits_for is not WaitsFor.NOTHING or item.misplaced is not None:
        return item
    locked = connection.execute(
        "SELECT reason, hint FROM items WHERE server = ? AND username = ? AND waits_for = 'login' "
        "AND state IN ('waiting', 'unsure') AND key <> ? ORDER BY number DESC LIMIT 1",
        (*item.account, item.key),
    ).fetchone()
    if locked is None:
        return item
    return replace(item, reason=locked["reason"], hint=locked["hint"], waits_for=WaitsFor.LOGIN)


def check_once(connection: sqlite3.Connection, item: Item) -> None:
    """Raise OutboxError where another window registered the same session a moment ago."""
    session = item.origin.get("session_uuid")
    if session is None or (item.kind is not Kind.SESSION and (item.kind is not Kind.WATER or item.follows is None)):
        return
    rows = connection.execute(
        "SELECT origin FROM items WHERE kind = ? AND server = ? AND subject_id = ? AND follows IS ? "
        "AND state <> 'discarded'",
        (item.kind.value, item.server, item.subject_id, item.follows),
    )
    if any(json.loads(row["origin"]).get("session_uuid") == session for row in rows):
        what = "This session" if item.kind is Kind.SESSION else "The water of this session"
        raise OutboxError(
            f"{what} of {item.subject_name} is already in the outbox.",
            hint="Look at it in the Alyx outbox.",
        )


def check_follows(connection: sqlite3.Connection, item: Item) -> None:
    """Raise OutboxError where an item cannot follow the one that it names."""
    if item.follows is None:
        return
    if item.kind is Kind.SESSION:
        raise OutboxError("A session cannot follow another item.", hint="Record it on its own.")
    row = connection.execute(f"{SELECT} WHERE key = ?", (item.follows,)).fetchone()
    if row is None:
        raise OutboxError(f"The outbox has no item {item.follows}.", hint="Record it on its own.")
    first = item_of_row(row)
    is_of_both = item.kind is Kind.NOTE and first.kind is Kind.SESSION_MOVE
    if first.kind not in {Kind.SESSION, Kind.SESSION_MOVE} or (first.animal != item.animal and not is_of_both):
        raise OutboxError(
            f"The {item.kind.value} of {item.subject_name} cannot follow {item.follows}, "
            "which is not a session of this subject.",
            hint="Record it for the subject of the session.",
        )
