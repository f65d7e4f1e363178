"""In order for each subject; later and later after failures."""

from __future__ import annotations

from dataclasses import replace

import pytest

from pybpod_alyx_module.outbox.back_off import Pauses
from pybpod_alyx_module.outbox.items import Kind, State
from pybpod_alyx_module.outbox.outcomes import Scope
from pybpod_alyx_module.outbox.states import heads
from tests.unit.outbox.test_states import ITEM


def items(*described):
    # Each: key, subject, state, key of the item that it follows.
    return [
        replace(ITEM, number=number, key=key, subject_id=subject, state=state, follows=follows, kind=Kind.SESSION)
        for number, (key, subject, state, follows) in enumerate(described)
    ]


def ready(*described):
    listed = items(*described)
    still_open = [item for item in listed if item.state not in {State.SENT, State.DISCARDED}]
    return [item.key for item in heads(still_open, {item.key: item for item in listed})]


@pytest.mark.parametrize("first", [State.WAITING, State.SENDING, State.UNSURE])
def test_an_item_under_way_holds_up_later_ones_of_its_subject_only(first):
    assert ready(("a", "S", first, None), ("b", "S", State.WAITING, None), ("c", "T", State.WAITING, None)) == [
        "a",
        "c",
    ]


def test_a_parked_item_holds_up_only_what_follows_it_and_that_holds_up_nobody():
    assert ready(("a", "S", State.PARKED, None), ("b", "S", State.WAITING, "a"), ("c", "S", State.WAITING, None)) == [
        "c"
    ]


@pytest.mark.parametrize("first", [State.WAITING, State.SENDING, State.UNSURE])
def test_what_follows_an_item_under_way_is_not_ready(first):
    assert ready(("a", "S", first, None), ("b", "S", State.WAITING, "a")) == ["a"]
    assert ready(
        ("x", "S", State.WAITING, None),
        ("a", "S", first, None),
        ("b", "S", State.WAITING, "a"),
        ("c", "S", State.WAITING, None),
    ) == ["x"]


@pytest.mark.parametrize("first", [State.SENT, State.DISCARDED])
def test_what_follows_is_ready_when_the_first_is_at_its_end(first):
    assert ready(("a", "S", first, None), ("b", "S", State.WAITING, "a")) == ["b"]


def test_the_same_id_on_another_server_is_another_animal():
    one, other = items(("a", "S", State.WAITING, None), ("b", "S", State.WAITING, None))
    assert len(heads([one, replace(other, server="https://other.example")], {})) == 2


def test_pauses_grow_and_end():
    now = [0.0]
    pauses = Pauses(lambda: now[0], 1.0, 300.0)
    waits = [pauses.hold(ITEM, Scope.SERVER, None) for _ in range(12)]
    assert all(
        0.75 * limit <= wait <= limit
        for wait, limit in zip(waits, [1, 2, 4, 8, 16, 32, 64, 128, 256, 300], strict=False)
    )
    assert max(waits) <= 300
    now[0] = waits[-1]
    assert pauses.left(ITEM) == 0
    pauses.went_well(ITEM)
    assert pauses.hold(ITEM, Scope.SERVER, None) <= 1


def test_a_server_that_names_a_time_is_left_alone_for_that_long():
    pauses = Pauses(lambda: 0.0)
    assert pauses.hold(ITEM, Scope.ACCOUNT, 90.0) == 90.0
    assert pauses.left(ITEM) == 90.0
    assert pauses.left(replace(ITEM, username="ana")) == 0
    assert pauses.left(replace(ITEM, key="other")) == 90.0
    pauses.clear()
    assert pauses.left(ITEM) == 0


def test_a_pause_of_one_item_holds_up_no_other():
    pauses = Pauses(lambda: 0.0)
    pauses.hold(ITEM, Scope.ITEM, None)
    assert pauses.left(ITEM) > 0
    assert pauses.left(replace(ITEM, key="other")) == 0
