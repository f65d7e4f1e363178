"""What of an item is read, and what can be corrected in it."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime, timezone

import pytest

from pybpod_alyx_module.animals.unsent import unsent_sentences
from pybpod_alyx_module.errors import OutboxError
from pybpod_alyx_module.gui.animals.recorder import state_sentence
from pybpod_alyx_module.gui.outbox.edit_fields import corrected, fields_of
from pybpod_alyx_module.outbox.items import COMPUTER_TIME, Item, Kind, State, WaitsFor
from pybpod_alyx_module.outbox.states import Event, why_not
from pybpod_alyx_module.outbox.words import (
    count_words,
    discard_words,
    reason_words,
    state_words,
    time_words,
    value_words,
    whole,
    why,
)

SERVER, KEY = "https://alyx.mylab.org", "7a1f6f7e-7f0a-4c0e-9d3c-3f0a1b2c3d4e"
SESSION = {
    "start_time": "2026-11-21T10:00:00.25",
    "end_time": None,
    "task_protocol": "wait_task",
    "users": ["jose", "anna"],
    "n_trials": 412,
    "narrative": "slow",
    "json": {"pybpod": {"session": "a"}},
}
WEIGHING = {"weight": 24.5, "date_time": "2026-11-21T12:00:00.000123"}
WATER = {"water_administered": 0.8, "date_time": "2026-11-21T12:05:00", "water_type": "Water", "adlib": False}


def make(kind=Kind.WEIGHING, values=None, **more):
    given = {
        Kind.WEIGHING: WEIGHING,
        Kind.WATER: WATER,
        Kind.SESSION: SESSION,
        Kind.SESSION_UPDATE: {"id": KEY, "narrative": "slow"},
        Kind.SESSION_MOVE: {"id": KEY, "from_id": KEY, "from_name": "ea05", "sentence": "Moved."},
        Kind.WATER_MOVE: {"id": KEY, "from_id": KEY, "from_name": "ea05"},
        Kind.NOTE: {"text": "Session moved from ea05 to ea04."},
    }[kind]
    known = {
        "number": 1,
        "key": KEY,
        "server": SERVER,
        "username": "jose",
        "subject_id": KEY,
        "subject_name": "ea04",
        "follows": None,
        "created": datetime(2026, 11, 21, 12, tzinfo=timezone.utc),
        "rig": "rig_1",
        "origin": {},
    }
    return Item(kind=kind, values=values or given, **{**known, **more})


def typed(item, **changed):
    """What the fields of an untouched dialog hold, with some changed."""
    texts = {
        field.name: bool(item.values.get(field.name)) if field.yes_no else field.text(item.values)
        for field in fields_of(item)
    }
    assert set(changed) <= set(texts)
    return {**texts, **changed}


@pytest.mark.parametrize("kind", list(Kind))
def test_saving_what_nobody_touched_changes_nothing(kind):
    item = make(kind)
    assert corrected(item, typed(item)) == dict(item.values)


def test_a_time_that_nobody_touched_keeps_its_microseconds():
    item = make()
    assert corrected(item, typed(item, weight="24,6")) == {"weight": 24.6, "date_time": "2026-11-21T12:00:00.000123"}


@pytest.mark.parametrize(
    ("kind", "field", "text", "value"),
    [
        (Kind.WEIGHING, "date_time", "2026-11-20 09:30", "2026-11-20T09:30:00"),
        (Kind.WATER, "water_administered", "0,85 mL", 0.85),
        (Kind.WATER, "adlib", True, True),
        (Kind.WATER, "water_type", " ", None),
        (Kind.SESSION, "n_trials", "", None),
        (Kind.SESSION, "users", "jose; ", ["jose"]),
        (Kind.SESSION, "end_time", "2026-11-21 11:00:05", "2026-11-21T11:00:05"),
        (Kind.SESSION, "number", "3", 3),
        (Kind.SESSION_UPDATE, "narrative", "slow\nand thirsty ", "slow\nand thirsty"),
    ],
)
def test_what_was_typed_replaces_that_value_alone(kind, field, text, value):
    item = make(kind)
    assert corrected(item, typed(item, **{field: text})) == {**item.values, field: value}


@pytest.mark.parametrize(
    ("kind", "field", "text"),
    [
        (Kind.WEIGHING, "weight", "heavy"),
        (Kind.WEIGHING, "weight", ""),
        (Kind.WEIGHING, "date_time", "12:00"),
        (Kind.WEIGHING, "date_time", "2026-11-21"),
        (Kind.WEIGHING, "date_time", "2026-11-21 12:00:00+01:00"),
        (Kind.WATER, "water_administered", "0.8 g"),
        (Kind.SESSION, "n_trials", "-1"),
        (Kind.SESSION, "number", "1.5"),
        (Kind.SESSION, "start_time", ""),
    ],
)
def test_what_makes_no_sense_names_its_field(kind, field, text):
    item = make(kind)
    label = next(one.label for one in fields_of(item) if one.name == field)
    with pytest.raises(OutboxError, match=r"\S") as told:
        corrected(item, typed(item, **{field: text}))
    assert told.value.message.startswith(f"{label}: ")
    assert told.value.hint


def test_the_number_of_a_session_can_be_left_to_the_server():
    item = make(Kind.SESSION, {**SESSION, "number": 2})
    assert corrected(item, typed(item, number="")) == SESSION


def test_only_what_changes_of_a_session_is_offered():
    assert [field.name for field in fields_of(make(Kind.SESSION_UPDATE))] == ["narrative"]


def test_what_an_item_writes():
    assert value_words(make()) == "Weight 24.5 g"
    assert value_words(make(Kind.WATER)) == "Water 0.8 mL, Water"
    assert value_words(make(Kind.WATER, {**WATER, "adlib": True, "water_type": None})) == "Water 0.8 mL (ad lib)"
    assert value_words(make(Kind.SESSION)) == "Session wait_task"
    assert value_words(make(Kind.SESSION_UPDATE)) == "Changes to a session"
    assert time_words(make()) == "2026-11-21 12:00"
    assert time_words(make(Kind.SESSION_UPDATE)) == ""


def test_all_about_an_item_begins_with_what_went_wrong():
    text = whole(make(state=State.PARKED, reason="No such water.", hint="Correct it.", misplaced="m1"))
    assert text.startswith("No such water. Correct it.\n\n")
    assert "On another animal: m1" in text
    assert "Sent: not yet" in text


def test_a_time_of_this_computers_clock_is_said_to_be_one():
    assert "Clock" not in whole(make())
    assert "Clock: this computer's: the time zone of the lab was not known." in whole(make(origin=dict(COMPUTER_TIME)))


def test_a_time_that_is_corrected_is_lab_time_and_one_that_is_not_stays_the_moment():
    item = make(values={"weight": 24.5, "date_time": "2026-11-21T12:00:00.000123+09:00"})
    shown = {field.name: field.text(item.values) for field in fields_of(item)}
    assert shown["date_time"] == "2026-11-21 12:00:00"
    assert corrected(item, {**shown, "weight": "24.6"}) == {**item.values, "weight": 24.6}
    typed = corrected(item, {**shown, "date_time": "2026-11-21 03:00"})
    assert typed["date_time"] == "2026-11-21T03:00:00"
    session = make(Kind.SESSION, values={**SESSION, "end_time": "2026-11-21T12:00:00+09:00"})
    assert [f.text(session.values) for f in fields_of(session) if f.name == "end_time"] == ["2026-11-21 12:00:00"]


@pytest.mark.parametrize("state", list(State))
def test_what_can_be_done(state):
    can = {wish: not why_not(make(state=state), wish) for wish in (Event.RETRY, Event.EDIT, Event.DISCARD)}
    assert can[Event.RETRY] == can[Event.EDIT] == (state in {State.WAITING, State.PARKED})
    assert can[Event.DISCARD] == (state in {State.WAITING, State.PARKED, State.UNSURE})


def test_what_left_a_record_is_not_edited():
    assert "another animal" in why_not(make(state=State.WAITING, misplaced="m1"), Event.EDIT)
    assert "Correct the record on Alyx" in why_not(make(state=State.PARKED, server_id="r1"), Event.EDIT)


def test_discarding_says_what_stays():
    assert "ea04's weight 24.5 g (2026-11-21 12:00)" in discard_words(make())
    assert "may already be on Alyx" in discard_words(make(state=State.UNSURE))
    assert "r1" in discard_words(make(state=State.PARKED, server_id="r1"))
    assert "another animal (m1)" in discard_words(make(misplaced="m1"))
    assert "Water 0.8 mL" in discard_words(make(Kind.SESSION), [make(Kind.WATER, follows=KEY)])


def test_what_waits_for_a_login_says_so():
    asked = make(reason="x", hint="y", waits_for=WaitsFor.LOGIN)
    assert [state_words(item) for item in (asked, replace(asked, waits_for=WaitsFor.PAUSE))] == [
        "log in to send",
        "waiting",
    ]
    assert state_words(replace(asked, state=State.SENT)) == "sent"


SAYS_IT_IS_SENT = "being sent"


@pytest.mark.parametrize("waits_for", list(WaitsFor))
@pytest.mark.parametrize("state", list(State))
def test_only_what_is_on_its_way_is_said_to_be_being_sent(state, waits_for):
    item = make(state=state, waits_for=waits_for)
    said = [state_words(item), state_sentence(item), why(item), whole(item), *unsent_sentences([item])]
    said += [why_not(item, wish) for wish in (Event.RETRY, Event.EDIT, Event.DISCARD)]
    assert any(SAYS_IT_IS_SENT in text for text in said) == (state is State.SENDING)
    assert all(SAYS_IT_IS_SENT not in text for text in said) or SAYS_IT_IS_SENT in state_sentence(item)


FIRST = make(key="f", username="anna", values={**WEIGHING, "date_time": "2026-11-21T10:32:00.5+01:00"})
NEEDS_ANNA = (
    "It waits behind the weight of 10:32, which needs a login of anna. "
    f"Log in to {SERVER} as anna; then it will be sent."
)
#: What stands before an item, and what is said of it.
BEFORE = [
    ({}, "It waits behind the weight of 10:32, which is sent first."),
    ({"state": State.SENDING}, "It waits behind the weight of 10:32, which is being sent."),
    (
        {"waits_for": WaitsFor.LOGIN},
        NEEDS_ANNA,
    ),
    (
        {"state": State.UNSURE, "waits_for": WaitsFor.LOGIN},
        NEEDS_ANNA,
    ),
    (
        {"state": State.UNSURE, "waits_for": WaitsFor.PAUSE},
        "It waits behind the weight of 10:32, which may already be on Alyx; that is checked first.",
    ),
    (
        {"waits_for": WaitsFor.PAUSE, "reason": "It failed."},
        "It waits behind the weight of 10:32, which could not be sent yet and will be tried again.",
    ),
]


@pytest.mark.parametrize(("state", "said"), BEFORE)
def test_what_holds_an_item_up_is_said_wherever_its_reason_is(state, said):
    item = make(behind=replace(FIRST, **state))
    assert why(item) == said
    assert said.startswith(reason_words(item))
    assert whole(item).startswith(said)
    # a stale reason of its own does not hide it
    assert why(replace(item, reason="It failed once.", hint="Wait.")) == said


def test_water_is_said_to_wait_for_its_session_and_a_day_before_by_its_date():
    session = make(Kind.SESSION, key="s", state=State.PARKED)
    water = make(Kind.WATER, follows="s", behind=session)
    assert why(water) == "It waits for its session, which needs action. Correct, retry or discard its session."
    later = make(values={**WEIGHING, "date_time": "2026-11-22T09:00:00"}, behind=FIRST)
    assert why(later) == "It waits behind the weight of 2026-11-21 10:32, which is sent first."
    change = make(Kind.SESSION_UPDATE, behind=make(Kind.SESSION_UPDATE, key="u"))
    assert why(change) == "It waits behind the change of a session, which is sent first."


def test_its_own_login_and_a_pause_of_the_server_are_said_before_what_stands_first():
    own = {"reason": "It was refused.", "hint": "Log in."}
    first = replace(FIRST, waits_for=WaitsFor.PAUSE)
    for waits_for in (WaitsFor.LOGIN, WaitsFor.PAUSE):
        assert why(make(behind=first, waits_for=waits_for, **own)) == "It was refused. Log in."


def test_how_much_waits():
    assert count_words(3, 1) == "3 waiting, 1 needs action"
    assert count_words(0, 2) == "2 need action"
    assert count_words(0, 0) == ""


def test_a_note_and_what_waits_for_a_move_in_words():
    note, first = make(Kind.NOTE, follows=KEY), make(Kind.SESSION_MOVE, key=KEY, state=State.PARKED)
    assert value_words(note) == "Note: Session moved from ea05 to ea04."
    waits = "It waits for the move of its session, which needs action."
    assert reason_words(replace(note, behind=first)) == waits
    assert "is not moved to ea04. On Alyx it stays with ea05, with its water" in discard_words(first, [note])
    unsure = make(Kind.SESSION_MOVE, state=State.UNSURE)
    assert "it may already be on Alyx" in discard_words(unsure)
