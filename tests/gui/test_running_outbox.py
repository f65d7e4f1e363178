"""The outbox of a running PyBpod: kept before it is said, sent in the background, seen by every PyBpod."""

from __future__ import annotations

import threading
from functools import partial

import pytest

from alyx_connector import AlyxClient
from alyx_connector.accounts import Accounts
from alyx_connector.errors import LoginRequiredError
from pybpod_alyx_module import connect
from pybpod_alyx_module.errors import OutboxError
from pybpod_alyx_module.gui import running_outbox as running
from pybpod_alyx_module.outbox.items import State
from pybpod_alyx_module.outbox.outbox import Outbox
from pybpod_alyx_module.outbox.sender import Sender
from tests.gui.hands import alyx_home, hanging_keyring, wait
from tests.gui.outboxes import alyx, finished, item, lab, outbox, put, start, wait_for

__all__ = ["alyx", "alyx_home", "hanging_keyring", "lab", "outbox", "start"]


def test_looking_makes_no_file(outbox, alyx_home, qtbot):
    assert finished(qtbot, outbox.items()) == ()
    assert outbox.counts.open == 0
    assert outbox.hold("http://127.0.0.1:9", "x") == ""
    assert not (alyx_home / "outbox.sqlite").exists()


def test_what_is_added_is_sent_at_once_and_told(start, lab, qtbot, monkeypatch):
    monkeypatch.setattr(running, "Sender", partial(Sender, poll_s=3600.0))  # nobody waits for its next look by itself
    outbox = start()
    lab.log_in()
    for number, weight in enumerate((23.1, 22.9), 1):
        (added,) = put(qtbot, outbox, lab.weighing(weight=weight))
        assert added.state is State.WAITING
        wait(qtbot, lambda number=number: lab.proxy.count("POST", "/weighings") == number)
        sent = wait_for(qtbot, outbox, added.key, State.SENT)
        assert lab.on_alyx("weighings", sent.server_id)["weight"] == weight
    wait(qtbot, lambda: outbox.counts.open == 0)


def test_what_an_earlier_pybpod_left_is_sent_at_the_start(alyx_home, start, lab, qtbot):
    lab.log_in()
    earlier = Outbox()
    left = earlier.add(lab.weighing(weight=22.2))
    earlier.close()
    outbox = start()
    wait_for(qtbot, outbox, left.key, State.SENT)


def test_a_change_by_another_program_is_told(outbox, lab, qtbot):
    other = Outbox()
    with qtbot.waitSignal(outbox.changed, timeout=30_000):
        other.add(lab.weighing())
    wait(qtbot, lambda: outbox.counts.open == 1)
    assert "wait in the Alyx outbox" in outbox.hold(lab.url, lab.ids["ea04"])
    assert outbox.hold(lab.url, lab.ids["jo003"]) == ""
    other.close()


def test_who_has_to_log_in_is_counted_as_needing_a_person(outbox, lab, qtbot):
    put(qtbot, outbox, lab.weighing())
    wait(qtbot, lambda: outbox.outlook.needing == 1)
    assert lab.proxy.requests == []
    outbox.remember(AlyxClient(lab.url, username=lab.username, token=lab.token))
    wait(qtbot, lambda: outbox.counts.open == 0)


def test_reading_does_not_end_the_pause_of_a_server_that_is_down(outbox, lab, qtbot):
    lab.log_in()
    lab.proxy.fault("answer", times=1000, status=429, headers={"Retry-After": "600"}, body={"detail": "slow"})
    (added,) = put(qtbot, outbox, lab.weighing())
    wait(qtbot, lambda: item(qtbot, outbox, added.key).reason)
    lab.proxy.forget_requests()
    other = Outbox()
    for name in ("ea04", "jo003", "jo004"):  # the sender looks again at each of them
        with qtbot.waitSignal(outbox.changed, timeout=30_000):
            other.add(lab.weighing(name))
            finished(qtbot, outbox.items())
    other.close()
    assert lab.proxy.requests == []
    outbox.wake()
    lab.proxy.wait_for(1)


def test_of_two_neither_is_kept_where_one_is_refused(outbox, lab, qtbot):
    with pytest.raises(OutboxError, match="heavy"):
        put(qtbot, outbox, lab.weighing("ea04"), lab.weighing("jo003", weight="heavy"))
    assert finished(qtbot, outbox.items()) == ()


def test_a_token_of_a_window_that_was_revoked_does_not_hide_a_newer_one(outbox, lab, qtbot):
    stale = AlyxClient(lab.url, username=lab.username, token="0" * 40)
    outbox.remember(stale)
    put(qtbot, outbox, lab.weighing())
    wait(qtbot, lambda: outbox.outlook.needing == 1)
    with pytest.raises(LoginRequiredError):
        outbox.client(lab.url, lab.username)
    lab.log_in()  # by another program
    assert outbox.client(lab.url, lab.username).token == lab.token
    outbox.wake()
    wait(qtbot, lambda: outbox.counts.open == 0)


def test_as_whom_something_is_written(outbox, lab):
    assert outbox.account_for(lab.url, "anna") == "anna"
    assert outbox.account_for(lab.url, "") == ""
    Accounts().remember(lab.url, "jose", lab.token, keep_token=False)
    assert outbox.account_for(lab.url, "") == "jose"
    assert outbox.account_for("http://127.0.0.1:9", "") == ""


def test_a_damaged_file_is_told_until_it_was_read(alyx_home, start, lab, qtbot):
    alyx_home.mkdir(parents=True)
    (alyx_home / "outbox.sqlite").write_bytes(b"no database" * 1000)
    outbox = start()
    wait(qtbot, lambda: outbox.outlook.notes)
    assert "damaged" in outbox.outlook.notes[0]
    assert outbox.outlook.problem == ""
    outbox.acknowledge()
    wait(qtbot, lambda: not outbox.outlook.notes)


def test_a_file_that_cannot_be_opened_is_told_and_postpones_removals(alyx_home, start, lab, qtbot):
    alyx_home.mkdir(parents=True)
    (alyx_home / "outbox.sqlite").mkdir()
    outbox = start()
    wait(qtbot, lambda: outbox.outlook.problem)
    assert str(alyx_home / "outbox.sqlite") in outbox.outlook.problem
    assert "cannot be read" in outbox.hold(lab.url, lab.ids["ea04"])
    with pytest.raises(OutboxError):
        put(qtbot, outbox, lab.weighing())
    (alyx_home / "outbox.sqlite").rmdir()
    wait(qtbot, lambda: not outbox.outlook.problem)
    put(qtbot, outbox, lab.weighing())


def test_a_sender_that_cannot_work_is_told(alyx_home, start, lab, qtbot):
    alyx_home.mkdir(parents=True)
    (alyx_home / "outbox.sqlite.sender.lock").mkdir()  # in the way of the lock that one sender takes
    outbox = start()
    put(qtbot, outbox, lab.weighing())
    wait(qtbot, lambda: outbox.outlook.problem)
    assert "cannot be sent" in outbox.outlook.problem
    assert outbox.counts.open == 1
    assert outbox.hold(lab.url, lab.ids["jo003"]) == ""  # what waits is known


def test_it_ends_while_a_request_hangs_and_takes_nothing_more(outbox, lab, qtbot, monkeypatch):
    monkeypatch.setattr(running, "GRACE_S", 0.1)
    lab.log_in()
    lab.proxy.fault("mute", method="POST", path="/weighings")
    (added,) = put(qtbot, outbox, lab.weighing())
    lab.proxy.wait_for(1, method="POST", path="/weighings")
    running.stop_outbox()
    assert not [thread for thread in threading.enumerate() if thread.name == "alyx-outbox"]
    left = Outbox()
    assert left.item(added.key).state is State.UNSURE
    left.close()
    with pytest.raises(OutboxError, match="closing"):
        put(qtbot, outbox, lab.weighing())


def test_it_ends_while_the_tokens_cannot_be_had(outbox, lab, qtbot, monkeypatch):
    asked, released, done = threading.Event(), threading.Event(), threading.Event()

    def hang():
        asked.set()
        released.wait(60)
        done.set()
        return Accounts()

    monkeypatch.setattr(connect, "Accounts", hang)
    monkeypatch.setattr(running, "STOP_S", 0.2)
    put(qtbot, outbox, lab.weighing())
    assert asked.wait(30)
    running.stop_outbox()
    assert not done.is_set()
    released.set()
    assert done.wait(30)


def test_it_ends_while_the_keyring_hangs(outbox, lab, qtbot, hanging_keyring, monkeypatch):
    monkeypatch.setattr(running, "STOP_S", 0.2)
    put(qtbot, outbox, lab.weighing())
    assert hanging_keyring.asked.wait(30)
    running.stop_outbox()
    assert running._running == []
