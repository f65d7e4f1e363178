"""What searches brought, kept on disk: one SQLite file for each user at each server.

Each detail is written as it arrives, so that a search that was stopped or killed goes on where it stopped. Several
programs and threads may use the file at once. It is a copy of what the server has: if it cannot be used, a search
continues without it, and a damaged one is replaced, with a warning in both cases.
"""

from __future__ import annotations

import hashlib
import os
import sqlite3
from contextlib import contextmanager, suppress
from typing import TYPE_CHECKING

import filelock

from alyx_connector.cache.cache_store import BUSY_S, VERSION, Store, open_database, reason_of, shrink
from alyx_connector.errors import ConfigurationError
from alyx_connector.private_file import home_folder, make_private_file, make_private_folder

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from alyx_connector.warning import Tell

__all__ = ["SIZE_SETTING", "Cache"]

#: Environment variable: how large the cache of one user at one server may become, in MB; 0: there is none.
SIZE_SETTING = "ALYX_CONNECTOR_CACHE_MB"
_USUAL_MB = 1024


class Cache:
    """What is kept of one user at one server; see `Connector.cache`.

    ``path``: the file; it and its folder need not exist yet.
    ``limit``: how large it may become, in bytes: what was not used for longest goes first. 0: nothing is kept.
    """

    def __init__(self, path: Path, limit: int) -> None:
        self._path = path
        self._limit = limit

    @classmethod
    def of_account(cls, url: str, username: str) -> Cache:
        """Return the cache of an account, as large as ``ALYX_CONNECTOR_CACHE_MB`` says.

        Parameters
        ----------
        url, username : str
            Server and user.

        Returns
        -------
        Cache
            Nothing was read or written yet.

        Raises
        ------
        ConfigurationError
            If ``ALYX_CONNECTOR_CACHE_MB`` is no size.
        """
        text = os.environ.get(SIZE_SETTING, "").strip() or str(_USUAL_MB)
        if not text.isdecimal():
            raise ConfigurationError(
                f"{SIZE_SETTING} is {text!r}, which is not a whole number of MB.",
                hint=f"Set it to a number such as {_USUAL_MB}, to 0 for no cache, or leave it out.",
                setting=SIZE_SETTING,
            )
        name = hashlib.sha256(f"{url}\n{username}".encode()).hexdigest()[:24]
        return cls(home_folder() / "cache" / f"records-{name}-v{VERSION}.sqlite", int(text) * 1_000_000)

    def __repr__(self) -> str:
        """Return where it is."""
        return f"<Cache {self._path}>"

    @property
    def path(self) -> Path:
        """The file; it need not exist."""
        return self._path

    @property
    def size(self) -> int:
        """How large it is on disk, in bytes; 0 if there is none."""
        return sum(path.stat().st_size for path in self._files() if path.exists())

    def clear(self) -> None:
        """Remove all that is kept; searches that are under way go on, and the next one fetches anew.

        Raises
        ------
        ConfigurationError
            If the file cannot be changed.
        """
        if not self._path.exists():
            return
        try:
            with self._locked():
                with suppress(sqlite3.DatabaseError):
                    self._empty()
                    return
                self._remove_files()
        except (OSError, sqlite3.Error, filelock.Timeout) as error:
            raise ConfigurationError(
                f"{self._path} cannot be cleared: {reason_of(error)}.",
                hint="Close other programs that use Alyx, or remove the file by hand.",
                setting="cache",
            ) from error

    def remove(self) -> None:
        """Remove all that is kept, and the file where no other program has it open.

        Raises
        ------
        ConfigurationError
            If the file cannot be changed.
        """
        self.clear()
        with suppress(OSError, sqlite3.Error, filelock.Timeout):
            if self._path.exists():
                with self._locked():
                    # Refused while others have it open: they would go on with a file that nobody finds.
                    self._alone()
                    self._remove_files()

    @contextmanager
    def opened(self, tell: Tell) -> Iterator[Store]:
        """Open it for one search.

        Returns: to read and write, by this thread; one that keeps nothing where it cannot be used.
        ``tell``: takes a sentence where it cannot be used, or was damaged.
        """
        store = Store(self._connect if self._limit else None, self._rebuild, self._limit, self._path, tell)
        try:
            yield store
        finally:
            store.close()

    def _files(self) -> list[Path]:
        return _files_of(self._path)

    def _remove_files(self) -> None:
        for path in self._files():
            path.unlink(missing_ok=True)

    def _remove_older(self) -> None:
        ending = f"-v{VERSION}.sqlite"
        if self._path.name.endswith(ending):
            for number in range(1, VERSION):
                older = self._path.with_name(self._path.name.removesuffix(ending) + f"-v{number}.sqlite")
                # Refused while an older program has it open: a later search removes it.
                with suppress(OSError):
                    for path in _files_of(older):
                        path.unlink(missing_ok=True)

    def _locked(self) -> filelock.BaseFileLock:
        return filelock.FileLock(self._path.with_name(self._path.name + ".lock"), timeout=BUSY_S, mode=0o600)

    def _connect(self) -> sqlite3.Connection:
        make_private_folder(self._path.parent)
        with self._locked():
            self._remove_older()
            # SQLite gives its other files the mode of this one.
            make_private_file(self._path)
            return open_database(self._path)

    def _rebuild(self) -> sqlite3.Connection:
        with self._locked():
            # Another program may have done it meanwhile.
            try:
                return open_database(self._path, check=True)
            except sqlite3.DatabaseError:
                self._remove_files()
        return self._connect()

    def _empty(self) -> None:
        database = open_database(self._path)
        try:
            database.execute("DELETE FROM kept")
            shrink(database)
        finally:
            database.close()

    def _alone(self) -> None:
        database = sqlite3.connect(self._path, timeout=0, isolation_level=None)
        try:
            database.execute("PRAGMA journal_mode = DELETE").fetchall()
        finally:
            database.close()


def _files_of(path: Path) -> list[Path]:
    return [path.with_name(path.name + end) for end in ("", "-wal", "-shm")]
