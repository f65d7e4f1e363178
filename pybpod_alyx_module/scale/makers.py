"""Lines of scales as their makers document them: weight, unit, and the marks around them. Pure.

What is understood, and from whose manual it comes, is in ``tests/fixtures/scales``. A word that is not known makes a
line unreadable: a number is never taken for a weight because it happens to stand there.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from decimal import Decimal
from types import MappingProxyType
from typing import Final

from alyx_connector.errors import ConfigurationError
from pybpod_alyx_module.errors import RigError

__all__ = ["GROSS", "NET", "TARE", "ScaleLine", "in_grams", "is_in_progress", "is_unavailable", "read_makers_line"]

#: What a weight is of, where the line says so.
NET: Final = "net"
GROSS: Final = "gross"
TARE: Final = "tare"

#: g in a unit.
_UNITS: Final = MappingProxyType({"g": Decimal(1), "kg": Decimal(1000), "mg": Decimal("0.001")})

#: Marks of a reading at rest: ST, WT of A&D and KERN; S of Mettler-Toledo; S, SI, SU, SUI of Radwag, if no ? follows.
_STABLE: Final = frozenset({"ST", "S", "SI", "SU", "SUI"})
#: Marks of one that is not: US of A&D and KERN, D and SD of Mettler-Toledo, ? of Ohaus and Radwag.
_UNSTABLE: Final = frozenset({"US", "U", "D", "SD", "?"})
_KINDS: Final = MappingProxyType(
    {
        **dict.fromkeys(("N", "NT", "NET", "NETTO"), NET),
        **dict.fromkeys(("G", "GS", "GW", "GR", "B", "B/G", "GROSS", "BRUTTO"), GROSS),
        **dict.fromkeys(("T", "T1", "T2", "TR", "TW", "PT", "TARE", "TARA"), TARE),
    }
)
#: Words that say nothing of it: headings, counted pieces, and how a weight compares with limits set at the scale.
_NEUTRAL: Final = frozenset({"W", "WT", "WEIGHT", "HI", "OK", "LO", "QT"})

#: Dates and times that are printed beside a weight.
_WHEN: Final = re.compile(r"\d{4}[/.-]\d\d[/.-]\d\d|\d\d[/.-]\d\d[/.-]\d{4}|\d\d:\d\d(?::\d\d)?")
#: What A&D puts before its header: the number of the scale, date and time.
_BEFORE_HEADER: Final = re.compile(r".*?[,;]\s*(?=(?:ST|US|QT|OL)[,;])")
_LINE: Final = re.compile(
    r"(?P<head>(?:[A-Za-z?/#.]+\d?[\s,;:]+)*?)"
    r"(?P<number>[+-]?\s*\d+(?:[.,'\u2019]\d+)*)"
    r"[\s,;]*(?P<unit>[A-Za-z%]+)?"
    r"(?P<tail>(?:[\s,;]*\?[A-Za-z]*|[\s,;]+[A-Za-z/]+)*)"
)
_WORD: Final = re.compile(r"[A-Za-z/]+\d?|\?")
#: A comma that may be either: 1,234 but not 0,245 nor 24,50.
_TWO_WAYS: Final = re.compile(r"[1-9]\d{0,2},\d{3}")
_GROUPED: Final = re.compile(r"[1-9]\d{0,2}(?:([,.'\u2019])\d{3})(?:\1\d{3})*(?:(?!\1)[.,]\d+)?")

_OVERLOAD: Final = re.compile(
    r"OL\b(?![,;]\s*-).*|\+?9{6,}(?:E\+?\d+)?|S[IU]{0,2}\s*(?:\+|\^.*)|(?:STAT\s+)?(?:H|HIGH)|\^.*|\+[\s.]+[A-Z]*",
    re.IGNORECASE,
)
_UNDERLOAD: Final = re.compile(
    r"OL[,;]\s*-.*|UL\b.*|-9{6,}(?:E\+?\d+)?|S[IU]{0,2}\s*(?:-|V\b.*)|(?:STAT\s+)?(?:L|LOW)|V(?:\s.*)?|_{3,}.*|-[\s.]+[A-Z]*",
    re.IGNORECASE,
)
_FAULT: Final = re.compile(r"(?:STAT\s+)?ERR.*|-{3,}", re.IGNORECASE)
#: Mettler-Toledo and Radwag: the command is none, has a wrong parameter, or did not arrive whole.
_NOT_UNDERSTOOD: Final = frozenset({"ES", "ET", "EL"})
#: Radwag: the command is understood, its answer comes later.
_IN_PROGRESS: Final = re.compile(r"S[IU]{0,2}\s+A")
#: Mettler-Toledo and Radwag: there is no weight now, for example because it does not come to rest.
_UNAVAILABLE: Final = re.compile(r"S[IU]{0,2}\s+[IE]")


@dataclass(frozen=True)
class ScaleLine:
    """A weight that a scale sent."""

    grams: Decimal
    #: Whether the line marks it as at rest, or as not; None without a mark.
    stable: bool | None
    #: `NET`, `GROSS` or `TARE` where the line says so, else empty.
    kind: str = ""
    #: Some scales leave the unit out until the weight has come to rest.
    has_unit: bool = True


def in_grams(value: Decimal, unit: str) -> Decimal:
    """Convert a weight; without a unit it is in g."""
    if (unit or "g").lower() not in _UNITS:
        raise ConfigurationError(f"The scale sends its weight in {unit}.", hint="Set the scale to g.", setting="unit")
    return value * _UNITS[(unit or "g").lower()]


def is_in_progress(line: str) -> bool:
    """Tell whether the scale only says that its answer comes later."""
    return _IN_PROGRESS.fullmatch(line) is not None


def is_unavailable(line: str) -> bool:
    """Tell whether the scale only says that it has no weight now."""
    return _UNAVAILABLE.fullmatch(line) is not None


def read_makers_line(line: str) -> ScaleLine | None:
    """Read a line; None if it has no weight that is understood.

    An error says so where the scale reports that it cannot weigh, or where the line may mean two weights.
    """
    text = _BEFORE_HEADER.sub("", _WHEN.sub(" ", line)).replace("[", "").replace("]", "").strip()
    _refuse_reports(text)
    match = _LINE.fullmatch(text)
    if match is None:
        return None
    words = [word.upper() for word in _WORD.findall(f"{match['head']} {match['tail']}")]
    unit = match["unit"] or ""
    if unit.lower() not in _UNITS and _is_known(unit.upper()):  # a mark, and no unit before it
        words, unit = [*words, unit.upper()], ""
    if not all(map(_is_known, words)):
        return None
    value = _number(match["number"])
    kinds = {_KINDS[word] for word in words if word in _KINDS}
    if value is None or len(kinds) > 1:
        return None
    return ScaleLine(in_grams(value, unit), _stable(words), "".join(kinds), bool(unit))


def _is_known(word: str) -> bool:
    return word in _STABLE or word in _UNSTABLE or word in _KINDS or word in _NEUTRAL


def _stable(words: list[str]) -> bool | None:
    if not _UNSTABLE.isdisjoint(words):
        return False
    return True if words == ["WT"] or not _STABLE.isdisjoint(words) else None


def _number(written: str) -> Decimal | None:
    number = re.sub(r"\s", "", written)
    digits = number.lstrip("+-")
    if _TWO_WAYS.fullmatch(digits):
        either, other = digits.replace(",", "."), digits.replace(",", "")
        raise RigError(
            f"The scale sends {digits}, which may be {either} or {other}.", hint="Set its decimal sign to a point."
        )
    if grouped := _GROUPED.fullmatch(digits):
        mark = grouped[1]
        if mark != "." or digits.count(mark) > 1 or "," in digits:  # one point alone is a decimal point
            number = number.replace(mark, "")
    number = number.replace(",", ".")
    return Decimal(number) if re.fullmatch(r"[+-]?\d+(?:\.\d+)?", number) else None


def _refuse_reports(text: str) -> None:
    if _OVERLOAD.fullmatch(text):
        raise RigError("The scale reports overload.", hint="Take off what is too heavy for it.")
    if _UNDERLOAD.fullmatch(text):
        raise RigError("The scale reports underload.", hint="Put the pan in place, then zero the scale.")
    if _FAULT.fullmatch(text):
        raise RigError(f"The scale reports a fault: {text}.", hint="See its manual.")
    if text in _NOT_UNDERSTOOD:
        raise ConfigurationError(
            f"The scale does not understand what it is asked with: it answers {text}.",
            hint="Set ALYX_PLUGIN_SCALE_ASK to a command from its manual.",
            setting="ask",
        )
