"""What a scale sends: a line, the weight in it, and whether that has come to rest. Pure."""

from __future__ import annotations

import re
from decimal import Decimal
from typing import Final, NoReturn

from alyx_connector.errors import ConfigurationError
from pybpod_alyx_module.scale.makers import GROSS, NET, TARE, ScaleLine, in_grams, read_makers_line

__all__ = ["Rhythm", "Steadiness", "compiled_pattern", "read_line"]

#: So many gaps between printouts are those of a clock if they differ by no more than this share, and these seconds.
_EVEN_GAPS: Final = 3
_EVEN: Final = 0.05
_EVEN_S: Final = 0.25
#: Its next printout comes after so many gaps at most: it prints nothing while the pan moves.
_MOST_LEFT_OUT: Final = 3


class Steadiness:
    """Tells which readings are the animal's, and when they have come to rest: by marks, or several equal in a row."""

    def __init__(self, equal_readings: int) -> None:
        self._wanted = equal_readings
        self.restart()

    def restart(self) -> None:
        """Forget the readings so far, and how this scale marks them."""
        self.interrupt()
        self._tells_net = False
        self._tells_units = False
        self._marks_unrest = False

    def interrupt(self) -> None:
        """Forget the readings so far."""
        self._last: Decimal | None = None
        self._equal = 0

    def is_skipped(self, line: ScaleLine) -> bool:
        """Tell whether it is a tare, or a gross weight from a scale that tells the net weight, too."""
        self._tells_net |= line.kind in (NET, TARE)
        return line.kind == TARE or (line.kind == GROSS and self._tells_net)

    def is_unrest(self, line: ScaleLine) -> bool:
        """Tell whether it is marked as not at rest: also by a unit that is left out."""
        self._tells_units |= line.has_unit
        unrest = line.stable is False or (self._tells_units and not line.has_unit)
        self._marks_unrest |= unrest
        return unrest

    def is_stable(self, line: ScaleLine) -> bool:
        """Take the next reading."""
        self._equal = self._equal + 1 if line.grams == self._last else 1
        self._last = line.grams
        if self.is_unrest(line):
            return False
        if line.kind == GROSS:  # its net weight may be in the next line
            return self._equal >= self._wanted
        return bool(line.stable) or self._marks_unrest or self._equal >= self._wanted


class Rhythm:
    """Tells a scale that prints by its own clock from one whose PRINT key is pressed: nobody presses so evenly.

    A clock goes on: one that misses its time while the scale is being read was none.
    """

    def __init__(self) -> None:
        #: Of the last printout; None before the first that was read without a break.
        self._last: float | None = None
        self._gaps: list[float] = []
        #: Seconds of that clock; 0 while there is none.
        self._interval = 0.0

    def begin(self) -> None:
        """Take note that the scale is read from now on: it may have printed meanwhile."""
        self._last = None
        self._gaps = []

    def is_by_clock(self, moment: float) -> bool:
        """Take the moment of the next printout, in seconds."""
        if self._last is not None:
            gap = moment - self._last
            self._gaps = [*self._gaps[1 - _EVEN_GAPS :], gap]
            times = max(1, round(gap / self._interval)) if self._interval else 1  # it may have left some out
            if len(self._gaps) == _EVEN_GAPS and _is_same(min(self._gaps), max(self._gaps)):
                self._interval = min(self._gaps)
            elif times > _MOST_LEFT_OUT or not _is_same(self._interval, gap / times):
                self._interval = 0.0
        self._last = moment
        return self._interval > 0


def _is_same(one: float, other: float) -> bool:
    return abs(one - other) <= min(_EVEN * one, _EVEN_S)


def compiled_pattern(pattern: str) -> re.Pattern[str]:
    """Check the pattern of a setting.

    Parameters
    ----------
    pattern : str
        A regular expression that is looked for in each line. Its group ``number``, or else its first group, is the
        number; a group ``unit`` is g, kg or mg; a group ``stable`` matches only where the scale marks a reading as
        stable.

    Returns
    -------
    re.Pattern
        Compiled.

    Raises
    ------
    ConfigurationError
        If it is not a regular expression, or has no group for the number.
    """
    try:
        compiled = re.compile(pattern)
    except (re.error, TypeError) as error:
        _refuse(pattern, f"is not a valid regular expression ({error})")
    if not compiled.groups:
        _refuse(pattern, "has no group for the number")
    return compiled


def read_line(line: str, pattern: re.Pattern[str] | None = None) -> ScaleLine | None:
    """Read a line of a scale, None if no weight is understood in it.

    ``pattern``: how this scale writes; None: as one of the makers that `read_makers_line` understands.
    """
    if pattern is None:
        return read_makers_line(line)
    match = pattern.search(line)
    if match is None:
        return None
    groups = match.groupdict()
    number = groups["number"] if "number" in groups else match[1]
    try:
        value = Decimal(re.sub(r"\s", "", number or "").replace(",", "."))
    except ArithmeticError:
        return None
    if not value.is_finite():
        return None
    return ScaleLine(in_grams(value, groups.get("unit") or ""), bool(groups["stable"]) if "stable" in groups else None)


def _refuse(pattern: object, why: str) -> NoReturn:
    raise ConfigurationError(
        f"The pattern of the scale {pattern!r} {why}.",
        hint=r"Leave it out, or write one like (?P<number>[0-9.]+) *g.",
        setting="pattern",
    )
