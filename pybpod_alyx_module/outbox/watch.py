"""Tells whether anybody wrote to the outbox's file."""

from __future__ import annotations

import threading
from typing import TYPE_CHECKING

from pybpod_alyx_module.outbox.sqlite_file import connect, told

if TYPE_CHECKING:
    import sqlite3
    from pathlib import Path


class Watch:
    """Tells whether anybody, in any program, wrote to the file; may be used by several threads.

    Parameters
    ----------
    path : Path
        The file.
    """

    def __init__(self, path: Path) -> None:
        self._path = path
        self._lock = threading.Lock()
        self._connection: sqlite3.Connection | None = None
        self._seen: tuple[int, int] | None = None

    def changed(self) -> bool:
        """Tell whether anybody wrote since this was last asked.

        Returns
        -------
        bool
            True the first time.

        Raises
        ------
        OutboxError
            If the file cannot be read.
        """
        with self._lock, told(self._path, "read"):
            inode = self._path.stat().st_ino
            if self._connection is None or self._seen is None or self._seen[0] != inode:
                self._close()
                self._connection = connect(self._path)
            # It counts the commits of other connections: this one makes none.
            now = (inode, int(self._connection.execute("PRAGMA data_version").fetchone()[0]))
            before, self._seen = self._seen, now
            return now != before

    def close(self) -> None:
        """Close the file; it is opened again when it is needed."""
        with self._lock:
            self._close()

    def _close(self) -> None:
        if self._connection is not None:
            self._connection.close()
        self._connection = None
