"""What is sent again, and after how long."""

from __future__ import annotations

import pytest

from alyx_connector.http.retry import Attempts, Deadline


class Clock:
    def __init__(self):
        self.now = 1000.0

    def __call__(self):
        return self.now


def test_a_get_is_sent_again_a_few_times_with_growing_pauses():
    attempts = Attempts("GET")
    pauses = [attempts.wait_after_status(503, None) for _ in range(5)]
    assert pauses == [0, 1, 2, 4, None]
    assert attempts.count == 5


def test_drops_and_faults_count_together():
    attempts = Attempts("GET")
    pauses = [attempts.wait_after_drop(), attempts.wait_after_status(502, None), attempts.wait_after_drop()]
    pauses += [attempts.wait_after_status(504, None), attempts.wait_after_drop()]
    assert pauses == [0, 1, 2, 4, None]


@pytest.mark.parametrize("method", ["POST", "PATCH"])
def test_a_write_is_sent_again_only_after_a_429(method):
    attempts = Attempts(method)
    assert [attempts.wait_after_status(status, 1) for status in (500, 502, 503, 504)] == [None] * 4
    assert attempts.wait_after_drop() is None
    assert attempts.count == 1
    assert attempts.wait_after_status(429, 7) == 7
    assert attempts.count == 2


@pytest.mark.parametrize("status", [200, 301, 400, 401, 403, 404, 408, 413, 500, 501])
def test_other_answers_are_final(status):
    assert Attempts("GET").wait_after_status(status, 1) is None


def test_the_server_is_obeyed_but_not_hammered():
    attempts = Attempts("GET")
    assert attempts.wait_after_status(429, 56) == 56
    assert [attempts.wait_after_status(429, 0) for _ in range(3)] == [1, 2, 4]
    assert Attempts("GET").wait_after_status(503, 30) == 30


def test_a_deadline_is_renewed_by_progress():
    clock = Clock()
    deadline = Deadline(300, clock)
    clock.now += 299
    assert deadline.left() == 1
    deadline.renew()
    assert deadline.left() == 300
    clock.now += 301
    assert deadline.left() == 0
