"""*Undo the last sync* in the real PyBpod: the project as it was, and what a person changed since is left and told."""

from __future__ import annotations

import csv
import gc
import json
import shutil
from pathlib import Path

import pytest

from pybpod_alyx_module.gui.running_outbox import running_outbox
from pybpod_alyx_module.gui.sync.history.undo_dialog import UndoDialog
from pybpod_alyx_module.gui.sync.history.undo_job import RUNNING
from pybpod_alyx_module.host.project import HostProject
from pybpod_alyx_module.sync.apply import apply_plan
from pybpod_alyx_module.sync.audit import FILE
from pybpod_alyx_module.sync.last_sync import UNDO_FILE, note_sync
from pybpod_alyx_module.sync.make_plan import make_plan
from pybpod_alyx_module.sync.plan import Action
from pybpod_alyx_module.sync.snapshot import RemoteSubject
from tests.alyx_rows import SERVER, alyx_id, listing, record, row
from tests.gui.hands import living, names, press, subject_named, wait
from tests.gui.project_disk import paths_in

PREDECESSOR = Path(__file__).parents[1] / "fixtures" / "predecessor" / "Mice"
EA04 = "8d1f0c52-3a57-4f43-9f0a-5b7c3c0f2a77"
NOW = "2026-11-27T03:00:00+00:00"
#: Files that a sync and its undo add to the project.
KEPT = {FILE, UNDO_FILE}

BEFORE = ["ea04", "jo001", "jo002", "jo003", "local1", "mine"]
AFTER = ["jo002", "jo003", "jo010", "local1", "mine", "new1"]


@pytest.fixture
def mice(tmp_path, open_project):
    """Six animals: ea04 is on a setup with others, has a session and a file of its own."""
    project = open_project(shutil.copytree(PREDECESSOR, tmp_path / "Mice"))
    port = HostProject(project, running_outbox().hold)
    for name, lacking in (("jo001", ()), ("jo002", ("line", "json")), ("jo003", ())):
        port.add(name, alyx_id(name), {key: value for key, value in record(name).items() if key not in lacking})
    project.create_subject().name = "mine"
    setup = setup_of(project)
    for name in ("local1", "jo001"):
        setup += subject_named(project, name)
    project.save()
    (tmp_path / "Mice" / "subjects" / "jo001" / "notes.txt").write_text("of jo001")
    mine = tmp_path / "Mice" / "subjects" / "mine" / "mine.json"
    mine.write_text(json.dumps({**json.loads(mine.read_text()), "sex": "kept by another program"}))
    project.close(silent=True)
    return open_project(tmp_path / "Mice")


def setup_of(project):
    return project.experiments[0].setups[0]


def sync(project, *rows, answer=Action.OVERRIDE, time=NOW):
    port = HostProject(project, running_outbox().hold)
    subjects = [RemoteSubject.from_row(one, SERVER) for one in rows]
    plan = make_plan(port.subjects(), listing(*subjects))
    plan = plan.answered({entry.local.key: answer for entry in plan.of(Action.ASK)})
    results = tuple(apply_plan(plan, port, synced_at=time))
    assert all(result.applied for result in results)
    note_sync(port, results, server=SERVER, username="jose", time=time)
    return results


def everything(project):
    """One removed, one renamed and overridden, one filled in, one linked, one added, one up to date."""
    results = sync(
        project,
        row("ea04", who="-", alive=False, death_date="2026-11-01") | {"id": EA04},
        row("jo010", who="jo001", sex="F", description="renamed"),
        row("jo002", line="Ai32", json={"cage": 1}),
        row("jo003", age_weeks=40),
        row("mine"),
        row("new1"),
    )
    assert names(project) == AFTER
    return results


def content(folder):
    """All that is in the project, but for when PyBpod wrote a file."""
    found = {}
    for path in paths_in(folder):
        if path.is_file() and path.name not in KEPT:
            text = path.read_text("utf-8")
            if path.suffix == ".json":
                text = {key: value for key, value in json.loads(text).items() if key != "__UPDATED-ON__"}
                text["__EXTERNAL-REF__"] = sorted(text.get("__EXTERNAL-REF__", ()))
            found[path.relative_to(folder).as_posix()] = text
    return found


def state(project):
    setup = setup_of(project)
    return {
        "subjects": {
            subject.name: (str(subject.uuid4), subject.alyx, subject.setup is setup, len(subject._sessions))
            for subject in project.subjects
            if subject.name != "jo003"  # numbers that change by themselves are as the sync saw them
        },
        "setup": [subject.name for subject in setup.subjects],
        "shown": setup._subjects_list.value,
    }


@pytest.fixture
def undoing(menu, qtbot):
    """Give a function that presses *Undo*; it returns what the question listed, empty where there was none."""
    windows = []

    def undo(project, press_it=True):
        project.open_alyx_syncs()
        window = project.alyx_syncs_window
        windows.append(window)
        wait(qtbot, window.message.text)
        window.message.clear()
        press(qtbot, window.undo_button)
        wait(qtbot, lambda: window.undo_dialog is not None or not window.working)
        dialog = window.undo_dialog
        if dialog is None:
            return "", window.message.text()
        listed = dialog.list.toPlainText()
        button = dialog.undo_button if press_it and dialog.undo_button.isVisible() else dialog.cancel_button
        press(qtbot, button)
        wait(qtbot, lambda: not window.working and (window.message.text() or button is dialog.cancel_button))
        return listed, window.message.text()

    yield undo
    assert [dialog for dialog in living(UndoDialog) if dialog.isVisible()] == []


def go_on(project, how, open_project):
    """What a person does between the sync and the undo."""
    if how != "unsaved":
        assert project.save()
    if how == "reopened":
        path = project.path
        project.close(silent=True)
        project = open_project(path)
    return project


@pytest.mark.parametrize("how", ["unsaved", "saved", "reopened"])
def test_all_kinds_of_change_are_undone(mice, undoing, open_project, tmp_path, how, dialogs):
    folder = tmp_path / "Mice"
    before, seen = state(mice), content(folder)
    everything(mice)
    project = go_on(mice, how, open_project)
    listed, told = undoing(project)
    assert "Left alone" not in listed
    for line in (
        "1 back in this PyBpod project",
        "1 taken out of this PyBpod project",
        "3 as before the sync",
        "Taken out of this PyBpod project (1): new1",
        "    jo010: again named jo001; Nickname, Sex, Description",
        "    jo002: Line, JSON",
        "    mine: not linked to Alyx",
        "Back in this PyBpod project (1): ea04",
    ):
        assert line in listed, listed
    assert told.startswith("Undone: ")
    assert ("Save the project" in told) is (how != "unsaved")
    assert names(project) == BEFORE
    assert state(project) == before
    if how == "unsaved":
        assert project.is_saved()
    assert project.save()
    again = open_project(folder)
    assert state(again) == before
    now = content(folder)
    if how != "unsaved":
        left = now.pop("removed/new1/new1.json")
        assert left["alyx_id"] == alyx_id("new1")
    changed_by_itself = "subjects/jo003/jo003.json"
    assert now.pop(changed_by_itself)["age_weeks"] == 40
    del seen[changed_by_itself]
    assert now == seen


def test_an_undo_is_a_line_in_the_table_and_twice_it_does_nothing(mice, undoing, open_project, tmp_path):
    everything(mice)
    undoing(mice)
    before = state(mice)
    listed, told = undoing(mice)
    assert listed == ""
    assert "has been undone already" in told
    assert state(mice) == before
    mice.save()
    listed, told = undoing(open_project(tmp_path / "Mice"))
    assert listed == ""
    assert "has been undone already" in told
    with (tmp_path / "Mice" / FILE).open(encoding="utf-8-sig", newline="") as stream:
        lines = [line for line in csv.DictReader(stream) if line["action"].startswith("undone")]
    assert {(line["action"], line["subject"], line["new_name"], line["alyx_id"]) for line in lines} == {
        ("undone: added", "new1", "", alyx_id("new1")),
        ("undone: changed", "jo010", "jo001", alyx_id("jo001")),
        ("undone: changed", "jo002", "", alyx_id("jo002")),
        ("undone: changed", "mine", "", alyx_id("mine")),
        ("undone: removed", "ea04", "", EA04),
    }


def test_cancelled_it_changes_nothing(mice, undoing):
    everything(mice)
    before = state(mice)
    assert "ea04" in undoing(mice, press_it=False)[0]
    assert state(mice) == before
    assert "ea04" in undoing(mice)[0]
    assert names(mice) == BEFORE


def test_nothing_to_undo(mice, undoing):
    assert "no sync has changed this project" in undoing(mice)[1]


def test_refused_while_a_session_runs(mice, undoing, qtbot):
    everything(mice)
    before = state(mice)
    session = setup_of(mice).sessions[0]
    session.status = session.STATUS_SESSION_RUNNING
    try:
        assert undoing(mice) == ("", RUNNING)
    finally:
        session.status = session.STATUS_READY
    mice.open_alyx_syncs()
    window = mice.alyx_syncs_window
    press(qtbot, window.undo_button)
    wait(qtbot, lambda: window.undo_dialog is not None)
    session.status = session.STATUS_SESSION_RUNNING  # it began while the question was open
    try:
        press(qtbot, window.undo_dialog.undo_button)
        wait(qtbot, lambda: not window.working)
    finally:
        session.status = session.STATUS_READY
    assert window.message.text() == RUNNING
    assert state(mice) == before


@pytest.mark.parametrize("how", ["unsaved", "reopened"])
def test_what_a_person_used_or_changed_since_is_left_and_told(mice, undoing, open_project, tmp_path, how):
    everything(mice)
    project = go_on(mice, how, open_project)
    setup = setup_of(project)
    setup += subject_named(project, "new1")
    subject = subject_named(project, "jo010")
    subject.alyx = {**subject.alyx, "description": "by hand"}
    linked = subject_named(project, "mine")
    linked.alyx = {**linked.alyx, "lab": "by hand"}
    taken = project.create_subject()
    taken.name = "EA04"
    listed, _told = undoing(project)
    assert "    new1: it is in the setup Set" in listed
    assert "    jo010: again named jo001; Nickname, Sex; changed since, and left as they are: description" in listed
    assert "    mine: changed since, so that it stays linked: lab" in listed
    assert "    ea04: another subject of the project has the name 'ea04' now" in listed
    assert names(project) == ["EA04", "jo001", "jo002", "jo003", "local1", "mine", "new1"]
    subject = subject_named(project, "jo001")
    assert (subject.alyx["description"], subject.alyx["sex"]) == ("by hand", "M")
    assert subject_named(project, "mine").is_alyx
    assert "line" not in subject_named(project, "jo002").alyx
    # what is free again is undone by the next press
    taken.name = "another"
    setup -= subject_named(project, "new1")
    listed, _told = undoing(project)
    assert "Back in this PyBpod project (1): ea04" in listed
    assert names(project) == ["another", "ea04", "jo001", "jo002", "jo003", "local1", "mine"]


def test_a_name_that_was_taken_meanwhile_stays_with_its_holder(mice, undoing):
    everything(mice)
    mice.create_subject().name = "jo001"
    listed, _told = undoing(mice)
    assert "jo010: Sex, Description; keeps its name: another subject of the project has the name 'jo001' now" in listed
    assert subject_named(mice, "jo010").alyx["sex"] == "M"
    assert subject_named(mice, "jo010").alyx["nickname"] == "jo010"


def test_a_session_with_an_added_animal_keeps_it(mice, undoing):
    everything(mice)
    added = subject_named(mice, "new1")
    added += setup_of(mice).sessions[0]
    assert "new1: it has 1 session" in undoing(mice)[0]
    assert "new1" in names(mice)


@pytest.mark.parametrize("damage", ["no JSON", "{}", '{"version": 1, "changes": 5}', '{"version": 2}', "[]"])
def test_a_damaged_file_is_told_and_nothing_changes(mice, undoing, open_project, tmp_path, damage):
    everything(mice)
    project = go_on(mice, "reopened", open_project)
    (tmp_path / "Mice" / UNDO_FILE).write_text(damage)
    before = state(project)
    listed, told = undoing(project)
    assert listed == ""
    assert str(tmp_path / "Mice" / UNDO_FILE) in told
    assert "damaged" in told
    assert state(project) == before


@pytest.mark.parametrize("how", ["gone", "damaged", "of another", "outside"])
def test_a_folder_that_cannot_come_back_is_left_and_told(mice, undoing, open_project, tmp_path, how):
    everything(mice)
    project = go_on(mice, "reopened", open_project)
    folder = tmp_path / "Mice" / "removed" / "ea04"
    file = folder / "ea04.json"
    if how == "gone":
        shutil.rmtree(folder)
    elif how == "damaged":
        file.write_text('{"half": ')
    elif how == "of another":
        file.write_text(json.dumps({**json.loads(file.read_text()), "__UUID4__": alyx_id("another")}))
    else:
        kept = tmp_path / "Mice" / UNDO_FILE
        kept.write_text(kept.read_text().replace("removed/ea04", "removed/../../x"))
    listed, _told = undoing(project)
    assert "Left alone (1)" in listed
    assert "    ea04: " in listed
    assert names(project) == ["jo001", "jo002", "jo003", "local1", "mine"]


def test_of_two_syncs_the_last_is_undone(mice, undoing):
    everything(mice)
    between = state(mice)
    sync(mice, row("jo002", line="Ai32", json={"cage": 2}), time="2026-11-28T03:00:00+00:00")
    undoing(mice)
    assert subject_named(mice, "jo002").alyx["json"] == {"cage": 1}
    assert state(mice) == between
    assert "has been undone already" in undoing(mice)[1]


def test_a_sync_that_changes_nothing_leaves_the_last_one_to_undo(mice, undoing):
    everything(mice)
    sync(mice, row("jo002", line="Ai32", json={"cage": 1}, remaining_water=9.0), time="2026-11-28T03:00:00+00:00")
    undoing(mice)
    assert names(mice) == BEFORE
    assert "line" not in subject_named(mice, "jo002").alyx


def test_closed_without_saving_the_undo_is_as_if_it_was_not(mice, undoing, open_project, tmp_path):
    everything(mice)
    project = go_on(mice, "reopened", open_project)
    before = content(tmp_path / "Mice")
    undoing(project)
    project.close(silent=True)
    assert content(tmp_path / "Mice") == before
    again = open_project(tmp_path / "Mice")
    assert names(again) == AFTER
    undoing(again)
    assert names(again) == BEFORE


def test_swapped_names_swap_back(mice, undoing, open_project, tmp_path):
    before = state(mice)
    sync(mice, row("jo002", who="jo001"), row("jo001", who="jo002"))
    project = go_on(mice, "reopened", open_project)
    assert (tmp_path / "Mice" / "subjects" / "jo002" / "notes.txt").exists()
    undoing(project)
    project.save()
    assert (tmp_path / "Mice" / "subjects" / "jo001" / "notes.txt").read_text() == "of jo001"
    assert state(open_project(tmp_path / "Mice")) == before


def test_removed_under_a_taken_folder_name_it_finds_its_own(mice, undoing, open_project, tmp_path):
    other = tmp_path / "Mice" / "removed" / "ea04"
    other.mkdir(parents=True)
    (other / "ea04.json").write_text("{}")
    before = state(mice)
    everything(mice)
    project = go_on(mice, "reopened", open_project)
    undoing(project)
    assert state(project) == before
    project.save()
    assert (other / "ea04.json").read_text() == "{}"
    assert (tmp_path / "Mice" / "subjects" / "ea04" / "notes.txt").exists()
    assert state(open_project(tmp_path / "Mice")) == before


def test_saved_elsewhere_it_can_be_undone_there(mice, undoing, open_project, tmp_path):
    before = state(mice)
    everything(mice)
    mice.save(str(tmp_path / "Copy"))
    again = open_project(tmp_path / "Copy")
    undoing(again)
    assert names(again) == BEFORE
    assert subject_named(again, "ea04").alyx == before["subjects"]["ea04"][1]
    again.save()
    assert (tmp_path / "Copy" / "subjects" / "ea04" / "ea04.json").exists()
    assert (tmp_path / "Mice" / "subjects" / "ea04" / "notes.txt").exists()


def test_done_and_undone_again_and_again_its_sessions_are_still_drawn(mice, undoing):
    before = state(mice)
    session = setup_of(mice).sessions[0]
    for number in range(3):
        everything(mice)
        mice.save()
        undoing(mice)
        mice.save()
        gc.collect()
        session.update_ui()
        session.alyx_refresh()
        assert state(mice) == before, number
