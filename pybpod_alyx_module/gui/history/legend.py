"""The legend of a plot: above the data, never upon them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from AnyQt.QtCore import QPointF, QRectF, Qt
from AnyQt.QtGui import QPen

if TYPE_CHECKING:
    from collections.abc import Sequence

    from AnyQt.QtGui import QColor, QFontMetricsF, QPainter

__all__ = ["BOX", "DOT", "HOLLOW", "Entry", "layout", "paint"]

#: What stands before the words, beside the styles of lines.
BOX: Final = -1
DOT: Final = -2
HOLLOW: Final = -3

_SAMPLE: Final = 22
_GAP: Final = 6
_APART: Final = 14


@dataclass(frozen=True)
class Entry:
    """One thing that is drawn, and what it is called."""

    words: str
    colour: QColor
    #: A style of lines of Qt, or one of those above.
    sign: int
    width: float = 2.0


def layout(
    title: str, entries: Sequence[Entry], width: float, metrics: QFontMetricsF
) -> tuple[list[tuple[float, float]], float]:
    """Place the entries beside the title, in as many lines as they need.

    Returns: left and top of each, and the height of all.
    """
    x = start = metrics.horizontalAdvance(title) + 2 * _APART
    y, places = 0.0, []
    for entry in entries:
        needed = _SAMPLE + _GAP + metrics.horizontalAdvance(entry.words)
        if x + needed > width and x > start:
            x, y = start, y + metrics.height()
        places.append((x, y))
        x += needed + _APART
    return places, y + metrics.height()


def paint(
    painter: QPainter,
    left: float,
    top: float,
    title: str,
    entries: Sequence[Entry],
    places: Sequence[tuple[float, float]],
) -> None:
    """Draw a legend where `layout` placed it."""
    metrics, text, behind = painter.fontMetrics(), painter.pen().color(), painter.background()
    line = metrics.height()
    painter.drawText(QPointF(left, top + metrics.ascent()), title)
    for entry, (x, y) in zip(entries, places, strict=True):
        sample = QRectF(left + x, top + y + line * 0.2, _SAMPLE, line * 0.6)
        middle = sample.center()
        if entry.sign == BOX:
            painter.fillRect(sample, entry.colour)
            painter.setPen(QPen(text, 0.5))
            painter.drawRect(sample)
        else:
            style = Qt.SolidLine if entry.sign in (DOT, HOLLOW) else Qt.PenStyle(entry.sign)
            painter.setPen(QPen(entry.colour, entry.width, style))
            painter.drawLine(QPointF(sample.left(), middle.y()), QPointF(sample.right(), middle.y()))
            if entry.sign in (DOT, HOLLOW):
                painter.setBrush(entry.colour if entry.sign == DOT else behind)
                painter.drawEllipse(middle, 3.0, 3.0)
                painter.setBrush(Qt.NoBrush)
        painter.setPen(text)
        painter.drawText(QPointF(sample.right() + _GAP, top + y + metrics.ascent()), entry.words)
