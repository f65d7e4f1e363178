"""With Alyx away, an animal's day and time are those of its lab, as far as this computer was ever told the zone."""

from __future__ import annotations

import datetime as dt
from zoneinfo import ZoneInfo

import pytest

from alyx_connector.zones.lab_zones import last_zone, remember_zones
from pybpod_alyx_module.animals.alyx_subject import AlyxSubject
from pybpod_alyx_module.animals.overview import unknown_state

URL = "https://alyx.example.org"


@pytest.fixture(autouse=True)
def home(tmp_path, monkeypatch):
    monkeypatch.setenv("ALYX_CONNECTOR_HOME", str(tmp_path))


def animal(lab: str) -> AlyxSubject:
    return AlyxSubject(URL, "11111111-1111-4111-8111-111111111111", "ea04", "jose", lab)


def test_the_zone_of_the_lab_is_remembered():
    remember_zones(URL, {"east": "Pacific/Kiritimati"})
    state = unknown_state(animal("east"), "away")
    assert (state.lab, state.lab_zone) == ("east", "Pacific/Kiritimati")
    assert state.day == dt.datetime.now(ZoneInfo("Pacific/Kiritimati")).date()


@pytest.mark.parametrize("lab", ["", "west"])
def test_a_zone_that_was_never_told_is_not_known(lab):
    remember_zones(URL, {"east": "Pacific/Kiritimati"})
    state = unknown_state(animal(lab), "away")
    assert (state.lab_zone, state.day) == (None, None)


def test_what_is_told_of_one_lab_leaves_the_others():
    remember_zones(URL, {"east": "Asia/Tokyo", "west": "Europe/Lisbon"})
    remember_zones(URL, {"east": "Pacific/Kiritimati"})
    assert (last_zone(URL, "east"), last_zone(URL, "west")) == ("Pacific/Kiritimati", "Europe/Lisbon")
    assert last_zone("https://other.example.org", "east") is None
