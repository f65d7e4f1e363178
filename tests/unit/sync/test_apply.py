"""Applying a plan: what each action writes, refusals, and that nothing stays of a sync that did not finish."""

from __future__ import annotations

import copy

import pytest

from pybpod_alyx_module.errors import NotTakenBackError, SyncError
from pybpod_alyx_module.sync.apply import apply_plan
from pybpod_alyx_module.sync.make_plan import make_plan
from pybpod_alyx_module.sync.plan import Action
from pybpod_alyx_module.sync.review import NOT_NOW, without_removals
from tests.alyx_rows import SERVER, alyx_id, listing, record, remote
from tests.memory_project import MemoryProject
from tests.port_contract import ProjectPortContract

DEAD = {"alive": False, "death_date": "2026-11-01"}
NOW = "2026-11-20T12:00:00+00:00"


class TestMemoryProject(ProjectPortContract):
    @pytest.fixture
    def port(self):
        return MemoryProject()

    def state(self, port):
        return port.state()


@pytest.fixture
def project():
    return MemoryProject()


def plan_of(project, *subjects, answer=None, looked_up=()):
    plan = make_plan(project.subjects(), listing(*subjects, looked_up=looked_up))
    return plan.answered({entry.local.key: answer for entry in plan.of(Action.ASK)})


def run(plan, project):
    return list(apply_plan(plan, project, synced_at=NOW))


def test_add_writes_all_that_alyx_said(project):
    results = run(plan_of(project, remote("ea04", json={"a": [1]})), project)
    assert [result.applied for result in results] == [True]
    saved = project.items[0].record
    assert saved == record("ea04", json={"a": [1]}, alyx_synced_at=NOW)


def test_up_to_date_refreshes_only_what_changes_by_itself(project):
    project.put("ea04", record("ea04", weighings=[1], mine="kept"))
    run(plan_of(project, remote("ea04", age_weeks=40)), project)
    assert project.items[0].record == record("ea04", age_weeks=40, weighings=[1], mine="kept", alyx_synced_at=NOW)


def test_merge_fills_in_and_replaces_nothing(project):
    project.put("ea04", record("ea04", sex="F", birth_date=None, json=...))
    run(plan_of(project, remote("ea04", sex="M", json=[0]), answer=Action.MERGE), project)
    saved = project.items[0].record
    assert (saved["sex"], saved["birth_date"], saved["json"]) == ("F", "2026-03-28", [0])


def test_override_replaces_and_renames(project):
    project.put("ea04", record("ea04", sex="F", mine="kept"))
    run(plan_of(project, remote("ea05", who="ea04"), answer=Action.OVERRIDE), project)
    subject = project.items[0]
    assert (subject.name, subject.record["nickname"], subject.record["sex"]) == ("ea05", "ea05", "M")
    assert subject.record["mine"] == "kept"


@pytest.mark.parametrize("answer", [Action.MERGE, Action.KEEP])
def test_merge_and_keep_leave_the_name(project, answer):
    project.put("ea04", record("ea04"))
    run(plan_of(project, remote("ea05", who="ea04"), answer=answer), project)
    assert (project.items[0].name, project.items[0].record["nickname"]) == ("ea04", "ea04")


@pytest.mark.parametrize("answer", [Action.MERGE, Action.OVERRIDE])
def test_override_and_merge_link_a_local_subject(project, answer):
    project.put("ea04")
    run(plan_of(project, remote("ea04"), answer=answer), project)
    assert project.items[0].record == record("ea04", alyx_synced_at=NOW)


def test_keep_leaves_a_local_subject_unlinked(project):
    project.put("ea04")
    run(plan_of(project, remote("ea04"), answer=Action.KEEP), project)
    assert project.items[0].record is None


def test_keep_leaves_a_subject_of_an_unknown_server_as_it_is(project):
    saved = record("ea04", alyx_server=..., url=...)
    project.put("ea04", copy.deepcopy(saved))
    run(plan_of(project, remote("ea04"), answer=Action.KEEP), project)
    assert project.items[0].record == saved


@pytest.mark.parametrize("sex", ["M", "F"])
def test_a_file_of_the_predecessor_learns_its_server(project, sex):
    project.put("ea04", record("ea04", alyx_server=..., alyx_synced_at=..., sex="F"))
    run(plan_of(project, remote("ea04", sex=sex), answer=Action.KEEP), project)
    saved = project.items[0].record
    assert (saved["alyx_server"], saved["sex"]) == (SERVER, "F")


def test_not_alive_is_removed(project):
    project.put("ea04", record("ea04"))
    project.put("local")
    run(plan_of(project, remote("ea04", **DEAD)), project)
    assert [subject.name for subject in project.items] == ["local"]


def test_a_plan_that_asks_is_refused(project):
    project.put("ea04")
    plan = make_plan(project.subjects(), listing(remote("ea04")))
    with pytest.raises(ValueError, match="questions"):
        run(plan, project)


def test_an_empty_plan_does_nothing(project):
    project.put("local")
    before = project.state()
    assert run(plan_of(project), project) == []
    assert project.state() == before


def test_a_subject_that_changed_meanwhile_is_refused_and_the_others_are_done(project):
    project.put("a", record("a", sex="F"))
    project.put("b", record("b", sex="F"))
    plan = plan_of(project, remote("a"), remote("b"), answer=Action.OVERRIDE)
    project.items[0].record["strain"] = "other"
    results = run(plan, project)
    assert [result.applied for result in results] == [False, True]
    assert "sync again" in results[0].message
    assert project.items[0].record["sex"] == "F"


def test_a_subject_that_went_meanwhile_is_refused(project):
    project.put("a", record("a"))
    plan = plan_of(project, remote("a", **DEAD))
    project.items.clear()
    (result,) = run(plan, project)
    assert (result.applied, result.message) == (False, "it is no longer in the project")


def test_a_name_taken_meanwhile_is_refused(project):
    plan = plan_of(project, remote("ea04"))
    project.put("EA04")
    assert [result.applied for result in run(plan, project)] == [False]
    assert len(project.items) == 1


def test_a_rename_onto_a_name_taken_meanwhile_is_refused(project):
    project.put("ea04", record("ea04"))
    plan = plan_of(project, remote("ea05", who="ea04"), answer=Action.OVERRIDE)
    project.put("ea05")
    assert [result.applied for result in run(plan, project)] == [False]
    assert project.items[0].name == "ea04"


def test_a_session_started_meanwhile_keeps_the_subject(project):
    project.put("a", record("a"))
    plan = plan_of(project, remote("a", **DEAD))
    project.items[0].hold = "it is in a running session"
    (result,) = run(plan, project)
    assert not result.applied
    assert "running session" in result.message
    assert len(project.items) == 1


def test_a_change_that_fails_takes_everything_back_and_names_the_subject(project):
    project.put("dead", record("dead"))
    project.put("old", record("old", sex="F"))
    project.broken = frozenset({"bad"})
    before = project.state()
    plan = plan_of(project, remote("dead", **DEAD), remote("old"), remote("new"), remote("bad"), answer=Action.OVERRIDE)
    with pytest.raises(SyncError, match="bad"):
        run(plan, project)
    assert project.state() == before


def test_a_foreign_error_becomes_ours(project, monkeypatch):
    def fail(*args):
        raise OSError("disk full")

    monkeypatch.setattr(project, "add", fail)
    with pytest.raises(SyncError, match=r"new.*disk full"):
        run(plan_of(project, remote("new")), project)


@pytest.mark.parametrize("steps", range(4))
def test_closing_half_way_takes_everything_back(project, steps):
    project.put("dead", record("dead"))
    project.put("old", record("old", sex="F"))
    before = project.state()
    plan = plan_of(project, remote("dead", **DEAD), remote("old"), remote("new"), answer=Action.OVERRIDE)
    steps_taken = apply_plan(plan, project, synced_at=NOW)
    for _ in range(steps):
        next(steps_taken)
    assert (project.state() == before) is (steps == 0)
    steps_taken.close()
    assert project.state() == before


def test_a_rollback_that_fails_in_one_step_goes_on_with_the_others(project, caplog):
    before = project.state()
    plan = plan_of(project, remote("a"), remote("b"))
    steps = apply_plan(plan, project, synced_at=NOW)
    next(steps)
    next(steps)
    gone = project.items.pop()
    with pytest.raises(NotTakenBackError, match=r"^Not every change of this sync could be taken back") as failed:
        steps.close()
    assert "without saving" in failed.value.hint
    assert project.state() == before
    assert gone.name == "b"
    assert "could not be taken back" in caplog.text


def test_the_plan_is_applied_as_it_stands(project):
    """A plan made when the subject was alive adds it, whatever the server says by now."""
    plan = plan_of(project, remote("ea04"))
    assert plan.entries[0].remote.alyx_id == alyx_id("ea04")
    assert plan_of(project, remote("ea04", **DEAD)).entries == ()
    run(plan, project)
    assert [subject.name for subject in project.items] == ["ea04"]


def renamed_project(*names):
    """A project whose subjects are the animals of these names."""
    project = MemoryProject()
    for name in names:
        project.put(name, record(name))
    return project


def test_two_animals_that_swapped_names_on_alyx_swap_them_here_in_one_step():
    project = renamed_project("a", "b")
    plan = plan_of(project, remote("b", who="a"), remote("a", who="b"), answer=Action.OVERRIDE)
    assert [entry.action for entry in plan.entries] == [Action.OVERRIDE] * 2
    steps = apply_plan(plan, project, synced_at=NOW)
    next(steps)
    assert [subject.name for subject in project.items] == ["b", "a"], "seen between the two renames"
    assert [result.applied for result in steps] == [True]
    assert plan_of(project, remote("b", who="a"), remote("a", who="b")).of(Action.OVERRIDE) == ()


def test_a_swap_is_taken_back_whole():
    project = renamed_project("a", "b")
    before = project.state()
    plan = plan_of(project, remote("b", who="a"), remote("a", who="b"), answer=Action.OVERRIDE)
    steps = apply_plan(plan, project, synced_at=NOW)
    next(steps)
    steps.close()
    assert project.state() == before


def test_of_a_swap_of_which_one_is_kept_the_other_is_refused():
    project = renamed_project("a", "b")
    plan = make_plan(project.subjects(), listing(remote("b", who="a"), remote("a", who="b")))
    keys = [entry.local.key for entry in plan.entries]
    plan = plan.answered({keys[0]: Action.KEEP, keys[1]: Action.OVERRIDE})
    results = {result.entry.local.key: result for result in run(plan, project)}
    assert (results[keys[0]].applied, results[keys[1]].applied) == (True, False)
    assert "taken in the project" in results[keys[1]].message
    assert [subject.name for subject in project.items] == ["a", "b"]


def test_a_chain_of_renames_moves_up():
    project = renamed_project("a", "b")
    run(plan_of(project, remote("b", who="a"), remote("c", who="b"), answer=Action.OVERRIDE), project)
    assert [subject.name for subject in project.items] == ["b", "c"]


def test_a_chain_whose_head_cannot_move_is_a_conflict_all_the_way():
    project = renamed_project("a", "b", "c")
    plan = make_plan(
        project.subjects(), listing(remote("b", who="a"), remote("c", who="b"), remote("c", who="c", lab="x"))
    )
    assert [entry.action for entry in plan.entries[:2]] == [Action.CONFLICT] * 2


def test_a_removal_frees_its_name_in_the_same_sync():
    project = renamed_project("a")
    run(plan_of(project, remote("a", who="new"), looked_up=(remote("a", **DEAD),)), project)
    assert [(subject.name, subject.record["alyx_id"]) for subject in project.items] == [("a", alyx_id("new"))]


def test_a_removal_that_was_declined_keeps_its_name():
    project = renamed_project("a")
    plan = without_removals(plan_of(project, remote("a", who="new"), looked_up=(remote("a", **DEAD),)))
    (postponed,) = plan.of(Action.POSTPONE)
    assert postponed.reason == f"not alive on Alyx (death date 2026-11-01); {NOT_NOW}"
    assert [result.applied for result in run(plan, project) if result.entry.action is Action.ADD] == [False]
    assert [subject.record["alyx_id"] for subject in project.items] == [alyx_id("a")]


def test_a_new_animal_takes_the_name_that_another_gave_up():
    project = renamed_project("a")
    run(plan_of(project, remote("a", who="new"), remote("b", who="a"), answer=Action.OVERRIDE), project)
    assert {subject.name: subject.record["alyx_id"] for subject in project.items} == {
        "b": alyx_id("a"),
        "a": alyx_id("new"),
    }


def test_a_chain_of_which_the_head_is_kept_is_refused_all_the_way():
    project = renamed_project("a", "b", "c")
    plan = make_plan(project.subjects(), listing(remote("b", who="a"), remote("c", who="b"), remote("d", who="c")))
    keys = [entry.local.key for entry in plan.entries]
    plan = plan.answered({keys[0]: Action.OVERRIDE, keys[1]: Action.OVERRIDE, keys[2]: Action.KEEP})
    results = {result.entry.local.key: result.applied for result in run(plan, project)}
    assert results == {keys[0]: False, keys[1]: False, keys[2]: True}
    assert [subject.name for subject in project.items] == ["a", "b", "c"]


def test_changes_are_taken_back_last_first():
    project = renamed_project("a", "b", "c")
    before = project.state()
    steps = apply_plan(plan_of(project, remote("a", **DEAD), remote("b", **DEAD)), project, synced_at=NOW)
    next(steps)
    next(steps)
    steps.close()
    assert project.state() == before


def test_a_name_taken_between_two_renames_is_refused():
    project = renamed_project("a", "b")
    plan = plan_of(project, remote("x", who="a"), remote("y", who="b"), answer=Action.OVERRIDE)
    steps = apply_plan(plan, project, synced_at=NOW)
    next(steps)
    project.put("Y")
    assert [result.applied for result in steps] == [False]
    assert [subject.name for subject in project.items] == ["x", "b", "Y"]


def test_renames_that_do_not_depend_on_each_other_are_steps_of_their_own():
    project = renamed_project("a", "b")
    steps = apply_plan(
        plan_of(project, remote("x", who="a"), remote("y", who="b"), answer=Action.OVERRIDE), project, synced_at=NOW
    )
    next(steps)
    assert [subject.name for subject in project.items] == ["x", "b"]
