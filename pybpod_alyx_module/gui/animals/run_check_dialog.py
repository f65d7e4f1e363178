"""Shows what the check before Run found: a question, a refusal, or a notice while the protocol runs."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from AnyQt.QtCore import Qt
from AnyQt.QtWidgets import QFrame, QPushButton, QSizePolicy, QVBoxLayout, QWidget

from pybpod_alyx_module.animals.checks_before_run import NOTE
from pybpod_alyx_module.gui.guard import slot
from pybpod_alyx_module.gui.sync.questions.question import Question
from pybpod_alyx_module.gui.widgets import BigLabel, Scrolled, button_row, plain_label
from pybpod_alyx_module.gui.windows import resize_to_screen
from pybpod_alyx_module.gui.words import without_long_words
from pybpod_alyx_module.rig_settings import CHECKS

if TYPE_CHECKING:
    from collections.abc import Sequence

    from pybpod_alyx_module.animals.checks_before_run import Finding

_COLOURS: Final = {"block": "#fbd5d5", "warn": "#fff4d6", NOTE: "#e8eef5"}


class RunCheckDialog(Question):
    """Asks whether to run a setup: the answer is True to run. It blocks nothing but that run."""

    def __init__(
        self, name: str, findings: Sequence[Finding], parent: QWidget | None = None, *, runs: bool = False
    ) -> None:
        super().__init__(parent)
        self.setWindowTitle(f"Before Run – {name}")  # noqa: RUF001 - a dash is meant
        resize_to_screen(self, 760, 380)
        self.findings = tuple(findings)
        self.blocked = any(one.level == "block" for one in findings)
        self.head = BigLabel(f"{name} runs" if runs else f"Run {name}?", points=4)
        if self.blocked:
            self.head.say(f"{name} does not run")
        self.sentences = [self._sentence(one) for one in findings]
        self.run_button = QPushButton("&Run")
        self.no_button = QPushButton("&Close" if runs or self.blocked else "&Do not run")
        self.no_button.setDefault(True)
        self.run_button.setVisible(not runs and not self.blocked)
        lines = QVBoxLayout()
        for frame in self.sentences:
            lines.addWidget(frame)
        lines.addStretch(1)
        column = QVBoxLayout(self)
        column.addWidget(self.head)
        column.addWidget(Scrolled(lines), 1)
        column.addLayout(button_row(self.run_button, self.no_button))
        self.run_button.clicked.connect(self._on_run)
        self.no_button.clicked.connect(self.reject)
        if runs:
            self.setAttribute(Qt.WA_ShowWithoutActivating)
        else:
            self.no_button.setFocus()

    @property
    def text(self) -> str:
        """All its sentences, a line each."""
        return "\n".join(_words(one) for one in self.findings)

    @slot
    def _on_run(self) -> None:
        self._answer = True
        self.accept()

    @staticmethod
    def _sentence(finding: Finding) -> QFrame:
        frame = QFrame()
        frame.setObjectName("finding")
        colour = _COLOURS[finding.level]
        frame.setStyleSheet(f"#finding {{ background: {colour}; }} #finding QLabel {{ color: #202020; }}")
        row = QVBoxLayout(frame)
        row.setContentsMargins(8, 5, 8, 5)
        label = plain_label()
        label.setSizePolicy(QSizePolicy.Preferred, QSizePolicy.Preferred)  # as high as its text is at this width
        label.setText(without_long_words(_words(finding)))
        row.addWidget(label)
        return frame


def _words(finding: Finding) -> str:
    if finding.level != "block":
        return finding.sentence
    return f"{finding.sentence} This blocks Run ({CHECKS[finding.check]} = 'block' in user_settings.py)."
