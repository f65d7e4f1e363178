"""The large line of a dialog that writes to Alyx: as whom, or for which animal."""

from __future__ import annotations

from typing import TYPE_CHECKING

from AnyQt.QtCore import QSize, Qt
from AnyQt.QtWidgets import QLabel, QSizePolicy

if TYPE_CHECKING:
    from AnyQt.QtGui import QResizeEvent


class BigLabel(QLabel):
    """Large plain text in one line; what does not fit is cut in the middle and stands in the tooltip.

    Parameters
    ----------
    text : str
        What it says.
    points : int
        How many points larger than usual.
    """

    def __init__(self, text: str = "", points: int = 6) -> None:
        super().__init__()
        self._whole = ""
        self.setTextFormat(Qt.PlainText)
        self.setTextInteractionFlags(Qt.TextSelectableByMouse)
        self.setSizePolicy(QSizePolicy.Ignored, QSizePolicy.Fixed)
        font = self.font()
        font.setPointSize(font.pointSize() + points)
        font.setBold(True)
        self.setFont(font)
        self.say(text)

    @property
    def whole(self) -> str:
        """All of the text."""
        return self._whole

    def say(self, text: str) -> None:
        """Show a text.

        Parameters
        ----------
        text : str
            Plain text.
        """
        self._whole = " ".join(text.split())
        self._fit()

    def sizeHint(self) -> QSize:  # noqa: N802 - Qt's name
        """Return the size of the whole text.

        Returns
        -------
        QSize
            The height always, the width where there is room.
        """
        metrics = self.fontMetrics()
        return QSize(min(metrics.horizontalAdvance(self._whole) + 4, 600), metrics.height() + 4)

    def resizeEvent(self, event: QResizeEvent) -> None:  # noqa: N802 - Qt's name
        """Cut the text anew."""
        super().resizeEvent(event)
        self._fit()

    def _fit(self) -> None:
        shown = self.fontMetrics().elidedText(self._whole, Qt.ElideMiddle, max(self.width(), 100))
        self.setText(shown)
        self.setToolTip(self._whole if shown != self._whole else "")
