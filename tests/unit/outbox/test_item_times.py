"""A weight or water is sent as the moment that the server's clock showed, a session in lab time."""

from __future__ import annotations

import datetime as dt
import json
from dataclasses import replace
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest

from alyx_connector.zones.moments import with_lab_offset
from alyx_connector.zones.server_offsets import remember_offset
from pybpod_alyx_module.outbox.alyx_records import has_time
from pybpod_alyx_module.outbox.delivery.item_times import filters_to_find, times_to_send
from pybpod_alyx_module.outbox.drafts import new_item
from tests.unit.outbox.test_outbox import SESSION, WATER, WEIGHING

CASES = json.loads((Path(__file__).parents[2] / "fixtures" / "days.json").read_text())
DEATH_DAYS = json.loads((Path(__file__).parents[2] / "fixtures" / "death_days.json").read_text())
ANIMAL = {"lab": "lab", "death_date": None}
KEY = "11111111-1111-4111-8111-111111111111"
HOUR = dt.timedelta(hours=1)


@pytest.fixture(autouse=True)
def home(tmp_path, monkeypatch):
    monkeypatch.setenv("ALYX_CONNECTOR_HOME", str(tmp_path))


class Server:
    """A server with a clock in some zone, and a lab in another."""

    server = "https://alyx.example.org"

    def __init__(self, zone="UTC", lab="Europe/Lisbon", *, keeps_zones=False):
        self.zone, self.lab, self.kept = zone and ZoneInfo(zone), lab and ZoneInfo(lab), keeps_zones

    def keeps_zones(self):
        return self.kept

    def lab_zone(self, lab):
        assert lab == "lab"
        return self.lab

    def server_offset(self, moment):
        return self.zone and moment.astimezone(self.zone).utcoffset()


def item(draft, **times):
    return new_item(replace(draft, values={**draft.values, **times}), KEY, None)


def sent(server, draft, **times):
    return times_to_send(item(draft, **times), server, lambda: ANIMAL)


@pytest.mark.parametrize(("server", "lab", "lab_time", "right", "day"), CASES)
@pytest.mark.parametrize("draft", [WEIGHING, WATER])
def test_as_alyx_counted_it_for_the_labs_day(server, lab, lab_time, right, day, draft):
    assert day == lab_time[:10]
    recorded = with_lab_offset(lab_time, ZoneInfo(lab))
    assert sent(Server(server, lab), draft, date_time=recorded) == {"date_time": right}
    # Recorded by an older program, or typed in the outbox: lab time.
    assert sent(Server(server, lab), draft, date_time=lab_time) == {"date_time": right}


@pytest.mark.parametrize(("server", "lab", "lab_time", "right"), DEATH_DAYS)
def test_water_of_the_day_of_death_is_sent_so_that_alyx_takes_it(server, lab, lab_time, right):
    recorded = with_lab_offset(lab_time, ZoneInfo(lab))
    water, weight = item(WATER, date_time=recorded), item(WEIGHING, date_time=recorded)
    dead = {**ANIMAL, "death_date": lab_time[:10]}
    assert times_to_send(water, Server(server, lab), lambda: dead) == {"date_time": right}
    on_server = times_to_send(weight, Server(server, lab), lambda: dead)
    assert times_to_send(water, Server(server, lab), lambda: ANIMAL) == on_server
    looked_for = filters_to_find(water, Server(server, lab), lambda: dead)
    assert f"'{right}'" in looked_for[0]


def test_a_pc_in_another_zone_makes_no_difference():
    lisbon, tokyo = "2026-11-21T03:30:00+00:00", "2026-11-21T12:30:00+09:00"
    for server in (Server("America/New_York"), Server("America/New_York", None)):
        assert sent(server, WEIGHING, date_time=tokyo) == sent(server, WEIGHING, date_time=lisbon)


def test_where_the_servers_clock_is_not_known_lab_time_is_sent():
    server = Server(None, "Pacific/Kiritimati")
    for recorded in ("2026-11-21T12:00:00+14:00", "2026-11-20T22:00:00+00:00", "2026-11-21T12:00:00"):
        assert sent(server, WATER, date_time=recorded) == {"date_time": "2026-11-21T12:00:00"}
    assert sent(Server(None, None), WATER, date_time="2026-11-21T12:00:00+09:00") == {
        "date_time": "2026-11-21T12:00:00"
    }


@pytest.mark.parametrize("server", ["UTC", "Asia/Tokyo", None])
def test_sessions_are_sent_in_lab_time(server):
    naive = {"start_time": "2026-11-21T12:00:00", "end_time": "2026-11-21T13:00:00"}
    assert sent(Server(server), SESSION, **naive) == naive
    recorded_in_tokyo = {"start_time": "2026-11-21T21:00:00+09:00", "end_time": "2026-11-21T22:00:00+09:00"}
    assert sent(Server(server), SESSION, **recorded_in_tokyo) == naive
    rig = {name: time[:19] for name, time in recorded_in_tokyo.items()}
    assert sent(Server(server, None), SESSION, **recorded_in_tokyo) == rig


@pytest.mark.parametrize("draft", [WEIGHING, WATER])
def test_a_server_that_keeps_zones_is_sent_the_moment(draft):
    server = Server("Europe/Paris", "Europe/Lisbon", keeps_zones=True)
    assert sent(server, draft, date_time="2026-07-21T12:00:00+09:00") == {"date_time": "2026-07-21T12:00:00+09:00"}
    assert sent(server, draft, date_time="2026-07-21T12:00:00") == {"date_time": "2026-07-21T12:00:00+01:00"}
    assert filters_to_find(item(draft, date_time="2026-07-21T12:00:00"), server, lambda: ANIMAL) == (
        "date_time,2026-07-21T12:00:00+01:00",
    )


def test_it_is_looked_for_by_the_moment_and_by_all_that_may_have_been_sent():
    remember_offset(Server.server, 2 * HOUR)
    recorded = item(WEIGHING, date_time="2026-11-20T22:00:00.000123-10:00")
    server = Server("Asia/Tokyo", "Pacific/Kiritimati")
    assert filters_to_find(recorded, server, lambda: ANIMAL) == (
        "date_time__in,["
        "'2026-11-20T22:00:00.000123',"  # the recording computer's clock
        "'2026-11-21T10:00:00.000123',"  # an offset that the server once had
        "'2026-11-21T17:00:00.000123',"  # what is sent now
        "'2026-11-21T22:00:00.000123']",  # lab time
        "date_time,2026-11-21T08:00:00.000123+00:00",
    )


def test_it_is_looked_for_as_it_was_sent_whatever_is_known_now():
    recorded = replace(item(WEIGHING, date_time="2026-11-20T22:00:00.000123"), sent_as=("2026-11-21T03:00:00.000123",))
    assert "date_time,2026-11-21T03:00:00.000123" in filters_to_find(recorded, Server(lab=None), lambda: ANIMAL)
    assert "'2026-11-21T03:00:00.000123'" in filters_to_find(recorded, Server("Asia/Tokyo"), lambda: ANIMAL)[0]
    kept = filters_to_find(recorded, Server(keeps_zones=True), lambda: ANIMAL)
    assert kept == ("date_time,2026-11-20T22:00:00.000123+00:00", "date_time,2026-11-21T03:00:00.000123")


def test_without_a_zone_it_is_looked_for_as_it_was_recorded():
    recorded = item(WEIGHING, date_time="2026-11-20T22:00:00.000123")
    found = filters_to_find(recorded, Server("Asia/Tokyo", None), lambda: ANIMAL)
    assert found == ("date_time,2026-11-20T22:00:00.000123",)


@pytest.mark.parametrize(
    ("record", "same"),
    [
        ("2026-11-21T12:00:00.000123", True),
        ("2026-11-21T03:00:00.000123", True),
        ("2026-11-22T15:00:00.000123", True),
        ("2026-11-21T17:45:00.000123", True),  # Kathmandu
        ("2026-11-22T15:15:00.000123", False),
        ("2026-11-21T12:10:00.000123", False),
        ("2026-11-21T12:00:00.000124", False),
        ("2026-11-21T12:00:00.000123+01:00", False),
        ("2026-11-21T11:00:00.000123Z", False),
        ("2026-11-21T12:00:00.000123Z", True),
        ("soon", False),
        (None, False),
    ],
)
def test_a_record_with_the_same_time_on_another_clock_is_the_same(record, same):
    recorded = item(
        WEIGHING,
        date_time="2026-11-21T12:00:00.000123+00:00"
        if "Z" in f"{record}" or "+" in f"{record}"
        else "2026-11-21T12:00:00.000123",
    )
    assert has_time(recorded, {"date_time": record}) is same
