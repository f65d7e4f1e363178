"""The card at the top of *Alyx details*: how the animal is now."""

from __future__ import annotations

from typing import TYPE_CHECKING

from AnyQt.QtCore import Qt
from AnyQt.QtWidgets import QFrame, QGridLayout, QLabel, QSizePolicy

from pybpod_alyx_module.animals.weight import COLOURS, LOW, LOW_TEXT
from pybpod_alyx_module.gui.history.card_words import CAPTIONS
from pybpod_alyx_module.gui.words import plain_tip

if TYPE_CHECKING:
    from collections.abc import Sequence

    from pybpod_alyx_module.gui.history.card_words import Fact

#: Points that a value is larger than other text.
_LARGER = 2


class StateCard(QFrame):
    """Shows a few facts beside one another: what it is, its value, and what stands below it.

    ``low``: whether the screen is too low for what stands below; the tooltips have it, too.
    """

    def __init__(self, *, low: bool = False) -> None:
        super().__init__()
        self.setFrameShape(QFrame.StyledPanel)
        self.setSizePolicy(QSizePolicy.Preferred, QSizePolicy.Minimum)
        #: What is shown, by caption.
        self.facts: dict[str, Fact] = {}
        self.values = {caption: _label() for caption in CAPTIONS}
        self._details = {caption: _label(wrap=True) for caption in CAPTIONS}
        grid = QGridLayout(self)
        grid.setContentsMargins(8, 4, 8, 4)
        grid.setHorizontalSpacing(14)
        grid.setVerticalSpacing(1)
        for column, caption in enumerate(CAPTIONS):
            grid.addWidget(_label(caption), 0, column)
            grid.addWidget(self.values[caption], 1, column)
            grid.addWidget(self._details[caption], 2, column, Qt.AlignTop)
            self._details[caption].setVisible(not low)
            grid.setColumnStretch(column, 3 if column < len(CAPTIONS) - 2 else 2)
        for value in self.values.values():
            font = value.font()
            font.setPointSize(font.pointSize() + _LARGER)
            font.setBold(True)
            value.setFont(font)

    def show_facts(self, facts: Sequence[Fact]) -> None:
        """Show facts; the colour of a weight is that of Alyx's pages."""
        self.facts = {fact.caption: fact for fact in facts}
        for fact in facts:
            value = self.values[fact.caption]
            value.setText(fact.value)
            value.setToolTip(plain_tip(fact.detail))
            self._details[fact.caption].setText(fact.detail)
            colour = LOW_TEXT if fact.level in LOW else "#000000"
            is_judged = fact.level is not None
            value.setStyleSheet(
                f"background: {COLOURS[fact.level]}; color: {colour};" if is_judged and fact.level else ""
            )


def _label(text: str = "", *, wrap: bool = False) -> QLabel:
    label = QLabel(text)
    label.setTextFormat(Qt.PlainText)
    label.setTextInteractionFlags(Qt.TextSelectableByMouse)
    label.setWordWrap(wrap)
    label.setSizePolicy(QSizePolicy.Ignored if wrap else QSizePolicy.Preferred, QSizePolicy.Preferred)
    return label
