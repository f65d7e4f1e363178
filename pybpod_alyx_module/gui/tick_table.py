"""A table whose rows have boxes to tick: one, all that are selected, or all that the filter leaves."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from AnyQt.QtCore import QSignalBlocker, Qt, Signal
from AnyQt.QtWidgets import QAbstractItemView, QHeaderView, QTreeWidget, QTreeWidgetItem

from pybpod_alyx_module.gui.guard import override, slot
from pybpod_alyx_module.gui.words import word_filter

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from AnyQt.QtGui import QKeyEvent

_PLAIN: Final = Qt.ItemIsSelectable | Qt.ItemIsEnabled
_TICKABLE: Final = _PLAIN | Qt.ItemIsUserCheckable
#: The column that has the boxes.
_BOX: Final = 0


class TickTable(QTreeWidget):
    """Shift and Ctrl select several; the space bar ticks what is selected, or unticks it where all of it is ticked.

    ``labels``: of the columns.
    ``widths``: of the columns that do not stretch, in pixels.
    """

    #: A person ticked or unticked something.
    ticked = Signal()

    def __init__(self, labels: Iterable[str], widths: Mapping[int, int]) -> None:
        super().__init__()
        self.setHeaderLabels(list(labels))
        self.setRootIsDecorated(False)
        self.setUniformRowHeights(True)
        self.setSelectionMode(QAbstractItemView.ExtendedSelection)
        header = self.header()
        header.setStretchLastSection(True)
        for column, width in widths.items():
            header.resizeSection(column, width)
            header.setSectionResizeMode(column, QHeaderView.Interactive)
        self.itemChanged.connect(self._on_changed)  # only by hand: what the program writes is silent

    @staticmethod
    def row(texts: Iterable[str]) -> QTreeWidgetItem:
        """Make a row with a box, to be added with others at once."""
        item = QTreeWidgetItem(list(texts))
        item.setFlags(_TICKABLE)
        item.setCheckState(_BOX, Qt.Unchecked)
        return item

    def let_tick(self, item: QTreeWidgetItem, *, allowed: bool) -> None:
        """Give a row a box to tick, or take it away; a tick that is there stays."""
        with QSignalBlocker(self):
            if not allowed:
                item.setFlags(_PLAIN)
                item.setData(_BOX, Qt.CheckStateRole, None)
            elif not _is_tickable(item):
                item.setFlags(_TICKABLE)
                item.setCheckState(_BOX, Qt.Unchecked)

    @staticmethod
    def is_ticked(item: QTreeWidgetItem) -> bool:
        """Tell whether a row is ticked."""
        return _is_tickable(item) and bool(item.checkState(_BOX) == Qt.Checked)

    def filter(self, typed: str) -> None:
        """Show only the rows that have each of the words that were typed, in whatever column."""
        is_meant = word_filter(typed)
        for item in self._items():
            hide = not is_meant(" ".join(item.text(column) for column in range(self.columnCount())))
            if item.isHidden() != hide:
                item.setHidden(hide)

    @property
    def all_ticked(self) -> bool:
        """Whether something is ticked, and nothing that is shown is left to tick."""
        shown = [self.is_ticked(item) for item in self._items() if _is_tickable(item) and not item.isHidden()]
        return bool(shown) and all(shown)

    @slot
    def tick_all(self) -> None:
        """Tick all that is shown, or untick it where all of it is ticked."""
        self._turn(item for item in self._items() if not item.isHidden())

    @override
    def keyPressEvent(self, event: QKeyEvent) -> None:  # noqa: N802 - Qt's name
        """Tick all that is selected with the space bar."""
        if event.key() == Qt.Key_Space and not event.modifiers() & (Qt.ControlModifier | Qt.ShiftModifier):
            self._turn(item for item in self.selectedItems() if not item.isHidden())
        else:
            super().keyPressEvent(event)

    def _items(self) -> list[QTreeWidgetItem]:
        return [self.topLevelItem(row) for row in range(self.topLevelItemCount())]

    def _turn(self, items: Iterable[QTreeWidgetItem]) -> None:
        tickable = [item for item in items if _is_tickable(item)]
        state = Qt.Unchecked if all(self.is_ticked(item) for item in tickable) else Qt.Checked
        with QSignalBlocker(self):
            for item in tickable:
                item.setCheckState(_BOX, state)
        self.viewport().update()
        self.ticked.emit()

    @slot
    def _on_changed(self) -> None:
        self.ticked.emit()


def _is_tickable(item: QTreeWidgetItem) -> bool:
    return bool(item.flags() & Qt.ItemIsUserCheckable)
