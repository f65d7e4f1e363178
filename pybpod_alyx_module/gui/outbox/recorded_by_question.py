"""The question who recorded an item: it was recorded in a PyBpod that ended before anybody said so."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING

from AnyQt.QtWidgets import QPushButton, QVBoxLayout

from pybpod_alyx_module.gui.guard import slot
from pybpod_alyx_module.gui.sync.log_in_dialog import ask_to_log_in
from pybpod_alyx_module.gui.sync.questions.question import Question
from pybpod_alyx_module.gui.widgets import BigLabel, button_row, plain_label
from pybpod_alyx_module.gui.windows import resize_to_screen
from pybpod_alyx_module.gui.words import short_name, without_long_words
from pybpod_alyx_module.outbox.words import describe

if TYPE_CHECKING:
    from collections.abc import Iterable

    from AnyQt.QtWidgets import QWidget

    from pybpod_alyx_module.outbox.items import Item


class RecordedByQuestion(Question):
    """Asks who recorded an item: the answer is the Alyx user, None to leave it as it is.

    ``users``: who may have.
    """

    def __init__(self, item: Item, users: Iterable[str], parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.item = item
        self.setWindowTitle("Who recorded it?")
        resize_to_screen(self, 560, 200)
        #: By user.
        self.buttons = {user: QPushButton(short_name(user)) for user in users}
        self.other_button = QPushButton("&Log in as …")
        self.cancel_button = QPushButton("&Cancel")
        for user, button in self.buttons.items():
            button.clicked.connect(partial(self._on_said, user))
        self.cancel_button.setDefault(True)
        self.other_button.clicked.connect(self._on_other)
        self.cancel_button.clicked.connect(self.reject)
        column = QVBoxLayout(self)
        column.addWidget(BigLabel("Who recorded it?", points=4))
        text = f"{describe(item)}. PyBpod ended before anybody said so. It is sent as the user you choose."
        column.addWidget(plain_label(without_long_words(text)))
        column.addStretch(1)
        column.addLayout(button_row(*self.buttons.values(), self.other_button, self.cancel_button))
        self.cancel_button.setFocus()

    @slot
    def _on_said(self, user: str) -> None:
        self._answer = user
        self.accept()

    @slot
    def _on_other(self) -> None:
        why = f"{describe(self.item)} is sent as you."
        ask_to_log_in(self.item.server, why, self._on_said, parent=self)
