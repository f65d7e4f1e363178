"""How frames and rows of a server show themselves: first what a person reads first, one row as a page.

Frames are a thin subclass of `pandas.DataFrame`, because ``print(frame)`` asks the class alone: options of pandas would
change the frames of others too, and a formatter of IPython is not asked by ``print``. It uses what pandas documents for
subclasses (``_constructor``, ``_constructor_sliced``) and overrides nothing but what shows a value, so that a pandas
that does not honour these gives plain frames, with pandas' own view. A column is a plain `pandas.Series`. Files of
pickle hold a plain frame, for programs without this package.
"""

from __future__ import annotations

import html
import shutil
import textwrap
from typing import TYPE_CHECKING, Any

import pandas as pd

from alyx_connector.frames.cells import GAP, as_cells, fit
from alyx_connector.frames.columns import READ_LAST, read_first
from alyx_connector.frames.record_text import record_html, record_text, record_title
from alyx_connector.frames.text import column_values, columns_of, visible

if TYPE_CHECKING:
    from collections.abc import Callable

__all__ = ["AlyxFrame", "AlyxRow", "shown_frame"]

#: Letters of an id, where there is no room for all 36.
_SHORT_ID = 8
#: How many columns a page shows where nobody chose them.
_COLUMNS = 12
_NESTED_WIDTH = 30
_PAGE_NESTED_WIDTH = 50
_MISSING = "<NA>"
#: What pandas shows unless a user sets it: in a terminal, and elsewhere.
_COLUMNS_UNSET = (0, 20)


def shown_frame(frame: pd.DataFrame) -> AlyxFrame:
    """Return a frame that shows first what a person reads first; it holds the same data.

    ``frame``: with ``attrs["endpoint"]``; without it, pandas' own view is used.
    """
    shown = AlyxFrame(frame)
    shown.attrs = frame.attrs
    return shown


class AlyxFrame(pd.DataFrame):  # type: ignore[misc]  # pandas has no types of its own
    """A `pandas.DataFrame` that shows first what a person reads first."""

    @property
    def _constructor(self) -> Callable[..., AlyxFrame]:
        return AlyxFrame

    @property
    def _constructor_sliced(self) -> Callable[..., pd.Series]:
        # A row has the index that the columns have; a column stays what it is in pandas.
        columns = self.columns

        def make(*args: Any, **kwargs: Any) -> pd.Series:
            series = pd.Series(*args, **kwargs)
            return AlyxRow(series) if series.index is columns or series.index.equals(columns) else series

        return make

    def __reduce_ex__(self, protocol: Any) -> Any:
        """Return what pickle keeps: a plain frame."""
        return object.__new__, (pd.DataFrame,), self.__getstate__()

    def __repr__(self) -> str:
        """Return the frame as text, as wide as the terminal."""
        return _frame_text(self) if _is_shown(self) else str(super().__repr__())

    def _repr_html_(self) -> str | None:
        # For Jupyter; named by IPython.
        if _is_shown(self) and pd.get_option("display.notebook_repr_html"):
            return _frame_html(self)
        usual: str | None = super()._repr_html_()
        return usual


class AlyxRow(pd.Series):  # type: ignore[misc]
    """A `pandas.Series`: a row of an `AlyxFrame`, shown as a page."""

    @property
    def _constructor(self) -> Callable[..., pd.Series]:
        return AlyxRow

    @property
    def _constructor_expanddim(self) -> Callable[..., pd.DataFrame]:
        return AlyxFrame

    def __reduce_ex__(self, protocol: Any) -> Any:
        """Return what pickle keeps: a plain series."""
        return object.__new__, (pd.Series,), self.__getstate__()

    def __repr__(self) -> str:
        """Return the record as text, as wide as the terminal."""
        record = _record(self)
        if record is None:
            return str(super().__repr__())
        return record_text(*record, shutil.get_terminal_size().columns)

    def _repr_html_(self) -> str | None:
        record = _record(self) if pd.get_option("display.notebook_repr_html") else None
        return None if record is None else record_html(*record)


def _is_shown(frame: pd.DataFrame) -> bool:
    # Not where somebody set how many columns to show, or made another table of it.
    return (
        pd.get_option("display.max_columns") in _COLUMNS_UNSET
        and bool(frame.attrs.get("endpoint"))
        and frame.index.nlevels == frame.columns.nlevels == 1
        and frame.columns.is_unique
        and "id" in frame.columns
        and all(isinstance(name, str) for name in frame.columns)
    )


def _record(row: pd.Series) -> tuple[str, dict[str, Any]] | None:
    endpoint, known = row.attrs.get("endpoint"), row.get("id")
    # Not a sum or a maximum of columns, which has the same index as a row.
    if (
        not endpoint
        or not row.index.is_unique
        or not isinstance(known, str)
        or (row.name != known and not isinstance(row.name, int))
    ):
        return None
    record = {str(name): _plain(str(name), value) for name, value in row.items()}
    if record.get("detail_error") is None:
        record.pop("detail_error", None)
    return record_title(endpoint, record), record


def _plain(name: str, value: Any) -> Any:
    if isinstance(value, pd.Timestamp):
        return str(column_values(name, pd.Series([value]))[0]).replace("T", " ")
    if value is pd.NA or value is pd.NaT:
        return None
    return value.item() if hasattr(value, "item") else value  # not NumPy's numbers


def _names(frame: pd.DataFrame) -> tuple[list[str], list[str]]:
    # Columns in the order in which they are shown, and those among them that somebody added, or that tell of a fault.
    names = list(frame.columns)
    end = max(names.index(name) for name in (*READ_LAST, "detail_error") if name in names)
    kept = [name for name in names[: end + 1] if name.startswith(("json.", "extended_qc."))]
    kept += names[end + 1 :]
    if "detail_error" in names and frame["detail_error"].notna().any():
        kept.append("detail_error")
    hidden = {*kept, *READ_LAST, "detail_error"}
    return [name for name in names if name not in hidden] + kept, kept


def _some_rows(frame: pd.DataFrame) -> tuple[pd.DataFrame, int]:
    # The first and the last, as many as pandas would show, and how many come first; 0 where these are all.
    most, few = pd.get_option("display.max_rows"), pd.get_option("display.min_rows")
    if not most or len(frame) <= most:
        return frame, 0
    count = min(few or most, most)
    first = (count + 1) // 2
    return frame.iloc[[*range(first), *range(len(frame) - count + first, len(frame))]], first


def _cells(frame: pd.DataFrame, names: list[str], nested: int) -> dict[str, list[str]]:
    times = {name for name in names if str(frame[name].dtype).startswith("datetime64")}
    plain = columns_of(pd.DataFrame(frame)[names])
    return {
        name: as_cells(values, minutes=name in times, nested=nested, missing=_MISSING) for name, values in plain.items()
    }


def _frame_text(frame: pd.DataFrame) -> str:
    width = shutil.get_terminal_size().columns
    some, first = _some_rows(frame)
    names, kept = _names(frame)
    cells = _cells(some, names, _NESTED_WIDTH)
    labels = [visible(str(label)) for label in some.index]
    head = "id" if some.index.equals(pd.Index(some["id"])) else ""
    dropping = [*(name for name in reversed(names) if name not in kept), *reversed(kept)]
    wanted = set(read_first(str(frame.attrs["endpoint"]))) & set(names)
    widths = _fit_beside(labels, head, cells, width, dropping)
    if head and (widths is None or not wanted.issubset(widths)):
        labels = [label if len(label) <= _SHORT_ID + 1 else f"{label[:_SHORT_ID]}…" for label in labels]
        widths = _fit_beside(labels, head, cells, width, dropping)
    widths = widths or {}
    right = {name for name in widths if str(frame[name].dtype) in {"Int64", "Float64"}}
    side = max(map(len, [head, *labels]))
    lines = [_line(head.ljust(side), list(widths), widths, right)]
    for place, label in enumerate(labels):
        if first and place == first:
            lines.append("…")
        lines.append(_line(label.ljust(side), [cells[name][place] for name in widths], widths, right))
    footer = textwrap.wrap(
        _footer(frame, widths), max(width, 40), max_lines=2, placeholder=" …", break_on_hyphens=False
    )
    return "\n".join([*lines, "", *footer])


def _fit_beside(
    labels: list[str], head: str, cells: dict[str, list[str]], width: int, dropping: list[str]
) -> dict[str, int] | None:
    return fit(cells, width - max(map(len, [head, *labels])) - GAP, dropping)


def _line(label: str, texts: list[str], widths: dict[str, int], right: set[str]) -> str:
    from rich.cells import cell_len, set_cell_size

    parts = [label]
    for (name, width), text in zip(widths.items(), texts, strict=True):
        shown = visible(text)
        length = cell_len(shown)
        if length > width:
            shown = set_cell_size(shown, width - 1).rstrip() + "…"
        padding = " " * max(0, width - cell_len(shown))
        parts.append(padding + shown if name in right else shown + padding)
    return (" " * GAP).join(parts).rstrip()


def _footer(frame: pd.DataFrame, shown: Any) -> str:
    hidden = [visible(name) for name in frame.columns if name not in shown and name not in {"id", "detail_error"}]
    whole = "; .iloc[0] shows a row whole" if hidden and len(frame) else ""
    size = f"[{len(frame)} rows x {len(frame.columns)} columns{whole}]"
    return f"{size} Not shown: {', '.join(hidden)}" if hidden else size


def _frame_html(frame: pd.DataFrame) -> str:
    some, first = _some_rows(frame)
    names, kept = _names(frame)
    chosen = read_first(str(frame.attrs["endpoint"])) or tuple(names[:_COLUMNS])
    names = [name for name in names if name in chosen or name in kept]
    cells = _cells(some, names, _PAGE_NESTED_WIDTH)
    right = {name for name in names if str(frame[name].dtype) in {"Int64", "Float64"}}
    is_id = some.index.equals(pd.Index(some["id"]))
    times = {name for name in names if str(frame[name].dtype).startswith("datetime64")}
    styles = {
        name: f"text-align: {'right' if name in right else 'left'}{'; white-space: nowrap' if name in times else ''}"
        for name in names
    }
    heads = "".join(_cell("th", name, styles[name]) for name in names)
    rows = [f"<tr><th>{'id' if is_id else ''}</th>{heads}</tr>"]
    for place, label in enumerate(some.index):
        if first and place == first:
            rows.append(f'<tr><td colspan="{len(names) + 1}">…</td></tr>')
        data = "".join(_cell("td", cells[name][place], styles[name]) for name in names)
        rows.append(f'<tr><th style="white-space: nowrap">{html.escape(visible(str(label)))}</th>{data}</tr>')
    return (
        f'<table border="1" class="dataframe"><thead>{rows[0]}</thead><tbody>{"".join(rows[1:])}</tbody></table>'
        f"<p>{html.escape(_footer(frame, names))}</p>"
    )


def _cell(tag: str, text: str, style: str) -> str:
    text = visible(text)
    most = pd.get_option("display.max_colwidth") or len(text)
    cut = len(text) > most
    shown, title = (text[: most - 1] + "…", f' title="{html.escape(text)}"') if cut else (text, "")
    return f'<{tag} style="{style}"{title}>{html.escape(shown)}</{tag}>'
