"""When answers were sent."""

from __future__ import annotations

import datetime as dt

import pytest
from requests.structures import CaseInsensitiveDict

from alyx_connector.http.server_time import ServerTime
from alyx_connector.http.transport import Reply


def reply(date):
    return Reply(200, CaseInsensitiveDict({"date": date} if date else {}), b"")


def test_the_latest_answer_counts():
    time = ServerTime()
    assert time.date is None
    for seconds in (30, 40, 35):
        time.note(reply(f"Sun, 01 Mar 2026 12:00:{seconds} GMT"))
    assert time.date == dt.datetime(2026, 3, 1, 12, 0, 40)  # noqa: DTZ001 - naive UTC


@pytest.mark.parametrize("date", ["", "yesterday", "Sun, 99 Mar 2026 12:00:40 GMT", "Fri, 31 Dec 9999 23:59:59 GMT"])
def test_one_answer_without_a_date_makes_it_unknown(date):
    time = ServerTime()
    time.note(reply("Sun, 01 Mar 2026 12:00:30 GMT"))
    time.note(reply(date))
    assert time.date is None
