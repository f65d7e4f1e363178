"""Frames as tables for whoever sits at a terminal, as wide as it is."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING, Any

from alyx_connector.frames.cells import as_cells, fit
from alyx_connector.frames.columns import read_first
from alyx_connector.frames.record_text import is_nested, tree_lines
from alyx_connector.frames.text import columns_of, records_of, text_of, visible

if TYPE_CHECKING:
    from collections.abc import Iterable

    import pandas as pd
    from rich.console import Console

__all__ = ["print_records", "print_table", "usual_columns"]

#: What goes first where the terminal is too narrow for all of these; then from the right.
_DROPPED_FIRST = ("projects", "lab", "narrative", "task_protocol", "n_trials", "number")
_NESTED_WIDTH = 40
_STYLES = {
    "qc": {"PASS": "green", "WARNING": "yellow", "FAIL": "red", "CRITICAL": "bold red"},
    "usable": {"False": "red"},
}


def usual_columns(frame: pd.DataFrame, endpoint: str) -> list[str]:
    """Choose the columns that a table shows where nobody chose them.

    Returns: names; of lists that are not known all but addresses. ``detail_error`` is among them if it says
    something.
    """
    wanted = [*first, "id"] if (first := read_first(endpoint)) else []
    hidden = {"url", "id"} if "id" in frame else set()
    names = [name for name in wanted if name in frame] or [name for name in frame if name not in hidden]
    names += [name for name in frame if name.startswith(("json.", "extended_qc.")) and name not in names]
    if not wanted and "id" in frame and not any(frame["id"].equals(frame[name]) for name in names):
        names.append("id")
    told = "detail_error" in frame and frame["detail_error"].notna().any()
    return [name for name in names if name != "detail_error"] + ["detail_error"] * bool(told)


def print_table(frame: pd.DataFrame, *, all_of_them: bool, wrap: bool = False) -> list[str]:
    """Print a frame as a table, or, where all of its columns are wanted and do not fit, as one record after another.

    Returns: names of the columns that were left out because the terminal is too narrow.
    ``frame``: the columns to show, in order.
    ``all_of_them``: whether to show every one; else some may be left out.
    ``wrap``: whether long text goes on in the next line; else it is cut off.
    """
    from rich import box
    from rich.table import Table

    console = _console()
    times = {name for name in frame if str(frame[name].dtype).startswith("datetime64")}
    nested = None if wrap else _NESTED_WIDTH
    cells = {name: as_cells(values, minutes=name in times, nested=nested) for name, values in columns_of(frame).items()}
    dropping = [name for name in _DROPPED_FIRST if name in cells]
    dropping += [name for name in reversed(list(cells)) if name not in {*dropping, "id", "detail_error"}][:-1]
    widths = fit(cells, console.width, [] if all_of_them else dropping)
    if widths is None:
        print_records(records_of(frame))
        return []
    table = Table(box=box.SIMPLE_HEAD, show_edge=False, pad_edge=False, padding=(0, 1, 0, 0), header_style="bold")
    for name, width in widths.items():
        numbers = str(frame[name].dtype) in {"Int64", "Float64"}
        table.add_column(
            _text(name),
            width=width,
            no_wrap=not wrap,
            overflow="fold" if wrap else "ellipsis",
            justify="right" if numbers else "left",
        )
    for row in zip(*(cells[name] for name in widths), strict=True):
        table.add_row(*(_text(cell, _style(name, cell)) for name, cell in zip(widths, row, strict=True)))
    console.print(table)
    return [name for name in cells if name not in widths]


def print_records(records: Iterable[dict[str, Any]]) -> None:
    """Print records one below the other, a field a line, nothing cut off."""
    from rich.table import Table
    from rich.text import Text

    console = _console()
    for number, record in enumerate(records):
        if number:
            console.print()
        grid = Table.grid(padding=(0, 2, 0, 0))
        grid.add_column(style="bold", no_wrap=True)
        grid.add_column(overflow="fold")
        for name, value in record.items():
            shown = "\n".join(tree_lines(value)) if is_nested(value) else visible(text_of(value))
            grid.add_row(_text(name), Text(shown, style=_style(name, shown)))
        console.print(grid)


def _console() -> Console:
    from rich.console import Console

    if hasattr(sys.stdout, "reconfigure"):  # a terminal that lacks a letter shows its number
        sys.stdout.reconfigure(errors="backslashreplace")
    return Console(highlight=False, markup=False, emoji=False, soft_wrap=False)


def _text(words: str, style: str = "") -> Any:
    from rich.text import Text

    return Text(visible(words), style=style)  # not text with markup: what stands in brackets is shown


def _style(name: str, cell: str) -> str:
    return "red" if name == "detail_error" else _STYLES.get(name, {}).get(cell, "")
