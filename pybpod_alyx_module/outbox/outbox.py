"""The outbox: what this machine writes to Alyx, in one file, durable and safe with several programs at once."""

from __future__ import annotations

import os
import threading
from contextlib import contextmanager
from dataclasses import replace
from datetime import datetime, timezone
from typing import TYPE_CHECKING, Any

from alyx_connector.private_file import home_folder
from pybpod_alyx_module.errors import OutboxError
from pybpod_alyx_module.outbox.beside_others import check_follows, check_once, with_login, with_own_time
from pybpod_alyx_module.outbox.drafts import checked_values, new_items
from pybpod_alyx_module.outbox.export import export_csv
from pybpod_alyx_module.outbox.item_rows import SELECT, item_of_row, row_of_item
from pybpod_alyx_module.outbox.items import MOVES, OPEN, State, WaitsFor
from pybpod_alyx_module.outbox.record_moves import check_nothing_waits, reassigned, taken_back
from pybpod_alyx_module.outbox.sqlite_file import SenderLocks, Watch, open_file, outbox_errors
from pybpod_alyx_module.outbox.states import Event, claimed, held_for_its_user, in_line, leaves_a_record, move
from pybpod_alyx_module.outbox.words import ENDED

if TYPE_CHECKING:
    import sqlite3
    from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
    from pathlib import Path

    from pybpod_alyx_module.outbox.items import Draft, Item

#: Name of the file in the folder of `alyx_connector.private_file.home_folder`.
FILE_NAME = "outbox.sqlite"
#: What is of an animal, and what that follows: a note on its page may tell of a session that went to another one.
_OF_ONE_ANIMAL = (
    " AND subject_id IN (SELECT ? UNION SELECT first.subject_id FROM items AS first JOIN items AS other "
    "ON other.follows = first.key WHERE other.subject_id = ?)"
)
_FORGET = "UPDATE items SET reason = '', hint = '', waits_for = '' WHERE state = 'waiting' AND misplaced IS NULL"


class Outbox:
    """One file for all programs of this machine's user, and for all threads.

    Every method raises OutboxError if the file cannot be read or written; it says which file, and what to do.

    ``path``: the file, made where there is none; the usual one if left out. A damaged one is moved aside, and `notes`
    say so: it may hold what was never sent.
    ``unclaimed``: says why something that was recorded or changed waits until a person says who did so; empty where
    that is known.
    """

    def __init__(self, path: Path | None = None, unclaimed: Callable[[Item], str] = lambda _item: "") -> None:
        #: The file.
        self.path = path or home_folder() / FILE_NAME
        self._unclaimed = unclaimed
        self._notes: list[str] = []
        self._lock = threading.RLock()
        self._connection: sqlite3.Connection | None = None
        self._inode = 0
        self._watch = Watch(self.path)
        with self._lock:
            self._reopen()

    @property
    def notes(self) -> tuple[str, ...]:
        """What the user must know about the file: a sentence each; usually none."""
        return tuple(self._notes)

    def close(self) -> None:
        """Close the file; it is opened again when it is needed."""
        self._watch.close()
        self._disconnect()

    def changed(self) -> bool:
        """Tell whether any program changed the outbox since the last call; True the first time. Cheap."""
        return self._watch.changed()

    # What is in it -----------------------------------------------------------------------------------------------

    def items(self, states: Sequence[State] | None = None, subject: str | None = None) -> tuple[Item, ...]:
        """Return what is in the outbox, in the order in which it was added, with what holds it up; also what was sent.

        ``states``: only items in one of these.
        ``subject``: only those of the subject with this id on Alyx.
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
            rows = connection.execute(f"{SELECT}{where} ORDER BY number", values)
            items = tuple(map(item_of_row, rows))
            whole = subject is None and (states is None or set(OPEN) <= set(states))
            return self._in_line(connection, items, items if whole else None)

    def item(self, key: str) -> Item:
        """Return one item as it is now, with what holds it up; OutboxError if there is none."""
        with self._reading() as connection:
            return self._in_line(connection, (self._get(connection, key),))[0]

    def settled_items(self, states: Sequence[State] | None = None) -> tuple[Item, ...]:
        """Return `items` for one who sends nothing: where no program sends, what one left that is gone is unsure."""
        items = self.items(states)
        locks = SenderLocks(self.path)
        try:
            if not any(item.state is State.SENDING for item in items) or not locks.take_turn():
                return items
            return tuple(map(_left_over, self.items(states)))
        finally:
            locks.end_turn()
            locks.leave_all()

    def export(self, path: str | Path) -> int:
        """Write all items to a CSV, sent and discarded ones, too; return how many.

        Raises ConfigurationError where the CSV cannot be written.
        """
        items = self.settled_items()
        export_csv(items, path)
        return len(items)

    # What people do ----------------------------------------------------------------------------------------------

    def add(self, draft: Draft) -> Item:
        """Put something into the outbox; see `add_all`."""
        return self.add_all(draft)[0]

    def add_all(self, *drafts: Draft) -> tuple[Item, ...]:
        """Put several things into the outbox, in this order: all of them, or, where it raises OutboxError, none.

        When this returns they survive a crash and a loss of power. One may follow an earlier one of them, see `Draft`.
        """
        items = [held_for_its_user(item, self._unclaimed(item)) for item in new_items(drafts)]
        with self._writing() as connection:
            added = tuple(self._added(connection, item) for item in items)
            return self._in_line(connection, added)

    def give(self, subject: tuple[str, str], drafts: Sequence[Draft], events: Mapping[str, Event]) -> tuple[Item, ...]:
        """Give records that are on Alyx to another animal: all of them, or, where it raises OutboxError, none.

        ``subject``: id and name of the animal.
        ``drafts``: what changes the records on Alyx; the first is that of the session.
        ``events``: `Event.GIVE` or `Event.REMAKE` by key, for the items that made the records. What is made anew
        follows the first draft.
        """
        items = [held_for_its_user(item, self._unclaimed(item)) for item in new_items(drafts)]
        with self._writing() as connection:
            waiting = self.items(OPEN)  # nobody can add anything meanwhile: another window may give them away, too
            check_nothing_waits(waiting, events, {item.values["id"] for item in items if item.kind in MOVES})
            added = tuple(self._added(connection, item) for item in items)
            for key, event in events.items():
                first = added[0].key if event is Event.REMAKE else None
                self._put(connection, move(self._get(connection, key), event, subject=subject, follows=first))
            return added

    def reassign(
        self, key: str, subject: tuple[str, str], values: Mapping[str, Any], weights: Collection[str] = ()
    ) -> tuple[Item, ...]:
        """Have a session that still waits sent for another animal, with what follows it; OutboxError changes nothing.

        See `record_moves.reassigned`.
        """
        with self._writing() as connection:
            changed = reassigned(self.items(), key, subject, values, weights)
            items = tuple(held_for_its_user(item, self._unclaimed(item)) for item in changed)
            for item in items:
                self._put(connection, item)
            return items

    def retry(self, key: str) -> Item:
        """Have a parked item sent again, or, if it is on Alyx but differed, compared again.

        A waiting one stays as it is (`Sender.wake` ends its pause). OutboxError if its state does not allow it.
        """
        why = self._unclaimed(self.item(key))
        return self.change(key, lambda item: held_for_its_user(move(item, Event.RETRY), why))

    def claim(self, key: str, username: str) -> Item:
        """Have sent what waits until somebody says who is at the rig, and as this user what they recorded."""
        return self.change(key, lambda item: claimed(item, username) if item.state is State.PARKED else item)

    def edit(self, key: str, values: Mapping[str, Any]) -> Item:
        """Correct a waiting or parked item; a parked one waits to be sent after that.

        ``values``: all of its values, see `Draft`. OutboxError if one is unusable, or its state does not allow it.
        """
        why = self._unclaimed(self.item(key))

        def edited(item: Item) -> Item:
            return move(item, Event.EDIT, values=checked_values(item.kind, values, item.follows))

        return self.change(key, lambda item: held_for_its_user(edited(item), why))

    def hold(self, key: str, reason: str) -> Item:
        """Say anew why an item that was added as held is held; as it is where it is not parked any more."""
        return self.change(
            key,
            lambda item: (
                replace(item, reason=reason, revision=item.revision + 1) if item.state is State.PARKED else item
            ),
        )

    def discard(self, key: str, *, even_if_unsure: bool = False) -> Item:
        """Give an item up; it stays listed. OutboxError if its state does not allow it.

        What was to go with a session that is not moved stays with it.

        ``even_if_unsure``: whether the person knows that it may be on Alyx, and stay there.
        """
        with self._writing() as connection:
            before = self._get(connection, key)
            self._put(connection, move(before, Event.DISCARD, even_if_unsure=even_if_unsure))
            if before.kind in MOVES and not leaves_a_record(before):
                for item in taken_back(self.items(), before, datetime.now(timezone.utc)):
                    self._put(connection, item)
            return self._get(connection, key)

    def change(self, key: str, edit: Callable[[Item], Item]) -> Item:
        """Change an item; nobody else can in between.

        ``edit``: takes the item as it is now and returns it as it shall be, or raises OutboxError.
        """
        with self._writing() as connection:
            before = self._get(connection, key)
            item = edit(before)
            if item.values != before.values:
                item = with_own_time(connection, item)
            item = with_login(connection, item)
            self._put(connection, item)
            return self._in_line(connection, (item,))[0]

    # What the sender does ----------------------------------------------------------------------------------------

    def replace(self, old: Item, new: Item) -> bool:
        """Change an item, unless somebody else changed it meanwhile."""
        with self._writing() as connection:
            if self._get(connection, old.key).revision != old.revision:
                return False
            self._put(connection, new)
            return True

    def explain(
        self, server: str, username: str | None, reason: str, hint: str, waits_for: WaitsFor
    ) -> tuple[str, ...]:
        """Write into all waiting items of an account why they wait; no state changes.

        Only a login is told of those that wait for one: they wait for it whatever else there is.

        Returns: keys of those that did not say so yet.
        ``username``: the user; None for all of that server.
        """
        new = (reason, hint, waits_for.value)
        with self._writing() as connection:
            rows = connection.execute(
                "SELECT key, reason, hint, waits_for FROM items WHERE state = 'waiting' AND server = ? "
                "AND (? IS NULL OR username = ?) AND misplaced IS NULL AND (? OR waits_for <> 'login') ORDER BY number",
                (server, username, username, waits_for is WaitsFor.LOGIN),
            )
            keys = tuple(row["key"] for row in rows if tuple(row)[1:] != new)
            connection.executemany(
                "UPDATE items SET reason = ?, hint = ?, waits_for = ? WHERE key = ?", [(*new, key) for key in keys]
            )
            return keys

    def forget_login(self, server: str, username: str) -> None:
        """Take out of the waiting items of an account that they wait for a login."""
        with self._writing() as connection:
            connection.execute(f"{_FORGET} AND waits_for = 'login' AND server = ? AND username = ?", (server, username))

    def forget_reasons(self, keys: Iterable[str]) -> None:
        """Take the reasons out of waiting items."""
        with self._writing() as connection:
            connection.executemany(f"{_FORGET} AND key = ?", [(key,) for key in keys])

    # The file ----------------------------------------------------------------------------------------------------

    @contextmanager
    def _reading(self) -> Iterator[sqlite3.Connection]:
        with self._lock, outbox_errors(self.path, "read"):
            yield self._connected()

    @contextmanager
    def _writing(self) -> Iterator[sqlite3.Connection]:
        with self._lock, outbox_errors(self.path, "written"):
            connection = self._connected()
            connection.execute("BEGIN IMMEDIATE")
            try:
                yield connection
                connection.execute("COMMIT")
            except BaseException:
                connection.rollback()
                raise

    def _connected(self) -> sqlite3.Connection:
        # Another program may have moved a damaged file aside, or somebody deleted it.
        try:
            same = os.stat(self.path).st_ino == self._inode
        except OSError:
            same = False
        return self._connection if self._connection is not None and same else self._reopen()

    def _reopen(self) -> sqlite3.Connection:
        self._disconnect()
        self._connection, note = open_file(self.path)
        self._inode = self.path.stat().st_ino
        if note:
            self._notes.append(note)
        return self._connection

    def _disconnect(self) -> None:
        with self._lock:
            if self._connection is not None:
                self._connection.close()
            self._connection = None

    # Rows --------------------------------------------------------------------------------------------------------

    def _get(self, connection: sqlite3.Connection, key: str) -> Item:
        row = connection.execute(f"{SELECT} WHERE key = ?", (key,)).fetchone()
        if row is None:
            raise OutboxError(
                f"The outbox {self.path} has no item {key}.", hint="pybpod-alyx outbox list shows what it holds."
            )
        return item_of_row(row)

    @staticmethod
    def _in_line(
        connection: sqlite3.Connection, items: tuple[Item, ...], everything: tuple[Item, ...] | None = None
    ) -> tuple[Item, ...]:
        # everything: all that is in the outbox of these animals; None where it has to be read
        animals = {item.subject_id for item in items if item.state in OPEN}
        if not animals:
            return items
        states = ", ".join(f"'{state.value}'" for state in OPEN)
        if everything is None:
            one = (_OF_ONE_ANIMAL, tuple(animals) * 2) if len(animals) == 1 else ("", ())
            rows = connection.execute(f"{SELECT} WHERE state IN ({states}){one[0]} ORDER BY number", one[1])
            everything = tuple(map(item_of_row, rows))
        sent = connection.execute(
            "SELECT key, server_id FROM items WHERE state = 'sent' AND key IN "  # noqa: S608 - our own words
            f"(SELECT follows FROM items WHERE state IN ({states}))"
        )
        waiting = (item for item in everything if item.state in OPEN)
        placed = {item.key: item for item in in_line(waiting, {row["key"]: row["server_id"] for row in sent})}
        return tuple(placed.get(item.key, item) for item in items)

    @staticmethod
    def _put(connection: sqlite3.Connection, item: Item) -> None:
        row = row_of_item(item)
        names = ", ".join(f'"{name}" = ?' for name in row)
        connection.execute(f"UPDATE items SET {names} WHERE key = ?", (*row.values(), item.key))  # noqa: S608

    def _added(self, connection: sqlite3.Connection, item: Item) -> Item:
        check_follows(connection, item)
        check_once(connection, item)
        row = row_of_item(with_login(connection, with_own_time(connection, item)))
        del row["number"]
        names = ", ".join(f'"{name}"' for name in row)
        marks = ", ".join("?" * len(row))
        connection.execute(f"INSERT INTO items ({names}) VALUES ({marks})", tuple(row.values()))  # noqa: S608
        return self._get(connection, item.key)


def _left_over(item: Item) -> Item:
    if item.state is State.SENDING:
        return move(item, Event.ABANDON, reason=ENDED)
    return item if item.behind is None else replace(item, behind=_left_over(item.behind))
