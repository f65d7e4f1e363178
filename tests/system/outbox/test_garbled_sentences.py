"""The sender looks at no sentence: with noise in the place of all of them it does the same."""

from __future__ import annotations

import re
import time

import pytest

from pybpod_alyx_module.outbox.back_off import Pauses
from pybpod_alyx_module.outbox.items import State, WaitsFor
from pybpod_alyx_module.outbox.states import FAULT_LIMIT
from tests.garbled import garble_all_sentences
from tests.system.outbox.conftest import LIFE_S

SENT, DUE = (State.SENT, WaitsFor.NOTHING), (State.WAITING, WaitsFor.NOTHING)
LOCKED, PAUSED = (State.WAITING, WaitsFor.LOGIN), (State.WAITING, WaitsFor.PAUSE)
PARKED, UNSURE = (State.PARKED, WaitsFor.PERSON), (State.UNSURE, WaitsFor.PAUSE)


@pytest.fixture(autouse=True)
def garbled(outbox):
    garble_all_sentences(outbox.path)


@pytest.fixture
def sender(make_sender, clock):
    """Start one that goes on: it stays the one that sends."""
    sender = make_sender(pauses=Pauses(clock), poll_s=0.01)
    sender.start()
    return sender


def becomes(outbox, wanted, *items):
    end = time.monotonic() + 30
    while True:
        found = [outbox.item(item.key) for item in items]
        assert all(re.fullmatch("([0-9A-F]{18})?", text) for item in found for text in (item.reason, item.hint))
        now = [(item.state, item.waits_for) for item in found]
        if now == wanted:
            return found
        assert time.monotonic() < end, now
        time.sleep(0.01)


def test_what_waits_for_a_login_goes_on_after_it_and_nothing_stays_behind(
    outbox, sender, lab, animal, other, accounts, proxy
):
    accounts.log_in(lab.url, lab.username, "f" * 40)
    items = [outbox.add(lab.weighing(animal, weight)) for weight in (20.0, 21.0)]
    becomes(outbox, [LOCKED] * 2, *items)
    items += [outbox.add(lab.weighing(other, weight)) for weight in (22.0, 23.0)]
    assert all(item.wants_login and item.needs_person for item in becomes(outbox, [LOCKED] * 4, *items))
    proxy.fault("hold", method="POST")
    accounts.log_in(lab.url, lab.username, lab.token)
    sender.wake()
    proxy.wait_for(1, "POST")
    # While the first is being sent nobody is asked to log in any more.
    found = becomes(outbox, [(State.SENDING, WaitsFor.NOTHING), DUE, DUE, DUE], *items)
    assert [(item.reason, item.hint) for item in found] == [("", "")] * 4
    proxy.release()
    becomes(outbox, [SENT] * 4, *items)


def test_the_login_of_one_user_says_nothing_about_another(outbox, sender, lab, animal, other, accounts):
    client = accounts.clients.pop((lab.url, lab.username))
    mine, theirs = outbox.add(lab.weighing(animal)), outbox.add(lab.weighing(other, username="anna"))
    becomes(outbox, [LOCKED] * 2, mine, theirs)
    accounts.clients[lab.url, lab.username] = client
    sender.wake()
    becomes(outbox, [SENT, LOCKED], mine, theirs)


def test_a_server_that_is_up_again_leaves_the_reason_that_is_an_items_own(
    outbox, make_sender, lab, animal, other, proxy, clock
):
    sender = make_sender(pauses=Pauses(clock), poll_s=0.01)
    headers = {"Content-Type": "text/html", "Retry-After": "6"}
    proxy.fault("answer", path="/subjects", status=503, body="<html>", headers=headers)
    mine, *others = outbox.add_all(lab.weighing(animal), lab.weighing(other, 20.0), lab.weighing(other, 21.0))
    sender.run_once()
    becomes(outbox, [PAUSED] * 3, mine, *others)
    proxy.fault("answer", path="/subjects", status=500, body={"detail": "boom"})
    proxy.fault("hold", method="POST")
    clock.pass_by(6 * 1.25)  # between two rounds: within one, the other animal could be looked up first
    sender.start()
    proxy.wait_for(1, "POST")
    found = becomes(outbox, [PAUSED, (State.SENDING, WaitsFor.NOTHING), DUE], mine, *others)
    assert found[0].faults == 1
    assert [bool(item.reason) for item in found] == [True, False, False]
    proxy.release()
    becomes(outbox, [SENT] * 2, *others)
    clock.pass_by(400)
    becomes(outbox, [SENT], mine)


def test_water_waits_for_its_session(outbox, sender, lab, animal, other, proxy):
    proxy.fault("answer", method="POST", path="/sessions", status=400, body={"task_protocol": ["No."]})
    session, water = outbox.add_all(lab.session(animal), lab.water(animal, follows=0))
    waiting = becomes(outbox, [PARKED, DUE], session, water)[1]
    assert (waiting.behind.key, waiting.behind.state) == (session.key, State.PARKED)
    becomes(outbox, [SENT], outbox.add(lab.weighing(other)))  # the sender went round several times
    assert outbox.item(water.key) == waiting
    outbox.retry(session.key)
    becomes(outbox, [SENT] * 2, session, water)


def test_what_fails_is_parked_and_what_is_lost_is_looked_for(outbox, sender, lab, animal, other, proxy, clock):
    proxy.fault("answer", method="POST", status=500, body={"detail": "boom"}, times=FAULT_LIMIT)
    failing = outbox.add(lab.weighing(animal))
    for turn in range(FAULT_LIMIT):
        proxy.wait_for(turn + 1, "POST")
        becomes(outbox, [UNSURE], failing)
        clock.pass_by(LIFE_S)
        sender.wake()
    becomes(outbox, [PARKED], failing)
    proxy.fault("drop-after", method="POST")
    lost = outbox.add(lab.weighing(other))
    becomes(outbox, [UNSURE], lost)
    clock.pass_by(LIFE_S)
    outbox.retry(failing.key)
    sender.wake()
    becomes(outbox, [SENT] * 2, failing, lost)
    assert len(lab.records("weighings", other)) == 1
