"""What values look like in the cells of a table, and which columns of it fit into a width; nothing of pandas."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from alyx_connector.frames.text import text_of, visible

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

__all__ = ["GAP", "as_cells", "fit"]

#: Letters between two columns.
GAP = 2
#: Columns up to this width, that of an id, are shown in full; wider ones may shrink to the least width.
_RIGID, _LEAST = 36, 18


def as_cells(
    values: Iterable[Any], *, minutes: bool = False, nested: int | None = None, missing: str = ""
) -> list[str]:
    """Write values for the cells of a column, each on one line.

    ``values``: of `column_values`.
    ``minutes``: whether they are times, of which seconds are left out.
    ``nested``: to how many letters a nested value is cut; whole if left out.
    ``missing``: what stands for a missing value.
    """
    if minutes:
        return [value[:16].replace("T", " ") if value else missing for value in values]
    return [missing if value is None else _cell(value, nested) for value in values]


def _cell(value: Any, nested: int | None) -> str:
    if isinstance(value, float):
        return format(value, ".6g")
    if isinstance(value, list) and all(isinstance(one, str) for one in value):
        text = visible(", ".join(value))
    else:
        text = visible(text_of(value))
    cut = nested is not None and isinstance(value, dict | list) and len(text) > nested
    return text[: (nested or 1) - 1] + "…" if cut else text


def fit(cells: dict[str, list[str]], available: int, dropping: Sequence[str]) -> dict[str, int] | None:
    """Choose the columns that fit, and how wide each is.

    Returns: widths by name; None if too many must stay.
    ``cells``: what each column holds, in order.
    ``available``: letters of a line.
    ``dropping``: the columns that may be left out, the first one first.
    """
    from rich.cells import cell_len

    natural = {name: max(map(cell_len, [visible(name), *column])) for name, column in cells.items()}
    least = {
        name: width if width <= _LEAST or _is_rigid(cells[name], width) else max(_LEAST, cell_len(name))
        for name, width in natural.items()
    }
    shown, left_out = list(cells), list(dropping)
    while sum(least[name] + GAP for name in shown) - GAP > available:
        if not left_out:
            return None
        shown.remove(left_out.pop(0))
    left = available - sum(least[name] + GAP for name in shown) + GAP
    widths = {name: least[name] for name in shown}
    for name in sorted(shown, key=lambda one: natural[one] - least[one]):
        more = min(left, natural[name] - least[name])
        widths[name] += more
        left -= more
    return widths


def _is_rigid(column: Sequence[str], width: int) -> bool:
    return width <= _RIGID and not any(" " in cell for cell in column)
