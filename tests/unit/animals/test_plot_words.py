"""What a plot says in words: of a day, and of what cannot be judged; and where days and values stand."""

from __future__ import annotations

import datetime as dt
from dataclasses import replace
from decimal import Decimal

import pytest

from pybpod_alyx_module.animals.weight import LabShares
from pybpod_alyx_module.animals.weight_plausibility import Weighed
from pybpod_alyx_module.gui.history.axes import DayAxis, ValueAxis, day_text
from pybpod_alyx_module.gui.history.plot_words import day_words, limit_words, what_is_missing
from tests.unit.animals.history_rows import TODAY, a_day, a_history, at


def test_an_animal_that_can_be_judged_lacks_nothing() -> None:
    assert what_is_missing(a_history(a_day(1, 24), a_day(0, 23))) == ()


def test_what_cannot_be_judged_is_said() -> None:
    never = a_history(a_day(1, None), a_day(0, None))
    assert what_is_missing(never) == ("ea04 has no weight on Alyx yet.",)
    before = replace(a_day(0, 23), weighing=None)
    (sentence,) = what_is_missing(a_history(before))
    assert sentence == "ea04 was last weighed before 2026-03-20: 23.0 g."
    (sentence,) = what_is_missing(a_history(a_day(0, 23, share="0"), share="0"))
    assert sentence == "The lab haisslab sets no limit on Alyx. Weights are not judged."
    ended = a_history(a_day(5, 23), a_day(0, 23, restricted=False), ended=True)
    (sentence,) = what_is_missing(ended)
    assert sentence.startswith("The last water restriction ended on 2026-03-15")
    (sentence,) = what_is_missing(a_history(a_day(0, 23, restricted=False)))
    assert "has no water restriction on Alyx" in sentence
    (sentence,) = what_is_missing(a_history(replace(a_day(0, 23), reference=None, limit=None, expected=None)))
    assert "no reference weight" in sentence
    untold = a_history(a_day(0, 23, implant=None), not_judged="It is not told.")
    assert what_is_missing(untold) == ("It is not told.",)


def test_where_only_the_servers_own_limit_is_known_it_is_named() -> None:
    day = replace(a_day(0, 23), limit=None, second_limit=Decimal("17.5"))
    history = a_history(day, share="0", second_share=Decimal("0.7"))
    (sentence,) = what_is_missing(history)
    assert "haisslab sets no limit" in sentence
    assert "Only 70 % of expected is shown" in sentence


def test_a_day_says_all_its_numbers() -> None:
    day = a_day(0, 20, implant="3")
    history = a_history(day, weighings=(Weighed(Decimal("20.5"), at(TODAY, 9)), Weighed(Decimal(20), at(TODAY, 14))))
    weight, water = day_words(history, day)
    assert weight == (
        "Fri 20 Mar, 2026 · 20.5 g at 09:00 · 20.0 g at 14:00 · 77.3 % of 25.0 g · limit 21.7 g · too light"
        " · implant 3.0 g"
    )
    assert water == "Water: 0.50 mL reward + 0.25 mL supplement = 0.75 mL of 0.90 mL required"


def test_a_day_without_a_restriction_has_no_limit_and_free_water() -> None:
    day = a_day(0, 20, restricted=False)
    weight, water = day_words(a_history(day), day)
    assert weight == "Fri 20 Mar, 2026 · 20.0 g at 12:00"
    assert water.endswith("; no water restriction (ad lib)")


def test_a_day_not_weighed_says_the_last_weight() -> None:
    day = replace(a_day(0, 20), weighing=None)
    assert "not weighed (last 20.0 g)" in day_words(a_history(day), day)[0]
    never = a_day(0, None)
    assert "never weighed until then" in day_words(a_history(never), never)[0]


def test_days_stand_side_by_side_and_today_is_written() -> None:
    axis = DayAxis(dt.date(2026, 1, 1), 60, 50, 600)
    assert (axis.start(0), axis.start(60), axis.middle(0)) == (50, 650, 55)
    assert axis.at(at(dt.date(2026, 1, 2), 12)) == 65
    assert [axis.place(x) for x in (49.9, 50, 59.9, 60, 649, 650)] == [None, 0, 0, 1, 59, None]
    ticks = axis.ticks(69)
    assert ticks[-1] == (59, "1 Mar")
    assert [place for place, _words in ticks] == list(range(3, 60, 7))
    assert day_text(dt.date(2026, 11, 27), full=True) == "Fri 27 Nov, 2026"


@pytest.mark.parametrize("values", [[23.0], [20.0, 25.0], [23.11, 23.19], [], [0.0]])
def test_values_are_within_the_axis_and_written_with_the_decimals_that_they_need(values: list[float]) -> None:
    axis = ValueAxis.of(values, 10, 210)
    assert all(10 < axis.y(value) < 210 for value in values)
    written = axis.ticks(25)
    assert 2 <= len(written) <= 9
    assert len({words for _value, words in written}) == len(written)
    assert all(float(words) == pytest.approx(value) for value, words in written)


def test_water_begins_at_nothing() -> None:
    axis = ValueAxis.of([0.8, 1.2], 10, 210, from_zero=True)
    assert axis.y(0) == 210


def test_two_shares_are_one_limit() -> None:
    history = a_history(a_day(0, 23), shares=LabShares(Decimal("0.4"), Decimal("0.425")))
    assert limit_words(history) == "lab's limit (82.5 %)"
    assert limit_words(replace(history, shares=None)) == "lab's limit"
