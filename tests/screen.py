"""A terminal's screen: what somebody sees of what a program wrote."""

from __future__ import annotations

import re
from dataclasses import dataclass, field

_PIECE = re.compile(r"\x1b\[([?\d;]*)([A-Za-z])|(.)", re.DOTALL)


@dataclass
class Screen:
    """Obeys what the programs of these tests send: text, ends of lines, colours, and cursor up, hidden and shown."""

    columns: int
    rows: list[str] = field(default_factory=lambda: [""])
    row: int = 0
    column: int = 0
    cursor_is_visible: bool = True

    @property
    def lines(self) -> list[str]:
        """The lines that hold something."""
        return [line.rstrip() for line in self.rows if line.strip()]

    def __eq__(self, other: object) -> bool:
        """Compare what is to be seen."""
        return isinstance(other, Screen) and self._seen() == other._seen()

    __hash__ = None

    def show(self, text: str) -> None:
        """Show what a program wrote."""
        for piece in _PIECE.finditer(text):
            values, command, letter = piece.groups()
            if letter is None:
                self._obey(command, values)
            elif letter == "\r":
                self.column = 0
            elif letter == "\n":
                self._down()
            else:
                if self.column == self.columns:
                    self._down()
                    self.column = 0
                line = self.rows[self.row].ljust(self.column)
                self.rows[self.row] = line[: self.column] + letter + line[self.column + 1 :]
                self.column += 1

    def _obey(self, command: str, values: str) -> None:
        if command == "K":
            assert values == "2", values
            self.rows[self.row] = ""
        elif command == "A":
            self.row -= int(values or 1)
            assert self.row >= 0
        elif command in {"l", "h"}:
            assert values == "?25", values
            self.cursor_is_visible = command == "h"
        else:
            assert command == "m", command

    def _down(self) -> None:
        self.row += 1
        if self.row == len(self.rows):
            self.rows.append("")

    def _seen(self) -> tuple[object, ...]:
        return self.lines, self.row, self.column, self.cursor_is_visible
