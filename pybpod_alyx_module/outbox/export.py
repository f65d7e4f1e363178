"""The items as CSV, for a spreadsheet."""

from __future__ import annotations

import csv
import json
from typing import IO, TYPE_CHECKING

from alyx_connector.frames.text import for_spreadsheet
from alyx_connector.whole_file import whole_file
from pybpod_alyx_module.outbox.drafts import NUMBER_OF, TIME_OF
from pybpod_alyx_module.outbox.words import reason_words

if TYPE_CHECKING:
    from collections.abc import Iterable
    from pathlib import Path

    from pybpod_alyx_module.outbox.items import Item

COLUMNS = (
    "number",
    "kind",
    "state",
    "subject",
    "subject_id",
    "time",
    "value",
    "unit",
    "user",
    "server",
    "rig",
    "recorded_utc",
    "sent_utc",
    "server_id",
    "reason",
    "attempts",
    "key",
    "follows",
    "values",
    "origin",
)


def export_csv(items: Iterable[Item], path: str | Path) -> None:
    """Write items to a file, whole or not at all; a mark at its beginning tells spreadsheets that it is UTF-8.

    Raises ConfigurationError if it cannot be written.
    """
    with whole_file(path) as written, written.open("w", encoding="utf-8-sig", newline="") as stream:
        write_csv(items, stream)


def write_csv(items: Iterable[Item], stream: IO[str]) -> None:
    """Write items as CSV: a line of names, a line for each item."""
    writer = csv.writer(stream, lineterminator="\n")
    writer.writerow(COLUMNS)
    writer.writerows([_cell(value) for value in _row(item)] for item in items)


def _row(item: Item) -> tuple[object, ...]:
    name, unit = NUMBER_OF.get(item.kind, ("", ""))
    return (
        item.number,
        item.kind.value,
        item.state.value,
        item.subject_name,
        item.subject_id,
        item.values.get(TIME_OF.get(item.kind, "")),
        item.values.get(name),
        unit,
        item.username,
        item.server,
        item.rig,
        item.created.isoformat(timespec="seconds"),
        item.sent_at and item.sent_at.isoformat(timespec="seconds"),
        item.server_id,
        reason_words(item),
        item.attempts,
        item.key,
        item.follows,
        json.dumps(item.values, ensure_ascii=False),
        json.dumps(item.origin, ensure_ascii=False),
    )


def _cell(value: object) -> object:
    return for_spreadsheet(value) if isinstance(value, str) else "" if value is None else value
