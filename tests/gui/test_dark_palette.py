"""Every window and dialog of the plugin in a dark palette: what is written can be read."""

from __future__ import annotations

from collections import Counter

import pytest
from AnyQt.QtGui import QColor, QPalette
from AnyQt.QtWidgets import QApplication, QCheckBox, QLabel, QPushButton, QToolButton

from pybpod_alyx_module.gui.windows import AlyxWindow
from tests.gui.running import alyx, alyx_home, outbox, proxy, rig, unchecked
from tests.gui.test_hammer import OPEN, hammer, settings

__all__ = ["alyx", "alyx_home", "hammer", "outbox", "proxy", "rig", "settings", "unchecked"]

#: Of text to what is behind it, as WCAG 2.1 asks for at least.
CONTRAST = 4.5

DARK = {
    QPalette.Window: "#2b2b2b", QPalette.WindowText: "#e6e6e6", QPalette.Base: "#1e1e1e", QPalette.Text: "#e6e6e6",
    QPalette.AlternateBase: "#262626", QPalette.Button: "#3a3a3a", QPalette.ButtonText: "#e6e6e6",
    QPalette.Light: "#505050", QPalette.Mid: "#202020", QPalette.Dark: "#181818", QPalette.Highlight: "#3d7eb8",
    QPalette.HighlightedText: "#ffffff", QPalette.ToolTipBase: "#2b2b2b", QPalette.ToolTipText: "#e6e6e6",
}  # fmt: skip


@pytest.fixture(autouse=True)
def palette(qapp):
    before = QPalette(qapp.palette())
    dark = QPalette(before)
    for role, colour in DARK.items():
        dark.setColor(role, QColor(colour))
    for role in (QPalette.WindowText, QPalette.Text, QPalette.ButtonText):
        dark.setColor(QPalette.Disabled, role, QColor("#909090"))
    qapp.setPalette(dark)
    yield
    qapp.setPalette(before)


def luminance(colour):
    parts = [part / 12.92 if part <= 0.03928 else ((part + 0.055) / 1.055) ** 2.4 for part in colour.getRgbF()[:3]]
    return 0.2126 * parts[0] + 0.7152 * parts[1] + 0.0722 * parts[2]


def contrast(widget):
    """Return the contrast of what is drawn in a widget to what most of it is."""
    image = (
        widget.window().grab(widget.rect().translated(widget.mapTo(widget.window(), widget.rect().topLeft()))).toImage()
    )
    drawn = Counter(image.pixel(x, y) for x in range(3, image.width() - 3) for y in range(3, image.height() - 3))
    behind = luminance(QColor(drawn.most_common(1)[0][0]))
    values = [luminance(QColor(pixel)) for pixel in drawn]
    return max((max(one, behind) + 0.05) / (min(one, behind) + 0.05) for one in values)


def test_an_empty_tick_box_is_seen(qtbot):
    window = AlyxWindow()
    qtbot.addWidget(window)
    box = QCheckBox(window)
    window.show()
    assert contrast(box) >= CONTRAST


@pytest.mark.parametrize("kind", OPEN, ids=lambda kind: kind.__name__)
def test_what_is_written_can_be_read(hammer, kind):
    window = OPEN[kind](hammer)
    hammer.rig.idle()
    for name in ("problem", "trouble"):  # what tells of a failure
        if hasattr(window, name):
            getattr(window, name).setText("The disk is full.")
            getattr(window, name).show()
    QApplication.processEvents()
    read = [one for one in window.findChildren((QLabel, QPushButton, QToolButton)) if is_written(one)]
    assert read
    assert [one.text() for one in read if contrast(one) < CONTRAST] == []
    hammer.end(kind)


def is_written(widget):
    return widget.isVisible() and widget.isEnabled() and bool(widget.text()) and widget.width() > 6
