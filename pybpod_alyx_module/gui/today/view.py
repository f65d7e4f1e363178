"""The table of *Today*, as the keyboard goes through it."""

from __future__ import annotations

from types import MappingProxyType
from typing import TYPE_CHECKING, Final

from AnyQt.QtCore import QModelIndex, QRect, Qt, Signal
from AnyQt.QtWidgets import QAbstractItemDelegate, QAbstractItemView, QHeaderView, QTableView

from pybpod_alyx_module.gui.guard import override, slot
from pybpod_alyx_module.gui.today.columns import AMOUNT, ANIMAL, COLUMNS, LAB, RESULT

if TYPE_CHECKING:
    from AnyQt.QtGui import QKeyEvent
    from AnyQt.QtWidgets import QWidget

    from pybpod_alyx_module.gui.today.rows import TodayRows

#: The keys that open something of the current animal.
KEYS: Final = MappingProxyType({Qt.Key_W: "weigh", Qt.Key_G: "give", Qt.Key_R: "register", Qt.Key_D: "details"})

#: How many rows a column's width is taken from: to measure all of them takes as long as there are rows.
_MEASURED = 30


class TodayView(QTableView):
    """Shows `TodayRows`: space ticks, Enter leads through the amounts, Tab leads out, letters open (`KEYS`).

    No row is measured unless its result does not fit in one line.
    """

    #: An amount is no longer being typed.
    editing_ended = Signal()
    #: One of `KEYS` was pressed: what it opens, and the current row.
    asked_for = Signal(str, object)

    def __init__(self, rows: TodayRows) -> None:
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

    def show_labs(self, several: bool) -> None:
        """Show the labs where there are several."""
        self.setColumnHidden(LAB, not several)

    def go_to(self, place: int, column: int) -> None:
        """Put the keyboard on a cell, where there is one."""
        if 0 <= place < len(self._rows.rows):
            self.setCurrentIndex(self._rows.index(place, column))

    @override
    def keyPressEvent(self, event: QKeyEvent) -> None:  # noqa: N802 - Qt's name
        """Space ticks the animal, Enter opens its amount, a letter what is done with it."""
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
        elif event.key() in KEYS and current.isValid() and event.modifiers() in (Qt.NoModifier, Qt.ShiftModifier):
            self.asked_for.emit(KEYS[event.key()], self._rows.rows[current.row()])
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
