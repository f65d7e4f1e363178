"""What a weight is compared with where its weighings are not known: the project's copy, an item's origin."""

from __future__ import annotations

from decimal import Decimal

import pytest

from pybpod_alyx_module.animals.weight_plausibility import WeightFacts, weight_facts

MOUSE = WeightFacts("Mus musculus", Decimal(25), "2026-11-20")


@pytest.mark.parametrize(
    ("typed", "codes"),
    [
        ("12.5", []),
        ("50", []),
        ("12.4", ["reference"]),
        ("50.1", ["reference"]),
        ("240", ["species", "reference"]),
        ("2400", ["species", "reference"]),
    ],
)
def test_what_speaks_against_a_weight(typed, codes):
    assert [one.code for one in MOUSE.concerns(Decimal(typed), "ea04")] == codes


def test_with_nothing_known_any_weight_of_an_animal_will_do():
    assert WeightFacts().concerns(Decimal(240), "ea04") == ()
    assert WeightFacts().sentence == ""


def test_it_is_said_how_old_it_is():
    assert MOUSE.sentence == (
        "From the project's copy, synced on 2026-11-20: species Mus musculus, reference weight 25.0 g"
    )


@pytest.mark.parametrize(
    ("record", "facts"),
    [
        ({"species": "Mus musculus", "reference_weight": 25.0}, WeightFacts("Mus musculus", Decimal(25))),
        ({"species": None, "reference_weight": 0}, WeightFacts()),
        ({"species": ["x"], "reference_weight": "25"}, WeightFacts()),
        ({}, WeightFacts()),
    ],
)
def test_a_record_that_says_nothing_usable_is_nothing(record, facts):
    assert weight_facts(record) == facts
