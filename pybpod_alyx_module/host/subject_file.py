"""A subject's file on disk: written beside and put in place at once, and kept when it is damaged."""

from __future__ import annotations

import json
import os
import shutil
from contextlib import contextmanager
from typing import TYPE_CHECKING, Final
from uuid import uuid4

from alyx_connector.whole_file import replace_file, sync_folder

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

#: Prefix of the folder in which a save happens: within the subject's own, or the project's for a subject that has none
#: yet. PyBpod looks into neither, so that one left by a killed PyBpod does no harm.
STAGING: Final = ".saving-"


class SubjectFileError(OSError):
    """A subject's file could not be written; the one on disk is as it was."""


@contextmanager
def staging_of(project: Path) -> Iterator[Path]:
    """Give a folder within a project's, in which the files of all its subjects are written; it is gone at the end."""
    staging = project / f"{STAGING}{uuid4().hex}"
    staging.mkdir()
    try:
        yield staging
    finally:
        shutil.rmtree(staging, ignore_errors=True)


@contextmanager
def staged(folder: Path, shared: Path | None = None) -> Iterator[Path]:
    """Give a folder to write to, whose files take their places in ``folder`` when the block ends well.

    PyBpod opens a subject's file for writing before it knows what to write: a value that is not JSON, a full disk or a
    kill would leave half a file, and the next start of PyBpod would give the subject a new identity.

    Parameters
    ----------
    folder : Path
        The subject's folder; made when it is missing.
    shared : Path, optional
        What `staging_of` gave; a folder for each of hundreds of subjects takes longer than their files. Only the
        subject's own file takes its place then.

    Yields
    ------
    Path
        The folder to write to; an empty one where none is shared.

    Raises
    ------
    OSError
        The disk refused something; ``folder`` is as it was, unless it refused between two files.
    """
    new = not folder.exists()
    if shared is not None and not new:
        yield shared
        name = f"{folder.name}.json"
        if _take_place(shared / name, folder / name):
            sync_folder(folder)
        return
    # A new folder is made whole, too: PyBpod takes every folder of subjects for a subject.
    staging = (folder.parent.parent if new else folder) / f"{STAGING}{uuid4().hex}"
    staging.mkdir(parents=True)
    try:
        yield staging
        if new:
            _make(staging, folder)
            changed = True
        else:
            changed = _commit(staging, folder)
    finally:
        shutil.rmtree(staging, ignore_errors=True)
    if changed:
        sync_folder(folder.parent if new else folder)


def _make(staging: Path, folder: Path) -> None:
    for file in staging.rglob("*"):
        if file.is_file():
            _sync_file(file)
    sync_folder(staging)
    folder.parent.mkdir(exist_ok=True)
    os.rename(staging, folder)


def _commit(staging: Path, folder: Path) -> bool:
    changed = not folder.is_dir()
    folder.mkdir(exist_ok=True)
    for item in sorted(staging.iterdir()):
        target = folder / item.name
        changed |= _commit(item, target) if item.is_dir() else _take_place(item, target)
    return changed


def _take_place(item: Path, target: Path) -> bool:
    # Whether it is another; with hundreds of unchanged subjects the wait for the disk would be noticed.
    try:
        with open(target, "rb") as old, open(item, "rb") as new:
            if old.read() == new.read():
                return False
        shutil.copymode(target, item)
    except FileNotFoundError:
        pass
    _sync_file(item)
    replace_file(item, target)
    return True


def _sync_file(file: Path) -> None:
    handle = os.open(file, os.O_RDWR)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


def is_damaged(file: Path) -> bool:
    """Tell whether a subject's file is there and is not what PyBpod writes."""
    try:
        return not isinstance(json.loads(file.read_bytes()), dict)
    except FileNotFoundError:
        return False
    except (ValueError, RecursionError, OSError):
        return True


def keep_damaged(file: Path, folder: Path | None = None) -> Path | None:
    """Copy a damaged file aside, before a save puts another in its place.

    Returns: the copy, ``<name>.json.damaged`` with a number behind where that is taken; None when the file is gone.
    ``folder``: where to; beside the file without it.
    """
    if not file.is_file():
        return None
    beside = (folder or file.parent) / file.name
    copy, number = beside.with_name(f"{file.name}.damaged"), 1
    while os.path.lexists(copy):
        number += 1
        copy = beside.with_name(f"{file.name}.damaged{number}")
    shutil.copy2(file, copy)
    return copy
