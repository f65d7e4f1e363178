"""Frames as text for other programs: CSV, JSON, and plain lines for pipes."""

from __future__ import annotations

import csv
import io
from typing import TYPE_CHECKING, Any

from alyx_connector.frames.text import column_values, for_spreadsheet, json_text, text_of, visible

if TYPE_CHECKING:
    from collections.abc import Sequence

    import pandas as pd

__all__ = ["columns_of", "csv_text", "json_array", "plain_text", "records_of"]


def columns_of(frame: pd.DataFrame) -> dict[str, list[Any]]:
    """Return the columns of a frame as plain values.

    Parameters
    ----------
    frame : pandas.DataFrame
        The frame.

    Returns
    -------
    dict of list
        See `alyx_connector.frames.text.column_values`.
    """
    return {str(name): column_values(str(name), frame[name]) for name in frame.columns}


def records_of(frame: pd.DataFrame) -> list[dict[str, Any]]:
    """Return the rows of a frame as plain values.

    Parameters
    ----------
    frame : pandas.DataFrame
        The frame.

    Returns
    -------
    list of dict
        One a row, by column.
    """
    columns = columns_of(frame)
    return [dict(zip(columns, row, strict=True)) for row in zip(*columns.values(), strict=True)]


def csv_text(frame: pd.DataFrame) -> str:
    """Write a frame as CSV: comma, quotes where needed, nested values as JSON, a missing value as nothing.

    Parameters
    ----------
    frame : pandas.DataFrame
        The frame.

    Returns
    -------
    str
        A line of names and a line for each row. Text that a spreadsheet would take for a formula begins with ``'``.
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

    Parameters
    ----------
    frame : pandas.DataFrame
        The frame.

    Returns
    -------
    str
        ``[]`` without rows.
    """
    records = [json_text(record) for record in records_of(frame)]
    return "[\n" + ",\n".join(records) + "\n]\n" if records else "[]\n"


def _line(cells: Sequence[str]) -> str:
    return "\t".join(visible(cell) for cell in cells) + "\n"


def plain_text(frame: pd.DataFrame) -> str:
    r"""Write a frame as lines for ``cut`` and ``awk``: cells between tabs, nothing cut off, no colour.

    Parameters
    ----------
    frame : pandas.DataFrame
        The frame.

    Returns
    -------
    str
        A line of names and a line for each row, whatever a text holds: a newline in it is shown as ``\n``.
    """
    columns = columns_of(frame)
    lines = [_line([text_of(value) for value in row]) for row in zip(*columns.values(), strict=True)]
    return "".join([_line(list(columns)), *lines])
