"""Run with Alyx subjects: a real protocol process, without hardware."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from pybpod_alyx_module.errors import SyncError
from pybpod_alyx_module.gui.running_outbox import running_outbox
from pybpod_alyx_module.host.project import RUNNING, HostProject
from pybpod_alyx_module.host.project_user import log_in_user
from tests.alyx_rows import alyx_id, record

#: What a description may hold: quotes, a line break, a backslash, braces, and what separates two subjects.
TEXT = """it's "quoted" \n \\n \\ µ {name} %s "," '","' ''' \u2028 end\\"""  # noqa: RUF001

#: Reads the subjects as rigs do, notes them, and goes on until it is told to stop.
PROTOCOL = """
import json, sys
import user_settings
extra = user_settings.PYBPOD_SUBJECT_EXTRA
seen = [json.loads(text) for text in extra[1:-1].split('","')] if extra else []
with open('seen.json', 'w') as stream:
    json.dump({'extra': seen, 'subjects': user_settings.PYBPOD_SUBJECTS}, stream)
sys.stdin.readline()
"""


@pytest.fixture
def rig(project, tmp_path):
    """A saved project with a setup, a fake board and a protocol that waits for Stop."""
    project.save(str(tmp_path / "Prj"))
    board = project.create_board()
    board.name, board.serial_port = "box1", "/dev/ttyFAKE"
    task = project.create_task()
    task.name = "proto"
    project.save()
    Path(task.filepath).write_text(PROTOCOL)
    setup = project.create_experiment().create_setup()
    setup.board, setup.task = board, task
    log_in_user(project, "jose")
    return setup


def run(rig, qtbot, *, meanwhile=lambda: None):
    """Press Run, wait until the protocol has looked, press Stop; gives what it saw."""
    before = len(rig.sessions)
    rig._run_task()
    qtbot.waitUntil(lambda: len(rig.sessions) > before, timeout=30_000)  # the animals are checked first
    seen = Path(rig.sessions[-1].path) / "seen.json"
    try:
        qtbot.waitUntil(lambda: seen.exists() and seen.read_text().endswith("}"), timeout=30_000)
        meanwhile()
    finally:
        rig.board.stop_task()
        qtbot.waitUntil(lambda: rig.status == rig.STATUS_READY, timeout=30_000)
    return json.loads(seen.read_text())


@pytest.mark.parametrize("extra", [["Subjects"], []])
def test_fresh_subjects_whatever_their_text_holds(rig, qtbot, pybpod_settings, monkeypatch, dialogs, extra):
    monkeypatch.setattr(pybpod_settings, "PYBPOD_EXTRA_INFO", extra, raising=False)
    project = rig.project
    HostProject(project, running_outbox().hold).add(
        "ea04", alyx_id("ea04"), record("ea04", description=TEXT, json={TEXT: [TEXT]})
    )
    plain = project.create_subject()
    for subject in project.subjects:
        rig += subject
    project.save()
    seen = run(rig, qtbot)
    assert not dialogs.log
    assert [eval(text) for text in seen["subjects"]] == [["ea04", alyx_id("ea04")], [plain.name, plain.uuid4]]
    if extra:
        linked, other = seen["extra"]
        assert (linked["name"], linked["uuid4"], linked["__UUID4__"]) == ("ea04", alyx_id("ea04"), alyx_id("ea04"))
        assert linked["description"] == TEXT
        assert linked["json"] == {TEXT: [TEXT]}
        assert (other["name"], other["uuid4"]) == (plain.name, plain.uuid4)
        assert "alyx_id" not in other


def test_subject_of_a_running_session_is_held(rig, qtbot, dialogs):
    project, port = rig.project, HostProject(rig.project, running_outbox().hold)
    port.add("ea04", alyx_id("ea04"), record("ea04"))
    rig += project.subjects[0]
    project.save()
    (key,) = port.names()
    held = []

    def meanwhile():
        held.append(port.read(key).hold)
        with pytest.raises(SyncError, match="running session"):
            port.remove(key)

    run(rig, qtbot, meanwhile=meanwhile)
    assert held == [RUNNING]
    assert port.read(key).hold == ""
    port.remove(key)
    assert rig.subjects == []


def test_a_refresh_of_what_changes_by_itself_does_not_block_run(rig, qtbot, dialogs):
    project, port = rig.project, HostProject(rig.project, running_outbox().hold)
    port.add("ea04", alyx_id("ea04"), record("ea04"))
    rig += project.subjects[0]
    project.save()
    (key,) = port.names()
    port.update(key, "ea04", {"age_weeks": 99, "remaining_water": 0.1, "alyx_synced_at": "2026-11-20T10:00:00+00:00"})
    assert run(rig, qtbot)["subjects"]
    assert not dialogs.log
