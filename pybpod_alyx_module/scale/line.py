"""What a scale sends: a line, a number in it, and whether that number has come to rest. Pure."""

from __future__ import annotations

import re
from dataclasses import dataclass
from decimal import Decimal
from typing import Final, NoReturn

from alyx_connector.errors import ConfigurationError
from pybpod_alyx_module import defaults

__all__ = ["DEFAULT_PATTERN", "ScaleLine", "Steadiness", "compiled_pattern", "read_line"]

#: A number, perhaps a unit: ``ST,+00024.50  g``, ``S S     24.50 g`` and ``24.5`` alike.
DEFAULT_PATTERN: Final = defaults.ALYX_PLUGIN_SCALE_PATTERN
#: g in a unit.
_UNITS: Final = {"g": Decimal(1), "kg": Decimal(1000), "mg": Decimal("0.001")}


@dataclass(frozen=True)
class ScaleLine:
    """A number that a scale sent."""

    grams: Decimal
    #: What the scale itself says of it, None if the pattern asks for no such mark.
    stable: bool | None


class Steadiness:
    """Tells when readings have come to rest: when several in a row are equal."""

    def __init__(self, equal_readings: int) -> None:
        self._wanted = equal_readings
        self._last: Decimal | None = None
        self._equal = 0

    def is_stable(self, line: ScaleLine) -> bool:
        """Take the next reading."""
        self._equal = self._equal + 1 if line.grams == self._last else 1
        self._last = line.grams
        return self._equal >= self._wanted if line.stable is None else line.stable

    def restart(self) -> None:
        """Forget the readings so far."""
        self._last, self._equal = None, 0


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


def read_line(line: str, pattern: re.Pattern[str]) -> ScaleLine | None:
    """Read a line of a scale, None if the line does not fit the pattern."""
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
    unit = (groups.get("unit") or "g").lower()
    if unit not in _UNITS:
        raise ConfigurationError(
            f"The scale sends its weight in {groups['unit']}.", hint="Set the scale to g.", setting="unit"
        )
    return ScaleLine(value * _UNITS[unit], bool(groups["stable"]) if "stable" in groups else None)


def _refuse(pattern: object, why: str) -> NoReturn:
    raise ConfigurationError(
        f"The pattern of the scale {pattern!r} {why}.",
        hint=f"Leave it out, or write one like {DEFAULT_PATTERN}.",
        setting="pattern",
    )
