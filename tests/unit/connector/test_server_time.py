"""As of when an answer is true."""

from __future__ import annotations

import datetime as dt

import pytest
from requests.structures import CaseInsensitiveDict

from alyx_connector.http.server_time import ServerTime
from alyx_connector.http.transport import Reply


def reply(date, took_s=0.0):
    return Reply(200, CaseInsensitiveDict({"date": date} if date else {}), b"", took_s)


def utc(*numbers):
    return dt.datetime(*numbers)  # noqa: DTZ001 - naive UTC


def test_it_is_true_as_of_when_it_was_asked_for():
    time = ServerTime()
    assert (time.date, time.as_of) == (None, None)
    time.note(reply("Sun, 01 Mar 2026 12:00:30 GMT", 20))
    assert (time.date, time.as_of) == (utc(2026, 3, 1, 12, 0, 30), utc(2026, 3, 1, 12, 0, 10))
    time.note(reply("Sun, 01 Mar 2026 12:00:40 GMT", 2.5))
    assert (time.date, time.as_of) == (utc(2026, 3, 1, 12, 0, 40), utc(2026, 3, 1, 12, 0, 10)), "the earliest"


@pytest.mark.parametrize("date", ["", "yesterday", "Sun, 99 Mar 2026 12:00:40 GMT", "Fri, 31 Dec 9999 23:59:59 GMT"])
def test_one_answer_without_a_date_makes_it_unknown(date):
    time = ServerTime()
    time.note(reply("Sun, 01 Mar 2026 12:00:30 GMT"))
    time.note(reply(date))
    assert (time.date, time.as_of) == (None, None)
