"""The rows of PyBpod's session files, also of half-written and damaged ones.

PyBpod writes ``;`` between fields and quotes with ``|`` only where it must; texts that a protocol printed hold line
breaks and carriage returns. On Windows it writes the system's own code page.
"""

from __future__ import annotations

import hashlib
from typing import TYPE_CHECKING, BinaryIO, Final

if TYPE_CHECKING:
    from collections.abc import Iterator

#: Longest row that is read, in bytes; PyBpod's own reader takes no longer field.
LONGEST_ROW: Final = 10_000_000

_BOM: Final = b"\xef\xbb\xbf"
_CHUNK: Final = 1 << 20


class RowReader:
    """The complete rows among the first bytes of a session file.

    ``size``: how many bytes are read: the file may be growing.
    """

    def __init__(self, stream: BinaryIO, size: int) -> None:
        self._stream = stream
        self._size = size
        self._at = 0
        #: False once something was met that is no complete row.
        self.whole = True

    def sha256(self) -> str:
        """Compute the checksum of the bytes that the rows are read from."""
        self._stream.seek(0)
        digest, left = hashlib.sha256(), self._size
        while left and (chunk := self._stream.read(min(_CHUNK, left))):
            digest.update(chunk)
            left -= len(chunk)
        return digest.hexdigest()

    def __iter__(self) -> Iterator[list[str]]:
        """Give the fields of each row, from the first; a row cut off at the end is left out."""
        self._go_to(0)
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
                self._go_to(after_first)
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

    def _go_to(self, place: int) -> None:
        self._stream.seek(place)
        self._at = place

    def _line(self) -> bytes:
        line = self._stream.readline(max(0, min(LONGEST_ROW, self._size - self._at)))
        begins = self._at == 0
        self._at += len(line)
        if line.endswith(b"\n"):
            return line.removeprefix(_BOM) if begins else line
        if line:
            self.whole = False
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
