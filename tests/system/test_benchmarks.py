"""The benchmark program runs and prints its tables; what it measures is nobody's business here."""

from __future__ import annotations

import re
import subprocess
import sys
from functools import partial
from pathlib import Path

import pandas as pd
import pytest

from benchmarks.connector import main
from benchmarks.side_by_side import answer, lines_of_code

pytest.importorskip("one", reason="ONE-api is not installed")

ROOT = Path(__file__).parents[2]
SMALL = (
    "--rounds",
    "1",
    "--sessions",
    "240",
    "--details",
    "10",
    "--rows",
    "240",
    "--latency",
    "1",
)


def benchmark(*words: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "benchmarks.connector", *words]
    return subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=300, check=False)


@pytest.mark.timeout(330)
def test_every_part_prints_its_table() -> None:
    ended = benchmark("list", "details", "repeat", "memory", *SMALL)
    assert ended.returncode == 0, ended.stderr
    machine, _, *tables = re.split(r"\n+", ended.stdout, maxsplit=2)
    assert re.match(r"\d+ cores, \w+, Python 3\.\d+", machine)
    text = tables[0]
    throttled = r"^The repeat of a search for 20 sessions .*, server 1 ms away, 550/minute$"
    assert re.search(throttled, text, re.MULTILINE)
    for server in ("1 ms away", "with 2 workers"):
        assert re.search(rf"^List \d+ sessions, server {server}$", text, re.MULTILINE)
        assert re.search(rf"^Details of 10 sessions, nothing cached, server {server}$", text, re.MULTILINE)
        assert re.search(rf"^The repeat of a search for 20 sessions .*, server {server}$", text, re.MULTILINE)
    number = r" +\d+\.\d+"
    for name, times in {"AlyxClient.list": 2, "ONE-api, one by one": 2, "bare concurrent fetch": 2, "again": 3}.items():
        assert len(re.findall(rf"^{name}{number * 5}$", text, re.MULTILINE)) == times
    assert (
        len(re.findall(r"^  (?:met|missed): \d+\.\d+ .* \(aim: at (?:least|most) [\d.]+\)$", text, re.MULTILINE)) == 10
    )
    if sys.platform == "linux":
        assert re.search(rf"^the raw rows{number * 2} +1\.00$", text, re.MULTILINE)


@pytest.mark.timeout(330)
def test_both_clients_give_the_same_answers_to_every_job() -> None:
    ended = benchmark(
        *("jobs", "--rounds", "1", "--sessions", "5", "--animals", "3", "--latency", "1", "--workers", "0"),
    )
    assert ended.returncode == 0, ended.stderr
    assert "not comparable" not in ended.stdout
    assert "nothing found" not in ended.stdout
    row = r"^{name} +[1-9]\d* +\d+ +\d+\.\d+ +\d+\.\d+ +\d+\.\d+ +\d+\.\d+$"
    # Ten jobs, of which two are also done by somebody who knows Alyx's database.
    for name, times in {"Connector": 10, "ONE-api": 10, "ONE-api, django= by hand": 2}.items():
        assert len(re.findall(row.format(name=name), ended.stdout, re.MULTILINE)) == times


def test_another_answer_is_seen() -> None:
    frame = pd.DataFrame(
        {"id": ["a", "b"], "n": pd.array([1, None], dtype="Int64"), "at": pd.to_datetime("2024-01-01")}
    )
    as_sent = pd.DataFrame({"id": ["b", "a"], "n": [None, 1], "at": "2024-01-01T00:00:00", "url": "x"})
    columns = ("id", "n", "at")
    assert answer(frame, columns) == answer(as_sent, columns)
    assert answer(frame.assign(n=2), columns) != answer(as_sent, columns)
    assert answer(frame.iloc[:1], columns) != answer(as_sent, columns)


def two_lines(number: int) -> int:
    """Not counted."""
    # nor this
    doubled = number * 2

    return doubled + 1


def test_lines_of_code_are_those_of_the_body() -> None:
    assert lines_of_code(two_lines) == 2
    assert lines_of_code(partial(two_lines, number=1)) == 2


def refused(capsys: pytest.CaptureFixture[str], *words: str) -> str:
    with pytest.raises(SystemExit) as ended:
        main(words)
    assert ended.value.code == 2
    return capsys.readouterr().err


def test_an_unknown_part_is_told(capsys: pytest.CaptureFixture[str]) -> None:
    said = refused(capsys, "lists")
    assert "there is no part lists, only list, details, repeat, jobs, memory" in said


@pytest.mark.parametrize("words", [("list", "--user", "jose"), ("jobs",)])
def test_a_given_server_is_asked_for_jobs_only_and_as_a_user(
    words: tuple[str, ...], capsys: pytest.CaptureFixture[str]
) -> None:
    said = refused(capsys, *words, "--url", "http://127.0.0.1:1")
    assert "a server that is given needs --user, and is asked for the jobs only" in said
