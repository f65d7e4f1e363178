"""How frames and their rows show themselves, and that they stay what pandas makes of them."""

from __future__ import annotations

import copy
import pickle
import re
import subprocess
import sys

import pandas as pd
import pytest

from alyx_connector.frames.columns import DETAIL_ERROR, in_reading_order, known_layout
from alyx_connector.frames.frame_view import AlyxFrame, AlyxRow, shown_frame
from alyx_connector.frames.tables import make_table

LAYOUT = known_layout("sessions")
IDS = [f"{number:08x}-c47b-57c6-879d-387fea70726f" for number in range(3)]
READ_FIRST = ["subject", "start_time", "number", "task_protocol", "narrative", "n_trials", "lab", "projects"]


def frame_of(rows, endpoint="sessions", **more):
    read, last = in_reading_order(endpoint, (*LAYOUT.listed, *LAYOUT.detailed))
    frame = make_table(rows, read, tell=lambda note: None, last=[*last, DETAIL_ERROR])
    frame = frame.set_index("id", drop=False).rename_axis(None)
    frame.attrs = {"endpoint": endpoint, **more}
    return shown_frame(frame)


@pytest.fixture
def sessions():
    rows = [
        {
            "id": name,
            "subject": "ea04",
            "start_time": "2024-01-03T10:00:00",
            "number": number + 1,
            "task_protocol": "trainingChoiceWorld_with_a_long_name_6.4.2",
            "narrative": "left port sticky, cleaned it in the middle of the session and went on",
            "n_trials": 300 + number,
            "lab": "champalimaud",
            "projects": ["brainwide", "a project of somebody else"],
            "qc": "PASS",
            "users": ["jose"],
            "url": f"http://127.0.0.1/sessions/{name}",
            "json": {"stims": {"right": {"1": {"n": 31, "amp": 0.5}}}, "list": [1, 2]},
        }
        for number, name in enumerate(IDS)
    ]
    return frame_of(rows)


@pytest.fixture(autouse=True)
def wide(monkeypatch):
    monkeypatch.setenv("COLUMNS", "140")


def words(text):
    return text.splitlines()[0].split()


def test_a_terminal_of_140_columns_shows_what_a_person_reads_first_and_the_id_once(sessions):
    shown = repr(sessions)
    assert words(shown)[: len(READ_FIRST) + 1] == ["id", *READ_FIRST]
    assert max(map(len, shown.splitlines())) <= 140
    assert [line.count(IDS[1][:8]) for line in shown.splitlines() if IDS[1][:8] in line] == [1]
    assert "[3 rows x 27 columns" in shown
    assert not {"url", "json"} & set(words(shown))


@pytest.mark.parametrize("width", [20, 60, 80, 110, 300])
def test_a_table_is_no_wider_than_the_terminal_and_drops_from_the_right(sessions, monkeypatch, width):
    monkeypatch.setenv("COLUMNS", str(width))
    shown = repr(sessions).split("\n\n")[0].splitlines()
    assert max(map(len, shown)) <= width
    columns = words(shown[0])[1:]
    assert columns == sessions.columns.to_list()[: len(columns)]
    assert (IDS[0] in repr(sessions)) == (width == 300)


def test_what_was_added_is_shown_and_what_was_made_of_json(sessions):
    made = sessions.assign(**{"json.noise": 1.5})
    made = made[[*sessions.columns[:-3], "json.noise", *sessions.columns[-3:]]].assign(rate=2)
    for shown in (words(repr(made)), re.findall(r"<th[^>]*>([^<]*)</th>", made._repr_html_())):
        assert {"json.noise", "rate", "subject"} <= set(shown)


def test_a_fault_of_details_is_shown(sessions):
    assert "detail_error" not in words(repr(sessions))
    told = sessions.copy()
    told.loc[IDS[1], "detail_error"] = "the server answered 500"
    assert "the server answered 5" in repr(told)
    assert "the server answered 5" in told._repr_html_()


def test_long_frames_show_their_ends(sessions):
    long = shown_frame(pd.concat([sessions] * 50).reset_index(drop=True))
    long.attrs = sessions.attrs
    labels = [line.split()[0] for line in repr(long).split("\n\n")[0].splitlines()[1:]]
    assert labels == ["0", "1", "2", "3", "4", "…", "145", "146", "147", "148", "149"]
    assert long._repr_html_().count("<tr>") == 1 + 10 + 1
    with pd.option_context("display.max_rows", None):
        assert len(repr(long).split("\n\n")[0].splitlines()) == 1 + 150


def test_an_empty_frame_has_its_columns(sessions):
    assert words(repr(sessions.iloc[:0]))[:3] == ["id", "subject", "start_time"]
    assert "[0 rows x 27 columns]" in repr(sessions.iloc[:0])
    assert "<thead>" in sessions.iloc[:0]._repr_html_()


def test_wide_letters_keep_the_columns_straight(sessions):
    sessions.loc[IDS[0], "narrative"] = "東京の実験室で測定しました、とても長い説明です。とても長い"
    lines = repr(sessions).splitlines()
    from rich.cells import cell_len

    ends = {cell_len(line[: line.index("champalimaud")]) for line in lines[1:4]}
    assert len(ends) == 1


def test_nothing_that_a_server_holds_is_obeyed_by_a_terminal_or_a_page(sessions):
    bad = "\x1b[31m<script>alert(1)</script>\u202e\n"
    sessions.loc[IDS[0], "narrative"] = bad
    sessions.at[IDS[0], "json"] = {bad: {bad: bad}}
    sessions.loc[IDS[0], "subject"] = bad
    row = sessions.iloc[0]
    for text in (repr(sessions), repr(row)):
        assert not set(text) & {"\x1b", "\u202e"}
    for page in (sessions._repr_html_(), row._repr_html_()):
        assert not set(page) & {"\x1b", "\u202e"}
        assert "<script" not in page
        assert "&lt;script" in page


# rows


def test_a_row_reads_like_a_page_with_json_as_a_tree(sessions):
    shown = repr(sessions.iloc[1])
    lines = shown.splitlines()
    assert lines[0] == "sessions ea04/2024-01-03/002"
    assert "start_time     2024-01-03 10:00:00" in lines
    start = lines.index("json")
    assert lines[start + 1 : start + 7] == [
        "    stims:",
        "        right:",
        "            1:",
        "                n: 31",
        "                amp: 0.5",
        "    list: 1, 2",
    ]
    assert "Nothing in: location, procedures, type" in shown
    assert max(map(len, lines)) <= 140


def test_a_row_in_a_notebook_opens_its_json(sessions):
    page = sessions.iloc[1]._repr_html_()
    assert "sessions ea04/2024-01-03/002" in page
    assert page.count("<details open>") == 3
    assert "<summary>right</summary>" in page
    assert "<li>amp: 0.5</li>" in page


def test_a_long_tree_is_closed_in_a_notebook(sessions):
    sessions.at[IDS[0], "json"] = {f"key {number}": number for number in range(500)}
    sessions.at[IDS[0], "notes"] = [{"text": "a note"}, {"text": "another"}]
    page = sessions.iloc[0]._repr_html_()
    assert "<details><summary>500 keys</summary>" in page
    assert "<details><summary>2 entries</summary>" in page


def test_a_long_tree_is_cut_and_says_so(sessions):
    sessions.at[IDS[0], "json"] = {f"key {number}": number for number in range(500)}
    assert "… 460 more lines" in repr(sessions.iloc[0])


def test_what_has_the_index_of_a_row_and_is_none_is_shown_by_pandas(sessions):
    for series in (sessions.count(), sessions.dtypes, sessions.isna().sum()):
        assert repr(series) == repr(pd.Series(series))


# still pandas


def test_columns_are_plain_and_parts_keep_the_view(sessions):
    assert type(sessions["subject"]) is pd.Series
    assert type(sessions.n_trials.mean()) is float or sessions.n_trials.mean() == 301
    for part in (sessions.head(2), sessions[sessions.n_trials > 300], sessions.sort_values("number"), sessions.copy()):
        assert isinstance(part, AlyxFrame)
        assert words(repr(part))[:3] == ["id", "subject", "start_time"]
    assert isinstance(sessions.loc[IDS[0]], AlyxRow)
    assert [type(row) for _, row in sessions.iterrows()] == [AlyxRow] * 3


@pytest.mark.parametrize(
    "other",
    [
        lambda frame: frame[["subject", "n_trials"]],
        lambda frame: frame.set_index(["subject", "number"]),
        lambda frame: pd.concat([frame, frame], axis=1),
        lambda frame: frame.T,
        lambda frame: frame.pivot_table("n_trials", "subject", "number"),
        lambda frame: frame[["n_trials", "number"]].agg(["min", "max"]),
    ],
)
def test_another_table_made_of_it_is_shown_by_pandas(sessions, other):
    made = other(sessions)
    plain = pd.DataFrame(made)
    assert repr(made) == repr(plain)
    assert made._repr_html_() == plain._repr_html_()


@pytest.mark.parametrize("most", [None, 50])
def test_who_sets_how_many_columns_to_show_is_obeyed(sessions, most):
    with pd.option_context("display.max_columns", most):
        assert repr(sessions) == repr(pd.DataFrame(sessions))
        assert sessions._repr_html_() == pd.DataFrame(sessions)._repr_html_()


def test_it_equals_the_plain_frame_and_joins_with_others(sessions):
    pd.testing.assert_frame_equal(sessions, pd.DataFrame(sessions))
    weights = pd.DataFrame({"subject": ["ea04"], "weight": [24.5]})
    assert sessions.merge(weights, on="subject")["weight"].to_list() == [24.5] * 3
    assert pd.concat([sessions, sessions])["number"].to_list() == [1, 2, 3, 1, 2, 3]
    assert sessions.groupby("qc", observed=True)["n_trials"].sum().to_dict() == {"PASS": 903}
    assert sessions.attrs == sessions.head(1).attrs


def test_a_pickle_is_read_without_this_package(sessions, tmp_path):
    for name, value in (("frame", sessions), ("row", sessions.iloc[0])):
        (tmp_path / name).write_bytes(pickle.dumps(value))
    found = subprocess.run(
        [
            sys.executable,
            "-c",
            "import pickle, sys; from pathlib import Path\n"
            "frame, row = (pickle.loads(Path(name).read_bytes()) for name in ('frame', 'row'))\n"
            "print(type(frame).__name__, type(row).__name__, frame.attrs['endpoint'], row.subject)\n"
            "print(any(name.startswith('alyx') for name in sys.modules))",
        ],
        cwd=tmp_path,
        capture_output=True,
        text=True,
        check=True,
    )
    assert found.stdout.split() == ["DataFrame", "Series", "sessions", "ea04", "False"]


def test_a_copy_keeps_the_view(sessions):
    for made in (copy.copy(sessions), copy.deepcopy(sessions)):
        assert isinstance(made, AlyxFrame)
        pd.testing.assert_frame_equal(made, sessions)
