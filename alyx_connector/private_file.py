"""Small JSON files of the user: private, written as a whole, safe with several programs at once."""

from __future__ import annotations

import json
import os
import tempfile
import threading
import time
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

import filelock
import platformdirs

from alyx_connector.errors import ConfigurationError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

__all__ = ["HOME_SETTING", "JsonFile", "check_target", "home_folder", "make_private_folder", "whole_file"]


#: Environment variable that names another folder for everything that is kept.
HOME_SETTING = "ALYX_CONNECTOR_HOME"
#: Seconds to wait for another program that is writing the same file.
LOCK_TIMEOUT_S = 10.0


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


class JsonFile:
    """A JSON object in a file that only its owner can read.

    Writing replaces the file as a whole, under a lock that other programs respect. A file that cannot be understood
    is never overwritten: it is moved aside, and `notes` says where.

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
            if not self.path.exists():
                return {}
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
        self._make_private()
        try:
            content = json.loads(text)
            if not isinstance(content, dict):
                raise TypeError("not an object")
            self._check(content)
        except (ValueError, TypeError, AttributeError, RecursionError):
            self._set_aside()
            return {}
        return content

    def _make_private(self) -> None:
        # Someone may have copied or restored it with a wider mode.
        if os.name == "posix" and self.path.stat().st_mode & 0o077:
            self.path.chmod(0o600)

    def _set_aside(self) -> None:
        number = 1
        while (aside := self.path.with_name(f"{self.path.name}.damaged-{number}")).exists():
            number += 1
        self._replace(self.path, aside)
        self.notes.append(f"{self.path} was damaged; it was moved to {aside}, and a new one is begun.")

    def _write(self, content: dict[str, Any]) -> None:
        # mkstemp makes the file with mode 0600: at no time can anybody else read it.
        handle, name = tempfile.mkstemp(dir=self.path.parent, prefix=f".{self.path.name}.")
        try:
            with open(handle, "w", encoding="utf-8") as file:
                json.dump(content, file, indent=1)
                file.flush()
                os.fsync(file.fileno())
            self._replace(Path(name), self.path)
        except BaseException:
            Path(name).unlink(missing_ok=True)
            raise
        if os.name == "posix":
            folder = os.open(self.path.parent, os.O_RDONLY)
            try:
                os.fsync(folder)
            finally:
                os.close(folder)

    @staticmethod
    def _replace(source: Path, target: Path) -> None:
        # Windows refuses while another program, a virus scanner say, has the file open; that is over soon.
        for _ in range(20 if os.name == "nt" else 0):
            try:
                os.replace(source, target)
            except PermissionError:
                time.sleep(0.05)
            else:
                return
        os.replace(source, target)

    def _unusable(self, verb: str, error: OSError) -> ConfigurationError:
        return ConfigurationError(
            f"{self.path} cannot be {verb}: {error.strerror or error}.",
            hint=f"Make its folder writable, or name another folder in {HOME_SETTING}.",
            setting=HOME_SETTING,
        )


def check_target(path: str | Path) -> Path:
    """Refuse what a file cannot replace, before much work is done for it.

    Parameters
    ----------
    path : str or Path
        Where a file is to be written.

    Returns
    -------
    Path
        The file itself, where a link leads to it.

    Raises
    ------
    ConfigurationError
        If it is a folder, a device or a pipe, or if its folder does not exist.
    """
    target = Path(os.path.realpath(path))
    if target.is_dir():
        why = "it is a folder"
    elif target.exists() and not target.is_file():
        why = "it is no file"  # replacing /dev/null would harm the whole system
    elif not target.parent.is_dir():
        why = f"there is no folder {target.parent}"
    else:
        return target
    raise ConfigurationError(f"{path} cannot be written: {why}.", hint="Name another file.", setting="path")


@contextmanager
def whole_file(path: str | Path) -> Iterator[Path]:
    """Give a file to write to; what was written takes the place of another at the end, unless something failed.

    Parameters
    ----------
    path : str or Path
        The file; one that is there is replaced as a whole.

    Yields
    ------
    Path
        An empty file beside it, to write to.

    Raises
    ------
    ConfigurationError
        If it cannot be written; what was there is as it was.
    """
    target = check_target(path)
    try:
        handle, name = tempfile.mkstemp(dir=target.parent, prefix=f".{target.name[:100]}.")
        os.close(handle)
        written = Path(name)
        try:
            yield written
            written.chmod(target.stat().st_mode & 0o777 if target.exists() else _usual_mode())
            os.replace(written, target)
        except BaseException:
            written.unlink(missing_ok=True)
            raise
    except OSError as error:
        raise ConfigurationError(
            f"{path} cannot be written: {error.strerror or error}.", hint="Name another file.", setting="path"
        ) from error


def _usual_mode() -> int:
    # mkstemp makes files for their owner alone; the system tells its mask only to those who set it.
    mask = os.umask(0o077)
    os.umask(mask)
    return 0o666 & ~mask
