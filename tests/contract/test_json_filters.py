"""How the server reads the values of ``json=`` and ``extended_qc=``, and how it compares them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from tests.contract.json_values import MISSING, NUMBERS, TEXTS, VALUES

if TYPE_CHECKING:
    from tests.contract.alyx_under_test import AlyxUnderTest


def _key(value: Any) -> str:
    return repr(value) if value is not MISSING else "MISSING"


@pytest.mark.parametrize(
    ("pairs", "expected"),
    [
        ("v,1", [1]),
        ("v,true", [True]),
        ("v,2024-01-01", ["2024-01-01"]),
        ("v,0.0000001", [1e-7]),
        ("v,[1,2]", [[1, 2]]),
        ("v__in,[-5,-7]", [-5, -7]),
        ("v,(-5,)", []),
    ],
)
@pytest.mark.parametrize("field", ["json", "extended_qc"])
def test_what_a_value_is_read_as(
    writable: AlyxUnderTest, valued: str, field: str, pairs: str, expected: list[Any]
) -> None:
    _check_found(writable, valued, field, pairs, expected)


@pytest.mark.parametrize(
    ("pairs", "expected"),
    [
        ("v,001", [1]),
        ("v,-5", ["-5"]),
        ("v,(-5)", [-5]),
        ("v,(-3.5)", [-3.5]),
        ("v,('001')", ["001"]),
        ("v,('1')", ["1"]),
        ("v,('True')", ["True"]),
        ("v,None", [None]),
        ("v,('None')", ["None"]),
        ("v,('a, b')", ["a, b"]),
        ('v,("a, b")', ["a, b"]),
        ("v,(1e-7)", [1e-7]),
        ("v__in,(-5,)", [-5]),
        ("v__w,(-1)", [{"w": -1}]),
        ("v__isnull,True", [MISSING]),
    ],
)
@pytest.mark.parametrize("field", ["json", "extended_qc"])
def test_a_value_is_words_of_python(
    writable: AlyxUnderTest, valued: str, field: str, pairs: str, expected: list[Any]
) -> None:
    _check_found(writable, valued, field, pairs, expected)


@pytest.mark.parametrize(
    ("pairs", "expected"),
    [
        ("v,001", ["001"]),
        ("v,-5", [-5]),
        ("v,-3.5", [-3.5]),
        ('v,"-5"', ["-5"]),
        ('v,"1"', ["1"]),
        ("v,True", ["True"]),
        ("v,None", ["None"]),
        ("v,null", [None]),
        ("v,a, b", ["a, b"]),
        ('v,{"w": -1}', [{"w": -1}]),
        ("v__lt,-5", [None, *TEXTS, -7]),
        ("v__gte,-5;v__lt,0", [-5, -3.5]),
        ("v__not,1", [value for value in VALUES if value is not MISSING and (value != 1 or value is True)]),
    ],
)
@pytest.mark.parametrize("field", ["json", "extended_qc"])
def test_a_value_is_json(writable: AlyxUnderTest, valued: str, field: str, pairs: str, expected: list[Any]) -> None:
    _check_found(writable, valued, field, pairs, expected)


def _check_found(alyx: AlyxUnderTest, valued: str, field: str, pairs: str, expected: list[Any]) -> None:
    rows = alyx.rows("/sessions", subject=valued, **{field: pairs})
    assert sorted(_key(VALUES[row["number"]]) for row in rows) == sorted(map(_key, expected))


# Null comes before all texts, these before all numbers, these before True, False, lists and objects.
AFTER = [True, [1, 2], {"w": -1}]


@pytest.mark.parametrize(
    ("parts", "expected"),
    [
        (["v__lt,-5"], [None, *TEXTS, -7]),
        (["v__lte,-5"], [None, *TEXTS, -7, -5]),
        (["v__gt,-5"], [*(value for value in NUMBERS if value > -5), *AFTER]),
        (["v__gte,-5"], [*(value for value in NUMBERS if value >= -5), *AFTER]),
        (["v__gte,-5", "v__lt,0"], [-5, -3.5]),
        (["v__range,[-5,0]"], [-5, -3.5, 0]),
        (["v__gte,-1e308", "v__lte,1e308"], NUMBERS),
        (['v__gte,""', "v__lt,-1e308"], TEXTS),
        (["v__lt,a"], [None, *(value for value in TEXTS if value < "a" and not value.isalpha())]),
    ],
)
def test_the_order_of_what_stands_in_json(
    writable: AlyxUnderTest, valued: str, parts: list[str], expected: list[Any]
) -> None:
    rows = writable.rows("/sessions", subject=valued, extended_qc=writable.pairs(parts))
    found = {_key(VALUES[row["number"]]) for row in rows}
    # Whether a capital comes before a small letter is the database's collation.
    assert found - {"'True'", "'None'"} == set(map(_key, expected)) - {"'True'", "'None'"}
