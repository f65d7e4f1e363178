"""The settings of a rig: defaults, what may be written, and what is said of the rest."""

from __future__ import annotations

import sys
from decimal import Decimal
from pathlib import Path
from types import SimpleNamespace

import pytest

from pybpod_alyx_module import defaults
from pybpod_alyx_module.read_settings import read_rig_settings, read_settings
from pybpod_alyx_module.rig_settings import CHECKS, RigSettings, SessionSettings
from pybpod_alyx_module.scale.reader import ScaleSettings

ROOT = Path(__file__).parents[2]


@pytest.fixture
def read(monkeypatch):
    """Read the settings of a PyBpod whose user_settings.py has these ALYX_PLUGIN_ names."""

    def read_with(**values: object) -> RigSettings:
        conf = SimpleNamespace(**{f"ALYX_PLUGIN_{name}": value for name, value in values.items()})
        monkeypatch.setitem(sys.modules, "confapp", SimpleNamespace(conf=conf))
        return read_rig_settings()

    return read_with


def test_nothing_set(read):
    assert read() == RigSettings(SessionSettings(), Decimal(10), None)
    assert read().checks == dict.fromkeys(CHECKS, "warn")


def test_everything_set(read):
    found = read(
        REGISTER_SESSIONS="Always",
        LOCATION=" rig_1 ",
        PROJECTS=["A", "B", "A", ""],
        PROCEDURES=("P",),
        SESSION_TYPE="Base",
        TEST_SUBJECTS="test01",
        WATER_VARIABLE="reward",
        WATER_UNIT="uL",
        WATER_VALUES="Reward",
        WATER_TYPE=" Water 10% Sucrose ",
        WEIGHT_CHANGE_PERCENT=7.5,
        SCALE_PORT="COM3",
        SCALE_BAUD=1200,
        SCALE_PATTERN=r"W(\d+)",
        SCALE_ASK="SI",
        CHECK_MIN_WEIGHT="block",
        CHECK_ONE_ANIMAL="OFF",
    )
    assert found.sessions == SessionSettings(
        "always",
        "rig_1",
        ("A", "B"),
        ("P",),
        "Base",
        ("test01",),
        "reward",
        Decimal("0.001"),
        "reward",
        "Water 10% Sucrose",
    )
    assert (found.weight_change_percent, found.scale) == (Decimal("7.5"), ScaleSettings("COM3", 1200, r"W(\d+)", "SI"))
    assert (found.checks["min_weight"], found.checks["several"], found.checks["alive"]) == ("block", "off", "warn")
    assert found.problems == ()


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("REGISTER_SESSIONS", "sometimes"),
        ("REGISTER_SESSIONS", None),
        ("REGISTER_SESSIONS", True),
        ("LOCATION", 1),
        ("PROJECTS", 1),
        ("PROCEDURES", {"a": 1}),
        ("SESSION_TYPE", ["Base"]),
        ("TEST_SUBJECTS", 5),
        ("WATER_VARIABLE", 5),
        ("WATER_UNIT", "litre"),
        ("WATER_UNIT", 1),
        ("WATER_VALUES", "each"),
        ("WATER_VALUES", None),
        ("WATER_TYPE", 1),
        ("WEIGHT_CHANGE_PERCENT", 0),
        ("WEIGHT_CHANGE_PERCENT", 101),
        ("WEIGHT_CHANGE_PERCENT", float("nan")),
        ("WEIGHT_CHANGE_PERCENT", True),
        ("WEIGHT_CHANGE_PERCENT", "10"),
        ("SCALE_PORT", 3),
        ("SCALE_BAUD", "9600"),
        ("SCALE_BAUD", 0),
        ("SCALE_BAUD", True),
        ("SCALE_BAUD", 9600.0),
        ("SCALE_PATTERN", "("),
        ("SCALE_PATTERN", r"\d+"),
        ("SCALE_ASK", 5),
        ("SCALE_ASK", ""),
        ("SCALE_ASK", ["SI"]),
        ("SCALE_ASK", "\N{GREEK SMALL LETTER MU}"),
        ("SCALE_PATTERN", b"(a)"),
        *((name.removeprefix("ALYX_PLUGIN_"), "maybe") for name in CHECKS.values()),
        ("CHECK_ALIVE", None),
        ("CHECK_WATER", False),
    ],
)
def test_what_cannot_be_used_is_named_and_the_default_counts(read, name, value):
    found = read(**{"SCALE_PORT": "COM3", name: value})
    (problem,) = found.problems
    assert problem.setting == f"ALYX_PLUGIN_{name}"
    assert problem.text.startswith(f"{problem.setting} in user_settings.py must be ")
    assert problem.text.endswith("Correct it and start PyBpod again.")
    assert (found.sessions, found.weight_change_percent) == (read().sessions, read().weight_change_percent)
    assert found.scale == (None if name == "SCALE_PORT" else ScaleSettings("COM3"))
    assert found.checks == read().checks


@pytest.mark.parametrize(
    "name",
    ["LOCATION", "PROJECTS", "PROCEDURES", "TEST_SUBJECTS", "WATER_UNIT", "SCALE_PORT", "SCALE_ASK", "SCALE_PATTERN"],
)
def test_none_is_not_set(read, name):
    assert read(**{name: None}) == read()


@pytest.mark.parametrize("unit", ["mL", "ml", " ML "])
def test_millilitres(read, unit):
    assert read(WATER_UNIT=unit).sessions.ml_per_unit == 1


@pytest.mark.parametrize("unit", ["uL", "ul", "\u00b5L", "\u03bcl", "\u00b5l"])
def test_microlitres(read, unit):
    assert read(WATER_UNIT=unit).sessions.ml_per_unit == Decimal("0.001")


def test_a_variable_of_water_needs_its_unit(read):
    (problem,) = read(WATER_VARIABLE="reward").problems
    assert problem.setting == "ALYX_PLUGIN_WATER_UNIT"


class TestTestSubjects:
    def test_small_and_capital_letters_are_one(self, read):
        sessions = read(TEST_SUBJECTS=["Test01 "]).sessions
        assert [sessions.is_test_subject(name) for name in ("test01", " TEST01", "test02", "")] == [
            True,
            True,
            False,
            False,
        ]

    def test_what_can_be_used_of_a_list_counts(self, read):
        found = read(TEST_SUBJECTS=["test01", 5])
        assert found.sessions.test_subjects == ("test01",)
        assert found.problems[0].setting == "ALYX_PLUGIN_TEST_SUBJECTS"

    @pytest.mark.parametrize("value", [5, ["test01", 5]])
    def test_nothing_is_sent_unasked_while_the_list_is_wrong(self, read, value):
        assert read(TEST_SUBJECTS=value, REGISTER_SESSIONS="always").sessions.register == "ask"

    def test_never_stays_never(self, read):
        assert read(TEST_SUBJECTS=5, REGISTER_SESSIONS="never").sessions.register == "never"


def test_without_pybpod(monkeypatch):
    monkeypatch.setitem(sys.modules, "confapp", None)
    assert read_rig_settings() == RigSettings()


def test_every_setting_is_described():
    page = (ROOT / "docs" / "rig-setup.md").read_text(encoding="utf-8")
    names = [name for name in vars(defaults) if name.startswith("ALYX_PLUGIN_")]
    assert len(names) > 20
    assert [name for name in names if f"| `{name}` |" not in page] == []


@pytest.mark.parametrize(("value", "minutes"), [(None, None), (15, 15.0), (0.5, 0.5)])
def test_minutes_until_somebody_is_logged_out(read, value, minutes):
    read(IDLE_LOGOUT_MINUTES=value)
    assert (read_settings().idle_minutes, read_settings().problems) == (minutes, ())


@pytest.mark.parametrize("value", [0, -1, "15", True, float("nan"), float("inf")])
def test_wrong_minutes_are_named_and_log_nobody_out(read, value):
    read(IDLE_LOGOUT_MINUTES=value)
    found = read_settings()
    assert found.idle_minutes is None
    (problem,) = found.problems
    assert problem.setting == "ALYX_PLUGIN_IDLE_LOGOUT_MINUTES"
    assert "must be a number of minutes above 0, or None" in problem.text
