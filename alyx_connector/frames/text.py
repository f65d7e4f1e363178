"""Values of a frame as plain values and as text that can do no harm in a terminal or a spreadsheet."""

from __future__ import annotations

import csv
import io
import json
import math
import re
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Sequence

    import pandas as pd


__all__ = [
    "column_values",
    "columns_of",
    "csv_text",
    "for_spreadsheet",
    "json_array",
    "json_text",
    "plain_text",
    "records_of",
    "text_of",
    "visible",
]


#: Fields that are days; other times have an hour.
_DAYS = frozenset({"birth_date", "death_date", "date"})
#: What a terminal obeys instead of showing it, what reverses the direction of text, and halves of characters.
_UNSAFE = "\x00-\x1f\x7f-\x9f\u061c\u200e\u200f\u2028-\u202e\u2066-\u2069\ud800-\udfff"
_CONTROL = re.compile(f"[{_UNSAFE}]")
_CONTROL_BUT_LINES = re.compile(f"(?![\\t\\n])[{_UNSAFE}]")
#: What makes a spreadsheet take a text for a formula.
_FORMULA = ("=", "+", "-", "@", "\t", "\r", "\n")
_SHORT = {"\t": "\\t", "\n": "\\n", "\r": "\\r"}


def _escaped(match: re.Match[str]) -> str:
    letter = match[0]
    if letter in _SHORT:
        return _SHORT[letter]
    return f"\\x{ord(letter):02x}" if ord(letter) < 256 else f"\\u{ord(letter):04x}"


def visible(text: str) -> str:
    r"""Make a text fit for one line of a terminal: control characters are shown, not obeyed.

    Returns: with ``\n``, ``\t``, ``\x1b``, … in the place of control characters.
    """
    return _CONTROL.sub(_escaped, text)


def for_spreadsheet(text: str) -> str:
    """Make a text fit for a cell of a spreadsheet: no formula, no control characters but tab and newline."""
    return ("'" if text.startswith(_FORMULA) else "") + _CONTROL_BUT_LINES.sub(_escaped, text)


def column_values(name: str, column: pd.Series) -> list[Any]:
    """Return what a column of a frame holds, in plain Python.

    Returns: text, numbers, True or False, dicts and lists; times and days as ISO text; None where it is missing.
    """
    if str(column.dtype) == "object":
        return list(column)
    if str(column.dtype).startswith("datetime64"):
        texts = [None if lacks else value.isoformat() for value, lacks in zip(column, column.isna(), strict=True)]
        return [text[:10] if text and name in _DAYS and text.endswith("T00:00:00") else text for text in texts]
    # Not Series.to_list(), which gives NumPy's numbers in pandas before 2.
    return list(column.to_numpy(dtype=object, na_value=None))


def _finite(value: Any) -> Any:
    # JSON has no NaN and no infinity.
    if isinstance(value, dict):
        return {str(key): _finite(one) for key, one in value.items()}
    if isinstance(value, list | tuple):
        return [_finite(one) for one in value]
    return None if isinstance(value, float) and not math.isfinite(value) else value


def json_text(value: Any, indent: int | None = None) -> str:
    """Write a value as JSON.

    ``indent``: spaces of each level; on one line if left out.
    """
    text = json.dumps(_finite(value), ensure_ascii=False, indent=indent, default=str)
    # Whatever is left of them stands within a text of JSON.
    return re.sub(f"(?!\\n)[{_UNSAFE}]", lambda match: f"\\u{ord(match[0]):04x}", text)


def text_of(value: Any) -> str:
    """Write a value as text, nested ones as JSON; empty where it is missing.

    ``value``: a value of `column_values`.
    """
    if value is None:
        return ""
    return json_text(value) if isinstance(value, dict | list) else str(value)


def columns_of(frame: pd.DataFrame) -> dict[str, list[Any]]:
    """Return the columns of a frame as plain values.

    Returns: see `alyx_connector.frames.text.column_values`.
    """
    return {str(name): column_values(str(name), frame[name]) for name in frame.columns}


def records_of(frame: pd.DataFrame) -> list[dict[str, Any]]:
    """Return the rows of a frame as plain values."""
    columns = columns_of(frame)
    return [dict(zip(columns, row, strict=True)) for row in zip(*columns.values(), strict=True)]


def csv_text(frame: pd.DataFrame) -> str:
    """Write a frame as CSV: comma, quotes where needed, nested values as JSON, a missing value as nothing.

    Returns: a line of names and a line for each row. Text that a spreadsheet would take for a formula begins with
    ``'``.
    """

    def cell(value: Any) -> Any:
        return for_spreadsheet(text_of(value)) if isinstance(value, str | dict | list) else text_of(value)

    written = io.StringIO()
    writer = csv.writer(written, lineterminator="\n")
    columns = columns_of(frame)
    writer.writerow([for_spreadsheet(name) for name in columns])
    writer.writerows([cell(value) for value in row] for row in zip(*columns.values(), strict=True))
    return written.getvalue()


def json_array(frame: pd.DataFrame) -> str:
    """Write a frame as one array of JSON, a record a line.

    Returns: ``[]`` without rows.
    """
    records = [json_text(record) for record in records_of(frame)]
    return "[\n" + ",\n".join(records) + "\n]\n" if records else "[]\n"


def _line(cells: Sequence[str]) -> str:
    return "\t".join(visible(cell) for cell in cells) + "\n"


def plain_text(frame: pd.DataFrame) -> str:
    r"""Write a frame as lines for ``cut`` and ``awk``: cells between tabs, nothing cut off, no colour.

    Returns: a line of names and a line for each row, whatever a text holds: a newline in it is shown as ``\n``.
    """
    columns = columns_of(frame)
    lines = [_line([text_of(value) for value in row]) for row in zip(*columns.values(), strict=True)]
    return "".join([_line(list(columns)), *lines])
