"""How a session that is registered on Alyx looks in PyBpod's tree."""

from __future__ import annotations

import functools
from typing import Final

from AnyQt.QtCore import QRectF, Qt
from AnyQt.QtGui import QIcon, QPixmap

from pybpod_alyx_module.models.subject.badge import paint_badge

#: Pixels of the icon's edge.
_EDGE: Final = 32


@functools.lru_cache(maxsize=2)
def session_icon(*, sent: bool) -> QIcon:
    """Return the icon of a session that was registered.

    Returns: the Alyx badge, made once.
    ``sent``: whether it is on Alyx; grey while it waits.
    """
    pixmap = QPixmap(_EDGE, _EDGE)
    pixmap.fill(Qt.transparent)
    paint_badge(pixmap, QRectF(_EDGE * 0.15, _EDGE * 0.15, _EDGE * 0.7, _EDGE * 0.7), "#1f77b4" if sent else "#8a8a8a")
    return QIcon(pixmap)
