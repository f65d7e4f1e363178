"""Grams and millilitres as exact numbers: those that people type, and those that the server computes as floats."""

from __future__ import annotations

import re
from decimal import ROUND_CEILING, ROUND_FLOOR, ROUND_HALF_EVEN, ROUND_HALF_UP, Decimal
from typing import Final

from alyx_connector.errors import ConfigurationError

__all__ = ["exact", "grams", "is_number", "millilitres", "plain", "rounded_down", "rounded_up", "shown"]

#: What is left of a server's float: a billionth, far below any scale and syringe.
_NOISE: Final = Decimal("1E-9")
_ABSURD: Final = 10**9
_TYPED: Final = re.compile(r"(?P<number>\d{1,5}(?:(?P<mark>[.,])(?P<decimals>\d{1,3}))?)\s*(?P<unit>[^\W\d_]*)")


def exact(value: float) -> Decimal:
    """Return a number of the server without the noise of its floating point: 0.8400000000000001 is 0.84."""
    return Decimal(repr(value)).quantize(_NOISE, ROUND_HALF_EVEN).normalize() + 0


def rounded_up(value: Decimal, unit: Decimal) -> Decimal:
    """Round up to a whole number of units."""
    return value.quantize(unit, ROUND_CEILING) + 0


def rounded_down(value: Decimal, unit: Decimal) -> Decimal:
    """Round down to a whole number of units."""
    return value.quantize(unit, ROUND_FLOOR) + 0


def shown(value: Decimal, decimals: int = 1) -> str:
    """Write a number for people, for example ``24.5``; never ``-0.0``.

    ``decimals``: how many to show; the rest is rounded to the nearest, a half up.
    """
    return f"{value.quantize(Decimal(1).scaleb(-decimals), ROUND_HALF_UP) + 0:f}"


def plain(value: Decimal) -> str:
    """Write a weight for people, with one decimal; with two where it has more."""
    return shown(value, 2) if value != round(value, 1) else shown(value)


def grams(text: str) -> Decimal:
    """Read a weight that somebody typed.

    Parameters
    ----------
    text : str
        Such as ``24.5``, ``24,5`` or ``24.5 g``.

    Returns
    -------
    Decimal
        g, above 0.

    Raises
    ------
    ConfigurationError
        If it is anything else; says what to type.
    """
    return _typed(text, "weight", "g", "24.5", 2)


def millilitres(text: str) -> Decimal:
    """Read an amount of water that somebody typed.

    Parameters
    ----------
    text : str
        Such as ``0.85``, ``0,85`` or ``0.85 mL``.

    Returns
    -------
    Decimal
        mL, above 0.

    Raises
    ------
    ConfigurationError
        If it is anything else; says what to type.
    """
    return _typed(text, "amount of water", "mL", "0.85", 3)


def is_number(value: object) -> bool:
    """Tell whether a value of JSON is a usable number."""
    return isinstance(value, int | float) and not isinstance(value, bool) and -_ABSURD < value < _ABSURD


def _typed(text: str, what: str, unit: str, example: str, most_decimals: int) -> Decimal:
    def refused(why: str) -> ConfigurationError:
        return ConfigurationError(
            f"The {what} {text.strip()!r} {why}.",
            hint=f"Type it in {unit}, with a point or a comma, like {example}.",
            setting=what,
        )

    if not text.strip():
        raise ConfigurationError(f"The {what} is empty.", hint=f"Type it in {unit}, like {example}.", setting=what)
    match = _TYPED.fullmatch(text.strip()) if text.isascii() else None
    if match is None:
        raise refused(f"is not a number of {unit}")
    if match["unit"].lower() not in {"", unit.lower()}:
        raise refused(f"is in {match['unit']}, not in {unit}")
    decimals = match["decimals"] or ""
    if len(decimals) > most_decimals:
        raise refused(f"has {len(decimals)} decimals: with more than {most_decimals} it could be a thousands separator")
    number = Decimal(match["number"].replace(",", "."))
    if number <= 0:
        raise refused("is not above 0")
    return number
