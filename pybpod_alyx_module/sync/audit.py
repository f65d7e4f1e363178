"""What each sync changed in a project, kept in the project as a table that a spreadsheet opens."""

from __future__ import annotations

import csv
import io
import socket
from typing import TYPE_CHECKING, Final
from uuid import uuid4

from alyx_connector.frames.text import for_spreadsheet
from alyx_connector.whole_file import whole_file
from pybpod_alyx_module.errors import SyncError
from pybpod_alyx_module.sync.plan import Action

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence
    from pathlib import Path

    from pybpod_alyx_module.sync.apply import Result

    #: A line of the table: a text for each of `COLUMNS`.
    Row = tuple[str, ...]

#: Its name in the project's folder.
FILE: Final = "alyx-syncs.csv"

COLUMNS: Final = (
    "sync",
    "time",
    "user",
    "computer",
    "server",
    "action",
    "subject",
    "alyx_id",
    "new_name",
    "fields",
    "why",
)

#: What a sync changes in a project.
SUBJECT_CHANGES: Final = (Action.ADD, Action.MERGE, Action.OVERRIDE, Action.REMOVE)

#: What changes a project, in the words of the table.
_WORDS: Final = {
    Action.ADD: "added",
    Action.MERGE: "filled in",
    Action.OVERRIDE: "overridden",
    Action.REMOVE: "removed",
    Action.TAKE_OUT: "undone: added",
    Action.PUT_BACK: "undone: changed",
    Action.BRING_BACK: "undone: removed",
}


def audit_rows(results: Sequence[Result], *, server: str, username: str, time: str) -> tuple[Row, ...]:
    """Return a row for each subject that a sync changed, with one number of this sync.

    Returns: empty where nothing changed.
    ``time``: of the sync, ISO 8601 with offset.
    """
    sync = uuid4().hex[:12]
    rows = []
    for result in results:
        entry = result.entry
        if not result.applied or entry.action not in _WORDS:
            continue
        known = entry.remote or entry.local
        alyx_id = known.alyx_id if known else entry.change.identity if entry.change else None
        rows.append(
            (
                sync,
                time,
                username,
                socket.gethostname(),
                server,
                _WORDS[entry.action],
                entry.name,
                alyx_id or "",
                entry.new_name,
                ", ".join(difference.field for difference in entry.written),
                entry.reason,
            )
        )
    return tuple(rows)


def read_rows(project: Path) -> tuple[Row, ...]:
    """Return the rows of a project's table, the oldest first; empty where there is none.

    Raises SyncError if the file cannot be read, as where a person saved it in another form.
    """
    file = project / FILE
    if not file.exists():
        return ()
    try:
        with file.open(encoding="utf-8-sig", newline="") as stream:
            rows = [tuple(row) for row in csv.reader(stream)]
    except (OSError, ValueError, csv.Error) as error:
        raise SyncError(f"{file} cannot be read: {error}.", hint="Look whether another program changed it.") from error
    if rows and rows[0] != COLUMNS:
        raise SyncError(
            f"{file} does not begin with the columns that PyBpod wrote.",
            hint="Rename the file: the next sync that changes something begins a new one.",
        )
    return tuple(row for row in rows[1:] if len(row) == len(COLUMNS))


def append_rows(project: Path, rows: Sequence[Sequence[str]]) -> None:
    """Add rows to the table of a project, whole or not at all; those of a sync that is there already are left out.

    Raises ConfigurationError or OSError, and the table is as it was. One process at a time may do this.
    """
    file = project / FILE
    held = file.read_text("utf-8-sig") if file.exists() else ""
    known = {row[0] for row in csv.reader(io.StringIO(held)) if row}
    new = [row for row in rows if row[0] not in known]
    if not new:
        return
    gap = "\n" if held and not held.endswith("\n") else ""  # a person may have saved it
    with whole_file(file) as written:
        written.write_text(f"{held or _as_csv([COLUMNS])}{gap}{_as_csv(new)}", "utf-8-sig")


def export_rows(rows: Iterable[Sequence[str]], path: str | Path) -> None:
    """Write rows to a table of their own, whole or not at all; ConfigurationError if it cannot be written."""
    with whole_file(path) as written:
        written.write_text(_as_csv([COLUMNS, *rows]), "utf-8-sig")


def _as_csv(rows: Iterable[Sequence[str]]) -> str:
    text = io.StringIO()
    csv.writer(text, lineterminator="\n").writerows([for_spreadsheet(cell) for cell in row] for row in rows)
    return text.getvalue()
