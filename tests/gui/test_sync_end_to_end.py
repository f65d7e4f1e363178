"""Subjects from a real server process into the real PyBpod: connect, get, answer, save, close, open again."""

from __future__ import annotations

import json
import re

import pytest
from AnyQt.QtCore import Qt
from AnyQt.QtWidgets import QApplication

from pybpod_alyx_module.demo.tour import make_room
from pybpod_alyx_module.gui.history.details_window import open_details_window
from pybpod_alyx_module.gui.sync.questions.removals_dialog import RemovalsDialog
from pybpod_alyx_module.gui.sync.questions.review_dialog import ReviewDialog
from pybpod_alyx_module.host.project import HostProject
from tests.fault_proxy import FaultProxy
from tests.gui.hands import (
    Stacking,
    activate,
    alyx_home,
    answer,
    connected_window,
    get_subjects,
    living,
    names,
    press,
    rows,
    subject_named,
    sync,
    tick,
    wait,
    wait_active,
    windows_shown,
)
from tests.gui.project_disk import paths_in
from tests.sandbox_server import SandboxServer

__all__ = ["alyx_home"]

pytestmark = pytest.mark.usefixtures("alyx_home")

#: The subjects of jose that are alive in the demo lab.
ALIVE = [
    "ea04", "future_cull", "implant_1", "jo001", "jo002", "jo003", "jo004", "jo005", "jo006", "nolimit_1",
]  # fmt: skip


@pytest.fixture
def proxy(sandbox):
    with FaultProxy(sandbox.url) as proxy:
        yield proxy


@pytest.fixture(autouse=True)
def no_boxes(dialogs):
    yield
    assert dialogs.log == []


def on_alyx(proxy, name, **changed):
    """Let the server tell something else of a subject from now on."""

    def change(page):
        for row in page["results"]:
            if row["nickname"] == name:
                row.update(changed)
        return page

    proxy.fault("alter", times=9, path="/subjects", change=change)


def forget_faults(proxy):
    proxy._faults.clear()


def state(project):
    """Everything that a sync may touch."""
    return [(subject.name, str(subject.uuid4), subject.alyx, subject.setup) for subject in project.subjects]


def files(path):
    return {str(file.relative_to(path)): file.read_bytes() for file in paths_in(path) if file.is_file()}


def test_from_connect_to_reopening(host, project, menu, qtbot, proxy, sandbox, tmp_path, open_project, dialogs):
    own = project.create_subject()
    own.name = "mine"
    project.save(str(tmp_path / "Prj"))
    window = connected_window(qtbot, project, menu, sandbox, proxy.url)
    shown = windows_shown()

    # added, in PyBpod's own class, with the Alyx id, and no window opened
    summary = sync(qtbot, window)
    assert names(project) == sorted([*ALIVE, "mine"])
    assert windows_shown() == shown
    [added] = [line for line in summary.splitlines() if line.startswith("Added (10): ")]
    assert sorted(added.removeprefix("Added (10): ").split(", ")) == ALIVE
    ea04 = subject_named(project, "ea04")
    assert type(ea04) is type(own)
    assert ea04.is_alyx
    assert not own.is_alyx
    assert str(ea04.uuid4) == ea04.alyx["alyx_id"]
    assert ea04.alyx["alyx_server"] == proxy.url
    details = open_details_window(ea04)
    menu.trigger(project.node, "Save")
    assert project.is_saved()

    # again: everything up to date, nothing asked, the project stays saved
    summary = sync(qtbot, window)
    assert "10 up to date." in summary.split("Synced")[-1]
    assert project.is_saved()

    # one overridden, one merged, one kept, one removed
    on_alyx(proxy, "ea04", sex="F", description="seen again\n«é» \"quoted\" 'too'")
    dialog = get_subjects(qtbot, window)
    assert isinstance(dialog, ReviewDialog)
    assert [row.text(0) for row in rows(dialog)] == ["ea04:  2 fields differ"]
    tick(dialog, "ea04")
    answer(qtbot, window, dialog.buttons["Override"])
    assert ea04.alyx["sex"] == "F"
    assert details.record.values["Sex"] == "F"
    assert not project.is_saved()
    forget_faults(proxy)

    jo002 = subject_named(project, "jo002")
    jo002.alyx = {**jo002.alyx, "sex": None, "description": "my own words"}
    jo003 = subject_named(project, "jo003")
    jo003.alyx = {**jo003.alyx, "description": "kept words"}
    gone = subject_named(project, "jo004")
    gone_id = gone.alyx["alyx_id"]

    def ask_ea04_again_and_bury_jo004(page):
        for row in page["results"]:
            if row["nickname"] == "ea04":
                row.update(sex="F", description=ea04.alyx["description"])
            if row["nickname"] == "jo004":
                row.update(alive=False, death_date="2026-11-01")
        return page

    proxy.fault("alter", times=9, path="/subjects", change=ask_ea04_again_and_bury_jo004)
    dialog = get_subjects(qtbot, window)
    assert [row.text(0) for row in rows(dialog)] == [
        "jo002:  2 fields differ",
        "jo003:  1 field differs",
        "jo004:  removed from this PyBpod project; not alive on Alyx (death date 2026-11-01)",
    ]
    tick(dialog, "jo002")
    answer(qtbot, window, dialog.buttons["Merge"])
    told = window.form.messages.split("Synced")[-1]
    assert (jo002.alyx["sex"], jo002.alyx["description"]) == ("M", "my own words")
    assert jo003.alyx["description"] == "kept words"
    assert "1 merged, 1 kept, 1 removed from this PyBpod project" in told
    assert "    jo002: Sex" in told.splitlines()
    assert "    jo003: differs in Description" in told.splitlines()
    assert "    jo004: not alive on Alyx (death date 2026-11-01)" in told.splitlines()
    assert "jo004" not in names(project)

    # saved, closed, opened again: all of it is there
    before = sorted(state(project), key=lambda one: one[0])
    menu.trigger(project.node, "Save")
    assert project.is_saved()
    project.close(silent=True)
    reopened = open_project(tmp_path / "Prj")
    assert sorted(state(reopened), key=lambda one: one[0]) == before
    assert reopened.is_saved()
    assert not (tmp_path / "Prj" / "subjects" / "jo004").exists()
    [(_title, text)] = dialogs.log
    assert "jo004" in text
    dialogs.log.clear()
    [kept] = list((tmp_path / "Prj" / "removed").rglob("jo004.json"))
    assert json.loads(kept.read_text())["alyx_id"] == gone_id


def test_cancel_in_the_dialog_changes_nothing_at_all(project, menu, qtbot, sandbox, tmp_path):
    project.create_user().name = "jose"
    project.create_subject().name = "ea04"
    project.save(str(tmp_path / "Prj"))
    window = connected_window(qtbot, project, menu, sandbox)
    before, on_disk = state(project), files(tmp_path / "Prj")
    dialog = get_subjects(qtbot, window)
    assert not window.form.get_button.isEnabled()
    assert QApplication.activeModalWidget() is None  # a running protocol can be stopped meanwhile
    qtbot.keyClick(dialog, Qt.Key_Escape)
    wait(qtbot, lambda: not window.working)
    assert state(project) == before
    assert project.is_saved()
    assert files(tmp_path / "Prj") == on_disk
    assert "Nothing in the project was changed." in window.form.messages
    assert living(ReviewDialog) == []


def test_keep_all_still_adds_the_new_ones(project, menu, qtbot, sandbox):
    own = project.create_subject()
    own.name = "ea04"
    window = connected_window(qtbot, project, menu, sandbox)
    dialog = get_subjects(qtbot, window)
    answer(qtbot, window, dialog.buttons["Keep all"])
    assert names(project) == ALIVE
    assert own.alyx is None


def test_a_local_subject_becomes_the_alyx_subject_and_keeps_its_uuid(project, menu, qtbot, sandbox):
    own = project.create_subject()
    own.name = "ea04"
    uuid = str(own.uuid4)
    window = connected_window(qtbot, project, menu, sandbox)
    dialog = get_subjects(qtbot, window)
    assert "not yet linked to Alyx" in rows(dialog)[0].text(0)
    answer(qtbot, window, dialog.buttons["Override all"])
    assert subject_named(project, "ea04") is own
    assert own.is_alyx
    assert str(own.uuid4) == uuid
    assert "now linked to Alyx" in window.form.messages
    sync(qtbot, window)
    assert "10 up to date." in window.form.messages.split("Synced")[-1]


def test_a_subject_renamed_on_alyx_is_asked_about_and_renamed(project, menu, qtbot, proxy, sandbox):
    window = connected_window(qtbot, project, menu, sandbox, proxy.url)
    sync(qtbot, window)
    jo001 = subject_named(project, "jo001")
    on_alyx(proxy, "jo001", nickname="jo001_renamed")
    dialog = get_subjects(qtbot, window)
    assert rows(dialog)[0].text(0) == "jo001:  1 field differs; renamed on Alyx: 'jo001_renamed'"
    answer(qtbot, window, dialog.buttons["Override all"])
    assert jo001.name == "jo001_renamed"


def test_closing_the_window_at_a_question_closes_the_question(project, menu, qtbot, sandbox):
    project.create_subject().name = "ea04"
    window = connected_window(qtbot, project, menu, sandbox)
    before = state(project)
    get_subjects(qtbot, window)
    window.close()
    assert living(ReviewDialog) == []
    assert state(project) == before


def test_closing_the_project_at_a_question_closes_everything(project, menu, qtbot, sandbox):
    project.create_subject().name = "ea04"
    window = connected_window(qtbot, project, menu, sandbox)
    get_subjects(qtbot, window)
    project.close(silent=True)
    assert living((ReviewDialog, type(window))) == []


def test_a_subject_removed_at_the_question_is_refused_not_an_error(project, menu, qtbot, sandbox):
    own = project.create_subject()
    own.name = "ea04"
    window = connected_window(qtbot, project, menu, sandbox)
    dialog = get_subjects(qtbot, window)
    own.remove(True)
    answer(qtbot, window, dialog.buttons["Override all"])
    told = window.form.messages.split("Not changed (1):")[1]
    assert "ea04" in told
    assert told.split("\n\n")[0].strip() == "ea04: it is no longer in the project"
    assert "1 not changed." in window.form.messages
    assert "ea04" not in names(project)


def test_each_run_begins_with_the_time_of_day(project, menu, qtbot, sandbox):
    window = connected_window(qtbot, project, menu, sandbox)
    sync(qtbot, window)
    subject_named(project, "ea04").alyx = {**subject_named(project, "ea04").alyx, "sex": "F"}
    dialog = get_subjects(qtbot, window)
    answer(qtbot, window, dialog.buttons["Cancel"])
    sync_told, cancel_told = re.findall(r"^\d\d:\d\d:\d\d  (.*)", window.form.messages, re.MULTILINE)
    assert sync_told == f"Synced the subjects of jose with {sandbox.url}."
    assert cancel_told == "You cancelled. Nothing in the project was changed."


@pytest.mark.parametrize("button", ["Override all", "Keep all", "Cancel"])
def test_who_answers_in_the_dialog_sees_the_summary_next(host, project, menu, qtbot, sandbox, button):
    project.create_subject().name = "ea04"
    window = connected_window(qtbot, project, menu, sandbox)
    dialog = get_subjects(qtbot, window)
    wait_active(qtbot, dialog)
    stacking = Stacking(window)
    press(qtbot, dialog.buttons[button])
    assert stacking.raised >= 1, "not when the question was answered"
    wait(qtbot, lambda: not window.working)
    assert stacking.raised == 2, "not when the sync ended"
    wait_active(qtbot, window)


def test_who_does_something_else_keeps_the_keyboard(host, project, menu, qtbot, sandbox):
    project.create_subject().name = "ea04"
    window = connected_window(qtbot, project, menu, sandbox)
    dialog = get_subjects(qtbot, window)
    main = host.window()
    wait_active(qtbot, dialog)
    activate(qtbot, main)
    stacking = Stacking(window)
    dialog.buttons["Override all"].click()
    wait(qtbot, lambda: not window.working)
    assert stacking.raised == 2
    assert QApplication.activeWindow() is main


def test_a_window_that_was_closed_does_not_come_back_when_the_sync_ends(project, menu, qtbot, sandbox):
    project.create_subject().name = "ea04"
    window = connected_window(qtbot, project, menu, sandbox)
    get_subjects(qtbot, window)
    window.close()
    wait(qtbot, lambda: not window.working)
    assert not window.isVisible()


def test_the_tour_shows_the_whole_summary(project, menu, qtbot, sandbox):
    window = connected_window(qtbot, project, menu, sandbox)
    window.resize(window.minimumSizeHint())
    sync(qtbot, window)
    assert window.form.results.verticalScrollBar().maximum() > 0
    make_room(window)
    assert window.form.results.verticalScrollBar().maximum() == 0


def bury_all(page):
    for row in page["results"]:
        row.update(alive=False, death_date="2026-11-01")
    return page


def test_many_removals_are_asked_about_once_with_the_list(project, menu, qtbot, proxy, sandbox):
    window = connected_window(qtbot, project, menu, sandbox, proxy.url)
    sync(qtbot, window)
    proxy.fault("alter", times=99, path="/subjects", change=bury_all)

    dialog = get_subjects(qtbot, window)
    assert isinstance(dialog, RemovalsDialog)
    assert len(dialog.list.toPlainText().splitlines()) == 10
    answer(qtbot, window, dialog.leave_button)
    assert names(project) == ALIVE
    assert "10 removals postponed" in window.form.messages.split("Synced")[-1]

    dialog = get_subjects(qtbot, window)
    answer(qtbot, window, dialog.cancel_button)
    assert names(project) == ALIVE

    dialog = get_subjects(qtbot, window)
    answer(qtbot, window, dialog.remove_button)
    assert names(project) == []
    assert "10 removed from this PyBpod project" in window.form.messages.split("Synced")[-1]


# -- many subjects


@pytest.fixture(scope="module")
def crowd():
    """A lab where the main user has some 300 subjects more."""
    with SandboxServer("--throttle", "off", "--subjects", "300") as server:
        yield server


@pytest.fixture
def crowd_proxy(crowd):
    with FaultProxy(crowd.url) as proxy:
        yield proxy


def test_300_subjects_take_at_most_10_requests_and_open_no_window(project, menu, qtbot, crowd, crowd_proxy):
    window = connected_window(qtbot, project, menu, crowd, crowd_proxy.url)
    shown = windows_shown()
    sync(qtbot, window)
    assert len(project.subjects) >= 200
    assert len(crowd_proxy.requests) <= 10, [(seen.method, seen.path, seen.query) for seen in crowd_proxy.requests]
    assert windows_shown() == shown
    sync(qtbot, window)
    assert f"{len(project.subjects)} up to date." in window.form.messages.split("Synced")[-1]


@pytest.mark.parametrize("how", ["cancel", "escape", "close the project"])
def test_stopped_half_way_everything_is_as_it_was(project, menu, qtbot, crowd, how, tmp_path):
    project.create_user().name = crowd.username
    own = project.create_subject()
    own.name = "mine"
    project.save(str(tmp_path / "Prj"))
    window = connected_window(qtbot, project, menu, crowd)
    before, on_disk = state(project), files(tmp_path / "Prj")
    most = []

    def stop(done, total):
        if total and 0 < done < total and len(project.subjects) > 20 and not most:
            most.append((done, total, len(project.subjects)))
            if how == "cancel":
                press(qtbot, window.form.cancel_button)
            elif how == "escape":
                qtbot.keyClick(window.form.results, Qt.Key_Escape)
            else:
                project.close(silent=True)

    press(qtbot, window.form.get_button)
    window._job.progressed.connect(stop)
    wait(qtbot, lambda: not window.working)
    [(done, total, subjects)] = most
    assert 20 < subjects < total
    assert done < total
    assert state(project) == before
    assert files(tmp_path / "Prj") == on_disk
    if how != "close the project":
        assert project.is_saved()
        assert project.subjects_node.childCount() == 1
        assert "Nothing in the project was changed." in window.form.messages


class Signals:
    """What a sync job sends, by name."""

    def __init__(self, job):
        self.sent = []
        job.succeeded.connect(lambda _result: self.sent.append("succeeded"))
        job.failed.connect(lambda _error: self.sent.append("failed"))
        job.cancelled.connect(lambda: self.sent.append("cancelled"))
        job.finished.connect(lambda: self.sent.append("finished"))


@pytest.mark.parametrize("broken", [True, False])
def test_a_cancel_that_cannot_take_everything_back_says_so(project, menu, qtbot, crowd, monkeypatch, broken):
    add = HostProject.add

    def add_for_ever(port, *arguments):
        undo = add(port, *arguments)

        def stay():
            raise OSError("it stays")

        return stay if broken and len(project.subjects) == 5 else undo

    monkeypatch.setattr(HostProject, "add", add_for_ever)
    window = connected_window(qtbot, project, menu, crowd)
    press(qtbot, window.form.get_button)
    signals = Signals(window._job)

    def cancel(done, total):
        if total and len(project.subjects) > 20:
            press(qtbot, window.form.cancel_button)

    window._job.progressed.connect(cancel)
    wait(qtbot, lambda: not window.working)
    told = window.form.messages
    assert len(names(project)) == broken
    assert signals.sent == ["failed" if broken else "cancelled", "finished"]
    assert ("Not every change of this sync could be taken back. Close the project without saving" in told) is broken
    assert ("Nothing in the project was changed." in told) is not broken
    assert window.form.get_button.isEnabled()


def test_that_the_project_is_as_it_was_is_said_once(project, menu, qtbot, sandbox, monkeypatch):
    add = HostProject.add

    def refuse_one(port, name, *arguments):
        if name == "jo003":
            raise OSError("disk full")
        return add(port, name, *arguments)

    monkeypatch.setattr(HostProject, "add", refuse_one)
    window = connected_window(qtbot, project, menu, sandbox)
    press(qtbot, window.form.get_button)
    signals = Signals(window._job)
    wait(qtbot, lambda: not window.working)
    told = window.form.messages.split("PyBpod could not do this. ")[1]
    assert told.startswith("Subject 'jo003': disk full. Sync again")
    assert told.endswith("Nothing in the project was changed.")
    assert "as it was" not in told
    assert signals.sent == ["failed", "finished"]
    assert names(project) == []


def test_pybpod_answers_while_subjects_are_applied(project, menu, qtbot, crowd):
    window = connected_window(qtbot, project, menu, crowd)
    seen = []

    def look(done, total):
        if total and 0 < done < total and not seen:
            seen.append(done)
            menu.trigger(project.subjects_node, "Add subject")

    press(qtbot, window.form.get_button)
    window._job.progressed.connect(look)
    wait(qtbot, lambda: not window.working)
    assert seen
    assert [name for name in names(project) if name.startswith("Untitled subject")]
    assert "Synced" in window.form.messages
