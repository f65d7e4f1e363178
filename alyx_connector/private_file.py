"""Small JSON files of the user: private, written as a whole, safe with several programs at once."""

from __future__ import annotations

import json
import os
import tempfile
import threading
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import TYPE_CHECKING, Any

import filelock
import platformdirs

from alyx_connector.errors import ConfigurationError
from alyx_connector.whole_file import replace_file, sync_folder

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

__all__ = ["HOME_SETTING", "JsonFile", "home_folder", "make_private_file", "make_private_folder"]


#: Environment variable that names another folder for everything that is kept.
HOME_SETTING = "ALYX_CONNECTOR_HOME"
#: Seconds to wait for another program that is writing the same file.
LOCK_TIMEOUT_S = 10.0
#: What reading a damaged file ends with.
_DAMAGED = (ValueError, TypeError, AttributeError, RecursionError)


def home_folder() -> Path:
    """Say where everything is kept.

    Returns: ``ALYX_CONNECTOR_HOME`` if set, else the user's data folder of this system, ``alyx-connector`` in it.
    """
    chosen = os.environ.get(HOME_SETTING, "").strip()
    return Path(chosen).expanduser() if chosen else platformdirs.user_data_path("alyx-connector", appauthor=False)


def make_private_folder(folder: Path) -> None:
    """Make a folder, and those above it, that only its owner can enter; existing ones are left as they are.

    Parameters
    ----------
    folder : Path
        The folder.

    Raises
    ------
    NotADirectoryError
        If something else stands in its place.
    OSError
        If it cannot be made.
    """
    missing = [path for path in (folder, *folder.parents) if not path.exists()]
    for path in reversed(missing):
        path.mkdir(mode=0o700, exist_ok=True)
    if not folder.is_dir():
        raise NotADirectoryError(20, "Not a directory", str(folder))


def make_private_file(path: Path) -> None:
    """Make a file that only its owner can read, or make one so that somebody copied or restored with a wider mode.

    Parameters
    ----------
    path : Path
        The file, of SQLite: what it keeps beside it, too. Its folder exists.

    Raises
    ------
    OSError
        If it cannot be made.
    """
    os.close(os.open(path, os.O_CREAT | os.O_RDWR, 0o600))
    if os.name != "posix":
        return
    for part in (path, *(path.with_name(path.name + end) for end in ("-wal", "-shm"))):
        with suppress(OSError):  # that of somebody else, or gone meanwhile
            if part.stat().st_mode & 0o077:
                part.chmod(0o600)


class JsonFile:
    """A JSON object in a file that only its owner can read.

    Writing replaces the file as a whole, under a lock that other programs respect. A file that cannot be understood
    is never overwritten: it is moved aside, and `notes` says where. What a program that was killed while it wrote left
    beside it is removed by the next change.

    ``path``: the file; it and its folder need not exist yet.
    ``check``: takes what the file holds, raises ValueError, TypeError or AttributeError if that is damaged. Anything
    else that it raises is passed on, and the file stays as it is.
    """

    def __init__(self, path: Path, check: Callable[[Any], None]) -> None:
        #: The file.
        self.path = path
        #: What the user should be told, for example that a damaged file was moved aside.
        self.notes: list[str] = []
        self._check = check
        self._threads = threading.RLock()
        #: Of the names of files that are being written, to take its place.
        self._prefix = f".{path.name}."

    @property
    def has_leftovers(self) -> bool:
        """Whether a program is writing it, or was killed while it wrote."""
        return bool(self._leftovers())

    def read(self) -> dict[str, Any]:
        """Read the file.

        Returns
        -------
        dict
            What it holds; empty if there is none.

        Raises
        ------
        ConfigurationError
            If it cannot be read.
        """
        try:
            try:  # it is always whole: who reads it, such as a window, waits for nobody who writes
                return self._understood(self.path.read_bytes())
            except FileNotFoundError:
                return {}
            except (PermissionError, *_DAMAGED):  # Windows refuses for the moment in which it is replaced
                if not os.access(self.path.parent, os.W_OK):
                    return self._load()  # nobody can write there, nor make the lock
                with self._locked():
                    return self._load()
        except OSError as error:
            raise self._unusable("read", error) from error

    def change(self, edit: Callable[[dict[str, Any]], None]) -> None:
        """Read the file, change what it holds, and write it; nobody else can write in between.

        Parameters
        ----------
        edit : callable
            Takes what the file holds and changes it in place. Where that changes nothing, nothing is written.

        Raises
        ------
        ConfigurationError
            If it cannot be written; it is then as it was.
        """
        try:
            make_private_folder(self.path.parent)
            with self._locked():
                self._remove_leftovers()
                before = self._load()
                after = json.loads(json.dumps(before))
                edit(after)
                if after != before:
                    self._write(after)
        except OSError as error:
            raise self._unusable("written", error) from error

    @contextmanager
    def _locked(self) -> Iterator[None]:
        lock = filelock.FileLock(self.path.with_name(self.path.name + ".lock"), timeout=LOCK_TIMEOUT_S, mode=0o600)
        try:
            with self._threads, lock:
                yield
        except filelock.Timeout as error:
            raise ConfigurationError(
                f"{self.path} is locked by another program for more than {LOCK_TIMEOUT_S:g} s.",
                hint="Close other programs that use Alyx, then try again.",
                setting=HOME_SETTING,
            ) from error

    def _load(self) -> dict[str, Any]:
        try:
            text = self.path.read_bytes()
        except FileNotFoundError:
            return {}
        try:
            return self._understood(text)
        except _DAMAGED:
            self._set_aside()
            return {}

    def _understood(self, text: bytes) -> dict[str, Any]:
        self._make_private()
        content = json.loads(text)
        if not isinstance(content, dict):
            raise TypeError("not an object")
        self._check(content)
        return content

    def _make_private(self) -> None:
        # Someone may have copied or restored it with a wider mode.
        if os.name == "posix" and self.path.stat().st_mode & 0o077:
            self.path.chmod(0o600)

    def _set_aside(self) -> None:
        number = 1
        while (aside := self.path.with_name(f"{self.path.name}.damaged-{number}")).exists():
            number += 1
        replace_file(self.path, aside)
        self.notes.append(f"{self.path} was damaged; it was moved to {aside} and replaced by a new one.")

    def _leftovers(self) -> list[Path]:
        # No pattern: the folder's own name may hold the letters of one.
        folder = self.path.parent
        return [path for path in folder.iterdir() if path.name.startswith(self._prefix)] if folder.is_dir() else []

    def _remove_leftovers(self) -> None:
        # Only who holds the lock writes: none of them is in use.
        for path in self._leftovers():
            with suppress(OSError):  # Windows refuses while a virus scanner reads it; the next change removes it
                path.unlink()

    def _write(self, content: dict[str, Any]) -> None:
        # mkstemp makes the file with mode 0600: at no time can anybody else read it.
        handle, name = tempfile.mkstemp(dir=self.path.parent, prefix=self._prefix)
        try:
            with open(handle, "w", encoding="utf-8") as file:
                json.dump(content, file, indent=1)
                file.flush()
                os.fsync(file.fileno())
            replace_file(Path(name), self.path)
        except BaseException:
            Path(name).unlink(missing_ok=True)
            raise
        sync_folder(self.path.parent)

    def _unusable(self, verb: str, error: OSError) -> ConfigurationError:
        return ConfigurationError(
            f"{self.path} cannot be {verb}: {error.strerror or error}.",
            hint=f"Make its folder writable, or name another folder in {HOME_SETTING}.",
            setting=HOME_SETTING,
        )
