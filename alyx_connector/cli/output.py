"""Where the rows of a command go: standard output or a file, in one of four formats."""

from __future__ import annotations

import os
import sys
import tempfile
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from alyx_connector.errors import AlyxError, ConfigurationError
from alyx_connector.frames.parquet import load_pyarrow, write_parquet
from alyx_connector.frames.text import csv_text, json_array, json_text, plain_text, records_of, text_of, visible
from alyx_connector.nearest import did_you_mean
from alyx_connector.whole_file import check_target, whole_file

if TYPE_CHECKING:
    import argparse

    import pandas as pd

__all__ = ["Output", "discard_stdout", "print_note", "write_record"]

_ENDINGS = {".csv": "csv", ".json": "json", ".parquet": "parquet", ".tsv": "table", ".txt": "table"}
_TEXTS = {"csv": csv_text, "json": json_array, "table": plain_text}


def print_note(sentence: str) -> None:
    """Tell something that is no data."""
    if sys.stderr is not None:
        print(visible(sentence), file=sys.stderr, flush=True)


@dataclass(frozen=True)
class Output:
    """Where rows go, checked before they are asked for."""

    #: ``table``, ``csv``, ``json`` or ``parquet``.
    format: str
    #: The file; None for standard output.
    path: Path | None
    #: The columns, in order; None for the usual ones, an empty list for all.
    columns: list[str] | None

    @classmethod
    def of(cls, options: argparse.Namespace) -> Output:
        """Read the options of a command."""
        path = Path(options.output) if options.output else None
        chosen = options.format
        if path is not None:
            check_target(path)
            chosen = chosen or _ENDINGS.get(path.suffix.lower())
            if chosen is None:
                raise ConfigurationError(
                    f"The name {path.name} does not say the format.",
                    hint=f"Add --format, or let it end with one of {' '.join(_ENDINGS)}.",
                    setting="output",
                )
        if chosen == "parquet":
            load_pyarrow()
            if path is None and _at_terminal():
                raise ConfigurationError(
                    "A terminal cannot show parquet.", hint="Add --output FILE, or a pipe.", setting="output"
                )
        names = None
        if options.columns is not None:
            names = [name.strip() for name in options.columns.split(",") if name.strip()]
            if not names:
                raise ConfigurationError("--columns names no column.", hint="Leave it out.", setting="columns")
            names = [] if names == ["all"] else list(dict.fromkeys(names))
        return cls(chosen or "table", path, names)

    def write(self, frame: pd.DataFrame, endpoint: str, *, none: str) -> None:
        """Write rows."""
        shown = self._chosen(frame, endpoint)
        if self.path is not None:
            with whole_file(self.path) as file:
                self._write_file(shown, file)
            print_note(f"{len(shown)} {_rows(shown)} written to {self.path}.")
        elif self.format == "table" and _at_terminal():
            from alyx_connector.cli.terminal_table import print_table

            if len(shown):
                wrap = endpoint in {"filters", "endpoints"}
                left_out = print_table(shown, all_of_them=self.columns is not None, wrap=wrap)
                hidden = f" Too narrow for {', '.join(left_out)}: --columns all shows everything." if left_out else ""
                print_note(f"{len(shown)} {_rows(shown)}.{hidden}")
        elif self.format == "parquet":
            with tempfile.TemporaryDirectory() as folder:
                file = Path(folder) / "rows.parquet"
                self._write_file(shown, file)
                _to_stdout(file.read_bytes())
        else:
            _to_stdout(_TEXTS[self.format](shown).encode())
        if not len(frame):
            print_note(none)

    def _write_file(self, frame: pd.DataFrame, file: Path) -> None:
        if self.format == "parquet":
            write_parquet(frame, file)
        else:
            file.write_bytes(_TEXTS[self.format](frame).encode())

    def _chosen(self, frame: pd.DataFrame, endpoint: str) -> pd.DataFrame:
        names = self.columns
        if names is None and self.format == "table":
            from alyx_connector.cli.terminal_table import usual_columns

            names = usual_columns(frame, endpoint)
        for name in names or ():
            if name not in frame:
                raise ConfigurationError(
                    f"There is no column {name}.{did_you_mean(name, frame.columns)}",
                    hint=f"There are {', '.join(frame.columns)}.",
                    setting="columns",
                )
        return frame[names] if names else frame


def write_record(record: pd.DataFrame, form: str) -> None:
    """Write one record, a field a line, to standard output."""
    fields = records_of(record)[0]
    if form == "json":
        _to_stdout(f"{json_text(fields, indent=2)}\n".encode())
    elif _at_terminal():
        from alyx_connector.cli.terminal_table import print_records

        print_records([fields])
    else:
        lines = [f"{visible(name)}\t{visible(text_of(value))}\n" for name, value in fields.items()]
        _to_stdout("".join(lines).encode())


def discard_stdout() -> None:
    """Let nobody read standard output any more: Python flushes it once more when it ends, and would complain."""
    nowhere = os.open(os.devnull, os.O_WRONLY)
    os.dup2(nowhere, sys.stdout.fileno())
    os.close(nowhere)


def _at_terminal() -> bool:
    return sys.stdout is not None and sys.stdout.isatty()


def _rows(frame: pd.DataFrame) -> str:
    return "row" if len(frame) == 1 else "rows"


def _to_stdout(data: bytes) -> None:
    stream: Any = getattr(sys.stdout, "buffer", None)
    reason = "it is closed"
    if stream is not None:
        try:
            stream.write(data)
            stream.flush()
        except OSError as error:
            discard_stdout()
            if isinstance(error, BrokenPipeError):
                raise
            reason = error.strerror or str(error)
        else:
            return
    raise AlyxError(f"Standard output cannot be written: {reason}.", hint="Name a file: --output FILE.")
