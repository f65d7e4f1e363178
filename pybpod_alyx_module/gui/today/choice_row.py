"""Which animals *Today* shows: a choice with their number, and a search."""

from __future__ import annotations

from typing import TYPE_CHECKING

from AnyQt.QtCore import Qt, Signal
from AnyQt.QtWidgets import QHBoxLayout, QLabel, QLineEdit, QShortcut, QWidget

from pybpod_alyx_module.gui.guard import slot
from pybpod_alyx_module.gui.today.rows import Shown
from pybpod_alyx_module.gui.widgets import CalmComboBox

if TYPE_CHECKING:
    from pybpod_alyx_module.gui.today.rows import TodayRows


class ChoiceRow(QWidget):
    """Chooses in `TodayRows` what is shown."""

    #: Other rows are shown.
    chosen = Signal()

    def __init__(self, rows: TodayRows) -> None:
        super().__init__()
        self._rows = rows
        self.shown = CalmComboBox()
        for one in Shown:
            self.shown.addItem(one.value, one)
        self.search = QLineEdit()
        self.search.setPlaceholderText("Search name or lab (Ctrl+F)")
        self.search.setClearButtonEnabled(True)
        show = QLabel("S&how:")
        show.setBuddy(self.shown)
        row = QHBoxLayout(self)
        row.setContentsMargins(0, 0, 0, 0)
        row.addWidget(show)
        row.addWidget(self.shown)
        row.addWidget(self.search, 1)
        find = QShortcut(Qt.CTRL | Qt.Key_F, self.search, context=Qt.WindowShortcut)
        find.activated.connect(self.search.setFocus)
        self.shown.currentIndexChanged.connect(self._on_chosen)
        self.search.textChanged.connect(self._on_chosen)

    @slot
    def show_counts(self) -> None:
        """Show how many animals each choice has."""
        for place in range(self.shown.count()):
            one = self.shown.itemData(place)
            self.shown.setItemText(place, f"{one.value} ({self._rows.count(one)})")

    @slot
    def _on_chosen(self) -> None:
        self._rows.choose(self.shown.currentData(), self.search.text())
        self.chosen.emit()
