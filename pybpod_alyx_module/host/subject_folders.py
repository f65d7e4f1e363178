"""The folders of subjects on disk: moved when a subject got another name or left the project, never deleted."""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING
from uuid import uuid4

from pybpod_alyx_module.host.save_journal import MOVING, REMOVED, SaveJournal, free_place

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping


class FolderError(OSError):
    """A subject's folder could not be moved."""


def subject_folder(project: str, name: str) -> Path:
    """Return where PyBpod keeps a subject.

    Returns: the subject's folder, with the project's links resolved, so that two spellings of one place are equal.
    """
    return Path(os.path.realpath(project), "subjects", name)


class FolderMoves:
    """Moves within one project, while it is saved.

    ``journal``: where they are written down, begun; it takes them back, too.
    """

    def __init__(self, project: str, journal: SaveJournal) -> None:
        self._project = Path(os.path.realpath(project))
        self._journal = journal

    def remove(self, folder: Path) -> Path:
        """Move a folder of subjects to ``removed``.

        Parameters
        ----------
        folder : Path
            The subject's folder.

        Returns
        -------
        Path
            Where it is now: under its name, with the date or a number behind where that is taken.

        Raises
        ------
        FolderError
            It could not be moved.
        """
        target = free_place(self._project / REMOVED / folder.name)
        self._move(folder, target)
        return target

    def rename(self, wanted: Mapping[Path, Path], staying: Collection[str]) -> list[tuple[Path, Path]]:
        """Move folders to other names, even if they swap them or only their case changes.

        Parameters
        ----------
        wanted : mapping
            Folder as it is to folder as it shall be; the subject's JSON file within is renamed alike.
        staying : collection of str
            Folders of the project's other subjects, which stay.

        Returns
        -------
        list of tuple
            Folders of no subject that were in the way: where they were and where they are, in ``removed``.

        Raises
        ------
        FolderError
            A folder could not be moved, or the disk takes its new name for that of another subject.
        """
        waiting = {source: (source.name, target) for source, target in wanted.items()}
        aside = []
        while waiting:
            free = [source for source, (_name, target) in waiting.items() if not os.path.lexists(target)]
            if free:
                name, target = waiting.pop(free[0])
                self._move(free[0], target)
                self._rename_json(target, name)
                continue
            source, (name, target) = next(iter(waiting.items()))
            if any(_same(target, other) for other in waiting):
                del waiting[source]
                parked = self._project / MOVING / uuid4().hex
                self._move(source, parked)
                waiting[parked] = (name, target)
            elif any(_same(target, other) for other in staying):
                raise FolderError(
                    f"The folder {source} cannot become {target}: for this disk that is the folder of another subject. "
                    "Nothing was moved and nothing was saved. Rename one of the two subjects, then save the project "
                    "again."
                )
            else:
                aside.append((target, self.remove(target)))
        return aside

    def _rename_json(self, folder: Path, old: str) -> None:
        source, target = folder / f"{old}.json", folder / f"{folder.name}.json"
        if str(source) == str(target) or not os.path.lexists(source):
            return
        if os.path.lexists(target) and not _same(source, target):
            self._move(target, free_place(folder / f"{folder.name}.json.kept"))
        self._move(source, target)

    def _move(self, source: Path, target: Path) -> None:
        try:
            target.parent.mkdir(parents=True, exist_ok=True)
            self._journal.move(source, target)
        except OSError as error:
            raise FolderError(
                f"The folder {source} could not be moved to {target}: {error.strerror or error}. Nothing was moved and "
                "nothing was saved. Close what uses that folder, or give yourself the right to write there, then save "
                "the project again."
            ) from error


def _same(one: Path, other: Path | str) -> bool:
    try:
        return os.path.samefile(one, other)
    except OSError:
        return False
