"""The table of sessions that are not on Alyx."""

from __future__ import annotations

from typing import TYPE_CHECKING

from AnyQt.QtCore import QSignalBlocker, Qt
from AnyQt.QtWidgets import QTreeWidgetItem

from pybpod_alyx_module.gui.tick_table import TickTable
from pybpod_alyx_module.gui.words import cell, plain_tip

if TYPE_CHECKING:
    from collections.abc import Iterable

DATE, PROTOCOL, ANIMAL, TRIALS, STATE = range(5)


class SessionTable(TickTable):
    """A row for each session."""

    def __init__(self) -> None:
        super().__init__(
            ("Session", "Task protocol", "Animal", "Trials", "State"),
            {DATE: 210, PROTOCOL: 160, ANIMAL: 140, TRIALS: 60},
        )

    def add(self, texts: Iterable[str], tooltip: str) -> QTreeWidgetItem:
        """Add a session that cannot be ticked yet."""
        item = QTreeWidgetItem(list(texts))
        item.setToolTip(DATE, plain_tip(tooltip))
        item.setTextAlignment(TRIALS, int(Qt.AlignRight | Qt.AlignVCenter))
        self.let_tick(item, allowed=False)
        self.addTopLevelItem(item)
        return item

    def write(self, item: QTreeWidgetItem, column: int, text: str) -> None:
        """Write into a cell; the tooltip has what does not fit."""
        with QSignalBlocker(self):
            item.setText(column, cell(text))
            item.setToolTip(column, plain_tip(text))
