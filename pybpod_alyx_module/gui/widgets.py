"""Labels and lists of the dialogs that write to Alyx."""

from __future__ import annotations

from math import ceil
from typing import TYPE_CHECKING

from AnyQt.QtCore import Qt
from AnyQt.QtWidgets import QComboBox, QLabel, QPlainTextEdit, QSizePolicy

if TYPE_CHECKING:
    from AnyQt.QtGui import QWheelEvent


class CalmComboBox(QComboBox):
    """A list to choose from that a turn of the wheel over it does not change."""

    def __init__(self) -> None:
        super().__init__()
        self.setFocusPolicy(Qt.StrongFocus)
        self.setSizeAdjustPolicy(QComboBox.AdjustToMinimumContentsLengthWithIcon)
        self.setMinimumContentsLength(20)

    def wheelEvent(self, event: QWheelEvent) -> None:  # noqa: N802 - Qt's name
        """Leave the wheel to the window."""
        event.ignore()


class NoticeBox(QPlainTextEdit):
    """A yellow box of plain text, as high as its text; what is longer scrolls."""

    def __init__(self) -> None:
        super().__init__()
        self.setReadOnly(True)
        self.setTabChangesFocus(True)
        self.setStyleSheet("QPlainTextEdit { background: #fff4d6; color: #402c00; }")

    def fit(self, lines: int) -> None:
        """Take the height of the text.

        Parameters
        ----------
        lines : int
            How many lines it may be high at most.
        """
        document = self.document()
        block, height = document.begin(), 0.0
        while block.isValid():  # a line with a sign of another font is higher than the others
            height += self.blockBoundingRect(block).height()
            block = block.next()
        most = self.fontMetrics().lineSpacing() * lines
        around = 2 * (document.documentMargin() + self.frameWidth())
        self.setFixedHeight(ceil(min(height, most) + around) + 2)


def plain_label(text: str = "") -> QLabel:
    """Make a label of plain text that wraps and can be copied.

    Parameters
    ----------
    text : str
        What it says.

    Returns
    -------
    QLabel
        The label.
    """
    label = QLabel(text)
    label.setTextFormat(Qt.PlainText)
    label.setTextInteractionFlags(Qt.TextSelectableByMouse)
    label.setSizePolicy(QSizePolicy.Preferred, QSizePolicy.Minimum)
    label.setWordWrap(True)  # after the policy, to which it adds that the height follows the width
    return label
