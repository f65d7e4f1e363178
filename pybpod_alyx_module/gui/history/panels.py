"""The two plots: weight above, water below, as shapes on the same days."""

from __future__ import annotations

from itertools import groupby
from typing import TYPE_CHECKING, Any

from AnyQt.QtCore import QLineF, QPointF, QRectF, Qt
from AnyQt.QtGui import QPainter, QPen, QPolygonF

from pybpod_alyx_module.animals.weight import Level
from pybpod_alyx_module.gui.history.legend import BOX, DOT, HOLLOW, Entry
from pybpod_alyx_module.gui.history.plot_words import level_words, limit_words, second_words

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence
    from decimal import Decimal

    from AnyQt.QtGui import QColor

    from pybpod_alyx_module.animals.history.animal_history import AnimalHistory, HistoryDay
    from pybpod_alyx_module.animals.weight_plausibility import Weighed
    from pybpod_alyx_module.gui.history.axes import DayAxis, ValueAxis
    from pybpod_alyx_module.gui.history.plot_colours import PlotColours

__all__ = ["WaterPanel", "WeightPanel"]

#: Radius of a weight, and from what on they would be a smear.
_DOT, _LEAST_DOT = 3.0, 1.2


class WeightPanel:
    """Weights, and what they are judged by."""

    title = "Weight (g)"

    def __init__(self, history: AnimalHistory, unsent: Sequence[Weighed], colours: PlotColours) -> None:
        self._history, self._colours = history, colours
        first = history.days[0].date
        known = [*history.weighings, *unsent]
        self._points = sorted(
            ((one.when, float(one.grams), one in unsent) for one in known if one.when and one.when.date() >= first),
            key=lambda point: point[0].isoformat(),
        )
        judged = [day for day in history.days if day.restricted]
        self._lines: list[tuple[str, Callable[[HistoryDay], Decimal | None], QColor, Any, float]] = [
            ("reference weight", lambda day: day.reference, colours.reference, Qt.DashLine, 1.0),
            (second_words(history), lambda day: day.far_limit, colours.far_limit, Qt.DashLine, 2.0),
            (limit_words(history), lambda day: day.limit, colours.limit, Qt.SolidLine, 2.0),
        ]
        if history.shares is not None and history.shares.zscore:
            expected = ("expected weight", lambda day: day.expected, colours.expected, Qt.DashDotLine, 1.0)
            self._lines.insert(1, expected)
        self._lines = [line for line in self._lines if any(line[1](day) is not None for day in judged)]
        self._levels = [day.level(day.weight) if day.weight is not None else None for day in history.days]

    @property
    def values(self) -> list[float]:
        """All that must be on the plot."""
        told = [line[1](day) for line in self._lines for day in self._history.days if day.restricted]
        return [*(float(one) for one in told if one is not None), *(grams for _when, grams, _waits in self._points)]

    @property
    def entries(self) -> list[Entry]:
        """What is drawn, and what it is called; nothing that is not."""
        colours = self._colours
        implant = ", with the implant" if any(day.implant for day in self._history.days) else ""
        found = [Entry(f"weight{implant}", colours.weight, DOT)] if self._points else []
        if any(waits for _when, _grams, waits in self._points):
            found.append(Entry("not on Alyx yet", colours.weight, HOLLOW))
        found += [Entry(words, colour, int(style), width) for words, _of, colour, style, width in self._lines]
        seen = [level for level in Level if level in self._levels]
        return [*found, *(Entry(level_words(level), colours.levels[level], BOX) for level in seen)]

    def paint_behind(self, painter: QPainter, days: DayAxis, frame: QRectF) -> None:
        """Draw how each day's weight is judged."""
        for level, first, count in _runs(self._levels):
            if level is not None:
                painter.fillRect(_days_rect(days, first, count, frame), self._colours.levels[level])

    def paint(self, painter: QPainter, days: DayAxis, axis: ValueAxis) -> None:
        """Draw the lines and the weights."""
        painter.setRenderHint(QPainter.Antialiasing)
        for _words, of, colour, style, width in self._lines:
            painter.setPen(QPen(colour, width, style))
            _paint_steps(painter, [of(day) if day.restricted else None for day in self._history.days], days, axis)
        places = [QPointF(days.at(when), axis.y(grams)) for when, grams, _waits in self._points]
        painter.setPen(QPen(self._colours.weight, 2))
        painter.drawPolyline(QPolygonF(places))
        radius = min(_DOT, days.day_width * 0.4)
        for place, (_when, _grams, waits) in zip(places, self._points, strict=True):
            if waits or radius >= _LEAST_DOT:
                painter.setBrush(self._colours.behind if waits else self._colours.weight)
                painter.drawEllipse(place, _DOT if waits else radius, _DOT if waits else radius)
        painter.setBrush(Qt.NoBrush)
        painter.setRenderHint(QPainter.Antialiasing, False)


class WaterPanel:
    """Water of each day, and what was required."""

    title = "Water (mL)"

    def __init__(self, history: AnimalHistory, colours: PlotColours) -> None:
        self._days, self._colours = history.days, colours
        self._required = [day.expected_water if day.restricted else None for day in history.days]

    @property
    def values(self) -> list[float]:
        """All that must be on the plot."""
        return [float(one) for one in (*self._required, *(day.given for day in self._days)) if one is not None]

    @property
    def entries(self) -> list[Entry]:
        """What is drawn, and what it is called."""
        colours = self._colours
        found = [
            (any(day.reward for day in self._days), Entry("reward", colours.reward, BOX)),
            (any(day.supplement for day in self._days), Entry("supplement", colours.supplement, BOX)),
            (any(one is not None for one in self._required), Entry("required", colours.required, int(Qt.SolidLine))),
            (any(not day.restricted for day in self._days), Entry("ad lib: no restriction", colours.free, BOX)),
        ]
        return [entry for is_drawn, entry in found if is_drawn]

    def paint_behind(self, painter: QPainter, days: DayAxis, frame: QRectF) -> None:
        """Draw the days without a restriction."""
        for restricted, first, count in _runs([day.restricted for day in self._days]):
            if not restricted:
                painter.fillRect(_days_rect(days, first, count, frame), self._colours.free)

    def paint(self, painter: QPainter, days: DayAxis, axis: ValueAxis) -> None:
        """Draw bars and the line."""
        colours, width = self._colours, max(days.day_width * 0.7, 1.0)
        for place, day in enumerate(self._days):
            low, left = 0.0, days.middle(place) - width / 2
            for amount, colour in ((day.reward, colours.reward), (day.supplement, colours.supplement)):
                high = low + float(amount)
                if high > low:
                    painter.fillRect(QRectF(left, axis.y(high), width, axis.y(low) - axis.y(high)), colour)
                low = high
        painter.setPen(QPen(colours.required, 2))
        _paint_steps(painter, self._required, days, axis)


def _runs(values: Sequence[Any]) -> Iterator[tuple[Any, int, int]]:
    # value, where it begins, and how many days it lasts
    place = 0
    for value, group in groupby(values):
        count = len(list(group))
        yield value, place, count
        place += count


def _days_rect(days: DayAxis, first: int, count: int, frame: QRectF) -> QRectF:
    left, right = days.start(first), days.start(first + count)
    return QRectF(QPointF(left, frame.top()), QPointF(right, frame.bottom()))


def _paint_steps(painter: QPainter, values: Sequence[Decimal | None], days: DayAxis, axis: ValueAxis) -> None:
    # A level for each day; from one day to the next it rises at midnight, and where there is none the line ends.
    corners: list[QPointF] = []
    for value, first, count in _runs(values):
        if value is not None:
            y = axis.y(float(value))
            corners += [QPointF(days.start(first), y), QPointF(days.start(first + count), y)]
        elif corners:
            painter.drawPolyline(QPolygonF(corners))
            corners = []
    if corners:
        painter.drawPolyline(QPolygonF(corners))


def paint_grid(
    painter: QPainter, frame: QRectF, lines: Sequence[float], upright: Sequence[float], colour: QColor
) -> None:
    """Draw the lines of a frame; ``lines``: y of the level ones, ``upright``: x of the others."""
    painter.setPen(QPen(colour, 1))
    painter.drawLines([QLineF(frame.left(), y, frame.right(), y) for y in lines])
    painter.drawLines([QLineF(x, frame.top(), x, frame.bottom()) for x in upright])
