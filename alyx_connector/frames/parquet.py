"""Frames in parquet files that come back as they were: dtypes, index, JSON columns and notes."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from alyx_connector.errors import ConfigurationError
from alyx_connector.whole_file import whole_file

if TYPE_CHECKING:
    from pathlib import Path

    import pandas as pd

__all__ = ["load_pyarrow", "read_parquet", "write_parquet"]

#: Where our own notes stand in the metadata of a file.
_KEY = b"alyx_connector"
VERSION = 1


def write_parquet(frame: pd.DataFrame, path: str | Path) -> None:
    """Write a frame of a `Connector` to a parquet file; one that is there is replaced as a whole.

    Columns of dicts, lists and None are written as text of JSON, which other programs can read too.

    Parameters
    ----------
    frame : pandas.DataFrame
        The frame; it stays as it is.
    path : str or Path
        The file.

    Raises
    ------
    ConfigurationError
        If pyarrow is missing, if a column or ``attrs`` holds what JSON cannot express (then nothing is written), or if
        the file cannot be written.
    """
    pa, pq = load_pyarrow()
    nested = [name for name, dtype in frame.dtypes.items() if str(dtype) == "object"]
    plain = frame.copy(deep=False)
    plain.attrs = {}
    for name in nested:
        plain[name] = _column([_to_json(value, f"The column {name}") for value in frame[name]], frame.index)
    notes = {
        "version": VERSION,
        "nested": nested,
        "dtypes": {str(name): str(dtype) for name, dtype in frame.dtypes.items()},
        "categories": {
            str(name): [list(frame[name].cat.categories), bool(frame[name].cat.ordered)]
            for name, dtype in frame.dtypes.items()
            if str(dtype) == "category" and all(isinstance(one, str) for one in frame[name].cat.categories)
        },
        "index": str(frame.index.dtype),
        "attrs": json.loads(_to_json(dict(frame.attrs), "attrs") or "{}"),
    }
    table = pa.Table.from_pandas(plain)
    table = table.replace_schema_metadata({**(table.schema.metadata or {}), _KEY: json.dumps(notes).encode()})
    with whole_file(path) as file:
        pq.write_table(table, str(file))


def read_parquet(path: str | Path) -> pd.DataFrame:
    """Read a frame that `write_parquet` wrote.

    Parameters
    ----------
    path : str or Path
        The file.

    Returns
    -------
    pandas.DataFrame
        As it was written: columns, dtypes, index and ``attrs``. A parquet file of another program comes as pandas reads
        it.

    Raises
    ------
    ConfigurationError
        If pyarrow is missing, or the file cannot be read or is no such file.
    """
    import pandas as pd

    from alyx_connector.frames.frame_view import shown_frame

    pa, pq = load_pyarrow()
    try:
        with open(path, "rb") as file:
            table = pq.read_table(file)
        notes = json.loads((table.schema.metadata or {}).get(_KEY, b"{}"))
        frame = table.to_pandas()
    except OSError as error:
        raise ConfigurationError(
            f"{path} cannot be read: {error.strerror or error}.", hint="Check the name.", setting="path"
        ) from error
    except (pa.ArrowException, ValueError) as error:
        raise ConfigurationError(
            f"{path} is not a parquet file, or is damaged.",
            hint="Search again and write the file again.",
            setting="path",
        ) from error
    for name in notes.get("nested", ()):
        frame[name] = _column(
            [json.loads(text) if isinstance(text, str) else None for text in frame[name]], frame.index
        )
    if notes:
        others = {name: dtype for name, dtype in notes["dtypes"].items() if name not in notes["nested"]}
        for name, (categories, ordered) in notes.get("categories", {}).items():
            others[name] = pd.CategoricalDtype(categories, ordered=ordered)
        frame = frame.astype(others)
        frame.index = frame.index.astype(notes["index"])
        frame.attrs = notes["attrs"]
    return shown_frame(frame)


def load_pyarrow() -> tuple[Any, Any]:
    """Load what parquet files need.

    Returns
    -------
    tuple of module
        ``pyarrow`` and ``pyarrow.parquet``.

    Raises
    ------
    ConfigurationError
        If pyarrow is missing; the error says how to install it.
    """
    try:
        import pyarrow as pa
        import pyarrow.parquet as pq
    except ImportError as error:
        raise ConfigurationError(
            "Parquet files need pyarrow, which is not installed.",
            hint="Install it: python -m pip install pyarrow",
            setting="pyarrow",
        ) from error
    return pa, pq


def _column(values: list[Any], index: Any) -> pd.Series:
    import pandas as pd

    from alyx_connector.frames.tables import object_array

    return pd.Series(object_array(values), index=index, dtype=object)


def _to_json(value: Any, what: str) -> str | None:
    if value is None:
        return None
    try:
        return json.dumps(value)
    except (TypeError, ValueError, RecursionError) as error:
        raise ConfigurationError(
            f"{what} holds {type(value).__name__} {value!r:.60}, which JSON cannot express: {error}.",
            hint="Leave it out, or make text of it.",
            setting="frame",
        ) from error
