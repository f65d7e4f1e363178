"""Several requests at once: what came is kept, whatever ends it."""

from __future__ import annotations

import queue
import threading
from itertools import pairwise
from types import SimpleNamespace

import pytest

from alyx_connector.errors import ServerFaultError
from alyx_connector.http import parallel
from alyx_connector.http.parallel import gather
from alyx_connector.progress import Cancelled, CancelToken, Estimate, Progress


def run(jobs, *, workers=2, cancel=None, report=None, arrived=None):
    return gather(
        jobs,
        workers=workers,
        cancel=cancel or CancelToken(),
        report=report or (lambda progress: None),
        arrived=arrived or (lambda outcome: True),
    )


def test_outcomes_stand_in_the_order_of_the_requests_whichever_came_first():
    first_is_done = threading.Event()

    def late(cancel, report):
        assert first_is_done.wait(10)
        return "late"

    def early(cancel, report):
        first_is_done.set()
        return "early"

    assert run([late, early]).outcomes == ["late", "early"]


def test_one_that_fails_does_not_sink_the_rest():
    def fails(cancel, report):
        raise ServerFaultError("no")

    gathered = run([lambda cancel, report: 1, fails, lambda cancel, report: 3])
    assert gathered.outcomes[::2] == [1, 3]
    assert isinstance(gathered.outcomes[1], ServerFaultError)
    assert gathered.stopped is None


def test_a_bug_is_raised_by_the_one_who_called():
    def bug(cancel, report):
        raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        run([bug])


@pytest.mark.parametrize("how", ["cancel", "ctrl-c", "given up"])
def test_a_stop_keeps_what_came_and_ends_the_rest(how):
    cancel = CancelToken()
    ended = threading.Event()

    def waits(stop, report):
        stop.wait(60)
        ended.set()
        stop.raise_if_cancelled()

    def arrived(outcome):
        if how == "cancel":
            cancel.cancel()
        if how == "ctrl-c":
            raise KeyboardInterrupt
        return how != "given up"

    gathered = run([lambda stop, report: "came", waits, waits], cancel=cancel, arrived=arrived)
    assert gathered.outcomes == ["came", None, None]
    assert isinstance(gathered.stopped, KeyboardInterrupt if how == "ctrl-c" else Cancelled)
    assert ended.is_set()
    assert not [thread for thread in threading.enumerate() if thread.name.startswith("alyx-ask")]


def test_what_comes_in_while_it_stops_is_kept_too():
    def ends_late(stop, report):
        stop.wait(60)
        return "late"

    def arrived(outcome):
        raise KeyboardInterrupt

    gathered = run([lambda stop, report: "came", ends_late], arrived=arrived)
    assert gathered.outcomes == ["came", "late"]
    assert isinstance(gathered.stopped, KeyboardInterrupt)


class Interrupted:
    """An inbox from which Ctrl-C comes back in the place of an answer that was just taken out of it."""

    def __init__(self, inbox):
        self._inbox = inbox
        self.put = inbox.put

    def get(self, timeout=None):
        self._inbox.get(timeout=timeout)
        raise KeyboardInterrupt


def test_an_answer_that_ctrl_c_meets_on_its_way_is_kept(monkeypatch):
    queues = iter([Interrupted(queue.SimpleQueue()), queue.SimpleQueue()])  # what arrives, and what waits to be asked
    monkeypatch.setattr(parallel, "queue", SimpleNamespace(SimpleQueue=lambda: next(queues), Empty=queue.Empty))

    def waits(stop, report):
        stop.wait(60)
        stop.raise_if_cancelled()

    gathered = run([lambda stop, report: "came", waits])
    assert gathered.outcomes == ["came", None]
    assert isinstance(gathered.stopped, KeyboardInterrupt)


def test_requests_that_another_thread_cancelled_end_it():
    """As `AlyxClient.abort` does: the requests are cancelled, the token that was given is not."""

    def aborted(stop, report):
        raise Cancelled

    gathered = run([lambda stop, report: "came", aborted, aborted], workers=1)
    assert gathered.outcomes == ["came", None, None]
    assert isinstance(gathered.stopped, Cancelled)


def test_nothing_to_ask_for_is_nothing():
    assert run([]).outcomes == []


def test_progress_of_a_request_is_told_on_the_thread_that_called():
    told = []

    def asks(cancel, report):
        report(Progress("wait", 0, 3))
        return 1

    run([asks], report=lambda progress: told.append((progress.stage, threading.current_thread())))
    assert told == [("wait", threading.current_thread())]


def test_the_estimate_begins_with_a_guess_and_goes_on_with_what_was_seen():
    now = [0.0]
    estimate = Estimate(100, workers=8, first_guess_s=0.8, clock=lambda: now[0])
    assert estimate.left(0) == pytest.approx(10)
    seen = []
    for done in (20, 60, 100):
        now[0] = done * 0.5
        seen.append(estimate.left(done))
    assert seen == [pytest.approx(40), pytest.approx(20), 0]
    assert all(later < earlier for earlier, later in pairwise(seen))
