"""The rows of PyBpod's session files, also of half-written and damaged ones.

PyBpod writes ``;`` between fields and quotes with ``|`` only where it must; texts that a protocol printed hold line
breaks and carriage returns. On Windows it writes the system's own code page.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Iterator

#: Longest row that is read, in bytes; PyBpod's own reader takes no longer field.
LONGEST_ROW: Final = 10_000_000

_BOM: Final = b"\xef\xbb\xbf"


class RowReader:
    """The complete rows among the bytes of a session file."""

    def __init__(self, content: bytes) -> None:
        self._content = content
        self._at = len(_BOM) if content.startswith(_BOM) else 0
        #: False once something was met that is not a complete row.
        self.whole = True

    def __iter__(self) -> Iterator[list[str]]:
        """Give the fields of each row, from the first; a row cut off at the end is left out."""
        waiting: list[bytes] = []
        length = after_first = 0
        open_quote = False
        while True:
            line = self._line()
            if length + len(line) > LONGEST_ROW:
                line = b""
            if not line:
                if not waiting:
                    return
                # The quote of the first line was never closed: that line is lost, those after it need not be.
                self.whole = False
                self._at = after_first
                waiting, length, open_quote = [], 0, False
                continue
            if b"|" not in line and not open_quote:
                yield _text(line).split(";")
                continue
            if not waiting:
                after_first = self._at
            waiting.append(line)
            length += len(line)
            open_quote ^= line.count(b"|") % 2 == 1
            if not open_quote:
                yield _unquoted(_text(b"".join(waiting)))
                waiting, length = [], 0

    def _line(self) -> bytes:
        # the next line with its end; empty where there is none that is complete
        start, self._at = self._at, self._content.find(b"\n", self._at, self._at + LONGEST_ROW) + 1
        if self._at:
            return self._content[start : self._at]
        self._at = min(len(self._content), start + LONGEST_ROW)
        self.whole = self.whole and self._at == start
        return b""


def _text(line: bytes) -> str:
    line = line[: -2 if line.endswith(b"\r\n") else -1]
    try:
        return line.decode("utf-8")
    except UnicodeDecodeError:
        return line.decode("cp1252", errors="replace")


def _unquoted(text: str) -> list[str]:
    fields: list[str] = []
    parts: list[str] = []
    pieces = text.split("|")
    for number, piece in enumerate(pieces):
        if number % 2:  # within quotes
            parts.append(piece)
        elif not piece and 0 < number < len(pieces) - 1:  # a quote doubled within quotes
            parts.append("|")
        else:
            first, *rest = piece.split(";")
            parts.append(first)
            for field in rest:
                fields.append("".join(parts))
                parts = [field]
    fields.append("".join(parts))
    return fields
