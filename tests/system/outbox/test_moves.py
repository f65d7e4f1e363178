"""A session, its water and a weight that are given to another animal: each once, on the right one, whatever happens."""

from __future__ import annotations

from dataclasses import replace

import pytest

from pybpod_alyx_module.errors import OutboxError
from pybpod_alyx_module.outbox.items import OPEN, Draft, Kind, State
from pybpod_alyx_module.outbox.outbox import Outbox
from pybpod_alyx_module.outbox.states import Event
from tests.system.outbox.conftest import LIFE_S
from tests.system.outbox.test_lost_answers import LOST

ROUTES = ("sessions", "water-administrations", "weighings")
TEXT = "A session was moved."
SENTENCE = "The session file names nobody."


@pytest.fixture
def written(outbox, sender, lab, animal):
    """A session with water, and a weight, on the wrong animal."""
    session = outbox.add(lab.session(animal, narrative="first"))
    water = outbox.add(lab.water(animal, follows=session.key))
    weight = outbox.add(lab.weighing(animal))
    sender.run_once()
    items = [outbox.item(item.key) for item in (session, water, weight)]
    assert [item.state for item in items] == [State.SENT] * 3
    return items


def give(outbox, lab, written, animal, other):
    session, water, weight = written
    moved = {"from_id": animal.id, "from_name": animal.nickname}

    def draft(kind, item, **values):
        return Draft(
            kind,
            *(lab.url, lab.username, other.id, other.nickname),
            {"id": item.server_id, **moved, **values},
            0 if kind is Kind.WATER_MOVE else None,
        )

    notes = [lab.draft(Kind.NOTE, one, {"text": TEXT}, follows=0) for one in (animal, other)]
    drafts = [draft(Kind.SESSION_MOVE, session, sentence=SENTENCE), draft(Kind.WATER_MOVE, water), *notes]
    events = {session.key: Event.GIVE, water.key: Event.GIVE, weight.key: Event.REMAKE}
    return outbox.give((other.id, other.nickname), drafts, events)


def counts(lab, animal):
    return [len(lab.records(route, animal)) for route in ROUTES]


def notes(lab, animal):
    return [row["text"] for row in lab.direct.list("notes", {"django": f"object_id,{animal.id}"})]


def test_all_of_it_is_on_the_right_animal(outbox, sender, lab, animal, other, written):
    give(outbox, lab, written, animal, other)
    assert outbox.item(written[2].key).reason.startswith(f"It is withdrawn from {animal.nickname} first")
    sender.run_once()
    assert counts(lab, animal) == [0, 0, 0]
    assert counts(lab, other) == [1, 1, 1]
    record = lab.direct.get(("sessions", written[0].server_id))
    assert record["subject"] == other.nickname
    line = f"Moved from {animal.nickname} to {other.nickname} by {lab.username}."
    assert record["narrative"] == f"first\n{line} {SENTENCE}"
    (moved,) = record["json"]["pybpod"]["moved"]
    assert (moved["from"], moved["to"], moved["by"]) == (animal.nickname, other.nickname, lab.username)
    assert record["json"]["pybpod"]["outbox_key"] == written[0].key
    assert [item.state for item in outbox.items()] == [State.SENT] * 7
    assert {item.subject_id for item in outbox.items() if item.kind is not Kind.NOTE} == {other.id}
    assert [notes(lab, one) for one in (animal, other)] == [[TEXT], [TEXT]]
    (note,) = lab.direct.list("notes", {"django": f"object_id,{animal.id}"})
    assert (note["content_type"], note["user"]) == ("subjects.subject", lab.username)
    (water,) = lab.records("water-administrations", other)
    assert water["session"] == written[0].server_id
    weight, before = lab.records("weighings", other)[0], written[2]
    assert (weight["weight"], weight["url"].rpartition("/")[2] == before.server_id) == (24.5, False)


#: What is sent, and whose record it is of: the session's, the water's or the weight's.
REQUESTS = [("PATCH", "sessions", 0), ("PATCH", "water-administrations", 1), ("DELETE", "weighings", 2)]


def path_of(written, request):
    method, route, place = request
    return {"method": method, "path": f"/{route}/{written[place].server_id}"}


def sent_on(sender, clock):
    for _ in range(4):
        sender.run_once()
        clock.pass_by(LIFE_S)


CREATED = [("POST", "weighings", None), ("POST", "notes", None)]


@pytest.mark.parametrize("fault", LOST)
@pytest.mark.parametrize("request_", [*REQUESTS, *CREATED], ids=lambda one: " ".join(one[:2]))
def test_a_lost_answer_moves_it_once(outbox, sender, lab, animal, other, proxy, clock, written, fault, request_):
    give(outbox, lab, written, animal, other)
    name, options = LOST[fault]
    where = path_of(written, request_) if request_[2] is not None else {"method": "POST", "path": f"/{request_[1]}"}
    proxy.fault(name, **where, **options)
    sent_on(sender, clock)
    assert not any(fault.times for fault in proxy._faults)
    for item in outbox.items([State.PARKED]):  # an answer that makes no sense is shown to a person
        outbox.retry(item.key)
    sent_on(sender, clock)
    assert counts(lab, animal) == [0, 0, 0]
    assert counts(lab, other) == [1, 1, 1]
    assert [notes(lab, one) for one in (animal, other)] == [[TEXT], [TEXT]]
    assert {item.state for item in outbox.items()} == {State.SENT}
    assert lab.records("sessions", other)[0]["id"] == written[0].server_id
    record = lab.direct.get(("sessions", written[0].server_id))
    assert record["narrative"].count(SENTENCE) == 1
    assert len(record["json"]["pybpod"]["moved"]) == 1


class Killed(BaseException):
    """As kill -9: nothing that comes after it is done."""


@pytest.mark.parametrize("late", [False, True], ids=["before it is written", "after it was written"])
@pytest.mark.parametrize("step", range(1, 12))
def test_killed_between_two_steps_it_is_moved_once(
    outbox, make_sender, lab, animal, other, clock, written, monkeypatch, step, late
):
    give(outbox, lab, written, animal, other)
    real, calls = outbox.replace, []

    def replace(*arguments):
        calls.append(arguments)
        if len(calls) == step and not late:
            raise Killed
        done = real(*arguments)
        if len(calls) == step:
            raise Killed
        return done

    monkeypatch.setattr(outbox, "replace", replace)
    first = make_sender()
    with pytest.raises(Killed):
        first.run_once()
    first.stop()
    monkeypatch.undo()
    sent_on(make_sender(), clock)
    assert counts(lab, animal) == [0, 0, 0]
    assert counts(lab, other) == [1, 1, 1]
    assert [notes(lab, one) for one in (animal, other)] == [[TEXT], [TEXT]]
    assert {item.state for item in outbox.items()} == {State.SENT}


@pytest.mark.parametrize("request_", REQUESTS, ids=lambda one: " ".join(one[:2]))
def test_what_is_refused_waits_for_a_person(outbox, sender, lab, animal, other, proxy, clock, written, request_):
    refusal = {"detail": "You do not have permission to perform this action."}
    proxy.fault("answer", **path_of(written, request_), status=403, body=refusal)
    moves = give(outbox, lab, written, animal, other)
    sender.run_once()
    (parked,) = outbox.items([State.PARKED])
    assert "permission" in parked.reason
    assert parked.key == (moves[0].key, moves[1].key, written[2].key)[request_[2]]
    outbox.retry(parked.key)
    sent_on(sender, clock)
    assert counts(lab, animal) == [0, 0, 0]
    assert counts(lab, other) == [1, 1, 1]


@pytest.mark.usefixtures("quick_retries")
def test_offline_it_waits_and_a_second_move_is_refused(outbox, sender, lab, animal, other, proxy, clock, written):
    proxy.fault("drop", times=1000)
    give(outbox, lab, written, animal, other)
    sender.run_once()
    with pytest.raises(OutboxError, match="still waits in the Alyx outbox"):
        give(outbox, lab, written, other, animal)
    proxy._faults.clear()
    sender.wake()
    sender.run_once()
    clock.pass_by(LIFE_S)
    sender.run_once()
    assert counts(lab, animal) == [0, 0, 0]
    assert counts(lab, other) == [1, 1, 1]


def test_it_can_be_moved_back(outbox, sender, lab, animal, other, written):
    give(outbox, lab, written, animal, other)
    sender.run_once()
    again = [outbox.item(item.key) for item in written]
    give(outbox, lab, again, other, animal)
    sender.run_once()
    assert counts(lab, animal) == [1, 1, 1]
    assert counts(lab, other) == [0, 0, 0]
    record = lab.direct.get(("sessions", written[0].server_id))
    assert [one["to"] for one in record["json"]["pybpod"]["moved"]] == [other.nickname, animal.nickname]


def test_a_number_that_the_other_animal_has_that_day_is_not_taken_twice(outbox, sender, lab, animal, other, written):
    outbox.add(lab.session(other))
    sender.run_once()
    give(outbox, lab, written, animal, other)
    sender.run_once()
    assert sorted(row["number"] for row in lab.records("sessions", other)) == [1, 2]


def test_one_that_somebody_moved_elsewhere_is_left_there(outbox, sender, lab, animal, other, written):
    third = lab.animal("third-mouse")
    lab.direct.patch(("sessions", written[0].server_id), {"subject": third.nickname})
    moves = give(outbox, lab, written, animal, other)
    sender.run_once()
    parked = outbox.item(moves[0].key)
    assert parked.state is State.PARKED
    assert f"no session {written[0].server_id} of {animal.nickname}" in parked.reason
    assert len(lab.records("sessions", third)) == 1


def test_two_windows_that_move_a_session_at_once_move_it_once(outbox, lab, animal, other, written, monkeypatch):
    quicker, writing = Outbox(outbox.path), outbox._writing

    def writing_later():
        monkeypatch.undo()
        give(quicker, lab, written, animal, other)
        return writing()

    monkeypatch.setattr(outbox, "_writing", writing_later)
    with pytest.raises(OutboxError, match="still waits"):
        give(outbox, lab, written, animal, other)
    assert [item.kind for item in outbox.items()].count(Kind.SESSION_MOVE) == 1
    quicker.close()


def test_the_audit_line_names_who_said_that_they_moved_it(outbox, sender, lab, animal, other, written):
    after_restart = Outbox(outbox.path, unclaimed=lambda _item: "Nobody has said so.")
    session_move, water_move, *notes = give(after_restart, lab, written, animal, other)
    for item in (session_move, water_move, *notes):
        outbox.change(item.key, lambda one: replace(one, username="jose.before"))
        outbox.claim(item.key, lab.username)
    sender.run_once()
    record = lab.direct.get(("sessions", written[0].server_id))
    assert (
        record["narrative"] == f"first\nMoved from {animal.nickname} to {other.nickname} by {lab.username}. {SENTENCE}"
    )
    after_restart.close()


@pytest.mark.parametrize("request_", REQUESTS[:2], ids=lambda one: " ".join(one[:2]))
def test_one_that_went_astray_because_names_were_swapped_is_moved_on(
    outbox, sender, lab, animal, other, proxy, clock, written, request_
):
    third, (method, route, place), swaps = lab.animal(f"third_{animal.nickname}"), request_, iter([True])

    def swap(seen):
        if (seen.method, seen.path) == (method, f"/{route}/{written[place].server_id}") and next(swaps, False):
            lab.swap(other, third)

    proxy.before(swap)
    give(outbox, lab, written, animal, other)
    sent_on(sender, clock)
    assert next(swaps, None) is None
    assert [counts(lab, one) for one in (animal, other, third)] == [[0, 0, 0], [1, 1, 1], [0, 0, 0]]
    assert {item.state for item in outbox.items()} == {State.SENT}


def test_each_move_is_a_line_of_its_own_also_between_the_same_two(outbox, sender, lab, animal, other, written):
    for there in (other, animal, other):
        here = animal if there is other else other
        give(outbox, lab, [outbox.item(item.key) for item in written], here, there)
        sender.run_once()
    record = lab.direct.get(("sessions", written[0].server_id))
    lines = [line.partition(" by ")[0] for line in record["narrative"].splitlines()]
    one, two = f"{animal.nickname} to {other.nickname}", f"{other.nickname} to {animal.nickname}"
    assert lines == ["first", *(f"Moved from {which}" for which in (one, two, one))]
    assert [one["to"] for one in record["json"]["pybpod"]["moved"]] == [other.nickname, animal.nickname, other.nickname]


def test_a_refused_note_holds_nothing_up_and_one_server_that_has_none_is_left_alone(
    outbox, sender, lab, animal, other, proxy, written
):
    proxy.fault("answer", method="POST", path="/notes", status=403, body={"detail": "No."})
    proxy.fault("answer", method="GET", path="/notes", status=404, body="<html>", headers={"Content-Type": "text/html"})
    give(outbox, lab, written, animal, other)
    later = outbox.add(lab.weighing(animal, 20.0, "2026-11-22T12:00:00"))
    sender.run_once()
    assert counts(lab, other) == [1, 1, 1]
    assert outbox.item(later.key).state is State.SENT
    absent, refused = (item for item in outbox.items() if item.kind is Kind.NOTE)
    assert (absent.state, refused.state) == (State.DISCARDED, State.PARKED)
    assert "does not take notes" in absent.reason
    give(outbox, lab, [outbox.item(item.key) for item in written], other, animal)
    sender.run_once()
    assert counts(lab, animal) == [1, 1, 2]


def test_weights_and_notes_wait_for_a_refused_move_and_stay_where_it_is_given_up(
    outbox, sender, lab, animal, other, proxy, written
):
    refusal = {"detail": "You do not have permission to perform this action."}
    proxy.fault("answer", **path_of(written, REQUESTS[0]), status=403, body=refusal)
    before = [outbox.item(item.key) for item in written]
    parked = give(outbox, lab, written, animal, other)[0]
    sender.run_once()
    assert outbox.item(parked.key).state is State.PARKED
    assert counts(lab, animal) == [1, 1, 1]
    assert outbox.item(written[2].key).behind.key == parked.key
    assert notes(lab, animal) == []
    outbox.discard(parked.key)
    sender.run_once()
    assert counts(lab, animal) == [1, 1, 1]
    assert notes(lab, animal) == notes(lab, other) == []
    after = [outbox.item(item.key) for item in written]
    assert [(item.state, item.animal, item.server_id) for item in after] == [
        (item.state, item.animal, item.server_id) for item in before
    ]
    assert after[2].origin == before[2].origin
    assert outbox.items(OPEN) == ()
    give(outbox, lab, after, animal, other)  # it can be moved after all
    sender.run_once()
    assert counts(lab, other) == [1, 1, 1]


def test_a_move_that_may_have_been_made_is_not_taken_back(outbox, sender, lab, animal, other, proxy, clock, written):
    proxy.fault("drop-after", **path_of(written, REQUESTS[0]))
    unsure = give(outbox, lab, written, animal, other)[0]
    sender.run_once()
    assert outbox.item(unsure.key).state is State.UNSURE
    outbox.discard(unsure.key, even_if_unsure=True)
    assert outbox.item(written[0].key).subject_id == other.id
    assert len(lab.records("sessions", other)) == 1


def test_one_that_still_waits_is_sent_for_the_other_animal_with_what_goes_with_it(outbox, sender, lab, animal, other):
    sent = outbox.add(lab.weighing(animal))
    sender.run_once()
    session = outbox.add(lab.session(animal))
    outbox.add(lab.water(animal, follows=session.key))
    waiting = outbox.add(lab.weighing(animal, 25.0, "2026-11-21T12:30:00"))
    stays = outbox.add(lab.weighing(animal, 26.0, "2026-11-21T12:40:00"))
    outbox.reassign(session.key, (other.id, other.nickname), {"narrative": "new"}, {sent.key, waiting.key})
    sender.run_once()
    assert counts(lab, other) == [1, 1, 2]
    assert counts(lab, animal) == [0, 0, 1]
    assert outbox.item(stays.key).subject_id == animal.id
    assert lab.direct.get(("sessions", outbox.item(session.key).server_id))["narrative"] == "new"


def test_one_that_may_be_on_alyx_is_not_given_to_another_animal(outbox, sender, lab, animal, other, proxy):
    proxy.fault("drop-after", method="POST", path="/sessions")
    session = outbox.add(lab.session(animal))
    water = outbox.add(lab.water(animal, follows=session.key))
    sender.run_once()
    with pytest.raises(OutboxError, match="may already be on Alyx"):
        outbox.reassign(session.key, (other.id, other.nickname), {})
    assert outbox.item(water.key).subject_id == animal.id
