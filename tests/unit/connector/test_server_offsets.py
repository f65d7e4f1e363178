"""What a server's clock shows: learned without a login, kept with the time for which it holds."""

from __future__ import annotations

import datetime as dt
import operator
import re
from zoneinfo import ZoneInfo

import pytest

from alyx_connector.errors import (
    NotFoundError,
    RequestTimeoutError,
    ResponseError,
    ServerFaultError,
    UnreachableError,
)
from alyx_connector.zones.server_offsets import (
    OFFSETS_FILE,
    last_offset,
    naive_on_server,
    offset_at,
    offsets_seen,
    remember_offset,
    see_clock,
    seen_offset,
    server_clock,
)
from alyx_connector.zones.server_zone import kept_zone, zone_around, zone_of_times

URL = "https://alyx.example.org"
#: Set anew for each test: what the page says holds for now alone.
NOW = dt.datetime.now(dt.timezone.utc)
HOUR = dt.timedelta(hours=1)
DAY = dt.timedelta(days=1)


@pytest.fixture(autouse=True)
def home(tmp_path, monkeypatch):
    monkeypatch.setenv("ALYX_CONNECTOR_HOME", str(tmp_path))
    monkeypatch.setitem(globals(), "NOW", dt.datetime.now(dt.timezone.utc))
    return tmp_path


class Server:
    """Says an offset, an error, or nothing; its rows are at moments, and it says them on the clock of a zone."""

    url = URL

    def __init__(self, said, *moments, zone="UTC", away=False):
        self.said, self.zone, self.away, self.asked = said, ZoneInfo(zone), away, []
        self.rows = [moment.astimezone(self.zone).replace(tzinfo=None) for moment in moments]

    def login_page(self, *, limit_s, cancel=None, report=None):
        assert 0 < limit_s <= 5
        self.asked.append("page")
        if isinstance(self.said, Exception):
            raise self.said
        return f'<body class=" login"\n  data-admin-utc-offset="{self.said}">'

    def list(self, endpoint, params=None, *, cancel=None, report=None):
        if endpoint == "labs":
            return [{"name": "lab", "timezone": "Europe/Lisbon"}]
        return self.get(endpoint, params)["results"]

    def get(self, endpoint, params, *, cancel=None, report=None):
        if self.away:
            raise UnreachableError("away")
        lookup = params.get("django", "")
        self.asked.append(lookup)
        name = "start_time" if endpoint in {"sessions", "water-restriction"} else "date_time"
        found = [row for row in self.rows if endpoint == "weighings" and (not lookup or self._has(row, lookup))]
        return {"results": [{name: row.isoformat()} for row in found]}

    def _has(self, row, django):
        field, value = django.split(",", 1)
        if field.endswith("__in"):
            return self._moment(row) in map(dt.datetime.fromisoformat, re.findall(r"'(.+?)'", value))
        pairs = [*zip(*[iter(django.split(","))] * 2, strict=True)]
        if field.endswith("__month"):
            return row.month == int(value)
        compared = {"lte": operator.le, "gte": operator.ge}
        return all(
            compared.get(field.partition("__")[2], operator.eq)(
                self._moment(row), self._moment(dt.datetime.fromisoformat(value))
            )
            for field, value in pairs
        )

    def _moment(self, time):
        return time.replace(tzinfo=self.zone, fold=1) if time.tzinfo is None else time


@pytest.mark.parametrize(("said", "hours"), [("32400", 9), ("-18000", -5), ("0", 0), ("50400", 14)])
def test_it_is_asked_for_once_and_kept(said, hours):
    server = Server(said)
    assert offset_at(server, NOW) == hours * HOUR
    assert server.asked == ["page"]
    assert offset_at(Server(UnreachableError("away"), away=True), NOW) == hours * HOUR  # it is known
    assert last_offset(URL, NOW + DAY) == hours * HOUR
    assert last_offset("https://other.example.org", NOW) is None


NO_PAGE = (
    NotFoundError("no page", status=404),
    ResponseError("blocked", status=403),
    ServerFaultError("busy", status=503),
    RequestTimeoutError("hangs"),
    "",
)


@pytest.mark.parametrize("said", NO_PAGE)
def test_a_server_that_does_not_tell_has_none(said):
    assert offset_at(Server(said), NOW) is None


@pytest.mark.parametrize("said", NO_PAGE)
@pytest.mark.parametrize("zone", ["UTC", "Europe/Lisbon", "Asia/Tokyo", "America/New_York", "Asia/Kathmandu"])
def test_without_the_page_its_rows_tell(said, zone):
    server = Server(said, NOW - DAY / 2, zone=zone)
    right = NOW.astimezone(ZoneInfo(zone)).utcoffset()
    assert offset_at(server, NOW) == last_offset(URL, NOW) == right
    assert server.asked[0] == "page"
    asked = len(server.asked)
    assert offset_at(server, NOW - HOUR) == right
    assert len(server.asked) == asked
    assert server_clock(URL).moment(NOW.astimezone(ZoneInfo(zone)).replace(tzinfo=None)) == NOW
    assert offset_at(Server(said, NOW, zone=zone), NOW) == right


def test_a_page_that_did_not_come_is_left_alone_for_a_while():
    server = Server(RequestTimeoutError("hangs"))
    for _ in range(3):
        assert offset_at(server, NOW) is None
    assert server.asked.count("page") == 1


def test_an_error_where_it_cannot_be_asked():
    with pytest.raises(UnreachableError):
        offset_at(Server(UnreachableError("away"), away=True), NOW)


def test_in_the_hour_that_comes_twice_the_last_one_counts():
    remember_offset(URL, 2 * HOUR, NOW - DAY)
    assert offset_at(Server(""), NOW) == 2 * HOUR


def test_an_offset_counts_for_the_time_in_which_it_was_seen():
    summer = NOW - 40 * DAY
    remember_offset(URL, HOUR, summer - 20 * DAY)
    remember_offset(URL, HOUR, summer)
    server = Server("0")
    assert offset_at(server, summer - DAY) == HOUR
    assert server.asked == []
    assert offset_at(server, NOW) == 0 * HOUR
    assert offset_at(server, summer - DAY) == HOUR
    assert offsets_seen(URL) == {HOUR, 0 * HOUR}


@pytest.mark.parametrize("zone", ["Europe/London", "UTC", "America/New_York"])
def test_a_row_tells_what_no_offset_was_seen_for(zone):
    for days in (20, 160):
        then = NOW - days * DAY
        now = int(NOW.astimezone(ZoneInfo(zone)).utcoffset().total_seconds())
        assert offset_at(Server(now, then + 3 * HOUR, zone=zone), then) == then.astimezone(ZoneInfo(zone)).utcoffset()


def test_without_the_page_any_row_is_better_than_none():
    then = dt.datetime(2026, 6, 15, 12, tzinfo=dt.timezone.utc)
    server = Server(NotFoundError("no page", status=404), then - 60 * DAY, zone="Asia/Tokyo")
    assert seen_offset(server, then) is None
    assert offset_at(server, then) == 9 * HOUR


def test_a_zone_that_the_page_contradicts_does_not_count():
    offset_at(Server("0", NOW - 40 * DAY), NOW - 40 * DAY)
    assert server_clock(URL).zone is not None
    assert offset_at(Server("32400"), NOW + HOUR) == 9 * HOUR
    assert server_clock(URL).zone is None


def test_the_months_of_rows_count():
    # In winter the clocks of London, Lisbon and UTC are the same.
    january, july = (dt.datetime(2026, month, 15, 12, tzinfo=dt.timezone.utc) for month in (1, 7))
    server = Server("", january, july)
    assert zone_around(server, january).covers(january)
    assert not kept_zone(URL).covers(july)
    assert zone_around(server, july).offset(july) == 0 * HOUR
    assert kept_zone(URL).zone.key == "UTC"
    assert zone_of_times(server, "weighings", "date_time", server.rows).months == {"2026-01", "2026-07"}


def test_without_such_a_row_the_nearest_one_counts():
    remember_offset(URL, HOUR, NOW - 120 * DAY)
    assert offset_at(Server("0"), NOW - 100 * DAY) == HOUR


def test_the_same_offset_does_not_bridge_a_summer():
    then = dt.datetime(2026, 7, 1, 12, tzinfo=dt.timezone.utc)
    for days in (-100, 200):
        remember_offset(URL, HOUR, then + days * DAY)
    assert offset_at(Server("0", then, zone="Europe/Paris"), then) == 2 * HOUR


@pytest.mark.parametrize("said", ["3600", UnreachableError("away"), NotFoundError("no page", status=404)])
def test_to_read_rows_it_is_asked_for_now_and_then(said):
    remember_offset(URL, 0 * HOUR, NOW - 2 * DAY)
    server = Server(said)
    see_clock(server)
    assert server.asked[0] == "page"
    if said == "3600":
        see_clock(server)
        assert server.asked == ["page"]
        assert server_clock(URL).moment(NOW.replace(tzinfo=None) + HOUR) == NOW
    old = NOW - 3 * DAY
    assert server_clock(URL).moment(old.replace(tzinfo=None)) == old
    assert server_clock("https://other.example.org").moment(old.replace(tzinfo=None)) is None


def test_a_damaged_file_is_learned_anew(home):
    (home / OFFSETS_FILE).write_text('{"https://alyx.example.org": [["soon", 1]]}')
    assert offset_at(Server("3600"), NOW) == HOUR
    assert last_offset(URL, NOW) == HOUR


def test_what_the_servers_clock_showed():
    moment = dt.datetime.fromisoformat("2026-11-27T10:30:00+14:00")
    assert naive_on_server(moment, dt.timedelta(0)).isoformat() == "2026-11-26T20:30:00"
    assert naive_on_server(moment, -5 * HOUR).isoformat() == "2026-11-26T15:30:00"
