"""Every window and dialog of the plugin on a small screen: 1280 x 720 at 150 %, less what the desktop keeps."""

from __future__ import annotations

import pytest
from AnyQt.QtCore import QPoint, QRect, QSize, Qt
from AnyQt.QtWidgets import QApplication, QPushButton, QStyle, QStyleOptionButton

from pybpod_alyx_module.gui import windows
from pybpod_alyx_module.gui.animals.lab_time_field import LabTimeField
from pybpod_alyx_module.gui.animals.water_dialog import WaterDialog
from pybpod_alyx_module.gui.animals.weight_dialog import WeightDialog
from pybpod_alyx_module.gui.widgets import Scrolled
from tests.gui.hands import wait
from tests.gui.running import alyx, alyx_home, outbox, proxy, rig, unchecked
from tests.gui.test_hammer import OPEN, hammer, settings

__all__ = ["alyx", "alyx_home", "hammer", "outbox", "proxy", "rig", "settings", "unchecked"]

#: What is left there for a window, in pixels of the program.
WIDTH, HEIGHT = 850, 430
SCREEN = QRect(0, 0, WIDTH, HEIGHT)


@pytest.fixture(autouse=True)
def small_screen(monkeypatch, room):
    monkeypatch.setattr(windows, "room_for", lambda window: QSize(WIDTH, HEIGHT))


@pytest.mark.parametrize("kind", OPEN, ids=lambda kind: kind.__name__)
def test_a_window_is_whole_on_a_small_screen(hammer, kind):
    window = OPEN[kind](hammer)
    hammer.rig.idle()
    assert window.width() <= WIDTH
    assert window.height() <= HEIGHT
    window.resize(WIDTH, HEIGHT)
    QApplication.processEvents()
    assert (window.width(), window.height()) == (WIDTH, HEIGHT)
    for area in window.findChildren(Scrolled):
        assert area.widget().minimumSizeHint().width() <= area.viewport().width(), "what stands at the right is cut"
    shown = [button for button in window.findChildren(QPushButton) if button.isVisible()]
    assert shown
    for button in shown:
        assert SCREEN.contains(place_of(button, window)), button.text()
        needed = with_focus(button)
        assert button.width() >= needed.width(), button.text()
        assert button.height() >= needed.height(), button.text()
    hammer.end(kind)


@pytest.mark.parametrize(("kind", "doubtful"), [(WeightDialog, "95"), (WaterDialog, "90")])
def test_a_question_is_whole_on_a_small_screen(hammer, kind, doubtful):
    window = OPEN[kind](hammer)
    hammer.rig.idle()
    field = window.first_field()
    field.selectAll()
    hammer.qtbot.keyClicks(field, doubtful)
    window.resize(WIDTH, HEIGHT)
    window.record_button.click()
    wait(hammer.qtbot, window.question.isVisible)
    QApplication.processEvents()
    assert (window.width(), window.height()) == (WIDTH, HEIGHT)
    for button in (window.question.anyway_button, window.question.back_button):
        assert SCREEN.contains(place_of(button, window))
    assert window.question.text.height() >= window.question.text.heightForWidth(window.question.text.width())
    window.question.back_button.click()
    hammer.end(kind)


def test_a_time_whose_zone_is_not_known_fits_into_its_window(qtbot):
    field = LabTimeField()
    qtbot.addWidget(field)
    assert field.minimumSizeHint().width() <= WIDTH / 2


def place_of(button, window):
    return QRect(button.mapTo(window, QPoint(0, 0)), button.size())


def with_focus(button):
    """Return the size that the style gives to a button where the keyboard is."""
    option = QStyleOptionButton()
    option.initFrom(button)
    option.text = button.text()
    option.state |= QStyle.State_HasFocus
    text = button.fontMetrics().size(Qt.TextShowMnemonic, button.text())
    return button.style().sizeFromContents(QStyle.CT_PushButton, option, text, button)
