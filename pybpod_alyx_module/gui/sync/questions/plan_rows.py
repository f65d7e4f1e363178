"""The rows of a plan that is reviewed: subjects, and below each the fields that differ, made when they are seen."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from AnyQt.QtCore import QAbstractItemModel, QModelIndex, Qt, Signal
from AnyQt.QtGui import QFont, QPalette
from AnyQt.QtWidgets import QApplication

from pybpod_alyx_module.gui.guard import override
from pybpod_alyx_module.gui.sync.questions.choices import headline
from pybpod_alyx_module.gui.words import cell, change, html_tip, is_blank, label, says_nothing, words

if TYPE_CHECKING:
    from pybpod_alyx_module.gui.sync.questions.choices import Choices
    from pybpod_alyx_module.sync.plan import Difference, PlanEntry

TITLES: Final = ("Subject, field", "In this project", "On Alyx", "What differs")

#: Letters of a tooltip.
_LONGEST_TIP: Final = 2000


class PlanRows(QAbstractItemModel):
    """Two levels: the entries that are shown, and their fields."""

    #: A person ticked or unticked something.
    ticked = Signal()

    def __init__(self, choices: Choices) -> None:
        super().__init__()
        self._choices = choices
        self.shown: list[PlanEntry] = []
        self._fields: dict[str, list[Difference]] = {}

    def show_entries(self, entries: list[PlanEntry]) -> None:
        """Show other entries."""
        self.beginResetModel()
        self.shown = entries
        self.endResetModel()

    def entry_of(self, index: QModelIndex) -> PlanEntry | None:
        """Return the entry of a row or of the row above a field; None for no row."""
        if not index.isValid():
            return None
        number = index.internalId()
        return self.shown[number - 1 if number else index.row()]

    def difference_of(self, index: QModelIndex) -> Difference | None:
        """Return the field of a row; None for a row of a subject."""
        entry = self.entry_of(index)
        return None if entry is None or not index.internalId() else self._fields_of(entry)[index.row()]

    def tick(self, entries: list[PlanEntry], *, on: bool) -> None:
        """Tick entries, or take the ticks away."""
        for entry in entries:
            self._choices.tick(entry, on=on)
        self._tell(QModelIndex())

    def _fields_of(self, entry: PlanEntry) -> list[Difference]:
        if entry.identity not in self._fields:
            self._fields[entry.identity] = self._choices.fields(entry)
        return self._fields[entry.identity]

    def _tell(self, parent: QModelIndex) -> None:
        last = self.index((self.rowCount(parent) or 1) - 1, 0, parent)
        self.dataChanged.emit(self.index(0, 0, parent), last, [Qt.CheckStateRole])

    @override
    def index(self, row: int, column: int, parent: QModelIndex | None = None) -> QModelIndex:
        """Return the index of a cell; fields know the number of their subject, counted from 1."""
        above = QModelIndex() if parent is None else parent
        if not self.hasIndex(row, column, above):
            return QModelIndex()
        return self.createIndex(row, column, above.row() + 1 if above.isValid() else 0)

    @override
    def parent(self, index: QModelIndex | None = None) -> Any:
        """Return the row above a field; the owner of the model where no index is given."""
        if index is None:
            return super().parent()
        number = index.internalId() if index.isValid() else 0
        return self.createIndex(number - 1, 0, 0) if number else QModelIndex()

    @override
    def rowCount(self, parent: QModelIndex | None = None) -> int:  # noqa: N802 - Qt's name
        """Return how many subjects there are, or fields of a subject."""
        if parent is None or not parent.isValid():
            return len(self.shown)
        if parent.internalId() or parent.column():
            return 0
        return len(self.shown[parent.row()].differences)

    @override
    def columnCount(self, parent: QModelIndex | None = None) -> int:  # noqa: N802 - Qt's name
        """Return how many columns there are."""
        del parent
        return len(TITLES)

    @override
    def headerData(self, section: int, orientation: int, role: int = Qt.DisplayRole) -> Any:  # noqa: N802
        """Return the title of a column; None for anything but a title."""
        return TITLES[section] if orientation == Qt.Horizontal and role == Qt.DisplayRole else None

    @override
    def flags(self, index: QModelIndex) -> Any:
        """Return what a hand can do at a cell."""
        flags = Qt.ItemIsEnabled | Qt.ItemIsSelectable
        entry = self.entry_of(index)
        if entry is not None and index.column() == 0 and self._choices.may_tick(entry):
            flags |= Qt.ItemIsUserCheckable
        return flags

    @override
    def data(self, index: QModelIndex, role: int = Qt.DisplayRole) -> Any:
        """Return what stands in a cell, its box, and how it looks; None for anything else."""
        entry, difference = self.entry_of(index), self.difference_of(index)
        if entry is None:
            return None
        if role == Qt.CheckStateRole and index.column() == 0:
            return self._check_state(entry, difference)
        if difference is None:
            return _of_subject(entry, index.column(), role)
        return _of_field(difference, index.column(), role)

    @override
    def setData(self, index: QModelIndex, value: Any, role: int = Qt.EditRole) -> bool:  # noqa: N802 - Qt's name
        """Tick a subject with all its fields, or one field; tell whether it is so now."""
        entry, difference = self.entry_of(index), self.difference_of(index)
        if role != Qt.CheckStateRole or entry is None or not self._choices.may_tick(entry):
            return False
        self._choices.tick(entry, on=value == Qt.Checked, field=None if difference is None else difference.field)
        above = self.parent(index) if index.internalId() else index.sibling(index.row(), 0)
        self.dataChanged.emit(above, above, [Qt.CheckStateRole])
        self._tell(above)
        self.ticked.emit()
        return True

    def _check_state(self, entry: PlanEntry, difference: Difference | None) -> Any:
        if not self._choices.may_tick(entry):
            return None
        ticked = self._choices.ticked(entry)
        if difference is not None:
            return Qt.Checked if difference.field in ticked else Qt.Unchecked
        if self._choices.is_whole(entry):
            return Qt.Checked
        return Qt.PartiallyChecked if ticked else Qt.Unchecked


def _of_subject(entry: PlanEntry, column: int, role: int) -> Any:
    if role == Qt.FontRole:
        font = QFont(QApplication.font())
        font.setBold(True)
        return font
    if column != 0 or role not in {Qt.DisplayRole, Qt.ToolTipRole}:
        return None
    return headline(entry) if role == Qt.DisplayRole else _tooltip(headline(entry))


def _of_field(difference: Difference, column: int, role: int) -> Any:
    values = (None, difference.local, difference.remote, None)
    if role == Qt.FontRole and column in {1, 2} and is_blank(values[column]):
        font = QFont(QApplication.font())  # "(none)" set in italics is not the text "(none)"
        font.setItalic(True)
        return font
    if role == Qt.ForegroundRole and says_nothing(difference):
        return QApplication.palette().brush(QPalette.Disabled, QPalette.Text)
    if role not in {Qt.DisplayRole, Qt.ToolTipRole}:
        return None
    if column in {1, 2}:
        if role == Qt.DisplayRole:
            return cell(words(values[column], indent=None))
        return _tooltip(words(values[column]))
    text = label(difference.field) if column == 0 else change(difference)
    return text if role == Qt.DisplayRole else _tooltip(text)


def _tooltip(text: str) -> str:
    return html_tip(text[:_LONGEST_TIP])
