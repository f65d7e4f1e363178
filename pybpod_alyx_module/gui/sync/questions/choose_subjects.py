"""The list from which a person chooses the subjects that a sync adds to a PyBpod project."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from AnyQt.QtWidgets import QLineEdit, QPushButton, QTreeWidgetItem, QVBoxLayout

from pybpod_alyx_module.gui.guard import slot
from pybpod_alyx_module.gui.sync.questions.question import Question
from pybpod_alyx_module.gui.tick_table import TickTable
from pybpod_alyx_module.gui.widgets import button_row, plain_label
from pybpod_alyx_module.gui.windows import resize_to_screen
from pybpod_alyx_module.gui.words import cell, without_long_words
from pybpod_alyx_module.sync.details import MISSING
from pybpod_alyx_module.sync.plan import Action

if TYPE_CHECKING:
    from collections.abc import Iterator

    from AnyQt.QtWidgets import QWidget

    from pybpod_alyx_module.sync.details import Details
    from pybpod_alyx_module.sync.plan import SyncPlan
    from pybpod_alyx_module.sync.snapshot import RemoteSubject

_LABELS: Final = ("Subject", "Lab", "Responsible user", "Sex", "Born", "Water-restricted since")
_WIDTHS: Final = {0: 150, 1: 120, 2: 150, 3: 45, 4: 110}
#: Letters of a day.
_DAY: Final = len("2026-11-28")


class ChooseSubjectsDialog(Question):
    """Lists the subjects that a sync would add; the answer is the Alyx ids of those that are ticked."""

    def __init__(self, plan: SyncPlan, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setWindowTitle("Subjects to add")
        resize_to_screen(self, 800, 560)
        self._items: dict[str, QTreeWidgetItem] = {}
        found = [entry.remote for entry in plan.of(Action.ADD) if entry.remote is not None]
        self.search = QLineEdit()
        self.search.setPlaceholderText("Show only those with these words: nickname, lab, responsible user …")
        self.search.setClearButtonEnabled(True)
        self.table = TickTable(_LABELS, _WIDTHS)
        self.table.addTopLevelItems(list(self._rows(found)))
        self.tick_all = QPushButton("Tick all shown")
        self.add_button = QPushButton()
        self.cancel_button = QPushButton("Cancel the sync")
        column = QVBoxLayout(self)
        heading = f"{len(found)} of {plan.whose} on {plan.server} are not in this PyBpod project. Tick those to add."
        column.addWidget(plain_label(without_long_words(heading)))
        column.addWidget(self.search)
        column.addWidget(self.table, 1)
        column.addLayout(button_row(self.add_button, self.cancel_button, left=self.tick_all))
        self.search.textChanged.connect(self._on_search)
        self.table.ticked.connect(self._update)
        self.tick_all.clicked.connect(self.table.tick_all)
        self.add_button.clicked.connect(self._on_add)
        self.cancel_button.clicked.connect(self.reject)
        self._update()

    @property
    def chosen(self) -> frozenset[str]:
        """Alyx ids of what is ticked."""
        return frozenset(alyx_id for alyx_id, item in self._items.items() if self.table.is_ticked(item))

    def _rows(self, found: list[RemoteSubject]) -> Iterator[QTreeWidgetItem]:
        for remote in found:
            texts = (
                remote.nickname,
                remote.lab or "",
                remote.responsible_user or "",
                _text(remote.details, "sex"),
                _text(remote.details, "birth_date"),
                _text(remote.volatile, "last_water_restriction")[:_DAY],
            )
            item = self.table.row(map(cell, texts))
            self._items[remote.alyx_id] = item
            yield item

    @slot
    def _on_search(self, typed: str) -> None:
        self.table.filter(typed)
        self._update()

    @slot
    def _update(self) -> None:
        count = len(self.chosen)
        self.add_button.setText({0: "Add none", 1: "Add 1 subject"}.get(count, f"Add {count} subjects"))
        self.tick_all.setText("Untick all shown" if self.table.all_ticked else "Tick all shown")

    @slot
    def _on_add(self) -> None:
        self._answer = self.chosen
        self.accept()


def _text(details: Details, field: str) -> str:
    value = details.get(field)
    return "" if value is MISSING or value is None else str(value)
