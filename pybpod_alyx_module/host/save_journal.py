"""What a save of a project changes, written down before: a save that failed or was killed is taken back.

PyBpod writes its files one after the other in their places, setups by the names of their subjects, and the project's
own file last. Killed in between, it would leave half a file, or an animal whose folder has one name and whose setup
names another.
"""

from __future__ import annotations

import contextlib
import json
import logging
import os
import shutil
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import filelock

from alyx_connector.errors import ConfigurationError
from alyx_connector.whole_file import sync_folder, whole_file
from pybpod_alyx_module.host.subject_file import STAGING
from pybpod_alyx_module.sync.audit import FILE, append_rows
from pybpod_alyx_module.sync.last_sync import UNDO_FILE, LastSync, write_last_sync

if TYPE_CHECKING:
    from collections.abc import Sequence

logger = logging.getLogger(__name__)

#: Where the folders of removed subjects go, in the project's folder.
REMOVED: Final = "removed"
#: Where a folder waits while two folders change names, or one changes the case of its name.
MOVING: Final = ".moving"
#: The journal, in the project's folder while a save goes on: a line of JSON each.
JOURNAL: Final = ".alyx-save.jsonl"
#: Beside it while a save goes on.
LOCK: Final = ".alyx-save.lock"
#: For so long a save that another PyBpod is at is waited for, in seconds.
_PATIENCE_S: Final = 10.0
_SETUPS: Final = "experiments/*/setups/*"
#: Folders whose file of the same name PyBpod writes in place.
_WRITTEN: Final = ("users/*", "tasks/*", "boards/*", "experiments/*", _SETUPS)
#: Keys of PyBpod's files: what a file is of, and the names of a setup's subjects.
_ID: Final = "__UUID4__"
_SUBJECTS: Final = "subjects"


class SaveJournal:
    """The journal of one save: `begin`, any `move`, then `end`, or `take_back` where the save failed."""

    def __init__(self, path: str) -> None:
        self._project = Path(os.path.realpath(path))
        self._file = self._project / JOURNAL
        self._own = self._project / f"{Path(path).name}.json"
        self._lock = filelock.FileLock(self._project / LOCK)
        #: Of the files that PyBpod writes in place: their text, by path from the project.
        self._texts: dict[str, str] = {}
        #: When the project's own file was written.
        self._written_at: int | None = None
        #: From where to where, by number; without those that were taken back.
        self._moves: dict[int, tuple[Path, Path]] = {}
        self._count = 0
        self._syncs: Sequence[Sequence[str]] = ()
        #: What an undo needs, with folders where this save moved them; None where the last save kept it.
        self.last_sync: LastSync | None = None

    def begin(self, syncs: Sequence[Sequence[str]] = (), last_sync: LastSync | None = None) -> None:
        """Write down what the project is like; OSError where that is refused, or another PyBpod is saving it.

        ``syncs``: what syncs changed since the last save, see `sync.audit`; `end` adds it to the project's table.
        ``last_sync``: what an undo needs, where that is new; `end` keeps it in the project.
        """
        self._syncs, self.last_sync = syncs, last_sync
        self._take_lock()
        try:
            texts = {self._relative(file): _whole_text(file) for file in self._files()}
            self._texts = {name: text for name, text in texts.items() if text is not None}
            self._written_at = _written_at(self._own)
            self._file.unlink(missing_ok=True)
            undo = None if last_sync is None else last_sync.as_record()
            self._append(version=1, written_at=self._written_at, texts=self._texts, syncs=syncs, last_sync=undo)
            sync_folder(self._project)
        except OSError as error:
            self._leave_lock()
            raise OSError(
                f"{self._file} could not be written: {error.strerror or error}. Nothing was changed. Make room on "
                "the disk, or give yourself the right to write there."
            ) from error

    def move(self, source: Path, target: Path) -> None:
        """Move a file or folder to where nothing is."""
        number, self._count = self._count, self._count + 1
        self._append(move=number, source=self._relative(source), target=self._relative(target))
        self._moves[number] = source, target
        shutil.move(str(source), str(target))

    def end(self) -> str:
        """Add the syncs to the project's table, keep what an undo needs, and forget the rest: everything is saved.

        Returns: why the syncs could not be added, empty where they were.
        """
        try:
            if self.last_sync is not None:
                moves = {self._relative(source): self._relative(target) for source, target in self._moves.values()}
                self.last_sync = self.last_sync.moved(moves)
            return self._add(self._syncs, self.last_sync)
        finally:
            self._close(forget=True)

    def add_syncs(self, syncs: Sequence[Sequence[str]], last_sync: LastSync | None) -> str:
        """Add syncs to the table of a project that was saved to a new place; see `end`."""
        try:
            self._take_lock()
        except OSError as error:
            return str(error)
        try:
            return self._add(syncs, None if last_sync is None else last_sync.elsewhere())
        finally:
            self._leave_lock()

    def take_back(self) -> list[Path]:
        """Move everything back, put back files that name what was moved or are half written, and forget it.

        Returns: what was put back, where it is now; empty if nothing had changed. What is refused is logged, and tried
        again when the project is opened.
        """
        back = []
        had_moves = bool(self._moves)
        for number, (source, target) in sorted(self._moves.items(), reverse=True):
            try:
                if os.path.lexists(target):
                    self._move_back(source, target, is_last=number == self._count - 1)
                    back.append(source)
                self._append(back=number)
            except OSError:
                logger.exception("%s could not be moved back to %s", target, source)
            else:
                del self._moves[number]
        back += self._restore(self._texts, names=had_moves)
        self._close(forget=not self._moves)
        return back

    def take_back_of_killed(self) -> list[Path]:
        """Take back what a PyBpod left half done that was killed while it saved; see `take_back`."""
        leftovers = list(self._project.glob(f"{STAGING}*"))
        if not leftovers and not self._file.exists():
            return []
        try:
            self._take_lock()
        except OSError as error:  # a save that is going on
            logger.warning("%s", error)
            return []
        try:
            for folder in leftovers:
                shutil.rmtree(folder, ignore_errors=True)
            self._load()
            if _written_at(self._own) == self._written_at:
                return self.take_back()
            own = self._relative(self._own)  # written last: all else is saved, or the project was saved since
            self._restore({own: self._texts[own]} if own in self._texts else {}, names=False)
            self.end()
            return []
        finally:
            self._leave_lock()

    def _add(self, syncs: Sequence[Sequence[str]], last_sync: LastSync | None) -> str:
        try:
            append_rows(self._project, syncs)
            if last_sync is not None:
                write_last_sync(self._project, last_sync.as_record())
        except (ConfigurationError, OSError, ValueError) as error:
            logger.exception("The syncs could not be added to %s", self._project / FILE)
            return (
                f"The project was saved, but what the last sync changed is not listed in {self._project / FILE} and "
                f"{UNDO_FILE} beside it: {error} Close what has that file open; the next save adds it."
            )
        return ""

    def _take_lock(self) -> None:
        try:
            self._lock.acquire(timeout=_PATIENCE_S)
        except filelock.Timeout as error:
            raise OSError(
                f"Another PyBpod is saving the project in {self._project}. Wait until it is done, then save again."
            ) from error
        except NotImplementedError as error:  # some network folders know no locks
            logger.warning("%s cannot be locked: %s", self._project, error)

    def _leave_lock(self) -> None:
        if self._lock.is_locked:
            with contextlib.suppress(OSError):  # Windows deletes no open file, and filelock deletes it there
                os.unlink(self._lock.lock_file)
            self._lock.release()

    def _close(self, *, forget: bool) -> None:
        try:
            for folder in (MOVING, REMOVED):
                with contextlib.suppress(OSError):  # not there, or in use, as it should be
                    (self._project / folder).rmdir()
            if forget:
                self._file.unlink(missing_ok=True)
        except OSError:  # the project's own file tells that the save went well
            logger.exception("%s could not be deleted", self._file)
        finally:
            self._leave_lock()

    def _append(self, **entry: Any) -> None:
        with self._file.open("a", encoding="utf-8") as stream:
            stream.write(json.dumps(entry) + "\n")
            stream.flush()
            os.fsync(stream.fileno())

    def _load(self) -> None:
        # Its last line may be half written: what that tells was not begun.
        try:
            lines = self._file.read_text("utf-8").splitlines(keepends=True)
            head, *entries = [json.loads(line) for line in lines if line.endswith("\n")]
            self._texts, self._written_at = head["texts"], head["written_at"]
            self._syncs = head.get("syncs", ())
            for entry in entries:
                if "back" in entry:
                    del self._moves[entry["back"]]
                else:
                    self._moves[entry["move"]] = self._project / entry["source"], self._project / entry["target"]
                    self._count = entry["move"] + 1
            if head.get("last_sync") is not None:
                self.last_sync = LastSync.of(head["last_sync"])
        except (FileNotFoundError, ValueError, KeyError, TypeError):  # killed before it was written
            logger.info("%s says nothing yet", self._file)

    def _move_back(self, source: Path, target: Path, *, is_last: bool) -> None:
        if os.path.lexists(source) and not os.path.samefile(source, target):
            if is_last:
                return  # it was being copied to another disk: the whole one is still there
            aside = free_place(self._project / REMOVED / source.name)  # of a subject that this save made
            aside.parent.mkdir(exist_ok=True)
            shutil.move(str(source), str(aside))
        source.parent.mkdir(parents=True, exist_ok=True)
        shutil.move(str(target), str(source))

    def _restore(self, texts: dict[str, str], *, names: bool) -> list[Path]:
        # names: whether setups must name their subjects as they did. All else that was saved meanwhile stays.
        old = [json.loads(text) for text in texts.values()] if names else []
        subjects = {content.get(_ID): content.get(_SUBJECTS) for content in old}
        restored = []
        for file in self._files():
            text, found = None, _whole_text(file)
            if found is None:
                text = texts.get(self._relative(file))
            elif file.parent.match(_SETUPS):
                content = json.loads(found)
                named = subjects.get(content.get(_ID), content.get(_SUBJECTS))
                if named != content.get(_SUBJECTS):
                    text = json.dumps({**content, _SUBJECTS: named}, indent=4)
            if text is None:
                continue
            try:
                with whole_file(file) as written:
                    written.write_text(text, "utf-8")
            except ConfigurationError:
                logger.exception("%s could not be put back", file)
            else:
                restored.append(file)
        return restored

    def _files(self) -> list[Path]:
        folders = [folder for pattern in _WRITTEN for folder in sorted(self._project.glob(pattern))]
        files = [folder / f"{folder.name}.json" for folder in folders]
        return [file for file in (*files, self._own) if file.is_file()]

    def _relative(self, path: Path) -> str:
        return path.relative_to(self._project).as_posix()


def free_place(wanted: Path) -> Path:
    """Return a path where nothing is: the wanted one, with the date or a number behind where that is taken."""
    if not os.path.lexists(wanted):
        return wanted
    dated = wanted.with_name(f"{wanted.name}_{datetime.now().astimezone():%Y-%m-%d}")
    candidate, number = dated, 1
    while os.path.lexists(candidate):
        number += 1
        candidate = dated.with_name(f"{dated.name}_{number}")
    return candidate


def _whole_text(file: Path) -> str | None:
    # None where it is not what PyBpod writes.
    try:
        text = file.read_text("utf-8")
        return text if isinstance(json.loads(text), dict) else None
    except (ValueError, RecursionError):
        return None


def _written_at(file: Path) -> int | None:
    try:
        return file.stat().st_mtime_ns
    except FileNotFoundError:
        return None
