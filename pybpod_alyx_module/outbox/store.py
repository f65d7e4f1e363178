"""The table of items: durable, and safe with several programs at once."""

from __future__ import annotations

import json
import os
import threading
from contextlib import contextmanager
from dataclasses import replace
from datetime import datetime
from typing import TYPE_CHECKING, Any

from pybpod_alyx_module.errors import OutboxError
from pybpod_alyx_module.outbox.drafts import exact_time
from pybpod_alyx_module.outbox.items import Counts, Item, Kind, State, WaitsFor
from pybpod_alyx_module.outbox.sqlite_file import Watch, open_file, told

if TYPE_CHECKING:
    import sqlite3
    from collections.abc import Callable, Iterable, Iterator, Sequence
    from pathlib import Path

_COLUMNS = (
    'number, key, kind, server, username, subject_id, subject_name, "values", follows, created, rig, origin, state, '
    "reason, hint, waits_for, attempts, faults, server_id, sent_at, misplaced, revision"
)
_SELECT = f"SELECT {_COLUMNS} FROM items"  # noqa: S608 - our own words


class Store:
    """Reads and writes the items of one file; may be used by several threads."""

    def __init__(self, path: Path) -> None:
        #: The file.
        self.path = path
        #: What the user must be told about the file.
        self.notes: list[str] = []
        self._lock = threading.RLock()
        self._writer: sqlite3.Connection | None = None
        self._inode = 0
        with self._lock:
            self._reopen()

    def close(self) -> None:
        """Close the file; it is opened again when it is needed."""
        with self._lock:
            if self._writer is not None:
                self._writer.close()
            self._writer = None

    def add(self, *items: Item) -> tuple[Item, ...]:
        """Keep new items, all of them or none; they are on the disk when this returns."""
        with self._writing() as connection:
            return tuple(self._added(connection, item) for item in items)

    def change(self, key: str, edit: Callable[[Item], Item]) -> Item:
        """Change an item; nobody else can in between.

        ``edit``: takes the item as it is now and returns it as it shall be, or raises OutboxError.
        """
        with self._writing() as connection:
            before = self._get(connection, key)
            item = edit(before)
            if item.values != before.values:
                item = self._with_own_time(connection, item)
            item = self._with_login(connection, item)
            self._put(connection, item)
            return item

    def replace(self, old: Item, new: Item) -> bool:
        """Change an item, unless somebody else changed it meanwhile."""
        with self._writing() as connection:
            if self._get(connection, old.key).revision != old.revision:
                return False
            self._put(connection, new)
            return True

    def get(self, key: str) -> Item:
        """Return one item."""
        with self._reading() as connection:
            return self._get(connection, key)

    def select(self, states: Sequence[State] | None = None, subject: str | None = None) -> tuple[Item, ...]:
        """Return items in the order in which they were added; empty if there is none.

        ``states``: only those; all if left out.
        """
        tests, values = [], []
        if states is not None:
            tests.append(f"state IN ({', '.join('?' * len(states))})")
            values += [state.value for state in states]
        if subject is not None:
            tests.append("subject_id = ?")
            values.append(subject)
        where = f" WHERE {' AND '.join(tests)}" if tests else ""
        with self._reading() as connection:
            return tuple(_item(row) for row in connection.execute(f"{_SELECT}{where} ORDER BY number", values))

    def counts(self) -> Counts:
        """Count what still has to reach Alyx."""
        open_states = ("waiting", "sending", "unsure", "parked")
        with self._reading() as connection:
            rows = connection.execute(
                "SELECT state, count(*) FROM items WHERE state IN (?, ?, ?, ?) GROUP BY state", open_states
            )
            return Counts(**{row[0]: row[1] for row in rows})

    def count_open(self, server: str, subject_id: str) -> int:
        """Count what of one subject still has to reach Alyx."""
        with self._reading() as connection:
            rows = connection.execute(
                "SELECT count(*) FROM items WHERE server = ? AND subject_id = ? AND state NOT IN ('sent', 'discarded')",
                (server, subject_id),
            )
            return int(rows.fetchone()[0])

    def explain(
        self, server: str, username: str | None, reason: str, hint: str, waits_for: WaitsFor
    ) -> tuple[str, ...]:
        """Write into all waiting items of an account why they wait; no state changes.

        Returns: keys of those that did not say so yet.
        ``username``: the user; None for all of that server.
        """
        told = (reason, hint, waits_for.value)
        with self._writing() as connection:
            rows = connection.execute(
                "SELECT key, reason, hint, waits_for FROM items WHERE state = 'waiting' AND server = ? "
                "AND (? IS NULL OR username = ?) AND misplaced IS NULL ORDER BY number",
                (server, username, username),
            )
            keys = tuple(row["key"] for row in rows if tuple(row)[1:] != told)
            connection.executemany(
                "UPDATE items SET reason = ?, hint = ?, waits_for = ? WHERE key = ?", [(*told, key) for key in keys]
            )
            return keys

    def forget_reasons(self, keys: Iterable[str] | None = None) -> None:
        """Take the reasons out of waiting items.

        ``keys``: of these items; of all if left out.
        """
        forget = (
            "UPDATE items SET reason = '', hint = '', waits_for = '' WHERE state = 'waiting' AND misplaced IS NULL "
            "AND (reason <> '' OR waits_for <> '')"
        )
        with self._writing() as connection:
            if keys is None:
                connection.execute(forget)
            else:
                connection.executemany(f"{forget} AND key = ?", [(key,) for key in keys])

    def watch(self) -> Watch:
        """Return what tells whether anybody wrote."""
        return Watch(self.path)

    def _reopen(self) -> sqlite3.Connection:
        self.close()
        self._writer, note = open_file(self.path)
        self._inode = self.path.stat().st_ino
        if note:
            self.notes.append(note)
        return self._writer

    @contextmanager
    def _reading(self) -> Iterator[sqlite3.Connection]:
        with self._lock, told(self.path, "read"):
            yield self._connection()

    @contextmanager
    def _writing(self) -> Iterator[sqlite3.Connection]:
        with self._lock, told(self.path, "written"):
            connection = self._connection()
            connection.execute("BEGIN IMMEDIATE")
            try:
                yield connection
                connection.execute("COMMIT")
            except BaseException:
                connection.rollback()
                raise

    def _connection(self) -> sqlite3.Connection:
        # Another program may have moved a damaged file aside, or somebody deleted it.
        try:
            same = os.stat(self.path).st_ino == self._inode
        except OSError:
            same = False
        return self._writer if self._writer is not None and same else self._reopen()

    def _get(self, connection: sqlite3.Connection, key: str) -> Item:
        row = connection.execute(f"{_SELECT} WHERE key = ?", (key,)).fetchone()
        if row is None:
            raise OutboxError(
                f"The outbox {self.path} has no item {key}.", hint="pybpod-alyx outbox list shows what it holds."
            )
        return _item(row)

    @staticmethod
    def _put(connection: sqlite3.Connection, item: Item) -> None:
        row = _row(item)
        names = ", ".join(f'"{name}" = ?' for name in row)
        connection.execute(f"UPDATE items SET {names} WHERE key = ?", (*row.values(), item.key))  # noqa: S608

    @staticmethod
    def _with_own_time(connection: sqlite3.Connection, item: Item) -> Item:
        moment = item.values.get("date_time")
        if moment is None:
            return item
        turn = 0
        while True:
            exact = exact_time(moment, item.key, turn)
            taken = connection.execute(
                "SELECT 1 FROM items WHERE server = ? AND moment = ? AND key <> ?", (item.server, exact, item.key)
            ).fetchone()
            if taken is None:
                return replace(item, values={**item.values, "date_time": exact})
            turn += 1

    @staticmethod
    def _with_login(connection: sqlite3.Connection, item: Item) -> Item:
        # Where others of the account wait for a login, so does this one, and says so from the start.
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

    def _added(self, connection: sqlite3.Connection, item: Item) -> Item:
        self._check_follows(connection, item)
        self._check_once(connection, item)
        row = _row(self._with_login(connection, self._with_own_time(connection, item)))
        del row["number"]
        names = ", ".join(f'"{name}"' for name in row)
        marks = ", ".join("?" * len(row))
        connection.execute(f"INSERT INTO items ({names}) VALUES ({marks})", tuple(row.values()))  # noqa: S608
        return self._get(connection, item.key)

    @staticmethod
    def _check_once(connection: sqlite3.Connection, item: Item) -> None:
        # Another window may have registered the same session a moment ago.
        uuid = item.origin.get("session_uuid")
        if uuid is None or (item.kind is not Kind.SESSION and (item.kind is not Kind.WATER or item.follows is None)):
            return
        rows = connection.execute(
            "SELECT origin FROM items WHERE kind = ? AND server = ? AND subject_id = ? AND follows IS ? "
            "AND state <> 'discarded'",
            (item.kind.value, item.server, item.subject_id, item.follows),
        )
        if any(json.loads(row["origin"]).get("session_uuid") == uuid for row in rows):
            what = "This session" if item.kind is Kind.SESSION else "The water of this session"
            raise OutboxError(
                f"{what} of {item.subject_name} is in the outbox already.",
                hint="Alyx outbox shows it.",
            )

    def _check_follows(self, connection: sqlite3.Connection, item: Item) -> None:
        if item.follows is None:
            return
        first = self._get(connection, item.follows)
        if first.kind is not Kind.SESSION or first.animal != item.animal:
            raise OutboxError(
                f"The {item.kind.value} of {item.subject_name} cannot follow {item.follows}: that is no session of it.",
                hint="Record it for the subject of the session.",
            )


def _row(item: Item) -> dict[str, Any]:
    moment = item.values.get("date_time")
    return {
        **{name: getattr(item, name) for name in ("number", "key", "server", "username", "subject_id", "subject_name")},
        **{name: getattr(item, name) for name in ("follows", "rig", "reason", "hint", "attempts", "faults")},
        **{name: getattr(item, name) for name in ("server_id", "misplaced", "revision")},
        "kind": item.kind.value,
        "state": item.state.value,
        "waits_for": item.waits_for.value,
        "values": json.dumps(item.values),
        "origin": json.dumps(item.origin),
        "created": item.created.isoformat(),
        "sent_at": item.sent_at and item.sent_at.isoformat(),
        "moment": moment,
    }


def _item(row: sqlite3.Row) -> Item:
    fields = dict(row)
    fields.update(
        kind=Kind(row["kind"]),
        state=State(row["state"]),
        waits_for=WaitsFor(row["waits_for"]),
        values=json.loads(row["values"]),
        origin=json.loads(row["origin"]),
        created=datetime.fromisoformat(row["created"]),
        sent_at=row["sent_at"] and datetime.fromisoformat(row["sent_at"]),
    )
    return Item(**fields)
