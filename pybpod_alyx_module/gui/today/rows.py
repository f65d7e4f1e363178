"""The rows of *Today*: what Alyx says of each animal, and what the person at the rig made of it."""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum
from typing import TYPE_CHECKING, Any

from AnyQt.QtCore import QAbstractTableModel, QModelIndex, Qt, Signal

from pybpod_alyx_module.animals.today.next_step import Step, Urgency, next_step, urgency
from pybpod_alyx_module.gui.guard import override
from pybpod_alyx_module.gui.today.columns import (
    AMOUNT,
    ANIMAL,
    COLUMNS,
    NEXT,
    TIPS,
    cell_colour,
    cell_text,
    cell_tip,
    sort_key,
)
from pybpod_alyx_module.gui.words import plain_tip

if TYPE_CHECKING:
    from collections.abc import Iterable

    from pybpod_alyx_module.animals.today.board import Board, BoardRow
    from pybpod_alyx_module.animals.weight import LastJudged
    from pybpod_alyx_module.outbox.items import Item


class Shown(Enum):
    """Which animals are shown, by what the list to choose from calls it."""

    TO_DO = "Still to do"
    ALL = "All"
    NOT_WEIGHED = "Not weighed today"
    NEEDS_WATER = "Water due"
    NOT_RUN = "No session today"
    TOO_LIGHT = "Too light"

    def holds(self, row: TodayRow) -> bool:
        """Tell whether a row is among them."""
        animal = row.seen.animal
        if self is Shown.TO_DO:
            return next_step(animal) is not Step.NOTHING or bool(row.too_light)
        if self is Shown.NOT_WEIGHED:
            return not animal.weighed_today
        if self is Shown.NEEDS_WATER:
            return animal.needs_water
        if self is Shown.NOT_RUN:
            return animal.sessions is None
        return self is Shown.ALL or bool(row.too_light)


@dataclass(eq=False)
class TodayRow:
    """One animal of the table."""

    #: What Alyx and the outbox said last.
    seen: BoardRow
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
        """The amount that the row starts with, empty where it needs none, or nobody knows how much."""
        water = self.seen.animal.water
        return f"{water.remaining}" if water.restricted and water.weight_known else ""

    @property
    def urgency(self) -> Urgency:
        """Why it comes before others."""
        return urgency(self.seen.animal)

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

    def count_in(self, seen: BoardRow) -> None:
        """Take what is known now with the outbox counted in; tick, typed amount and result stay."""
        before = self.suggested
        was_unsent = self.item is None and self.result == " ".join(self.seen.unsent)
        self.seen = seen
        if was_unsent:
            self.result = " ".join(seen.unsent)
        if self.is_unrecorded and self.suggested != before:
            self._say_changed(before)

    def _say_changed(self, before: str) -> None:
        self.result = f"{before or 'Unknown'} remained before. {self.result}".strip()

    def take_over(self, before: TodayRow) -> None:
        """Keep the tick and the amount that the animal had before Alyx was asked again."""
        if not before.is_unrecorded:
            return
        self.ticked = before.ticked
        self.typed = None if before.typed == self.suggested else before.typed
        if self.suggested != before.suggested:
            self._say_changed(before.suggested)


class TodayRows(QAbstractTableModel):
    """The animals as rows; a cell is put into words when it is painted."""

    #: A person ticked an animal or typed an amount.
    edited = Signal()

    def __init__(self) -> None:
        super().__init__()
        #: All of the board.
        self.all: tuple[TodayRow, ...] = ()
        #: Those that are shown, in order.
        self.rows: tuple[TodayRow, ...] = ()
        self.shown, self.searched = Shown.TO_DO, ""
        #: Whether nothing can be ticked or typed: while what was ticked is on its way into the outbox.
        self.held = False
        self._server = ""
        self._sorted: tuple[int, Qt.SortOrder] = (NEXT, Qt.AscendingOrder)

    def to_give(self) -> list[TodayRow]:
        """Return the rows that are ticked and not recorded yet, in order."""
        return list(self._in_order(row for row in self.all if row.is_to_give))

    def unrecorded(self) -> list[TodayRow]:
        """Return the rows whose tick or amount would be lost with the window, in order."""
        return list(self._in_order(row for row in self.all if row.is_unrecorded))

    def forget_unrecorded(self) -> None:
        """Take back ticks and amounts that were not recorded."""
        for row in self.unrecorded():
            row.ticked, row.typed = False, None

    def count(self, shown: Shown) -> int:
        """Return how many animals a choice shows."""
        return sum(map(shown.holds, self.all))

    def choose(self, shown: Shown, searched: str) -> None:
        """Show some of the animals: of a choice, with a text in their name or lab, and those that would be given water.

        What is ticked or typed is not hidden: it would be recorded unseen.
        """
        self.shown, self.searched = shown, searched.casefold().strip()
        self.beginResetModel()
        self.rows = self._chosen()
        self.endResetModel()

    def tick_shown(self) -> None:
        """Tick all shown animals that need water and are not ticked; where all are, take the ticks back."""
        rows = [row for row in self.rows if row.item is None and row.seen.animal.water.remaining and row.suggested]
        ticked = not all(row.ticked for row in rows)
        if self.held or not rows:
            return
        for row in rows:
            row.ticked = ticked
        self.show_changed(rows)
        self.edited.emit()

    def _chosen(self) -> tuple[TodayRow, ...]:
        chosen = (row for row in self.all if row.is_unrecorded or (self.shown.holds(row) and self._is_found(row)))
        return self._in_order(chosen)

    def _is_found(self, row: TodayRow) -> bool:
        animal = row.seen.animal
        return self.searched in animal.name.casefold() or self.searched in animal.lab.casefold()

    def show_table(self, table: Board) -> list[TodayRow]:
        """Show another answer; animals that were in the one before keep their tick and their amount.

        Returns: rows of the one before that had a tick or an amount and are not in this one.
        """
        before = {row.seen.animal.subject_id: row for row in self.all} if table.server == self._server else {}
        left = {row.seen.animal.subject_id: row for row in self.unrecorded()}
        rows = []
        for seen in table.rows:
            row = TodayRow(seen, result=" ".join(seen.unsent))
            known = before.get(seen.animal.subject_id)
            if known is not None:
                row.take_over(known)
                left.pop(seen.animal.subject_id, None)
            rows.append(row)
        self.beginResetModel()
        self.all, self._server = tuple(rows), table.server
        self.rows = self._chosen()
        self.endResetModel()
        return list(left.values())

    def count_in(self, board: Board) -> list[TodayRow]:
        """Take what is known now with the outbox counted in; the rows stay where they are.

        Returns: the rows that are to be painted again.
        """
        seen = {one.animal.subject_id: one for one in board.rows} if board.server == self._server else {}
        changed = [row for row in self.all if seen.get(row.seen.animal.subject_id, row.seen) != row.seen]
        for row in changed:
            row.count_in(seen[row.seen.animal.subject_id])
        return changed

    @override
    def sort(self, column: int, order: Qt.SortOrder = Qt.AscendingOrder) -> None:
        """Sort the rows, also those of answers to come; by weight the too light first. Below 0: by urgency."""
        self._sorted = (NEXT, Qt.AscendingOrder) if column < 0 else (column, order)
        self.layoutAboutToBeChanged.emit()
        before, kept = self.rows, self.persistentIndexList()
        self.rows = self._in_order(before)
        places = {id(row): place for place, row in enumerate(self.rows)}
        moved = [self.index(places[id(before[one.row()])], one.column()) for one in kept]
        self.changePersistentIndexList(kept, moved)
        self.layoutChanged.emit()

    def _in_order(self, rows: Iterable[TodayRow]) -> tuple[TodayRow, ...]:
        column, order = self._sorted
        urgent_first = sorted(rows, key=sort_key(NEXT))  # also among those that are alike in the column
        return tuple(sorted(urgent_first, key=sort_key(column), reverse=order == Qt.DescendingOrder))

    def row_of(self, subject_id: str) -> int:
        """Return where an animal stands; -1 where it does not."""
        return next((place for place, row in enumerate(self.rows) if row.seen.animal.subject_id == subject_id), -1)

    def show_changed(self, rows: Iterable[TodayRow]) -> None:
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
        """Return the title of a column and its tooltip; None for anything else."""
        if orientation != Qt.Horizontal:
            return None
        return COLUMNS[section] if role == Qt.DisplayRole else TIPS.get(section) if role == Qt.ToolTipRole else None

    @override
    def data(self, index: QModelIndex, role: int = Qt.DisplayRole) -> Any:
        """Return the text of a cell or its tick; None for anything else."""
        row, column = self.rows[index.row()], index.column()
        if role in (Qt.DisplayRole, Qt.EditRole):
            return cell_text(row, column)
        if role == Qt.ToolTipRole:
            tip = cell_tip(row, column)
            return None if tip is None else plain_tip(tip)
        if role in (Qt.BackgroundRole, Qt.ForegroundRole):
            return cell_colour(row, column, role)
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


def no_longer_listed(rows: list[TodayRow]) -> tuple[str, ...]:
    """Name what was ticked or typed of animals that Alyx no longer lists as due."""
    if not rows:
        return ()
    listed = ", ".join(f"{row.name} ({f'{row.amount} mL' if row.amount else 'no amount'})" for row in rows)
    return (f"Alyx no longer lists as due what you had ticked or typed: {listed}. Nothing was recorded.",)
