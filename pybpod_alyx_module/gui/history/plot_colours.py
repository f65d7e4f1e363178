"""The colours of the plots: the hues of Alyx's own page, and what is read as easily on a dark background.

The two limits are darker than there, where they are hardly seen on the background that they go with.
"""

from __future__ import annotations

from dataclasses import dataclass
from types import MappingProxyType
from typing import TYPE_CHECKING, Final

from AnyQt.QtGui import QColor, QPalette

from pybpod_alyx_module.animals.weight import COLOURS, Level

if TYPE_CHECKING:
    from collections.abc import Mapping

#: Lightness of a background, of 255, below which it is dark.
_DARK: Final = 128


@dataclass(frozen=True)
class PlotColours:
    """What is drawn in which colour."""

    behind: QColor
    text: QColor
    grid: QColor
    weight: QColor
    reference: QColor
    expected: QColor
    limit: QColor
    far_limit: QColor
    reward: QColor
    supplement: QColor
    required: QColor
    #: Days without a restriction.
    free: QColor
    #: Behind a weight, by how it is judged.
    levels: Mapping[Level, QColor]


def plot_colours(palette: QPalette) -> PlotColours:
    """Return the colours for a palette."""
    behind, text = palette.color(QPalette.Base), palette.color(QPalette.Text)
    if behind.lightness() >= _DARK:
        return PlotColours(
            behind, text, QColor("#d8d8d8"), text, QColor("#0000ff"), QColor("#008000"), QColor("#f0872a"),
            QColor("#e0506c"), QColor("#edb120"), QColor("#d95319"), QColor("#0072bd"), QColor("#dddddd"),
            MappingProxyType({level: QColor(colour) for level, colour in COLOURS.items()}),
        )  # fmt: skip
    dark = {Level.FINE: "#173526", Level.BELOW: "#4d3319", Level.FAR_BELOW: "#541f2a"}
    return PlotColours(
        behind, text, QColor("#454545"), text, QColor("#8fa8ff"), QColor("#5fc46a"), QColor("#ffb066"),
        QColor("#ff8a9c"), QColor("#edb120"), QColor("#f07a45"), QColor("#6db7ff"), QColor("#484848"),
        MappingProxyType({level: QColor(colour) for level, colour in dark.items()}),
    )  # fmt: skip
