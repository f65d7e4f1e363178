"""Where days and values stand on a plot, and which of them are written there. No Qt."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass
from math import ceil, floor, log10
from typing import Final

__all__ = ["DayAxis", "ValueAxis", "day_text"]

_MONTHS: Final = ("Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec")
_WEEKDAYS: Final = ("Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun")
#: Days between two that are written, the first that leaves room.
_DAY_STEPS: Final = (1, 2, 7, 14, 28, 56, 112)
_DAY_S: Final = 86_400
#: Of what is between the lowest and the highest value, how much is left free at either end.
_MARGIN: Final = 0.06


def day_text(date: dt.date, *, full: bool = False) -> str:
    """Write a day as Alyx does: ``27 Nov``, in full ``Fri 27 Nov, 2026``; in English wherever the computer stands."""
    short = f"{date.day} {_MONTHS[date.month - 1]}"
    return f"{_WEEKDAYS[date.weekday()]} {short}, {date.year}" if full else short


@dataclass(frozen=True)
class DayAxis:
    """Days side by side, from left to right; each has the same width."""

    first: dt.date
    count: int
    left: float
    width: float

    @property
    def day_width(self) -> float:
        """How wide a day is."""
        return self.width / self.count

    def start(self, place: int) -> float:
        """Return where a day begins."""
        return self.left + place * self.day_width

    def middle(self, place: int) -> float:
        """Return the middle of a day."""
        return self.start(place) + self.day_width / 2

    def at(self, when: dt.datetime) -> float:
        """Return where a time is."""
        of_day = (when - dt.datetime.combine(when.date(), dt.time())).total_seconds() / _DAY_S
        return self.start((when.date() - self.first).days) + of_day * self.day_width

    def place(self, x: float) -> int | None:
        """Return which day is at a place; None beside all."""
        place = floor((x - self.left) / self.day_width)
        return place if 0 <= place < self.count else None

    def ticks(self, room: float) -> list[tuple[int, str]]:
        """Choose the days that are written, counted back from the last.

        ``room``: how wide the text of a day is, with the space beside it.
        """
        step = next((one for one in _DAY_STEPS if one * self.day_width >= room), _DAY_STEPS[-1])
        places = range(self.count - 1, -1, -step)
        return [(place, day_text(self.first + dt.timedelta(days=place))) for place in reversed(places)]


@dataclass(frozen=True)
class ValueAxis:
    """Values above one another."""

    low: float
    high: float
    top: float
    bottom: float

    @staticmethod
    def of(values: list[float], top: float, bottom: float, *, from_zero: bool = False) -> ValueAxis:
        """Make one on which all values are; with some room above and below."""
        low, high = (min(values), max(values)) if values else (0.0, 1.0)
        low = min(low, 0.0) if from_zero else low
        around = (high - low) * _MARGIN or 1.0
        return ValueAxis(low if from_zero else low - around, high + around, top, bottom)

    def y(self, value: float) -> float:
        """Return where a value is."""
        return self.bottom - (value - self.low) / (self.high - self.low) * (self.bottom - self.top)

    def ticks(self, room: float) -> list[tuple[float, str]]:
        """Choose the values that are written.

        ``room``: how high the text of a value is, with the space above it.
        """
        most = max((self.bottom - self.top) / room, 1.0)
        step = _step((self.high - self.low) / most)
        if floor(self.high / step) - ceil(self.low / step) < 1:  # one alone gives no scale
            step = _step(step / 3)
        decimals = max(0, -floor(log10(step)))
        first, last = ceil(self.low / step), floor(self.high / step)
        return [(number * step, f"{number * step:.{decimals}f}") for number in range(first, last + 1)]


def _step(least: float) -> float:
    power = 10.0 ** floor(log10(least))
    return next(factor * power for factor in (1, 2, 5, 10) if factor * power >= least * (1 - 1e-9))
