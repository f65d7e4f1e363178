"""Rows made into frames: the same columns and dtypes whatever came."""

from __future__ import annotations

import datetime as dt

import pandas as pd
import pytest

from alyx_connector.frames.columns import Column, Kind, in_reading_order, known_layout
from alyx_connector.frames.tables import expanded, identity, make_table, read_json

EACH_KIND = [Column(kind.value, kind) for kind in Kind]
DTYPES = {
    "text": "string",
    "count": "Int64",
    "number": "Float64",
    "flag": "boolean",
    "time": "datetime64[ns]",
    "qc": "category",
    "json": "object",
    "nested": "object",
}


def table(rows, columns=EACH_KIND):
    told = []
    return make_table(rows, columns, tell=told.append), told


@pytest.mark.parametrize(
    "rows",
    [
        [],
        [{}],
        [{"text": None, "count": None, "time": None, "json": None}],
        [{"text": "a", "count": 1, "number": 2, "flag": True, "time": "2024-01-01", "json": {}, "nested": []}],
        [{"text": "", "count": 3.0, "number": 2.5, "flag": False, "time": "2024-01-01T10:00:00.5", "nested": {"a": 1}}],
    ],
)
def test_dtypes_do_not_depend_on_the_rows(rows):
    frame, told = table(rows)
    assert {name: str(dtype) for name, dtype in frame.dtypes.items()} == DTYPES
    assert len(frame) == len(rows)
    assert told == []


def test_unknown_fields_come_after_the_known_ones_with_a_fitting_dtype():
    rows = [{"later": 1, "text": "a", "flags": True}, {"later": None, "mixed": [1], "words": "w"}, {"mixed": "m"}]
    frame, told = table(rows, [Column("text", Kind.TEXT)])
    assert frame.columns.to_list() == ["text", "later", "flags", "mixed", "words"]
    assert [str(dtype) for dtype in frame.dtypes] == ["string", "Int64", "boolean", "object", "string"]
    assert frame["mixed"].to_list() == [None, [1], "m"]
    assert told == []


def test_a_known_field_of_another_kind_is_shown_as_it_came_and_told():
    frame, told = table([{"number": "four"}, {"number": "five"}], [Column("number", Kind.COUNT)])
    assert frame["number"].to_list() == ["four", "five"]
    assert len(told) == 1
    assert "number" in told[0]


@pytest.mark.parametrize("value", [float("nan"), float("inf"), 2**63, 1.5, True])
def test_what_is_no_count_never_becomes_one(value):
    frame, _ = table([{"count": value}], [Column("count", Kind.COUNT)])
    assert str(frame["count"].dtype) != "Int64"


@pytest.mark.parametrize(
    ("value", "read"),
    [
        (None, None),
        ("", None),
        ("  ", None),
        ("null", None),
        ({"a": 1}, {"a": 1}),
        ([], []),
        ('{"a": [1]}', {"a": [1]}),
        ('"{\\"a\\": 1}"', {"a": 1}),
        ("[1, 2]", [1, 2]),
    ],
)
def test_json_is_a_dict_a_list_or_none(value, read):
    assert read_json(value) == read


@pytest.mark.parametrize("value", [5, True, "{", "words", "5", "[" * 100_000])
def test_what_is_no_json_object_is_shown_as_it_is_and_told(value):
    with pytest.raises(ValueError, match="neither"):
        read_json(value)
    frame, told = table([{"json": value}, {"json": {"a": 1}}], [Column("json", Kind.JSON)])
    assert frame["json"].to_list() == [value, {"a": 1}]
    assert told == ["json of 1 row holds neither an object nor a list; it is shown as it is."]


@pytest.mark.parametrize("offset", ["+01:00", "-05:00", "Z", "+0100"])
def test_a_time_is_shown_as_on_the_clock_of_its_offset(offset):
    frame, told = table([{"time": f"2024-01-03T10:00:00.25{offset}"}, {"time": None}])
    assert frame["time"][0] == pd.Timestamp("2024-01-03 10:00:00.25")
    assert pd.isna(frame["time"][1])
    assert told == []


@pytest.mark.parametrize("text", ["yesterday", "2024-13-01", "2024-02-30T10:00:00", "9999-01-01", "0001-01-01"])
def test_a_time_that_cannot_be_read_is_missing_and_told(text):
    frame, told = table([{"time": text}])
    assert pd.isna(frame["time"][0])
    assert told == ["time of 1 row is not a time that can be read; it is shown as NaT."]


@pytest.mark.parametrize(
    ("row", "name"),
    [
        ({"id": "a", "url": "http://x/sessions/b"}, "a"),
        ({"url": "http://x/api/weighings/b"}, "b"),
        ({"url": "http://x/labs/a%20lab/", "name": "other"}, "a lab"),
        ({"name": "n"}, "n"),
        ({}, None),
    ],
)
def test_by_what_a_row_is_known(row, name):
    assert identity(row) == name


def test_the_columns_of_sessions_stand_in_the_order_of_alyx():
    layout = known_layout("sessions")
    assert [column.name for column in layout.listed] == [
        *("id", "subject", "start_time", "number", "lab", "projects", "url", "task_protocol")
    ]
    assert [column.name for column in layout.detailed][:3] == ["users", "location", "procedures"]


@pytest.mark.filterwarnings("error")
def test_a_time_among_texts_makes_no_column_of_times():
    values = [dt.datetime.fromisoformat("2024-01-01"), "a text", None]
    frame, _ = table([{"nested": value} for value in values])
    assert frame["nested"].to_list() == values


def test_what_a_person_reads_first_comes_first_and_what_nobody_reads_last():
    layout = known_layout("sessions")
    read, last = in_reading_order("sessions", (*layout.listed, *layout.detailed))
    assert [column.name for column in read][:10] == [
        *("subject", "start_time", "number", "task_protocol", "narrative", "n_trials", "lab", "projects", "qc", "users")
    ]
    assert [column.name for column in last] == ["id", "url"]
    assert {*read, *last} == {*layout.listed, *layout.detailed}
    read, last = in_reading_order("labs", [Column("id", Kind.TEXT), Column("name", Kind.TEXT)])
    assert ([column.name for column in read], [column.name for column in last]) == (["name"], ["id"])


def test_qc_compares_by_how_bad_it_is():
    column = [Column("qc", Kind.QC)]
    frame, told = table([{"qc": "FAIL"}, {"qc": None}, {"qc": "NOT_SET"}, {"qc": "CRITICAL"}, {"qc": "PASS"}], column)
    assert frame["qc"].sort_values().to_list()[:4] == ["NOT_SET", "PASS", "FAIL", "CRITICAL"]
    assert (frame["qc"] >= "WARNING").to_list() == [True, False, False, True, False]
    assert told == []
    assert frame.iloc[:0]["qc"].dtype == table([], column)[0]["qc"].dtype


def test_a_qc_that_is_no_word_of_alyx_is_shown_as_it_came_and_told():
    frame, told = table([{"qc": "PASS"}, {"qc": "SUPERB"}, {"qc": None}], [Column("qc", Kind.QC)])
    assert frame["qc"].to_list()[:2] == ["PASS", "SUPERB"]
    assert str(frame["qc"].dtype) == "string"
    assert len(told) == 1


def test_nested_values_become_columns_of_a_fitting_dtype():
    rows = [
        {"json": {"qc": {"noise": 3, "pass": True}, "list": [1], "empty": {}}},
        {"json": '{"qc": {"noise": 2.5}}'},
        {"json": None},
        {"json": [1]},
        {"json": "words"},
    ]
    told = []
    frame = make_table(expanded(rows, "json", tell=told.append), [Column("json", Kind.JSON)], tell=lambda note: None)
    assert {name: str(dtype) for name, dtype in frame.dtypes.items()} == {
        "json": "object",
        "json.qc.noise": "Float64",
        "json.qc.pass": "boolean",
        "json.list": "object",
    }
    assert frame["json.qc.noise"].to_list()[:2] == [3, 2.5]
    assert frame["json.qc.noise"].isna().to_list()[2:] == [True] * 3
    assert frame["json.list"].to_list() == [[1], None, None, None, None]
    assert told == []
    assert list(rows[0]) == ["json"], "the rows stay as they are"


def test_two_values_of_one_name_are_told():
    told = []
    (row,) = expanded([{"json": {"a": {"b": 1}, "a.b": 2}}], "json", tell=told.append)
    assert row["json.a.b"] == 1
    assert len(told) == 1
    assert "json.a.b" in told[0]
