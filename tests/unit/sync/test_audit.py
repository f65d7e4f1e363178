"""The table of what each sync changed."""

from __future__ import annotations

import csv
import os

import pytest

from alyx_connector.errors import ConfigurationError
from pybpod_alyx_module.host.save_journal import SaveJournal
from pybpod_alyx_module.sync import audit
from pybpod_alyx_module.sync.apply import Result
from pybpod_alyx_module.sync.audit import COLUMNS, FILE, append_rows, audit_rows
from pybpod_alyx_module.sync.plan import Action, Difference, PlanEntry
from pybpod_alyx_module.sync.snapshot import LocalSubject, RemoteSubject

SERVER, TIME = "http://127.0.0.1:1", "2026-11-28T03:00:00+00:00"
DIFFERENCES = (Difference("sex", "M", "F", False), Difference("line", None, "Ai32", True))


def remote(nickname):
    row = {"id": "aa074dc3-06fa-5e28-b648-019e27306b9f", "nickname": nickname, "alive": True}
    return RemoteSubject.from_row(row, SERVER)


def rows_of(*results):
    return audit_rows(results, server=SERVER, username="jose", time=TIME)


def table(project):
    with (project / FILE).open(encoding="utf-8-sig", newline="") as stream:
        return list(csv.DictReader(stream))


def test_a_row_says_what_became_of_a_subject_and_why():
    local = LocalSubject("k", "a", remote("b").alyx_id)
    rows = rows_of(
        Result(PlanEntry(Action.OVERRIDE, "a", local, remote("b"), DIFFERENCES, "renamed on Alyx"), applied=True),
        Result(PlanEntry(Action.MERGE, "a", local, remote("a"), DIFFERENCES), applied=True),
        Result(PlanEntry(Action.ADD, "c", None, remote("c")), applied=True),
        Result(PlanEntry(Action.REMOVE, "a", local, None, reason="not alive on Alyx"), applied=True),
        Result(PlanEntry(Action.REMOVE, "d", local, None), applied=False),
        *(
            Result(PlanEntry(action, "e", local), applied=True)
            for action in (Action.KEEP, Action.UP_TO_DATE, Action.CONFLICT, Action.LEFT_ALONE, Action.POSTPONE)
        ),
    )
    told = [dict(zip(COLUMNS, row, strict=True)) for row in rows]
    assert [(it["action"], it["subject"], it["new_name"], it["fields"], it["why"]) for it in told] == [
        ("overridden", "a", "b", "sex, line", "renamed on Alyx"),
        ("filled in", "a", "", "line", ""),
        ("added", "c", "", "", ""),
        ("removed", "a", "", "", "not alive on Alyx"),
    ]
    assert {(it["time"], it["user"], it["server"], it["alyx_id"]) for it in told} == {
        (TIME, "jose", SERVER, remote("a").alyx_id)
    }
    assert len({it["sync"] for it in told}) == 1


def added(name):
    return rows_of(Result(PlanEntry(Action.ADD, name, None, remote(name)), applied=True))


def test_two_pybpods_and_a_repeated_save_neither_lose_nor_double_a_line(tmp_path):
    first, second = added("a"), added("=1+1")
    for rows in (first, second, first, [*second, *first]):
        append_rows(tmp_path, rows)
    assert [row["subject"] for row in table(tmp_path)] == ["a", "'=1+1"]  # a spreadsheet would compute it


def test_what_a_refused_write_left_is_the_old_table(tmp_path, monkeypatch):
    append_rows(tmp_path, added("a"))
    before = (tmp_path / FILE).read_bytes()

    def refuse(_path):
        raise ConfigurationError("no room")

    monkeypatch.setattr(audit, "whole_file", refuse)
    with pytest.raises(ConfigurationError):
        append_rows(tmp_path, added("b"))
    assert (tmp_path / FILE).read_bytes() == before


def save(own):
    later = own.stat().st_mtime_ns + 1_000_000_000
    os.utime(own, ns=(later, later))


def test_a_save_that_is_killed_lists_its_sync_if_and_only_if_the_project_was_saved(tmp_path):
    own = tmp_path / f"{tmp_path.name}.json"
    own.write_text("{}")
    killed_before = SaveJournal(str(tmp_path))
    killed_before.begin(added("a"))
    killed_before._leave_lock()  # as the system does for a killed process
    SaveJournal(str(tmp_path)).take_back_of_killed()
    assert not (tmp_path / FILE).exists()

    rows = added("b")
    killed_after = SaveJournal(str(tmp_path))
    killed_after.begin(rows)
    save(own)
    append_rows(tmp_path, rows)  # as far as it came
    killed_after._leave_lock()
    SaveJournal(str(tmp_path)).take_back_of_killed()
    assert [row["subject"] for row in table(tmp_path)] == ["b"]

    killed_after.begin(added("c"))
    save(own)
    killed_after._leave_lock()
    SaveJournal(str(tmp_path)).take_back_of_killed()
    assert [row["subject"] for row in table(tmp_path)] == ["b", "c"]
