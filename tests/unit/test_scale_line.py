"""Lines of scales as their makers print them."""

from __future__ import annotations

import re
from decimal import Decimal

import pytest

from alyx_connector.errors import AlyxError, ConfigurationError
from pybpod_alyx_module.errors import RigError
from pybpod_alyx_module.scale.line import Rhythm, Steadiness, compiled_pattern, read_line
from pybpod_alyx_module.scale.makers import GROSS, NET, TARE, ScaleLine
from pybpod_alyx_module.scale.reader import ScaleSettings

#: Mettler's SICS and A&D mark what has come to rest: "S S" and "ST".
MARKED = r"(?:(?P<stable>S S|ST)|S D|US)[,\s]*(?P<number>[+-]?\s*\d+\.\d+)\s*(?P<unit>\w+)"


@pytest.mark.parametrize(
    ("line", "expected"),
    [
        ("24.5", ScaleLine(Decimal("24.5"), None, has_unit=False)),
        ("  24,50 g  ", ScaleLine(Decimal("24.5"), None)),
        ("ST,+00024.50  g", ScaleLine(Decimal("24.5"), stable=True)),
        ("US,+00024.50  g", ScaleLine(Decimal("24.5"), stable=False)),
        ("WT   +24.50  g", ScaleLine(Decimal("24.5"), stable=True)),
        ("AB12, 2004/07/01, 12:34:56, ST,+0024.5000,   g", ScaleLine(Decimal("24.5"), stable=True)),
        ("ST;+0024,5000;  g", ScaleLine(Decimal("24.5"), stable=True)),
        ("ST,OK,+0024.50  g", ScaleLine(Decimal("24.5"), stable=True)),
        ("S S     24.50 g", ScaleLine(Decimal("24.5"), stable=True)),
        ("S D     24.50 g", ScaleLine(Decimal("24.5"), stable=False)),
        ("SD    -183.96 g", ScaleLine(Decimal("-183.96"), stable=False)),
        ("SI      24.50 g", ScaleLine(Decimal("24.5"), stable=True)),
        ("SI ?    24.50 g", ScaleLine(Decimal("24.5"), stable=False)),
        ("? -   2.237 g", ScaleLine(Decimal("-2.237"), stable=False)),
        ("24.50 g    ?", ScaleLine(Decimal("24.5"), stable=False)),
        ("24.50 g ?  NET", ScaleLine(Decimal("24.5"), False, NET)),
        ("176.30 g ? 00:00:15", ScaleLine(Decimal("176.3"), stable=False)),
        ("24.50 g U", ScaleLine(Decimal("24.5"), stable=False)),
        ("24.50 g S", ScaleLine(Decimal("24.5"), stable=True)),
        ("+   24.50 g", ScaleLine(Decimal("24.5"), None)),
        ("-   24.50 g", ScaleLine(Decimal("-24.5"), None)),
        ("N     +   24.5[0] g", ScaleLine(Decimal("24.5"), None, NET)),
        ("ST,NT,+  24.5 g", ScaleLine(Decimal("24.5"), True, NET)),
        ("ST,GS  0.0245KG", ScaleLine(Decimal("24.5"), True, GROSS)),
        ("G#    +  174.50 g", ScaleLine(Decimal("174.5"), None, GROSS)),
        ("T1    +  150.00 g", ScaleLine(Decimal(150), None, TARE)),
        ("Net Wt. 24.5 g", ScaleLine(Decimal("24.5"), None, NET)),
        ("24.5 NET", ScaleLine(Decimal("24.5"), None, NET, has_unit=False)),
        ("24.5 G", ScaleLine(Decimal("24.5"), None)),
        ("0.0245 kg", ScaleLine(Decimal("24.5"), None)),
        ("0,245 kg", ScaleLine(Decimal(245), None)),
        ("24500 mg", ScaleLine(Decimal("24.5"), None)),
        ("1,234.50 g", ScaleLine(Decimal("1234.5"), None)),
        ("1.234,50 g", ScaleLine(Decimal("1234.5"), None)),
        ("1'234.5 g", ScaleLine(Decimal("1234.5"), None)),
        ("1,234,567 mg", ScaleLine(Decimal("1234.567"), None)),
        ("1'234 g", ScaleLine(Decimal(1234), None)),
        ("24.500 g", ScaleLine(Decimal("24.5"), None)),
    ],
)
def test_what_makers_print_is_read(line: str, expected: ScaleLine) -> None:
    assert read_line(line) == expected


@pytest.mark.parametrize("line", ["1,234 g", "ST,+24,500 g", "1,234 kg"])
def test_a_number_that_may_be_two_is_refused(line: str) -> None:
    with pytest.raises(RigError, match=r"may be .* or .*Set its decimal sign to a point"):
        read_line(line)


@pytest.mark.parametrize(
    ("line", "said"),
    [
        ("OL,+9999999E+19", "overload"),
        ("OL,-9999999E+19", "underload"),
        ("OL,+999999.9  g", "overload"),
        ("+99999999", "overload"),
        ("-99999999", "underload"),
        ("S +", "overload"),
        ("S -", "underload"),
        ("SI+", "overload"),
        ("SI ^     18.5 kg", "overload"),
        ("H", "overload"),
        ("L", "underload"),
        ("Stat       High", "overload"),
        ("Stat       Low", "underload"),
        ("^^^^^^^^^kg", "overload"),
        ("_________kg", "underload"),
        ("+    .  ", "overload"),
        ("Err 54", "fault: Err 54"),
        ("Stat      ERR 054", "fault"),
        ("Error", "fault"),
        ("---------", "fault"),
        ("ES", "does not understand what it is asked with"),
    ],
)
def test_what_a_scale_reports_is_no_weight(line: str, said: str) -> None:
    with pytest.raises(AlyxError, match=re.escape(said)):
        read_line(line)


def test_the_scales_own_mark_counts() -> None:
    pattern = compiled_pattern(MARKED)
    assert read_line("S S     24.50 g", pattern) == ScaleLine(Decimal("24.5"), stable=True)
    assert read_line("S D     24.50 g", pattern) == ScaleLine(Decimal("24.5"), stable=False)
    steadiness = Steadiness(3)
    assert steadiness.is_stable(ScaleLine(Decimal(1), stable=True))
    assert not any(steadiness.is_stable(ScaleLine(Decimal(1), stable=False)) for _ in range(9))


@pytest.mark.parametrize("line", ["", "S I", "\ufffd\ufffd", "--.--"])
def test_a_line_without_a_number_is_none(line: str) -> None:
    assert read_line(line) is None
    assert read_line(line, compiled_pattern("(.*)")) is None


@pytest.mark.parametrize(
    "line", ["No.         01", "Total   24.50 g", "PCS 10 pcs", "24.5.1 g", "1,23,456 g", "2 x 24.5 g", "24.5 g NET T"]
)
def test_a_number_that_is_not_surely_the_weight_is_none(line: str) -> None:
    assert read_line(line) is None


@pytest.mark.parametrize("line", ["0.86 oz", "ST,+0001.278,  ct", "QT,+00000010  PC", "12.5 %"])
def test_another_unit_is_told(line: str) -> None:
    with pytest.raises(ConfigurationError, match=r"in (oz|ct|PC|%)\. Set the scale to g"):
        read_line(line)


def test_a_question_mark_says_how_a_scale_marks_what_is_not_at_rest() -> None:
    steadiness = Steadiness(3)
    found = [steadiness.is_stable(read_line(line)) for line in ("24.5 g", "24.3 g  ?", "24.4 g")]
    assert found == [False, False, True]
    steadiness.restart()
    assert not steadiness.is_stable(read_line("24.4 g"))


def test_a_unit_that_is_left_out_is_such_a_mark() -> None:
    steadiness = Steadiness(3)
    lines = ("24.5", "24.5 g", "24.1", "24.1", "24.1", "24.6 g")
    assert [steadiness.is_stable(read_line(line)) for line in lines] == [False, False, False, False, False, True]


def test_gross_counts_only_from_a_scale_that_tells_no_net() -> None:
    steadiness = Steadiness(2)
    gross, tare, net = (read_line(f"ST,{kind},+ 24.5 g") for kind in ("GS", "TR", "NT"))
    assert [steadiness.is_stable(gross), steadiness.is_stable(gross)] == [False, True]
    assert not steadiness.is_skipped(gross)
    assert steadiness.is_skipped(tare)
    assert steadiness.is_skipped(gross)
    assert not steadiness.is_skipped(net)
    assert steadiness.is_stable(net)


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
        ({"port": "COM3", "ask": ""}, "ask"),
        ({"port": "COM3", "ask": "\N{GREEK SMALL LETTER MU}"}, "ask"),
        ({"port": "COM3", "equal_readings": 0}, "equal_readings"),
        ({"port": "COM3", "lasts_s": 0}, "lasts_s"),
    ],
)
def test_settings_that_cannot_be_used_are_refused(settings: dict[str, object], said: str) -> None:
    with pytest.raises(ConfigurationError, match=said):
        ScaleSettings(**settings)


def test_nobody_presses_as_evenly_as_a_clock() -> None:
    pressed = Rhythm()
    assert not any(pressed.is_by_clock(moment) for moment in (0, 3, 6.4, 9, 60, 63.5, 70, 71, 73, 76.5, 80.5))
    clock = Rhythm()
    assert [clock.is_by_clock(moment) for moment in (0, 5, 10.02, 15)] == [False, False, False, True]
    clock.begin()  # nobody weighed for an hour: the clock went on, and left one out while the animal moved
    assert [clock.is_by_clock(moment) for moment in (3600, 3605, 3615, 3617)] == [True, True, True, False]


def test_a_key_that_was_pressed_evenly_counts_again_with_the_next_press() -> None:
    pressed = Rhythm()
    assert [pressed.is_by_clock(moment) for moment in (0, 2, 4.01, 6.05)] == [False, False, False, True]
    assert not any(pressed.is_by_clock(moment) for moment in (36, 71.4))
    slow = Rhythm()
    assert not any(slow.is_by_clock(moment) for moment in (0, 30, 60.5, 91.5))  # even for a hand, not for a clock
