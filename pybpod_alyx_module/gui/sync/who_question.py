"""Who is at the rig: asked once, when something was recorded in a PyBpod that nobody has connected in."""

from __future__ import annotations

from typing import TYPE_CHECKING

from AnyQt.QtWidgets import QPushButton, QVBoxLayout

from pybpod_alyx_module.animals.alyx_subject import server_name
from pybpod_alyx_module.gui.guard import slot
from pybpod_alyx_module.gui.sync.log_in_dialog import ask_to_log_in
from pybpod_alyx_module.gui.sync.questions.question import Question
from pybpod_alyx_module.gui.widgets import button_row, plain_label
from pybpod_alyx_module.gui.windows import resize_to_screen
from pybpod_alyx_module.gui.words import plain_tip, short_name

if TYPE_CHECKING:
    from AnyQt.QtWidgets import QWidget

    from pybpod_alyx_module.gui.running_outbox import RunningOutbox

#: What becomes of a record meanwhile.
KEPT = "What was recorded is kept on this computer; it is sent once you have answered, with the mouse or the space bar."


class WhoQuestion(Question):
    """Asks whether a user is at the rig: the answer is True once somebody said so. It blocks nothing.

    ``server``, ``username``: as whom something was recorded.
    """

    def __init__(self, running: RunningOutbox, server: str, username: str, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setWindowTitle("Who is at the rig?")
        resize_to_screen(self, 620, 170)
        self._running = running
        self.server, self.username = server, username
        self.text = plain_label(f"Recording as {short_name(username)} on {server_name(server)}. Is that you?")
        self.text.setToolTip(plain_tip(username))
        font = self.text.font()
        font.setPointSize(font.pointSize() + 5)
        font.setBold(True)
        self.text.setFont(font)
        self.yes_button = QPushButton(f"&Yes, I am {short_name(username)}")
        self.other_button = QPushButton("&Log in as …")
        self.yes_button.clicked.connect(self._on_yes)
        self.other_button.clicked.connect(self._on_other)
        column = QVBoxLayout(self)
        column.addWidget(self.text)
        column.addWidget(plain_label(KEPT))
        column.addStretch(1)
        column.addLayout(button_row(self.yes_button, self.other_button))
        self.yes_button.setFocus()

    @slot
    def _on_yes(self) -> None:
        self._claim(self.username)

    @slot
    def _on_other(self) -> None:
        why = f"What was just recorded will be sent as you, not as {self.username}."
        ask_to_log_in(self.server, why, self._claim, parent=self)

    @slot
    def _claim(self, username: str) -> None:
        self._running.claim(self.server, username)
        self._answer = True
        self.accept()
