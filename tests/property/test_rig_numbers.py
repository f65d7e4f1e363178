"""Whatever the server's numbers and whatever is typed: what weights and water must never do."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from pybpod_alyx_module.animals.requirement import Requirement, read_requirement
from pybpod_alyx_module.animals.water import UNIT, Water, water_today
from pybpod_alyx_module.animals.weight import judge
from pybpod_alyx_module.numbers import exact, grams, millilitres
from pybpod_alyx_module.scale.line import Steadiness
from pybpod_alyx_module.scale.makers import ScaleLine

#: What floats of the server may differ from the numbers that they stand for.
NOISE = Decimal("1E-9")
FLOATS = st.floats(0, 2000, allow_nan=False)
AMOUNTS = st.decimals(0, 50, places=3, allow_nan=False)


@st.composite
def requirements(draw: Any) -> Requirement:
    numbers = ("weight", "reference_weight", "expected_weight", "min_weight", "percentage_weight", "implant_weight")
    reward, supplement = draw(FLOATS), draw(FLOATS)
    record = {
        "date": "2026-11-20",
        "weighing_at": draw(st.none() | FLOATS),
        **{name: draw(FLOATS) for name in numbers},
        "given_water_reward": reward,
        "given_water_supplement": supplement,
        "given_water_total": reward + supplement,
        "expected_water": draw(FLOATS),
        "excess_water": 0,
        "is_water_restricted": draw(st.booleans()),
    }
    shares = draw(st.sampled_from([(0.85, 0.0), (0.0, 0.85), (0.4, 0.4), (0.0, 0.0)]))
    return read_requirement(
        {"subject": "a", "reference_weight_pct": shares[0], "zscore_weight_pct": shares[1], "records": [record]}
    )


@given(requirements(), AMOUNTS)
def test_rounding_never_promises_more_water_than_is_given(numbers: Requirement, amount: Decimal) -> None:
    after = water_today(numbers).after(amount)
    left = numbers.today.expected_water - numbers.today.given_total - amount
    assert after.given <= amount < after.given + UNIT
    assert left <= after.remaining
    assert after.remaining < max(left, Decimal(0)) + UNIT
    assert after.excess <= max(-left, Decimal(0))
    assert after.remaining == 0 or after.excess == 0
    assert {after.given % UNIT, after.remaining % UNIT, after.excess % UNIT} == {0}


@given(requirements(), AMOUNTS, AMOUNTS)
def test_more_water_never_leaves_more_to_give(numbers: Requirement, some: Decimal, more: Decimal) -> None:
    water = water_today(numbers)
    after, then = water.after(some), water.after(some + more)
    assert then.remaining <= after.remaining <= water.remaining
    assert then.excess >= after.excess >= water.excess
    assert then.given >= after.given


@given(requirements())
def test_giving_what_remains_leaves_nothing(numbers: Requirement) -> None:
    water = water_today(numbers)
    assert water.after(water.remaining).remaining == 0
    assert not Water(water.expected, None, None, water.given + water.remaining, water.restricted).remaining


@given(requirements())
def test_the_remainder_is_the_servers_but_for_its_noise(numbers: Requirement) -> None:
    today = numbers.today
    assert abs(today.given_total - today.given_reward - today.given_supplement) <= 3 * NOISE
    assert water_today(numbers).remaining >= today.expected_water - today.given_total


@given(requirements(), st.decimals("0.01", 2000, places=2), st.decimals("0.01", 500, places=2))
def test_a_heavier_weight_never_counts_as_lighter(numbers: Requirement, typed: Decimal, more: Decimal) -> None:
    light, heavy = judge(typed, numbers), judge(typed + more, numbers)
    assert (light.percentage is None, light.to_minimum is None) == (heavy.percentage is None, heavy.to_minimum is None)
    if light.percentage is not None and heavy.percentage is not None:
        assert heavy.percentage >= light.percentage
    if light.to_minimum is not None and heavy.to_minimum is not None:
        assert heavy.to_minimum - light.to_minimum == more
    assert light.percentage_text
    assert light.minimum_text


@given(requirements())
def test_the_expected_weight_is_a_hundred_percent(numbers: Requirement) -> None:
    today = numbers.today
    judgement = judge(today.expected_weight, numbers)
    assert judgement.percentage == (100 if today.expected_weight > today.implant_weight else None)


@given(st.decimals("0.01", 99999, places=2), st.sampled_from([".", ","]), st.sampled_from(["", " g", "g"]))
def test_every_weight_that_can_be_written_is_read_as_it_stands(weight: Decimal, mark: str, unit: str) -> None:
    assert grams(f"{weight:f}".replace(".", mark) + unit) == weight
    assert millilitres(f"{weight:f}".replace(".", mark)) == weight


@given(FLOATS)
def test_the_exact_number_is_the_float_but_for_noise(value: float) -> None:
    assert abs(exact(value) - Decimal(value)) <= NOISE


@given(st.lists(st.sampled_from([Decimal("24.5"), Decimal("24.6"), Decimal(0)]), max_size=20), st.integers(1, 5))
def test_a_reading_is_stable_only_after_so_many_equal_ones(readings: list[Decimal], wanted: int) -> None:
    steadiness = Steadiness(wanted)
    for count, reading in enumerate(readings, start=1):
        last = readings[max(0, count - wanted) : count]
        stable = steadiness.is_stable(ScaleLine(reading, None))
        assert stable == (len(last) == wanted and len(set(last)) == 1)
