"""Whatever the server and the project hold: what a sync must never do, and where it must arrive."""

from __future__ import annotations

import copy
import json

from hypothesis import given
from hypothesis import strategies as st

from pybpod_alyx_module.errors import SyncError
from pybpod_alyx_module.sync.apply import apply_plan
from pybpod_alyx_module.sync.audit import SUBJECT_CHANGES
from pybpod_alyx_module.sync.details import COMPARED, VOLATILE
from pybpod_alyx_module.sync.last_sync import LastSync, note_sync
from pybpod_alyx_module.sync.make_plan import differences, make_plan
from pybpod_alyx_module.sync.names import fold, unusable
from pybpod_alyx_module.sync.plan import ANSWERS, Action
from pybpod_alyx_module.sync.review import OPTIONAL, Review, reviewed
from pybpod_alyx_module.sync.undo import look, plan_undo
from tests.alyx_rows import SERVER, listing, record, remote
from tests.memory_project import MemoryProject

NOW = "2026-11-20T12:00:00+00:00"
NAMES = st.sampled_from(["a", "A", "b", "c", "d", "e", "f", "a/b", "it's", "", "é", "e\u0301"])
ANIMALS = st.sampled_from([f"animal {n}" for n in range(8)])
JSON = st.sampled_from([None, False, True, 0, 0.0, 1, "", "x", [], [0], {}, {"k": None}, float("nan")])
CHANGES = st.fixed_dictionaries({}, optional={"json": JSON, "sex": JSON, "projects": st.lists(st.sampled_from("pq"))})


@st.composite
def projects(draw):
    project = MemoryProject()
    for name in draw(st.lists(NAMES, unique_by=fold, max_size=6)):
        saved = None
        if draw(st.booleans()):
            saved = record(
                name,
                who=draw(ANIMALS),
                server=draw(st.sampled_from([SERVER, SERVER, SERVER, "https://other.org", ...])),
                **draw(CHANGES),
            )
            if draw(st.integers(0, 5)) == 0:
                saved.pop("url")
            for lacking in draw(st.lists(st.sampled_from(["sex", "json", "lab"]), max_size=2)):
                saved.pop(lacking, None)
        project.put(name, saved, hold=draw(st.sampled_from(["", "", "it is in a running session"])))
    return project


@st.composite
def listings(draw):
    subjects = []
    for who in draw(st.lists(ANIMALS, unique=True, max_size=7)):
        alive = draw(st.integers(0, 3)) > 0
        death = None if alive else draw(st.sampled_from([None, "2026-01-01"]))
        subjects.append(remote(draw(NAMES), who=who, alive=alive, death_date=death, **draw(CHANGES)))
    cut = draw(st.integers(0, len(subjects)))
    return listing(*subjects[:cut], looked_up=tuple(subjects[cut:]))


@st.composite
def syncs(draw):
    project, snapshot = draw(projects()), draw(listings())
    plan = make_plan(project.subjects(), snapshot)
    answers = {entry.local.key: draw(st.sampled_from(ANSWERS)) for entry in plan.of(Action.ASK)}
    return project, snapshot, plan.answered(answers)


@st.composite
def reviews(draw):
    """Syncs of which a person left out some subjects and some fields."""
    project, snapshot = draw(projects()), draw(listings())
    plan = make_plan(project.subjects(), snapshot)
    answers = {entry.local.key: draw(st.sampled_from(ANSWERS)) for entry in plan.of(Action.ASK)}
    fields, left = {}, set()
    for entry in plan.of(Action.ASK, *OPTIONAL):
        chosen = [found.field for found in entry.differences if draw(st.booleans())]
        if chosen and len(chosen) < len(entry.differences):
            fields[entry.identity] = tuple(chosen)
        elif not draw(st.booleans()):
            left.add(entry.identity)
    return project, reviewed(plan, Review(answers, fields, frozenset(left))), fields, left


def run(plan, project):
    return list(apply_plan(plan, project, synced_at=NOW))


@given(projects(), listings())
def test_planning_changes_nothing_and_is_repeatable(project, snapshot):
    before, seen = project.state(), copy.deepcopy(snapshot)
    assert make_plan(project.subjects(), snapshot) == make_plan(project.subjects(), snapshot)
    assert project.state() == before
    assert snapshot == seen


@given(syncs())
def test_every_linked_subject_of_the_project_has_exactly_one_entry(sync):
    project, _, plan = sync
    keys = [entry.local.key for entry in plan.entries if entry.local is not None]
    linked = {subject.key for subject in project.subjects() if subject.alyx_id is not None}
    own = [entry.local.key for entry in plan.entries if entry.local and entry.remote is None]
    assert linked <= set(keys)
    assert len(own) == len(set(own))


@given(syncs())
def test_local_only_subjects_are_touched_only_by_an_answer(sync):
    project, _, plan = sync
    answered = {entry.local.key for entry in plan.of(Action.OVERRIDE, Action.MERGE) if entry.local is not None}
    before = {item.key: copy.deepcopy(item) for item in project.items if item.record is None}
    run(plan, project)
    after = {item.key: item for item in project.items}
    for key, item in before.items():
        if key not in answered:
            assert after[key] == item


@given(syncs())
def test_a_removal_follows_from_the_same_id_not_alive_and_nothing_else(sync):
    project, snapshot, plan = sync
    before = {item.key: item for item in project.state()}
    dead = {subject.alyx_id for subject in (*snapshot.listed, *snapshot.looked_up) if not subject.alive}
    run(plan, project)
    for key in set(before) - {item.key for item in project.items}:
        gone = before[key]
        assert gone.record is not None
        assert gone.record["alyx_id"] in dead
        assert gone.hold == ""


@given(syncs())
def test_no_name_is_written_that_is_unusable_or_taken(sync):
    project, _, plan = sync
    before = {item.name for item in project.items}
    run(plan, project)
    names = [item.name for item in project.items]
    assert len({fold(name) for name in names}) == len(names)
    assert all(unusable(name) == "" for name in names if name not in before)


@given(syncs())
def test_after_a_sync_only_what_was_kept_or_could_not_be_done_is_left(sync):
    project, snapshot, plan = sync
    results = run(plan, project)
    assert len(results) == len(plan.entries)
    assert all(sum(result.entry == entry for result in results) == 1 for entry in plan.entries)
    refused = {result.entry.name for result in results if not result.applied}
    left = make_plan(project.subjects(), snapshot)
    may_remain = {entry.local.key for entry in plan.of(Action.KEEP, Action.MERGE) if entry.local is not None}
    for entry in left.entries:
        if entry.action in {Action.ADD, Action.REMOVE, Action.MERGE}:
            assert entry.name in refused or (entry.local is not None and entry.local.key in may_remain)
        if entry.action is Action.ASK:
            assert entry.local.key in may_remain or entry.name in refused


@given(projects(), listings())
def test_override_all_leaves_no_difference(project, snapshot):
    plan = make_plan(project.subjects(), snapshot)
    plan = plan.answered({entry.local.key: Action.OVERRIDE for entry in plan.of(Action.ASK)})
    results = run(plan, project)
    overridden = {result.entry.local.key for result in results if result.entry.action is Action.OVERRIDE}
    refused = {result.entry.local.key for result in results if not result.applied and result.entry.local}
    remotes = {subject.alyx_id: subject for subject in (*snapshot.listed, *snapshot.looked_up)}
    for subject in project.subjects():
        if subject.key in overridden - refused:
            assert differences(subject, remotes[subject.alyx_id]) == ()


@given(syncs(), st.integers(0, 12))
def test_a_cancel_at_any_step_leaves_the_project_as_it_was(sync, steps):
    project, _, plan = sync
    before = project.state()
    running = apply_plan(plan, project, synced_at=NOW)
    for _ in zip(range(steps), running, strict=False):
        pass
    done = steps > len(plan.entries)
    running.close()
    if not done:
        assert project.state() == before


@given(syncs(), st.sets(NAMES, min_size=1))
def test_a_failure_at_any_subject_leaves_the_project_as_it_was(sync, broken):
    project, _, plan = sync
    before = project.state()
    project.broken = frozenset(broken)
    try:
        run(plan, project)
    except SyncError:
        assert project.state() == before


@given(syncs())
def test_what_pybpod_and_others_own_survives(sync):
    project, _, plan = sync
    for item in project.items:
        if item.record is not None:
            item.record["weighings"], item.record["somebody's"] = [1], {"else": True}
        item.setups = ("Set",)
    plan_keys = {entry.local.key for entry in plan.entries if entry.local is not None}
    run(plan, project)
    for item in project.items:
        if item.key in plan_keys:
            assert item.setups == ("Set",)
            assert item.record is None or item.record.get("weighings", [1]) == [1]


def undo(project):
    for item in project.items:
        item.hold = ""  # while a session runs, nothing is undone
    last = LastSync.of(json.loads(json.dumps(project.last.as_record())))  # as from the project's folder
    assert last == project.last
    plan = plan_undo(last, tuple(look(project, last)), {"Set"}, {})
    return run(plan, project)


def fixed(item):
    """Return what of a subject does not change by itself; each sync writes the server where a file did not name it."""
    refreshed = (*VOLATILE, "alyx_synced_at", "alyx_server")
    kept = {key: value for key, value in (item.record or {}).items() if key not in refreshed}
    return item.key, item.name, item.record is None, json.dumps(kept, sort_keys=True), item.setups


@given(reviews())
def test_only_what_a_person_chose_is_written(review):
    project, plan, fields, left = review
    before = {item.key: copy.deepcopy(item) for item in project.items}
    results = run(plan, project)
    after = {item.key: item for item in project.items}
    assert left <= {*after, *(set(left) - set(before))}, "what was left out is still there"
    for result in results:
        entry = result.entry
        if not result.applied or entry.local is None or entry.identity not in fields:
            continue
        old, new = before[entry.local.key].record or {}, after[entry.local.key].record or {}
        texts = [
            {key: json.dumps(value, sort_keys=True) for key, value in record.items() if key in COMPARED}
            for record in (old, new)
        ]
        changed = {key for key in {*texts[0], *texts[1]} if texts[0].get(key) != texts[1].get(key)}
        assert changed <= set(fields[entry.identity])
        if "nickname" not in fields[entry.identity]:
            assert after[entry.local.key].name == entry.local.name


@given(reviews())
def test_an_undo_leads_back_from_a_reviewed_sync_too(review):
    project, plan, _, _ = review
    before = project.state()
    note_sync(project, run(plan, project), server=SERVER, username="jose", time=NOW)
    if project.last is not None:
        assert all(result.applied and result.entry.action is not Action.LEFT_ALONE for result in undo(project))
    assert [fixed(item) for item in project.items] == [fixed(item) for item in before]


@given(syncs())
def test_an_undo_leads_back_to_where_the_sync_began(sync):
    project, _, plan = sync
    for item in project.items:
        item.setups = ("Set",)
    before = project.state()
    results = run(plan, project)
    note_sync(project, results, server=SERVER, username="jose", time=NOW)
    if project.last is None:
        assert not any(result.applied and result.entry.action in SUBJECT_CHANGES for result in results)
        return
    undone = undo(project)
    assert all(result.applied and result.entry.action is not Action.LEFT_ALONE for result in undone)
    assert [fixed(item) for item in project.items] == [fixed(item) for item in before]
    changed = {result.change.identity for result in results if result.change is not None}
    exactly = {item.key for item in before if item.record is None or item.record["alyx_id"] in changed}
    texts = [{item.key: json.dumps(item.record, sort_keys=True) for item in items} for items in (project.items, before)]
    assert {key: texts[0][key] for key in exactly} == {key: texts[1][key] for key in exactly}


@given(syncs(), st.integers(0, 12))
def test_an_undo_that_is_stopped_leaves_what_the_sync_left(sync, steps):
    project, _, plan = sync
    note_sync(project, run(plan, project), server=SERVER, username="jose", time=NOW)
    if project.last is None:
        return
    before = project.state()
    undoing = plan_undo(project.last, tuple(look(project, project.last)), {"Set"}, {})
    running = apply_plan(undoing, project, synced_at=NOW)
    for _ in zip(range(steps), running, strict=False):
        pass
    done = steps > len(undoing.entries)
    running.close()
    if not done:
        assert json.dumps([vars(item) for item in project.items]) == json.dumps([vars(item) for item in before])
