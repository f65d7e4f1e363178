"""An undo on a project in memory: places, and what a person did while the question was open."""

from __future__ import annotations

import pytest

from pybpod_alyx_module.sync.apply import apply_plan
from pybpod_alyx_module.sync.last_sync import note_sync
from pybpod_alyx_module.sync.make_plan import make_plan
from pybpod_alyx_module.sync.plan import Action
from pybpod_alyx_module.sync.undo import after_undo, look, plan_undo
from tests.alyx_rows import SERVER, listing, record, remote
from tests.memory_project import MemoryProject

NOW = "2026-11-28T12:00:00+00:00"
DEAD = {"alive": False, "death_date": "2026-11-01"}


@pytest.fixture
def project():
    project = MemoryProject()
    for name in "abcde":
        project.put(name, record(name))
    return project


def sync(project, *subjects):
    plan = make_plan(project.subjects(), listing(*subjects))
    plan = plan.answered({entry.local.key: Action.OVERRIDE for entry in plan.of(Action.ASK)})
    note_sync(project, tuple(apply_plan(plan, project, synced_at=NOW)), server=SERVER, username="jose", time=NOW)


def planned(project):
    return plan_undo(project.last, tuple(look(project, project.last)), (), {})


def names(project):
    return [item.name for item in project.items]


def test_several_that_were_removed_come_back_to_their_places(project):
    sync(project, *(remote(name, **DEAD) for name in "abd"), remote("f"))
    assert names(project) == ["c", "e", "f"]
    list(apply_plan(planned(project), project, synced_at=NOW))
    assert names(project) == list("abcde")


def test_what_changed_while_the_question_was_open_is_refused_and_can_be_undone_later(project):
    sync(project, remote("a", **DEAD), remote("b", sex="F"), remote("c", sex="F"), remote("f"))
    plan = planned(project)
    added, b = project.items[-1], project.items[0]
    added.setups = ("Set",)
    b.record["line"] = "by hand"
    project.put("a")
    results = tuple(apply_plan(plan, project, synced_at=NOW))
    assert {result.entry.name: result.message for result in results if not result.applied} == {
        "f": "not removed: Set",
        "b": "it changed in the project meanwhile",
        "a": "the name 'a' is taken in the project",
    }
    assert next(item for item in project.items if item.name == "c").record["sex"] == "M"
    left = after_undo(project.last, results, NOW)
    assert [change.identity for change in left.changes] == [
        change.identity for change in project.last.changes if change.identity != record("c")["alyx_id"]
    ]
    assert left.undone == NOW
    project.last = left
    added.setups = ()
    project.items.pop()
    list(apply_plan(planned(project), project, synced_at=NOW))
    assert names(project) == list("abcde")
    assert b.record == record("b", line="by hand", alyx_synced_at=b.record["alyx_synced_at"])
