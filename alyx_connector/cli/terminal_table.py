"""Frames as tables for whoever sits at a terminal, as wide as it is."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING, Any

from alyx_connector.frames.text import columns_of, records_of, text_of, visible

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    import pandas as pd
    from rich.console import Console

__all__ = ["print_records", "print_table", "usual_columns"]

#: What a table shows where nobody chose columns.
_USUAL = {
    "sessions": "start_time number lab subject task_protocol n_trials qc narrative id",
    "subjects": "nickname lab responsible_user sex birth_date alive reference_weight remaining_water id",
    "weighings": "date_time subject weight user id",
    "water-administrations": "date_time subject water_administered water_type adlib user id",
    "datasets": "name collection session file_size created_datetime qc id",
}
#: What goes first where the terminal is too narrow for all of these; then from the right.
_DROPPED_FIRST = ("lab", "narrative", "task_protocol", "n_trials", "number")
_GAP = 2
#: Columns up to this width, that of an id, are shown in full; wider ones may shrink to the least width.
_RIGID, _LEAST = 36, 18
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
    wanted = _USUAL.get(endpoint, "").split()
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
    cells = {
        name: [_minute(value) if name in times else _cell(value, nested) for value in values]
        for name, values in columns_of(frame).items()
    }
    widths = _widths(cells, console.width, drop=not all_of_them)
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

    console = _console()
    for number, record in enumerate(records):
        if number:
            console.print()
        grid = Table.grid(padding=(0, 2, 0, 0))
        grid.add_column(style="bold", no_wrap=True)
        grid.add_column(overflow="fold")
        for name, value in record.items():
            shown = visible(text_of(value))
            grid.add_row(_text(name), _text(shown, _style(name, shown)))
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


def _minute(time: str | None) -> str:
    return (time or "")[:16].replace("T", " ")


def _cell(value: Any, nested: int | None) -> str:
    if isinstance(value, float):
        return format(value, ".6g")
    if isinstance(value, list) and all(isinstance(one, str) for one in value):
        text = visible(", ".join(value))
    else:
        text = visible(text_of(value))
    cut = nested is not None and isinstance(value, dict | list) and len(text) > nested
    return text[: (nested or 1) - 1] + "…" if cut else text


def _widths(cells: dict[str, list[str]], available: int, *, drop: bool) -> dict[str, int] | None:
    from rich.cells import cell_len

    natural = {name: max(map(cell_len, [visible(name), *column])) for name, column in cells.items()}
    least = {
        name: width if width <= _LEAST or _is_rigid(cells[name], width) else max(_LEAST, cell_len(name))
        for name, width in natural.items()
    }
    shown = list(cells)
    dropping = [name for name in _DROPPED_FIRST if name in shown]
    dropping += [name for name in reversed(shown) if name not in {*dropping, "id", "detail_error"}][:-1]
    while sum(least[name] + _GAP for name in shown) - _GAP > available:
        if not drop or not dropping:
            return None
        shown.remove(dropping.pop(0))
    left = available - sum(least[name] + _GAP for name in shown) + _GAP
    widths = {name: least[name] for name in shown}
    for name in sorted(shown, key=lambda one: natural[one] - least[one]):
        more = min(left, natural[name] - least[name])
        widths[name] += more
        left -= more
    return widths


def _is_rigid(column: Sequence[str], width: int) -> bool:
    return width <= _RIGID and not any(" " in cell for cell in column)
