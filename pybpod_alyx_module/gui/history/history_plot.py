"""The curve of an animal's weight, and its water below it, day by day."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from AnyQt.QtCore import QEvent, QPointF, QRectF, QSize, Qt, Signal
from AnyQt.QtGui import QFontMetricsF, QPainter, QPen, QPixmap
from AnyQt.QtWidgets import QSizePolicy, QWidget

from pybpod_alyx_module.gui.guard import override
from pybpod_alyx_module.gui.history import legend
from pybpod_alyx_module.gui.history.axes import DayAxis, ValueAxis
from pybpod_alyx_module.gui.history.panels import WaterPanel, WeightPanel, paint_grid
from pybpod_alyx_module.gui.history.plot_colours import plot_colours

if TYPE_CHECKING:
    from collections.abc import Sequence

    from AnyQt.QtGui import QFocusEvent, QKeyEvent, QMouseEvent, QPaintEvent, QResizeEvent

    from pybpod_alyx_module.animals.history.animal_history import AnimalHistory
    from pybpod_alyx_module.animals.weight_plausibility import Weighed

__all__ = ["HistoryPlot"]

#: Of the height for data, what the weights get.
_WEIGHT_PART: Final = 0.62
_EDGE: Final = 6
_KEYS: Final = {Qt.Key_Left: -1, Qt.Key_Right: 1}


class HistoryPlot(QWidget):
    """Draws an `AnimalHistory`. The mouse, or Left and Right, choose a day.

    What does not change is drawn once for each size and palette.
    """

    #: Another day was chosen: its place in the history, -1 for none.
    day_chosen = Signal(int)

    def __init__(self) -> None:
        super().__init__()
        self.setMouseTracking(True)
        self.setFocusPolicy(Qt.StrongFocus)
        self.setSizePolicy(QSizePolicy.Expanding, QSizePolicy.Expanding)
        self.setMinimumSize(360, 130)
        self.setAccessibleName("Weight and water, day by day")
        #: Which day is chosen; -1 for none.
        self.day = -1
        self._history: AnimalHistory | None = None
        self._unsent: Sequence[Weighed] = ()
        self._drawn: QPixmap | None = None
        self._days: DayAxis | None = None
        self._frames: tuple[QRectF, ...] = ()

    def show_history(self, history: AnimalHistory | None, unsent: Sequence[Weighed] = ()) -> None:
        """Draw a history, or nothing.

        ``unsent``: weights that are not on Alyx yet.
        """
        self._history, self._unsent, self._drawn = history, unsent, None
        self.choose(-1)
        self.update()

    @override
    def sizeHint(self) -> QSize:  # noqa: N802 - Qt's name
        """Return a size that shows both plots well."""
        return QSize(780, 420)

    @override
    def paintEvent(self, event: QPaintEvent) -> None:  # noqa: N802 - Qt's name
        """Draw what is kept, and the chosen day."""
        if self._history is None:
            return
        if self._drawn is None:
            self._drawn = self._draw(self._history)
        painter = QPainter(self)
        painter.drawPixmap(0, 0, self._drawn)
        if self._days is not None and self.day >= 0:
            x = self._days.middle(self.day)
            painter.setPen(QPen(self.palette().color(self.foregroundRole()), 1, Qt.DotLine))
            for frame in self._frames:
                painter.drawLine(QPointF(x, frame.top()), QPointF(x, frame.bottom()))
        painter.end()

    @override
    def resizeEvent(self, event: QResizeEvent) -> None:  # noqa: N802 - Qt's name
        """Draw anew."""
        super().resizeEvent(event)
        self._drawn = None

    @override
    def changeEvent(self, event: QEvent) -> None:  # noqa: N802 - Qt's name
        """Draw anew in another palette or font."""
        super().changeEvent(event)
        self._drawn = None

    @override
    def mouseMoveEvent(self, event: QMouseEvent) -> None:  # noqa: N802 - Qt's name
        """Choose the day under the mouse."""
        place = self._days.place(event.pos().x()) if self._days is not None else None
        self.choose(-1 if place is None else place)

    @override
    def leaveEvent(self, event: QEvent) -> None:  # noqa: N802 - Qt's name
        """Choose none."""
        super().leaveEvent(event)
        self.choose(-1)

    @override
    def focusInEvent(self, event: QFocusEvent) -> None:  # noqa: N802 - Qt's name
        """Choose today where the Tab key led here, which shows where the keyboard is."""
        super().focusInEvent(event)
        if self._history is not None and event.reason() in (Qt.TabFocusReason, Qt.BacktabFocusReason):
            self.choose(len(self._history.days) - 1)

    @override
    def focusOutEvent(self, event: QFocusEvent) -> None:  # noqa: N802 - Qt's name
        """Choose none."""
        super().focusOutEvent(event)
        self.choose(-1)

    @override
    def keyPressEvent(self, event: QKeyEvent) -> None:  # noqa: N802 - Qt's name
        """Left and Right go from day to day, first to today."""
        step = _KEYS.get(event.key())
        if step is None or self._history is None:
            super().keyPressEvent(event)
            return
        last = len(self._history.days) - 1
        self.choose(last if self.day < 0 else min(max(self.day + step, 0), last))

    def choose(self, place: int) -> None:
        """Choose a day by its place; -1 for none."""
        if self._history is None or place >= len(self._history.days):
            place = -1
        if place != self.day:
            self.day = place
            self.day_chosen.emit(place)
            self.update()

    def _draw(self, history: AnimalHistory) -> QPixmap:
        ratio = self.devicePixelRatioF()
        drawn = QPixmap(self.size() * ratio)
        drawn.setDevicePixelRatio(ratio)
        colours = plot_colours(self.palette())
        drawn.fill(Qt.transparent)
        painter = QPainter(drawn)
        painter.setFont(self.font())
        painter.setBackground(colours.behind)
        metrics = QFontMetricsF(self.font(), drawn)
        line = metrics.height()
        weight, water = WeightPanel(history, self._unsent, colours), WaterPanel(history, colours)
        panels: tuple[WeightPanel | WaterPanel, ...] = (weight, water)
        legends = [legend.layout(panel.title, panel.entries, self.width() - 2 * _EDGE, metrics) for panel in panels]
        left = _EDGE + metrics.horizontalAdvance("00.00") + _EDGE
        frame_width = self.width() - left - 2 * _EDGE
        room = self.height() - sum(height for _places, height in legends) - 5 * _EDGE - 1.3 * line
        self._days = DayAxis(history.days[0].date, len(history.days), left, frame_width)
        ticks = self._days.ticks(metrics.horizontalAdvance("00 Mmm") + 2 * _EDGE)
        top, frames = float(_EDGE), []
        text = self.palette().color(self.foregroundRole())
        for panel, (places, height), part in zip(panels, legends, (_WEIGHT_PART, 1 - _WEIGHT_PART), strict=True):
            painter.setPen(text)
            legend.paint(painter, _EDGE, top, panel.title, panel.entries, places)
            top += height + _EDGE
            frame = QRectF(left, top, frame_width, max(room * part, 1.0))
            axis = ValueAxis.of(panel.values, frame.top(), frame.bottom(), from_zero=panel is water)
            painter.fillRect(frame, colours.behind)
            panel.paint_behind(painter, self._days, frame)
            values = axis.ticks(1.6 * line) if panel.values else []
            levels = [axis.y(value) for value, _text in values]
            paint_grid(painter, frame, levels, [self._days.middle(place) for place, _text in ticks], colours.grid)
            painter.setPen(text)
            for (_value, words), y in zip(values, levels, strict=True):
                painter.drawText(QRectF(0, y - line, left - _EDGE, 2 * line), Qt.AlignRight | Qt.AlignVCenter, words)
            painter.save()
            painter.setClipRect(frame)
            panel.paint(painter, self._days, axis)
            painter.restore()
            painter.setPen(text)
            painter.drawRect(frame)
            frames.append(frame)
            top = frame.bottom() + _EDGE
        for place, words in ticks:
            middle, width = self._days.middle(place), metrics.horizontalAdvance(words)
            x = min(max(middle - width / 2, 0.0), self.width() - width - _EDGE)
            painter.drawText(QPointF(x, top + metrics.ascent()), words)
        painter.end()
        self._frames = tuple(frames)
        return drawn
