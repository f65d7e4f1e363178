"""Projects that PyBpod would save and lose something: refused before anything is written."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from tests.alyx_rows import record
from tests.gui.hands import names, subject_named
from tests.gui.project_disk import paths_in

PREDECESSOR = Path(__file__).parents[1] / "fixtures" / "predecessor" / "Mice"


@pytest.fixture
def saved(project, tmp_path):
    """A saved project with the Alyx subject jo001 and the plain subject "pilot animal", each with the user's notes."""
    linked, plain = project.create_subject(), project.create_subject()
    linked.name, plain.name = "jo001", "pilot animal"
    linked.alyx = record("jo001")
    project.save(str(tmp_path / "Prj"))
    for name in ("jo001", "pilot animal"):
        (tmp_path / "Prj" / "subjects" / name / "notes.txt").write_text(name)
    return project


def tree(folder):
    return {str(path.relative_to(folder)): path.read_bytes() if path.is_file() else None for path in paths_in(folder)}


def only_box(dialogs):
    ((title, text),) = dialogs.log
    assert title == "The project was not saved"
    assert "Nothing of the project 'Prj' was saved" in text
    return text


@pytest.mark.parametrize("how", ["menu", "all", "elsewhere"])
def test_two_subjects_of_one_name(host, saved, tmp_path, dialogs, menu, how):
    before = tree(tmp_path)
    subject_named(saved, "pilot animal").name = "jo001"
    if how == "menu":
        menu.trigger(saved.node, "Save")
    elif how == "all":
        host.model.save_all_projects()
    else:
        saved.save(str(tmp_path / "Other"))
    text = only_box(dialogs)
    assert "2 subjects have the name 'jo001'" in text
    assert "Rename one of them, then save again." in text
    assert tree(tmp_path) == before
    assert not saved.is_saved()
    saved.subjects[1].name = "jo002"
    saved.save()
    assert saved.is_saved()
    assert len(dialogs.log) == 1
    for name, notes in (("jo001", "jo001"), ("jo002", "pilot animal")):
        assert (tmp_path / "Prj" / "subjects" / name / "notes.txt").read_text() == notes


def test_a_new_subject_with_a_name_that_is_taken(saved, tmp_path, dialogs):
    before = tree(tmp_path)
    saved.create_subject().name = "jo001"
    saved.save()
    assert "'jo001'" in only_box(dialogs)
    assert tree(tmp_path) == before


def test_never_saved_project_asks_for_no_folder(project, dialogs, monkeypatch):
    from AnyQt.QtWidgets import QFileDialog

    asked = []
    monkeypatch.setattr(QFileDialog, "getExistingDirectory", staticmethod(lambda *_arguments: asked.append(1) or ""))
    for _number in range(2):
        project.create_subject().name = "jo001"
    project.save()
    assert "'jo001'" in only_box(dialogs)
    assert asked == []


def test_names_that_are_one_folder_on_windows_and_macos(saved, tmp_path, dialogs):
    before = tree(tmp_path)
    subject_named(saved, "pilot animal").name = "JO001"
    saved.save()
    text = only_box(dialogs)
    assert "'jo001' and 'JO001'" in text
    assert "Windows and macOS" in text
    assert tree(tmp_path) == before


def test_such_names_that_stand_side_by_side_already_can_be_saved(saved, tmp_path, open_project, dialogs):
    folder = tmp_path / "Prj" / "subjects"
    shutil.copytree(folder / "jo001", folder / "JO001")
    (folder / "JO001" / "jo001.json").rename(folder / "JO001" / "JO001.json")
    project = open_project(tmp_path / "Prj")
    subject_named(project, "pilot animal").name = "jo003"
    project.save()
    assert dialogs.log == []
    assert sorted(path.name for path in folder.iterdir()) == ["JO001", "jo001", "jo003"]
    project.save(str(tmp_path / "Stick"))  # perhaps another kind of disk
    assert "'JO001'" in only_box(dialogs)
    assert not (tmp_path / "Stick").exists()


def test_subjects_without_a_name_are_pybpods_affair(saved, dialogs):
    for _number in range(2):
        saved.create_subject().name = ""
    saved.save()
    assert dialogs.log == []
    assert names(saved) == ["", "", "jo001", "pilot animal"]


def test_a_setup_with_sessions_and_no_board(host, tmp_path, open_project, dialogs):
    """PyBpod writes it, fails while it asks itself whether all is saved, and never opens the project again."""
    folder = Path(shutil.copytree(PREDECESSOR, tmp_path / "Mice"))
    project = open_project(folder)
    before, setup = tree(folder), project.experiments[0].setups[0]
    board, setup.board = setup.board, None
    assert not project.is_saved()
    project.save()
    ((_title, text),) = dialogs.log
    assert f"{setup.name!r}" in text
    assert "Choose a board" in text
    assert tree(folder) == before
    setup.board = board
    project.save()
    assert project.is_saved()
