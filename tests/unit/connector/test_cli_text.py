"""Text that ``alyx-connector`` prints: harmless in terminals and spreadsheets, in the words of the command line."""

from __future__ import annotations

import json

import pandas as pd
import pytest

from alyx_connector.cli.terminal_table import usual_columns
from alyx_connector.frames.text import (
    column_values,
    csv_text,
    for_spreadsheet,
    json_array,
    json_text,
    plain_text,
    text_of,
    visible,
)


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("ran well — «ok» 🐁", "ran well — «ok» 🐁"),
        ("\x1b[31mred\x07", r"\x1b[31mred\x07"),
        ("a\nb\tc\rd", r"a\nb\tc\rd"),
        ("\x9b2J\x7f\x00", r"\x9b2J\x7f\x00"),
        ("\u202eabc\u2066", r"\u202eabc\u2066"),
        ("half \ud83d", r"half \ud83d"),
        ("back\\slash", "back\\slash"),
    ],
)
def test_control_characters_are_shown(text, shown):
    assert visible(text) == shown
    assert visible(text).encode()


@pytest.mark.parametrize("text", ["=1+1", "+1", "-1", "@A1", "\t=1", "\r=1", "\n=1"])
def test_what_a_spreadsheet_takes_for_a_formula_gets_an_apostrophe(text):
    assert for_spreadsheet(text).startswith("'" + text[0].replace("\r", "\\"))
    assert for_spreadsheet("a" + text).startswith("a")


def test_numbers_are_no_formulas_and_names_of_columns_may_be():
    frame = pd.DataFrame({"=cmd": pd.array([-5, None], dtype="Int64"), "text": pd.array(["-5", None], dtype="string")})
    assert csv_text(frame) == "'=cmd,text\n-5,'-5\n,\n"


def test_values_are_plain():
    frame = pd.DataFrame(
        {
            "start_time": pd.to_datetime(["2024-01-01T10:00:00.25", None]),
            "birth_date": pd.to_datetime(["2024-01-01", None]),
            "weight": pd.array([24.5, None], dtype="Float64"),
            "alive": pd.array([True, None], dtype="boolean"),
            "json": pd.Series([{"a": [1, float("nan")]}, None], dtype=object),
        }
    )
    first = {
        "start_time": "2024-01-01T10:00:00.250000",
        "birth_date": "2024-01-01",
        "weight": 24.5,
        "alive": True,
        "json": {"a": [1, None]},
    }
    assert json.loads(json_array(frame)) == [first, dict.fromkeys(first)]
    assert plain_text(frame).splitlines()[1:] == [
        '2024-01-01T10:00:00.250000\t2024-01-01\t24.5\tTrue\t{"a": [1, null]}',
        "\t\t\t\t",
    ]
    assert json_array(frame.iloc[:0]) == "[]\n"
    assert plain_text(frame.iloc[:0]) == "start_time\tbirth_date\tweight\talive\tjson\n"
    assert column_values("alive", frame["alive"]) == [True, None]


def test_json_escapes_what_a_terminal_obeys_and_is_read_back():
    value = {"text": "\x1b[31m\x9b\u202e\ud83d\n", "ä": ["«"]}
    written = json_text(value)
    assert not set(written) & {"\x1b", "\x9b", "\u202e", "\n"}
    assert "ä" in written
    assert json.loads(written) == value
    assert json.loads(json_text(value, indent=2)) == value
    assert text_of(None) == ""


def test_usual_columns_leave_addresses_out_and_tell_errors():
    frame = pd.DataFrame({"id": ["x"], "name": ["x"], "url": ["u"], "detail_error": pd.array([None], dtype="string")})
    assert usual_columns(frame, "labs") == ["name"]
    frame["detail_error"] = "no luck"
    assert usual_columns(frame, "labs") == ["name", "detail_error"]
    assert usual_columns(frame.assign(id="y"), "labs") == ["name", "id", "detail_error"]
    assert usual_columns(frame.drop(columns="id"), "accounts") == ["name", "url", "detail_error"]
