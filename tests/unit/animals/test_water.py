"""Need, gifts and remainder of a day."""

from __future__ import annotations

from decimal import Decimal

import pytest

from pybpod_alyx_module.animals.water import Water, default_water_type, water_today
from tests.unit.animals.rig_rows import requirement

D = Decimal


def water(expected: str, reward: str = "0", supplement: str = "0", *, restricted: bool = True) -> Water:
    return Water(D(expected), D(reward), D(supplement), D(reward) + D(supplement), restricted)


def test_todays_water_is_the_servers() -> None:
    today = water_today(requirement(given_water_reward=0.3, given_water_supplement=0.2, given_water_total=0.5))
    assert today == Water(D("0.8225"), D("0.3"), D("0.2"), D("0.5"), restricted=True)
    assert today.remaining == D("0.33")


def test_the_remainder_is_rounded_up_and_the_amount_down() -> None:
    after = water("0.9372").after(D("0.855"))
    assert (after.given, after.remaining, after.excess) == (D("0.85"), D("0.09"), D("0.00"))
    assert after.sentence == "After 0.85 mL, 0.09 mL remain to be given today."


def test_an_amount_that_is_just_enough_leaves_nothing() -> None:
    after = water("0.9").after(D("0.9"))
    assert (after.remaining, after.excess) == (0, 0)
    assert after.sentence == "After 0.90 mL nothing remains to be given today."


def test_an_excess_is_told_rounded_down() -> None:
    after = water("0.9372", reward="0.5").after(D("0.5"))
    assert (after.remaining, after.excess) == (D("0.00"), D("0.06"))
    assert after.sentence == "After 0.50 mL nothing remains: 0.06 mL more than needed today."


def test_a_hair_that_is_missing_still_remains() -> None:
    assert water("0.9001").after(D("0.9")).remaining == D("0.01")


def test_water_ad_lib_has_no_amount() -> None:
    after = water("0.9").after(None)
    assert (after.given, after.remaining) == (0, D("0.90"))
    assert "no amount for ad lib water" in after.sentence
    assert "0.90 mL" in after.sentence


def test_no_amount_is_below_nothing() -> None:
    with pytest.raises(ValueError, match="below 0"):
        water("0.9").after(D("-0.1"))


def test_the_noise_of_a_sum_is_no_remainder() -> None:
    # 0.1 + 0.2 mL were given of 0.3 mL, and 22.5 g * 0.04 is 0.9000000000000000222.
    today = water_today(
        requirement(
            given_water_reward=0, given_water_supplement=0.1 + 0.2, given_water_total=0.1 + 0.2, expected_water=0.3
        )
    )
    assert (today.remaining, today.excess, today.needs_water) == (0, 0, False)
    assert water_today(requirement(expected_water=0.9000000000000001)).remaining == D("0.90")


def test_only_a_water_restricted_animal_needs_water() -> None:
    assert water_today(requirement()).needs_water
    assert not water_today(requirement(is_water_restricted=False)).needs_water
    assert not water_today(requirement(), restricted_now=False).needs_water
    assert water_today(requirement(is_water_restricted=False), restricted_now=True).needs_water


def test_a_restricted_animal_without_a_weight_is_not_said_to_need_nothing() -> None:
    today = water_today(requirement(expected_water=0, weight=0))
    assert today.needs_water
    assert "How much water it needs is unknown: Alyx has no weight for this subject." in today.sentences()
    assert "unknown" in today.after(D("0.5")).sentence


def test_the_sentences_tell_reward_and_supplement_apart() -> None:
    assert water("0.9372", reward="0.305", supplement="0.2").sentences() == (
        "Needs 0.94 mL today.",
        "Given today: 0.30 mL as reward, 0.20 mL as supplement.",
        "0.44 mL remain to be given today.",
    )
    assert water("0.9", supplement="0.9").sentences()[-1] == "Nothing remains to be given today."
    assert water("0.9", supplement="1.2").sentences()[-1] == "0.30 mL more than needed."
    assert Water(D(1), None, None, D("0.4"), restricted=True).sentences()[1] == "Given today: 0.40 mL."
    assert water("0.9", restricted=False).sentences()[0] == "Not under water restriction."


@pytest.mark.parametrize(
    ("of_restriction", "offered", "wanted"),
    [
        ("Hydrogel", ("Water", "Hydrogel"), "Hydrogel"),
        (None, ("Hydrogel", "Water"), "Water"),
        ("gone", ("Hydrogel", "Water"), "Water"),
        (None, ("Hydrogel",), ""),
        (None, (), ""),
        ("", ("",), ""),
    ],
)
def test_the_type_is_the_restrictions_own_by_default(
    of_restriction: str | None, offered: tuple[str, ...], wanted: str
) -> None:
    assert default_water_type(of_restriction, offered) == wanted
