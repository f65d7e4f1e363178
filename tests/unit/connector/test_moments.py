"""Times as text, on the clocks of labs and servers."""

from __future__ import annotations

from zoneinfo import ZoneInfo

import pytest

from alyx_connector.zones.moments import lab_zone, on_lab_clock, same_time, with_lab_offset

PARIS = ZoneInfo("Europe/Paris")


@pytest.mark.parametrize(
    ("naive", "aware"),
    [
        ("2026-01-15T12:00:00", "2026-01-15T12:00:00+01:00"),
        ("2026-07-15T12:00:00", "2026-07-15T12:00:00+02:00"),
        ("2026-01-15T23:59:59.500000", "2026-01-15T23:59:59.500000+01:00"),
        ("2026-10-25T02:30:00", "2026-10-25T02:30:00+02:00"),
    ],
)
def test_there_and_back(naive, aware):
    assert with_lab_offset(naive, PARIS) == aware
    assert on_lab_clock(aware, PARIS) == naive


def test_an_hour_that_spring_leaves_out_is_an_hour_later():
    assert on_lab_clock(with_lab_offset("2026-03-29T02:30:00", PARIS), PARIS) == "2026-03-29T03:30:00"


@pytest.mark.parametrize("value", ["2026-01-15T12:00:00", None, "soon", 5, ""])
def test_what_has_no_offset_stays_what_it_is(value):
    assert on_lab_clock(value, PARIS) == value


@pytest.mark.parametrize("value", ["2026-01-15T12:00:00-05:00", "2026-01-15T12:00:00Z", None, "soon"])
def test_what_has_an_offset_or_is_no_time_gets_none(value):
    assert with_lab_offset(value, PARIS) == value


@pytest.mark.parametrize(
    ("one", "other", "same"),
    [
        ("2026-01-15T12:00:00+01:00", "2026-01-15T11:00:00Z", True),
        ("2026-10-25T02:30:00+02:00", "2026-10-25T02:30:00+01:00", False),
        ("2026-01-15T12:00:00+01:00", "2026-01-15T12:00:00+02:00", False),
        ("2026-01-15T12:00:00", "2026-01-15T12:00:00+02:00", True),
        ("2026-01-15T12:00:00", "2026-01-15T12:00", True),
        ("soon", "soon after", False),
        ("soon", "soon", False),
    ],
)
def test_moments_are_compared_where_both_are_moments(one, other, same):
    assert same_time(one, other) is same
    assert same_time(other, one) is same


@pytest.mark.parametrize("name", [None, "", "../x", "Mars/Base", "Europe", " "])
def test_no_zone_has_that_name(name):
    assert lab_zone(name) is None
