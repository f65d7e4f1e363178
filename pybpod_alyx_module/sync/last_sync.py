"""What the last sync of a project replaced, kept in the project so that it can be undone; see `sync.undo`."""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass, fields, replace
from pathlib import PurePosixPath
from typing import TYPE_CHECKING, Any, Final, TypeVar

from alyx_connector.whole_file import whole_file
from pybpod_alyx_module.errors import SyncError
from pybpod_alyx_module.sync.audit import SUBJECT_CHANGES, audit_rows
from pybpod_alyx_module.sync.plan import Action, Change, Listed, Place, SubjectCopy

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from pathlib import Path

    from pybpod_alyx_module.sync.apply import ProjectPort, Result

Kept = TypeVar("Kept")

#: Its name in the project's folder.
UNDO_FILE: Final = "alyx-last-sync.json"

#: What a file may hold, by how a field of the classes says it.
_KINDS: Final[dict[str, tuple[type, ...]]] = {"str": (str,), "int": (int,), "str | None": (str, type(None))}

#: Folders of a project in which the folder of a removed subject may be.
_HOMES: Final = ("subjects", "removed")


@dataclass(frozen=True)
class LastSync:
    """A sync that changed something."""

    #: Its number in the table of syncs.
    number: str
    #: When it was, ISO 8601 with offset.
    time: str
    server: str
    #: What can still be undone of it.
    changes: tuple[Change, ...] = ()
    #: When it was undone, ISO 8601 with offset; empty where it was not.
    undone: str = ""

    def moved(self, moves: Mapping[str, str]) -> LastSync:
        """Return it once a save has moved folders: from where to where, below the project's."""
        changes = (
            change
            if change.place is None
            else replace(
                change, place=replace(change.place, folder=moves.get(change.place.folder, change.place.folder))
            )
            for change in self.changes
        )
        return replace(self, changes=tuple(changes))

    def elsewhere(self) -> LastSync:
        """Return it for a project that was saved to a new place, where folders of removed subjects are not."""
        changes = (
            change if change.place is None else replace(change, place=replace(change.place, folder="", file=""))
            for change in self.changes
        )
        return replace(self, changes=tuple(changes))

    def as_record(self) -> dict[str, Any]:
        """Return it as a JSON object."""
        return {"version": 1, **asdict(self)}

    @classmethod
    def of(cls, record: Any) -> LastSync:
        """Return what `as_record` made; ValueError where it is something else."""
        try:
            if record["version"] != 1:
                raise ValueError("it is of another version")
            told = {name: value for name, value in record.items() if name != "version"}
            found = _checked(cls(**{**told, "changes": tuple(map(_change, record["changes"]))}))
        except (AttributeError, KeyError, TypeError, ValueError, RecursionError) as error:
            raise ValueError(f"it does not hold what PyBpod wrote ({type(error).__name__}: {error})") from error
        return found


def note_sync(project: ProjectPort, results: Sequence[Result], *, server: str, username: str, time: str) -> None:
    """Have a project keep what a sync changed, and what it needs to undo that; nothing where nothing changed.

    ``time``: of the sync, ISO 8601 with offset.
    """
    rows = audit_rows(results, server=server, username=username, time=time)
    if rows:
        changes = tuple(result.change for result in results if result.change is not None)
        project.note(rows, LastSync(rows[0][0], time, server, changes))


def read_last_sync(project: Path) -> LastSync | None:
    """Return what was kept of a project's last sync; None where there is none, SyncError where it cannot be read."""
    file = project / UNDO_FILE
    if not file.exists():
        return None
    try:
        return LastSync.of(json.loads(file.read_text("utf-8")))
    except OSError as error:
        raise SyncError(
            f"{file} cannot be read, so the last sync was not undone: {error.strerror or error}.",
            hint="Give yourself the right to read it, then undo again.",
        ) from error
    except (ValueError, RecursionError) as error:
        raise SyncError(
            f"{file} is damaged, so the last sync cannot be undone: {error}. Nothing was changed.",
            hint="The project itself is not affected. Change back by hand what should be as it was.",
        ) from error


def write_last_sync(project: Path, record: Mapping[str, Any]) -> None:
    """Keep the last sync in a project; ConfigurationError or OSError, and the file is as it was."""
    with whole_file(project / UNDO_FILE) as written:
        written.write_text(json.dumps(record), "utf-8")


def lost_folders(project: Path | None, last: LastSync) -> dict[str, str]:
    """Look on the disk for the folders of the subjects that a sync removed.

    Returns: for those that cannot come back, by Alyx id: why; empty where all can.
    """
    found = {}
    for change in last.changes:
        if change.place is not None and change.place.folder:
            reason = "the project was never saved" if project is None else _why_lost(project, change, change.place)
            if reason:
                found[change.identity] = reason
    return found


def _why_lost(project: Path, change: Change, place: Place) -> str:
    parts = PurePosixPath(place.folder).parts
    if len(parts) != 2 or parts[0] not in _HOMES or parts[1] == ".." or PurePosixPath(place.file).name != place.file:
        return f"{UNDO_FILE} names no folder of this project for it"
    file = project.joinpath(*parts, place.file)
    try:
        content = json.loads(file.read_bytes())
        known = content["__UUID4__"], content.get("alyx_id")
    except OSError as error:
        return f"{file} cannot be read ({error.strerror or error})"
    except (ValueError, RecursionError, KeyError, TypeError, AttributeError):
        return f"{file} is damaged"
    same = known[0] == place.uuid4 and known[1] in {None, change.identity}
    return "" if same else f"{file} is of another subject now"


def _change(record: Mapping[str, Any]) -> Change:
    action = Action(record["action"])
    before, after, place = (record[name] for name in ("before", "after", "place"))
    found = Change(
        action,
        None if before is None else _copy(before),
        None if after is None else _copy(after),
        None if place is None else _place(place),
    )
    has = (found.before is not None, found.after is not None, found.place is not None)
    if action not in SUBJECT_CHANGES or has != {
        Action.ADD: (False, True, False),
        Action.REMOVE: (True, False, True),
    }.get(action, (True, True, False)):
        raise ValueError(f"{action.value} does not go with what was kept")
    known = (found.after or found.before or SubjectCopy("")).fields()
    if not isinstance(known.get("alyx_id"), str):
        raise ValueError("an Alyx id is missing")
    return found


def _copy(record: Mapping[str, Any]) -> SubjectCopy:
    found = _checked(SubjectCopy(**record))
    for text in (found.record, found.beneath):
        if text is not None and not isinstance(json.loads(text), dict):
            raise ValueError("a record is no object")
    return found


def _place(record: Mapping[str, Any]) -> Place:
    setups = tuple(_checked(Listed(**one)) for one in record["setups"])
    return _checked(Place(**{**record, "setups": setups}))


def _checked(found: Kept) -> Kept:
    # texts are texts, and numbers numbers
    for part in fields(found):  # type: ignore[arg-type]
        kinds = _KINDS.get(str(part.type))
        value = getattr(found, part.name)
        if kinds is not None and (not isinstance(value, kinds) or isinstance(value, bool)):
            raise ValueError(f"{part.name} is no {part.type}")
    return found
