"""What a server's clock shows: learned without a login, kept with the time for which it holds."""

from __future__ import annotations

import datetime as dt

import pytest

from alyx_connector.errors import NotFoundError, ServerFaultError, UnreachableError
from alyx_connector.zones.server_offsets import (
    OFFSETS_FILE,
    last_offset,
    naive_on_server,
    offset_at,
    offsets_seen,
    remember_offset,
    see_clock,
    server_clock,
)

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
    """Says an offset, an error, or nothing; with rows, each a naive time and the offset that its clock had."""

    url = URL

    def __init__(self, said, *rows):
        self.said, self.rows, self.asked = said, rows, []

    def login_page(self, *, cancel=None, report=None):
        self.asked.append("page")
        if isinstance(self.said, Exception):
            raise self.said
        return f'<body class=" login"\n  data-admin-utc-offset="{self.said}">'

    def get(self, endpoint, params, *, cancel=None, report=None):
        self.asked.append(params["django"])
        name, time, *end = params["django"].split(",")
        wanted = dt.datetime.fromisoformat(time)
        if wanted.tzinfo is None:
            last = dt.datetime.fromisoformat(end[1])
            found = [row for row, _ in self.rows if wanted <= row <= last]
        else:
            found = [row for row, offset in self.rows if row.replace(tzinfo=dt.timezone(offset)) == wanted]
        return {"results": [{name.removesuffix("__gte"): row.isoformat()} for row in found]}


@pytest.mark.parametrize(("said", "hours"), [("32400", 9), ("-18000", -5), ("0", 0), ("50400", 14)])
def test_it_is_asked_for_once_and_kept(said, hours):
    server = Server(said)
    assert offset_at(server, NOW) == hours * HOUR
    assert server.asked == ["page"]
    assert offset_at(Server(UnreachableError("away")), NOW) == hours * HOUR  # known for that moment: not asked
    assert last_offset(URL, NOW + DAY) == hours * HOUR
    assert last_offset("https://other.example.org", NOW) is None


def test_a_server_that_does_not_tell_has_none():
    assert offset_at(Server(NotFoundError("no page", status=404)), NOW) is None
    assert offset_at(Server(""), NOW) is None


@pytest.mark.parametrize("error", [UnreachableError("away"), ServerFaultError("busy", status=503)])
def test_an_error_where_it_cannot_be_asked(error):
    with pytest.raises(type(error)):
        offset_at(Server(error), NOW)


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


@pytest.mark.parametrize("hours", [0, 1])
def test_a_row_tells_what_no_offset_was_seen_for(hours):
    then = NOW.replace(microsecond=0) - 100 * DAY
    row = naive_on_server(then, hours * HOUR) + 3 * HOUR
    assert offset_at(Server("0", (row, hours * HOUR)), then) == hours * HOUR


def test_without_such_a_row_the_nearest_one_counts():
    remember_offset(URL, HOUR, NOW - 120 * DAY)
    assert offset_at(Server("0"), NOW - 100 * DAY) == HOUR


def test_the_same_offset_does_not_bridge_a_summer():
    remember_offset(URL, 0 * HOUR, NOW - 300 * DAY)
    server = Server("0", (naive_on_server(NOW - 150 * DAY, HOUR), HOUR))
    assert offset_at(server, NOW - 150 * DAY) == HOUR


@pytest.mark.parametrize("said", ["3600", UnreachableError("away"), NotFoundError("no page", status=404)])
def test_to_read_rows_it_is_asked_for_now_and_then(said):
    remember_offset(URL, 0 * HOUR, NOW - 2 * DAY)
    server = Server(said)
    see_clock(server)
    assert server.asked == ["page"]
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
