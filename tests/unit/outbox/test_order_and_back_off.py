"""In order for each subject; later and later after failures."""

from __future__ import annotations

from dataclasses import replace

import pytest

from pybpod_alyx_module.outbox.back_off import Pauses
from pybpod_alyx_module.outbox.items import Kind, State, WaitsFor
from pybpod_alyx_module.outbox.outcomes import Scope
from pybpod_alyx_module.outbox.states import heads, in_line
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
    return [item.key for item in heads(in_line(still_open, {}))]


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
    assert len(heads(in_line([one, replace(other, server="https://other.example")], {}))) == 2


def behind(*listed, sent=None):
    """By key: the key of what holds it up."""
    numbered = [replace(item, number=number) for number, item in enumerate(listed)]
    placed = in_line(numbered, sent or {})
    assert heads(placed) == [item for item in placed if item.behind is None and item.state is not State.PARKED]
    return {item.key: item.behind and item.behind.key for item in placed}


WEIGHT = replace(ITEM, kind=Kind.WEIGHING)
ANNA = replace(WEIGHT, username="anna", waits_for=WaitsFor.LOGIN)
UPDATE = replace(ITEM, kind=Kind.SESSION_UPDATE, values={"id": "S"})


@pytest.mark.parametrize("state", [State.WAITING, State.UNSURE])
def test_who_waits_for_a_login_holds_up_the_same_user_alone(state):
    first, second = replace(ANNA, key="1", state=state), replace(ANNA, key="2", waits_for=WaitsFor.NOTHING)
    assert behind(first, second, replace(WEIGHT, key="3"), replace(WEIGHT, key="4"), replace(WEIGHT, key="5")) == {
        "1": None,
        "2": "1",
        "3": None,
        "4": "3",
        "5": "3",
    }


def test_water_follows_its_session_whoever_has_to_log_in():
    session = replace(ANNA, kind=Kind.SESSION, key="s")
    water = replace(WEIGHT, kind=Kind.WATER, key="w", follows="s")
    assert behind(session, water, replace(WEIGHT, key="1")) == {"s": None, "w": "s", "1": None}


@pytest.mark.parametrize(
    ("theirs", "mine", "held_up"),
    [
        ({"values": {"id": "S"}}, {"values": {"id": "S"}}, True),
        ({"values": {"id": "S"}}, {"values": {"id": "T"}}, False),
        ({"values": {}, "follows": "s"}, {"values": {}, "follows": "s"}, True),
        ({"values": {}, "follows": "s"}, {"values": {"id": "S"}}, True),  # the session is on Alyx since
        ({"values": {}, "follows": "t"}, {"values": {"id": "S"}}, False),
    ],
)
def test_changes_of_one_session_stay_in_order(theirs, mine, held_up):
    first = replace(UPDATE, key="1", username="anna", waits_for=WaitsFor.LOGIN, **theirs)
    second = replace(UPDATE, key="2", **mine)
    weight = replace(WEIGHT, key="3")
    placed = behind(first, second, weight, sent={"s": "S", "t": "T"})
    # a weight does not wait behind a change of its own user that waits for the login of another
    assert placed == {"1": None, "2": "1" if held_up else None, "3": None if held_up else "2"}


def test_what_is_first_in_line_is_named_and_not_what_waits_behind_it_too():
    session = replace(WEIGHT, kind=Kind.SESSION, key="s")
    water = replace(WEIGHT, kind=Kind.WATER, key="w", follows="s")
    assert behind(replace(WEIGHT, key="1"), session, water) == {"1": None, "s": "1", "w": "1"}
    parked = replace(session, state=State.PARKED)
    assert behind(replace(WEIGHT, key="1"), parked, water, replace(WEIGHT, key="2")) == {
        "1": None,
        "s": None,
        "w": "s",
        "2": "1",
    }


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
    pause = pauses.hold(ITEM, Scope.ACCOUNT, 90.0)
    assert 90.0 <= pause <= 1.25 * 90.0
    assert pauses.left(ITEM) == pause
    assert pauses.left(replace(ITEM, username="ana")) == 0
    assert pauses.left(replace(ITEM, key="other")) == pause
    pauses.clear()
    assert pauses.left(ITEM) == 0


def test_a_pause_of_one_item_holds_up_no_other():
    pauses = Pauses(lambda: 0.0)
    pauses.hold(ITEM, Scope.ITEM, None)
    assert pauses.left(ITEM) > 0
    assert pauses.left(replace(ITEM, key="other")) == 0


def test_a_weight_goes_after_the_move_that_it_follows_and_a_note_holds_nothing_up():
    weight, move = replace(WEIGHT, key="w", follows="m"), replace(ITEM, kind=Kind.SESSION_MOVE, key="m")
    elsewhere = replace(WEIGHT, kind=Kind.NOTE, key="n", follows="m", subject_id="T")
    here = replace(elsewhere, key="h", subject_id=WEIGHT.subject_id)
    later = [replace(WEIGHT, key="1"), replace(WEIGHT, key="2", subject_id="T")]
    assert behind(weight, move, elsewhere, here, *later) == {
        "m": None,
        "w": "m",
        "n": "m",
        "h": "m",
        "1": "m",
        "2": None,
    }
    parked = behind(weight, replace(move, state=State.PARKED), elsewhere, here, *later)
    assert parked == {"m": None, "w": "m", "n": "m", "h": "m", "1": None, "2": None}
