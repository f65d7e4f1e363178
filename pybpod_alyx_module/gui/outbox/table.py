"""The tables of the *Alyx outbox* window."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from AnyQt.QtCore import QAbstractTableModel, QModelIndex, Qt, Signal
from AnyQt.QtGui import QBrush, QColor
from AnyQt.QtWidgets import QAbstractItemView, QTableView

from pybpod_alyx_module.animals.alyx_subject import server_name
from pybpod_alyx_module.gui.guard import override, slot
from pybpod_alyx_module.gui.windows import urgent_colour
from pybpod_alyx_module.gui.words import cell, plain_tip
from pybpod_alyx_module.outbox.words import local_time, state_words, time_words, value_words, why

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from pybpod_alyx_module.outbox.items import Item

    #: Title, text of an item, width in pixels.
    Column = tuple[str, Callable[[Item], str], int]

#: What waits.
WAITING: Final[tuple[Column, ...]] = (
    ("What", value_words, 155),
    ("Time (lab)", time_words, 165),
    ("Subject", lambda item: item.subject_name, 100),
    ("State", state_words, 130),
    ("User", lambda item: item.username, 70),
    ("Server", lambda item: server_name(item.server), 130),
    ("Waiting since", lambda item: local_time(item.created), 165),
    ("Why it waits", why, 235),
)

#: What was sent or discarded.
SENT: Final[tuple[Column, ...]] = (
    ("Sent", lambda item: local_time(item.sent_at) or state_words(item), 130),
    ("What", value_words, 165),
    ("Time (lab)", time_words, 130),
    ("Subject", lambda item: item.subject_name, 110),
    ("User", lambda item: item.username, 80),
    ("Server", lambda item: server_name(item.server), 140),
    ("Id on Alyx", lambda item: item.server_id or "", 270),
    ("Rig", lambda item: item.rig, 90),
)


class OutboxModel(QAbstractTableModel):
    """Items as rows."""

    def __init__(self, columns: Sequence[Column]) -> None:
        super().__init__()
        self._columns = columns
        self.items: tuple[Item, ...] = ()

    @override
    def rowCount(self, parent: QModelIndex | None = None) -> int:  # noqa: N802 - Qt's name
        """Return how many items there are."""
        return 0 if parent is not None and parent.isValid() else len(self.items)

    @override
    def columnCount(self, parent: QModelIndex | None = None) -> int:  # noqa: N802 - Qt's name
        """Return how many columns there are."""
        return 0 if parent is not None and parent.isValid() else len(self._columns)

    @override
    def headerData(self, section: int, orientation: int, role: int = Qt.DisplayRole) -> Any:  # noqa: N802
        """Return the title of a column; None for anything but a title."""
        return self._columns[section][0] if orientation == Qt.Horizontal and role == Qt.DisplayRole else None

    @override
    def data(self, index: QModelIndex, role: int = Qt.DisplayRole) -> Any:
        """Return what stands in a cell, its tooltip or its colour; None for anything else."""
        item = self.items[index.row()]
        if role in (Qt.DisplayRole, Qt.ToolTipRole):
            text = cell(self._columns[index.column()][1](item))
            return text if role == Qt.DisplayRole else plain_tip(text)
        if role == Qt.ForegroundRole and item.needs_person and self._columns[index.column()][1] is state_words:
            return QBrush(QColor(urgent_colour()))
        return None

    def replace(self, items: tuple[Item, ...]) -> None:
        """Show other items.

        ``items``: in the order in which they are shown.
        """
        self.beginResetModel()
        self.items = items
        self.endResetModel()


class OutboxTable(QTableView):
    """A table of items that keeps selection and place when they change."""

    #: Another item is selected, or the one that is selected changed.
    picked = Signal()

    def __init__(self, columns: Sequence[Column]) -> None:
        super().__init__()
        self._model = OutboxModel(columns)
        self.setModel(self._model)
        self.setSelectionBehavior(QAbstractItemView.SelectRows)
        self.setSelectionMode(QAbstractItemView.SingleSelection)
        self.setEditTriggers(QAbstractItemView.NoEditTriggers)
        self.setTabKeyNavigation(False)
        self.setWordWrap(False)
        self.setTextElideMode(Qt.ElideRight)
        self.setHorizontalScrollMode(QAbstractItemView.ScrollPerPixel)
        self.verticalHeader().hide()
        self.horizontalHeader().setStretchLastSection(True)
        self.horizontalHeader().setHighlightSections(False)
        for number, (_title, _text, width) in enumerate(columns):
            self.setColumnWidth(number, width)
        self.selectionModel().selectionChanged.connect(self._on_selected)

    @property
    def items(self) -> tuple[Item, ...]:
        """What is shown."""
        return self._model.items

    @property
    def selected(self) -> Item | None:
        """The selected item; None where none is."""
        rows = self.selectionModel().selectedRows()
        return self.items[rows[0].row()] if rows else None

    def show_items(self, items: tuple[Item, ...]) -> None:
        """Show these items.

        ``items``: in the order in which they are shown.
        """
        if items == self.items:
            return
        before = self.selected
        down, across = self.verticalScrollBar().value(), self.horizontalScrollBar().value()
        self._model.replace(items)
        if before is not None:
            self.select(before.key)
        self.verticalScrollBar().setValue(down)
        self.horizontalScrollBar().setValue(across)
        self.picked.emit()

    def select(self, key: str) -> None:
        """Select an item, where it is shown."""
        for row, item in enumerate(self.items):
            if item.key == key:
                self.setCurrentIndex(self._model.index(row, 0))

    @slot
    def _on_selected(self) -> None:
        self.picked.emit()
