"""A file of the first version is opened, keeps everything, and tells the same of its items; also after a kill."""

from __future__ import annotations

import json
import signal
import sqlite3
import subprocess
import sys
from contextlib import closing
from pathlib import Path

import pytest

from pybpod_alyx_module.outbox.items import State, WaitsFor
from pybpod_alyx_module.outbox.outbox import Outbox
from pybpod_alyx_module.outbox.sqlite_file import VERSION
from tests.unit.outbox.test_outbox import WEIGHING

SCRIPT = Path(__file__).with_name("version_1.sql").read_text(encoding="utf-8")
#: Number, state and what it waits for; 10 was added after the login of jose was asked for.
ITEMS = [
    (1, State.SENT, WaitsFor.NOTHING),
    (2, State.DISCARDED, WaitsFor.NOTHING),
    (3, State.UNSURE, WaitsFor.PAUSE),
    (4, State.UNSURE, WaitsFor.LOGIN),
    (5, State.PARKED, WaitsFor.PERSON),
    (6, State.WAITING, WaitsFor.SESSION),
    (7, State.WAITING, WaitsFor.LOGIN),
    (8, State.WAITING, WaitsFor.PAUSE),
    (9, State.WAITING, WaitsFor.NOTHING),
    (10, State.WAITING, WaitsFor.LOGIN),
]

OPEN_AND_DIE = """
import os, signal, sys
from pathlib import Path
from pybpod_alyx_module.outbox import sqlite_file
from pybpod_alyx_module.outbox.outbox import Outbox
connect = sqlite_file._connect
def die(statement):
    if statement.startswith(sys.argv[2]):
        os.kill(os.getpid(), signal.SIGKILL)
def watched(path):
    connection = connect(path)
    connection.set_trace_callback(die)
    return connection
sqlite_file._connect = watched
Outbox(Path(sys.argv[1]))
"""


@pytest.fixture
def path(tmp_path):
    path = tmp_path / "outbox.sqlite"
    with closing(sqlite3.connect(path)) as connection:
        connection.executescript(SCRIPT)
        assert connection.execute("PRAGMA user_version").fetchone() == (1,)
    return path


def rows(path):
    with closing(sqlite3.connect(path)) as connection:
        connection.row_factory = sqlite3.Row
        return [dict(row) for row in connection.execute("SELECT * FROM items ORDER BY number")]


def check(path, before):
    outbox = Outbox(path)
    assert outbox.notes == ()
    assert [(item.number, item.state, item.waits_for) for item in outbox.items()] == ITEMS
    for old, new in zip(before, rows(path), strict=True):
        told = {"reason": old["reason"], "hint": old["hint"]}
        if old["number"] == 10:  # it says now what the window said of it
            told = {"reason": before[6]["reason"], "hint": before[6]["hint"]}
        assert new == {**old, **told, "waits_for": new["waits_for"], "sent_as": "[]"}
    added = outbox.add(WEIGHING)
    assert added.number == 11
    outbox.close()
    with closing(sqlite3.connect(path)) as connection:
        assert connection.execute("PRAGMA user_version").fetchone() == (VERSION,)
        assert connection.execute("PRAGMA integrity_check").fetchone() == ("ok",)
    return outbox


def test_it_keeps_everything_and_its_logins(path):
    before = rows(path)
    outbox = check(path, before)
    assert [item.number for item in outbox.items() if item.wants_login] == [4, 7, 10, 11]  # 11 is of jose, too
    assert [item.number for item in outbox.items() if item.needs_person] == [4, 5, 7, 10, 11]
    assert json.loads(before[9]["values"])["weight"] == 20.0


def test_what_lies_on_another_animal_goes_on_saying_so(path):
    reason = "Names were changed on alyx.example while it was sent: it landed on another animal."
    with closing(sqlite3.connect(path)) as connection, connection:
        connection.execute("UPDATE items SET misplaced = 'a record', reason = ? WHERE number = 10", (reason,))
    outbox = Outbox(path)
    assert outbox.items()[9].reason == reason
    outbox.close()


def test_the_tables_of_an_old_and_a_new_file_are_alike(path, tmp_path):
    Outbox(path).close()
    new = tmp_path / "new.sqlite"
    Outbox(new).close()

    def columns(one):
        with closing(sqlite3.connect(one)) as connection:
            return (
                connection.execute("PRAGMA table_info(items)").fetchall(),
                connection.execute("SELECT name, sql FROM sqlite_master WHERE type = 'index' ORDER BY name").fetchall(),
            )

    assert columns(path) == columns(new)


@pytest.mark.parametrize(
    "statement", ["BEGIN", "ALTER", "UPDATE items SET waits_for = CASE", "UPDATE items SET waits_for = 'login'"]
)
@pytest.mark.parametrize("kills", [1, 2])
def test_a_program_that_is_killed_while_it_converts_leaves_a_file_that_can_be_used(path, statement, kills):
    before = rows(path)
    for _ in range(kills):
        killed = subprocess.run([sys.executable, "-c", OPEN_AND_DIE, str(path), statement], check=False)
        assert killed.returncode == -signal.SIGKILL
        assert rows(path) == before
    check(path, before)


@pytest.mark.parametrize("statement", ["PRAGMA user_version=", "COMMIT"])
def test_killed_at_the_end_it_is_of_one_version_or_the_other(path, statement):
    before = rows(path)
    killed = subprocess.run([sys.executable, "-c", OPEN_AND_DIE, str(path), statement], check=False)
    assert killed.returncode == -signal.SIGKILL
    check(path, before)


def test_two_programs_that_convert_it_at_once_both_use_it(path):
    before = rows(path)
    open_it = "import sys; from pathlib import Path; from pybpod_alyx_module.outbox.outbox import Outbox\n"
    open_it += "assert len(Outbox(Path(sys.argv[1])).items()) == 10"
    programs = [subprocess.Popen([sys.executable, "-c", open_it, str(path)]) for _ in range(2)]
    assert [program.wait(60) for program in programs] == [0, 0]
    check(path, before)
