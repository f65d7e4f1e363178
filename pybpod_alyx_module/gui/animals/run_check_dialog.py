"""Shows what the check before Run found: a question, a refusal, or a notice while the protocol runs."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from AnyQt.QtCore import Qt, Signal
from AnyQt.QtWidgets import QFrame, QPushButton, QSizePolicy, QVBoxLayout, QWidget

from pybpod_alyx_module.animals.checks_before_run import NOTE
from pybpod_alyx_module.gui.animals.weight_dialog import RECORD_WEIGHT
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


#: What is shown once nothing is found any more.
NOTHING_LEFT: Final = "Nothing speaks against this run any more."


class RunCheckDialog(Question):
    """Asks whether to run a setup: the answer is True to run. It blocks nothing but that run."""

    #: Somebody wants to weigh an animal that was not weighed today (its Alyx id).
    weigh_pressed = Signal(str)

    def __init__(
        self, name: str, findings: Sequence[Finding], parent: QWidget | None = None, *, runs: bool = False
    ) -> None:
        super().__init__(parent)
        self.setWindowTitle(f"Before Run – {name}")  # noqa: RUF001 - a dash is meant
        resize_to_screen(self, 760, 380)
        self._name, self._runs = name, runs
        self.findings: tuple[Finding, ...] = ()
        self.blocked = False
        self.head = BigLabel(points=4)
        #: Those that record a weight, by the Alyx id of the animal.
        self.weigh_buttons: dict[str, QPushButton] = {}
        self.run_button = QPushButton("&Run")
        self.no_button = QPushButton()
        self.no_button.setDefault(True)
        self._lines = QVBoxLayout()
        column = QVBoxLayout(self)
        column.addWidget(self.head)
        column.addWidget(Scrolled(self._lines), 1)
        column.addLayout(button_row(self.run_button, self.no_button))
        self.run_button.clicked.connect(self._on_run)
        self.no_button.clicked.connect(self.reject)
        self.show_findings(findings)
        if runs:
            self.setAttribute(Qt.WA_ShowWithoutActivating)
        else:
            self.no_button.setFocus()

    @property
    def text(self) -> str:
        """All its sentences, a line each."""
        return "\n".join(_words(one) for one in self.findings)

    def show_findings(self, findings: Sequence[Finding]) -> None:
        """Show what the check found, in the place of what it found before."""
        self.findings = tuple(findings)
        self.blocked = any(one.level == "block" for one in findings)
        self.head.say(f"{self._name} runs" if self._runs else f"Run {self._name}?")
        if self.blocked:
            self.head.say(f"{self._name} does not run")
        self.no_button.setText("&Close" if self._runs or self.blocked else "&Do not run")
        self.run_button.setVisible(not self._runs and not self.blocked)
        self.run_button.setEnabled(True)
        self.weigh_buttons.clear()
        while (before := self._lines.takeAt(0)) is not None:
            if before.widget() is not None:
                before.widget().hide()
                before.widget().deleteLater()
        for one in findings:
            self._lines.addWidget(self._sentence(one))
        if not findings:
            self._lines.addWidget(plain_label(NOTHING_LEFT))
        self._lines.addStretch(1)

    def show_checking(self) -> None:
        """Show that the animals are checked again; nobody answers what is no longer so."""
        self.head.say(f"Checking {self._name} again…")
        self.run_button.setEnabled(False)
        self.no_button.setFocus()

    @slot
    def _on_run(self) -> None:
        self._answer = True
        self.accept()

    def _sentence(self, finding: Finding) -> QFrame:
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
        if finding.to_weigh:
            button = QPushButton(RECORD_WEIGHT)
            button.setAutoDefault(False)
            button.clicked.connect(slot(lambda: self.weigh_pressed.emit(finding.to_weigh)))
            row.addWidget(button, 0, Qt.AlignLeft)  # below: a long nickname may take the whole width
            self.weigh_buttons[finding.to_weigh] = button
        return frame


def _words(finding: Finding) -> str:
    if finding.level != "block":
        return finding.sentence
    return f"{finding.sentence} This blocks Run ({CHECKS[finding.check]} = 'block' in user_settings.py)."
