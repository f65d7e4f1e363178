"""Typed weights and amounts: what is taken, and what is said of the rest."""

from __future__ import annotations

from decimal import Decimal

import pytest

from alyx_connector.errors import ConfigurationError
from pybpod_alyx_module.numbers import exact, grams, is_number, millilitres, rounded_down, rounded_up, shown


@pytest.mark.parametrize("text", ["24.5", "24,5", " 24.5 ", "24.5 g", "24.5g", "24,5 G", "24.50"])
def test_a_weight_is_read_with_point_or_comma_and_with_or_without_its_unit(text: str) -> None:
    assert grams(text) == Decimal("24.5")


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("", "is empty"),
        ("   ", "is empty"),
        ("24500 mg", "is in mg, not in g"),
        ("0.0245 kg", "0.0245"),
        ("24.5 mL", "is in mL, not in g"),
        ("24,500", "3 decimals"),
        ("1.024,5", "is not a number of g"),
        ("1 024", "is not a number of g"),
        ("-24.5", "is not a number of g"),
        ("+24.5", "is not a number of g"),
        ("0", "is not above 0"),
        ("0.00", "is not above 0"),
        (".5", "is not a number of g"),
        ("24.", "is not a number of g"),
        ("1e3", "is not a number of g"),
        ("nan", "is not a number of g"),
        ("inf", "is not a number of g"),
        ("24.5 24.6", "is not a number of g"),
        ("٢٤", "is not a number of g"),
        ("mouse", "is not a number of g"),
        ("9" * 400, "is not a number of g"),
    ],
)
def test_anything_else_is_refused_in_words(text: str, said: str) -> None:
    with pytest.raises(ConfigurationError) as caught:
        grams(text)
    assert said in caught.value.message
    assert "like 24.5" in caught.value.hint


def test_water_is_read_to_the_microlitre() -> None:
    assert millilitres("0,855 ml") == Decimal("0.855")
    assert millilitres("1") == 1
    with pytest.raises(ConfigurationError, match="in g, not in mL"):
        millilitres("1 g")


@pytest.mark.parametrize(
    ("value", "wanted"),
    [
        (0.8400000000000001, "0.84"),
        (0.30000000000000004, "0.3"),
        (-0.0, "0"),
        (25, "25"),
        (1e-12, "0"),
        (19.45, "19.45"),
    ],
)
def test_the_noise_of_floats_is_dropped(value: float, wanted: str) -> None:
    assert exact(value) == Decimal(wanted)
    assert not exact(value).is_signed()


def test_rounding_goes_the_way_that_it_says() -> None:
    unit = Decimal("0.01")
    assert (rounded_up(Decimal("0.8401"), unit), rounded_down(Decimal("0.8499"), unit)) == (
        Decimal("0.85"),
        Decimal("0.84"),
    )
    assert rounded_up(Decimal("0.84"), unit) == rounded_down(Decimal("0.84"), unit) == Decimal("0.84")
    assert shown(Decimal("-0.04")) == "0.0"


@pytest.mark.parametrize("value", [True, None, "24.5", float("nan"), float("inf"), 1e300, 10**400])
def test_what_is_no_number_of_json_is_none(value: object) -> None:
    assert not is_number(value)
