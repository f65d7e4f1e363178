"""How an Alyx subject looks in PyBpod's tree: an icon and a tooltip. Never its text, which is its name."""

from __future__ import annotations

import functools
from typing import TYPE_CHECKING, Any, Final

from AnyQt.QtCore import QRectF, Qt
from AnyQt.QtGui import QColor, QIcon, QPainter, QPixmap

if TYPE_CHECKING:
    from collections.abc import Mapping

#: Pixels of the icon's edge.
_EDGE: Final = 32


@functools.lru_cache(maxsize=4)
def alyx_icon(host_icon: str) -> QIcon:
    """Return PyBpod's subject icon with an Alyx badge.

    Returns: the icon, made once.
    ``host_icon``: path of PyBpod's own icon.
    """
    pixmap = QPixmap(_EDGE, _EDGE)
    pixmap.fill(Qt.transparent)
    painter = QPainter(pixmap)
    try:
        painter.setRenderHint(QPainter.Antialiasing)
        QIcon(host_icon).paint(painter, pixmap.rect().adjusted(0, 0, 0, -_EDGE // 4))  # keeps its proportions
    finally:
        painter.end()
    paint_badge(pixmap, QRectF(_EDGE * 0.44, _EDGE * 0.44, _EDGE * 0.56, _EDGE * 0.56), "#1f77b4")
    return QIcon(pixmap)


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
    return "\n".join(lines)
