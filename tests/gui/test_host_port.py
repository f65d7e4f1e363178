"""The real PyBpod project as a sync sees it: the port's contract, and undo to the last detail."""

from __future__ import annotations

import copy
import gc
import shutil
from pathlib import Path

import pytest

from pybpod_alyx_module.errors import SyncError
from pybpod_alyx_module.gui.running_outbox import running_outbox
from pybpod_alyx_module.host.project import RUNNING, HostProject
from pybpod_alyx_module.host.project_user import log_in_user
from pybpod_alyx_module.sync.apply import apply_plan
from pybpod_alyx_module.sync.make_plan import make_plan
from tests.alyx_rows import SERVER, alyx_id, record, remote, row
from tests.gui.hands import SUBJECT_ENTRIES
from tests.port_contract import ProjectPortContract

PREDECESSOR = Path(__file__).parents[1] / "fixtures" / "predecessor" / "Mice"
EA04 = "8d1f0c52-3a57-4f43-9f0a-5b7c3c0f2a77"


def state(project):
    """All of a project that a sync may touch and an undo must restore."""
    node = project.subjects_node
    return {
        "data": project.collect_data({}),
        "saved": project.data_hash is not None and project.is_saved(),
        "subjects": [
            (id(subject), subject.name, str(subject.uuid4), subject.alyx, copy.deepcopy(subject.data), subject.setup)
            for subject in project.subjects
        ],
        "fields": [(subject._name.value, subject._name.readonly) for subject in project.subjects],
        "nodes": [
            (
                child.text(0),
                child.toolTip(0),
                child.isExpanded(),
                [child.child(number).text(0) for number in range(child.childCount())],
                [action.text() for action in project.tree._items.get(id(child), [])],
                [
                    [action.text() for action in project.tree._items.get(id(child.child(number)), [])]
                    for number in range(child.childCount())
                ],
            )
            for child in (node.child(number) for number in range(node.childCount()))
        ],
        "setups": [
            (
                [id(subject) for subject in setup.subjects],
                setup._subjects_list.value,
                copy.deepcopy(dict(setup.data or {})),
            )
            for experiment in project.experiments
            for setup in experiment.setups
        ],
        "removed": list(project.removed_by_sync),
    }


class TestContract(ProjectPortContract):
    @pytest.fixture
    def port(self, project):
        return HostProject(project, running_outbox().hold)

    def state(self, port):
        return state(port._project)


@pytest.fixture
def mice(tmp_path, open_project):
    """The predecessor's project, opened; a setup lists ea04, which has a session; local1 is listed as well."""
    project = open_project(shutil.copytree(PREDECESSOR, tmp_path / "Mice"))
    setup = project.experiments[0].setups[0]
    setup += subject_named(project, "local1")
    project.save()
    return project


@pytest.fixture
def port(mice):
    return HostProject(mice, running_outbox().hold)


def subject_named(project, name):
    return next(subject for subject in project.subjects if subject.name == name)


def key_of(port, name):
    return next(key for key, held in port.names().items() if held == name)


class TestReading:
    def test_subjects_of_the_predecessor(self, port):
        found = {subject.name: subject for subject in port.subjects()}
        assert set(found) == {"ea04", "local1"}
        linked = found["ea04"]
        assert (linked.alyx_id, linked.server, linked.hold) == (EA04, None, "")
        assert linked.url == "http://127.0.0.1:8000/subjects/ea04"
        assert linked.details.get("genotype") == ["Thy1-GCaMP6s +/-"]
        assert found["local1"].alyx_id is None

    def test_keys_are_unique_where_two_share_a_uuid(self, mice, port):
        first, second = mice.subjects
        second.uuid4 = first.uuid4
        assert len(port.names()) == 2
        assert HostProject(mice, running_outbox().hold).names() == port.names()

    @pytest.mark.parametrize("listed", [True, False])
    def test_hold_while_a_session_runs(self, mice, port, listed):
        setup = mice.experiments[0].setups[0]
        session = setup.sessions[0]
        if not listed:
            setup -= subject_named(mice, "ea04")
        session.status = session.STATUS_SESSION_RUNNING
        try:
            before = state(mice)
            assert port.read(key_of(port, "ea04")).hold == RUNNING
            assert port.read(key_of(port, "local1")).hold == RUNNING  # its setup is running, whoever else stands on it
            with pytest.raises(SyncError, match="running session"):
                port.remove(key_of(port, "ea04"))
            assert state(mice) == before
        finally:
            session.status = session.STATUS_READY
        assert port.read(key_of(port, "ea04")).hold == ""


class TestAdd:
    def test_composed_class_alyx_uuid_no_window_no_selection(self, host, mice, port):
        from AnyQt.QtWidgets import QApplication
        from pybpodgui_plugin.models.subject import Subject

        current, shown = mice.tree.currentItem(), mice.mainwindow.details.value
        windows = {window for window in QApplication.topLevelWidgets() if window.isVisible()}
        port.add("new", alyx_id("new"), record("new"))
        subject = subject_named(mice, "new")
        assert type(subject) is Subject
        assert subject.uuid4 == alyx_id("new")
        assert mice.tree.currentItem() is current
        assert mice.mainwindow.details.value is shown
        assert {window for window in QApplication.topLevelWidgets() if window.isVisible()} == windows
        assert not mice.is_saved()
        setup = mice.experiments[0].setups[0]
        setup += subject
        assert ["new"] in setup._subjects_list.value

    def test_undo(self, mice, port):
        before, entries = state(mice), set(mice.tree._items)
        undo = port.add("new", alyx_id("new"), record("new"))
        undo()
        assert state(mice) == before
        assert set(mice.tree._items) == entries
        assert mice.is_saved()

    def test_half_an_addition_is_taken_back(self, mice, port):
        before = state(mice)
        with pytest.raises(TypeError):
            port.add("new", alyx_id("new"), record("new", json=(item for item in ())))  # cannot be copied
        assert state(mice) == before


class TestUpdate:
    def test_name_everywhere_and_undo(self, mice, port):
        before = state(mice)
        undo = port.update(key_of(port, "ea04"), "ea05", {"sex": "M", "alyx_server": SERVER})
        subject = subject_named(mice, "ea05")
        assert (subject.node.text(0), subject._name.value) == ("ea05", "ea05")
        assert ["ea05"] in mice.experiments[0].setups[0]._subjects_list.value
        assert subject.alyx["litter"] is None
        assert subject.alyx["weighings"]
        assert not mice.is_saved()
        undo()
        assert state(mice) == before
        assert mice.is_saved()

    def test_link_of_a_plain_subject_and_undo(self, mice, port, menu):
        before = state(mice)
        own = subject_named(mice, "local1").uuid4
        undo = port.update(key_of(port, "local1"), "local1", record("local1"))
        assert subject_named(mice, "local1").uuid4 == own
        assert menu.labels(subject_named(mice, "local1").node) == ["Remove", *SUBJECT_ENTRIES]
        undo()
        assert state(mice) == before


class TestRemove:
    def test_leaves_setups_menus_and_details(self, mice, port):
        subject = subject_named(mice, "ea04")
        mice.tree.setCurrentItem(subject.node)
        assert mice.mainwindow.details.value is subject
        nodes = [subject.node, subject.node.child(0)]
        port.remove(key_of(port, "ea04"))
        setup = mice.experiments[0].setups[0]
        assert [item.name for item in mice.subjects] == ["local1"]
        assert [item.name for item in setup.subjects] == ["local1"]
        assert setup._subjects_list.value == [["local1"]]
        assert subject.setup is None
        assert not {id(node) for node in nodes} & set(mice.tree._items)
        assert mice.mainwindow.details.value is not subject
        assert mice.tree.currentItem() is mice.subjects_node  # PyBpod aborts on a right click with nothing selected
        assert subject.uuid4 not in setup.data["__EXTERNAL-REF__"]

    @pytest.mark.parametrize("by_hand", [False, True])
    def test_its_sessions_draw_on_no_node_that_is_gone(self, mice, port, menu, dialogs, by_hand):
        session = mice.experiments[0].setups[0].sessions[0]
        before = dict(session.subjects_nodes)
        assert len(before) == 1
        if by_hand:
            dialogs.script.append("Yes")
            menu.trigger(subject_named(mice, "ea04").node, "Remove")
        else:
            undo = port.remove(key_of(port, "ea04"))
            assert session.subjects_nodes == {}
            undo()
            assert session.subjects_nodes == before
            port.remove(key_of(port, "ea04"))
        mice.save()
        gc.collect()
        assert session.subjects_nodes == {}
        session.update_ui()

    def test_details_that_show_it_are_emptied_and_undone(self, mice, port):
        subject = subject_named(mice, "ea04")
        mice.tree.setCurrentItem(mice.node)
        mice.mainwindow.details.value = subject
        undo = port.remove(key_of(port, "ea04"))
        assert mice.mainwindow.details.value is None
        undo()
        assert mice.mainwindow.details.value is subject

    @pytest.mark.parametrize("name", ["ea04", "local1"])
    @pytest.mark.parametrize("current", [True, False])
    def test_undo(self, mice, port, name, current):
        subject = subject_named(mice, name)
        mice.tree.setCurrentItem(subject.node if current else mice.node)
        shown = mice.mainwindow.details.value
        before = state(mice)
        undo = port.remove(key_of(port, name))
        assert not mice.is_saved()
        undo()
        assert state(mice) == before
        assert mice.is_saved()
        assert mice.mainwindow.details.value is shown
        assert mice.tree.currentItem() is (subject.node if current else mice.node)

    def test_folder_goes_to_removed_when_saved(self, mice, port, dialogs, tmp_path):
        folder = tmp_path / "Mice"
        port.remove(key_of(port, "ea04"))
        assert (folder / "subjects" / "ea04" / "notes.txt").exists()
        mice.save()
        assert sorted(path.name for path in (folder / "removed" / "ea04").iterdir()) == ["ea04.json", "notes.txt"]
        assert not (folder / "subjects" / "ea04").exists()
        assert str(folder / "removed" / "ea04") in dialogs.log[0][1]
        assert mice.removed_by_sync == []
        mice.save()
        assert len(dialogs.log) == 1

    def test_a_taken_name_in_removed_gets_another(self, mice, port, tmp_path):
        for number in range(3):
            port.add("x", alyx_id(str(number)), record("x"))
            mice.save()
            port.remove(key_of(port, "x"))
            mice.save()
        names = sorted(path.name for path in (tmp_path / "Mice" / "removed").iterdir())
        assert len(names) == 3
        assert names[0] == "x"
        assert names[2] == f"{names[1]}_2"

    def test_removed_and_added_again_under_one_name(self, mice, port, tmp_path):
        port.remove(key_of(port, "ea04"))
        port.add("ea04", alyx_id("other"), record("ea04", who="other"))
        mice.save()
        assert (tmp_path / "Mice" / "removed" / "ea04" / "notes.txt").exists()
        assert [path.name for path in (tmp_path / "Mice" / "subjects" / "ea04").iterdir()] == ["ea04.json"]

    def test_closed_unsaved_leaves_the_folder(self, mice, port, tmp_path):
        port.remove(key_of(port, "ea04"))
        mice.close(silent=True)
        assert (tmp_path / "Mice" / "subjects" / "ea04" / "notes.txt").exists()
        assert not (tmp_path / "Mice" / "removed").exists()

    def test_undone_after_a_save_brings_the_folder_back(self, mice, port, tmp_path, open_project):
        undo = port.remove(key_of(port, "ea04"))
        mice.save()
        undo()
        mice.save()
        assert (tmp_path / "Mice" / "subjects" / "ea04" / "notes.txt").exists()
        assert not (tmp_path / "Mice" / "removed").exists()
        again = open_project(tmp_path / "Mice")
        subject = subject_named(again, "ea04")
        assert subject.setup is again.experiments[0].setups[0]
        assert subject in subject.setup.subjects
        assert len(subject._sessions) == 1

    def test_users_own_removal_stays_pybpods(self, mice, menu, dialogs, tmp_path):
        dialogs.script.append("Yes")
        menu.trigger(subject_named(mice, "local1").node, "Remove")
        mice.save()
        assert not (tmp_path / "Mice" / "removed").exists()
        assert not (tmp_path / "Mice" / "subjects" / "local1").exists()

    def test_save_as_leaves_the_removed_folder_at_the_old_place(self, mice, port, tmp_path):
        port.remove(key_of(port, "ea04"))
        mice.save(str(tmp_path / "Other"))
        assert (tmp_path / "Mice" / "subjects" / "ea04" / "notes.txt").exists()
        assert [path.name for path in (tmp_path / "Other" / "subjects").iterdir()] == ["local1"]


class TestUser:
    def test_added_found_and_shown(self, mice, port):
        assert log_in_user(mice, "maria") is True
        assert mice.node.text(0) == "Mice (maria@ALYX)"
        assert log_in_user(mice, "jose") is False
        assert mice.loggeduser.name == "jose"
        assert mice.node.text(0) == "Mice (jose@ALYX)"
        assert sorted(user.name for user in mice.users) == ["jose", "maria"]

    def test_known_user_leaves_the_project_saved(self, mice, port):
        assert log_in_user(mice, "jose") is False
        assert mice.is_saved()

    @pytest.mark.parametrize("name", ["", "a/b", "..", "o'neil"])
    def test_unusable_name(self, mice, port, name):
        with pytest.raises(SyncError, match="cannot take"):
            log_in_user(mice, name)
        assert mice.loggeduser is None

    def test_a_setup_with_sessions_and_no_board(self, mice, port):
        mice.experiments[0].setups[0].board = None  # PyBpod's is_saved() fails on it
        assert log_in_user(mice, "maria") is False
        assert mice.loggeduser.name == "maria"

    def test_mail_address(self, mice, port):
        log_in_user(mice, "jose@lab.org")
        assert mice.node.text(0) == "Mice (jose@lab.org@ALYX)"


class TestClosed:
    def test_nothing_changes_any_more(self, mice, port):
        key = key_of(port, "ea04")
        mice.close(silent=True)
        assert port.closed
        for change in (
            lambda: port.add("new", alyx_id("new"), record("new")),
            lambda: port.update(key, "x", {}),
            lambda: port.remove(key),
            lambda: log_in_user(mice, "jose"),
        ):
            with pytest.raises(SyncError, match="closed"):
                change()

    def test_undo_after_close_works(self, mice, port):
        names = [subject.name for subject in mice.subjects]
        undo = [port.remove(key_of(port, "ea04")), port.add("new", alyx_id("new"), record("new"))]
        mice.close(silent=True)
        for step in reversed(undo):
            step()
        assert [subject.name for subject in mice.subjects] == names


class TestPlanApplied:
    @staticmethod
    def plan(port):
        from pybpod_alyx_module.sync.snapshot import RemoteSnapshot, RemoteSubject

        dead = RemoteSubject.from_row({**row("ea04"), "id": EA04, "alive": False, "death_date": "2026-10-01"}, SERVER)
        snapshot = RemoteSnapshot(SERVER, "jose", (dead, remote("new"), remote("newer")))
        return make_plan(port.subjects(), snapshot)

    def test_carried_out_saved_and_opened_again(self, mice, port, tmp_path, open_project):
        results = list(apply_plan(self.plan(port), port, synced_at="2026-11-20T10:00:00+00:00"))
        assert all(result.applied for result in results)
        mice.save()
        again = open_project(tmp_path / "Mice")
        assert sorted(subject.name for subject in again.subjects) == ["local1", "new", "newer"]
        assert [subject.uuid4 for subject in again.subjects if subject.name == "new"] == [alyx_id("new")]
        assert [subject.name for subject in again.experiments[0].setups[0].subjects] == ["local1"]
        plan = make_plan(HostProject(again, running_outbox().hold).subjects(), self.snapshot_of_living())
        assert {entry.action.value for entry in plan.entries if entry.remote} == {"up to date"}

    @staticmethod
    def snapshot_of_living():
        from pybpod_alyx_module.sync.snapshot import RemoteSnapshot

        return RemoteSnapshot(SERVER, "jose", (remote("new"), remote("newer")))

    def test_closed_half_way_is_as_before(self, mice, port):
        plan, before = self.plan(port), state(mice)
        for steps in range(1, len(plan.entries) + 1):
            running = apply_plan(plan, port, synced_at="2026-11-20T10:00:00+00:00")
            for _step in range(steps):
                next(running)
            running.close()
            assert state(mice) == before
        assert mice.is_saved()
