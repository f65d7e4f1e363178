"""A project that version 1 saved: opened, synced, saved and opened again, with nothing lost."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import pytest
from AnyQt.QtWidgets import QApplication

from pybpod_alyx_module.gui.sync.history.syncs_window import SYNCS, UNSAVED, SyncsWindow
from tests.gui.hands import (
    alyx_home,
    answer,
    connected_window,
    get_subjects,
    living,
    names,
    press,
    subject_named,
    tick,
    wait,
)
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


def changes_of(project, menu, qtbot):
    """Open the window that says what syncs changed, and wait until it has read the table."""
    for window in living(SyncsWindow):
        window.close()
    menu.trigger(project.node, SYNCS)
    [window] = [one for one in living(SyncsWindow) if one.isVisible()]
    wait(qtbot, window.message.text)
    return window


def test_opened_synced_saved_and_opened_again(server, menu, qtbot, tmp_path, open_project):
    folder = Path(shutil.copytree(PROJECT, tmp_path / "Mice"))
    project = open_project(folder)
    files = other_files(folder)

    window = connected_window(qtbot, project, menu, server)
    dialog = get_subjects(qtbot, window)
    item = tick(dialog, "ea04")
    # the projects differ, json is new; the genotype is the same in another form and the rest is equal
    assert [field.text(0) for field in item.children()] == ["Projects", "JSON"]
    answer(qtbot, window, dialog.buttons["Override"])
    assert changes_of(project, menu, qtbot).message.text() == f"{UNSAVED}1."
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

    listed = changes_of(again, menu, qtbot)
    assert str(folder / "alyx-syncs.csv") in listed.message.text()
    press(qtbot, listed.copy_button)
    titles, copied = (line.split("\t") for line in QApplication.clipboard().text().splitlines())
    told = dict(zip(titles, copied, strict=True))
    assert (told["What"], told["Subject"], told["User"], told["Server"]) == ("overridden", "ea04", "jose", server.url)
    assert told["Fields"] == "projects, json"
    qtbot.keyClicks(listed.filter, "JOSE json")
    assert listed.rows.rowCount() == 1
    qtbot.keyClicks(listed.filter, " sex")
    assert listed.rows.rowCount() == 0

    ea04 = subject_named(again, "ea04")
    assert str(ea04.uuid4) == EA04["__UUID4__"]
    assert ea04.setup.name == "Set"
    assert ea04 in ea04.setup.subjects
    assert len(ea04.setup.sessions) == 1
    assert not subject_named(again, "local1").is_alyx
    assert files.items() <= other_files(folder).items()
