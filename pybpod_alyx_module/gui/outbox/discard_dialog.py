"""The question before an item of the outbox is given up."""

from __future__ import annotations

from typing import TYPE_CHECKING

from AnyQt.QtWidgets import QDialogButtonBox, QVBoxLayout

from pybpod_alyx_module.gui.guard import slot
from pybpod_alyx_module.gui.sync.questions.question import Question
from pybpod_alyx_module.gui.widgets import BigLabel, plain_label
from pybpod_alyx_module.gui.windows import resize_to_screen
from pybpod_alyx_module.outbox.words import discard_words, value_words

if TYPE_CHECKING:
    from collections.abc import Iterable

    from AnyQt.QtWidgets import QWidget

    from pybpod_alyx_module.outbox.items import Item


class DiscardDialog(Question):
    """Asks whether an item is to be given up: True, or None to keep it."""

    def __init__(self, item: Item, followers: Iterable[Item] = (), parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.item = item
        self.setWindowTitle("Discard?")
        self.text = plain_label()
        self.text.setText(discard_words(item, followers))
        buttons = QDialogButtonBox()
        self.discard_button = buttons.addButton("Discard", QDialogButtonBox.DestructiveRole)
        self.keep_button = buttons.addButton("Keep it", QDialogButtonBox.RejectRole)
        self.discard_button.setAutoDefault(False)
        self.keep_button.setDefault(True)
        self.discard_button.clicked.connect(self._on_discard)
        self.keep_button.clicked.connect(self.reject)
        column = QVBoxLayout(self)
        column.addWidget(BigLabel(f"{value_words(item)}, {item.subject_name}", points=4))
        column.addWidget(self.text, 1)
        column.addWidget(buttons)
        resize_to_screen(self, 520, 220)
        self.keep_button.setFocus()  # the space bar is as safe as Enter

    @slot
    def _on_discard(self) -> None:
        self._answer = True
        self.accept()
