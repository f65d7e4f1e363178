"""The state machine: what may follow what."""

from __future__ import annotations

import itertools
from dataclasses import replace
from datetime import datetime, timezone

import pytest

from pybpod_alyx_module.errors import OutboxError
from pybpod_alyx_module.outbox.items import Item, Kind, State
from pybpod_alyx_module.outbox.states import FAULT_LIMIT, MOVES, Event, allowed, leaves_a_record, move, why_not

ITEM = Item(
    number=1,
    key="8c6c9f4e-1c67-4b3f-93c9-1b8f6f0f3a01",
    kind=Kind.WEIGHING,
    server="https://alyx.example",
    username="jose",
    subject_id="1368afed-5fc8-405e-b314-ea8f6f429575",
    subject_name="ea04",
    values={"weight": 24.5, "date_time": "2026-11-21T12:00:00.000001"},
    follows=None,
    created=datetime(2026, 11, 21, tzinfo=timezone.utc),
    rig="rig1",
    origin={},
)
BY_PEOPLE = (Event.RETRY, Event.EDIT, Event.DISCARD)


def in_state(state, **fields):
    return replace(ITEM, state=state, **fields)


@pytest.mark.parametrize(("state", "event"), list(itertools.product(State, Event)))
def test_what_is_not_in_the_table_does_not_happen(state, event):
    if (state, event) in MOVES:
        assert move(in_state(state), event, even_if_unsure=True).revision == 1
    else:
        with pytest.raises(OutboxError) as refusal:
            move(in_state(state), event)
        assert "ea04" in str(refusal.value)


def test_nothing_leaves_the_end_states_but_a_record_that_is_given_to_another_animal():
    assert [move for move in MOVES if move[0] in {State.SENT, State.DISCARDED}] == [
        (State.SENT, Event.GIVE),
        (State.SENT, Event.REMAKE),
        (State.SENT, Event.GIVE_BACK),
    ]


def test_only_a_look_leads_from_unsure_back_to_waiting():
    back = {event for (state, event), after in MOVES.items() if state is State.UNSURE and after is State.WAITING}
    assert back == {Event.MISS, Event.MISPLACE}
    assert (State.UNSURE, Event.EDIT) not in MOVES
    assert (State.UNSURE, Event.RETRY) not in MOVES


def test_sending_is_reached_from_waiting_by_a_claim_alone():
    assert [move for move, after in MOVES.items() if after is State.SENDING] == [(State.WAITING, Event.CLAIM)]


def test_sent_needs_an_arrival():
    assert {event for (_, event), after in MOVES.items() if after is State.SENT} == {
        Event.ARRIVE,
        Event.GIVE,
        Event.GIVE_BACK,
    }


@pytest.mark.parametrize("event", [event for (state, event) in MOVES if event is not Event.EDIT])
def test_only_an_edit_changes_values(event):
    state = next(state for state, known in MOVES if known is event)
    assert move(in_state(state), event, values={"x": 1}, even_if_unsure=True).values == ITEM.values


def test_an_edit_takes_the_new_values_and_waits():
    parked = replace(in_state(State.PARKED, reason="too heavy"), sent_as=("2026-11-21T12:00:00",))
    edited = move(parked, Event.EDIT, values={"weight": 20.0})
    assert (edited.state, edited.values, edited.reason) == (State.WAITING, {"weight": 20.0}, "")
    assert edited.sent_as == ()


def test_all_times_under_which_it_was_sent_are_kept():
    item = in_state(State.WAITING)
    for time in ("a", "b", "b", None):
        item = move(move(move(item, Event.CLAIM, sent_as=time), Event.LOSE), Event.MISS)
    assert item.sent_as == ("a", "b")


def test_faults_park_an_item_with_the_words_of_the_server():
    item = in_state(State.WAITING)
    for turn in range(FAULT_LIMIT):
        item = move(move(item, Event.CLAIM), Event.LOSE, reason="It said boom.", fault=True)
        assert item.state is State.UNSURE
        item = move(item, Event.MISS, reason="It did not arrive.")
        assert item.state is (State.PARKED if turn + 1 == FAULT_LIMIT else State.WAITING)
    assert item.reason == "It said boom. Tried 3 times."
    assert move(item, Event.RETRY).faults == 0


def test_an_unsure_item_is_not_parked_by_faults_of_its_look():
    item = in_state(State.UNSURE)
    for _ in range(2 * FAULT_LIMIT):
        item = move(item, Event.POSTPONE, fault=True)
    assert item.state is State.UNSURE


def test_a_record_elsewhere_is_withdrawn_before_anything_is_sent():
    item = move(in_state(State.SENDING), Event.MISPLACE, server_id="x")
    assert (item.state, item.misplaced, item.server_id) == (State.WAITING, "x", None)
    for event in (Event.CLAIM, Event.EDIT, Event.DISCARD):
        with pytest.raises(OutboxError, match="another animal"):
            move(item, event)
    assert move(move(item, Event.WITHDRAW), Event.CLAIM).state is State.SENDING
    assert move(item, Event.DISCARD, even_if_unsure=True).state is State.DISCARDED


def test_what_is_on_alyx_but_differs_is_compared_again_and_not_sent_again():
    item = move(in_state(State.SENDING), Event.DIFFER, server_id="x", reason="weight: 2 instead of 20.")
    assert (item.state, item.server_id) == (State.PARKED, "x")
    with pytest.raises(OutboxError, match="already on Alyx"):
        move(item, Event.EDIT, values={})
    with pytest.raises(OutboxError, match="already on Alyx"):
        move(item, Event.DISCARD)
    again = move(item, Event.RETRY)
    assert (again.state, again.server_id) == (State.UNSURE, "x")


def test_an_unsure_item_is_discarded_only_by_somebody_who_was_told():
    with pytest.raises(OutboxError, match="may already be on Alyx"):
        move(in_state(State.UNSURE), Event.DISCARD)
    assert move(in_state(State.UNSURE), Event.DISCARD, even_if_unsure=True).state is State.DISCARDED


@pytest.mark.parametrize("left", [{}, {"server_id": "x"}, {"misplaced": "x"}])
@pytest.mark.parametrize("event", BY_PEOPLE)
@pytest.mark.parametrize("state", list(State))
def test_what_is_allowed_is_what_can_be_done_and_the_rest_says_why(state, event, left):
    item = in_state(state, **left)
    if event in allowed(item):
        assert why_not(item, event) == ""
        assert move(item, event, even_if_unsure=True).revision == 1
        if event is Event.DISCARD and leaves_a_record(item):
            with pytest.raises(OutboxError):
                move(item, event)
    else:
        with pytest.raises(OutboxError) as refused:
            move(item, event, even_if_unsure=True)
        assert f"{refused.value.message} {refused.value.hint}".endswith(why_not(item, event))


@pytest.mark.parametrize("event", BY_PEOPLE)
@pytest.mark.parametrize("state", [State.SENT, State.SENDING, State.UNSURE, State.DISCARDED])
def test_a_refusal_says_what_to_do(state, event):
    with pytest.raises(OutboxError) as refusal:
        move(in_state(state), event)
    assert refusal.value.hint
