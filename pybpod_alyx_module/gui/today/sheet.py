"""The sheet of *Today* on paper: the animals as shown, and room to write by hand."""

from __future__ import annotations

import html
from typing import TYPE_CHECKING, Final

from AnyQt.QtCore import Qt
from AnyQt.QtGui import QTextDocument
from AnyQt.QtPrintSupport import QPrinter, QPrintPreviewDialog

from pybpod_alyx_module.animals.alyx_subject import server_name
from pybpod_alyx_module.gui.guard import slot
from pybpod_alyx_module.gui.today.columns import (
    ANIMAL,
    COLUMNS,
    LAB,
    LAST_WATER,
    PERCENT,
    REMAINS,
    SESSION,
    WEIGHT,
    cell_text,
)
from pybpod_alyx_module.gui.windows import resize_to_screen

if TYPE_CHECKING:
    from collections.abc import Sequence

    from AnyQt.QtWidgets import QWidget

    from pybpod_alyx_module.animals.today.board import Board
    from pybpod_alyx_module.gui.today.rows import TodayRow

__all__ = ["SheetPreview", "sheet_html"]

_PRINTED: Final = (ANIMAL, LAB, WEIGHT, PERCENT, SESSION, REMAINS, LAST_WATER)
#: Empty columns for a pen.
_BY_HAND: Final = ("Weight now", "Water now", "Remarks")


def sheet_html(board: Board, rows: Sequence[TodayRow]) -> str:
    """Make the sheet: when, of whom, and a line for each animal."""
    titles = [COLUMNS[column] for column in _PRINTED] + list(_BY_HAND)
    asked = board.answers.asked.astimezone()
    heading = f"Today: {board.username} at {server_name(board.server)}, as of {asked:%Y-%m-%d %H:%M}"
    lines = [[*(cell_text(row, column) for column in _PRINTED), *("" for _ in _BY_HAND)] for row in rows]
    body = "".join(f"<tr>{''.join(map(_cell, line))}</tr>" for line in lines)
    head = "".join(f"<th align='left'>{html.escape(title)}</th>" for title in titles)
    note = f"<p>{html.escape(board.unreachable)}</p>" if board.unreachable else ""
    return (
        f"<h3>{html.escape(heading)}</h3>{note}"
        f"<table border='1' cellspacing='0' cellpadding='4' width='100%'><thead><tr>{head}</tr></thead>{body}</table>"
    )


class SheetPreview(QPrintPreviewDialog):
    """Shows the sheet as it will be printed; from there it goes to a printer or into a PDF file."""

    def __init__(self, board: Board, rows: Sequence[TodayRow], parent: QWidget) -> None:
        # Qt does not keep the printer.
        self._printer = QPrinter(QPrinter.HighResolution)
        self._printer.setOrientation(QPrinter.Landscape)
        super().__init__(self._printer, parent)
        self.setAttribute(Qt.WA_DeleteOnClose)
        self.setWindowTitle("Print today's sheet")
        resize_to_screen(self, 1000, 760)
        self._document = QTextDocument(self)
        self._document.setDefaultStyleSheet("td, th, h3, p { font-size: 8pt; }")
        self._document.setHtml(sheet_html(board, rows))
        self.paintRequested.connect(self._on_paint)

    @slot
    def _on_paint(self, onto: QPrinter) -> None:
        self._document.print(onto)


def _cell(text: str) -> str:
    return f"<td style='white-space: pre'>{html.escape(text) or '&nbsp;'}</td>"
