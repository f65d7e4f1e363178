"""Which numbers a new session cannot have, by the times that the server answers."""

from __future__ import annotations

import datetime as dt

import pytest

from alyx_connector.writing.session_numbers import days_around, numbers_taken


def rows(*sessions):
    return [{"start_time": start, "number": number} for start, number in sessions]


@pytest.mark.parametrize(
    ("start", "sessions", "taken"),
    [
        ("2026-01-10T10:00:00", (), set()),
        # a server that keeps no zones: the day as it stands there
        ("2026-01-10T10:00:00", (("2026-01-10T08:00:00", 1), ("2026-01-09T23:50:00", 2)), {1}),
        ("2026-01-10T00:30:00", (("2026-01-09T23:50:00", 2),), set()),
        # one that keeps zones names a session by its own day, and later by the day in UTC
        ("2026-01-10T10:00:00", (("2026-01-10T08:00:00+01:00", 1), ("2026-01-09T10:00:00+01:00", 2)), {1}),
        ("2026-01-10T00:30:00", (("2026-01-09T10:00:00+01:00", 2), ("2026-01-10T10:00:00+01:00", 3)), {2, 3}),
        ("2026-01-09T10:00:00", (("2026-01-10T00:30:00+01:00", 2),), {2}),
        ("2026-01-10T10:00:00+09:00", (("2026-01-10T01:10:00+01:00", 4), ("2026-01-11T10:00:00+01:00", 5)), {4}),
        ("2026-01-10T20:00:00", (("2026-01-11T10:00:00-05:00", 6), ("2026-01-10T10:00:00-05:00", 7)), {6, 7}),
        # what has no time or number is not in the way
        ("2026-01-10T10:00:00", ((None, 1), ("2026-01-10T10:00:00", None)), set()),
    ],
)
def test_the_numbers_of_the_days_that_it_may_come_to_have(start, sessions, taken):
    assert numbers_taken(start, rows(*sessions)) == taken


def test_the_days_that_are_asked_for_are_those_around_it():
    for start in ("2026-03-01T00:10:00", "2026-03-01T23:50:00+14:00"):
        assert days_around(start) == (dt.date(2026, 2, 28), dt.date(2026, 3, 2))
