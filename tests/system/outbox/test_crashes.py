"""The crash test: the sender is killed at random points, behind a bad network, while animals are renamed and swapped.

At the end the server holds every item exactly once, on the right animal. ``OUTBOX_CRASH_ROUNDS`` sets how often the
sender is killed, ``OUTBOX_CRASH_SEED`` repeats a run as far as chance of the machine allows.
"""

from __future__ import annotations

import contextlib
import mmap
import os
import random
import signal
import struct
import subprocess
import sys
import threading
import time
from collections import Counter
from dataclasses import replace

import pytest

from pybpod_alyx_module.errors import OutboxError
from pybpod_alyx_module.outbox.items import OPEN, Kind, State
from pybpod_alyx_module.outbox.states import Event
from tests.system.outbox.nursery import LIFE_S

ROUNDS = int(os.environ.get("OUTBOX_CRASH_ROUNDS", "50"))
SEED = int(os.environ.get("OUTBOX_CRASH_SEED", "0")) or random.SystemRandom().randrange(1, 10**9)
ANIMALS = 6
#: A request may be under way for so long, by the sender's clock: less than the life that the sender counts on.
LONGEST_S = LIFE_S / 2
ROUTES = {Kind.SESSION: "sessions", Kind.WEIGHING: "weighings", Kind.WATER: "water-administrations"}


class SharedClock:
    """The monotonic clock of all senders: it stands still while a request is under way for longer than it may be.

    So a busy machine makes the test slower, and never makes a request outlive what the outbox was promised.
    """

    def __init__(self, path, proxy):
        path.write_bytes(struct.pack("d", 1000.0))
        self.path = path
        self._proxy = proxy
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._run, daemon=True)
        self._thread.start()

    def _run(self):
        with self.path.open("r+b") as stream:
            shared = mmap.mmap(stream.fileno(), 8)
        value, last = 1000.0, time.monotonic()
        while not self._stop.wait(0.005):
            now = time.monotonic()
            if self._proxy.oldest_s() < LONGEST_S:
                value += min(now - last, 0.01)
            last = now
            shared[:8] = struct.pack("d", value)

    def stop(self):
        self._stop.set()
        self._thread.join()


class Nursery:
    """Starts senders, and kills them."""

    def __init__(self, outbox, lab, clock):
        command = [sys.executable, "-m", "tests.system.outbox.nursery"]
        command += [str(outbox.path), lab.url, str(clock.path)]
        self._process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
        self._user = lab.username, lab.token

    def start(self, *user):
        self._process.stdin.write(f"{' '.join(user or self._user)}\n")
        self._process.stdin.flush()
        return int(self._process.stdout.readline())

    def close(self):
        self._process.stdin.close()
        self._process.wait(10)
        self._process.stdout.close()


def bad_network(chance):
    faults = [
        ("drop", {}),
        ("drop-after", {}),
        ("truncate", {}),
        ("repeat", {}),
        ("answer", {"status": 503, "body": "<html>", "headers": {"Content-Type": "text/html"}}),
        ("delay", {"seconds": LONGEST_S / 2}),
        ("late", {"seconds": LONGEST_S / 2}),
    ]
    return lambda seen: chance.choice(faults) if chance.random() < 0.12 else None


def trouble_the_lab(lab, animals, chance, stop):
    while not stop.wait(chance.uniform(0.02, 0.2)):
        one, other = chance.sample(animals, 2)
        if chance.random() < 0.7:
            lab.swap(one, other)
        else:
            lab.rename(one, f"crash_{chance.randrange(10**9)}")


def add_items(outbox, lab, animals, chance, round_number):
    animal = chance.choice(animals)
    minute = f"2026-11-21T{10 + round_number // 60 % 12}:{round_number % 60:02}:00"
    weight = round(chance.uniform(18, 30), 2)
    match round_number % 4:
        case 0:
            session = outbox.add(lab.session(animal, minute, n_trials=round_number))
            outbox.add(lab.water(animal, weight / 20, minute, follows=session.key))
            outbox.add(lab.draft(Kind.SESSION_UPDATE, animal, {"json": {"later": round_number}}, follows=session.key))
        case 1:
            outbox.add(lab.weighing(animal, weight, minute))
        case 2:
            outbox.add(lab.water(animal, weight / 20, minute))
        case 3:
            move_a_session(outbox, lab, animals, chance)


def move_a_session(outbox, lab, animals, chance):
    """Give a session to another animal, with its water and a weight; not where something of it waits."""
    waited_for = {item.follows for item in outbox.items(OPEN)}
    sent = [item for item in outbox.items([State.SENT]) if item.kind in ROUTES]
    sessions = [item for item in sent if item.kind is Kind.SESSION and item.key not in waited_for]
    session = chance.choice(sessions or [None])
    if session is None:
        return
    of_it = [item for item in sent if item.follows == session.key and item.kind is Kind.WATER]
    weights = [item for item in sent if item.kind is Kind.WEIGHING and item.subject_id == session.subject_id]
    other = chance.choice([animal for animal in animals if animal.id != session.subject_id])
    moved = {"from_id": session.subject_id, "from_name": session.subject_name}
    old = replace(other, id=session.subject_id)
    drafts = [
        lab.draft(Kind.SESSION_MOVE, other, {"id": session.server_id, **moved, "sentence": ""}),
        *(lab.draft(Kind.WATER_MOVE, other, {"id": item.server_id, **moved}, follows=0) for item in of_it),
        *(lab.draft(Kind.NOTE, one, {"text": f"{session.key} moved"}, follows=0) for one in (old, other)),
    ]
    events = {item.key: Event.GIVE for item in (session, *of_it)} | {item.key: Event.REMAKE for item in weights[:1]}
    with contextlib.suppress(OutboxError):
        outbox.give((other.id, other.nickname), drafts, events)


def on_pages(lab, animals):
    return Counter(
        (animal.id, note["json"]["pybpod"]["outbox_key"])
        for animal in animals
        for note in lab.direct.list("notes", {"django": f"object_id,{animal.id}"})
    )


def let_it_live(outbox, chance):
    """Wait until a sender is killed: some die young, some while they send, some after they looked for what was left."""
    fate = chance.random()
    if fate < 0.5:
        time.sleep(chance.uniform(0.005, 0.15))
    elif fate < 0.85:
        deadline = time.monotonic() + 1  # all that waits may have to wait for its next try
        while not outbox.items([State.SENDING]) and time.monotonic() < deadline:
            time.sleep(0.002)
        time.sleep(chance.uniform(0, 0.03))
    else:
        time.sleep(chance.uniform(0.5, 0.8))


def wait_until_all_is_sent(outbox, seed):
    deadline = time.monotonic() + 120
    while outbox.items(OPEN):
        waiting = [(item.kind.value, item.state.value, item.reason) for item in outbox.items() if item.sent_at is None]
        assert time.monotonic() < deadline, f"seed {seed}: {waiting}"
        assert not outbox.items((State.PARKED,)), f"seed {seed}: {waiting}"
        time.sleep(0.05)


@pytest.mark.skipif(os.name != "posix", reason="senders are forked and killed")
@pytest.mark.timeout(max(180, ROUNDS * 2))
def test_killed_senders_a_bad_network_and_swapped_names_lose_nothing_and_double_nothing(outbox, lab, proxy, tmp_path):
    chance = random.Random(SEED)
    animals = [lab.animal(f"crash_{SEED}_{number}") for number in range(ANIMALS)]
    clock = SharedClock(tmp_path / "clock", proxy)
    stop = threading.Event()
    swapper = threading.Thread(target=trouble_the_lab, args=(lab, animals, random.Random(SEED + 1), stop), daemon=True)
    nursery = Nursery(outbox, lab, clock)
    killed = Counter()
    try:
        swapper.start()
        proxy.choose(bad_network(random.Random(SEED + 2)))
        for round_number in range(ROUNDS):
            if len(outbox.items(OPEN)) < 2 * ANIMALS:
                add_items(outbox, lab, animals, chance, round_number)
            child = nursery.start()
            let_it_live(outbox, chance)
            killed.update(item.state for item in outbox.items([State.SENDING, State.UNSURE]))
            os.kill(child, signal.SIGKILL)
        proxy.choose(None)
        stop.set()
        swapper.join()
        child = nursery.start()
        wait_until_all_is_sent(outbox, SEED)
        for _ in range(3):  # in the rounds before, all of a session may never have been sent
            move_a_session(outbox, lab, animals, chance)
            time.sleep(chance.uniform(0.02, 0.2))
            os.kill(child, signal.SIGKILL)
            child = nursery.start()
        wait_until_all_is_sent(outbox, SEED)
        os.kill(child, signal.SIGKILL)
    finally:
        stop.set()
        nursery.close()
        clock.stop()
    items = outbox.items()
    assert {item.state for item in items} == {State.SENT}, f"seed {SEED}"
    assert killed[State.SENDING], "no sender was killed while it sent: the test shows nothing"
    assert killed[State.UNSURE]
    for kind, route in ROUTES.items():
        expected = Counter((item.subject_id, item.server_id) for item in items if item.kind is kind)
        on_server = Counter(
            (animal.id, row["url"].rpartition("/")[2]) for animal in animals for row in lab.records(route, animal)
        )
        assert on_server == expected, f"seed {SEED}: {route}"
    assert on_pages(lab, animals) == Counter((item.subject_id, item.key) for item in items if item.kind is Kind.NOTE)
    moves = Counter(item.values["id"] for item in items if item.kind is Kind.SESSION_MOVE)
    assert moves, f"seed {SEED}: nothing was moved"
    for record, times in moves.items():
        detail = lab.direct.get(("sessions", record))
        assert detail["narrative"].count("Moved from") == len(detail["json"]["pybpod"]["moved"]) == times, (
            f"seed {SEED}"
        )
    for item in items:
        if item.kind is Kind.SESSION_UPDATE:
            detail = lab.direct.get(("sessions", item.server_id))
            assert detail["json"]["later"] == item.values["json"]["later"], f"seed {SEED}"
            assert detail["json"]["pybpod"]["outbox_key"] == item.follows, f"seed {SEED}"
