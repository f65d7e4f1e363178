"""``pybpod-alyx outbox`` as a user runs it."""

from __future__ import annotations

import csv
import io
import os
import subprocess
import sys

import pytest

from pybpod_alyx_module.outbox.items import Draft, Kind, State
from pybpod_alyx_module.outbox.outbox import Outbox
from pybpod_alyx_module.outbox.sqlite_file import SenderLocks
from pybpod_alyx_module.outbox.states import Event, move


@pytest.fixture
def home(tmp_path):
    return tmp_path / "home"


@pytest.fixture
def run(home):
    def run(*words: str) -> subprocess.CompletedProcess[str]:
        command = [sys.executable, "-m", "pybpod_alyx_module", "outbox", *words]
        environment = {**os.environ, "ALYX_CONNECTOR_HOME": str(home)}
        return subprocess.run(command, capture_output=True, text=True, check=False, env=environment)

    return run


@pytest.fixture
def parked(home):
    outbox = Outbox(home / "outbox.sqlite")
    values = {"weight": 24.5, "date_time": "2026-11-21T12:00:00"}
    draft = Draft(Kind.WEIGHING, "http://127.0.0.1:9", "jose", "1368afed-5fc8-405e-b314-ea8f6f429575", "=ea04", values)
    outbox.add(draft)
    item = outbox.add(draft)
    outbox.change(item.key, lambda item: move(item, Event.PARK, reason="weight: too\x1b heavy.", hint="Look."))
    yield item
    outbox.close()


def test_list_is_plain_lines_of_what_waits(run, parked):
    result = run("list")
    assert (result.returncode, result.stderr) == (0, "")
    lines = [line.split("\t") for line in result.stdout.splitlines()]
    assert [line[1] for line in lines] == ["waiting", "action needed"]
    assert lines[1][0] == parked.key
    assert lines[1][3:] == [
        "Weight 24.5 g, =ea04, 2026-11-21 12:00",
        "jose",
        "http://127.0.0.1:9",
        "weight: too\\x1b heavy. Look.",
    ]


def test_what_a_killed_pybpod_left_is_not_said_to_be_being_sent(run, home, parked):
    outbox = Outbox(home / "outbox.sqlite")
    waiting = outbox.items((State.WAITING,))[0]
    outbox.add(Draft(waiting.kind, waiting.server, "jose", waiting.subject_id, "=ea04", waiting.values))
    outbox.replace(waiting, move(waiting, Event.CLAIM))
    told = [["may be on Alyx", "PyBpod ended while it was being sent."], ["waiting", "which may already be on Alyx"]]
    locks = SenderLocks(outbox.path)
    for sends in (False, True):
        if sends:
            assert locks.take_turn()
            told = [["being sent", ""], ["waiting", "which is being sent"]]
        lines = [line.split("\t") for line in run("list").stdout.splitlines()]
        for line, (state, reason) in zip([lines[0], lines[2]], told, strict=True):
            assert line[1] == state
            assert reason in line[-1]
        row = next(csv.DictReader(io.StringIO(run("export", "-").stdout)))
        assert (row["state"], row["reason"]) == ("sending" if sends else "unsure", told[0][1])
    locks.end_turn()
    assert outbox.item(waiting.key).state is State.SENDING  # a look changes nothing
    outbox.close()


def test_an_empty_outbox_lists_nothing(run):
    result = run("list")
    assert (result.returncode, result.stdout, result.stderr) == (0, "", "")


@pytest.mark.parametrize("words", [["--all"], ["KEY"]])
def test_retry_has_it_sent_and_says_by_whom(run, parked, home, words):
    result = run("retry", *[parked.key[:13] if word == "KEY" else word for word in words])
    assert result.returncode == 0
    assert "open PyBpod that is connected to http://127.0.0.1:9 as jose" in result.stdout
    assert [item.state for item in Outbox(home / "outbox.sqlite").items()] == [State.WAITING] * 2
    assert run("retry", "--all").stdout == "There is nothing to retry.\n"


@pytest.mark.parametrize("words", [["retry"], ["retry", "nokey"], ["retry", ""], ["export"], [], ["nothing"]])
def test_wrong_words_are_told(run, parked, words):
    result = run(*words)
    assert (result.returncode, result.stdout) == (2, "")
    assert result.stderr


def test_export_writes_every_item_without_formulas(run, parked, tmp_path):
    path = tmp_path / "all.csv"
    assert run("export", str(path)).returncode == 0
    rows = list(csv.DictReader(io.StringIO(path.read_text(encoding="utf-8-sig"))))
    assert [(row["state"], row["value"], row["unit"], row["user"]) for row in rows] == [
        ("waiting", "24.5", "g", "jose"),
        ("parked", "24.5", "g", "jose"),
    ]
    assert {row["subject"] for row in rows} == {"'=ea04"}
    assert all(row["rig"] and row["recorded_utc"] for row in rows)
    assert run("export", "-").stdout == path.read_text(encoding="utf-8-sig")


def test_an_export_that_cannot_be_written_names_the_file(run, parked, tmp_path):
    path = tmp_path / "nowhere" / "all.csv"
    result = run("export", str(path))
    assert result.returncode == 1
    assert str(path) in result.stderr
    assert "Name another file" in result.stderr


def test_an_outbox_that_cannot_be_opened_names_the_file(run, home):
    home.write_text("a file in the folder's place")
    for words in (["list"], ["retry", "--all"], ["export", "-"]):
        result = run(*words)
        assert result.returncode == 1
        assert str(home) in result.stderr
        assert "then try again" in result.stderr


def test_a_sent_item_is_not_retried(run, parked, home):
    outbox = Outbox(home / "outbox.sqlite")
    outbox.discard(parked.key)
    result = run("retry", parked.key)
    assert result.returncode == 1
    assert "has been discarded" in result.stderr
