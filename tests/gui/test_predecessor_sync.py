"""A project that version 1 saved: opened, synced, saved and opened again, with nothing lost."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import pytest

from tests.gui.hands import alyx_home, answer, connected_window, get_subjects, names, subject_named, tick
from tests.gui.project_disk import paths_in
from tests.sandbox_server import SandboxServer

__all__ = ["alyx_home"]

pytestmark = pytest.mark.usefixtures("alyx_home")

PROJECT = Path(__file__).parents[1] / "fixtures" / "predecessor" / "Mice"
EA04 = json.loads((PROJECT / "subjects/ea04/ea04.json").read_text(encoding="utf-8"))

#: ea04 as Alyx knows it by now: it moved to another cage and got a project.
LAB = {
    "users": [{"username": "jose", "password": "jose-demo"}],
    "labs": [{"name": "champalimaud", "timezone": "Europe/Lisbon"}],
    "projects": [{"name": "brainwide"}, {"name": "WaitTask"}],
    "lines": [{"name": "Thy1-GCaMP6s", "nickname": "Thy1", "alleles": ["Thy1-GCaMP6s"]}],
    "subjects": [
        {
            "nickname": "ea04",
            "id": EA04["alyx_id"],
            "lab": "champalimaud",
            "responsible_user": "jose",
            "birth_date": EA04["birth_date"],
            "sex": EA04["sex"],
            "strain": EA04["strain"],
            "source": EA04["source"],
            "line": EA04["line"],
            "projects": ["brainwide", "WaitTask"],
            "description": EA04["description"],
            "genotype": [{"allele": "Thy1-GCaMP6s", "zygosity": "+/-"}],
            "json": {"implant": "left"},
        }
    ],
}


@pytest.fixture
def server(tmp_path):
    lab = tmp_path / "lab.json"
    lab.write_text(json.dumps(LAB), encoding="utf-8")
    with SandboxServer("--lab", str(lab)) as server:
        yield server


def other_files(project):
    """All files but those that a sync or PyBpod's save writes."""
    kept = [path for path in paths_in(project) if path.is_file() and path.suffix != ".json"]
    return {str(path.relative_to(project)): path.read_bytes() for path in kept}


def test_opened_synced_saved_and_opened_again(server, menu, qtbot, tmp_path, open_project):
    folder = Path(shutil.copytree(PROJECT, tmp_path / "Mice"))
    project = open_project(folder)
    files = other_files(folder)

    window = connected_window(qtbot, project, menu, server)
    dialog = get_subjects(qtbot, window)
    item = tick(dialog, "ea04")
    # the projects differ, json is new; the genotype is the same in another form and the rest is equal
    assert [item.child(row).text(0) for row in range(item.childCount())] == ["Projects", "JSON"]
    answer(qtbot, window, dialog.buttons["Override"])
    menu.trigger(project.node, "Save")
    project.close(silent=True)

    again = open_project(folder)
    assert again.is_saved()
    assert names(again) == ["ea04", "local1"]
    saved = json.loads((folder / "subjects/ea04/ea04.json").read_text(encoding="utf-8"))
    touched = {"projects", "json", "genotype", "alyx_server", "alyx_synced_at", "session_projects", "__UPDATED-ON__"}
    volatile = {"url", "age_weeks", "reference_weight", "last_water_restriction", "expected_water", "remaining_water"}
    spelled = {"water_administration", "water_administrations"}
    for key in EA04.keys() - touched - volatile - spelled:
        assert saved[key] == EA04[key], key
    assert saved["water_administrations"] == EA04["water_administration"]
    assert sorted(saved["projects"]) == ["WaitTask", "brainwide"]
    assert saved["json"] == {"implant": "left"}
    assert saved["alyx_server"] == server.url

    ea04 = subject_named(again, "ea04")
    assert str(ea04.uuid4) == EA04["__UUID4__"]
    assert ea04.setup.name == "Set"
    assert ea04 in ea04.setup.subjects
    assert len(ea04.setup.sessions) == 1
    assert not subject_named(again, "local1").is_alyx
    assert files.items() <= other_files(folder).items()
