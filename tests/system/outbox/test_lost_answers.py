"""An item whose answer did not arrive: looked for once the life of its request is over, not before; never twice."""

from __future__ import annotations

import time
import weakref
from datetime import datetime, timezone

import pytest

from alyx_connector.private_file import home_folder
from alyx_connector.zones import lab_zones, server_offsets
from alyx_connector.zones.server_offsets import OFFSETS_FILE
from pybpod_alyx_module.errors import OutboxError
from pybpod_alyx_module.outbox.items import Kind, State
from tests.system.outbox.conftest import LIFE_S

LOST = {
    "cut before": ("drop", {}),
    "cut after": ("drop-after", {}),
    "half an answer": ("truncate", {}),
    "500": ("answer", {"status": 500, "body": {"status_code": 500, "detail": "boom"}}),
    "504": ("answer", {"status": 504, "body": "<html>", "headers": {"Content-Type": "text/html"}}),
    "200": ("answer", {"status": 200, "body": {"subject": "x"}}),
    "a web page": ("answer", {"status": 201, "body": "<html>", "headers": {"Content-Type": "text/html"}}),
    "another's": ("alter", {"change": lambda body: {**body, "date_time": "2020-01-01T00:00:00", "json": None}}),
}
DRAFTS = {Kind.WEIGHING: ("weighing", "weighings"), Kind.SESSION: ("session", "sessions")}
DRAFTS[Kind.WATER] = ("water", "water-administrations")


@pytest.mark.parametrize("fault", LOST)
@pytest.mark.parametrize("kind", DRAFTS)
def test_a_lost_answer_never_doubles_and_never_loses(outbox, sender, lab, animal, proxy, clock, kind, fault):
    make, route = DRAFTS[kind]
    item = outbox.add(getattr(lab, make)(animal))
    name, options = LOST[fault]
    proxy.fault(name, method="POST", **options)
    sender.run_once()
    unsure = outbox.item(item.key)
    assert unsure.state is State.UNSURE
    assert unsure.reason
    assert "looked for" in unsure.hint
    asked = len(proxy.requests)
    clock.pass_by(LIFE_S - 1)
    sender.run_once()
    assert len(proxy.requests) == asked  # not before
    clock.pass_by(1)
    sender.run_once()
    assert outbox.item(item.key).state is State.SENT
    assert len(lab.records(route, animal)) == 1


def test_a_later_item_of_that_subject_waits_and_another_subject_goes_on(outbox, sender, lab, animal, other, proxy):
    first = outbox.add(lab.weighing(animal))
    later = outbox.add(lab.water(animal))
    elsewhere = outbox.add(lab.weighing(other))
    proxy.fault("answer", method="POST", status=500, body={"detail": "boom"})
    sender.run_once()
    states = [outbox.item(item.key).state for item in (first, later, elsewhere)]
    assert states == [State.UNSURE, State.WAITING, State.SENT]


def test_the_clock_of_the_computer_changes_nothing(outbox, sender, lab, animal, proxy, clock, monkeypatch):
    item = outbox.add(lab.weighing(animal))
    proxy.fault("drop-after", method="POST")
    sender.run_once()
    real = time.time
    for shift in (10 * 86400, -10 * 86400):
        monkeypatch.setattr(time, "time", lambda shift=shift: real() + shift)
        sender.run_once()
        assert outbox.item(item.key).state is State.UNSURE
    clock.pass_by(LIFE_S)
    sender.run_once()
    assert outbox.item(item.key).state is State.SENT
    assert len(lab.records("weighings", animal)) == 1


def test_an_unsure_item_can_be_read_only(outbox, sender, lab, animal, proxy):
    item = outbox.add(lab.weighing(animal))
    proxy.fault("drop-after", method="POST")
    sender.run_once()
    for change in (lambda: outbox.edit(item.key, {**item.values, "weight": 1.0}), lambda: outbox.retry(item.key)):
        with pytest.raises(OutboxError, match="may already be on Alyx"):
            change()
    with pytest.raises(OutboxError):
        outbox.discard(item.key)
    assert outbox.item(item.key).values == item.values
    assert outbox.discard(item.key, even_if_unsure=True).state is State.DISCARDED


def test_what_another_sender_left_is_looked_for_from_when_it_was_first_seen(
    outbox, make_sender, lab, animal, proxy, clock
):
    item = outbox.add(lab.weighing(animal))
    first = make_sender()
    proxy.fault("drop-after", method="POST")
    first.run_once()
    first.stop()
    clock.pass_by(LIFE_S)  # nobody was there to see it pass
    second = make_sender()
    second.run_once()
    assert outbox.item(item.key).state is State.UNSURE
    clock.pass_by(LIFE_S)
    second.run_once()
    assert outbox.item(item.key).state is State.SENT


def test_a_look_that_is_answered_with_an_old_empty_answer_is_no_evidence(outbox, sender, lab, animal, proxy, clock):
    item = outbox.add(lab.weighing(animal))
    proxy.fault("drop-after", method="POST")
    sender.run_once()
    clock.pass_by(LIFE_S)
    stale = {"count": 0, "next": None, "previous": None, "results": []}
    proxy.fault("answer", method="GET", path="/weighings", body=stale, times=2)
    sender.run_once()
    assert outbox.item(item.key).state is State.UNSURE
    clock.pass_by(LIFE_S)
    sender.run_once()
    assert outbox.item(item.key).state is State.SENT
    assert len(lab.records("weighings", animal)) == 1


def test_a_record_that_was_stored_but_could_not_be_read_back_is_compared_without_waiting_for_its_life(
    outbox, sender, lab, animal, proxy, clock
):
    item = outbox.add(lab.weighing(animal))
    proxy.fault("answer", method="GET", path="/weighings", status=500, body={"detail": "boom"}, times=1)
    sender.run_once()
    unsure = outbox.item(item.key)
    assert (unsure.state, unsure.server_id is None) == (State.UNSURE, False)
    clock.pass_by(5)
    sender.run_once()
    assert outbox.item(item.key).state is State.SENT
    assert proxy.count("POST") == 1


def test_a_lost_update_is_looked_for_and_sent_again(outbox, sender, lab, animal, proxy, clock):
    session = outbox.add(lab.session(animal))
    sender.run_once()
    for fault in ("drop-after", "drop"):
        item = outbox.add(
            lab.draft(Kind.SESSION_UPDATE, animal, {"n_trials": len(fault), "json": {"x": fault}}, follows=session.key)
        )
        proxy.forget_requests()
        proxy.fault(fault, method="PATCH")
        sender.run_once()
        assert outbox.item(item.key).state is State.UNSURE
        clock.pass_by(LIFE_S)
        sender.run_once()
        assert outbox.item(item.key).state is State.SENT
        assert proxy.count("PATCH") == (1 if fault == "drop-after" else 2)
        detail = lab.direct.get(("sessions", outbox.item(session.key).server_id))
        assert (detail["n_trials"], detail["json"]["x"]) == (len(fault), fault)


def test_a_server_that_fails_for_ever_with_an_item_parks_it_after_a_few_tries(
    outbox, sender, lab, animal, clock, proxy
):
    lab.direct.patch(("subjects", animal.nickname), {"death_date": "2026-01-01"})
    item = outbox.add(lab.water(animal))
    for _ in range(3):
        sender.run_once()
        assert outbox.item(item.key).state is State.UNSURE
        clock.pass_by(LIFE_S)
    sender.run_once()
    parked = outbox.item(item.key)
    assert (parked.state, parked.attempts) == (State.PARKED, 3)
    assert "Tried 3 times" in parked.reason
    assert "Water administration date after death date" in parked.reason
    outbox.retry(item.key)
    assert outbox.item(item.key).state is State.WAITING


def test_a_weighing_that_fails_after_it_was_stored_is_not_sent_again(outbox, sender, lab, animal, clock, proxy):
    item = outbox.add(lab.weighing(animal))
    proxy.fault("drop-after", method="POST")
    sender.run_once()
    clock.pass_by(LIFE_S)
    sender.run_once()
    assert outbox.item(item.key).attempts == 1
    assert proxy.count("POST", "/weighings") == 1


def test_it_is_looked_for_whatever_the_animal_is_called_now(outbox, sender, lab, animal, proxy, clock):
    item = outbox.add(lab.weighing(animal))
    proxy.fault("drop-after", method="POST")
    sender.run_once()
    lab.rename(animal, f"{animal.nickname}_b")
    clock.pass_by(LIFE_S)
    sender.run_once()
    assert outbox.item(item.key).state is State.SENT
    assert len(lab.records("weighings", animal)) == 1


def test_an_animal_that_is_renamed_while_its_record_is_looked_for_has_it_once(
    outbox, sender, lab, animal, proxy, clock
):
    item = outbox.add(lab.weighing(animal))
    proxy.fault("drop-after", method="POST")
    sender.run_once()
    seen = []

    def rename(request):
        if request.method == "GET" and request.path.startswith("/weighings"):
            seen.append(request)
            lab.rename(animal, f"{animal.nickname}_{len(seen)}")

    proxy.choose(rename)
    clock.pass_by(LIFE_S)
    sender.run_once()
    proxy.choose(None)
    assert len(seen) > 1
    assert outbox.item(item.key).state is State.SENT
    assert len(lab.records("weighings", animal)) == 1


STALE = {"the last one": ("repeat", {})}
for what, found in {"nothing": [], "another thing": [{"nickname": "ea04", "name": "x"}]}.items():
    STALE[what] = ("answer", {"body": {"count": len(found), "next": None, "previous": None, "results": found}})


@pytest.mark.parametrize("stale", STALE)
def test_an_answer_that_belongs_to_another_question_doubles_nothing_wherever_it_comes(
    outbox, sender, lab, animal, proxy, clock, stale, monkeypatch
):
    turn = 0
    met = True
    while met:  # each question of the look in turn
        item = outbox.add(lab.weighing(animal, when=f"2026-11-21T10:{turn:02}:00"))
        proxy.fault("drop-after", method="POST")
        sender.run_once()
        assert outbox.item(item.key).state is State.UNSURE
        monkeypatch.setattr(lab_zones, "_ZONES", weakref.WeakKeyDictionary())  # as after a restart
        left, met = [turn], False

        def choose(request, left=left):
            nonlocal met
            left[0] -= request.method == "GET"
            met = met or left[0] < 0
            return STALE[stale] if left[0] == -1 and request.method == "GET" else None

        proxy.choose(choose)
        for _ in range(3):
            clock.pass_by(LIFE_S)
            sender.run_once()
        proxy.choose(None)
        assert outbox.item(item.key).state is State.SENT, turn
        turn += 1
        assert len(lab.records("weighings", animal)) == turn
    assert turn > 4


@pytest.mark.parametrize("rows", [[{"nickname": "ea04"}], []])
def test_an_answer_about_something_else_does_not_make_the_lab_s_zone_forgotten(
    outbox, sender, lab, animal, proxy, clock, rows, monkeypatch
):
    item = outbox.add(lab.weighing(animal, when="2026-11-21T10:00:00"))
    proxy.fault("drop-after", method="POST")
    sender.run_once()
    monkeypatch.setattr(lab_zones, "_ZONES", weakref.WeakKeyDictionary())  # as after a restart
    page = {"count": len(rows), "next": None, "previous": None, "results": rows}
    proxy.fault("answer", path="/labs", body=page, times=100)
    clock.pass_by(LIFE_S)
    sender.run_once()
    assert outbox.item(item.key).state is State.SENT
    (row,) = lab.records("weighings", animal)
    assert not row["date_time"].startswith("2026-11-21T10:00"), "the zone of the lab is not that of the server"


@pytest.mark.parametrize("known_when", ["it was sent", "it is looked for"])
def test_a_record_is_found_whatever_was_known_of_the_servers_clock(
    outbox, sender, lab, animal, proxy, clock, known_when, monkeypatch
):
    # Neither the page nor a row tells.
    monkeypatch.setattr(server_offsets, "zone_around", lambda *_, **__: None)
    offsets = home_folder() / OFFSETS_FILE
    now = datetime.now(lab.zone).replace(microsecond=0)  # its zone is not the server's
    page = {"status": 404, "body": "<html>", "path": "/admin/login/", "times": 100}
    if known_when == "it is looked for":
        offsets.unlink()
        proxy.fault("answer", **page)
    item = outbox.add(lab.weighing(animal, when=now.isoformat()))
    proxy.fault("drop-after", method="POST")
    sender.run_once()
    assert outbox.item(item.key).state is State.UNSURE
    proxy._faults.clear()
    if known_when == "it was sent":
        offsets.unlink()
        proxy.fault("answer", **page)
    clock.pass_by(LIFE_S)
    sender.run_once()
    assert outbox.item(item.key).state is State.SENT
    (row,) = lab.records("weighings", animal)
    on_server = now.astimezone(timezone.utc) if known_when == "it was sent" else now
    assert row["date_time"][:19] == on_server.isoformat()[:19]
