"""Times of Alyx's rows as the lab's clock showed them."""

from __future__ import annotations

import datetime as dt
import json
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest

from alyx_connector.zones.server_offsets import ServerClock, remember_offset, server_clock
from pybpod_alyx_module.animals.rows import counted_at, day_of_water, session_seen, wall_time, weighings
from pybpod_alyx_module.sessions.ask_alyx_about_session import _on_day

TOKYO = ZoneInfo("Asia/Tokyo")
URL = "https://alyx.example.org"
CASES = json.loads((Path(__file__).parents[2] / "fixtures" / "days.json").read_text())


@pytest.fixture(autouse=True)
def home(tmp_path, monkeypatch):
    monkeypatch.setenv("ALYX_CONNECTOR_HOME", str(tmp_path))


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
    assert weighings([{"weight": 20, "date_time": said}], zone, ServerClock(()))[0].when == expected
    assert session_seen({"id": "x", "start_time": said}, zone).start_time == expected


@pytest.mark.parametrize(("server", "lab", "lab_time", "sent", "day"), CASES)
def test_weights_and_water_are_of_the_day_for_which_alyx_counted_them(server, lab, lab_time, sent, day):
    offset = dt.datetime.fromisoformat(lab_time).replace(tzinfo=ZoneInfo(lab)).astimezone(ZoneInfo(server)).utcoffset()
    remember_offset(URL, offset)
    clock = server_clock(URL)
    assert day_of_water(sent, ZoneInfo(lab), clock) == dt.date.fromisoformat(day)
    (one,) = weighings([{"weight": 20, "date_time": sent}], ZoneInfo(lab), clock)
    there = dt.datetime.fromisoformat(lab_time).replace(tzinfo=ZoneInfo(lab)).astimezone(dt.timezone.utc)
    assert one.when == there.astimezone(ZoneInfo(lab)).replace(tzinfo=None)


def test_the_offset_of_that_time_counts():
    summer, winter = "2026-07-21T12:00:00+00:00", "2026-11-21T12:00:00+00:00"
    for seen, hours in ((summer, 1), (winter, 0)):
        remember_offset(URL, dt.timedelta(hours=hours), dt.datetime.fromisoformat(seen))
    clock = server_clock(URL)
    for said, shown in (("2026-07-20T23:30:00", "2026-07-21T07:30:00"), ("2026-11-20T23:30:00", "2026-11-21T08:30:00")):
        assert counted_at(said, TOKYO, clock) == dt.datetime.fromisoformat(shown)
        assert counted_at(said, None, clock) == dt.datetime.fromisoformat(said)


def test_other_sessions_are_those_of_the_labs_day():
    rows = [
        {"id": place, "start_time": f"2026-01-{day}:00+01:00"} for place, day in enumerate(("15T15:59", "15T16:00"))
    ]
    day = dt.date(2026, 1, 16)
    assert [row["start_time"] for row in _on_day(rows, day, TOKYO)] == ["2026-01-16T00:00:00"]
    assert _on_day(rows, day, None) == ()
    naive = [{"id": 1, "start_time": "2026-01-16T00:10:00"}, {"id": 2, "start_time": None}]
    assert [row["id"] for row in _on_day(naive, day, TOKYO)] == [1]
