"""The table of *Water due today*, as the keyboard goes through it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from AnyQt.QtCore import QModelIndex, QRect, Qt, Signal
from AnyQt.QtWidgets import QAbstractItemDelegate, QAbstractItemView, QHeaderView, QTableView

from pybpod_alyx_module.gui.animals.water_rows import AMOUNT, ANIMAL, COLUMNS, RESULT, WaterRows
from pybpod_alyx_module.gui.guard import override, slot

if TYPE_CHECKING:
    from AnyQt.QtGui import QKeyEvent
    from AnyQt.QtWidgets import QWidget

#: How many rows a column's width is taken from: to measure all of them takes as long as there are rows.
_MEASURED = 30


class WaterTableView(QTableView):
    """Shows `WaterRows`: the space bar ticks, Enter leads through the amounts, Tab leads out of the table.

    No row is measured unless its result does not fit in one line.
    """

    #: An amount is no longer being typed.
    editing_ended = Signal()

    def __init__(self, rows: WaterRows) -> None:
        super().__init__()
        self._rows = rows
        self.setModel(rows)
        self.setSelectionMode(QAbstractItemView.SingleSelection)  # it shows where the keyboard is
        self.setTabKeyNavigation(False)
        self.setWordWrap(True)
        self.verticalHeader().hide()
        header = self.horizontalHeader()
        header.setHighlightSections(False)
        header.setMinimumSectionSize(60)
        header.setResizeContentsPrecision(_MEASURED)
        header.setSectionResizeMode(RESULT, QHeaderView.Stretch)
        header.setSortIndicator(-1, Qt.AscendingOrder)
        self.setSortingEnabled(True)
        header.sectionResized.connect(self._on_column_resized)
        rows.layoutChanged.connect(self._on_sorted)
        rows.modelReset.connect(self._on_reset)
        rows.dataChanged.connect(self._on_changed)
        self._on_reset()

    @property
    def is_editing(self) -> bool:
        """Whether an amount is being typed."""
        return bool(self.state() == QAbstractItemView.EditingState)

    def finish_editing(self) -> None:
        """Take the amount that is being typed as it stands there."""
        editor = self.indexWidget(self.currentIndex())
        if self.is_editing and editor is not None:
            self.commitData(editor)
            self.closeEditor(editor, QAbstractItemDelegate.NoHint)

    def go_to(self, place: int, column: int) -> None:
        """Put the keyboard on a cell, where there is one."""
        if 0 <= place < len(self._rows.rows):
            self.setCurrentIndex(self._rows.index(place, column))

    @override
    def keyPressEvent(self, event: QKeyEvent) -> None:  # noqa: N802 - Qt's name
        """Space ticks the animal, Enter opens its amount."""
        current = self.currentIndex()
        if event.key() == Qt.Key_Space and current.isValid():
            tick = self._rows.index(current.row(), ANIMAL)
            ticked = tick.data(Qt.CheckStateRole) == Qt.Checked
            self._rows.setData(tick, Qt.Unchecked if ticked else Qt.Checked, Qt.CheckStateRole)
        elif event.key() in (Qt.Key_Return, Qt.Key_Enter) and current.isValid():
            amount = self._rows.index(current.row(), AMOUNT)
            self.setCurrentIndex(amount)
            if amount.flags() & Qt.ItemIsEditable:
                self.edit(amount)
        else:
            super().keyPressEvent(event)

    @override
    def closeEditor(self, editor: QWidget, hint: QAbstractItemDelegate.EndEditHint) -> None:  # noqa: N802
        """Enter goes on to the next animal's amount, Tab leaves the table."""
        kept = hint == QAbstractItemDelegate.RevertModelCache
        super().closeEditor(editor, hint if kept else QAbstractItemDelegate.NoHint)
        if hint == QAbstractItemDelegate.SubmitModelCache:
            self.go_to(self.currentIndex().row() + 1, AMOUNT)
        elif hint == QAbstractItemDelegate.EditNextItem:
            self.focusNextChild()
        elif hint == QAbstractItemDelegate.EditPreviousItem:
            self.focusPreviousChild()
        self.editing_ended.emit()

    @slot
    def _on_reset(self) -> None:
        for column in range(len(COLUMNS)):
            if column != RESULT:
                self.resizeColumnToContents(column)
        self._fit(0, len(self._rows.rows) - 1)

    @slot
    def _on_sorted(self) -> None:
        self._fit(0, len(self._rows.rows) - 1)

    @slot
    def _on_changed(self, first: QModelIndex, last: QModelIndex) -> None:
        self._fit(first.row(), last.row())

    @slot
    def _on_column_resized(self, column: int) -> None:
        if column == RESULT:
            self._fit(0, len(self._rows.rows) - 1)

    def _fit(self, first: int, last: int) -> None:
        header, metrics = self.verticalHeader(), self.fontMetrics()
        usual, room = header.defaultSectionSize(), self.columnWidth(RESULT) - 8
        for place in range(first, last + 1):
            text, height = self._rows.rows[place].result, usual
            if text and metrics.horizontalAdvance(text) > room:
                around = QRect(0, 0, max(room, 1), 10_000)
                height = max(usual, metrics.boundingRect(around, int(Qt.TextWordWrap), text).height() + 8)
            if header.sectionSize(place) != height:
                header.resizeSection(place, height)
