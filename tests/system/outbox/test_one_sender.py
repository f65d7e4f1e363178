"""Of all senders of an outbox one is at work; the next takes over when it is gone."""

from __future__ import annotations

import os
import signal
import struct

import pytest

from pybpod_alyx_module.errors import OutboxError
from pybpod_alyx_module.outbox.items import State
from pybpod_alyx_module.outbox.outbox import Outbox
from pybpod_alyx_module.outbox.sender import Sender
from tests.system.outbox.conftest import LIFE_S
from tests.system.outbox.test_crashes import Nursery


def test_the_second_sender_sends_nothing_while_the_first_is_there(
    outbox, make_sender, accounts, lab, animal, other, proxy
):
    first = make_sender(poll_s=0.02)
    proxy.fault("hold", method="POST")
    outbox.add(lab.weighing(animal))
    first.start()
    proxy.wait_for(1, "POST")
    second_window = Outbox(outbox.path)
    second = Sender(second_window, accounts)
    elsewhere = outbox.add(lab.weighing(other))
    assert first.leads
    assert not second.run_once()
    assert outbox.item(elsewhere.key).state is State.WAITING
    proxy.release()
    first.stop(grace_s=30)
    assert second.run_once()
    assert {item.state for item in outbox.items()} == {State.SENT}
    assert proxy.count("POST") == 2
    second_window.close()


@pytest.mark.skipif(os.name != "posix", reason="the sender is forked and killed")
def test_the_next_takes_over_when_the_first_is_killed(outbox, sender, lab, animal, proxy, tmp_path, clock):
    class StandingClock:
        path = tmp_path / "clock"

    StandingClock.path.write_bytes(struct.pack("d", 1.0))
    item = outbox.add(lab.weighing(animal))
    proxy.fault("hold", method="POST")
    nursery = Nursery(outbox, lab, StandingClock)
    try:
        child = nursery.start()
        proxy.wait_for(1, "POST")
        assert not sender.run_once()
        os.kill(child, signal.SIGKILL)
        while not sender.run_once():
            pass  # until the system has let go of its lock
        assert outbox.item(item.key).state is State.UNSURE
        proxy.release()  # the killed sender's request arrives now
        while not lab.records("weighings", animal):
            pass
        clock.pass_by(LIFE_S - 1)
        sender.run_once()
        assert outbox.item(item.key).state is State.UNSURE
        clock.pass_by(1)
        sender.run_once()
    finally:
        nursery.close()
    assert outbox.item(item.key).state is State.SENT
    assert len(lab.records("weighings", animal)) == 1


def test_a_lock_that_cannot_be_made_is_told(outbox, make_sender, lab, animal):
    outbox.add(lab.weighing(animal))
    lock = outbox.path.with_name("outbox.sqlite.sender.lock")
    lock.mkdir()
    with pytest.raises(OutboxError, match="cannot be sent") as trouble:
        make_sender().run_once()
    assert str(outbox.path) in str(trouble.value)
    assert trouble.value.hint
    lock.rmdir()
    assert make_sender().run_once()
    assert {item.state for item in outbox.items()} == {State.SENT}


def test_what_one_sender_saw_long_ago_says_nothing_about_what_another_sent_since(
    outbox, make_sender, lab, animal, proxy, clock
):
    item = outbox.add(lab.weighing(animal))
    first, second = make_sender(), make_sender()
    proxy.fault("drop", method="POST", times=2)
    first.run_once()
    second.run_once()
    clock.pass_by(LIFE_S)
    second.run_once()  # looks, sends again, and loses that answer, too
    assert (outbox.item(item.key).state, outbox.item(item.key).attempts) == (State.UNSURE, 2)
    asked = len(proxy.requests)
    first.run_once()
    assert len(proxy.requests) == asked
