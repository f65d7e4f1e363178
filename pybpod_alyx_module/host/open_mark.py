"""Who has a project open: each PyBpod holds a locked file in its folder, which the system unlocks if it dies."""

from __future__ import annotations

import atexit
import contextlib
import logging
import os
import re
import socket
from pathlib import Path
from typing import TYPE_CHECKING, Final
from uuid import uuid4

import filelock

if TYPE_CHECKING:
    from collections.abc import Iterator

logger = logging.getLogger(__name__)

_PREFIX: Final = ".alyx-open"
_MARK: Final = re.compile(rf"{re.escape(_PREFIX)}-(?P<computer>[\w.-]+)-(?P<process>\d+)-[0-9a-f]+\.lock")


class OpenMark:
    """Marks a project's folder as open in this process, until `take_away` or the end of the process."""

    def __init__(self, project: str) -> None:
        self.folder = Path(os.path.realpath(project))
        # the last part: one process may have a project open twice
        self.file = self.folder / f"{_PREFIX}-{_computer()}-{os.getpid()}-{uuid4().hex[:8]}.lock"
        self._lock = filelock.FileLock(self.file)

    def put(self) -> None:
        """Put the mark there, and delete those of processes that died.

        Where the folder takes none, nobody can see that the project is open.
        """
        open_elsewhere(str(self.folder), self)
        atexit.register(self.take_away)
        try:
            while not self.file.exists():  # who took it for an old one may have deleted it before it was locked
                self._lock.release(force=True)
                self._lock.acquire(timeout=1)
        except NotImplementedError:  # some network folders know no locks: that the file is there must do
            logger.info("%s cannot be locked", self.file)
        except (OSError, filelock.Timeout):
            logger.warning("The project in %s is not marked as open", self.folder, exc_info=True)

    def take_away(self) -> None:
        """Take the mark away; again it does nothing."""
        atexit.unregister(self.take_away)
        for _again in range(2):  # Windows deletes no open file
            with contextlib.suppress(OSError):
                self.file.unlink(missing_ok=True)
            self._lock.release(force=True)


def open_elsewhere(project: str, mine: OpenMark | None = None) -> list[str]:
    """Return who else has a project open, such as "on RIG1, process 1234"; marks of those that died are deleted.

    ``mine``: the mark of the project in this process.
    """
    return [
        f"on {mark['computer']}, process {mark['process']}: {mark.string}"
        for mark in _marks(project)
        if mine is None or mark.string != mine.file.name
    ]


def open_in_another_pybpod(project: str) -> list[str]:
    """Return which other PyBpods have a project open, such as "on RIG1 (process 1234)"."""
    own = _computer(), str(os.getpid())
    others = [mark for mark in _marks(project) if (mark["computer"], mark["process"]) != own]
    return [f"on {mark['computer']} (process {mark['process']})" for mark in others]


def _marks(project: str) -> Iterator[re.Match[str]]:
    for file in sorted(Path(os.path.realpath(project)).glob(f"{_PREFIX}-*.lock")):
        mark = _MARK.fullmatch(file.name)
        if mark and not _is_left_over(file):
            yield mark


def _computer() -> str:
    return re.sub(r"[^\w.-]", "_", socket.gethostname()) or "unknown"


def _is_left_over(file: Path) -> bool:
    lock = filelock.FileLock(file)
    try:
        lock.acquire(timeout=0)
    except (filelock.Timeout, OSError, NotImplementedError):
        return False
    with contextlib.suppress(OSError):
        file.unlink(missing_ok=True)
    lock.release()
    with contextlib.suppress(OSError):
        file.unlink(missing_ok=True)
    return True
