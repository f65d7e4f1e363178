"""Names and values that are to be written, checked before anything is sent; the answer compared with them."""

from __future__ import annotations

import datetime as dt
import json
import uuid
from decimal import Decimal
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from alyx_connector import ConfigurationError
from alyx_connector.schema.description import parse_schema
from alyx_connector.writing.doubtful import doubt_beside
from alyx_connector.writing.record_fields import changed_paths, check_names, fields_of, not_as_sent, sendable

EXCERPT = json.loads((Path(__file__).parents[2] / "fixtures/openapi_excerpt.json").read_text(encoding="utf-8"))
ENDPOINTS = parse_schema(EXCERPT).endpoints
SESSION = ENDPOINTS["sessions"].updated
URL = "http://alyx.example"
NAME = "7c33db36-0333-4d48-84fa-a3448def9b51"


def test_what_a_real_alyx_lets_write():
    assert {name for name, one in ENDPOINTS.items() if not one.updated} == {"weighings", "water-type"}
    assert all(one.created for one in ENDPOINTS.values())
    formats = {field.name: field.format for field in ENDPOINTS["subjects"].updated}
    assert (formats["birth_date"], formats["nickname"]) == ("date", "")
    read_only = {field.name for field in SESSION if field.read_only}
    assert {"id", "url", "auto_datetime", "notes", "wateradmin_session_related"} <= read_only
    assert not {"subject", "narrative", "json", "extended_qc", "n_trials", "users"} & read_only


@pytest.mark.parametrize("name", ["narrative", "json", "qc", "end_time", "parent_session"])
def test_a_field_that_there_is(name):
    check_names([name], SESSION, "sessions", URL)


@pytest.mark.parametrize(
    ("name", "words"),
    [
        ("narative", "have no field narative.*would ignore it.*Did you mean narrative"),
        ("ntrials", "Did you mean n_trials"),
        ("Subject", "Did you mean subject"),
        ("xyzzy", r"ignore it\. There are: subject, users"),
        ("auto_datetime", "sets auto_datetime of sessions itself"),
        ("id", "sets id of sessions itself"),
        ("data_dataset_session_related", "sets data_dataset_session_related"),
    ],
)
def test_a_field_that_there_is_not_or_that_the_server_sets(name, words):
    with pytest.raises(ConfigurationError, match=words) as caught:
        check_names(["narrative", name], SESSION, "sessions", URL)
    assert caught.value.setting == name


def test_without_a_schema_the_fields_are_those_of_the_record():
    known = fields_of(["id", "url", "auto_datetime", "narrative", "start_time"])
    assert [field.name for field in known if field.read_only] == ["id", "url", "auto_datetime"]
    assert [field.name for field in known if field.format == "date-time"] == ["auto_datetime", "start_time"]


@pytest.mark.parametrize(
    ("value", "sent"),
    [
        (None, None),
        (pd.NA, None),
        (pd.NaT, None),
        (np.datetime64("NaT"), None),
        (np.datetime64("NaT", "ns"), None),
        (True, True),
        (np.bool_(False), False),
        (np.int64(5), 5),
        (np.float32(0.5), 0.5),
        (np.array(3), 3),
        ("text", "text"),
        (np.str_("text"), "text"),
        (dt.date(2024, 1, 31), "2024-01-31"),
        (dt.datetime(2024, 1, 31, 9, 30), "2024-01-31T09:30:00"),  # noqa: DTZ001 - lab time
        (pd.Timestamp("2024-01-31 09:30:00.123456789"), "2024-01-31T09:30:00.123456"),
        (np.datetime64("2024-01-31T09:30:00.5", "ns"), "2024-01-31T09:30:00.500000"),
        (np.datetime64("2024-01-31T09:30", "m"), "2024-01-31T09:30:00"),
        (np.datetime64("2024-01-31"), "2024-01-31"),
        (uuid.UUID(NAME), NAME),
        (("jose", "ana"), ["jose", "ana"]),
        (np.array([[1, 2], [3, 4]]), [[1, 2], [3, 4]]),
        (pd.Series(["WaitTask", None], dtype="string"), ["WaitTask", None]),
        (pd.array([1, None], dtype="Int64"), [1, None]),
        ({"qc": {"noise": np.int8(3), "when": dt.date(2024, 1, 31)}}, {"qc": {"noise": 3, "when": "2024-01-31"}}),
    ],
)
def test_values_become_plain_json(value, sent):
    made = sendable("narrative", value)
    assert made == sent
    assert type(made) is type(sent)
    json.dumps(made, allow_nan=False)


def test_a_day_of_a_frame_is_a_day_and_a_time_stays_one():
    midnight = pd.Timestamp("2024-01-31")
    assert sendable("birth_date", midnight, "date") == "2024-01-31"
    assert sendable("start_time", midnight, "date-time") == "2024-01-31T00:00:00"
    assert sendable("narrative", "at 09:30+01:00") == "at 09:30+01:00", "a text is no time"


LOOP: list = []
LOOP.append(LOOP)


@pytest.mark.parametrize(
    ("value", "words"),
    [
        (float("nan"), "is nan, which no record can hold"),
        (np.float32("inf"), "is inf"),
        ({"qc": {"noise": np.nan}}, "field json.qc.noise is nan"),
        ([1, float("-inf")], r"field json\[1\] is -inf"),
        (dt.datetime(2024, 1, 31, tzinfo=dt.timezone.utc), "time zone.*naive local time of the lab"),
        (pd.Timestamp("2024-01-31", tz="Europe/Lisbon"), "time zone"),
        ("2024-01-31T09:30:00+01:00", "offset.*naive local time of the lab"),
        ("2024-01-31 09:30:00.5Z", "offset"),
        ("2024-01-31T09:30-0100", "offset"),
        ({3: "x"}, "has the key 3"),
        ("nul\0", "cannot store"),
        ("\ud800", "cannot store"),
        ({"a\0": 1}, "cannot store"),
        (b"text", "cannot be bytes"),
        (Decimal("NaN"), "cannot be Decimal"),
        (dt.timedelta(1), "cannot be timedelta"),
        (1j, "cannot be complex"),
        (pd.DataFrame({"a": [1]}), "cannot be DataFrame"),
        (object(), "cannot be object"),
        (LOOP, "nested too deep"),
    ],
)
def test_values_that_cannot_be_sent(value, words):
    with pytest.raises(ConfigurationError, match=words) as caught:
        sendable("json", value, "date-time")
    assert caught.value.setting.startswith("json")


@pytest.mark.parametrize(
    ("sent", "stored"),
    [
        (5, 5.0),
        ("5", 5),
        ("2024-01-31T09:30:00", "2024-01-31T09:30:00+01:00"),
        ("2024-01-31", "2024-01-31T00:00:00"),
        ("2024-01-31T09:30:00.500", "2024-01-31T09:30:00.500000Z"),
        (["b", "a"], ["a", "b"]),
        (f"/sessions/{NAME}", f"http://alyx.example/sessions/{NAME}"),
        ({"a": [1]}, {"a": [1]}),
        (None, None),
    ],
)
def test_stored_as_sent(sent, stored):
    assert not_as_sent({"field": sent}, {"field": stored}) == []


@pytest.mark.parametrize(
    ("sent", "stored"),
    [
        (5, 6),
        ("five", 5),
        ("2024-01-31T09:30:00", "2024-01-31T08:30:00"),
        (["a", "a"], ["a"]),
        ("Text ", "Text"),
        (f"/sessions/{NAME}", "http://alyx.example/sessions/other"),
        ({"a": [1]}, {"a": [2]}),
        ("x", None),
    ],
)
def test_not_stored_as_sent(sent, stored):
    (told,) = not_as_sent({"field": sent}, {"field": stored})
    assert told == f"field was sent as {sent!r} and stored as {stored!r}."


def test_what_the_answer_does_not_tell_and_what_is_long():
    assert not_as_sent({"field": 1}, {}) == ["The server did not say what it stored as field."]
    (told,) = not_as_sent({"field": "x" * 500}, {"field": None})
    assert len(told) < 150


def test_where_two_values_differ():
    before = {"qc": {"noise": 3, "pass": True}, "list": [1, 2], "same": {"x": 1}}
    after = {"qc": {"noise": 4, "new": None}, "list": [1], "same": {"x": 1}}
    assert changed_paths("json", before, after) == ["json.qc.noise", "json.qc.pass", "json.qc.new", "json.list"]
    assert changed_paths("json", before, before) == []
    assert changed_paths("json", None, {}) == ["json"]
    assert changed_paths("json", {"pass": True, "n": [1]}, {"pass": 1, "n": [True]}) == ["json.pass", "json.n"]


@pytest.mark.parametrize("reverse", [False, True])
def test_of_several_weights_the_nearest_in_time_is_named(reverse):
    others = [
        {"date_time": "2026-11-18T09:00:00", "weight": 20.0},
        {"date_time": "2026-11-20T09:00:00", "weight": 21.0},
        {"date_time": "2026-11-20T18:00:00+00:00", "weight": 22.0},
        {"date_time": None, "weight": 40.0},
    ]
    sent = {"date_time": "2026-11-21T12:00:00", "weight": 28.0}
    doubt = doubt_beside("weighings", sent, {"nickname": "ea04"}, others[::-1] if reverse else others, sent)
    assert "27 % off the 22.0 g that ea04 weighed on 2026-11-20" in doubt.sentence
