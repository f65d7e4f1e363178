"""What the cache keeps, in one table of SQLite: details and lists, each with when it was used last."""

from __future__ import annotations

import datetime as dt
import json
import sqlite3
import time
import zlib
from contextlib import suppress
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, TypeVar

import filelock

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence
    from pathlib import Path

    from alyx_connector.warning import Tell

__all__ = ["BUSY_S", "VERSION", "KeptDetail", "KeptList", "Store", "open_database", "reason_of", "shrink"]

#: Changes with the tables; stands in the name of the file.
VERSION = 2
#: Seconds to wait for another program that is writing.
BUSY_S = 10.0
#: So many details are written between two looks at the size.
_LOOK_AFTER = 32
#: What is left where something had to go, as a share of the bound.
_LEFT = 0.8
#: As many names as one question of SQLite may hold.
_NAMES = 500
_TABLE = """
CREATE TABLE kept (
    kind TEXT NOT NULL, endpoint TEXT NOT NULL, name TEXT NOT NULL,
    body BLOB NOT NULL, size INTEGER NOT NULL,
    fetched TEXT NOT NULL, checked TEXT, used REAL NOT NULL,
    PRIMARY KEY (kind, endpoint, name)
);
CREATE INDEX kept_by_use ON kept (used, size);
"""
_Result = TypeVar("_Result")


@dataclass(frozen=True)
class KeptDetail:
    """A detail that is kept; times are of this computer's clock, naive UTC."""

    #: The record.
    body: dict[str, Any]
    #: When it was fetched.
    fetched: dt.datetime
    #: The server said then, or later, that it is current.
    checked: dt.datetime


@dataclass(frozen=True)
class KeptList:
    """The rows of a search that are kept."""

    #: As the list had them, in its order.
    rows: list[dict[str, Any]]
    #: When they were listed, naive UTC.
    retrieved: dt.datetime


class Store:
    """The cache while one search uses it; each write is on disk when it returns.

    ``connect``, ``rebuild``: open the file, and open it anew where it is damaged; None: nothing is kept.
    ``tell``: takes a sentence where it cannot be used, or was damaged.
    """

    def __init__(
        self,
        connect: Callable[[], sqlite3.Connection] | None,
        rebuild: Callable[[], sqlite3.Connection],
        limit: int,
        path: Path,
        tell: Tell,
    ) -> None:
        self._connect = connect
        self._rebuild = rebuild
        self._limit = limit
        self._path = path
        self._tell = tell
        self._database: sqlite3.Connection | None = None
        self._rebuilt = False
        self._written = 0

    @property
    def keeps(self) -> bool:
        """Whether what is put here is kept."""
        return self._connect is not None

    def close(self) -> None:
        """Close the file; using the store opens it again."""
        if self._database is not None:
            with suppress(sqlite3.Error):
                self._database.close()
            self._database = None

    def details(self, endpoint: str, names: Iterable[str]) -> dict[str, KeptDetail]:
        """Return the details that are kept.

        Returns: by name; without those that are not kept.
        """
        wanted = list(dict.fromkeys(names))
        chunks = [wanted[start : start + _NAMES] for start in range(0, len(wanted), _NAMES)]

        def read(database: sqlite3.Connection) -> list[Any]:
            question = "SELECT name, body, fetched, checked FROM kept WHERE kind = 'detail' AND endpoint = ?"
            rows = []
            for chunk in chunks:
                among = f" AND name IN ({','.join('?' * len(chunk))})"
                rows += database.execute(question + among, [endpoint, *chunk]).fetchall()
            return rows

        nothing: list[Any] = []
        found = {}
        for name, packed, fetched, checked in self._do(read, nothing):
            body = _unpacked(packed)
            with suppress(ValueError, TypeError):  # a damaged time: as if it were not kept
                if isinstance(body, dict):
                    found[name] = KeptDetail(body, _moment(fetched), _moment(checked))
        return found

    def put_detail(self, endpoint: str, name: str, detail: KeptDetail) -> None:
        """Keep a detail."""
        self._put("detail", endpoint, name, detail.body, (detail.fetched, detail.checked))

    def mark(self, endpoint: str, names: Iterable[str], checked: dt.datetime | None = None) -> None:
        """Take note that details were used.

        ``checked``: the server said then, or later, that they are current; None: it was not asked.
        """
        now = time.time()
        rows = [(_text(checked), now, endpoint, name) for name in names]

        def write(database: sqlite3.Connection) -> None:
            with database:
                database.execute("BEGIN IMMEDIATE")
                database.executemany(
                    "UPDATE kept SET checked = coalesce(?, checked), used = ? "
                    "WHERE kind = 'detail' AND endpoint = ? AND name = ?",
                    rows,
                )

        self._do(write, None)

    def listed(self, endpoint: str, search: str) -> KeptList | None:
        """Return the rows of a search that are kept; None if there are none."""

        def read(database: sqlite3.Connection) -> Any:
            database.execute(
                "UPDATE kept SET used = ? WHERE kind = 'list' AND endpoint = ? AND name = ?",
                [time.time(), endpoint, search],
            )
            return database.execute(
                "SELECT body, fetched FROM kept WHERE kind = 'list' AND endpoint = ? AND name = ?", [endpoint, search]
            ).fetchone()

        found = self._do(read, None)
        rows = _unpacked(found[0]) if found else None
        if isinstance(rows, list):
            with suppress(ValueError, TypeError):  # as above
                return KeptList(rows, _moment(found[1]))
        return None

    def put_list(self, endpoint: str, search: str, kept: KeptList) -> None:
        """Keep the rows of a search."""
        self._put("list", endpoint, search, kept.rows, (kept.retrieved, None))
        self._bound()

    def _put(self, kind: str, endpoint: str, name: str, body: Any, times: Sequence[dt.datetime | None]) -> None:
        packed = zlib.compress(json.dumps(body, separators=(",", ":")).encode(), 1)
        row = [kind, endpoint, name, packed, len(packed), *map(_text, times), time.time()]
        self._do(lambda database: database.execute("REPLACE INTO kept VALUES (?, ?, ?, ?, ?, ?, ?, ?)", row), None)
        self._written += 1
        if self._written % _LOOK_AFTER == 0:
            self._bound()

    def _bound(self) -> None:
        def bound(database: sqlite3.Connection) -> None:
            names = ("page_count", "freelist_count", "page_size")
            pages, free, page_size = (database.execute(f"PRAGMA {name}").fetchone()[0] for name in names)
            if (pages - free) * page_size <= self._limit:
                return
            database.execute(
                "DELETE FROM kept WHERE rowid IN (SELECT rowid FROM (SELECT rowid, sum(size) OVER "
                "(ORDER BY used DESC, rowid DESC) AS total FROM kept) WHERE total > ?)",
                [int(self._limit * _LEFT)],
            )
            shrink(database)

        self._do(bound, None)

    def _do(self, work: Callable[[sqlite3.Connection], _Result], otherwise: _Result) -> _Result:
        if self._connect is None:
            return otherwise
        try:
            try:
                if self._database is None:
                    self._database = self._connect()
                return work(self._database)
            except sqlite3.OperationalError:
                raise
            except sqlite3.DatabaseError as error:
                if self._rebuilt:
                    raise
                self.close()
                self._rebuilt = True
                self._database = self._rebuild()
                self._tell(f"The cache {self._path} was damaged ({error}); it was replaced by an empty one.")
                return work(self._database)
        except (OSError, sqlite3.Error, filelock.Timeout) as error:
            self.close()
            self._connect = None
            self._tell(f"The cache {self._path} cannot be used ({reason_of(error)}); the search continues without it.")
            return otherwise


def open_database(path: Path, *, check: bool = False) -> sqlite3.Connection:
    """Open the file, and make its table where it has none.

    ``path``: the file, which exists; no other program opens it at the same time.
    """
    database = sqlite3.connect(path, timeout=BUSY_S, isolation_level=None)
    try:
        version = database.execute("PRAGMA user_version").fetchone()[0]
        if version == 0:
            database.execute("PRAGMA auto_vacuum = INCREMENTAL")
        for setting in ("journal_mode = WAL", "synchronous = NORMAL", "journal_size_limit = 4000000"):
            database.execute(f"PRAGMA {setting}").fetchall()
        if version == 0:
            database.executescript(f"BEGIN; {_TABLE} PRAGMA user_version = {VERSION}; COMMIT;")
        elif version != VERSION:
            raise sqlite3.DatabaseError(f"its tables are of version {version}")
        if check and database.execute("PRAGMA quick_check(1)").fetchone()[0] != "ok":
            raise sqlite3.DatabaseError("it does not agree with itself")
    except BaseException:
        database.close()
        raise
    return database


def shrink(database: sqlite3.Connection) -> None:
    """Give the space of what was removed back to the disk."""
    # Both give way to others that are reading or writing: the next one does what they leave.
    with suppress(sqlite3.OperationalError):
        database.executescript("PRAGMA incremental_vacuum;")  # execute() would stop after one page
        database.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchall()


def _text(moment: dt.datetime | None) -> str | None:
    # Always of one length, so that they compare as times do.
    return None if moment is None else moment.isoformat(timespec="microseconds")


def _moment(text: str) -> dt.datetime:
    # ValueError or TypeError where it is not as `_text` wrote it: one with a zone compares with no other.
    moment = dt.datetime.fromisoformat(text)
    if moment.tzinfo is not None:
        raise ValueError("a time with a zone")
    return moment


def _unpacked(packed: bytes) -> Any:
    try:
        return json.loads(zlib.decompress(packed))
    except (zlib.error, ValueError, TypeError, RecursionError):
        return None  # as if it were not kept


def reason_of(error: Exception) -> str:
    """Say why a file cannot be used.

    Returns: words without a full stop.
    """
    if isinstance(error, OSError) and error.strerror:
        return error.strerror
    return str(error).rstrip(".")
