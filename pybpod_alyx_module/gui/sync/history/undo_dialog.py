"""The question before the last sync is undone: what will be as it was, and what will not, and why."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from AnyQt.QtWidgets import QPlainTextEdit, QPushButton, QVBoxLayout

from pybpod_alyx_module.gui.guard import slot
from pybpod_alyx_module.gui.sync.questions.question import Question
from pybpod_alyx_module.gui.sync.summary import summary
from pybpod_alyx_module.gui.widgets import button_row, plain_label
from pybpod_alyx_module.gui.windows import resize_to_screen
from pybpod_alyx_module.gui.words import without_long_words
from pybpod_alyx_module.sync.apply import Result
from pybpod_alyx_module.sync.plan import Action

if TYPE_CHECKING:
    from AnyQt.QtWidgets import QWidget

    from pybpod_alyx_module.sync.plan import SyncPlan

LATER: Final = (
    "Nothing changes on Alyx. The next sync offers the same changes once more, and removes animals that are not alive."
)


class UndoDialog(Question):
    """Lists what an undo does; the answer is True, or None to leave all as it is.

    ``which``: the sync, to stand in a sentence.
    """

    def __init__(self, plan: SyncPlan, which: str, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setWindowTitle("Undo the last sync")
        resize_to_screen(self, 640, 420)
        possible = len(plan.of(Action.LEFT_ALONE)) < len(plan.entries)
        asked = f"Undo {which}?" if possible else f"Nothing of {which} can be undone now."
        self.heading = plain_label(without_long_words(f"{asked}\nServer: {plan.server}"))
        told = summary([Result(entry, applied=True) for entry in plan.entries])
        self.list = QPlainTextEdit(without_long_words(told))
        self.list.setReadOnly(True)
        self.list.setTabChangesFocus(True)
        self.undo_button = QPushButton("&Undo")
        self.undo_button.setVisible(possible)
        self.cancel_button = QPushButton("&Cancel" if possible else "&Close")
        column = QVBoxLayout(self)
        column.addWidget(self.heading)
        column.addWidget(self.list, 1)
        column.addWidget(plain_label(LATER if possible else ""))
        column.addLayout(button_row(self.undo_button, self.cancel_button))
        self.cancel_button.setDefault(True)
        self.undo_button.clicked.connect(self._on_undo)
        self.cancel_button.clicked.connect(self.reject)
        self.cancel_button.setFocus()

    @slot
    def _on_undo(self) -> None:
        self._answer = True
        self.accept()
