"""The sync table of the documentation, row by row."""

from __future__ import annotations

from pathlib import Path

import pytest

from pybpod_alyx_module.sync.details import MISSING
from pybpod_alyx_module.sync.make_plan import make_plan
from pybpod_alyx_module.sync.plan import Action
from pybpod_alyx_module.sync.servers import same_server
from pybpod_alyx_module.sync.snapshot import RemoteSnapshot, RemoteSubject
from tests.alyx_rows import SERVER, alyx_id, listing, record, remote, row
from tests.memory_project import MemoryProject

DEAD = {"alive": False, "death_date": "2026-11-01"}


@pytest.fixture
def project():
    return MemoryProject()


def plan_of(project, *subjects, looked_up=()):
    return make_plan(project.subjects(), listing(*subjects, looked_up=looked_up))


def only(plan):
    assert len(plan.entries) == 1, plan.entries
    return plan.entries[0]


def test_alive_and_nothing_of_that_id_or_name_is_added(project):
    project.put("local")
    entry = only(plan_of(project, remote("ea04")))
    assert (entry.action, entry.name, entry.local) == (Action.ADD, "ea04", None)


def test_same_id_and_details_is_up_to_date(project):
    project.put("ea04", record("ea04"))
    entry = only(plan_of(project, remote("ea04")))
    assert (entry.action, entry.differences) == (Action.UP_TO_DATE, ())


@pytest.mark.parametrize("change", [{"age_weeks": 99}, {"remaining_water": 7.5}, {"url": "http://else/where"}])
def test_what_changes_by_itself_is_no_difference(project, change):
    project.put("ea04", record("ea04"))
    assert only(plan_of(project, remote("ea04", **change))).action is Action.UP_TO_DATE


def test_order_of_projects_and_form_of_genotype_are_no_difference(project):
    genotype = [{"allele": "Drd1-Cre", "zygosity": 3}, {"allele": "Ai32", "zygosity": 1}]
    project.put("ea04", record("ea04", projects=["b", "a", "a"], genotype=genotype))
    entry = only(plan_of(project, remote("ea04", projects=["a", "b"], genotype=["Ai32 +/-", "Drd1-Cre +"])))
    assert entry.action is Action.UP_TO_DATE


@pytest.mark.parametrize("lacking", [{"json": ...}, {"birth_date": None}, {"birth_date": ..., "projects": ...}])
def test_a_copy_that_only_lacks_details_is_merged_without_a_question(project, lacking):
    project.put("ea04", record("ea04", **lacking))
    entry = only(plan_of(project, remote("ea04")))
    assert entry.action is Action.MERGE
    assert {change.field for change in entry.differences} == set(lacking)


@pytest.mark.parametrize(
    ("ours", "theirs"),
    [
        ({"sex": "M"}, {"sex": "F"}),
        ({"description": ""}, {"description": "fed"}),
        ({"description": "fed"}, {"description": ""}),
        ({"birth_date": "2026-01-01"}, {"birth_date": None}),
        ({"json": {}}, {"json": None}),
        ({"json": None}, {"json": {"n": 0}}),
        ({"projects": []}, {"projects": ["a"]}),
        ({"json": {"n": False}}, {"json": {"n": 0}}),
    ],
)
def test_same_id_and_other_details_asks(project, ours, theirs):
    project.put("ea04", record("ea04", **ours))
    entry = only(plan_of(project, remote("ea04", **theirs)))
    fills = next(iter(ours.values())) is None
    assert entry.action is (Action.MERGE if fills else Action.ASK)
    change = entry.differences[0]
    assert (change.local, change.remote) == (next(iter(ours.values())), next(iter(theirs.values())))


def test_missing_null_and_empty_are_three_things(project):
    for index, value in enumerate([..., None, "", [], {}, 0, False]):
        project.put(f"s{index}", record(f"s{index}", json=value))
    entries = plan_of(project, *(remote(f"s{index}", json={"a": 1}) for index in range(7))).entries
    values = [entry.differences[0].local for entry in entries]
    assert values[0] is MISSING
    assert [repr(value) for value in values[1:]] == ["None", "''", "[]", "{}", "0", "False"]
    assert [entry.action for entry in entries] == [Action.MERGE] * 2 + [Action.ASK] * 5


CAGES = {"history": {"cage": [{"date_time": "2026-11-27T10:00:00", "value": "c1"}]}}


@pytest.mark.parametrize(
    ("ours", "theirs"),
    [(None, CAGES), ({"a": 1}, {"a": 1, **CAGES}), ({"a": 1, "history": {}}, {"a": 1, **CAGES}), (CAGES, None)],
)
def test_what_alyx_writes_into_json_by_itself_is_not_asked_about(project, ours, theirs):
    project.put("ea04", record("ea04", json=ours))
    assert only(plan_of(project, remote("ea04", json=theirs))).action is Action.UP_TO_DATE
    assert only(plan_of(project, remote("ea04", json={"a": 2, **CAGES}))).action in {Action.ASK, Action.MERGE}


def test_a_detail_that_the_server_did_not_send_is_not_compared(project):
    project.put("ea04", record("ea04"))
    older = {key: value for key, value in row("ea04").items() if key != "json"}
    assert only(plan_of(project, RemoteSubject.from_row(older, SERVER))).action is Action.UP_TO_DATE


def test_a_subject_that_was_looked_up_while_it_came_into_the_list_has_one_entry(project):
    project.put("ea04", record("ea04"))
    assert only(plan_of(project, remote("ea04"), looked_up=(remote("ea04"),))).action is Action.UP_TO_DATE


def test_renamed_on_alyx_asks(project):
    project.put("ea04", record("ea04"))
    entry = only(plan_of(project, remote("ea05", who="ea04")))
    assert (entry.action, entry.name) == (Action.ASK, "ea04")
    assert "renamed on Alyx" in entry.reason
    assert entry.differences[0].field == "nickname"


def test_same_name_without_alyx_id_asks_to_link(project):
    project.put("ea04")
    entry = only(plan_of(project, remote("ea04")))
    assert entry.action is Action.ASK
    assert "not yet linked" in entry.reason
    assert all(change.local is MISSING for change in entry.differences)


def test_same_name_with_another_alyx_id_is_a_conflict_told_with_both_labs(project):
    project.put("ea04", record("ea04", who="other animal", lab="cortexlab"))
    plan = plan_of(project, remote("ea04"), looked_up=(remote("moved", who="other animal"),))
    conflict = plan.of(Action.CONFLICT)[0]
    assert "cortexlab" in conflict.reason
    assert "champalimaud" in conflict.reason


def test_twice_in_the_list_is_a_conflict_told_with_both_labs(project):
    plan = plan_of(project, remote("jo1", who="a", lab="cortexlab"), remote("jo1", who="b"))
    assert [entry.action for entry in plan.entries] == [Action.CONFLICT] * 2
    for entry in plan.entries:
        assert "cortexlab" in entry.reason
        assert "champalimaud" in entry.reason


def test_a_linked_subject_does_not_suffer_from_a_namesake(project):
    project.put("jo1", record("jo1", who="a"))
    plan = plan_of(project, remote("jo1", who="a"), remote("jo1", who="b", lab="cortexlab"))
    assert [entry.action for entry in plan.entries] == [Action.UP_TO_DATE, Action.CONFLICT]


@pytest.mark.parametrize("name", ["../x", "a/b", "..", "", " ", "it's", 'q"', "a;b", "a\nb", "con", "x" * 251, "end."])
def test_an_unusable_name_is_a_conflict(project, name):
    entry = only(plan_of(project, remote(name)))
    assert entry.action is Action.CONFLICT
    assert "have it renamed on Alyx" in entry.reason


def test_a_name_taken_by_case_alone_is_a_conflict(project):
    project.put("EA04")
    assert only(plan_of(project, remote("ea04"))).action is Action.CONFLICT


def test_two_new_names_that_differ_by_case_alone_are_conflicts(project):
    plan = plan_of(project, remote("ea04"), remote("EA04"))
    assert [entry.action for entry in plan.entries] == [Action.CONFLICT] * 2


def test_a_rename_onto_a_taken_name_is_a_conflict(project):
    project.put("ea04", record("ea04"))
    project.put("ea05")
    entry = only(plan_of(project, remote("ea05", who="ea04")))
    assert (entry.action, entry.name) == (Action.CONFLICT, "ea04")


def test_two_project_subjects_with_one_id_are_conflicts_and_stay(project):
    project.put("A", record("A", who="x"))
    project.put("B", record("B", who="x"))
    plan = plan_of(project, remote("B", who="x", **DEAD))
    assert [(entry.action, entry.name) for entry in plan.entries] == [(Action.CONFLICT, "A"), (Action.CONFLICT, "B")]


def test_an_id_from_another_server_is_left_alone_and_told(project):
    project.put("ea04", record("ea04", server="https://other.org"))
    plan = plan_of(project, remote("new"))
    left = plan.of(Action.LEFT_ALONE)
    assert [entry.name for entry in left] == ["ea04"]
    assert "https://other.org" in left[0].reason


def test_the_same_id_on_another_server_is_not_that_subject(project):
    project.put("old", record("old", who="ea04", server="https://copy.org"))
    plan = plan_of(project, remote("ea04", **DEAD))
    assert [entry.action for entry in plan.entries] == [Action.LEFT_ALONE]


def test_the_same_animal_linked_to_another_address_is_told_once(project):
    project.put("ea04", record("ea04", server="https://old.lab.org"))
    entry = only(plan_of(project, remote("ea04")))
    assert (entry.action, entry.local.name) == (Action.LEFT_ALONE, "ea04")
    assert "https://old.lab.org" in entry.reason
    assert SERVER in entry.reason
    assert "docs/sync.md" in entry.reason


def test_the_place_that_the_reason_names_is_there():
    page = Path(__file__).parents[3] / "docs" / "sync.md"
    assert "## When the server gets another address" in page.read_text(encoding="utf-8")


@pytest.mark.parametrize(
    ("one", "other", "same"),
    [
        ("http://alyx.lab.org", "https://alyx.lab.org", True),
        ("https://alyx.lab.org", "https://ALYX.lab.org/", True),
        ("http://127.0.0.1:8000", "http://localhost:8000", True),
        ("http://127.0.0.1:8000", "http://[::1]:8000", True),
        ("http://alyx.lab.org:8000", "https://alyx.lab.org", False),
        ("http://127.0.0.1:8000", "http://127.0.0.1:8001", False),
        ("https://lab.org/alyx", "https://lab.org", False),
        ("https://alyx.lab.org", "https://alyx-test.lab.org", False),
        ("https://lab.org:bad", "https://lab.org", False),
        ("", "https://lab.org", False),
    ],
)
def test_addresses_of_one_server(one, other, same):
    assert same_server(one, other) is same
    assert same_server(other, one) is same


def test_a_server_that_went_from_http_to_https_is_the_same(project):
    saved = record("ea04", server="http://alyx.lab.org")
    project.put("ea04", saved)
    plan = make_plan(project.subjects(), RemoteSnapshot("https://alyx.lab.org", "jose", (remote("ea04"),)))
    assert only(plan).action is Action.UP_TO_DATE


def test_not_alive_and_in_the_project_is_removed_with_the_death_date(project):
    project.put("ea04", record("ea04"))
    entry = only(plan_of(project, remote("ea04", **DEAD)))
    assert entry.action is Action.REMOVE
    assert "not alive on Alyx (death date 2026-11-01)" in entry.reason


def test_a_death_date_in_the_future_is_alive(project):
    project.put("ea04", record("ea04"))
    entry = only(plan_of(project, remote("ea04", death_date="2999-01-01")))
    assert entry.action is Action.MERGE


def test_not_alive_in_a_running_session_is_postponed(project):
    project.put("ea04", record("ea04"), hold="it is in a running session")
    entry = only(plan_of(project, remote("ea04", **DEAD)))
    assert entry.action is Action.POSTPONE
    assert "running session" in entry.reason


def test_a_postponed_removal_does_not_free_its_name(project):
    project.put("ea04", record("ea04"), hold="it is in a running session")
    plan = plan_of(project, remote("ea04", who="new"), looked_up=(remote("ea04", **DEAD),))
    assert [entry.action for entry in plan.entries] == [Action.CONFLICT, Action.POSTPONE]


def test_a_subject_that_is_not_removed_for_want_of_a_server_does_not_free_its_name(project):
    project.put("ea04", record("ea04", alyx_server=..., url=...))
    plan = plan_of(project, remote("ea04", who="new"), looked_up=(remote("ea04", **DEAD),))
    assert [entry.action for entry in plan.entries] == [Action.CONFLICT, Action.LEFT_ALONE]


def test_two_subjects_with_one_id_do_not_free_their_names(project):
    project.put("A", record("A", who="x"))
    project.put("B", record("B", who="x"))
    plan = plan_of(project, remote("A", who="new"), remote("C", who="x"))
    assert [entry.action for entry in plan.entries] == [Action.CONFLICT] * 3


def test_not_alive_with_the_name_of_a_local_subject_leaves_that_alone(project):
    project.put("ea04")
    entry = only(plan_of(project, remote("ea04", **DEAD)))
    assert entry.action is Action.LEFT_ALONE
    assert "not linked" in entry.reason


def test_not_alive_and_not_in_the_project_is_never_added(project):
    assert plan_of(project, remote("ea04", **DEAD)).entries == ()


def test_not_listed_and_not_alive_is_removed(project):
    project.put("ea04", record("ea04"))
    plan = plan_of(project, looked_up=(remote("ea04", responsible_user="ana", **DEAD),))
    assert only(plan).action is Action.REMOVE


@pytest.mark.parametrize(
    ("changed", "said"), [({"responsible_user": "ana"}, "responsible user on Alyx is ana"), ({"lab": "x"}, "lab x")]
)
def test_not_listed_and_alive_is_left_alone_with_the_reason(project, changed, said):
    project.put("ea04", record("ea04"))
    entry = only(plan_of(project, looked_up=(remote("ea04", **changed),)))
    assert entry.action is Action.LEFT_ALONE
    assert said in entry.reason


def test_gone_from_the_server_is_left_alone(project):
    project.put("ea04", record("ea04"))
    entry = only(plan_of(project))
    assert (entry.action, entry.remote) == (Action.LEFT_ALONE, None)
    assert alyx_id("ea04") in entry.reason


def test_a_file_of_the_predecessor_is_linked_by_its_url(project):
    project.put("ea04", record("ea04", alyx_server=..., url="https://127.0.0.1/subjects/ea04"))
    assert only(plan_of(project, remote("ea04", **DEAD))).action is Action.REMOVE


def test_a_file_of_the_predecessor_from_elsewhere_is_left_alone(project):
    project.put("ea04", record("ea04", alyx_server=..., url="https://alyx.lab.org/subjects/ea04"))
    entry = only(plan_of(project, remote("ea04", **DEAD)))
    assert entry.action is Action.LEFT_ALONE
    assert "alyx.lab.org" in entry.reason


def test_a_file_that_names_no_server_asks_when_alive_and_is_never_removed(project):
    project.put("ea04", record("ea04", alyx_server=..., url=...))
    assert only(plan_of(project, remote("ea04"))).action is Action.ASK
    assert only(plan_of(project, remote("ea04", **DEAD))).action is Action.LEFT_ALONE
    assert only(plan_of(project)).action is Action.LEFT_ALONE
    assert only(plan_of(project, looked_up=(remote("ea04", responsible_user="ana"),))).action is Action.LEFT_ALONE


@pytest.mark.parametrize(("removed", "kept", "many"), [(5, 0, False), (6, 0, True), (6, 24, False), (7, 24, True)])
def test_more_than_five_and_than_a_fifth_is_many(project, removed, kept, many):
    names = [f"s{index}" for index in range(removed + kept)]
    for name in names:
        project.put(name, record(name))
    subjects = [remote(name, **(DEAD if index < removed else {})) for index, name in enumerate(names)]
    plan = plan_of(project, *subjects)
    assert (len(plan.of(Action.REMOVE)), plan.many_removals) == (removed, many)


def test_plans_are_comparable_and_have_no_truth_value(project):
    project.put("ea04", record("ea04"))
    one, other = plan_of(project, remote("x")), plan_of(project, remote("x"))
    assert one == other
    assert one is not other
    with pytest.raises(TypeError):
        bool(one)


def test_answers_replace_questions_and_nothing_else(project):
    key = project.put("ea04", record("ea04", sex="F")).key
    plan = plan_of(project, remote("ea04"), remote("new"))
    answered = plan.answered({key: Action.KEEP})
    assert [entry.action for entry in answered.entries] == [Action.KEEP, Action.ADD]
    assert answered.entries[0].differences == plan.entries[0].differences
    with pytest.raises(ValueError, match="ea04"):
        plan.answered({})
    with pytest.raises(ValueError, match="ea04"):
        plan.answered({key: Action.REMOVE})


def test_the_server_is_that_of_the_snapshot(project):
    assert plan_of(project, remote("a")).server == SERVER
