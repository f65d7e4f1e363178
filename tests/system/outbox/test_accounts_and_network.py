"""Who sends, and what waits: revoked tokens, throttles, servers that are busy or gone."""

from __future__ import annotations

import threading
from dataclasses import replace

import pytest

from alyx_connector import AlyxClient
from pybpod_alyx_module.outbox.back_off import Pauses
from pybpod_alyx_module.outbox.items import State
from pybpod_alyx_module.outbox.outbox import Outbox
from pybpod_alyx_module.outbox.sender import Sender

REVOKED = {"status": 403, "body": {"detail": "Invalid token."}}


def test_a_revoked_token_waits_for_a_login_and_others_go_on(outbox, sender, lab, animal, other, accounts, proxy, alyx):
    accounts.log_in(lab.url, lab.username, "f" * 40)
    accounts.log_in(alyx.url, lab.username, lab.token)
    mine = [outbox.add(lab.weighing(animal, weight)) for weight in (20.0, 21.0)]
    theirs = outbox.add(lab.weighing(other, server=alyx.url))
    sender.run_once()
    assert [outbox.item(item.key).state for item in (*mine, theirs)] == [State.WAITING, State.WAITING, State.SENT]
    for item in mine:
        assert f"Log in to {lab.url} as {lab.username}" in outbox.item(item.key).hint
    asked = len(proxy.requests)
    sender.run_once()
    assert len(proxy.requests) == asked  # not again with the same token
    accounts.log_in(lab.url, lab.username, lab.token)
    sender.wake()
    sender.run_once()
    assert [outbox.item(item.key).state for item in mine] == [State.SENT, State.SENT]
    assert sorted(row["weight"] for row in lab.records("weighings", animal)) == [20.0, 21.0]


def test_a_token_revoked_between_look_up_and_request_sends_nothing_and_waits(
    outbox, sender, lab, animal, accounts, proxy, clock
):
    item = outbox.add(lab.weighing(animal))
    proxy.fault("answer", method="POST", **REVOKED)
    sender.run_once()
    assert outbox.item(item.key).state is State.WAITING
    clock.pass_by(60)
    sender.run_once()
    assert outbox.item(item.key).state is State.WAITING  # the same token still
    sender.wake()
    sender.run_once()
    assert outbox.item(item.key).state is State.SENT


def test_a_login_elsewhere_is_found_without_a_wake(outbox, sender, lab, animal, accounts, clock):
    client = accounts.clients.pop((lab.url, lab.username))
    item = outbox.add(lab.weighing(animal))
    sender.run_once()
    assert outbox.item(item.key).state is State.WAITING
    accounts.clients[lab.url, lab.username] = client
    clock.pass_by(31)
    sender.run_once()
    assert outbox.item(item.key).state is State.SENT


def test_who_has_to_log_in_still_has_to_after_the_server_was_away(outbox, sender, lab, animal, other, proxy, clock):
    theirs = outbox.add(lab.weighing(other, username="anna"))
    sender.run_once()
    assert outbox.item(theirs.key).wants_login
    mine = outbox.add(lab.weighing(animal))
    page = {"status": 503, "body": "<html>", "headers": {"Content-Type": "text/html", "Retry-After": "6"}}
    proxy.fault("answer", **page)
    sender.run_once()
    assert outbox.item(theirs.key).wants_login  # also while the server is away
    for _ in range(3):
        clock.pass_by(60)
        sender.run_once()
    assert outbox.item(mine.key).state is State.SENT
    assert outbox.item(theirs.key).wants_login


def test_the_only_item_that_waits_for_a_login_says_so_after_it_was_corrected(outbox, sender, lab, animal, clock):
    item = outbox.add(lab.weighing(animal, 20.0, username="anna"))
    sender.run_once()
    outbox.edit(item.key, {**item.values, "weight": 21.0})
    clock.pass_by(31)
    sender.run_once()
    assert outbox.item(item.key).wants_login


def test_who_waits_for_a_login_holds_up_no_other_user_of_the_animal(outbox, sender, lab, animal, proxy, accounts):
    theirs = [outbox.add(lab.weighing(animal, weight, username="priya")) for weight in (20.0, 21.0)]
    mine = outbox.add(lab.weighing(animal, 22.0))
    sender.run_once()
    assert outbox.item(mine.key).state is State.SENT
    first, second = (outbox.item(item.key) for item in theirs)
    assert first.wants_login
    assert second.wants_login
    assert (first.behind, second.behind) == (None, first)
    with AlyxClient(lab.direct.url) as client:
        accounts.log_in(lab.url, "priya", client.login("priya", "priya-demo"))
    sender.wake()
    sender.run_once()
    assert {item.state for item in outbox.items()} == {State.SENT}
    assert sorted(row["weight"] for row in lab.records("weighings", animal)) == [20.0, 21.0, 22.0]
    assert proxy.count("POST") == 3


def test_what_belongs_to_a_session_waits_for_it_whoever_sends(outbox, sender, lab, animal, proxy):
    session = outbox.add(replace(lab.session(animal), username="priya"))
    water = outbox.add(lab.water(animal, follows=session.key))
    weight = outbox.add(lab.weighing(animal))
    sender.run_once()
    assert [outbox.item(item.key).state for item in (session, water, weight)] == [
        State.WAITING,
        State.WAITING,
        State.SENT,
    ]
    assert outbox.item(water.key).behind == outbox.item(session.key)
    assert not outbox.item(water.key).wants_login
    assert proxy.count("POST") == 1


def test_what_may_be_on_alyx_waits_for_a_login_and_holds_up_nobody_else(
    outbox, sender, lab, animal, proxy, accounts, clock
):
    with AlyxClient(lab.direct.url) as client:
        priya = accounts.log_in(lab.url, "priya", client.login("priya", "priya-demo"))
    proxy.fault("drop-after", method="POST")
    lost = outbox.add(lab.weighing(animal, 20.0, username="priya"))
    sender.run_once()
    mine = outbox.add(lab.weighing(animal, 22.0))
    sender.run_once()
    assert outbox.item(mine.key).behind == outbox.item(lost.key)
    del accounts.clients[lab.url, "priya"]
    clock.pass_by(300)
    sender.run_once()
    assert (outbox.item(lost.key).state, outbox.item(lost.key).wants_login) == (State.UNSURE, True)
    assert outbox.item(mine.key).state is State.SENT
    accounts.clients[lab.url, "priya"] = priya
    sender.wake()
    sender.run_once()
    assert outbox.item(lost.key).state is State.SENT
    assert len(lab.records("weighings", animal)) == 2


@pytest.mark.parametrize("wrong", ["server", "user"])
def test_a_client_of_another_server_or_user_sends_nothing(outbox, sender, lab, animal, accounts, alyx, wrong):
    users = [row["username"] for row in lab.direct.list("users") if row["username"] != lab.username]
    accounts.clients[lab.url, lab.username] = AlyxClient(
        alyx.url if wrong == "server" else lab.url,
        username=lab.username if wrong == "server" else users[0],
        token=lab.token,
    )
    item = outbox.add(lab.weighing(animal))
    sender.run_once()
    assert outbox.item(item.key).state is State.WAITING
    assert "Nobody is logged in" in outbox.item(item.key).reason
    assert lab.records("weighings", animal) == []


def test_a_throttle_is_waited_for_and_other_subjects_do_not_ask_meanwhile(
    outbox, sender, lab, animal, other, proxy, clock
):
    items = [outbox.add(lab.weighing(one)) for one in (animal, other)]
    proxy.fault("answer", status=429, headers={"Retry-After": "90"}, body={"detail": "Request was throttled."})
    sender.run_once()
    assert len(proxy.requests) == 1
    for item in items:
        waiting = outbox.item(item.key)
        assert waiting.state is State.WAITING
        assert "is limiting this user's requests" in waiting.reason
        assert "tried again at" in waiting.reason
    clock.pass_by(89)
    sender.run_once()
    assert len(proxy.requests) == 1


def test_a_throttled_request_was_not_carried_out(outbox, make_sender, lab, animal, accounts, proxy, clock):
    item = outbox.add(lab.weighing(animal))
    proxy.fault("answer", method="POST", status=429, headers={"Retry-After": "90"}, body={"detail": "throttled"})
    sender = make_sender()
    sender.run_once()
    assert outbox.item(item.key).state is State.WAITING
    accounts.log_in(lab.url, lab.username, lab.token)  # that client does not remember the throttle
    clock.pass_by(90 * 1.25)
    sender.run_once()
    assert outbox.item(item.key).state is State.SENT
    assert len(lab.records("weighings", animal)) == 1


@pytest.mark.parametrize(("method", "state"), [("POST", State.WAITING), ("GET", State.UNSURE)])
def test_while_it_is_waited_with_it_is_not_being_sent(outbox, sender, lab, animal, proxy, accounts, method, state):
    item = outbox.add(lab.weighing(animal))
    busy = ("answer", {"status": 429, "headers": {"Retry-After": "1"}, "body": {"detail": "throttled"}})
    proxy.choose(lambda seen: busy if seen.method == method and proxy.count("POST") == 1 else None)
    sender.run_once()
    assert outbox.item(item.key).state is state
    methods = [seen.method for seen in proxy.requests]
    assert methods[methods.index("POST") + 1 :] == ["GET"] * (method == "GET")  # nothing was tried again meanwhile
    proxy.choose(None)
    accounts.log_in(lab.url, lab.username, lab.token)  # that client does not remember the throttle
    sender.wake()
    sender.run_once()
    assert outbox.item(item.key).state is State.SENT
    assert len(lab.records("weighings", animal)) == 1


@pytest.mark.parametrize("status", [502, 503, 504])
def test_a_busy_server_is_asked_again_later_and_later(outbox, sender, lab, animal, proxy, clock, status):
    item = outbox.add(lab.weighing(animal))
    page = {"status": status, "body": "<html>", "headers": {"Content-Type": "text/html", "Retry-After": "6"}}
    proxy.fault("answer", times=2, **page)
    sender.run_once()
    assert outbox.item(item.key).state is State.WAITING
    assert "tried again at" in outbox.item(item.key).reason
    sender.run_once()
    assert len(proxy.requests) == 1
    clock.pass_by(6 * 1.25)
    sender.run_once()
    assert len(proxy.requests) == 2
    clock.pass_by(400)
    sender.run_once()
    assert outbox.item(item.key).state is State.SENT


@pytest.mark.usefixtures("quick_retries")
def test_no_network_waits_and_a_wake_tries_at_once(outbox, make_sender, lab, animal, accounts, clock, proxy):
    item = outbox.add(lab.weighing(animal))
    sender = make_sender(pauses=Pauses(clock, 100.0))
    proxy.fault("drop", times=5)
    sender.run_once()
    assert outbox.item(item.key).state is State.WAITING
    assert "dropped the connection" in outbox.item(item.key).reason
    asked = len(proxy.requests)
    sender.run_once()
    assert len(proxy.requests) == asked
    sender.wake()
    sender.run_once()
    assert outbox.item(item.key).state is State.SENT


def test_a_read_only_user_parks_it(outbox, sender, lab, animal, proxy):
    item = outbox.add(lab.weighing(animal))
    proxy.fault(
        "answer", method="POST", status=403, body={"detail": "You do not have permission to perform this action."}
    )
    sender.run_once()
    parked = outbox.item(item.key)
    assert parked.state is State.PARKED
    assert "permission" in parked.reason


@pytest.mark.parametrize(("status", "words"), [(400, "weight: too heavy"), (404, "Not found")])
def test_what_the_server_refuses_is_parked_with_its_words(outbox, sender, lab, animal, proxy, status, words):
    item = outbox.add(lab.weighing(animal))
    body = {"weight": ["too heavy"]} if status == 400 else {"detail": "Not found"}
    proxy.fault("answer", method="POST", status=status, body=body)
    sender.run_once()
    parked = outbox.item(item.key)
    assert parked.state is State.PARKED
    assert words in parked.reason
    assert parked.hint
    outbox.edit(item.key, {**parked.values, "weight": 20.0})
    sender.run_once()
    assert [row["weight"] for row in lab.records("weighings", animal)] == [20.0]


def test_the_thread_sends_what_is_added_later_and_tells(outbox, accounts, lab, animal):
    done = threading.Event()
    told = []

    def hear(item):
        told.append(item.state)
        if item.state is State.SENT:
            done.set()

    sender = Sender(outbox, accounts, on_change=hear, poll_s=0.05)
    sender.start()
    try:
        other_window = Outbox(outbox.path)
        other_window.add(lab.weighing(animal))
        assert done.wait(30)
        assert other_window.changed()
        other_window.close()
    finally:
        sender.stop()
    assert told == [State.SENDING, State.SENT]
    assert not sender.leads


def test_stopping_during_a_request_leaves_it_unsure(outbox, accounts, lab, animal, proxy):
    item = outbox.add(lab.weighing(animal))
    proxy.fault("mute", method="POST")
    sender = Sender(outbox, accounts, poll_s=0.05)
    sender.start()
    proxy.wait_for(1, "POST")
    sender.stop(grace_s=0.01)
    assert outbox.item(item.key).state is State.UNSURE


def test_no_secret_is_kept_or_said(outbox, sender, lab, animal, accounts, proxy, caplog):
    caplog.set_level(0)
    outbox.add(lab.weighing(animal))
    proxy.fault("answer", method="POST", status=400, body={"weight": [f"no {lab.token}"]})
    sender.run_once()
    parked = outbox.items()[0]
    outbox.add(lab.session(animal))
    sender.run_once()
    assert parked.state is State.PARKED
    assert lab.token not in f"{parked}{caplog.text}"
    for path in outbox.path.parent.iterdir():
        assert lab.token.encode() not in path.read_bytes()
