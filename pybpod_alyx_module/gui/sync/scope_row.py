"""The row of the sync window in which a person chooses which subjects to get."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from AnyQt.QtCore import Qt, Signal
from AnyQt.QtWidgets import QCheckBox, QComboBox, QHBoxLayout, QWidget

from pybpod_alyx_module.gui.guard import slot
from pybpod_alyx_module.gui.widgets import CalmComboBox
from pybpod_alyx_module.sync.scope import NAMED, Kind, Scope

if TYPE_CHECKING:
    from collections.abc import Sequence

_LABELS: Final = {
    Kind.MINE: "My subjects",
    Kind.HANDLED: "Subjects that I may handle",
    Kind.LAB: "Subjects of the lab",
    Kind.PROJECT: "Subjects of the Alyx project",
    Kind.KNOWN: "Only those of this PyBpod project",
}


class ScopeRow(QWidget):
    """What the subjects have in common, its name where it needs one, and two boxes that leave some out."""

    #: A person chose a kind whose names are not known yet (`Kind`).
    names_wanted = Signal(object)

    def __init__(self) -> None:
        super().__init__()
        self.kind = CalmComboBox()
        for kind, label in _LABELS.items():
            self.kind.addItem(label, kind)
        self.kind.setToolTip("Which subjects to get. A subject that is alive is never removed by another choice.")
        self.name = QComboBox()
        self.name.setEditable(True)
        self.name.setInsertPolicy(QComboBox.NoInsert)
        self.name.setMinimumContentsLength(12)
        self.name.completer().setFilterMode(Qt.MatchContains)
        self.water_restricted = QCheckBox("&water-restricted")
        self.without_stock = QCheckBox("no &stock")
        self.without_stock.setToolTip("Without the subjects that are kept for breeding")
        self._named = Kind.MINE
        row = QHBoxLayout(self)
        row.setContentsMargins(0, 0, 0, 0)
        row.addWidget(self.kind)
        row.addWidget(self.name, 1)
        row.addWidget(self.water_restricted)
        row.addWidget(self.without_stock)
        row.addStretch(0)
        self.kind.currentIndexChanged.connect(self._on_kind)
        self._on_kind()

    @property
    def scope(self) -> Scope:
        """What is chosen; of a kind that needs a name and has none, with an empty one."""
        kind = Kind(self.kind.currentData())
        name = self.name.currentText().strip() if kind in NAMED else ""
        if kind is Kind.KNOWN:
            return Scope(kind)
        return Scope(kind, name, self.water_restricted.isChecked(), self.without_stock.isChecked())

    def show_scope(self, scope: Scope) -> None:
        """Show a choice."""
        self.kind.setCurrentIndex(list(_LABELS).index(scope.kind))
        self.name.setEditText(scope.name)
        self.water_restricted.setChecked(scope.water_restricted)
        self.without_stock.setChecked(scope.without_stock)

    def offer(self, kind: Kind, names: Sequence[str]) -> None:
        """Give the names to choose from, of labs or of Alyx projects; what was typed stays."""
        if kind is not self.scope.kind:
            return
        typed = self.name.currentText()
        self.name.clear()
        self.name.addItems(list(names))
        self.name.setEditText(typed)
        self._named = kind

    @slot
    def _on_kind(self) -> None:
        kind = Kind(self.kind.currentData())
        needs_name = kind in NAMED
        self.name.setVisible(needs_name)
        for box in (self.water_restricted, self.without_stock):
            box.setVisible(kind is not Kind.KNOWN)
        if needs_name and self._named is not kind:
            self.name.clear()
            self.names_wanted.emit(kind)
