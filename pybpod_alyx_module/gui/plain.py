"""Labels and lists of the dialogs that write to Alyx."""

from __future__ import annotations

from typing import TYPE_CHECKING

from AnyQt.QtCore import Qt
from AnyQt.QtWidgets import QComboBox, QLabel, QSizePolicy

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
    label.setWordWrap(True)
    label.setSizePolicy(QSizePolicy.Preferred, QSizePolicy.Minimum)
    return label
