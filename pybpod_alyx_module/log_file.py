"""The log of the plugin and its client: a file that stays small, private to its user, without passwords and tokens."""

from __future__ import annotations

import logging
import re
from contextlib import suppress
from logging.handlers import RotatingFileHandler
from pathlib import Path
from typing import Final

import filelock

from alyx_connector.private_file import home_folder, make_private_file, make_private_folder

logger = logging.getLogger(__name__)

#: In the folder of `alyx_connector.private_file.home_folder`.
FOLDER: Final = "log"
#: What the first of several programs writes.
FIRST_NAME: Final = "plugin.log"

#: A file is full at this size, in bytes; then it becomes the newest of the older ones.
FULL_AT: Final = 1_000_000
#: How many older ones are kept.
OLDER: Final = 4
#: So many PyBpods at once have a log each.
MOST_AT_ONCE: Final = 20

#: Whose records are kept.
_OURS: Final = ("pybpod_alyx_module", "alyx_connector")
_FORMAT: Final = "%(asctime)s %(levelname)-7s %(threadName)s %(name)s: %(message)s"
#: What Alyx's tokens look like, a token in a header, and what stands before the @ of an address.
_SECRET: Final = re.compile(r"\b[0-9a-f]{40}\b|(?<=\bToken )\S+|(?<=://)[^/\s@]+(?=@)", re.IGNORECASE)


def without_secrets(text: str) -> str:
    """Take out what looks like a token, or like a password in an address."""
    return _SECRET.sub("(removed)", text)


class _WithoutSecrets(logging.Formatter):
    """Nothing of ours puts a secret into a record; the text of an error that is not ours may hold one."""

    def format(self, record: logging.LogRecord) -> str:
        return without_secrets(super().format(record))


class _PrivateFile(RotatingFileHandler):
    """Makes each file private, and is silent where it cannot write: a full disk must not disturb a run."""

    def _open(self):  # type: ignore[no-untyped-def]
        make_private_file(Path(self.baseFilename))
        return super()._open()

    def handleError(self, record: logging.LogRecord) -> None:  # noqa: N802 - logging's name
        del record


class LogFile:
    """Writes what the plugin and its client log to a file in a folder, one of its own for each process.

    Two processes that rotate one file would take each other's lines. So the first takes ``plugin.log``, one that is
    there at the same time ``plugin-2.log``, and so on; the system frees the name when the process ends.

    ``folder``: the usual one if left out: ``log`` in the folder of outbox and accounts.
    """

    def __init__(self, folder: Path | None = None) -> None:
        self.folder = folder or home_folder() / FOLDER
        #: The file; None where nothing is written.
        self.path: Path | None = None
        self._lock: filelock.BaseFileLock | None = None
        self._handler: logging.Handler | None = None

    def start(self) -> None:
        """Begin to write; where that is not possible, only warn."""
        try:
            make_private_folder(self.folder)
            path = self._take_name()
            handler = _PrivateFile(
                path, maxBytes=FULL_AT, backupCount=OLDER, encoding="utf-8", errors="backslashreplace"
            )
        except (OSError, NotImplementedError) as error:
            logger.warning("The Alyx plugin writes no log in %s: %s", self.folder, error)
            self.stop()
            return
        handler.setLevel(logging.INFO)
        handler.setFormatter(_WithoutSecrets(_FORMAT))
        for name in _OURS:
            ours = logging.getLogger(name)
            if not ours.hasHandlers() and logging.lastResort is not None:
                ours.addHandler(logging.lastResort)  # warnings go to the terminal as they did without the file
            ours.addHandler(handler)
            if not ours.isEnabledFor(logging.INFO):
                ours.setLevel(logging.INFO)
        self.path, self._handler = path, handler

    def stop(self) -> None:
        """Write no more, and give the name back."""
        handler, self._handler, self.path = self._handler, None, None
        if handler is not None:
            for name in _OURS:
                logging.getLogger(name).removeHandler(handler)
            with suppress(OSError):  # the disk is full: what it still held is lost
                handler.close()
        lock, self._lock = self._lock, None
        if lock is not None:
            lock.release()

    def _take_name(self) -> Path:
        for number in range(1, MOST_AT_ONCE + 1):
            path = self.folder / (FIRST_NAME if number == 1 else f"plugin-{number}.log")
            lock = filelock.FileLock(path.with_suffix(".lock"), timeout=0, mode=0o600)
            try:
                lock.acquire()
            except filelock.Timeout:
                continue
            self._lock = lock
            return path
        raise OSError(f"{MOST_AT_ONCE} programs write one already")


#: That of this process.
_started: list[LogFile] = []


def start_log() -> bool:
    """Begin the log of this process; tell whether it begins now."""
    if _started:
        return False
    _started.append(LogFile())
    _started[0].start()
    return True


def where_is_log() -> str:
    """Say where the details of a fault are, to stand in a sentence."""
    return str(_started[0].path) if _started and _started[0].path is not None else "PyBpod's log"
