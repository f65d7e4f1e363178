"""Two PyBpods of one user of the computer share an outbox: each sends as who is logged in there, each item once."""

from __future__ import annotations

import contextlib
import os
import random
import signal
import struct
import time
from collections import Counter
from dataclasses import replace

import pytest

from alyx_connector import AlyxClient
from pybpod_alyx_module.outbox import sqlite_file
from pybpod_alyx_module.outbox.items import OPEN, State
from pybpod_alyx_module.outbox.outbox import Outbox
from pybpod_alyx_module.outbox.sender import Sender
from tests.system.outbox.test_crashes import (
    ROUNDS,
    SEED,
    Nursery,
    SharedClock,
    bad_network,
    let_it_live,
    wait_until_all_is_sent,
)

pytestmark = pytest.mark.skipif(os.name != "posix", reason="senders are forked and killed")


class StandingClock:
    """No pause ever ends by itself: what happens does so because something changed."""

    def __init__(self, path):
        path.write_bytes(struct.pack("d", 1.0))
        self.path = path


@pytest.fixture
def priya(lab):
    """Name and token of another user."""
    with AlyxClient(lab.direct.url) as client:
        return "priya", client.login("priya", "priya-demo")


@pytest.fixture
def nursery(outbox, lab, tmp_path):
    nursery = Nursery(outbox, lab, StandingClock(tmp_path / "clock"))
    children = []
    start = nursery.start

    def remembered(*user):
        children.append(start(*user))
        return children[-1]

    nursery.start = remembered
    yield nursery
    for child in children:
        kill(child)
    nursery.close()


def kill(pid):
    with contextlib.suppress(ProcessLookupError):
        os.kill(pid, signal.SIGKILL)


def until(reached):
    end = time.monotonic() + 60
    while not reached():
        assert time.monotonic() < end
        time.sleep(0.01)


def test_each_sends_as_who_is_logged_in_there(outbox, lab, animal, other, nursery, priya, proxy):
    nursery.start()
    nursery.start(*priya)
    users = [lab.username, "priya"] * 6
    drafts = [
        lab.weighing(animal if number % 3 else other, 20.0 + number, username=user) for number, user in enumerate(users)
    ]
    for draft in drafts:
        outbox.add(draft)
    until(lambda: not outbox.items(OPEN))
    assert {item.state for item in outbox.items()} == {State.SENT}
    rows = [row for one in (animal, other) for row in lab.records("weighings", one)]
    assert sorted((row["weight"], row["user"]) for row in rows) == [
        (20.0 + number, user) for number, user in enumerate(users)
    ]
    assert proxy.count("POST") == len(users)


def test_who_has_to_log_in_is_said_while_nobody_is_and_only_then(outbox, lab, animal, nursery, priya):
    nursery.start()
    first = outbox.add(lab.weighing(animal, username="priya"))
    until(lambda: outbox.item(first.key).wants_login)
    window = nursery.start(*priya)
    until(lambda: outbox.item(first.key).state is State.SENT)
    kill(window)
    second = outbox.add(lab.weighing(animal, username="priya"))
    until(lambda: outbox.item(second.key).wants_login)
    mine = outbox.add(lab.weighing(animal))
    until(lambda: outbox.item(mine.key).state is State.SENT)
    nursery.start(*priya)
    until(lambda: outbox.item(second.key).state is State.SENT)


def test_the_login_of_a_window_that_is_refused_is_left_to_the_other(outbox, lab, animal, accounts, clock):
    # One holds a token that was revoked, the other, which logged in since, a new one.
    old = AlyxClient(lab.url, username=lab.username, token="0" * 40)
    windows = [Outbox(outbox.path), Outbox(outbox.path)]
    senders = [
        Sender(window, clients, clock=clock, poll_s=0.01)
        for window, clients in zip(windows, [lambda *_: old, accounts], strict=True)
    ]
    try:
        senders[0].start()
        item = outbox.add(lab.weighing(animal))
        until(lambda: outbox.item(item.key).wants_login)
        senders[1].start()
        until(lambda: outbox.item(item.key).state is State.SENT)
        again = outbox.add(lab.weighing(animal))
        until(lambda: outbox.item(again.key).state is State.SENT)
    finally:
        for sender, window in zip(senders, windows, strict=True):
            sender.stop()
            window.close()
        old.close()
    assert len(lab.records("weighings", animal)) == 2


def test_one_weight_does_not_wait_behind_all_that_the_other_window_has_to_send(
    outbox, make_sender, lab, animal, other, proxy, accounts, priya, monkeypatch
):
    monkeypatch.setattr(sqlite_file, "TURN_S", 0.0)
    for number in range(30):
        outbox.add(lab.weighing(animal, 20 + number / 100))
    theirs = outbox.add(lab.weighing(other, 24.5, username="priya"))
    client = AlyxClient(lab.url, username="priya", token=priya[1])
    mine = {"jose": accounts, "priya": lambda _server, user: client if user == "priya" else None}
    windows = [Outbox(outbox.path) for _ in mine]
    senders = [Sender(*pair, poll_s=0.01) for pair in zip(windows, mine.values(), strict=True)]
    proxy.fault("hold", method="POST")
    try:
        senders[0].start()
        proxy.wait_for(1, "POST")
        senders[1].start()
        until(lambda: senders[1]._missed_turn)
        proxy.release()
        until(lambda: outbox.item(theirs.key).state is State.SENT)
        assert sum(item.state is State.SENT for item in outbox.items()) < 10
        until(lambda: not outbox.items(OPEN))
    finally:
        for sender, window in zip(senders, windows, strict=True):
            sender.stop()
            window.close()
        client.close()
    assert len(lab.records("weighings", animal)) == 30


def test_before_anything_waits_who_logs_in_is_known_to_the_others(outbox, make_sender, lab, animal, accounts, priya):
    other = Sender(Outbox(outbox.path), lambda *_: None)
    sender = make_sender()
    accounts.log_in(lab.url, *priya)
    sender.start()
    sender.wake((lab.url, "priya"))
    until(lambda: (lab.url, "priya") in sender._locks.held)
    item = replace(lab.weighing(animal), username="priya")
    added = outbox.add(item)
    seen = []
    while not seen or seen[-1].state is not State.SENT:
        other.run_once()
        seen.append(outbox.item(added.key))
    assert not any(one.wants_login for one in seen)
    del accounts.clients[lab.url, "priya"]
    sender.wake()
    until(lambda: (lab.url, "priya") not in sender._locks.held)  # logged out: another window may send for her
    other.stop()
    other._outbox.close()


def test_who_is_not_logged_in_reads_the_outbox_only_when_it_changed(outbox, make_sender, lab, animal, accounts):
    # What another window sends is looked at by the lock alone.
    first, idle = make_sender(), Sender(Outbox(outbox.path), accounts, poll_s=0.001)
    reads, looks = [], []
    read, look = idle._outbox.items, idle._locks.one_is_free
    idle._outbox.items = lambda *options: reads.append(options) or read(*options)
    idle._locks.one_is_free = lambda: looks.append(None) or look()
    assert first._locks.take((lab.url, lab.username))
    item = outbox.add(lab.weighing(animal))
    idle.start()
    until(lambda: len(looks) > 5)
    before = len(reads)
    until(lambda: len(looks) > 100)
    assert len(reads) == before
    assert outbox.item(item.key).state is State.WAITING
    first._locks.leave_all()
    until(lambda: outbox.item(item.key).state is State.SENT)
    idle.stop()
    idle._outbox.close()


@pytest.mark.timeout(max(180, ROUNDS * 2))
def test_either_killed_at_any_moment_nothing_is_lost_and_nothing_doubled(outbox, lab, proxy, tmp_path, priya):
    chance = random.Random(SEED)
    animals = [lab.animal(f"windows_{SEED}_{number}") for number in range(4)]
    clock = SharedClock(tmp_path / "clock", proxy)
    nursery = Nursery(outbox, lab, clock)
    users = [(lab.username, lab.token), priya]
    killed = Counter()
    try:
        proxy.choose(bad_network(random.Random(SEED + 2)))
        windows = [nursery.start(*user) for user in users]
        for number in range(ROUNDS):
            if len(outbox.items(OPEN)) < 8:
                user = chance.choice(users)[0]
                minute = f"2026-11-21T{10 + number // 60 % 12}:{number % 60:02}:00"
                outbox.add(lab.weighing(chance.choice(animals), 20 + number / 100, minute, username=user))
            let_it_live(outbox, chance)
            killed.update(item.state for item in outbox.items([State.SENDING, State.UNSURE]))
            which = chance.randrange(2)
            os.kill(windows[which], signal.SIGKILL)
            windows[which] = nursery.start(*users[which])
        proxy.choose(None)
        wait_until_all_is_sent(outbox, SEED)
        for window in windows:
            os.kill(window, signal.SIGKILL)
    finally:
        nursery.close()
        clock.stop()
    items = outbox.items()
    assert {item.state for item in items} == {State.SENT}, f"seed {SEED}"
    assert killed[State.SENDING], "no window was killed while one sent: the test shows nothing"
    on_server = Counter(
        (one.id, row["user"], row["url"].rpartition("/")[2]) for one in animals for row in lab.records("weighings", one)
    )
    assert on_server == Counter((item.subject_id, item.username, item.server_id) for item in items), f"seed {SEED}"
