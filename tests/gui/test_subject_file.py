"""The subject's file and folder: nothing of the predecessor's or PyBpod's is lost, whatever happens in between."""

from __future__ import annotations

import json
import os
import shutil
from pathlib import Path

import pytest
from AnyQt.QtCore import QEvent
from AnyQt.QtGui import QHelpEvent

from pybpod_alyx_module.models.subject.impl import NAME_FROM_ALYX
from tests.alyx_rows import SERVER, alyx_id, record
from tests.gui.hands import LOCAL_ENTRY, SUBJECT_ENTRIES
from tests.gui.project_disk import paths_in

PREDECESSOR = Path(__file__).parents[1] / "fixtures" / "predecessor" / "Mice"
#: Written anew by each save of a changed file.
STAMPS = {"__UPDATED-ON__"}


@pytest.fixture
def mice(tmp_path):
    """A copy of a project that the predecessor saved."""
    return Path(shutil.copytree(PREDECESSOR, tmp_path / "Mice"))


@pytest.fixture
def saved(project, tmp_path):
    """A saved project with the linked subject ea04 and the plain subject M1, each with a file of the user's."""
    linked, plain = project.create_subject(), project.create_subject()
    linked.name, plain.name = "ea04", "M1"
    linked.alyx = record("ea04")
    project.save(str(tmp_path / "Prj"))
    for name in ("ea04", "M1"):
        (tmp_path / "Prj" / "subjects" / name / "notes.txt").write_text(name)
    return project


def content(folder, name):
    return json.loads((folder / "subjects" / name / f"{name}.json").read_text())


def tree(folder):
    return {str(path.relative_to(folder)): path.read_bytes() if path.is_file() else None for path in paths_in(folder)}


def subject_named(project, name):
    return next(subject for subject in project.subjects if subject.name == name)


class TestPredecessor:
    def test_opened_saved_and_opened_again_loses_nothing(self, mice, open_project, dialogs):
        project = open_project(mice)
        assert project.is_saved()
        project.save()
        assert not dialogs.log
        before = json.loads((PREDECESSOR / "subjects" / "ea04" / "ea04.json").read_text())
        now = content(mice, "ea04")
        assert now.pop("water_administrations") == before.pop("water_administration")
        assert {key: value for key, value in now.items() if key not in STAMPS} == {
            key: value for key, value in before.items() if key not in STAMPS
        }
        assert content(mice, "local1") == json.loads((PREDECESSOR / "subjects" / "local1" / "local1.json").read_text())
        assert set(tree(mice)) == set(tree(PREDECESSOR))
        assert (mice / "subjects" / "ea04" / "notes.txt").read_text() == "weighed by hand on 2 March\n"
        again = open_project(mice)
        subject = subject_named(again, "ea04")
        assert again.is_saved()
        assert subject.alyx == subject_named(project, "ea04").alyx
        assert subject.setup.name == "Set"
        assert subject in subject.setup.subjects
        assert len(subject._sessions) == 1

    def test_the_right_key_is_preferred_and_the_other_kept_where_it_differs(self, mice, open_project):
        file = mice / "subjects" / "ea04" / "ea04.json"
        file.write_text(json.dumps({**json.loads(file.read_text()), "water_administrations": []}))
        project = open_project(mice)
        assert subject_named(project, "ea04").alyx["water_administrations"] == []
        project.save()
        assert content(mice, "ea04")["water_administration"]
        assert content(mice, "ea04")["water_administrations"] == []

    def test_only_linked_subjects_are_alyx(self, mice, open_project, menu):
        project = open_project(mice)
        linked, plain = subject_named(project, "ea04"), subject_named(project, "local1")
        assert linked.is_alyx
        assert linked._name.readonly
        assert linked.alyx["alyx_id"] == "8d1f0c52-3a57-4f43-9f0a-5b7c3c0f2a77"
        assert "alyx_server" not in linked.alyx
        assert not plain.is_alyx
        assert not plain._name.readonly
        assert plain.alyx is None
        assert menu.labels(linked.node) == ["Remove", *SUBJECT_ENTRIES]
        assert menu.labels(plain.node) == ["Remove", LOCAL_ENTRY]
        assert "jose" in linked.node.toolTip(0)
        assert plain.node.toolTip(0) == ""


class TestLink:
    def test_link_marks_and_unlink_takes_it_back(self, project, menu):
        subject = project.create_subject()
        plain = subject.node.icon(0).pixmap(32, 32).toImage()
        subject.alyx = record("ea04")
        assert menu.labels(subject.node) == ["Remove", *SUBJECT_ENTRIES]
        assert subject.node.icon(0).pixmap(32, 32).toImage() != plain
        assert subject._name.readonly
        assert subject._name.form.toolTip() == NAME_FROM_ALYX
        project.update_ui()
        assert subject.node.icon(0).pixmap(32, 32).toImage() != plain
        assert subject.node.text(0) == subject.name == "Untitled subject 0"
        subject.alyx = None
        assert menu.labels(subject.node) == ["Remove", LOCAL_ENTRY]
        assert subject.node.icon(0).pixmap(32, 32).toImage() == plain
        assert not subject._name.readonly
        assert subject._name.form.toolTip() == ""

    def test_the_greyed_name_tells_why(self, project, qtbot):
        from AnyQt.QtWidgets import QApplication, QToolTip

        subject = project.create_subject()
        subject.alyx = record("ea04")
        field = subject._name.form.lineEdit
        point = field.rect().center()
        QApplication.sendEvent(field, QHelpEvent(QEvent.ToolTip, point, field.mapToGlobal(point)))
        qtbot.waitUntil(lambda: QToolTip.text() == NAME_FROM_ALYX)

    def test_the_tree_edits_no_names(self, host, project):
        from AnyQt.QtCore import Qt

        subject = project.create_subject()
        subject.alyx = record("ea04")
        assert not subject.node.flags() & Qt.ItemIsEditable

    def test_a_record_needs_an_id(self, project):
        with pytest.raises(ValueError, match="alyx_id"):
            project.create_subject().alyx = {"nickname": "ea04"}

    def test_the_record_is_a_copy(self, project):
        subject = project.create_subject()
        subject.alyx = given = record("ea04")
        given["sex"] = "changed"
        subject.alyx["sex"] = "changed"
        assert subject.alyx["sex"] == "M"

    def test_unlinked_after_a_save_leaves_the_plain_file(self, saved, tmp_path):
        plain = subject_named(saved, "M1")
        plain.alyx = record("M1")
        saved.save()
        assert content(tmp_path / "Prj", "M1")["alyx_id"] == alyx_id("M1")
        plain.alyx = None
        saved.save()
        assert not {"alyx_id", "nickname", "json"} & set(content(tmp_path / "Prj", "M1"))

    def test_details_open_and_close_with_the_project(self, project, menu):
        subject = project.create_subject()
        subject.alyx = record("ea04")
        menu.trigger(subject.node, "Alyx details")
        window = subject.alyx_details_window
        assert window.isVisible()
        project.close(silent=True)
        assert not window.isVisible()

    def test_sync_window_opens_and_closes_with_the_project(self, project, menu):
        menu.trigger(project.node, "Sync to Alyx")
        window = project.alyx_window
        assert window.isVisible()
        project.close(silent=True)
        assert not window.isVisible()
        assert project.is_closed

    def test_no_later_node_inherits_a_menu(self, host, project, menu, dialogs):
        kept = set(host.model.tree._items)
        other = host.model.create_project()
        subject = other.create_subject()
        subject.alyx = record("ea04")
        dialogs.script.append("Yes")
        menu.trigger(subject.node, "Remove")
        assert id(subject.node) not in host.model.tree._items
        other.create_subject()
        other.close(silent=True)
        host.model.projects.remove(other)
        assert set(host.model.tree._items) == kept

    def test_a_close_that_is_answered_no_closes_nothing(self, project, menu, dialogs):
        menu.trigger(project.node, "Sync to Alyx")
        dialogs.script.append("No")
        menu.trigger(project.node, "Close")
        assert project.alyx_window.isVisible()
        assert not project.is_closed


class TestIsSaved:
    def test_right_after_save_load_and_change(self, saved, tmp_path, open_project):
        assert saved.is_saved()
        subject = subject_named(saved, "ea04")
        subject.alyx = {**subject.alyx, "sex": "F"}
        assert not saved.is_saved()
        saved.save()
        assert saved.is_saved()
        again = open_project(tmp_path / "Prj")
        assert again.is_saved()
        assert subject_named(again, "ea04").alyx == subject.alyx

    @pytest.mark.parametrize("change", [{"alyx_id": alyx_id("x")}, {"alyx_server": "https://b"}, {"nickname": "b"}])
    def test_identity_counts(self, saved, change):
        subject = subject_named(saved, "ea04")
        subject.alyx = {**subject.alyx, **change}
        assert not saved.is_saved()

    def test_what_changes_by_itself_does_not(self, saved, tmp_path):
        subject = subject_named(saved, "ea04")
        volatile = {"age_weeks": 99, "remaining_water": 0.0, "alyx_synced_at": "2026-11-20T08:00:00+00:00", "url": "u"}
        subject.alyx = {**subject.alyx, **volatile, "session_projects": ["p"], "weighings": [1]}
        assert saved.is_saved()
        saved.save()
        assert content(tmp_path / "Prj", "ea04")["age_weeks"] == 99

    def test_collect_data_is_json_whatever_the_record_holds(self, project):
        subject = project.create_subject()
        subject.alyx = {**record("ea04"), "json": {1, 2}, "projects": None, "genotype": "x", "description": object()}
        json.dumps(project.collect_data({}))


class TestFolders:
    def test_renamed_subject_keeps_its_folder(self, saved, tmp_path, dialogs):
        subject = subject_named(saved, "ea04")
        subject.name = "ea05"
        assert (tmp_path / "Prj" / "subjects" / "ea04").is_dir()
        saved.save()
        folder = tmp_path / "Prj" / "subjects"
        assert sorted(os.listdir(folder)) == ["M1", "ea05"]
        assert sorted(os.listdir(folder / "ea05")) == ["ea05.json", "notes.txt"]
        assert (folder / "ea05" / "notes.txt").read_text() == "ea04"
        assert not dialogs.log

    def test_names_that_are_swapped(self, saved, tmp_path):
        one, other = subject_named(saved, "ea04"), subject_named(saved, "M1")
        one.name, other.name = "M1", "ea04"
        saved.save()
        folder = tmp_path / "Prj" / "subjects"
        assert (folder / "M1" / "notes.txt").read_text() == "ea04"
        assert (folder / "ea04" / "notes.txt").read_text() == "M1"
        assert sorted(os.listdir(folder / "M1")) == ["M1.json", "notes.txt"]
        assert content(tmp_path / "Prj", "M1")["__UUID4__"] == one.uuid4
        assert not (tmp_path / "Prj" / ".moving").exists()

    def test_renamed_there_and_back_moves_nothing(self, saved, tmp_path):
        subject = subject_named(saved, "ea04")
        subject.name = "ea05"
        subject.name = "ea04"
        saved.save()
        assert (tmp_path / "Prj" / "subjects" / "ea04" / "notes.txt").read_text() == "ea04"

    def test_closed_unsaved_leaves_the_disk_as_it_was(self, saved, tmp_path):
        before = tree(tmp_path / "Prj")
        subject_named(saved, "ea04").name = "ea05"
        saved.close(silent=True)
        assert tree(tmp_path / "Prj") == before

    def test_save_as_leaves_the_old_place_as_it_was(self, saved, tmp_path, open_project):
        before = tree(tmp_path / "Prj")
        subject_named(saved, "ea04").name = "ea05"
        saved.save(str(tmp_path / "Other"))
        assert tree(tmp_path / "Prj") == before
        assert saved.path == str(tmp_path / "Other")
        assert saved.is_saved()
        again = open_project(tmp_path / "Other")
        assert sorted(subject.name for subject in again.subjects) == ["M1", "ea05"]

    def test_a_folder_in_the_way_of_no_subject_goes_to_removed(self, saved, tmp_path, dialogs):
        stray = tmp_path / "Prj" / "subjects" / "ea05"
        stray.mkdir()
        (stray / "film.avi").write_text("film")
        subject_named(saved, "ea04").name = "ea05"
        saved.save()
        assert (tmp_path / "Prj" / "removed" / "ea05" / "film.avi").read_text() == "film"
        assert (stray / "notes.txt").read_text() == "ea04"
        assert [str(tmp_path / "Prj" / "removed" / "ea05") in text for _title, text in dialogs.log] == [True]

    def test_a_move_that_fails_saves_nothing_and_says_what_to_do(self, saved, tmp_path, dialogs, monkeypatch):
        before = tree(tmp_path / "Prj")
        subject_named(saved, "ea04").name, subject_named(saved, "M1").name = "ea05", "M2"
        real = shutil.move

        def refuse(source, target):
            if target.endswith("M2"):
                raise PermissionError(13, "Permission denied")
            return real(source, target)

        monkeypatch.setattr(shutil, "move", refuse)
        dialogs.script.append("No")
        saved.save()
        assert tree(tmp_path / "Prj") == before
        assert not saved.is_saved()
        ((title, text),) = dialogs.log
        assert title == "The project was not saved"
        assert str(tmp_path / "Prj" / "subjects" / "M1") in text
        assert "then save" in text
        monkeypatch.undo()
        saved.save()
        assert saved.is_saved()
        assert (tmp_path / "Prj" / "subjects" / "M2" / "notes.txt").read_text() == "M1"

    def test_pybpod_failing_later_puts_the_folders_back(self, saved, tmp_path, dialogs, monkeypatch):
        subject = subject_named(saved, "ea04")
        subject.name = "ea05"
        experiment = saved.create_experiment()

        def fail():
            raise OSError(28, "No space left on device")

        monkeypatch.setattr(experiment, "save", fail)
        dialogs.script.append("No")
        saved.save()
        assert sorted(os.listdir(tmp_path / "Prj" / "subjects")) == ["M1", "ea04"]
        assert sorted(os.listdir(tmp_path / "Prj" / "subjects" / "ea04")) == ["ea04.json", "notes.txt"]
        assert "No space left" in dialogs.log[0][1]
        monkeypatch.undo()
        saved.save()
        assert sorted(os.listdir(tmp_path / "Prj" / "subjects")) == ["M1", "ea05"]

    def test_the_folder_dialog_cancelled_changes_nothing(self, project, monkeypatch):
        from AnyQt.QtWidgets import QFileDialog

        monkeypatch.setattr(QFileDialog, "getExistingDirectory", staticmethod(lambda *_arguments: ""))
        project.create_subject()
        project.save()
        assert project.path is None
        assert not project.is_saved()

    def test_save_as_that_fails_stays_at_the_old_place(self, saved, tmp_path, dialogs):
        (tmp_path / "Other").write_text("a file")
        dialogs.script.append("No")
        saved.save(str(tmp_path / "Other"))
        assert saved.path == str(tmp_path / "Prj")
        assert saved.is_saved()
        assert dialogs.log[0][0] == "The project was not saved"

    def test_first_save_that_fails_leaves_the_project_without_a_place(self, project, tmp_path, dialogs, monkeypatch):
        from AnyQt.QtWidgets import QFileDialog

        (tmp_path / "Prj").write_text("a file")
        monkeypatch.setattr(QFileDialog, "getExistingDirectory", staticmethod(lambda *_arguments: str(tmp_path)))
        monkeypatch.setattr(os.path, "exists", lambda _path: False)
        dialogs.script.append("No")
        project.create_subject()
        project.save()
        monkeypatch.undo()
        assert project.path is None
        assert not project.is_saved()

    def test_save_again_after_the_cause_is_gone(self, saved, tmp_path, dialogs, monkeypatch):
        real, asked = shutil.move, []

        def refuse_once(source, target):
            asked.append(target)
            if len(asked) == 1:
                raise PermissionError(13, "Permission denied")
            return real(source, target)

        monkeypatch.setattr(shutil, "move", refuse_once)
        dialogs.script.append("Yes")
        subject_named(saved, "ea04").name = "ea05"
        saved.save()
        assert saved.is_saved()
        assert (tmp_path / "Prj" / "subjects" / "ea05" / "notes.txt").exists()

    def test_the_menu_saves(self, saved, menu):
        subject_named(saved, "ea04").name = "ea05"
        menu.trigger(saved.node, "Save")
        assert saved.is_saved()


class TestAtomicSave:
    @pytest.mark.parametrize("broken", ["fsync", "replace", "value"])
    def test_a_file_that_cannot_be_written_stays_as_it_was(self, saved, tmp_path, dialogs, monkeypatch, broken):
        before = tree(tmp_path / "Prj" / "subjects")
        subject = subject_named(saved, "ea04")
        subject.alyx = {**subject.alyx, "sex": "F"}

        def fail(*_arguments):
            raise OSError(28, "No space left on device")

        if broken == "fsync":
            monkeypatch.setattr(os, "fsync", fail)
        elif broken == "replace":
            monkeypatch.setattr(os, "replace", fail)
        else:
            subject.alyx = {**subject.alyx, "weighings": [object()]}
        dialogs.script.append("No")
        saved.save()
        assert tree(tmp_path / "Prj" / "subjects") == before
        assert not saved.is_saved()
        ((title, text),) = dialogs.log
        assert title == "The project was not saved"
        assert str(tmp_path / "Prj") in text
        monkeypatch.undo()
        subject.alyx = {**subject.alyx, "weighings": []}
        saved.save()
        assert saved.is_saved()
        assert content(tmp_path / "Prj", "ea04")["sex"] == "F"

    def test_never_loaded_subject_gets_its_record_and_keeps_its_birth(self, saved, tmp_path):
        first = content(tmp_path / "Prj", "ea04")
        assert (first["alyx_id"], first["alyx_server"], first["json"]) == (alyx_id("ea04"), SERVER, None)
        assert first["__UUID4__"] == subject_named(saved, "ea04").uuid4
        saved.save()
        assert content(tmp_path / "Prj", "ea04")["__CREATED-ON__"] == first["__CREATED-ON__"]

    @pytest.mark.parametrize("damage", ['{"__UUID4__": "8d1f', "[]", "", "\x00\xff"])
    def test_damaged_file_is_kept_beside_and_told(self, saved, tmp_path, open_project, dialogs, damage):
        file = tmp_path / "Prj" / "subjects" / "ea04" / "ea04.json"
        file.write_bytes(damage.encode("latin-1"))
        project = open_project(tmp_path / "Prj")
        assert len(dialogs.log) == 1
        assert file.read_bytes() == damage.encode("latin-1")
        project.save()
        kept = file.with_name("ea04.json.damaged")
        assert kept.read_bytes() == damage.encode("latin-1")
        assert json.loads(file.read_text())["__UUID4__"] == subject_named(project, "ea04").uuid4
        assert str(kept) in dialogs.log[-1][1]
        project.save()
        assert sorted(os.listdir(file.parent)) == ["ea04.json", "ea04.json.damaged", "notes.txt"]

    def test_an_unchanged_subject_is_not_written_again(self, saved, tmp_path, open_project):
        project = open_project(tmp_path / "Prj")
        subject = subject_named(project, "ea04")
        subject.alyx = {**subject.alyx, "age_weeks": 34}
        project.save()
        file = tmp_path / "Prj" / "subjects" / "ea04" / "ea04.json"
        before = (file.stat().st_ino, file.read_bytes())
        project.save()
        assert (file.stat().st_ino, file.read_bytes()) == before

    def test_file_mode_stays(self, saved, tmp_path):
        file = tmp_path / "Prj" / "subjects" / "ea04" / "ea04.json"
        file.chmod(0o664)
        saved.save()
        assert file.stat().st_mode & 0o777 == 0o664
