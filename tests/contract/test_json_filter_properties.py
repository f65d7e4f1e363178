"""Filters of JSON in Python values find the rows that the same filter finds in Python."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import HealthCheck, assume, example, given, settings
from hypothesis import strategies as st

if TYPE_CHECKING:
    from collections.abc import Iterator

    from alyx_connector import Connector
    from tests.contract.alyx_under_test import AlyxUnderTest

_MISSING: Any = object()
#: What stands in ``json`` and ``extended_qc`` of a session each.
HELD: tuple[Any, ...] = (
    {},
    *({"v": value} for value in (-7, -5, -3.5, 0, 1, 4, 1e-7, 2**53, True, False, None)),
    *({"v": value} for value in ("-5", "001", "1", "true", "none", "a, b", "it's", "abc", "2024-01-01")),
    *({"v": value} for value in ([1, 2], ["a", "b"], [], {"w": -1}, {"w": -1, "x": {"1": "C2"}})),
    {"v": 4, "w": "abc"},
    {"v": 4, "w": 5},
    {"whisker stims": {"right": {"1": {"amp": 0.5}}}},
    {"whisker stims": {"right": {"1": {"amp": 1.5}}}, "v": 1},
)
_SCALARS = st.sampled_from(
    [-7, -5, -3.5, 0, 1, 4, 1e-7, 2**53, True, False, "-5", "001", "1", "true", "none", "a, b", "it's", "abc", "zz"]
)
_PATHS = st.sampled_from(["v", "w", "v__w", "v__x__1", "whisker stims__right__1__amp", "v__0", "nothing"])
_ORDERED = st.sampled_from(["lt", "lte", "gt", "gte"])
_NUMBERS = st.sampled_from([-7, -5, -3.5, 0, 1e-7, 1, 4.5, 2**53])
_LISTS = st.lists(_SCALARS, min_size=1, max_size=3)


@st.composite
def _conditions(draw: st.DrawFn) -> tuple[str, Any]:
    path = draw(_PATHS)
    kind = draw(st.sampled_from(["exact", "order", "isnull", "none", "not", "in", "contains", "list"]))
    if kind == "order":
        return f"{path}__{draw(_ORDERED)}", draw(_NUMBERS)
    if kind == "isnull":
        return f"{path}__isnull", draw(st.booleans())
    if kind == "none":
        return draw(st.sampled_from([path, f"{path}__not"])), None
    if kind in {"in", "list"}:
        return f"{path}__in" if kind == "in" else path, draw(_LISTS)
    return path if kind == "exact" else f"{path}__{kind}", draw(_SCALARS)


def _same(one: Any, other: Any) -> bool:
    if isinstance(one, bool) or isinstance(other, bool):
        return one is other
    if isinstance(one, list) and isinstance(other, list):
        return len(one) == len(other) and all(map(_same, one, other))
    return type(one) is not type(_MISSING) and bool(one == other)


def _contains(one: Any, other: Any) -> bool:
    return any(_same(inside, other) for inside in one) if isinstance(one, list) else _same(one, other)


def _at(held: Any, path: list[str]) -> Any:
    for key in path:
        if isinstance(held, dict) and key in held:
            held = held[key]
        elif isinstance(held, list) and key.isdigit() and int(key) < len(held):
            held = held[int(key)]
        else:
            return _MISSING
    return held


def _holds(held: Any, key: str, value: Any) -> bool:
    *path, last = key.split("__")
    found = _at(held, path)
    if last == "not":
        return found is not _MISSING and (value is None or not _same(found, value))
    if last == "isnull":
        return (found is _MISSING) is value
    if last == "in":
        return any(_same(found, one) for one in value)
    if last == "contains":
        return found is not _MISSING and _contains(found, value)
    if last in {"lt", "lte", "gt", "gte"}:
        if isinstance(found, bool) or not isinstance(found, int | float):
            return False
        return {"lt": found < value, "lte": found <= value, "gt": found > value, "gte": found >= value}[last]
    found = _at(held, [*path, last])
    return found is _MISSING if value is None else _same(found, value)


@pytest.fixture(scope="module")
def held(writable: AlyxUnderTest) -> Iterator[str]:
    """The nickname of a subject with a session for each of `HELD`: its number less 1 is the place in there."""
    with writable.new_subject() as animal:
        name = animal.nickname
        for place, content in enumerate(HELD):
            body = {"subject": name, "number": place + 1, "json": content, "extended_qc": content}
            assert writable.ask("POST", "/sessions", json=body).status_code == 201
        yield name


@settings(max_examples=80, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(field=st.sampled_from(["json", "extended_qc"]), wanted=st.lists(_conditions(), min_size=1, max_size=3).map(dict))
@example(field="extended_qc", wanted={"v": True, "w": None})
@example(field="json", wanted={"v__w": -1})
@example(field="json", wanted={"whisker stims": {"right": {1: {"amp": 0.5}}}})
@example(field="json", wanted={"v__gte": -5, "v__lt": 0})
@example(field="json", wanted={"v__not": "001"})
def test_the_rows_are_those_that_a_filter_in_python_finds(
    connector: Connector, held: str, field: str, wanted: dict[str, Any]
) -> None:
    flat = dict(_flat(wanted))
    about_keys = [
        key.removesuffix("__isnull").removesuffix("__not") for key, value in flat.items() if _is_about_key(key, value)
    ]
    assume(len(about_keys) == len(set(about_keys)))  # the same question twice is refused
    found = connector.search(subject=held, details=False, **{field: wanted})
    expected = {n + 1 for n, content in enumerate(HELD) if all(_holds(content, *one) for one in flat.items())}
    assert set(found.number) == expected, json.dumps(flat)


def _is_about_key(key: str, value: Any) -> bool:
    return value is None or key.endswith("__isnull")


def _flat(wanted: dict[Any, Any], above: str = "") -> Iterator[tuple[str, Any]]:
    for key, value in wanted.items():
        if isinstance(value, dict):
            yield from _flat(value, f"{above}{key}__")
        else:
            yield f"{above}{key}", value
