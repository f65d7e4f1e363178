"""What `Connector` sends as the time of a weight, of water and of a session, and how it shows what others sent."""

from __future__ import annotations

import datetime as dt
import json
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest

from alyx_connector.errors import ConfigurationError
from alyx_connector.search.lab_times import in_lab_time
from alyx_connector.writing import times_to_send
from alyx_connector.writing.times_to_send import with_times_to_send
from alyx_connector.zones.server_offsets import remember_offset

FIXTURES = Path(__file__).parents[2] / "fixtures"
CASES = json.loads((FIXTURES / "days.json").read_text())
DEATH_DAYS = json.loads((FIXTURES / "death_days.json").read_text())
MOMENTS = ("weighings", "water-administrations")
NOON = "2026-11-21T12:00:00"


class Server:
    """Its address; nobody asks it anything here."""

    url = "https://alyx.example.org"


class Zones:
    """The zone of the one lab there is."""

    def __init__(self, lab, *, keeps_zones=False):
        self.lab, self.keeps_zones = lab, keeps_zones

    def zone(self, lab):
        assert lab == "lab"
        return self.lab and ZoneInfo(self.lab)

    def server_keeps_zones(self):
        return self.keeps_zones

    def observe(self, rows):
        return self.keeps_zones

    def names(self, labs=(), *, ask):
        return {"lab": self.lab}


@pytest.fixture(autouse=True)
def home(tmp_path, monkeypatch):
    monkeypatch.setenv("ALYX_CONNECTOR_HOME", str(tmp_path))


@pytest.fixture
def server_in(monkeypatch):
    """Have the server's clock be that of a zone."""

    def put(name):
        zone = ZoneInfo(name)
        monkeypatch.setattr(times_to_send, "seen_offset", lambda client, moment: moment.astimezone(zone).utcoffset())

    return put


def sent(endpoint, time, lab, *, death_date=None, told=None, keeps_zones=False):
    animal = {"lab": "lab", "death_date": death_date}
    tell = (lambda note: None) if told is None else told.append
    zones = Zones(lab, keeps_zones=keeps_zones)
    return with_times_to_send({"date_time": time}, endpoint, Server(), zones, lambda: animal, tell)["date_time"]


@pytest.mark.parametrize(("server", "lab", "lab_time", "right", "day"), CASES)
@pytest.mark.parametrize("endpoint", MOMENTS)
def test_it_counts_for_the_labs_day_and_is_shown_in_lab_time(server_in, server, lab, lab_time, right, day, endpoint):
    server_in(server)
    assert day == lab_time[:10]
    assert sent(endpoint, lab_time, lab) == right
    moment = dt.datetime.fromisoformat(lab_time).replace(tzinfo=ZoneInfo(lab)).astimezone(dt.timezone.utc)
    remember_offset(Server.url, moment.astimezone(ZoneInfo(server)).utcoffset(), moment)
    row = {"id": "x", "date_time": right}
    (shown,) = in_lab_time([row], endpoint, Server(), Zones(lab), ask=False, tell=lambda note: None)
    assert shown["date_time"] == moment.astimezone(ZoneInfo(lab)).replace(tzinfo=None).isoformat()
    assert in_lab_time([row], "sessions", Server(), Zones(lab), ask=False, tell=lambda note: None) == [row]


@pytest.mark.parametrize(("server", "lab", "lab_time", "right"), DEATH_DAYS)
def test_water_of_the_day_of_death_is_sent_so_that_alyx_takes_it(server_in, server, lab, lab_time, right):
    server_in(server)
    died = lab_time[:10]
    assert sent("water-administrations", lab_time, lab, death_date=died) == right
    assert sent("weighings", lab_time, lab, death_date=died) == sent("water-administrations", lab_time, lab)


def test_others_are_sent_in_lab_time_and_a_server_with_zones_takes_moments(server_in):
    server_in("Asia/Tokyo")
    assert sent("sessions", NOON, "Europe/Lisbon") == NOON
    assert sent("weighings", NOON, "Europe/Paris", keeps_zones=True) == f"{NOON}+01:00"


def test_where_the_zone_of_the_lab_is_not_known_that_is_told(server_in):
    server_in("Asia/Tokyo")
    told = []
    assert sent("weighings", NOON, None, told=told) == NOON
    assert told == [
        "The time zone of the lab lab is not known: https://alyx.example.org takes date_time as of its own clock."
    ]


def test_it_is_told_once_what_the_servers_clock_means(server_in):
    server_in("UTC")
    remember_offset(Server.url, dt.timedelta(0))
    told = []
    for _ in range(2):
        assert sent("weighings", NOON, "Pacific/Kiritimati", told=told) == "2026-11-20T22:00:00"
    assert told == [
        "Alyx's server keeps UTC, 14 h behind the lab lab. Weights and water sent from here count for the lab's day; "
        "Alyx's lists show them 14 h earlier. What is typed on Alyx's pages after 10:00 counts for tomorrow. What "
        "another program sent in lab time is shown 14 h later here."
    ]


def test_a_clock_of_another_season_is_told(monkeypatch):
    monkeypatch.setattr(times_to_send, "seen_offset", lambda client, moment: None)
    remember_offset(Server.url, dt.timedelta(0))
    told = []
    assert sent("weighings", "2026-07-01T12:00:00", "Europe/Lisbon", told=told) == "2026-07-01T11:00:00"
    assert "tells its clock of 2026-07" in told[0]
    assert "an hour off" in told[0]


@pytest.mark.parametrize("endpoint", MOMENTS)
def test_where_the_servers_clock_cannot_be_learned_nothing_is_sent(monkeypatch, endpoint):
    monkeypatch.setattr(times_to_send, "seen_offset", lambda client, moment: None)
    with pytest.raises(ConfigurationError, match=r"does not tell the time on its clock.*Nothing was written") as caught:
        sent(endpoint, NOON, "Europe/Lisbon")
    assert "https://alyx.example.org/admin/login/" in caught.value.hint
    told = []
    row = {"id": "x", "date_time": NOON}
    assert in_lab_time([row], endpoint, Server(), Zones("Europe/Lisbon"), ask=False, tell=told.append) == [row]
    assert "are shown as on it" in told[0]
