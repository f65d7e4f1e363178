"""What ``alyx-connector`` writes into pipes and files, and what harmful text becomes there."""

from __future__ import annotations

import io
import json
import subprocess

import pandas as pd
import pytest

from alyx_connector import AlyxClient, read_parquet
from tests.system.connector.command_line import COMMAND, ROOT, USUAL, CommandLine

HARMFUL = {
    "formula": '=HYPERLINK("http://evil.example","ran well")',
    "plus": "+1+1",
    "minus": "-2 mice, -3 rats",
    "at": "@SUM(A1)",
    "tab": "\t=1+1",
    "return": "\r=1+1",
    "escape": "ran \x1b[31mred\x1b]0;title\x07 well\x9b2J",
    "markup": "[red]ran[/red] :smile: [link=http://evil.example]well[/link]",
    "lines": "first\nsecond\tthird, «quoted» \"text\" 'too'",
    "direction": "ran \u202ellew",
}


@pytest.fixture(scope="module")
def rows(writable):
    """Sessions of jo006 by what their narrative does; the records as the server has them."""
    with AlyxClient(writable.url) as client:
        client.login("jose", "jose-demo")
        sessions = client.list("sessions", {"subject": "jo006"})
        like = {"subject": "jo006", "lab": sessions[0]["lab"], "users": ["jose"], "type": "Base", "procedures": []}
        made = {}
        for number, (name, text) in enumerate(HARMFUL.items(), start=1):
            session = {
                **like,
                "number": number,
                "start_time": f"1999-06-{number:02}T10:00:00",
                "narrative": text,
                "json": {"note": text, "depth": -1.5},
                "n_trials": number,
            }
            made[name] = client.post("sessions", session)
        return made


@pytest.fixture(scope="module")
def cli(tmp_path_factory, writable):
    cli = CommandLine(tmp_path_factory.mktemp("home"))
    cli.login(writable)
    return cli


SEARCH = ("search", "--subject", "jo006", "--until", "1999-12-31")


def by_name(rows, records):
    found = {record["id"]: record for record in records}
    return {name: found[row["id"]] for name, row in rows.items()}


def test_json_is_one_array_of_whole_records(cli, rows):
    printed, told = cli.run(*SEARCH, "--format", "json")
    assert told == ""
    assert not set(printed) & {"\x1b", "\x07", "\x9b", "\u202e"}
    records = by_name(rows, json.loads(printed))
    for name, record in records.items():
        assert record["narrative"] == rows[name]["narrative"]
        assert record["json"] == rows[name]["json"], "an object, not a text"
        assert record["start_time"] == rows[name]["start_time"]
        assert record["end_time"] is None
        assert record["detail_error"] is None
    assert len(printed.splitlines()) == len(rows) + 2, "a record a line"


@pytest.mark.parametrize("form", ["json", "csv", "table", "parquet"])
def test_a_process_of_its_own_writes_the_same_bytes(cli, rows, form, monkeypatch):
    monkeypatch.setitem(cli.environment, "PYTHONIOENCODING", "ascii")
    printed, told = cli.run_process(*SEARCH, "--format", form)
    monkeypatch.undo()
    assert told == ""
    again = cli.run(*SEARCH, "--format", form)[0]
    assert printed == again if form != "parquet" else printed.startswith(b"PAR1")


def test_csv_is_read_back_by_pandas_and_holds_no_formula(cli, rows):
    printed, _ = cli.run(*SEARCH, "--format", "csv")
    frame = pd.read_csv(io.StringIO(printed))
    records = by_name(rows, frame.to_dict("records"))
    for name in ("formula", "plus", "minus", "at"):
        assert records[name]["narrative"] == "'" + HARMFUL[name]
    assert records["lines"]["narrative"] == HARMFUL["lines"]
    assert records["escape"]["narrative"] == r"ran \x1b[31mred\x1b]0;title\x07 well\x9b2J"
    assert records["markup"]["narrative"] == HARMFUL["markup"]
    assert not set(printed) & {"\x1b", "\x07", "\x9b", "\u202e", "\r"}
    for name, record in records.items():
        assert json.loads(record["json"]) == rows[name]["json"]
        assert record["start_time"] == rows[name]["start_time"]
        assert record["n_trials"] == rows[name]["n_trials"], "a number stays a number"
    starts = {str(cell)[0] for column in frame.select_dtypes(["object", "string"]) for cell in frame[column].dropna()}
    assert not starts & set("=+-@\t\r")


def test_pipes_get_plain_lines_that_cut_understands(cli, rows):
    printed, _ = cli.run(*SEARCH)
    assert not set(printed) & {"\x1b", "\x07", "\x9b", "\u202e", "─"}
    table = [line.split("\t") for line in printed.splitlines()]
    assert len(table) == len(rows) + 1
    assert {len(line) for line in table} == {len(USUAL)}
    assert table[0] == USUAL
    records = by_name(rows, [dict(zip(table[0], line, strict=True)) for line in table[1:]])
    assert records["lines"]["narrative"] == HARMFUL["lines"].replace("\n", r"\n").replace("\t", r"\t")
    assert records["escape"]["narrative"] == r"ran \x1b[31mred\x1b]0;title\x07 well\x9b2J"
    assert records["direction"]["narrative"] == r"ran \u202ellew"
    assert records["markup"]["narrative"] == HARMFUL["markup"]


def test_a_terminal_shows_harmful_text_and_obeys_none_of_it(cli, rows):
    shown = cli.shown(*SEARCH, "--columns", "number,narrative,qc")
    assert r"ran \x1b[31mred\x1b]0;title\x07 well\x9b2J" in shown
    assert HARMFUL["markup"] in shown
    assert not set(shown) & {"\x07", "\x9b", "\u202e"}
    assert "\x1b]" not in shown
    record = cli.shown("get", "sessions", rows["escape"]["id"])
    assert r"ran \x1b[31mred\x1b]0;title\x07 well\x9b2J" in record
    assert not set(record) & {"\x07", "\x9b"}


def test_columns_are_chosen_in_order(cli, rows):
    printed, _ = cli.run(*SEARCH, "--columns", "number, subject,number", "--no-details")
    assert printed.splitlines()[0] == "number\tsubject"
    printed, _ = cli.run(*SEARCH, "--columns", "all")
    assert {"url", "json", "extended_qc", "detail_error"} <= set(printed.splitlines()[0].split("\t"))
    printed, _ = cli.run(*SEARCH, "--expand", "json", "--format", "csv", "--columns", "json.depth,id")
    assert set(pd.read_csv(io.StringIO(printed))["json.depth"]) == {-1.5}


@pytest.mark.parametrize(("form", "empty"), [("table", None), ("csv", None), ("json", "[]\n")])
def test_no_match_is_an_empty_table_and_a_word(cli, form, empty):
    printed, told = cli.run("search", "--subject", "nobody", "--format", form)
    assert told.splitlines()[0].startswith("Note: There is no subject nobody at ")
    assert told.splitlines()[1:] == ["No sessions match."]
    assert printed == empty if empty else ("start_time" in printed and printed.count("\n") == 1)


# files


@pytest.mark.parametrize("ending", ["csv", "json", "parquet", "tsv"])
def test_a_file_holds_what_a_pipe_would(cli, rows, tmp_path, ending):
    file = tmp_path / f"sessions.{ending}"
    file.write_text("old")
    printed, told = cli.run(*SEARCH, "--output", str(file))
    assert printed == ""
    assert told == f"{len(rows)} rows written to {file}.\n"
    assert list(tmp_path.iterdir()) == [file]
    form = {"tsv": "table"}.get(ending, ending)
    piped = cli.run(*SEARCH, "--format", form)[0]
    if ending == "parquet":
        (tmp_path / "piped.parquet").write_bytes(piped)
        assert read_parquet(file).equals(read_parquet(tmp_path / "piped.parquet"))
    else:
        assert file.read_text(encoding="utf-8") == piped


def test_parquet_keeps_dtypes_and_json(cli, rows, tmp_path):
    cli.run(*SEARCH, "--output", str(tmp_path / "sessions.parquet"))
    frame = read_parquet(tmp_path / "sessions.parquet")
    assert str(frame["start_time"].dtype) == "datetime64[ns]"
    assert frame.loc[rows["lines"]["id"], "json"] == rows["lines"]["json"]
    assert frame.loc[rows["formula"]["id"], "narrative"] == HARMFUL["formula"], "is no text of a spreadsheet"
    assert frame.attrs["endpoint"] == "sessions"


@pytest.mark.parametrize(
    ("output", "says"),
    [
        (".", "it is a folder"),
        ("/dev/null", "it is not a regular file"),
        ("missing/sessions.csv", "there is no folder"),
        ("sessions.xlsx", "does not say the format"),
        ("sessions.csv/below.csv", "there is no folder"),
    ],
)
def test_a_file_that_cannot_be_written_is_refused_before_anything_is_asked(fresh_file, output, says):
    nothing_set_up = CommandLine(fresh_file / "home")
    told = nothing_set_up.refused("search", "--subject", "jo006", "--output", str(fresh_file / output), expect=2)
    assert says in told
    assert [path.name for path in fresh_file.iterdir()] == ["sessions.csv"]
    assert (fresh_file / "sessions.csv").read_text() == "old"


@pytest.fixture
def fresh_file(tmp_path):
    (tmp_path / "sessions.csv").write_text("old")
    return tmp_path


def test_a_search_that_fails_leaves_the_file_as_it_was(fresh_file, cli):
    cli.refused("search", "--subjct", "x", "--output", str(fresh_file / "sessions.csv"), expect=2)
    assert (fresh_file / "sessions.csv").read_text() == "old"


# standard output that ends


def test_a_reader_that_goes_away_ends_it_quietly(cli):
    asked = subprocess.Popen(
        [*COMMAND, "filters", "--format", "json"],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        cwd=ROOT,
        env=cli.environment,
    )
    asked.stdout.close()
    assert asked.stderr.read() == b""
    assert asked.wait(60) == 141


def test_a_full_disk_behind_standard_output_is_told(cli):
    with open("/dev/full", "wb") as full:
        done = subprocess.run(
            [*COMMAND, "filters"], stdout=full, stderr=subprocess.PIPE, cwd=ROOT, env=cli.environment, timeout=60
        )
    assert done.returncode == 1
    assert b"cannot be written: No space left on device" in done.stderr
    assert b"Exception" not in done.stderr
