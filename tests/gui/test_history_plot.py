"""The drawing of an animal's weeks: what is at which place in which colour, in a light and in a dark palette."""

from __future__ import annotations

import datetime as dt
from dataclasses import replace
from decimal import Decimal

import pytest
from AnyQt.QtCore import QEvent, QPointF, Qt
from AnyQt.QtGui import QColor, QFocusEvent, QMouseEvent, QPalette
from AnyQt.QtWidgets import QApplication

from pybpod_alyx_module.animals.weight import COLOURS, Level
from pybpod_alyx_module.animals.weight_plausibility import Weighed
from pybpod_alyx_module.gui.history.history_plot import HistoryPlot
from pybpod_alyx_module.gui.history.plot_colours import plot_colours
from tests.unit.animals.history_rows import TODAY, a_day, a_history, at

WIDTH, HEIGHT = 800, 440


@pytest.fixture
def draw(qtbot, host):
    def draw(history, unsent=(), palette=None):
        plot = HistoryPlot()
        qtbot.addWidget(plot)
        if palette is not None:
            plot.setPalette(palette)
        plot.resize(WIDTH, HEIGHT)
        plot.show_history(history, unsent)
        plot.show()
        plot.image = plot.grab().toImage()
        return plot

    return draw


def colours(plot, frame, place):
    """All colours in a day's column of a plot, beside the grid's line and the weight."""
    rect = plot._frames[frame]
    x = int(plot._days.start(place) + plot._days.day_width / 4)
    return {QColor(plot.image.pixel(x, y)).name() for y in range(int(rect.top()) + 2, int(rect.bottom()) - 1)}


def days(*weights, **how):
    return [a_day(len(weights) - 1 - place, weight, **how) for place, weight in enumerate(weights)]


def test_the_background_is_that_of_alyxs_page(draw):
    plot = draw(a_history(*days(24, 20, 18)))
    for place, level in enumerate((Level.FINE, Level.BELOW, Level.FAR_BELOW)):
        behind = {COLOURS[one].lower(): one for one in Level}
        assert {behind[name] for name in colours(plot, 0, place) & behind.keys()} == {level}


def test_a_lab_below_75_percent_is_judged_by_its_own_limit(draw):
    plot = draw(a_history(*days(18, 16, share="0.70"), share="0.70"))
    assert COLOURS[Level.FINE].lower() in colours(plot, 0, 0), "72 %"
    assert COLOURS[Level.FAR_BELOW].lower() in colours(plot, 0, 1), "64 %"
    far = plot_colours(plot.palette()).far_limit.name()
    assert far not in colours(plot, 0, 0), "a second limit above the lab's own is not drawn"


def test_lines_are_drawn_within_restrictions_only(draw):
    history = a_history(a_day(3, 24, restricted=False), *days(24, 23), a_day(0, 23, restricted=False), ended=True)
    history = replace(
        history, days=tuple(replace(day, date=TODAY - dt.timedelta(days=3 - n)) for n, day in enumerate(history.days))
    )
    plot = draw(history)
    limit = plot_colours(plot.palette()).limit.name()
    assert [limit in colours(plot, 0, place) for place in range(4)] == [False, True, True, False]
    free = plot_colours(plot.palette()).free.name()
    assert [free in colours(plot, 1, place) for place in range(4)] == [True, False, False, True]
    required = plot_colours(plot.palette()).required.name()
    assert [required in colours(plot, 1, place) for place in range(4)] == [False, True, True, False]


def test_without_a_limit_there_is_no_line_and_no_background(draw):
    plot = draw(a_history(*days(24, 20, share="0"), share="0"))
    known = plot_colours(plot.palette())
    drawn = colours(plot, 0, 0) | colours(plot, 0, 1)
    assert not drawn & {
        known.limit.name(),
        known.far_limit.name(),
        *(colour.name() for colour in known.levels.values()),
    }


def test_the_limit_goes_with_the_implant_of_each_day(draw):
    plot = draw(a_history(a_day(1, 24, implant="3"), a_day(0, 24, implant="6")))
    limit = plot_colours(plot.palette()).limit

    def height(place):
        rect, x = plot._frames[0], int(plot._days.start(place) + plot._days.day_width / 4)
        return next(y for y in range(int(rect.top()), int(rect.bottom())) if QColor(plot.image.pixel(x, y)) == limit)

    assert height(1) < height(0) - 10


def test_bars_stand_upon_one_another(draw):
    plot = draw(a_history(*days(24, 24, 24)))
    known, rect, x = plot_colours(plot.palette()), plot._frames[1], int(plot._days.start(1) + plot._days.day_width / 4)
    drawn = [QColor(plot.image.pixel(x, y)).name() for y in range(int(rect.top()), int(rect.bottom()))]
    reward, supplement = known.reward.name(), known.supplement.name()
    assert drawn.count(reward) == pytest.approx(2 * drawn.count(supplement), abs=3)  # 0.5 mL and 0.25 mL
    assert max(place for place, name in enumerate(drawn) if name == supplement) < drawn.index(reward)


def test_each_weighing_of_a_day_is_drawn_and_one_that_waits_is_hollow(draw):
    known = a_history(*days(24, 24))
    unsent = (Weighed(Decimal("23.5"), at(TODAY, 18)),)
    plot = draw(known, unsent)
    axis_x = plot._days.at(at(TODAY, 18))
    rect = plot._frames[0]
    centre = {QColor(plot.image.pixel(int(axis_x), y)).name() for y in range(int(rect.top()) + 2, int(rect.bottom()))}
    assert plot_colours(plot.palette()).behind.name() in centre
    assert plot_colours(plot.palette()).behind.name() not in colours(draw(known), 0, 1)


def test_nothing_is_drawn_of_nothing(draw):
    plot = draw(a_history(*days(None, None, restricted=False)))
    assert plot._frames
    plot.show_history(None)
    image = plot.grab().toImage()
    assert {image.pixel(x, y) for x in range(0, WIDTH, 5) for y in range(0, HEIGHT, 5)} == {image.pixel(0, 0)}


def test_the_mouse_and_the_keys_choose_a_day(draw, qtbot):
    plot = draw(a_history(*days(*[24] * 10)))
    chosen = []
    plot.day_chosen.connect(chosen.append)
    y = int(plot._frames[0].center().y())
    for x in (int(plot._days.middle(4)), 2):
        moved = QMouseEvent(QEvent.MouseMove, QPointF(x, y), Qt.NoButton, Qt.NoButton, Qt.NoModifier)
        QApplication.sendEvent(plot, moved)
    for key in (Qt.Key_Left, Qt.Key_Left, Qt.Key_Right, Qt.Key_Right):
        qtbot.keyClick(plot, key)
    assert chosen == [4, -1, 9, 8, 9]
    plot.choose(-1)
    QApplication.sendEvent(plot, QFocusEvent(QEvent.FocusIn, Qt.TabFocusReason))
    assert plot.day == 9, "today, where the Tab key leads"
    QApplication.sendEvent(plot, QFocusEvent(QEvent.FocusOut, Qt.TabFocusReason))
    assert plot.day == -1
    before = plot.grab().toImage()
    plot.choose(2)
    assert plot.grab().toImage() != before, "a line shows the day"


def test_a_dark_palette_has_colours_of_its_own(draw):
    dark = QPalette()
    for role, colour in ((QPalette.Base, "#1e1e1e"), (QPalette.Text, "#e6e6e6"), (QPalette.Window, "#2b2b2b")):
        dark.setColor(role, QColor(colour))
    dark.setColor(QPalette.WindowText, QColor("#e6e6e6"))
    history = a_history(*days(24, 20, 18))
    plot = draw(history, palette=dark)
    known = plot_colours(dark)
    for place, level in enumerate((Level.FINE, Level.BELOW, Level.FAR_BELOW)):
        assert known.levels[level].name() in colours(plot, 0, place)
    light = plot_colours(QPalette())
    for colour in (known.limit, known.far_limit, known.weight, known.reference, known.required):
        assert all(abs(colour.lightness() - known.levels[level].lightness()) > 60 for level in Level)
    assert light.weight != known.weight
