"""The animals of a weighing round as a table: who is done, with what weight, and what Alyx says of it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from AnyQt.QtCore import QAbstractTableModel, QModelIndex, Qt, Signal
from AnyQt.QtGui import QBrush, QColor, QPalette
from AnyQt.QtWidgets import QAbstractItemView, QApplication, QHeaderView, QTableView

from pybpod_alyx_module.animals.weight import COLOURS, LOW_TEXT, TOO_LIGHT
from pybpod_alyx_module.gui.guard import override, slot
from pybpod_alyx_module.gui.windows import urgent_colour
from pybpod_alyx_module.gui.words import plain_tip, word_filter
from pybpod_alyx_module.numbers import plain, shown
from pybpod_alyx_module.outbox.items import State
from pybpod_alyx_module.outbox.words import why

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from pybpod_alyx_module.animals.weigh_all.round_row import RoundRow

COLUMNS: Final = ("Animal", "Last weight", "Today", "Of expected", "Where it is")
ANIMAL, LAST, TODAY, EXPECTED, WHERE = range(len(COLUMNS))

#: Before the name of an animal that was weighed today, and of one that was not.
_DONE, _OPEN = "✓ ", "    "
#: How wide the columns are in characters; the last one has the rest.
_WIDTHS: Final = {LAST: "888.88 g, 88-88 ", TODAY: "888.88 g, 88:88 ", EXPECTED: "188.8 %, far too light "}


def _today(row: RoundRow) -> str:
    if row.record is not None:
        return f"{plain(row.record.grams)} g"
    today = row.weight_today
    if today is None:
        return f"{row.typed} typed" if row.typed else ""
    return f"{plain(today.grams)} g, {today.when:%H:%M}"


def _expected(row: RoundRow) -> str:
    today = row.weight_today
    judged = row.judge(today.grams) if today is not None else None
    if judged is None or today is None:
        return ""
    percent = f"{shown(judged.percentage)} %" if judged.percentage is not None else ""
    light = TOO_LIGHT.get(judged.level, "") if judged.level is not None else ""
    return ", ".join(part for part in (percent, light) if part)


def _where(row: RoundRow) -> str:
    if row.record is not None:
        return "answer needed" if row.record.sentences else "being compared" if not row.record.compared else "kept here"
    today = row.weight_today
    return today.state if today is not None else "not recorded" if row.typed else ""


_TEXTS: Final[dict[int, Callable[[RoundRow], str]]] = {
    ANIMAL: lambda row: f"{_DONE if row.is_weighed else _OPEN}{row.name}",
    LAST: lambda row: row.last_words,
    TODAY: _today,
    EXPECTED: _expected,
    WHERE: _where,
}


def _needs_person(row: RoundRow) -> bool:
    today = row.weight_today
    parked = today is not None and today.item is not None and today.item.state is State.PARKED
    return bool(row.record is not None and row.record.sentences) or parked or (bool(row.typed) and row.record is None)


class RoundModel(QAbstractTableModel):
    """Rows that fit what was typed into the search field."""

    def __init__(self) -> None:
        super().__init__()
        #: Those of the round that are listed.
        self._listed: tuple[RoundRow, ...] = ()
        self._search = ""
        #: Those that are shown.
        self.rows: tuple[RoundRow, ...] = ()
        self.current: RoundRow | None = None

    def show_rows(self, listed: Sequence[RoundRow]) -> None:
        """Show the rows of a round."""
        self._listed = tuple(listed)
        self._show()

    def search(self, typed: str) -> None:
        """Show only the rows whose name has each of the words that were typed."""
        self._search = typed
        self._show()

    def _show(self) -> None:
        fits = word_filter(self._search)
        rows = tuple(row for row in self._listed if fits(row.name))
        if rows == self.rows:
            self.show_changed(None)
            return
        self.beginResetModel()
        self.rows = rows
        self.endResetModel()

    def show_changed(self, row: RoundRow | None) -> None:
        """Paint a row again; None for all of them."""
        if row is None:
            places = (0, len(self.rows) - 1)
        else:
            place = self.place_of(row)
            places = (place, place)
        if 0 <= places[0] <= places[1]:
            self.dataChanged.emit(self.index(places[0], 0), self.index(places[1], len(COLUMNS) - 1))

    def place_of(self, row: RoundRow | None) -> int:
        """Return where a row stands; -1 where it is not shown."""
        return next((place for place, one in enumerate(self.rows) if one is row), -1)

    @override
    def rowCount(self, parent: QModelIndex | None = None) -> int:  # noqa: N802 - Qt's name
        """Return how many animals are shown."""
        return 0 if parent is not None and parent.isValid() else len(self.rows)

    @override
    def columnCount(self, parent: QModelIndex | None = None) -> int:  # noqa: N802 - Qt's name
        """Return how many columns there are."""
        return 0 if parent is not None and parent.isValid() else len(COLUMNS)

    @override
    def headerData(self, section: int, orientation: int, role: int = Qt.DisplayRole) -> Any:  # noqa: N802
        """Return the title of a column; None for anything but a title."""
        return COLUMNS[section] if orientation == Qt.Horizontal and role == Qt.DisplayRole else None

    @override
    def data(self, index: QModelIndex, role: int = Qt.DisplayRole) -> Any:
        """Return the text of a cell or its colour; None for anything else."""
        row, column = self.rows[index.row()], index.column()
        if role == Qt.DisplayRole:
            return _TEXTS[column](row)
        if role == Qt.ToolTipRole:
            item = row.weight_today.item if row.weight_today is not None else None
            reason = why(item) if column == WHERE and item is not None else ""
            return plain_tip(reason or _TEXTS[column](row).strip())
        if role == Qt.FontRole and row is self.current:
            font = QApplication.font()
            font.setBold(True)
            return font
        if column == EXPECTED:
            return _colour(row, role)
        if column in (TODAY, WHERE) and role == Qt.ForegroundRole and _needs_person(row):
            return QBrush(QColor(urgent_colour()))
        return None


def _colour(row: RoundRow, role: int) -> QBrush | None:
    today = row.weight_today
    judged = row.judge(today.grams) if today is not None else None
    if judged is None or judged.level is None:
        return None
    if role == Qt.BackgroundRole:
        return QBrush(QColor(COLOURS[judged.level]))
    if role == Qt.ForegroundRole:
        return QBrush(QColor(LOW_TEXT if judged.level in TOO_LIGHT else "#202020"))
    return None


class RoundTable(QTableView):
    """Shows the round; a click goes to an animal. The keyboard stays in the field of the weight."""

    #: Somebody clicked on an animal (its row).
    chosen = Signal(object)

    def __init__(self, rows: RoundModel) -> None:
        super().__init__()
        self._rows = rows
        self.setModel(rows)
        self.setFocusPolicy(Qt.NoFocus)
        self.setSelectionBehavior(QAbstractItemView.SelectRows)
        self.setSelectionMode(QAbstractItemView.SingleSelection)
        self.setWordWrap(False)
        self.setShowGrid(False)
        self.verticalHeader().hide()
        palette = self.palette()  # the row in front is seen also while the keyboard is elsewhere, which it is always
        for role in (QPalette.Highlight, QPalette.HighlightedText):
            palette.setBrush(QPalette.Inactive, role, palette.brush(QPalette.Active, role))
        self.setPalette(palette)
        header = self.horizontalHeader()
        header.setHighlightSections(False)
        header.setSectionResizeMode(ANIMAL, QHeaderView.Stretch)
        for column, text in _WIDTHS.items():
            self.setColumnWidth(column, self.fontMetrics().horizontalAdvance(text))
        self.setColumnWidth(WHERE, self.fontMetrics().horizontalAdvance("being compared    "))
        self.clicked.connect(self._on_clicked)
        rows.modelReset.connect(self.show_current)

    @slot
    def show_current(self) -> None:
        """Mark the animal in front, and scroll to it."""
        place = self._rows.place_of(self._rows.current)
        if place >= 0:
            self.selectRow(place)
            self.scrollTo(self._rows.index(place, ANIMAL))
        else:
            self.clearSelection()

    @slot
    def _on_clicked(self, index: QModelIndex) -> None:
        row = self._rows.rows[index.row()]
        self.show_current()
        self.chosen.emit(row)
