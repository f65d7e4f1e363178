"""What an item waits for is a value of its own, whatever its sentences say."""

from __future__ import annotations

from dataclasses import replace

import pytest

from alyx_connector.errors import LoginRequiredError, RateLimitedError, UnreachableError
from pybpod_alyx_module.outbox.items import UNCLAIMED, State, WaitsFor
from pybpod_alyx_module.outbox.outbox import Outbox
from pybpod_alyx_module.outbox.outcomes import outcome_of_reading
from pybpod_alyx_module.outbox.states import MOVES, Event, move
from tests.unit.outbox.test_outbox import ID, SESSION, WATER, WEIGHING
from tests.unit.outbox.test_states import ITEM, in_state


@pytest.fixture
def outbox(tmp_path):
    outbox = Outbox(tmp_path / "outbox.sqlite")
    yield outbox
    outbox.close()


def told(outbox):
    return [(item.reason, item.hint, item.waits_for) for item in outbox.items()]


@pytest.mark.parametrize(("state", "event"), list(MOVES))
def test_the_new_state_tells_what_it_waits_for(state, event):
    item = move(in_state(state), event, waits_for=WaitsFor.LOGIN, even_if_unsure=True)
    wanted = {State.PARKED: WaitsFor.PERSON, State.UNSURE: WaitsFor.PAUSE}.get(item.state, WaitsFor.NOTHING)
    assert item.waits_for is (WaitsFor.LOGIN if event is Event.POSTPONE else wanted)


@pytest.mark.parametrize(
    ("error", "waits_for"),
    [
        (LoginRequiredError("x"), WaitsFor.LOGIN),
        (RateLimitedError("x", retry_after=9.0), WaitsFor.PAUSE),
        (UnreachableError("x"), WaitsFor.PAUSE),
    ],
)
def test_an_answer_that_postpones_says_for_what(error, waits_for):
    assert outcome_of_reading(error).waits_for is waits_for


def test_who_is_needed():
    for state in State:
        item = replace(ITEM, state=state, waits_for=WaitsFor.LOGIN)
        assert item.wants_login == (state in {State.WAITING, State.UNSURE})
        assert item.needs_person == (item.wants_login or state is State.PARKED)
        assert not replace(item, waits_for=WaitsFor.NOTHING).wants_login
    assert not replace(ITEM, reason="Not logged in.", hint="Log in to https://alyx.example as jose").needs_person


def test_it_is_kept(outbox):
    item = outbox.add(WEIGHING)
    outbox.change(item.key, lambda item: move(item, Event.POSTPONE, waits_for=WaitsFor.LOGIN))
    assert Outbox(outbox.path).item(item.key).waits_for is WaitsFor.LOGIN


def test_what_an_account_waits_for_is_told_of_its_items_and_taken_back(outbox):
    mine = [outbox.add(WEIGHING) for _ in range(2)]
    outbox.add(replace(WEIGHING, username="anna"))
    keys = outbox.explain("https://alyx.example", "jose", "a", "b", WaitsFor.PAUSE)
    assert keys == tuple(item.key for item in mine)
    assert told(outbox) == [("a", "b", WaitsFor.PAUSE)] * 2 + [("", "", WaitsFor.NOTHING)]
    assert outbox.explain("https://alyx.example", "jose", "a", "b", WaitsFor.PAUSE) == ()
    outbox.forget_reasons([mine[0].key])
    assert [item.waits_for for item in outbox.items()] == [WaitsFor.NOTHING, WaitsFor.PAUSE, WaitsFor.NOTHING]
    outbox.explain("https://alyx.example", None, "c", "d", WaitsFor.PAUSE)
    assert told(outbox) == [("c", "d", WaitsFor.PAUSE)] * 3
    outbox.explain("https://alyx.example", "anna", "e", "f", WaitsFor.LOGIN)
    assert outbox.explain("https://alyx.example", None, "g", "h", WaitsFor.PAUSE) == keys
    assert told(outbox) == [("g", "h", WaitsFor.PAUSE)] * 2 + [("e", "f", WaitsFor.LOGIN)]
    outbox.forget_login("https://alyx.example", "anna")
    assert told(outbox) == [("g", "h", WaitsFor.PAUSE)] * 2 + [("", "", WaitsFor.NOTHING)]
    outbox.forget_reasons(item.key for item in outbox.items())
    assert told(outbox) == [("", "", WaitsFor.NOTHING)] * 3


def test_all_of_an_account_that_waits_for_a_login_say_so_from_the_start(outbox):
    asked = outbox.add(WEIGHING)
    refused = outbox.add(replace(WEIGHING, subject_id=ID[:-1] + "6"))
    outbox.change(refused.key, lambda item: move(item, Event.PARK, reason="too heavy"))
    outbox.explain("https://alyx.example", "jose", "Not logged in.", "Log in.", WaitsFor.LOGIN)
    outbox.add(WEIGHING)
    session, water = outbox.add_all(SESSION, replace(WATER, follows=0))
    other = outbox.add(replace(WEIGHING, username="anna"))
    assert [item.wants_login for item in outbox.items()] == [True, False, True, True, True, False]
    assert {(item.reason, item.hint) for item in outbox.items() if item.wants_login} == {("Not logged in.", "Log in.")}
    assert outbox.item(other.key) == other
    assert outbox.retry(refused.key).wants_login
    for key in (asked.key, refused.key, session.key, water.key):
        assert outbox.item(key).needs_person


# -- who recorded it


@pytest.fixture
def unclaimed(tmp_path):
    """An outbox in a PyBpod in which nobody has said who is at the rig, and what it was asked about."""
    asked = []

    def why(item):
        asked.append((item.username, item.number == 0))
        return "Nobody has said so."

    outbox = Outbox(tmp_path / "outbox.sqlite", unclaimed=why)
    yield outbox, asked
    outbox.close()


def test_what_is_recorded_waits_until_somebody_says_who_did_and_is_then_theirs(unclaimed):
    outbox, asked = unclaimed
    session = replace(SESSION, values={**SESSION.values, "users": ["jose"]})
    first, second = outbox.add_all(session, replace(WATER, follows=0))
    assert asked == [("jose", True)] * 2
    for item in (first, second):
        assert (item.state, item.waits_for, item.reason) == (State.PARKED, WaitsFor.USER, "Nobody has said so.")
        outbox.claim(item.key, "ana")
    first, second = outbox.items()
    assert (first.state, first.username, first.values["users"]) == (State.WAITING, "ana", ["ana"])
    assert (second.state, second.username, second.follows) == (State.WAITING, "ana", first.key)
    assert (first.reason, first.hint, first.waits_for) == ("", "", WaitsFor.NOTHING)
    assert UNCLAIMED not in first.origin


def test_what_nobody_said_they_recorded_is_theirs_who_say_so_after_a_restart(unclaimed):
    outbox, _asked = unclaimed
    recorded, doubted = outbox.add_all(WEIGHING, replace(WEIGHING, held="A jump."))
    again = Outbox(outbox.path, unclaimed=lambda _item: "Nobody has said so.")
    assert again.retry(recorded.key).waits_for is WaitsFor.USER
    at_the_rig = Outbox(outbox.path)  # somebody said since who they are: not that they recorded this
    for change in (at_the_rig.retry, lambda key: at_the_rig.edit(key, {**recorded.values, "weight": 24.6})):
        assert (change(recorded.key).state, change(recorded.key).waits_for) == (State.PARKED, WaitsFor.USER)
    at_the_rig.close()
    for key in (recorded.key, doubted.key):
        again.claim(key, "ana")
    recorded, doubted = again.items()
    assert (recorded.state, recorded.username) == (State.WAITING, "ana")
    assert (doubted.state, doubted.username, doubted.reason) == (State.PARKED, "ana", "A jump.")
    assert again.claim(doubted.key, "jose") == doubted
    again.close()


def test_what_was_somebodys_and_is_corrected_stays_theirs(tmp_path):
    outbox = Outbox(tmp_path / "outbox.sqlite")
    item = outbox.add(replace(WEIGHING, held="A jump."))
    again = Outbox(outbox.path, unclaimed=lambda _item: "Nobody has said so.")
    assert again.edit(item.key, {**item.values, "weight": 24.6}).waits_for is WaitsFor.USER
    claimed = again.claim(item.key, "ana")
    assert (claimed.state, claimed.username) == (State.WAITING, "jose")
    again.close()
    outbox.close()


def test_a_retry_and_a_correction_wait_for_it_too(unclaimed):
    outbox, asked = unclaimed
    (item,) = outbox.add_all(replace(WEIGHING, held="A jump."))
    assert (item.waits_for, item.reason) == (WaitsFor.PERSON, "A jump.")
    asked.clear()
    assert outbox.retry(item.key).waits_for is WaitsFor.USER
    assert outbox.edit(item.key, {**item.values, "weight": 24.6}).waits_for is WaitsFor.USER
    assert asked == [("jose", False)] * 2
    assert outbox.claim(item.key, "jose").state is State.WAITING


def test_nothing_else_is_claimed(tmp_path):
    outbox = Outbox(tmp_path / "outbox.sqlite")
    item = outbox.add(replace(WEIGHING, held="A jump."))
    assert outbox.claim(item.key, "ana").username == "jose"
    assert outbox.item(item.key).state is State.PARKED
    outbox.close()
