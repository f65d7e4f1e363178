"""Lines of scales as their makers print them."""

from __future__ import annotations

from decimal import Decimal

import pytest

from alyx_connector.errors import ConfigurationError
from pybpod_alyx_module.scale.line import DEFAULT_PATTERN, ScaleLine, Steadiness, compiled_pattern, read_line
from pybpod_alyx_module.scale.reader import ScaleSettings

#: Mettler's SICS and A&D mark what has come to rest: "S S" and "ST".
MARKED = r"(?:(?P<stable>S S|ST)|S D|US)[,\s]*(?P<number>[+-]?\s*\d+\.\d+)\s*(?P<unit>\w+)"


@pytest.mark.parametrize(
    ("line", "grams"),
    [
        ("24.5", "24.5"),
        ("  24,50 g  ", "24.5"),
        ("ST,+00024.50  g", "24.5"),
        ("S S     24.50 g", "24.5"),
        ("+   24.50 g", "24.5"),
        ("-   24.50 g", "-24.5"),
        ("0.0245 kg", "24.5"),
        ("24500 mg", "24.5"),
        ("24.5 G", "24.5"),
    ],
)
def test_the_usual_lines_are_read(line: str, grams: str) -> None:
    assert read_line(line, compiled_pattern(DEFAULT_PATTERN)) == ScaleLine(Decimal(grams), None)


def test_the_scales_own_mark_counts() -> None:
    pattern = compiled_pattern(MARKED)
    assert read_line("S S     24.50 g", pattern) == ScaleLine(Decimal("24.5"), stable=True)
    assert read_line("S D     24.50 g", pattern) == ScaleLine(Decimal("24.5"), stable=False)
    steadiness = Steadiness(3)
    assert steadiness.is_stable(ScaleLine(Decimal(1), stable=True))
    assert not any(steadiness.is_stable(ScaleLine(Decimal(1), stable=False)) for _ in range(9))


@pytest.mark.parametrize("line", ["", "S I", "\ufffd\ufffd", "error", "--.--"])
def test_a_line_without_a_number_is_none(line: str) -> None:
    assert read_line(line, compiled_pattern(DEFAULT_PATTERN)) is None
    assert read_line(line, compiled_pattern("(.*)")) is None


def test_another_unit_is_told() -> None:
    with pytest.raises(ConfigurationError, match=r"in oz\. Set the scale to g"):
        read_line("0.86 oz", compiled_pattern(DEFAULT_PATTERN))


def test_the_first_group_is_the_number_where_none_is_named() -> None:
    assert read_line("W=24.5;", compiled_pattern(r"W=([\d.]+);")) == ScaleLine(Decimal("24.5"), None)


@pytest.mark.parametrize(
    ("settings", "said"),
    [
        ({"port": " "}, "port"),
        ({"port": "COM3", "baud": 0}, "baud"),
        ({"port": "COM3", "baud": "9600"}, "baud"),
        ({"port": "COM3", "baud": True}, "baud"),
        ({"port": "COM3", "pattern": "("}, "not a valid regular expression"),
        ({"port": "COM3", "pattern": r"\d+"}, "no group"),
        ({"port": "COM3", "pattern": None}, "not a valid regular expression"),
        ({"port": "COM3", "equal_readings": 0}, "equal_readings"),
        ({"port": "COM3", "lasts_s": 0}, "lasts_s"),
    ],
)
def test_settings_that_cannot_be_used_are_refused(settings: dict[str, object], said: str) -> None:
    with pytest.raises(ConfigurationError, match=said):
        ScaleSettings(**settings)
