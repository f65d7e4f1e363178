"""Folders of subjects that move, on a disk that tells case apart and on one that does not."""

from __future__ import annotations

import os
import shutil
from pathlib import Path

import pytest

from pybpod_alyx_module.host.save_journal import JOURNAL, LOCK, SaveJournal
from pybpod_alyx_module.host.subject_folders import FolderError, FolderMoves


def put(folder, text):
    folder.mkdir(parents=True)
    (folder / f"{folder.name}.json").write_text(text)
    return folder


def names(folder):
    """Return what lies in a folder."""
    return sorted(path.name for path in folder.iterdir())


@pytest.fixture
def journal(tmp_path):
    journal = SaveJournal(str(tmp_path))
    journal.begin()
    return journal


@pytest.fixture
def moves(tmp_path, journal):
    return FolderMoves(str(tmp_path), journal)


@pytest.fixture
def caseless(monkeypatch):
    """Make looking up a path blind to case, as Windows' and macOS' disks are; moving stays the real disk's."""

    def find(path):
        path = Path(path)
        if path.parent == path:
            return str(path)
        parent = find(path.parent)
        if parent is None or not os.path.isdir(parent):
            return None
        found = [name for name in os.listdir(parent) if name.casefold() == path.name.casefold()]
        return os.path.join(parent, found[0]) if found else None

    monkeypatch.setattr(os.path, "lexists", lambda path: find(path) is not None)
    monkeypatch.setattr(os.path, "samefile", lambda one, other: find(one) is not None and find(one) == find(other))


def test_only_the_case_changes(tmp_path, moves, journal, caseless):
    folder = put(tmp_path / "subjects" / "Mouse1", "Mouse1")
    assert moves.rename({folder: folder.with_name("mouse1")}, ()) == []
    assert names(tmp_path / "subjects") == ["mouse1"]
    assert names(tmp_path / "subjects" / "mouse1") == ["mouse1.json"]
    journal.take_back()
    assert names(tmp_path / "subjects" / "Mouse1") == ["Mouse1.json"]
    assert names(tmp_path) == ["subjects"]


def test_a_save_that_went_well_leaves_nothing(tmp_path, moves, journal):
    one, other = (put(tmp_path / "subjects" / name, name) for name in "ab")
    moves.rename({one: other, other: one}, ())
    assert names(tmp_path) == [JOURNAL, LOCK, ".moving", "subjects"]
    journal.end()
    assert names(tmp_path) == ["subjects"]


def test_a_journal_of_which_the_project_knows_nothing_any_more_moves_nothing(tmp_path, moves, journal):
    # Killed; then the project was opened and saved without the plugin, for weeks.
    one = put(tmp_path / "subjects" / "a", "a")
    moves.rename({one: one.with_name("b")}, ())
    (tmp_path / f"{tmp_path.name}.json").write_text("{}")
    journal._leave_lock()
    assert SaveJournal(str(tmp_path)).take_back_of_killed() == []
    assert names(tmp_path / "subjects") == ["b"]
    assert JOURNAL not in names(tmp_path)


def test_a_save_that_goes_on_is_left_alone(tmp_path, moves, journal, monkeypatch):
    monkeypatch.setattr("pybpod_alyx_module.host.save_journal._PATIENCE_S", 0.01)
    one = put(tmp_path / "subjects" / "a", "a")
    moves.rename({one: one.with_name("b")}, ())
    second = SaveJournal(str(tmp_path))
    assert second.take_back_of_killed() == []
    with pytest.raises(OSError, match="Another PyBpod is saving"):
        second.begin()
    assert names(tmp_path / "subjects") == ["b"]
    assert JOURNAL in names(tmp_path)


def test_what_cannot_be_moved_back_is_moved_when_the_project_is_opened(tmp_path, moves, journal, monkeypatch):
    one = put(tmp_path / "subjects" / "a", "a")
    moves.rename({one: one.with_name("b")}, ())

    def refuse(*_):
        raise PermissionError(13, "in use")

    monkeypatch.setattr(shutil, "move", refuse)
    assert journal.take_back() == []
    monkeypatch.undo()
    assert names(tmp_path / "subjects") == ["b"]
    assert one in SaveJournal(str(tmp_path)).take_back_of_killed()
    assert names(one) == ["a.json"]
    assert JOURNAL not in names(tmp_path)


def test_a_ring_of_three(tmp_path, moves, journal):
    folders = [put(tmp_path / "subjects" / name, name) for name in "abc"]
    moves.rename(dict(zip(folders, [*folders[1:], folders[0]], strict=True)), ())
    assert [(tmp_path / "subjects" / name / f"{name}.json").read_text() for name in "abc"] == ["c", "a", "b"]
    journal.take_back()
    assert [(tmp_path / "subjects" / name / f"{name}.json").read_text() for name in "abc"] == ["a", "b", "c"]
    assert names(tmp_path) == ["subjects"]


def test_a_chain_needs_no_parking(tmp_path, moves):
    folders = [put(tmp_path / "subjects" / name, name) for name in "ab"]
    moves.rename({folders[0]: folders[1], folders[1]: folders[1].with_name("c")}, ())
    assert names(tmp_path / "subjects") == ["b", "c"]
    assert (tmp_path / "subjects" / "b" / "b.json").read_text() == "a"


def test_nothing_takes_the_place_of_another_subject(tmp_path, moves, journal, caseless):
    one, two, other = (put(tmp_path / "subjects" / name, name) for name in ("a", "b", "Mouse1"))
    with pytest.raises(FolderError, match="the folder of another subject"):
        moves.rename({one: one.with_name("c"), two: two.with_name("mouse1")}, [str(other)])
    journal.take_back()
    assert names(tmp_path) == ["subjects"]
    assert names(tmp_path / "subjects") == ["Mouse1", "a", "b"]


def test_a_file_of_the_new_name_is_kept(tmp_path, moves):
    folder = put(tmp_path / "subjects" / "a", "a")
    (folder / "b.json").write_text("the user's")
    moves.rename({folder: folder.with_name("b")}, ())
    assert (tmp_path / "subjects" / "b" / "b.json").read_text() == "a"
    assert (tmp_path / "subjects" / "b" / "b.json.kept").read_text() == "the user's"


def test_a_file_in_the_place_of_removed_is_told_and_taken_back(tmp_path, moves, journal):
    one, other = (put(tmp_path / "subjects" / name, name) for name in "ab")
    (tmp_path / "removed").write_text("a file")
    moves.rename({one: one.with_name("c")}, ())
    with pytest.raises(FolderError, match="nothing was saved") as raised:
        moves.remove(other)
    assert str(other) in str(raised.value)
    journal.take_back()
    assert names(tmp_path / "subjects") == ["a", "b"]
    assert (tmp_path / "removed").read_text() == "a file"
