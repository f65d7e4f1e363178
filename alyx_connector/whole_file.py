"""Files that are written whole or not at all, and the one way in which a file takes the place of another."""

from __future__ import annotations

import logging
import os
import tempfile
import time
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

from alyx_connector.errors import ConfigurationError

if TYPE_CHECKING:
    from collections.abc import Iterator

__all__ = ["check_target", "replace_file", "sync_folder", "whole_file"]

logger = logging.getLogger(__name__)

#: How often a file is put in place before the refusal counts, and the seconds between two tries. Windows refuses while
#: another program, such as a virus scanner, has the file open; that is over soon. Elsewhere a refusal is final.
TRIES = 20 if os.name == "nt" else 1
PAUSE_S = 0.05


def replace_file(source: Path, target: Path) -> None:
    """Put a file in the place of another, in the same folder; OSError where the system refuses."""
    for _ in range(TRIES - 1):
        try:
            os.replace(source, target)
        except PermissionError:
            time.sleep(PAUSE_S)
        else:
            return
    os.replace(source, target)


def sync_folder(folder: Path) -> None:
    """Wait until the disk has what was put into a folder, where the system can tell."""
    try:
        handle = os.open(folder, os.O_RDONLY)
    except OSError:  # Windows opens no folders
        return
    try:
        os.fsync(handle)
    except OSError as error:  # the files themselves are safe
        logger.warning("%s: %s", folder, error)
    finally:
        os.close(handle)


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
        why = "it is not a regular file"  # replacing /dev/null would harm the whole system
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
            replace_file(written, target)
        except BaseException:
            written.unlink(missing_ok=True)
            raise
    except OSError as error:
        raise ConfigurationError(
            f"{path} cannot be written: {error.strerror or error}.",
            hint="Choose another folder or name; if the file is open in another program, close it there.",
            setting="path",
        ) from error


def _usual_mode() -> int:
    # mkstemp makes files for their owner alone; the system tells its mask only to those who set it.
    mask = os.umask(0o077)
    os.umask(mask)
    return 0o666 & ~mask
