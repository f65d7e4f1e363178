"""A question within a window: what it is about, and two answers, of which the safe one has the keyboard."""

from __future__ import annotations

from typing import TYPE_CHECKING

from AnyQt.QtWidgets import QFrame, QPushButton, QVBoxLayout

from pybpod_alyx_module.gui.widgets import button_row, plain_label

if TYPE_CHECKING:
    from collections.abc import Callable


class QuestionFrame(QFrame):
    """Hidden before `ask`."""

    def __init__(self, on_anyway: Callable[[], object], on_back: Callable[[], object]) -> None:
        super().__init__()
        self.setObjectName("question")
        self.setStyleSheet("#question { background: #fff4d6; } #question QLabel { color: #402c00; }")
        self.text = plain_label()
        #: Does what the question is about.
        self.anyway_button = QPushButton()
        #: Leads back, with nothing done.
        self.back_button = QPushButton()
        self.anyway_button.clicked.connect(on_anyway)
        self.back_button.clicked.connect(on_back)
        column = QVBoxLayout(self)
        column.addWidget(self.text)
        column.addLayout(button_row(self.anyway_button, self.back_button))
        self.hide()

    def ask(self, text: str, anyway: str, back: str, *, at_once: bool = True) -> None:
        """Show a question and the words on its buttons.

        ``at_once``: whether it takes the keyboard; else a person may be typing elsewhere.
        """
        self.text.setText(text)
        self.anyway_button.setText(anyway)
        self.back_button.setText(back)
        self.show()
        if at_once:
            self.back_button.setFocus()
