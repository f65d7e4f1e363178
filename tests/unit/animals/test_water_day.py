"""For which day a server counts water, and what is said where that is not the day in the lab."""

from __future__ import annotations

import datetime as dt
from zoneinfo import ZoneInfo

import pytest

from alyx_connector.errors import ProtocolError
from alyx_connector.zones.day_note import server_day_note
from alyx_connector.zones.server_offsets import ServerClock
from alyx_connector.zones.told_labs import is_first_time
from pybpod_alyx_module.animals.rows import day_of_water, is_counted_in_utc, utc_day_note

PARIS, NEW_YORK = ZoneInfo("Europe/Paris"), ZoneInfo("America/New_York")


@pytest.mark.parametrize(
    ("time", "day"),
    [
        ("2026-11-21T00:30:00", "2026-11-21"),
        ("2026-11-21T00:30:00+01:00", "2026-11-20"),
        ("2026-11-21T01:00:00+01:00", "2026-11-21"),
        ("2026-11-20T20:00:00-05:00", "2026-11-21"),
        ("2026-11-20T23:59:59Z", "2026-11-20"),
    ],
)
def test_water_with_an_offset_counts_for_its_day_in_utc(time: str, day: str) -> None:
    assert day_of_water(time, None, ServerClock(())) == dt.date.fromisoformat(day)


def test_no_time_has_no_day_and_no_text_is_refused() -> None:
    assert day_of_water(None, None, ServerClock(())) is None
    with pytest.raises(ProtocolError, match="as a time"):
        day_of_water("soon", None, ServerClock(()))


@pytest.mark.parametrize(
    ("restricted_at", "in_utc"), [("2026-11-15T08:00:00Z", True), ("2026-11-15T08:00:00", False), (None, False)]
)
def test_a_server_with_offsets_counts_in_utc(restricted_at: str | None, in_utc: bool) -> None:
    assert is_counted_in_utc({"last_water_restriction": restricted_at}) is in_utc


@pytest.mark.parametrize(
    ("zone", "time", "counted", "in_lab"),
    [
        (PARIS, "2026-11-21T00:30:00+01:00", "2026-11-20", "2026-11-21"),
        (PARIS, "2026-07-21T01:59:00+02:00", "2026-07-20", "2026-07-21"),
        (NEW_YORK, "2026-11-20T19:00:00-05:00", "2026-11-21", "2026-11-20"),
    ],
)
def test_another_day_is_said(zone: ZoneInfo, time: str, counted: str, in_lab: str) -> None:
    said = utc_day_note(zone, now=dt.datetime.fromisoformat(time))
    assert said == (
        f"The server counts water by the day in UTC: what is given now counts for {counted}, not for {in_lab}."
    )


@pytest.mark.parametrize(
    ("zone", "time"), [(PARIS, "2026-11-21T01:00:00+01:00"), (NEW_YORK, "2026-11-20T18:59:00-05:00")]
)
def test_the_same_day_needs_no_word(zone: ZoneInfo, time: str) -> None:
    assert utc_day_note(zone, now=dt.datetime.fromisoformat(time)) == ""


TEN = dt.datetime(2026, 11, 21, 10, tzinfo=dt.timezone.utc)


@pytest.mark.parametrize(
    ("lab", "hours", "words"),
    [
        (
            "Pacific/Kiritimati",
            0,
            ("keeps UTC, 14 h behind this lab", "14 h earlier", "after 10:00 counts for tomorrow"),
        ),
        (
            "America/Los_Angeles",
            0,
            ("keeps UTC, 8 h ahead of this lab", "8 h later", "before 08:00 counts for yesterday"),
        ),
        (
            "Asia/Kathmandu",
            9,
            ("keeps UTC+09:00, 3.25 h ahead of", "3.25 h later", "before 03:15 counts for yesterday"),
        ),
        (
            "Europe/Paris",
            -5,
            ("keeps UTC-05:00, 6 h behind this lab", "6 h earlier", "after 18:00 counts for tomorrow"),
        ),
    ],
)
def test_a_server_whose_clock_is_not_the_labs_is_told_of(lab: str, hours: int, words: tuple[str, ...]) -> None:
    note = server_day_note(ZoneInfo(lab), dt.timedelta(hours=hours), now=TEN)
    assert all(word in note for word in words), note
    assert "Weights and water sent from here count for the lab's day" in note


def test_nothing_is_said_of_a_server_on_the_labs_clock_and_of_one_that_does_not_tell_the_risk_is() -> None:
    assert server_day_note(ZoneInfo("Europe/Lisbon"), dt.timedelta(0), now=TEN) == ""
    assert "may count for another day" in server_day_note(ZoneInfo("Europe/Lisbon"), None, now=TEN)


def test_it_is_said_once_for_each_server_and_lab(tmp_path, monkeypatch) -> None:
    monkeypatch.setenv("ALYX_CONNECTOR_HOME", str(tmp_path))
    for server, lab in (("https://a", "x"), ("https://a", "y"), ("https://b", "x")):
        assert is_first_time(server, lab)
        assert not is_first_time(server, lab)


def test_it_is_said_where_that_cannot_be_noted(tmp_path, monkeypatch) -> None:
    (tmp_path / "told_labs.json").mkdir()
    monkeypatch.setenv("ALYX_CONNECTOR_HOME", str(tmp_path))
    assert is_first_time("https://a", "x")
