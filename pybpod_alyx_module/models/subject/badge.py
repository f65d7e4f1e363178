"""How an Alyx subject looks in PyBpod's tree: an icon and a tooltip. Never its text, which is its name.

One whose last weight is below the minimum has a warning sign in place of PyBpod's animal: a triangle, or the octagon of
a stop sign where it is far below. 16 pixels are too few for more.
"""

from __future__ import annotations

import functools
from typing import TYPE_CHECKING, Any, Final

from AnyQt.QtCore import QPointF, QRectF, Qt
from AnyQt.QtGui import QColor, QIcon, QPainter, QPen, QPixmap, QPolygonF

from pybpod_alyx_module.animals.weight import LOW, TOO_LIGHT, Level, read_note
from pybpod_alyx_module.sync.details import LAST_WEIGHT

if TYPE_CHECKING:
    from collections.abc import Mapping

#: Pixels of the icon's edge.
_EDGE: Final = 32
#: What is drawn of a weight below the minimum: fill and corners. The fill is stronger than the colours of Alyx's pages,
#: which are backgrounds of a text.
_TRIANGLE: Final = ((12, 0), (25, 23), (-1, 23))
_OCTAGON: Final = ((7, 0), (17, 0), (24, 7), (24, 17), (17, 24), (7, 24), (0, 17), (0, 7))
_WARNINGS: Final = {Level.BELOW: ("#d97900", _TRIANGLE), Level.FAR_BELOW: ("#c00000", _OCTAGON)}


@functools.lru_cache(maxsize=8)
def alyx_icon(host_icon: str, level: Level | None = None) -> QIcon:
    """Return PyBpod's subject icon with an Alyx badge.

    Returns: the icon, made once.
    ``host_icon``: path of PyBpod's own icon.
    ``level``: that of a last weight below the minimum; None for others.
    """
    pixmap = QPixmap(_EDGE, _EDGE)
    pixmap.fill(Qt.transparent)
    painter = QPainter(pixmap)
    try:
        painter.setRenderHint(QPainter.Antialiasing)
        if level is None:
            QIcon(host_icon).paint(painter, pixmap.rect().adjusted(0, 0, 0, -_EDGE // 4))  # keeps its proportions
        else:
            _paint_warning(painter, *_WARNINGS[level])
    finally:
        painter.end()
    paint_badge(pixmap, QRectF(_EDGE * 0.44, _EDGE * 0.44, _EDGE * 0.56, _EDGE * 0.56), "#1f77b4")
    return QIcon(pixmap)


def _paint_warning(painter: QPainter, colour: str, corners: tuple[tuple[int, int], ...]) -> None:
    painter.setPen(QPen(QColor("white"), 1))
    painter.setBrush(QColor(colour))
    painter.drawPolygon(QPolygonF([QPointF(x + 1, y + 1) for x, y in corners]))
    painter.setPen(Qt.NoPen)
    painter.setBrush(QColor("white"))
    painter.drawRect(QRectF(11, 6, 4, 9))
    painter.drawRect(QRectF(11, 17, 4, 4))


def low_level(record: Mapping[str, Any]) -> Level | None:
    """Return how far below the minimum the last weight of the copy is; None where it is not, or not known."""
    note = read_note(record.get(LAST_WEIGHT))
    return note.level if note is not None and note.level in LOW else None


def weight_words(record: Mapping[str, Any]) -> str:
    """Return what the copy says of the last weight; empty if it says nothing."""
    note = read_note(record.get(LAST_WEIGHT))
    if note is None:
        return ""
    light = TOO_LIGHT.get(note.level, "") if note.level is not None else ""
    return f"{light[:1].upper()}{light[1:]}: {note.text}" if light else f"Last weight: {note.text}"


def paint_badge(pixmap: QPixmap, place: QRectF, colour: str) -> None:
    """Paint the badge of Alyx."""
    painter = QPainter(pixmap)
    try:
        painter.setRenderHint(QPainter.Antialiasing)
        painter.setPen(Qt.NoPen)
        painter.setBrush(QColor(colour))
        painter.drawEllipse(place)
        painter.setPen(QColor("white"))
        font = painter.font()
        font.setBold(True)
        font.setPixelSize(int(place.height() * 0.78))
        painter.setFont(font)
        painter.drawText(place, Qt.AlignCenter, "A")
    finally:
        painter.end()


def tooltip(record: Mapping[str, Any]) -> str:
    """Return what the tree shows of an Alyx subject."""
    lines = [f"Alyx subject of {record.get('alyx_server') or 'a server that its file does not name'}"]
    for key, label in (("lab", "Lab"), ("responsible_user", "Responsible user"), ("alyx_synced_at", "Synced")):
        if record.get(key):
            lines.append(f"{label}: {record[key]}")
    if said := weight_words(record):
        lines.append(said)
    return "\n".join(lines)
