"""Days of an animal computed from rows, and how a weight is judged on one."""

from __future__ import annotations

import datetime as dt
from dataclasses import replace
from decimal import Decimal

import pytest

from pybpod_alyx_module.animals.history.animal_history import HistoryDay, Restriction, trimmed
from pybpod_alyx_module.animals.history.computed_days import DayRows, computed_days
from pybpod_alyx_module.animals.history.told_days import told_days
from pybpod_alyx_module.animals.requirement import read_requirement
from pybpod_alyx_module.animals.weight import Level

DAY = dt.date(2026, 3, 10)
START = dt.datetime.combine(dt.date(2026, 3, 3), dt.time(9))


def a_day(**changed: object) -> HistoryDay:
    day = HistoryDay(
        date=DAY, restricted=True, weighing=None, weight=Decimal(20), reference=Decimal(25), expected=Decimal(25),
        limit=None, second_limit=None, percentage=None, reward=Decimal(0), supplement=Decimal(0),
        expected_water=Decimal(1), implant=Decimal(0),
    )  # fmt: skip
    return replace(day, **changed)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("weight", "limit", "second", "level"),
    [
        # a lab of 85 %
        (22, "21.25", "18.75", Level.FINE),
        ("21.25", "21.25", "18.75", Level.FINE),
        (20, "21.25", "18.75", Level.BELOW),
        (18, "21.25", "18.75", Level.FAR_BELOW),
        # a lab of 70 %, below the second limit: 72 % is fine there, 64 % is not
        (18, "17.5", "18.75", Level.FINE),
        (16, "17.5", "18.75", Level.FAR_BELOW),
        # none
        (16, None, None, None),
        # the second one alone
        (16, None, "17.5", Level.FAR_BELOW),
        (18, None, "17.5", Level.FINE),
    ],
)
def test_a_weight_is_judged_by_the_labs_limit_first(
    weight: float | str, limit: str | None, second: str | None, level: Level | None
) -> None:
    day = a_day(limit=limit and Decimal(limit), second_limit=second and Decimal(second))
    assert day.level(Decimal(weight)) is level
    assert replace(day, restricted=False).level(Decimal(weight)) is None


def test_the_second_limit_is_left_out_above_the_labs() -> None:
    assert a_day(limit=Decimal("17.5"), second_limit=Decimal("18.75")).far_limit is None
    assert a_day(limit=Decimal("21.25"), second_limit=Decimal("18.75")).far_limit == Decimal("18.75")
    assert a_day(second_limit=Decimal("18.75")).far_limit == Decimal("18.75")


def test_without_a_known_implant_there_is_no_percentage() -> None:
    assert a_day().percentage_of(Decimal(20)) == 80
    assert a_day(implant=Decimal(5)).percentage_of(Decimal(20)) == 75
    assert a_day(implant=None).percentage_of(Decimal(20)) is None
    assert a_day(implant=Decimal(25)).percentage_of(Decimal(26)) is None


def rows(*restrictions: Restriction, implant: Decimal | None = Decimal(0)) -> DayRows:
    weighings = [(DAY - dt.timedelta(days=9), Decimal(24)), (DAY - dt.timedelta(days=1), Decimal(20))]
    return DayRows(weighings, [(DAY, Decimal("0.3"), True)], restrictions, implant, Decimal("0.85"))


def last_of(found: DayRows, days: int = 12) -> HistoryDay:
    return computed_days(found, DAY - dt.timedelta(days=days), DAY, dt.datetime.combine(DAY, dt.time(15)))[-1]


def test_a_reference_of_zero_is_the_weight_at_its_start() -> None:
    assert last_of(rows(Restriction(START, None, Decimal(0), "Water"))).reference == 24
    assert last_of(rows(Restriction(START, None, Decimal(26), "Water"))).reference == 26
    before_any_weight = Restriction(START - dt.timedelta(days=20), None, None, "")
    assert last_of(rows(before_any_weight)).reference is None


def test_the_last_weight_goes_on_and_days_before_any_have_none() -> None:
    days = computed_days(rows(), DAY - dt.timedelta(days=12), DAY, dt.datetime.combine(DAY, dt.time(15)))
    assert [day.weight for day in days] == [None] * 3 + [24] * 8 + [20] * 2
    assert [day.weighing for day in days if day.weighing is not None] == [24, 20]
    assert (days[-1].reward, days[-1].supplement, days[-1].given) == (Decimal("0.3"), 0, Decimal("0.3"))


def test_a_restriction_that_ended_before_now_is_none_today() -> None:
    ended = Restriction(START, dt.datetime.combine(DAY, dt.time(14)), Decimal(26), "Water")
    days = computed_days(rows(ended), DAY - dt.timedelta(days=12), DAY, dt.datetime.combine(DAY, dt.time(15)))
    assert [day.restricted for day in days] == [False] * 5 + [True] * 7 + [False]


def test_with_an_unknown_implant_weights_stay_and_limits_go() -> None:
    day = last_of(rows(Restriction(START, None, Decimal(26), "Water"), implant=None))
    assert (day.weight, day.reference, day.reference_without_implant) == (20, 26, None)
    assert (day.limit, day.second_limit, day.percentage, day.expected_water, day.level(Decimal(1))) == (None,) * 5


def test_days_that_say_nothing_are_left_out_down_to_a_week() -> None:
    silent, told = a_day(restricted=False, weight=None), a_day()
    assert len(trimmed((silent,) * 30)) == 7
    assert trimmed((silent,) * 10 + (told,) * 9) == (told,) * 9
    assert len(trimmed((silent,) * 10 + (told,) * 2)) == 7
    assert trimmed((told,) * 3) == (told,) * 3


def test_today_is_restricted_as_it_is_now_and_other_days_as_they_were_at_noon() -> None:
    record = {
        "date": "2026-03-09", "weight": 20, "weighing_at": None, "reference_weight": 22, "expected_weight": 25,
        "min_weight": 21.7, "percentage_weight": 77.3, "given_water_reward": 0.5, "given_water_supplement": 0.25,
        "given_water_total": 0.75, "expected_water": 0.85, "is_water_restricted": False, "implant_weight": 3,
    }  # fmt: skip
    requirement = read_requirement(
        {
            "subject": "ea04",
            "reference_weight_pct": 0.85,
            "zscore_weight_pct": 0,
            "records": [record, {**record, "date": "2026-03-10"}],
        }
    )
    before, today = told_days(requirement, restricted_now=True)
    assert (before.restricted, today.restricted) == (False, True)
    assert (today.reference, today.reference_without_implant, today.limit, today.second_limit) == (
        25, 22, Decimal("21.7"), Decimal("19.5"),
    )  # fmt: skip
    assert today.level(Decimal(20)) is Level.BELOW
    never = replace(requirement.days[0], weight=Decimal(0), expected_weight=Decimal(3), min_weight=Decimal(3))
    (day,) = told_days(replace(requirement, days=(never,)), restricted_now=True)
    assert (day.weight, day.expected, day.limit, day.second_limit, day.percentage, day.expected_water) == (None,) * 6
