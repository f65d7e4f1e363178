"""How long the server's throttle asks to wait, and the gate that holds requests back meanwhile."""

from __future__ import annotations

import email.utils
import time

import pytest

from alyx_connector.http.throttle import ThrottleGate, parse_retry_after
from tests.unit.connector.test_retry import Clock


@pytest.mark.parametrize(
    ("text", "seconds"),
    [
        (None, None),
        ("56", 56),
        (" 3 ", 3),
        ("0", 0),
        ("-5", None),
        ("soon", None),
        ("", None),
        ("1.5", None),
        ("٣", None),
    ],
)
def test_retry_after(text, seconds):
    assert parse_retry_after(text) == seconds


def test_retry_after_as_a_date():
    assert parse_retry_after(email.utils.formatdate(time.time() - 60, usegmt=True)) == 0
    assert 3000 < parse_retry_after(email.utils.formatdate(time.time() + 3600, usegmt=True)) <= 3600


@pytest.mark.parametrize("digits", [30, 400, 5000])
def test_an_absurd_retry_after_is_long_or_nonsense_but_no_crash(digits):
    seconds = parse_retry_after("9" * digits)
    assert seconds is None or seconds > 300


def test_the_gate_opens_when_the_longest_hold_is_over():
    clock = Clock()
    gate = ThrottleGate(clock)
    assert gate.left() == 0
    gate.hold(56)
    gate.hold(3)
    assert gate.left() == 56
    clock.now += 57
    assert gate.left() == 0
