"""A subject that the user removes with PyBpod's own *Remove*, and that a sync brings again."""

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
from pybpod_alyx_module.sync.plan import Action
from pybpod_alyx_module.sync.snapshot import RemoteSnapshot, RemoteSubject
from tests.alyx_rows import SERVER, row
from tests.gui.hands import names, subject_named

PREDECESSOR = Path(__file__).parents[1] / "fixtures" / "predecessor" / "Mice"
EA04 = "8d1f0c52-3a57-4f43-9f0a-5b7c3c0f2a77"


@pytest.fixture
def mice(tmp_path, open_project):
    return open_project(shutil.copytree(PREDECESSOR, tmp_path / "Mice"))


def remove_by_hand(project, menu, dialogs):
    dialogs.script.append("Yes")
    menu.trigger(subject_named(project, "ea04").node, "Remove")
    assert names(project) == ["local1"]


def sync(project):
    """Sync with a server where ea04 lives; return what is done about it."""
    port = HostProject(project, running_outbox().hold)
    living = RemoteSubject.from_row({**row("ea04"), "id": EA04}, SERVER)
    plan = make_plan(port.subjects(), RemoteSnapshot(SERVER, "jose", (living,)))
    results = list(apply_plan(plan, port, synced_at="2026-11-20T10:00:00+00:00"))
    assert all(result.applied for result in results)
    return [entry.action for entry in plan.entries if entry.remote]


@pytest.mark.parametrize("saved", [False, True], ids=["not saved between", "folder in the trash"])
def test_added_again(mice, tmp_path, open_project, menu, dialogs, saved):
    folder = tmp_path / "Mice" / "subjects" / "ea04"
    remove_by_hand(mice, menu, dialogs)
    if saved:
        mice.save()
        assert not folder.exists()
    assert sync(mice) == [Action.ADD]
    assert menu.labels(subject_named(mice, "ea04").node) == [
        "Remove",
        "Alyx details",
        "Record weight…",
        "Give water…",
    ]
    mice.save()
    assert mice.is_saved()
    # the folder was hers: with nothing saved in between nothing of it is gone
    assert sorted(os.listdir(folder)) == (["ea04.json"] if saved else ["ea04.json", "notes.txt"])
    assert not (tmp_path / "Mice" / "removed").exists()
    content = json.loads((folder / "ea04.json").read_text())
    assert (content["__UUID4__"], content["alyx_id"], content["alyx_server"]) == (EA04, EA04, SERVER)
    again = open_project(tmp_path / "Mice")
    assert names(again) == ["ea04", "local1"]
    assert again.is_saved()
    assert sync(again) == [Action.UP_TO_DATE]
    assert again.is_saved()


def test_removed_added_and_removed_again(mice, tmp_path, menu, dialogs):
    remove_by_hand(mice, menu, dialogs)
    sync(mice)
    remove_by_hand(mice, menu, dialogs)
    sync(mice)
    mice.save()
    assert (tmp_path / "Mice" / "subjects" / "ea04" / "notes.txt").exists()
    remove_by_hand(mice, menu, dialogs)
    mice.save()
    assert os.listdir(tmp_path / "Mice" / "subjects") == ["local1"]


def test_closed_unsaved_she_is_still_there(mice, tmp_path, open_project, menu, dialogs):
    remove_by_hand(mice, menu, dialogs)
    sync(mice)
    mice.close(silent=True)
    again = open_project(tmp_path / "Mice")
    subject = subject_named(again, "ea04")
    assert subject.setup.name == "Set"
    assert len(subject._sessions) == 1
