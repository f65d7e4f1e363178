"""The sheet of *Today* on paper: the animals as shown, and room to write by hand."""

from __future__ import annotations

import html
from typing import TYPE_CHECKING, Final

from AnyQt.QtCore import Qt
from AnyQt.QtPrintSupport import QPrintDialog, QPrinter
from AnyQt.QtWidgets import QDialog, QPushButton, QTextBrowser, QVBoxLayout

from alyx_connector.whole_file import whole_file
from pybpod_alyx_module.animals.alyx_subject import server_name
from pybpod_alyx_module.gui.guard import slot
from pybpod_alyx_module.gui.sync.questions.question import Question
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
from pybpod_alyx_module.gui.widgets import ask_file, button_row, plain_label
from pybpod_alyx_module.gui.windows import resize_to_screen

if TYPE_CHECKING:
    from collections.abc import Sequence

    from AnyQt.QtWidgets import QWidget

    from pybpod_alyx_module.animals.today.board import Board
    from pybpod_alyx_module.gui.today.rows import TodayRow

__all__ = ["SheetDialog", "sheet_html"]

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


class SheetDialog(Question):
    """Shows the sheet; from there it goes to a printer, or into a PDF file."""

    def __init__(self, board: Board, rows: Sequence[TodayRow], parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setWindowTitle("Today's sheet")
        resize_to_screen(self, 1000, 700)
        self._day = f"{board.answers.asked.astimezone():%Y-%m-%d}"
        self.page = QTextBrowser()
        self.page.document().setDefaultStyleSheet("td, th, h3, p { font-size: 8pt; }")
        self.page.setHtml(sheet_html(board, rows))
        self.message = plain_label()
        self.print_button = QPushButton("&Print…")
        self.pdf_button = QPushButton("Save as P&DF…")
        self.close_button = QPushButton("&Close")
        column = QVBoxLayout(self)
        column.addWidget(self.page, 1)
        column.addWidget(self.message)
        column.addLayout(button_row(self.print_button, self.close_button, left=self.pdf_button))
        self.print_button.clicked.connect(self._on_print)
        self.pdf_button.clicked.connect(self._on_pdf)
        self.close_button.clicked.connect(self.reject)

    @slot
    def _on_print(self) -> None:
        self._printer = _printer()
        dialog = QPrintDialog(self._printer, self)
        dialog.setAttribute(Qt.WA_DeleteOnClose)
        dialog.finished.connect(self._on_printer_chosen)
        dialog.open()

    @slot
    def _on_printer_chosen(self, result: int) -> None:
        if result == QDialog.Accepted:
            self.page.document().print(self._printer)
            self.message.setText(f"Sent to {self._printer.printerName() or self._printer.outputFileName()}.")

    @slot
    def _on_pdf(self) -> None:
        ask_file(self, "Save the sheet as PDF", f"today-{self._day}.pdf", "pdf", self.save_pdf)

    @slot
    def save_pdf(self, path: str) -> None:
        """Write the sheet into a PDF file, whole or not at all."""
        with whole_file(path) as part:
            printer = _printer()
            printer.setOutputFormat(QPrinter.PdfFormat)
            printer.setOutputFileName(str(part))
            self.page.document().print(printer)
        self.message.setText(f"Saved as {path}.")


def _printer() -> QPrinter:
    printer = QPrinter(QPrinter.HighResolution)
    printer.setOrientation(QPrinter.Landscape)
    return printer


def _cell(text: str) -> str:
    return f"<td style='white-space: pre'>{html.escape(text) or '&nbsp;'}</td>"
