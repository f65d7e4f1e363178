"""What a person chose of a plan: it is data in the plan, and applied as it stands."""

from __future__ import annotations

import pytest

from pybpod_alyx_module.sync.apply import apply_plan
from pybpod_alyx_module.sync.audit import COLUMNS, audit_rows
from pybpod_alyx_module.sync.make_plan import make_plan
from pybpod_alyx_module.sync.plan import Action
from pybpod_alyx_module.sync.review import NOT_NOW, Review, reviewed
from tests.alyx_rows import SERVER, alyx_id, listing, record, remote
from tests.memory_project import MemoryProject

NOW = "2026-11-20T12:00:00+00:00"
DEAD = {"alive": False, "death_date": "2026-11-01"}


@pytest.fixture
def project():
    """One that differs in its name and in details, one that lacks two, one that is dead; two are new on Alyx."""
    project = MemoryProject()
    project.put("a", record("a", sex="F", line="mine", description=...))
    project.put("b", record("b", line=..., json=...))
    project.put("c", record("c"))
    return project


def plan_of(project):
    subjects = (remote("a2", who="a", line="Ai32", description="theirs"), remote("b", line="Ai32", json={"cage": 1}))
    return make_plan(project.subjects(), listing(*subjects, remote("c", **DEAD), remote("d"), remote("e")))


def carried_out(project, review):
    plan = reviewed(plan_of(project), review)
    results = tuple(apply_plan(plan, project, synced_at=NOW))
    assert all(result.applied for result in results)
    rows = audit_rows(results, server=SERVER, username="jose", time=NOW)
    return [dict(zip(COLUMNS, row, strict=True)) for row in rows]


def key(project, name):
    return next(item.key for item in project.items if item.name == name)


def saved(project):
    return {item.name: item.record for item in project.items}


def test_without_choices_all_but_what_is_asked_is_done(project):
    a = key(project, "a")
    carried_out(project, Review({a: Action.KEEP}))
    assert sorted(saved(project)) == ["a", "b", "d", "e"]
    assert saved(project)["b"]["line"] == "Ai32"


def test_of_one_that_differs_the_chosen_fields_are_overridden(project):
    a = key(project, "a")
    rows = carried_out(project, Review({a: Action.OVERRIDE}, {a: ("sex", "description")}))
    found = saved(project)["a"]
    assert (found["sex"], found["description"], found["line"]) == ("M", "theirs", "mine")
    assert found["nickname"] == "a"
    [row] = [row for row in rows if row["subject"] == "a"]
    assert (row["fields"], row["new_name"]) == ("sex, description", "")


def test_the_name_alone_can_be_chosen(project):
    a = key(project, "a")
    rows = carried_out(project, Review({a: Action.OVERRIDE}, {a: ("nickname",)}))
    found = saved(project)["a2"]
    assert (found["nickname"], found["sex"], found["line"]) == ("a2", "F", "mine")
    assert [row["new_name"] for row in rows if row["subject"] == "a"] == ["a2"]


def test_of_a_merge_the_chosen_fields_are_filled_in(project):
    a, b = key(project, "a"), key(project, "b")
    rows = carried_out(project, Review({a: Action.MERGE}, {a: ("line", "description"), b: ("json",)}))
    assert (saved(project)["a"]["line"], saved(project)["a"]["description"]) == ("mine", "theirs")
    assert "line" not in saved(project)["b"]
    assert saved(project)["b"]["json"] == {"cage": 1}
    assert {row["subject"]: row["fields"] for row in rows if row["action"] == "filled in"} == {
        "a": "description",
        "b": "json",
    }


def test_what_was_left_out_is_not_added_not_filled_in_and_not_removed(project):
    a, b, c = (key(project, name) for name in "abc")
    review = Review({a: Action.KEEP}, left=frozenset([b, c, alyx_id("d")]))
    plan = reviewed(plan_of(project), review)
    [postponed] = plan.of(Action.POSTPONE)
    assert postponed.reason == f"not alive on Alyx (death date 2026-11-01); {NOT_NOW}"
    assert [entry.name for entry in plan.of(Action.ADD)] == ["e"]
    assert plan.of(Action.REMOVE, Action.MERGE) == ()
    carried_out(project, review)
    assert sorted(saved(project)) == ["a", "b", "c", "e"]
    assert "line" not in saved(project)["b"]


def test_a_reviewed_plan_is_data(project):
    a = key(project, "a")
    review = Review({a: Action.OVERRIDE}, {a: ("sex",)})
    assert reviewed(plan_of(project), review) == reviewed(plan_of(project), review)
    assert reviewed(plan_of(project), review) != reviewed(plan_of(project), Review({a: Action.OVERRIDE}))
    with pytest.raises(ValueError, match="no answer"):
        reviewed(plan_of(project), Review())
