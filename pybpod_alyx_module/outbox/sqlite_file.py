"""The file of an outbox: opened, made, converted or moved aside; who may send from it; its errors in words."""

from __future__ import annotations

import errno
import hashlib
import os
import sqlite3
import threading
import time
from contextlib import contextmanager
from datetime import datetime
from typing import TYPE_CHECKING

import filelock

from alyx_connector.private_file import HOME_SETTING, make_private_file, make_private_folder
from pybpod_alyx_module.errors import OutboxError

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator
    from pathlib import Path


#: Of the tables below; a file with a higher one is of a newer program. Since 3 times have an offset, which a program
#: that knows 2 would send as it is, to servers that drop it; since 4 an item holds under which times it was sent.
VERSION = 4
#: Seconds to wait for another program that is writing.
BUSY_S = 10.0
#: So long one program sends while another waits for its turn, in seconds.
TURN_S = 1.0
#: How often one that is next looks whether the other has ended its turn, in seconds.
NEXT_POLL_S = 0.1

_TABLES = """
CREATE TABLE items (
    number INTEGER PRIMARY KEY AUTOINCREMENT,
    key TEXT NOT NULL UNIQUE,
    kind TEXT NOT NULL,
    server TEXT NOT NULL,
    username TEXT NOT NULL,
    subject_id TEXT NOT NULL,
    subject_name TEXT NOT NULL,
    "values" TEXT NOT NULL,
    follows TEXT REFERENCES items(key),
    created TEXT NOT NULL,
    rig TEXT NOT NULL,
    origin TEXT NOT NULL,
    state TEXT NOT NULL,
    reason TEXT NOT NULL,
    hint TEXT NOT NULL,
    attempts INTEGER NOT NULL,
    faults INTEGER NOT NULL,
    server_id TEXT,
    sent_at TEXT,
    misplaced TEXT,
    revision INTEGER NOT NULL,
    moment TEXT,
    waits_for TEXT NOT NULL DEFAULT '',
    sent_as TEXT NOT NULL DEFAULT '[]'
);
CREATE INDEX items_by_state ON items(state);
CREATE INDEX items_by_animal ON items(server, subject_id, state);
CREATE UNIQUE INDEX items_by_moment ON items(server, moment);
"""

#: The hints by which version 1 told what an item waits for; in SQL.
_LOGIN_1 = "'Log in to ' || server || ' as ' || username || ': it is sent then.'"
_SESSION_1 = "'Correct, retry or discard the session.'"
#: Items of the same account that wait for a login.
_LOCKED_1 = (
    "FROM items AS other WHERE other.waits_for = 'login' AND other.server = items.server "
    "AND other.username = items.username"
)
#: Makes version 2 of version 1. What was added after a login was asked for had no hint, and waits for it, too.
_FROM_1 = (
    "ALTER TABLE items ADD COLUMN waits_for TEXT NOT NULL DEFAULT ''",
    "UPDATE items SET waits_for = CASE WHEN state = 'parked' THEN 'person' "  # noqa: S608 - our own words
    f"WHEN hint = {_LOGIN_1} THEN 'login' WHEN hint = {_SESSION_1} THEN 'session' "
    "WHEN state = 'unsure' OR reason <> '' THEN 'pause' ELSE '' END WHERE state IN ('waiting', 'unsure', 'parked')",
    "UPDATE items SET waits_for = 'login', (reason, hint) = "  # noqa: S608
    f"(SELECT reason, hint {_LOCKED_1} ORDER BY number DESC LIMIT 1) "
    f"WHERE state = 'waiting' AND misplaced IS NULL AND hint = '' AND EXISTS (SELECT 1 {_LOCKED_1})",
)
#: Makes version 4 of version 2 or 3.
_FROM_2 = ("ALTER TABLE items ADD COLUMN sent_as TEXT NOT NULL DEFAULT '[]'",)


class DamagedError(Exception):
    """The file is no outbox, or its content is damaged."""


@contextmanager
def outbox_errors(path: Path, what: str) -> Iterator[None]:
    """Say in words what is wrong with the file.

    ``what``: what was tried: ``"read"``, ``"written"``, ``"opened"``.
    """
    try:
        yield
    except filelock.Timeout as error:
        raise OutboxError(
            f"Another program has been opening the outbox {path} for more than {BUSY_S:g} s.",
            hint="Close other windows of PyBpod, then try again.",
        ) from error
    except (sqlite3.Error, OSError) as error:
        raise OutboxError(f"The outbox {path} cannot be {what}: {_words(error)}.", hint=_hint(error, path)) from error


def is_damage(error: sqlite3.Error) -> bool:
    """Tell whether an error means that the content of the file is damaged, rather than out of reach."""
    return any(words in str(error) for words in ("not a database", "malformed"))


def open_file(path: Path) -> tuple[sqlite3.Connection, str]:
    """Open the file, making it where there is none; one that is damaged is moved aside, never overwritten.

    Returns: the connection, and what the user must know about it; empty if nothing.
    """
    with outbox_errors(path, "opened"):
        make_private_folder(path.parent)
        with filelock.FileLock(path.with_name(path.name + ".lock"), timeout=BUSY_S, mode=0o600):
            try:
                return _open(path), ""
            except DamagedError as damage:
                aside = _move_aside(path)
                note = (
                    f"The outbox {path} was damaged ({damage}). It was moved to {aside}, and a new one was started. "
                    "What waited in the old one was not sent: compare with Alyx and record again what is missing there."
                )
                return _open(path), note


def connect(path: Path) -> sqlite3.Connection:
    """Connect to the file as it is."""
    connection = _connect(path)
    _make_durable(connection)
    return connection


def _connect(path: Path) -> sqlite3.Connection:
    connection = sqlite3.connect(path, timeout=BUSY_S, isolation_level=None, check_same_thread=False)
    connection.row_factory = sqlite3.Row
    return connection


def _make_durable(connection: sqlite3.Connection) -> None:
    connection.execute("PRAGMA journal_mode=WAL")
    connection.execute("PRAGMA synchronous=FULL")


def _open(path: Path) -> sqlite3.Connection:
    made = not path.exists()
    make_private_file(path)
    connection: sqlite3.Connection | None = None
    try:
        connection = _connect(path)
        version = _checked_version(connection, path)
        _make_durable(connection)
        if version == 0:
            _change(connection, _TABLES.split(";\n"))
        elif version < VERSION:
            _change(connection, (*_FROM_1, *_FROM_2) if version == 1 else _FROM_2)
    except BaseException as error:
        if connection is not None:
            connection.close()
        if isinstance(error, sqlite3.Error) and is_damage(error):
            raise DamagedError(str(error)) from error
        raise
    if made and os.name == "posix":
        folder = os.open(path.parent, os.O_RDONLY)
        try:
            os.fsync(folder)  # the name of the new file, too, survives a loss of power
        finally:
            os.close(folder)
    return connection


def _checked_version(connection: sqlite3.Connection, path: Path) -> int:
    # 0 for a new file. Writes nothing: what is not an outbox, or of a newer program, stays as it is.
    version: int = connection.execute("PRAGMA user_version").fetchone()[0]
    if version > VERSION:
        raise OutboxError(
            f"The outbox {path} was written by a newer program (version {version}; this one reads up to {VERSION}).",
            hint=f"Update pybpod-gui-plugin-alyx, or name another folder in {HOME_SETTING}.",
        )
    found = connection.execute("PRAGMA quick_check(1)").fetchone()[0]
    if found != "ok":
        raise DamagedError(found)
    if version == 0 and connection.execute("SELECT count(*) FROM sqlite_master").fetchone()[0]:
        raise DamagedError("it holds something else")
    return version


def _change(connection: sqlite3.Connection, statements: Iterable[str]) -> None:
    # All of it or nothing, also when this program is killed.
    connection.execute("BEGIN IMMEDIATE")
    try:
        for statement in statements:
            connection.execute(statement)
        connection.execute(f"PRAGMA user_version={VERSION}")
        connection.execute("COMMIT")
    except BaseException:
        connection.rollback()
        raise


def _move_aside(path: Path) -> Path:
    stamp = datetime.now().astimezone().strftime("%Y%m%d-%H%M%S")
    turn = 0
    while (aside := path.with_name(f"{path.stem}.damaged-{stamp}{f'-{turn}' if turn else ''}{path.suffix}")).exists():
        turn += 1
    for end in ("-wal", "-shm"):
        beside = path.with_name(path.name + end)
        if beside.exists():
            beside.rename(aside.with_name(aside.name + end))
    path.rename(aside)
    return aside


def _words(error: Exception) -> str:
    if isinstance(error, OSError):
        return (error.strerror or str(error)).lower()
    return str(error)


def _hint(error: Exception, path: Path) -> str:
    text = str(error)
    no_room = isinstance(error, OSError) and error.errno in {errno.ENOSPC, errno.EDQUOT, errno.EFBIG}
    if no_room or "full" in text or "disk I/O error" in text:
        return f"Make room on the disk of {path.parent}, then try again. What the outbox holds is not lost."
    if "locked" in text or "busy" in text:
        return "Another program is writing to it; try again."
    if isinstance(error, sqlite3.Error) and is_damage(error):
        return "Close PyBpod and open it again: the file will be moved aside, and a new one started."
    return f"Make {path.parent} a folder that you can write to, or name another in {HOME_SETTING}, then try again."


class Watch:
    """Tells whether anybody, in any program, wrote to the file; may be used by several threads."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._lock = threading.Lock()
        self._connection: sqlite3.Connection | None = None
        self._last: tuple[int, int] | None = None

    def changed(self) -> bool:
        """Tell whether anybody wrote since the last call."""
        with self._lock, outbox_errors(self._path, "read"):
            inode = self._path.stat().st_ino
            if self._connection is None or self._last is None or self._last[0] != inode:
                self._close()
                self._connection = connect(self._path)
            # It counts the commits of other connections: this one makes none.
            now = (inode, int(self._connection.execute("PRAGMA data_version").fetchone()[0]))
            before, self._last = self._last, now
            return now != before

    def close(self) -> None:
        """Close the file; it is opened again when it is needed."""
        with self._lock:
            self._close()

    def _close(self) -> None:
        if self._connection is not None:
            self._connection.close()
        self._connection = None


class SenderLocks:
    """Which of several programs sends: one at a time, and for each account one that is logged in there.

    Who waits for the turn is next, so that nobody waits behind all that another has to send. The system takes the locks
    from a program that is killed.
    """

    def __init__(self, path: Path) -> None:
        self._path = path
        self._turn, self._next = self._lock("sender"), self._lock("next-sender")
        #: Since when it is this program's turn; monotonic, seconds.
        self._since = 0.0
        self._accounts: dict[tuple[str, str], filelock.BaseFileLock] = {}
        #: Accounts that another program sends for.
        self._elsewhere: set[tuple[str, str]] = set()

    @property
    def has_turn(self) -> bool:
        """Whether this program may send now."""
        return bool(self._turn.is_locked)

    @property
    def held(self) -> tuple[tuple[str, str], ...]:
        """Accounts that this program sends for, server and user."""
        return tuple(self._accounts)

    def take_turn(self) -> bool:
        """Begin to send; False while another program sends, or waits for that before this one does."""
        if not self._take(self._next):
            return False
        try:
            if not self._take(self._turn):
                return False
        except OutboxError:  # it cannot be had at all: others may be able to
            self._next.release(force=True)
            raise
        self._next.release(force=True)
        self._since = time.monotonic()
        return True

    def must_end_turn(self) -> bool:
        """Tell whether another program waits and this one has had its time. Cheap."""
        if not self.has_turn or time.monotonic() - self._since < TURN_S:
            return False
        others = not self._take(self._next)
        self._next.release(force=True)
        return others

    def end_turn(self) -> None:
        """Let another program send."""
        self._turn.release()

    def take(self, account: tuple[str, str]) -> bool:
        """Send for an account from now on; False while another program does."""
        if account in self._accounts:
            return True
        lock = self._lock(f"account-{hashlib.sha256(repr(account).encode()).hexdigest()[:16]}")
        if not self._take(lock):
            self._elsewhere.add(account)
            return False
        self._elsewhere.discard(account)
        self._accounts[account] = lock
        return True

    def leave(self, account: tuple[str, str]) -> None:
        """Let another program send for an account."""
        lock = self._accounts.pop(account, None)
        if lock is not None:
            lock.release()

    def one_is_free(self) -> bool:
        """Tell whether another program sends no longer for one of the accounts that could not be had. Cheap."""
        free = next((account for account in tuple(self._elsewhere) if self.take(account)), None)
        if free is not None:
            self.leave(free)
        return free is not None

    def leave_all(self) -> None:
        """Let other programs send for all accounts."""
        for account in list(self._accounts):
            self.leave(account)
        self._next.release(force=True)

    def _lock(self, name: str) -> filelock.BaseFileLock:
        path = self._path.with_name(f"{self._path.name}.{name}.lock")
        return filelock.FileLock(path, timeout=0, mode=0o600, thread_local=False)

    def _take(self, lock: filelock.BaseFileLock) -> bool:
        with outbox_errors(self._path, "sent"):
            try:
                lock.acquire()
            except filelock.Timeout:
                return False
        return True
