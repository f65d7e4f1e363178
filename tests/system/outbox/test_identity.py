"""Nothing is ever written to another animal: renamed, swapped, namesakes, gone."""

from __future__ import annotations

import pytest

from pybpod_alyx_module.errors import OutboxError
from pybpod_alyx_module.outbox.items import State, WaitsFor
from tests.system.outbox.conftest import LIFE_S

KINDS = {"weighing": "weighings", "water": "water-administrations", "session": "sessions"}


def swap_at_the_first_post(lab, animal, other, proxy):
    swaps = iter([True])
    proxy.before(lambda seen: lab.swap(animal, other) if seen.method == "POST" and next(swaps, False) else None)


def test_renamed_while_it_waits(outbox, sender, lab, animal):
    outbox.add(lab.weighing(animal))
    lab.rename(animal, f"{animal.nickname}_b")
    sender.run_once()
    assert [row["subject"] for row in lab.records("weighings", animal)] == [f"{animal.nickname}_b"]


def test_names_swapped_while_it_waits(outbox, sender, lab, animal, other):
    outbox.add(lab.weighing(animal, 21.0))
    outbox.add(lab.weighing(other, 22.0))
    lab.swap(animal, other)
    sender.run_once()
    assert [row["weight"] for row in lab.records("weighings", animal)] == [21.0]
    assert [row["weight"] for row in lab.records("weighings", other)] == [22.0]


@pytest.mark.parametrize("kind", KINDS)
def test_names_swapped_between_look_up_and_request(outbox, sender, lab, animal, other, proxy, kind):
    item = outbox.add(getattr(lab, kind)(animal))
    swap_at_the_first_post(lab, animal, other, proxy)
    sender.run_once()
    assert outbox.item(item.key).state is State.SENT
    assert lab.records(KINDS[kind], other) == []
    assert len(lab.records(KINDS[kind], animal)) == 1
    assert proxy.count("DELETE") == 1
    assert not [seen for seen in proxy.requests if seen.method == "DELETE" and seen.path.startswith("/subjects")]


@pytest.mark.parametrize("kind", KINDS)
def test_names_swapped_and_the_answer_lost(outbox, sender, lab, animal, other, proxy, clock, kind):
    item = outbox.add(getattr(lab, kind)(animal))
    swap_at_the_first_post(lab, animal, other, proxy)
    proxy.fault("drop-after", method="POST")
    sender.run_once()
    assert len(lab.records(KINDS[kind], other)) == 1  # where it must not stay
    clock.pass_by(LIFE_S)
    sender.run_once()
    assert outbox.item(item.key).state is State.SENT
    assert (len(lab.records(KINDS[kind], other)), len(lab.records(KINDS[kind], animal))) == (0, 1)


@pytest.mark.parametrize("kind", KINDS)
def test_an_old_answer_about_a_record_is_no_proof_of_its_animal(outbox, sender, lab, animal, other, proxy, clock, kind):
    item = outbox.add(getattr(lab, kind)(animal))
    swap_at_the_first_post(lab, animal, other, proxy)
    proxy.fault("drop-after", method="POST")
    sender.run_once()
    clock.pass_by(LIFE_S)
    repeats = iter([True])  # the record by its time or key is what the question for its animal is answered with

    def repeat(seen):
        about = seen.method == "GET" and "subject__pk" in str(seen.query) and seen.path == f"/{KINDS[kind]}"
        return ("repeat", {}) if about and next(repeats, False) else None

    proxy.choose(repeat)
    sender.run_once()
    assert next(repeats, None) is None
    assert not [row for row in lab.records(KINDS[kind], other) if outbox.item(item.key).state is State.SENT]
    clock.pass_by(LIFE_S)
    sender.run_once()
    assert outbox.item(item.key).state is State.SENT
    assert (len(lab.records(KINDS[kind], other)), len(lab.records(KINDS[kind], animal))) == (0, 1)


@pytest.mark.parametrize("kind", KINDS)
def test_a_name_that_changed_between_look_up_and_request_is_looked_up_anew(
    outbox, sender, lab, animal, proxy, clock, kind
):
    item = outbox.add(getattr(lab, kind)(animal))
    renames = iter([True])
    new = f"{animal.nickname}_b"
    proxy.before(lambda seen: lab.rename(animal, new) if seen.method == "POST" and next(renames, False) else None)
    sender.run_once()
    waiting = outbox.item(item.key)
    assert (waiting.state, waiting.waits_for) == (State.WAITING, WaitsFor.PAUSE)
    clock.pass_by(10)
    sender.run_once()
    assert outbox.item(item.key).state is State.SENT
    assert len(lab.records(KINDS[kind], animal)) == 1
    assert proxy.count("POST") == 2


#: As Alyx, as Alyx-Local and as a server in another language say it.
UNKNOWN = ["Object with nickname=ea04 does not exist.", "Object with name=ea04 does not exist.", "Objekt fehlt."]


@pytest.mark.parametrize("words", UNKNOWN)
def test_a_subject_that_was_renamed_is_known_by_the_field_not_by_the_words(
    outbox, sender, lab, animal, proxy, clock, words
):
    item = outbox.add(lab.weighing(animal))
    refusals = iter([True])

    def rename_and_refuse(seen):
        if seen.method != "POST" or not next(refusals, False):
            return None
        lab.rename(animal, f"{animal.nickname}_b")
        return "answer", {"status": 400, "body": {"subject": [words]}}

    proxy.choose(rename_and_refuse)
    sender.run_once()
    assert outbox.item(item.key).state is State.WAITING
    clock.pass_by(10)
    sender.run_once()
    assert outbox.item(item.key).state is State.SENT


@pytest.mark.parametrize("words", UNKNOWN)
def test_a_subject_that_is_refused_although_it_has_that_name_parks_it(outbox, sender, lab, animal, proxy, words):
    item = outbox.add(lab.weighing(animal))
    proxy.fault("answer", method="POST", status=400, body={"subject": [words]})
    sender.run_once()
    parked = outbox.item(item.key)
    assert (parked.state, parked.waits_for) == (State.PARKED, WaitsFor.PERSON)
    assert words in parked.reason


def test_a_withdrawal_whose_answer_is_lost_is_repeated(outbox, sender, lab, animal, other, proxy, clock):
    item = outbox.add(lab.weighing(animal))
    swap_at_the_first_post(lab, animal, other, proxy)
    proxy.fault("drop-after", method="DELETE")
    sender.run_once()
    waiting = outbox.item(item.key)
    assert (waiting.state, waiting.misplaced is None) == (State.WAITING, False)
    with pytest.raises(OutboxError, match="record on another animal"):
        outbox.edit(item.key, {**item.values, "weight": 3.0})
    with pytest.raises(OutboxError, match="record on another animal"):
        outbox.discard(item.key)
    clock.pass_by(10)
    sender.run_once()
    assert outbox.item(item.key).state is State.SENT
    assert (len(lab.records("weighings", other)), len(lab.records("weighings", animal))) == (0, 1)


def test_what_cannot_be_withdrawn_is_parked_loudly(outbox, sender, lab, animal, other, proxy):
    item = outbox.add(lab.weighing(animal))
    swap_at_the_first_post(lab, animal, other, proxy)
    proxy.fault("answer", method="DELETE", status=403, body={"detail": "You do not have permission."})
    sender.run_once()
    parked = outbox.item(item.key)
    assert parked.state is State.PARKED
    [row] = lab.records("weighings", other)
    assert row["url"].rpartition("/")[2] in parked.reason
    assert f"of {animal.nickname} was recorded on another animal" in parked.reason
    outbox.retry(item.key)
    sender.run_once()
    assert (len(lab.records("weighings", other)), len(lab.records("weighings", animal))) == (0, 1)


def test_a_misplaced_session_on_which_something_hangs_is_not_deleted(outbox, sender, lab, animal, other, proxy, clock):
    item = outbox.add(lab.session(animal))
    swap_at_the_first_post(lab, animal, other, proxy)
    proxy.fault("drop-after", method="POST")
    sender.run_once()
    [row] = lab.records("sessions", other)
    fields = {"subject": lab.nickname(other), "water_administered": 1.0, "session": row["id"]}
    lab.direct.post("water-administrations", fields)
    clock.pass_by(LIFE_S)
    sender.run_once()
    parked = outbox.item(item.key)
    assert (parked.state, parked.misplaced) == (State.PARKED, row["id"])
    assert "belong to it" in parked.reason
    assert len(lab.records("sessions", other)) == 1


def test_a_namesake_in_another_lab_parks_it(outbox, sender, lab, animal):
    labs = [row["name"] for row in lab.direct.list("labs") if row["name"] != animal.lab]
    users = [row["username"] for row in lab.direct.list("users") if row["username"] != lab.username]
    lab.direct.post("subjects", {"nickname": animal.nickname, "lab": labs[0], "responsible_user": users[0]})
    item = outbox.add(lab.weighing(animal))
    sender.run_once()
    parked = outbox.item(item.key)
    assert parked.state is State.PARKED
    assert animal.lab in parked.reason
    assert labs[0] in parked.reason
    assert lab.records("weighings", animal) == []


def test_a_subject_that_is_gone_parks_it(outbox, sender, lab, animal):
    item = outbox.add(lab.weighing(animal))
    lab.direct_delete(animal)
    sender.run_once()
    assert outbox.item(item.key).state is State.PARKED
    assert animal.id in outbox.item(item.key).reason


def test_an_old_answer_about_another_subject_is_not_believed(outbox, sender, lab, animal, other, proxy):
    item = outbox.add(lab.weighing(animal))
    rows = lab.direct.get("subjects", {"django": f"pk,{other.id}"})
    proxy.fault("answer", method="GET", path="/subjects", body=rows, times=2)
    sender.run_once()
    assert outbox.item(item.key).state is State.WAITING
    assert lab.records("weighings", other) == []


def test_a_subject_that_is_not_alive_can_be_weighed(outbox, sender, lab, animal):
    lab.direct.patch(("subjects", animal.nickname), {"death_date": "2026-01-01"})
    outbox.add(lab.weighing(animal))
    sender.run_once()
    assert len(lab.records("weighings", animal)) == 1
