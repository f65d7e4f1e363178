"""A table of rows that can be copied: as text with the titles, columns separated by tabs."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from AnyQt.QtCore import QAbstractTableModel, QModelIndex, Qt
from AnyQt.QtGui import QBrush, QColor, QFont, QKeySequence
from AnyQt.QtWidgets import (
    QAbstractItemView,
    QApplication,
    QHBoxLayout,
    QPushButton,
    QTableView,
    QVBoxLayout,
    QWidget,
)

from pybpod_alyx_module.animals.weight import COLOURS, LOW, LOW_TEXT
from pybpod_alyx_module.gui.guard import override, slot
from pybpod_alyx_module.gui.widgets import plain_label

if TYPE_CHECKING:
    from collections.abc import Sequence

    from AnyQt.QtGui import QKeyEvent

    from pybpod_alyx_module.animals.weight import Level

__all__ = ["Cell", "CopyTable", "TablePage"]


@dataclass(frozen=True)
class Cell:
    """What stands in a place of the table."""

    text: str = ""
    bold: bool = False
    #: Shown in the colours of Alyx's pages where it is below the limit; the text must say it, too.
    level: Level | None = None
    is_number: bool = True


class _Rows(QAbstractTableModel):
    def __init__(self, titles: Sequence[str]) -> None:
        super().__init__()
        self.titles = titles
        self.rows: Sequence[Sequence[Cell]] = ()

    @override
    def rowCount(self, parent: QModelIndex | None = None) -> int:  # noqa: N802 - Qt's name
        return 0 if parent is not None and parent.isValid() else len(self.rows)

    @override
    def columnCount(self, parent: QModelIndex | None = None) -> int:  # noqa: N802 - Qt's name
        return 0 if parent is not None and parent.isValid() else len(self.titles)

    @override
    def headerData(self, section: int, orientation: int, role: int = Qt.DisplayRole) -> Any:  # noqa: N802
        return (
            self.titles[section].replace(" (", "\n(")
            if orientation == Qt.Horizontal and role == Qt.DisplayRole
            else None
        )

    @override
    def data(self, index: QModelIndex, role: int = Qt.DisplayRole) -> Any:
        cell = self.rows[index.row()][index.column()]
        if role == Qt.DisplayRole:
            return cell.text
        if role == Qt.TextAlignmentRole:
            return int((Qt.AlignRight if cell.is_number else Qt.AlignLeft) | Qt.AlignVCenter)
        if role == Qt.FontRole and cell.bold:
            font = QFont()
            font.setBold(True)
            return font
        if cell.level in LOW and role in (Qt.BackgroundRole, Qt.ForegroundRole):
            return QBrush(QColor(COLOURS[cell.level] if role == Qt.BackgroundRole else LOW_TEXT))
        return None

    def show_rows(self, rows: Sequence[Sequence[Cell]]) -> None:
        self.beginResetModel()
        self.rows = rows
        self.endResetModel()


class CopyTable(QTableView):
    """Shows rows; Ctrl+C copies those that are selected. Columns in which nothing stands are hidden, and copied."""

    def __init__(self, titles: Sequence[str]) -> None:
        super().__init__()
        self.model_of_rows = _Rows(titles)
        self.setModel(self.model_of_rows)
        self.setSelectionBehavior(QAbstractItemView.SelectRows)
        self.setSelectionMode(QAbstractItemView.ExtendedSelection)
        self.setEditTriggers(QAbstractItemView.NoEditTriggers)
        self.setTabKeyNavigation(False)
        self.setWordWrap(False)
        self.verticalHeader().hide()
        self.horizontalHeader().setHighlightSections(False)
        self.horizontalHeader().setStretchLastSection(True)
        self.horizontalHeader().setMinimumSectionSize(24)

    @property
    def rows(self) -> list[list[str]]:
        """What is shown, as text."""
        return [[cell.text for cell in row] for row in self.model_of_rows.rows]

    def show_rows(self, rows: Sequence[Sequence[Cell]]) -> None:
        """Show other rows; the selection and the place stay where these have as many."""
        if rows == self.model_of_rows.rows:
            return
        selected = [index.row() for index in self.selectionModel().selectedRows()]
        place, is_alike = self.verticalScrollBar().value(), len(rows) == len(self.model_of_rows.rows)
        self.model_of_rows.show_rows(rows)
        self.resizeColumnsToContents()
        for column in range(len(self.model_of_rows.titles)):
            self.setColumnHidden(column, bool(rows) and not any(row[column].text for row in rows))
        if is_alike:
            for row in selected:
                self.selectionModel().select(
                    self.model_of_rows.index(row, 0), self.selectionModel().Select | self.selectionModel().Rows
                )
            self.verticalScrollBar().setValue(place)

    @slot
    def copy(self) -> None:
        """Copy the selected rows, all where none is."""
        selected = sorted(index.row() for index in self.selectionModel().selectedRows())
        rows = [self.rows[row] for row in selected] if selected else self.rows
        lines = [self.model_of_rows.titles, *rows]
        QApplication.clipboard().setText("\n".join("\t".join(line) for line in lines))

    @override
    def keyPressEvent(self, event: QKeyEvent) -> None:  # noqa: N802 - Qt's name
        """Ctrl+C copies rows with their titles; Qt itself copies one cell."""
        if event.matches(QKeySequence.Copy):
            self.copy()
        else:
            super().keyPressEvent(event)


class TablePage(QWidget):
    """A tab with such a table, a sentence below it, and a button that copies."""

    def __init__(self, titles: Sequence[str], message: str = "") -> None:
        super().__init__()
        self.table = CopyTable(titles)
        self.message = plain_label(message)
        self.copy_button = QPushButton("Cop&y rows")
        self.copy_button.setToolTip("Copy the selected rows (Ctrl+C), or all, with their titles, separated by tabs")
        self.copy_button.clicked.connect(self.table.copy)
        row = QHBoxLayout()
        row.addWidget(self.message, 1)
        row.addWidget(self.copy_button)
        column = QVBoxLayout(self)
        column.setContentsMargins(6, 4, 6, 4)
        column.addWidget(self.table, 1)
        column.addLayout(row)
