"""What waits arrives, on each of the servers: on the right animal, as it was recorded, in order."""

from __future__ import annotations

from datetime import datetime, timezone

import pytest

from pybpod_alyx_module.outbox.alyx_records import KEY_IN_JSON
from pybpod_alyx_module.outbox.items import OPEN, Draft, Kind, State
from tests.servers import GIVEN


@pytest.fixture(scope="module")
def alyx(fresh_server):
    """Each of the servers that the tests start: their animals stay on it."""
    if fresh_server.name == GIVEN:
        pytest.skip("the animals of these tests would stay on this server")
    return fresh_server


def states(outbox):
    return [item.state for item in outbox.items()]


def test_a_weighing_arrives(outbox, sender, lab, animal):
    item = outbox.add(lab.weighing(animal))
    assert sender.run_once()
    sent = outbox.item(item.key)
    assert (sent.state, sent.attempts, sent.reason) == (State.SENT, 1, "")
    [row] = lab.records("weighings", animal)
    assert (row["weight"], row["user"]) == (24.5, lab.username)
    moment = datetime.fromisoformat(item.values["date_time"]).replace(tzinfo=lab.zone)
    stored = datetime.fromisoformat(row["date_time"])  # of the server's clock, which is in UTC
    assert (stored if stored.tzinfo else stored.replace(tzinfo=timezone.utc)) == moment
    assert row["url"].endswith(f"/{sent.server_id}")
    assert sent.sent_at is not None
    assert outbox.items(OPEN) == ()


def test_a_session_arrives_with_its_key_and_the_next_number(outbox, sender, lab, animal):
    lab.direct.post("sessions", {"subject": animal.nickname, "start_time": "2026-11-21T08:00:00", "number": 4})
    item = outbox.add(lab.session(animal, n_trials=12, json={"pybpod": {"board": "box1"}, "x": 1}))
    sender.run_once()
    detail = lab.direct.get(("sessions", outbox.item(item.key).server_id))
    assert (detail["number"], detail["n_trials"], detail["users"]) == (5, 12, [lab.username])
    assert detail["json"] == {"pybpod": {"board": "box1", KEY_IN_JSON[1]: item.key}, "x": 1}


def test_water_follows_its_session_and_names_it(outbox, sender, lab, animal, proxy):
    session = outbox.add(lab.session(animal))
    water = outbox.add(lab.water(animal, follows=session.key))
    sender.run_once()
    assert states(outbox) == [State.SENT, State.SENT]
    [row] = lab.records("water-administrations", animal)
    assert row["session"] == outbox.item(session.key).server_id
    posted = [seen.path.removeprefix("/api") for seen in proxy.requests if seen.method == "POST"]
    assert posted == ["/sessions", "/water-administrations"]
    assert outbox.item(water.key).server_id == row["url"].rpartition("/")[2]


def test_an_update_merges_into_the_json_of_its_session(outbox, sender, lab, animal):
    session = outbox.add(lab.session(animal, json={"a": {"b": 1}}))
    sender.run_once()
    record = ("sessions", outbox.item(session.key).server_id)
    theirs = lab.direct.get(record)["json"]
    lab.direct.patch(record, {"json": {**theirs, "by_hand": [1, 2]}})
    update = lab.draft(Kind.SESSION_UPDATE, animal, {"n_trials": 99, "json": {"a": {"c": 2}}}, follows=session.key)
    outbox.add(update)
    sender.run_once()
    assert states(outbox) == [State.SENT, State.SENT]
    detail = lab.direct.get(record)
    assert detail["n_trials"] == 99
    assert detail["json"] == {**theirs, "by_hand": [1, 2], "a": {"b": 1, "c": 2}}


def test_an_update_names_a_session_by_its_id(outbox, sender, lab, animal):
    record = lab.direct.post("sessions", {"subject": animal.nickname, "start_time": "2026-11-21T08:00:00"})["id"]
    outbox.add(lab.draft(Kind.SESSION_UPDATE, animal, {"id": record, "narrative": " ran well "}))
    sender.run_once()
    assert states(outbox) == [State.SENT]
    assert lab.direct.get(("sessions", record))["narrative"] == "ran well"


def test_an_update_of_a_session_of_another_animal_is_parked(outbox, sender, lab, animal, other):
    record = lab.direct.post("sessions", {"subject": other.nickname, "start_time": "2026-11-21T08:00:00"})["id"]
    item = outbox.add(lab.draft(Kind.SESSION_UPDATE, animal, {"id": record, "n_trials": 1}))
    sender.run_once()
    assert outbox.item(item.key).state is State.PARKED
    assert f"no session {record} of {animal.nickname}" in outbox.item(item.key).reason
    assert lab.direct.get(("sessions", record))["n_trials"] is None


def test_a_json_that_is_no_object_is_not_replaced(outbox, sender, lab, animal):
    fields = {"subject": animal.nickname, "start_time": "2026-11-21T08:00:00", "json": [1, 2]}
    record = lab.direct.post("sessions", fields)["id"]
    outbox.add(lab.draft(Kind.SESSION_UPDATE, animal, {"id": record, "json": {"a": 1}}))
    sender.run_once()
    assert states(outbox) == [State.PARKED]
    assert lab.direct.get(("sessions", record))["json"] == [1, 2]


def test_items_of_a_subject_are_sent_in_order(outbox, sender, lab, animal, proxy):
    for weight in (20.0, 21.0, 22.0):
        outbox.add(lab.weighing(animal, weight))
    sender.run_once()
    bodies = [seen.body for seen in proxy.requests if seen.method == "POST"]
    assert [float(body.split(b'"weight": ')[1].split(b",")[0]) for body in bodies] == [20.0, 21.0, 22.0]


def test_two_equal_weighings_are_two(outbox, sender, lab, animal):
    for _ in range(2):
        outbox.add(lab.weighing(animal))
    sender.run_once()
    assert len(lab.records("weighings", animal)) == 2


def test_a_session_with_refused_fields_is_parked_with_the_field_named_and_its_water_waits(outbox, sender, lab, animal):
    session = outbox.add(lab.session(animal, projects=["no such project"]))
    water = outbox.add(lab.water(animal, follows=session.key))
    weighing = outbox.add(lab.weighing(animal))
    sender.run_once()
    parked = outbox.item(session.key)
    assert parked.state is State.PARKED
    assert "projects" in parked.reason
    assert (outbox.item(water.key).state, outbox.item(weighing.key).state) == (State.WAITING, State.SENT)
    assert outbox.item(water.key).behind == parked
    outbox.edit(session.key, {name: value for name, value in session.values.items() if name != "projects"})
    sender.run_once()
    assert set(states(outbox)) == {State.SENT}
    assert lab.records("water-administrations", animal)[0]["session"] == outbox.item(session.key).server_id


def test_water_of_a_discarded_session_is_parked(outbox, sender, lab, animal):
    session = outbox.add(lab.session(animal))
    water = outbox.add(lab.water(animal, follows=session.key))
    outbox.discard(session.key)
    sender.run_once()
    assert outbox.item(water.key).state is State.PARKED
    assert "discarded" in outbox.item(water.key).reason
    assert lab.records("sessions", animal) == lab.records("water-administrations", animal) == []


def test_what_is_discarded_is_never_sent(outbox, sender, lab, animal, proxy):
    outbox.discard(outbox.add(lab.weighing(animal)).key)
    sender.run_once()
    assert proxy.count("POST") == 0


def test_a_record_that_the_server_stored_otherwise_is_parked_and_not_sent_again(outbox, sender, lab, animal, proxy):
    item = outbox.add(lab.weighing(animal))
    proxy.fault("alter", method="POST", change=lambda body: {**body, "weight": 2.45})
    sender.run_once()
    parked = outbox.item(item.key)
    assert parked.state is State.PARKED
    assert "weight: 2.45 instead of 24.5" in parked.reason
    outbox.retry(item.key)
    sender.run_once()
    assert outbox.item(item.key).state is State.SENT
    assert len(lab.records("weighings", animal)) == 1


def test_a_draft_carries_no_other_user(outbox, sender, lab, animal):
    draft = lab.weighing(animal, username="nobody")
    assert isinstance(draft, Draft)
    item = outbox.add(draft)
    sender.run_once()
    waiting = outbox.item(item.key)
    assert waiting.state is State.WAITING
    assert "nobody" in waiting.reason
    assert lab.records("weighings", animal) == []


def test_a_session_of_pybpod_that_another_computer_registered_is_parked_not_doubled(outbox, sender, lab, animal):
    pybpod = {"session_uuid": "7f467fe0-c47b-57c6-879d-387fea70726f"}
    there = lab.direct.post(
        "sessions",
        {"subject": animal.nickname, "start_time": "2026-11-21T08:00:00", "number": 1, "json": {"pybpod": pybpod}},
    )
    item = outbox.add(lab.session(animal, json={"pybpod": pybpod}))
    sender.run_once()
    parked = outbox.item(item.key)
    assert parked.state is State.PARKED
    assert there["url"].rpartition("/")[2] in parked.reason
    assert [row["number"] for row in lab.records("sessions", animal)] == [1]
