"""The rows of *Water due today*: what Alyx says of each animal, and what the person at the rig made of it."""

from __future__ import annotations

import re
from dataclasses import dataclass
from decimal import Decimal
from typing import TYPE_CHECKING, Any, Final

from AnyQt.QtCore import QAbstractTableModel, QModelIndex, Qt, Signal
from AnyQt.QtGui import QBrush, QColor

from pybpod_alyx_module.animals.water import UNIT
from pybpod_alyx_module.animals.weight import COLOURS, LOW_TEXT, TOO_LIGHT, Level
from pybpod_alyx_module.gui.guard import override
from pybpod_alyx_module.numbers import rounded_down, rounded_up, shown

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from pybpod_alyx_module.animals.water_table import TableRow, WaterTable
    from pybpod_alyx_module.animals.weight import LastJudged
    from pybpod_alyx_module.outbox.items import Item

COLUMNS: Final = ("Animal", "Lab", "Last weight", "Needs", "Given", "Remains", "Amount (mL)", "Result")
ANIMAL, LAB, WEIGHT, NEEDS, GIVEN, REMAINS, AMOUNT, RESULT = range(len(COLUMNS))


@dataclass(eq=False)
class WaterRow:
    """One animal of the table."""

    #: What Alyx and the outbox said last.
    seen: TableRow
    ticked: bool = False
    #: The amount that was typed; None while it is what remains.
    typed: str | None = None
    #: What became of it, in words.
    result: str = ""
    #: What was recorded; None before.
    item: Item | None = None

    @property
    def name(self) -> str:
        """Nickname."""
        return self.seen.animal.name

    @property
    def judged(self) -> LastJudged | None:
        """How Alyx judges the last weight."""
        return self.seen.animal.judged

    @property
    def too_light(self) -> str:
        """That the last weight is below the minimum, in words; empty where it is not, or where Alyx does not tell."""
        return self.judged.too_light if self.judged is not None else ""

    @property
    def suggested(self) -> str:
        """The amount that the row starts with, empty where it is not known how much the animal needs."""
        water = self.seen.animal.water
        return f"{water.remaining}" if water.weight_known else ""

    @property
    def amount(self) -> str:
        """The amount as it stands there."""
        return self.suggested if self.typed is None else self.typed

    @property
    def is_to_give(self) -> bool:
        """Whether it is ticked and not recorded yet."""
        return self.ticked and self.item is None

    @property
    def is_unrecorded(self) -> bool:
        """Whether a tick or an amount would be lost with the window."""
        return self.item is None and (self.ticked or self.typed is not None)

    def take_over(self, before: WaterRow) -> None:
        """Keep the tick and the amount that the animal had before Alyx was asked again."""
        if not before.is_unrecorded:
            return
        self.ticked = before.ticked
        self.typed = None if before.typed == self.suggested else before.typed
        if self.suggested != before.suggested:
            self.result = f"{before.suggested or 'Unknown'} remained before Alyx was asked again. {self.result}".strip()


def _last_weight(row: WaterRow) -> str:
    last = row.seen.animal.last_weight
    if last is None:
        return "none lately"
    when = f"{last.when:%m-%d %H:%M}" if last.when else ""
    return ", ".join(part for part in (f"{shown(last.grams)} g", when, row.too_light) if part)


def _needs(row: WaterRow) -> str:
    water = row.seen.animal.water
    return f"{rounded_up(water.expected, UNIT)}" if water.weight_known else "unknown"


def _given(row: WaterRow) -> str:
    water = row.seen.animal.water
    if water.reward is None or water.supplement is None:
        return f"{rounded_down(water.given, UNIT)}"
    return f"{rounded_down(water.reward, UNIT)} + {rounded_down(water.supplement, UNIT)}"


def _remains(row: WaterRow) -> str:
    return row.suggested or "weigh it first"


_TEXTS: Final[dict[int, Callable[[WaterRow], str]]] = {
    ANIMAL: lambda row: row.name,
    LAB: lambda row: row.seen.animal.lab,
    WEIGHT: _last_weight,
    NEEDS: _needs,
    GIVEN: _given,
    REMAINS: _remains,
    AMOUNT: lambda row: row.amount,
    RESULT: lambda row: row.result,
}


def _of_weight(row: WaterRow, judged: LastJudged, role: int) -> Any:
    if role == Qt.ToolTipRole:
        return f"{_last_weight(row)}: {judged.text}"
    if row.too_light and judged.level is not None:
        if role == Qt.BackgroundRole:
            return QBrush(QColor(COLOURS[judged.level]))
        if role == Qt.ForegroundRole:
            return QBrush(QColor(LOW_TEXT))
    return None


def _natural(name: str) -> list[tuple[int, int, str]]:
    return [
        (0, int(part), "") if part.isdecimal() else (1, 0, part) for part in re.findall(r"\d+|\D+", name.casefold())
    ]


def _by_weight(row: WaterRow) -> tuple[int, Decimal]:
    last, level = row.seen.animal.last_weight, row.judged.level if row.judged is not None else None
    order = (Level.FAR_BELOW, Level.BELOW).index(level) if level in TOO_LIGHT else 2
    return (3, Decimal(0)) if last is None else (order, last.grams)


#: By what the rows are sorted; a column that is not here is sorted by its text.
_ORDERS: Final[dict[int, Callable[[WaterRow], Any]]] = {
    ANIMAL: lambda row: _natural(row.name),
    WEIGHT: _by_weight,
    NEEDS: lambda row: row.seen.animal.water.expected,
    GIVEN: lambda row: row.seen.animal.water.given,
    REMAINS: lambda row: row.seen.animal.water.remaining,
    AMOUNT: lambda row: (len(row.amount.partition(".")[0]), row.amount),
}


class WaterRows(QAbstractTableModel):
    """The animals as rows; a cell is put into words when it is painted."""

    #: A person ticked an animal or typed an amount.
    edited = Signal()

    def __init__(self) -> None:
        super().__init__()
        self.rows: tuple[WaterRow, ...] = ()
        #: Whether nothing can be ticked or typed: while what was ticked is on its way into the outbox.
        self.held = False
        self._server = ""
        self._sorted: tuple[int, Qt.SortOrder] = (-1, Qt.AscendingOrder)

    def to_give(self) -> list[WaterRow]:
        """Return the rows that are ticked and not recorded yet, in order."""
        return [row for row in self.rows if row.is_to_give]

    def unrecorded(self) -> list[WaterRow]:
        """Return the rows whose tick or amount would be lost with the window, in order."""
        return [row for row in self.rows if row.is_unrecorded]

    def forget_unrecorded(self) -> None:
        """Take back ticks and amounts that were not recorded."""
        for row in self.unrecorded():
            row.ticked, row.typed = False, None

    def show_table(self, table: WaterTable) -> list[WaterRow]:
        """Show another answer; animals that were in the one before keep their tick and their amount.

        Returns: rows of the one before that had a tick or an amount and are not in this one.
        """
        before = {row.seen.animal.subject_id: row for row in self.rows} if table.server == self._server else {}
        left = {row.seen.animal.subject_id: row for row in self.unrecorded()}
        rows = []
        for seen in table.rows:
            row = WaterRow(seen, result=" ".join(seen.unsent))
            known = before.get(seen.animal.subject_id)
            if known is not None:
                row.take_over(known)
                left.pop(seen.animal.subject_id, None)
            rows.append(row)
        self.beginResetModel()
        self.rows, self._server = self._in_order(rows), table.server
        self.endResetModel()
        return list(left.values())

    @override
    def sort(self, column: int, order: Qt.SortOrder = Qt.AscendingOrder) -> None:
        """Sort the rows, also those of answers to come; by weight the too light come first. Below 0: by name."""
        self._sorted = (column, order)
        self.layoutAboutToBeChanged.emit()
        before, kept = self.rows, self.persistentIndexList()
        self.rows = self._in_order(before)
        places = {id(row): place for place, row in enumerate(self.rows)}
        moved = [self.index(places[id(before[one.row()])], one.column()) for one in kept]
        self.changePersistentIndexList(kept, moved)
        self.layoutChanged.emit()

    def _in_order(self, rows: Iterable[WaterRow]) -> tuple[WaterRow, ...]:
        column, order = self._sorted
        if column < 0:
            return tuple(rows)
        key = _ORDERS.get(column, _TEXTS[column])
        return tuple(sorted(rows, key=key, reverse=order == Qt.DescendingOrder))

    def row_of(self, subject_id: str) -> int:
        """Return where an animal stands; -1 where it does not."""
        return next((place for place, row in enumerate(self.rows) if row.seen.animal.subject_id == subject_id), -1)

    def show_changed(self, rows: Iterable[WaterRow]) -> None:
        """Paint rows again that were changed from outside."""
        changed = set(rows)
        places = [place for place, row in enumerate(self.rows) if row in changed]
        if places:
            self.dataChanged.emit(self.index(places[0], 0), self.index(places[-1], len(COLUMNS) - 1))

    @override
    def rowCount(self, parent: QModelIndex | None = None) -> int:  # noqa: N802 - Qt's name
        """Return how many animals there are."""
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
        """Return the text of a cell or its tick; None for anything else."""
        row, column = self.rows[index.row()], index.column()
        if role in (Qt.DisplayRole, Qt.EditRole):
            return _TEXTS[column](row)
        if role == Qt.ToolTipRole and column in (ANIMAL, LAB, RESULT):
            return _TEXTS[column](row)
        if column == WEIGHT and row.judged is not None:
            return _of_weight(row, row.judged, role)
        if role == Qt.CheckStateRole and column == ANIMAL and row.item is None:
            return Qt.Checked if row.ticked else Qt.Unchecked
        return None

    @override
    def setData(self, index: QModelIndex, value: Any, role: int = Qt.EditRole) -> bool:  # noqa: N802 - Qt's name
        """Take a tick or an amount; True where it was one."""
        row, column = self.rows[index.row()], index.column()
        if self.held or row.item is not None:
            return False
        if role == Qt.CheckStateRole and column == ANIMAL:
            row.ticked = value == Qt.Checked
        elif role == Qt.EditRole and column == AMOUNT:
            text = str(value).strip()
            if text == row.amount:
                return True
            row.typed, row.result = (None if text == row.suggested else text), ""
        else:
            return False
        self.show_changed([row])
        self.edited.emit()
        return True

    @override
    def flags(self, index: QModelIndex) -> Any:
        """Return what can be done with a cell."""
        flags = Qt.ItemIsEnabled | Qt.ItemIsSelectable
        if not self.held and self.rows[index.row()].item is None:
            if index.column() == ANIMAL:
                flags |= Qt.ItemIsUserCheckable
            elif index.column() == AMOUNT:
                flags |= Qt.ItemIsEditable
        return flags


def no_longer_listed(rows: list[WaterRow]) -> tuple[str, ...]:
    """Name what was ticked or typed of animals that Alyx no longer lists as due."""
    if not rows:
        return ()
    listed = ", ".join(f"{row.name} ({f'{row.amount} mL' if row.amount else 'no amount'})" for row in rows)
    return (f"Alyx no longer lists as due what you had ticked or typed: {listed}. Nothing was recorded.",)
