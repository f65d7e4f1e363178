"""Merging changes into the JSON of a record: for any object and any changes."""

from __future__ import annotations

import copy

from hypothesis import given
from hypothesis import strategies as st

from alyx_connector.writing.record_fields import changed_paths, merged

KEYS = st.sampled_from(["qc", "noise", "pass", "", "a.b"])
LEAVES = st.none() | st.booleans() | st.integers(-3, 3) | st.text(max_size=2) | st.lists(st.integers(0, 2), max_size=2)
OBJECTS = st.recursive(
    st.dictionaries(KEYS, LEAVES, max_size=4),
    lambda below: st.dictionaries(KEYS, LEAVES | below, max_size=4),
    max_leaves=12,
)


def holds(result, changes):
    # Every change stands in the result.
    return all(
        isinstance(result.get(key), dict) and holds(result[key], value)
        if isinstance(value, dict)
        else key in result and result[key] == value and type(result[key]) is type(value)
        for key, value in changes.items()
    )


def survives(before, changes, result):
    # Every key that the changes do not name is as it was, at every depth.
    for key, value in before.items():
        if key not in changes:
            if result[key] != value:
                return False
        elif (
            isinstance(value, dict)
            and isinstance(changes[key], dict)
            and not survives(value, changes[key], result[key])
        ):
            return False
    return True


@given(OBJECTS, OBJECTS)
def test_other_keys_survive_and_the_changes_stand(current, changes):
    kept, wanted = copy.deepcopy(current), copy.deepcopy(changes)
    result = merged(current, changes)
    assert survives(current, changes, result)
    assert holds(result, changes)
    assert list(result)[: len(current)] == list(current), "keys keep their order"
    assert set(result) == {*current, *changes}
    assert (current, changes) == (kept, wanted), "the arguments stay as they are"


@given(OBJECTS, OBJECTS)
def test_merging_twice_is_merging_once(current, changes):
    once = merged(current, changes)
    assert merged(once, changes) == once
    assert merged(current, {}) == current


@given(OBJECTS, OBJECTS)
def test_what_changed_is_named_exactly_if_something_did(before, after):
    assert bool(changed_paths("json", before, after)) == (before != after)
