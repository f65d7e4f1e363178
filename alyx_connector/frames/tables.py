"""Rows of Alyx made into frames of pandas: the same columns and dtypes whatever the rows hold, or if there is none."""

from __future__ import annotations

import json
import re
from typing import TYPE_CHECKING, Any

from alyx_connector.address import last_part
from alyx_connector.frames.columns import KIND_OF_FIELD, QC_WORDS, Column, Kind

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping, Sequence

    import pandas as pd

    from alyx_connector.warning import Tell

__all__ = ["expanded", "identity", "make_table", "object_array", "read_json"]

#: Day, time of day, offset.
_TIME = re.compile(r"(\d{4}-\d\d-\d\d)(?:[T ](\d\d:\d\d(?::\d\d(?:\.\d{1,9})?)?)(?:Z|[+-]\d\d:?\d\d)?)?", re.ASCII)
#: Years that datetime64[ns] can hold in full.
_FIRST_DAY, _LAST_DAY = "1678-01-01", "2261-12-31"
_INT64 = 2**63
#: Columns of these types alone are made as a whole, not value by value: most are.
_WHOLE = {
    Kind.TEXT: frozenset({str, type(None)}),
    Kind.COUNT: frozenset({int, type(None)}),
}
_QC = [word for _, word in QC_WORDS]
_QC_OR_NONE = frozenset({*_QC, None})
#: What a JSON text may be wrapped in: a JSON text that holds a JSON text, and so on.
_WRAPPINGS = 5


def identity(row: Mapping[str, Any]) -> str | None:
    """Say by what a row is known.

    Returns: its ``id``; where the list has none, the last part of its ``url``, else its ``name`` or ``nickname``.
    """
    named = row.get("id")
    if named and isinstance(named, str):
        return named
    if named is None and isinstance(row.get("url"), str):
        named = last_part(row["url"])
    return next((str(name) for name in (named, row.get("name"), row.get("nickname")) if name), None)


def read_json(value: Any) -> dict[str, Any] | list[Any] | None:
    """Return what a JSON field holds, also where the server holds a text of JSON.

    Parameters
    ----------
    value : Any
        As the server answered it.

    Returns
    -------
    dict, list or None
        None also for an empty text.

    Raises
    ------
    ValueError
        If it is something else: a number, or a text that is not JSON.
    """
    for _ in range(_WRAPPINGS):
        if value is None or isinstance(value, dict | list):
            return value
        if not isinstance(value, str):
            break
        if not value.strip():
            return None
        try:
            value = json.loads(value)
        except (ValueError, RecursionError):
            break
    raise ValueError("neither an object nor a list")


def expanded(rows: Sequence[Mapping[str, Any]], name: str, *, tell: Tell) -> list[dict[str, Any]]:
    """Add to each row a field for each value nested in one of its fields.

    ``name``: the field. ``{"qc": {"noise": 3}}`` in ``json`` becomes ``json.qc.noise``; lists stay lists.
    ``tell``: takes a sentence if two values come to one name.
    """
    made, twice = [], set()
    for row in rows:
        fields: dict[str, Any] = {}
        for path, value in _leaves(name, _json_or_none(row.get(name))):
            if path in fields or path in row:
                twice.add(path)
            else:
                fields[path] = value
        made.append({**row, **fields})
    if twice:
        tell(f"Several values share the column {', '.join(sorted(twice))}: each row shows its first.")
    return made


def _json_or_none(value: Any) -> Any:
    try:
        return read_json(value)
    except ValueError:
        return None


def _leaves(path: str, value: Any) -> Iterator[tuple[str, Any]]:
    for key, nested in value.items() if isinstance(value, dict) else ():
        if isinstance(nested, dict):
            yield from _leaves(f"{path}.{key}", nested)
        else:
            yield f"{path}.{key}", nested


def make_table(
    rows: Sequence[Mapping[str, Any]], columns: Sequence[Column], *, tell: Tell, last: Sequence[Column] = ()
) -> pd.DataFrame:
    """Make a frame of rows.

    Returns: one row a row, in the same order, with a plain range as index. Dtypes as `Kind` says; without rows the
    same columns and dtypes.
    ``rows``: what the server answered; a field that a row lacks is missing in the frame.
    ``columns``: the columns that there always are. Fields that are not among them come after them, as the rows have
    them, and then ``last``.
    ``tell``: takes a sentence for each thing that the frame does not show as the server said it.
    """
    import pandas as pd

    named = {column.name for column in (*columns, *last)}
    more = [row for row in rows if not named.issuperset(row)]
    unknown = dict.fromkeys(name for row in more for name in row if name not in named)
    made, index = {}, pd.RangeIndex(len(rows))
    for column in (*columns, *(Column(name, KIND_OF_FIELD.get(name, Kind.TEXT)) for name in unknown), *last):
        values = [row.get(column.name) for row in rows]
        array = _array(column, values, tell)
        # Said to be objects: before pandas 2 a frame takes a time among texts for a column of times.
        made[column.name] = pd.Series(array, index, dtype=object) if array.dtype == object else array
    return pd.DataFrame(made, index=index)


def _array(column: Column, values: list[Any], tell: Tell) -> Any:
    import pandas as pd

    kind = column.kind
    if kind is Kind.JSON:
        return object_array(_json_values(column.name, values, tell))
    if kind is Kind.QC and _QC_OR_NONE.issuperset(values):
        return pd.Categorical(values, categories=_QC, ordered=True)
    if kind is Kind.TIME:
        return _times(column.name, values, tell)
    if kind in _WHOLE and _WHOLE[kind].issuperset(map(type, values)) and (kind is Kind.TEXT or _fits_int64(values)):
        return pd.array(values, dtype=_DTYPES[kind])
    if kind is Kind.QC or (kind is not Kind.NESTED and not _all(values, kind)):
        fitting = next(
            (other for other in (Kind.FLAG, Kind.COUNT, Kind.NUMBER, Kind.TEXT) if _all(values, other)), None
        )
        if column.name in KIND_OF_FIELD:
            tell(f"{column.name} is not of the expected type ({kind.value}); it is shown unconverted.")
        kind = fitting or Kind.NESTED
    if kind is Kind.NESTED:
        return object_array(values)
    return pd.array([None if value is None else _CASTS[kind](value) for value in values], dtype=_DTYPES[kind])


_FITS: dict[Kind, Callable[[Any], bool]] = {
    Kind.TEXT: lambda value: isinstance(value, str),
    Kind.FLAG: lambda value: isinstance(value, bool),
    Kind.COUNT: lambda value: (
        isinstance(value, int | float)
        and not isinstance(value, bool)
        and -_INT64 <= value < _INT64
        and value == int(value)
    ),
    Kind.NUMBER: lambda value: isinstance(value, int | float) and not isinstance(value, bool),
}
_CASTS: dict[Kind, Callable[[Any], Any]] = {Kind.TEXT: str, Kind.FLAG: bool, Kind.COUNT: int, Kind.NUMBER: float}
_DTYPES = {Kind.TEXT: "string", Kind.FLAG: "boolean", Kind.COUNT: "Int64", Kind.NUMBER: "Float64"}


def _fits_int64(values: list[int | None]) -> bool:
    return all(value is None or -_INT64 <= value < _INT64 for value in values)


def _all(values: list[Any], kind: Kind) -> bool:
    return all(value is None or _FITS[kind](value) for value in values)


def object_array(values: Sequence[Any]) -> Any:
    """Make an array of whatever values, lists among them.

    Returns: shape ``(len(values),)``, dtype object.
    """
    import numpy as np

    array = np.empty(len(values), dtype=object)
    for place, value in enumerate(values):  # one by one: an array of lists would become a table
        array[place] = value
    return array


def _json_values(name: str, values: list[Any], tell: Tell) -> list[Any]:
    read, strange = [], 0
    for value in values:
        try:
            read.append(read_json(value))
        except ValueError:
            read.append(value)
            strange += 1
    if strange:
        tell(f"{name} of {strange} row{'s' * (strange > 1)} holds neither an object nor a list; it is shown as it is.")
    return read


def _times(name: str, values: list[Any], tell: Tell) -> Any:
    import numpy as np

    # What still has an offset is a time of the server, shown as on its clock.
    texts = ["NaT"] * len(values)
    for place, value in enumerate(values):
        if value is None:
            continue
        match = _TIME.fullmatch(str(value).strip())
        if match is None:
            continue
        day, clock = match.groups()
        if _FIRST_DAY <= day <= _LAST_DAY:
            texts[place] = f"{day}T{clock}" if clock else day
    try:
        array = np.array(texts, dtype="datetime64[ns]")
    except ValueError:  # one of them is no day of the calendar
        array = np.array([_time_or_none(text) for text in texts])
    strange = sum(value is not None for value in values) - int(np.count_nonzero(~np.isnat(array)))
    if strange:
        tell(f"{name} of {strange} row{'s' * (strange > 1)} is not a time that can be read; it is shown as NaT.")
    return array


def _time_or_none(text: str) -> Any:
    import numpy as np

    try:
        return np.datetime64(text, "ns")
    except ValueError:
        return np.datetime64("NaT", "ns")
