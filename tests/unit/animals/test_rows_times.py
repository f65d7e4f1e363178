"""Times of Alyx's rows as the lab's clock showed them."""

from __future__ import annotations

import datetime as dt
from zoneinfo import ZoneInfo

import pytest

from pybpod_alyx_module.animals.rows import session_seen, wall_time, weighings
from pybpod_alyx_module.sessions.ask_alyx_about_session import _on_day

TOKYO = ZoneInfo("Asia/Tokyo")


@pytest.mark.parametrize(
    ("said", "zone", "shown"),
    [
        ("2026-01-15T23:30:00", TOKYO, "2026-01-15T23:30:00"),
        ("2026-01-15T23:30:00+01:00", TOKYO, "2026-01-16T07:30:00"),
        ("2026-01-15T22:30:00Z", TOKYO, "2026-01-16T07:30:00"),
        ("2026-01-15T23:30:00+01:00", None, "2026-01-15T23:30:00"),
    ],
)
def test_a_time_with_an_offset_is_shown_on_the_labs_clock(said, zone, shown):
    expected = dt.datetime.fromisoformat(shown)
    assert wall_time(said, zone) == expected
    assert weighings([{"weight": 20, "date_time": said}], zone)[0].when == expected
    assert session_seen({"id": "x", "start_time": said}, zone).start_time == expected


def test_other_sessions_are_those_of_the_labs_day():
    rows = [
        {"id": place, "start_time": f"2026-01-{day}:00+01:00"} for place, day in enumerate(("15T15:59", "15T16:00"))
    ]
    day = dt.date(2026, 1, 16)
    assert [row["start_time"] for row in _on_day(rows, day, TOKYO)] == ["2026-01-16T00:00:00"]
    assert _on_day(rows, day, None) == ()
    naive = [{"id": 1, "start_time": "2026-01-16T00:10:00"}, {"id": 2, "start_time": None}]
    assert [row["id"] for row in _on_day(naive, day, TOKYO)] == [1]
