"""A closed project writes nothing more: PyBpod keeps it among those that it saves and asks about."""

from __future__ import annotations

import json
import os
import shutil
from pathlib import Path

import pytest

from pybpod_alyx_module.gui.running_outbox import running_outbox
from pybpod_alyx_module.host.project import HostProject
from pybpod_alyx_module.sync.apply import apply_plan
from pybpod_alyx_module.sync.make_plan import make_plan
from pybpod_alyx_module.sync.snapshot import RemoteSnapshot, RemoteSubject
from tests.alyx_rows import SERVER, remote, row
from tests.gui.hands import names, subject_named
from tests.gui.project_disk import paths_in

PREDECESSOR = Path(__file__).parents[1] / "fixtures" / "predecessor" / "Mice"
EA04 = "8d1f0c52-3a57-4f43-9f0a-5b7c3c0f2a77"


@pytest.fixture
def folder(tmp_path):
    """A project with the Alyx subject ea04, which is dead on Alyx, and the plain subject local1."""
    return Path(shutil.copytree(PREDECESSOR, tmp_path / "Mice"))


def content(folder):
    """All files; of those that PyBpod writes anew at each save all but the time of it."""
    found = {}
    for path in paths_in(folder):
        held = path.read_bytes() if path.is_file() else None
        if path.suffix == ".json":
            held = {key: value for key, value in json.loads(held).items() if key != "__UPDATED-ON__"}
        found[str(path.relative_to(folder))] = held
    return found


def trashed():
    return sorted(str(path) for path in Path(os.environ["XDG_DATA_HOME"]).rglob("*"))


def sync(project):
    """Remove ea04, add new."""
    dead = RemoteSubject.from_row({**row("ea04"), "id": EA04, "alive": False, "death_date": "2026-10-01"}, SERVER)
    port = HostProject(project, running_outbox().hold)
    plan = make_plan(port.subjects(), RemoteSnapshot(SERVER, "jose", (dead, remote("new"))))
    assert all(result.applied for result in apply_plan(plan, port, synced_at="2026-11-20T10:00:00+00:00"))
    assert names(project) == ["local1", "new"]


def close_unsaved(project, menu, dialogs):
    dialogs.script.append("Yes")
    menu.trigger(project.node, "Close")
    dialogs.log.clear()


def test_a_discarded_sync_is_not_saved_with_the_project_opened_again(host, folder, open_project, menu, dialogs):
    discarded = open_project(folder)
    discarded.save()
    before, trash = content(folder), trashed()
    sync(discarded)
    close_unsaved(discarded, menu, dialogs)
    again = open_project(folder)
    host.model.save_all_projects()
    assert content(folder) == before
    assert trashed() == trash
    assert dialogs.log == []
    assert names(again) == ["ea04", "local1"]
    assert host._confirm_exit()  # any question fails the test
    sync(again)
    host.model.save_all_projects()
    assert (folder / "removed" / "ea04" / "notes.txt").exists()
    assert names(open_project(folder)) == ["local1", "new"]


def test_pybpod_does_not_ask_about_a_project_closed_unsaved(host, folder, open_project, menu, dialogs):
    before = content(folder)
    project = open_project(folder)
    sync(project)
    assert not host.model.is_saved()
    close_unsaved(project, menu, dialogs)
    assert host.model.is_saved()
    assert host._confirm_exit()
    assert content(folder) == before


def test_a_project_without_alyx(host, project, tmp_path, open_project, menu, dialogs):
    project.create_subject().name = "M1"
    project.save(str(tmp_path / "Prj"))
    (tmp_path / "Prj" / "subjects" / "M1" / "notes.txt").write_text("of M1")
    before, trash = content(tmp_path / "Prj"), trashed()
    project.create_subject().name = "M2"
    subject_named(project, "M1").name = "M3"
    close_unsaved(project, menu, dialogs)
    open_project(tmp_path / "Prj")
    assert host._confirm_exit()
    host.model.save_all_projects()
    assert content(tmp_path / "Prj") == before
    assert trashed() == trash


def test_never_saved_and_closed_asks_for_no_folder(host, project, menu, dialogs, monkeypatch):
    from AnyQt.QtWidgets import QFileDialog

    asked = []
    monkeypatch.setattr(QFileDialog, "getExistingDirectory", staticmethod(lambda *_arguments: asked.append(1) or ""))
    close_unsaved(project, menu, dialogs)
    assert host._confirm_exit()
    host.model.save_all_projects()
    assert asked == []


def test_closed_after_a_save(host, folder, open_project, menu, dialogs):
    project = open_project(folder)
    sync(project)
    project.save()
    after = content(folder)
    close_unsaved(project, menu, dialogs)
    assert host._confirm_exit()
    assert names(open_project(folder)) == ["local1", "new"]
    host.model.save_all_projects()
    assert content(folder) == after


def test_a_project_that_cannot_be_opened_closes_no_other_and_is_never_saved(
    host, project, folder, tmp_path, dialogs, monkeypatch
):
    """PyBpod alone closes all; saved as far as it was read, it would trash the folders that it had not come to."""
    from AnyQt.QtWidgets import QFileDialog

    project.save(str(tmp_path / "Prj"))
    project.create_subject().name = "M1"
    setup = next((folder / "experiments").glob("*/setups/*"))
    (setup / f"{setup.name}.json").write_text("{")
    before, trash = {path: path.is_dir() or path.read_bytes() for path in paths_in(folder)}, trashed()
    monkeypatch.setattr(QFileDialog, "getExistingDirectory", staticmethod(lambda *_arguments: str(folder)))
    host.model._option_open_project()
    half = host.model.projects[-1]
    assert half is not project
    assert half.is_closed
    assert [title for title, _text in dialogs.log] == ["Invalid project path"]
    assert not project.is_closed
    assert not host.model.is_saved()
    host.model.save_all_projects()
    assert {path: path.is_dir() or path.read_bytes() for path in paths_in(folder)} == before
    assert trashed() == trash
    assert (tmp_path / "Prj" / "subjects" / "M1").is_dir()
    assert host._confirm_exit()
    host.model.projects.remove(half)
