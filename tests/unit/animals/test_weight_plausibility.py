"""What is asked before a weight is recorded."""

from __future__ import annotations

import datetime as dt
from decimal import Decimal

import pytest

from alyx_connector.writing.doubtful import weight_range
from pybpod_alyx_module.animals.weight_plausibility import OtherAnimal, Weighed, concerns
from tests.unit.animals.rig_rows import DAY

MOUSE = "Laboratory mouse"


def weighed(grams: str, days_ago: int = 1) -> Weighed:
    return Weighed(Decimal(grams), dt.datetime.combine(DAY - dt.timedelta(days=days_ago), dt.time(18, 5)))


def other(name: str, grams: str, days_ago: int = 1) -> OtherAnimal:
    return OtherAnimal(f"id of {name}", name, weighed(grams, days_ago))


def codes(
    typed: str, *history: Weighed, others: tuple[OtherAnimal, ...] = (), species: str | None = MOUSE
) -> list[str]:
    found = concerns(Decimal(typed), "jo006", history, species, others, today=DAY)
    return [one.code for one in found]


@pytest.mark.parametrize(
    ("typed", "asked"), [("22.00", True), ("21.99", False), ("18.00", True), ("18.01", False), ("20", False)]
)
def test_ten_percent_or_more_from_an_earlier_weight_is_asked(typed: str, asked: bool) -> None:
    assert (codes(typed, weighed("20")) == ["change"]) == asked


def test_each_of_the_last_three_days_counts() -> None:
    assert codes("22", weighed("20", 3), weighed("21", 2), weighed("21.5", 1)) == ["change"]
    assert codes("22", weighed("20", 4), weighed("21", 2), weighed("21.5", 1)) == []
    assert codes("22", weighed("20", 0)) == ["change"]
    assert codes("22", weighed("20", -1)) == ["change"]  # the server's zone is further east
    assert codes("22", weighed("20", -2)) == []


def test_the_setting_says_how_much() -> None:
    found = concerns(Decimal(21), "jo006", [weighed("20")], MOUSE, [], today=DAY, percent=Decimal(5))
    assert [one.code for one in found] == ["change"]


def test_the_sentence_names_both_weights_and_the_day() -> None:
    (one,) = concerns(Decimal("24.5"), "jo006", [weighed("20"), weighed("21", 2)], MOUSE, [], today=DAY)
    assert one.sentence == "24.5 g is 22.5 % more than the 20.0 g of jo006 on 2026-11-19 at 18:05."
    (less,) = concerns(Decimal("15"), "jo006", [weighed("20")], MOUSE, [], today=DAY)
    assert less.sentence == "15.0 g is 25.0 % less than the 20.0 g of jo006 on 2026-11-19 at 18:05."


def test_a_first_weight_is_no_jump() -> None:
    assert codes("24.5") == []
    assert codes("24.5", Weighed(Decimal(20), None)) == []


@pytest.mark.parametrize(
    ("typed", "species", "asked"),
    [
        ("245", MOUSE, True),
        ("2.45", MOUSE, True),
        ("245", "Mus musculus", True),
        ("245", "Rattus norvegicus", False),
        ("245", "Laboratory rat", False),
        ("19.9", "Laboratory rat", True),
        ("245", "Prairie vole", False),
        ("245", "Separate", False),
        ("99999", "Prairie vole", True),
        ("0.5", None, True),
        ("245", None, False),
    ],
)
def test_a_weight_that_the_species_cannot_have_is_asked(typed: str, species: str | None, asked: bool) -> None:
    assert (codes(typed, species=species) == ["species"]) == asked


def test_the_sentence_names_the_species_and_its_range() -> None:
    (one,) = concerns(Decimal("2.4"), "jo006", [], MOUSE, [], today=DAY)
    assert one.sentence == "2.4 g is outside what an animal of the species Laboratory mouse can weigh (5 g to 80 g)."


def test_the_range_holds_every_weight_of_the_sources() -> None:
    least, most = weight_range("Mus musculus")
    assert least < 10
    assert most > Decimal("39.3")


def test_another_animal_that_it_fits_better_is_named() -> None:
    others = (other("jo001", "26"), other("jo002", "24.6"), other("jo003", "24.3"))
    found = concerns(Decimal("24.5"), "jo006", [weighed("20")], MOUSE, others, today=DAY)
    assert [one.code for one in found] == ["change", "other animal"]
    assert found[1].subject_id == "id of jo002"
    assert found[1].sentence == "It fits jo002 better than jo006: 24.6 g on 2026-11-19 at 18:05."


def test_no_other_animal_is_named_where_nothing_speaks_against_the_weight() -> None:
    assert codes("20.5", weighed("20"), others=(other("jo002", "20.5"),)) == []


@pytest.mark.parametrize(
    "others",
    [
        (other("jo002", "17.0"),),  # further away than the animal itself
        (other("jo002", "30.0"),),  # it would be asked about there too
        (other("jo002", "22.0", days_ago=5),),  # weighed too long ago
    ],
)
def test_an_animal_that_does_not_fit_is_not_named(others: tuple[OtherAnimal, ...]) -> None:
    assert codes("22", weighed("20"), others=others) == ["change"]


def test_an_animal_that_it_fits_badly_is_not_named_only_because_it_is_nearer() -> None:
    assert codes("30", weighed("20"), others=(other("jo002", "25"),)) == ["change"]


def test_an_animal_that_fits_no_better_than_the_last_weight_of_this_one_is_not_named() -> None:
    # It is asked because of the weight of two days ago; yesterday's is nearer than the other animal's.
    assert codes("22", weighed("20", 2), weighed("21.8"), others=(other("jo002", "21.5"),)) == ["change"]
