"""An animal with sessions that are not on Alyx stays in the PyBpod project."""

from __future__ import annotations

from datetime import datetime, timedelta

import pytest

from pybpod_alyx_module.errors import SyncError
from pybpod_alyx_module.gui.running_outbox import running_outbox
from pybpod_alyx_module.gui.sessions.register_several import SessionsWindow
from pybpod_alyx_module.gui.sync.project_port import port_of
from tests.gui.hands import answer, connected_window, get_subjects, living, names, press, sync, wait
from tests.gui.running import alyx, alyx_home, no_boxes, outbox, proxy, rig, unchecked

__all__ = ["alyx", "alyx_home", "no_boxes", "outbox", "proxy", "rig", "unchecked"]

#: A day that no session of these tests comes after, whatever the hour and wherever the lab.
DEATH = (datetime.now().astimezone().date() + timedelta(days=2)).isoformat()


@pytest.fixture
def asked(pybpod_settings, monkeypatch):
    """The dialog opens when a session ended, and is put off."""
    monkeypatch.setattr(pybpod_settings, "ALYX_PLUGIN_REGISTER_SESSIONS", "ask", raising=False)


def not_alive(rig, name):
    def change(page):
        for row in page["results"]:
            if row["nickname"] == name:
                row.update(alive=False, death_date=DEATH)
        return page

    rig.alyx_proxy.fault("alter", times=10_000, path="/subjects", change=change)


@pytest.fixture
def two_sessions(rig, proxy, asked):
    """Two sessions of jo002, put off."""
    rig.alyx_proxy = proxy
    rig.subject("jo002")
    for _ in range(2):
        session = rig.run()
        rig.dialog(session).close()
        rig.project.save()
    return rig.setup.sessions


def synced(rig, menu, qtbot):
    window = connected_window(qtbot, rig.project, menu, rig.alyx, rig.url)
    return window, sync(qtbot, window).split("Synced")[-1]


def test_it_is_kept_until_they_are_registered_and_then_removed(rig, two_sessions, menu, qtbot):
    not_alive(rig, "jo002")
    window, told = synced(rig, menu, qtbot)
    assert "jo002" in names(rig.project)
    assert "Removal postponed (1):" in told
    assert f"not alive on Alyx (death date {DEATH}), but it has 2 sessions that are not on Alyx: kept until" in told
    menu.trigger(rig.project.node, "Register sessions on Alyx…")
    (table,) = living(SessionsWindow)
    wait(qtbot, lambda: not table.busy and all(row.prepared is not None for row in table.rows))
    assert f"jo002 is not alive on Alyx (death date {DEATH})." in table.rows[0].text
    press(qtbot, table.all_button)
    press(qtbot, table.register_button)
    wait(qtbot, lambda: all(session.alyx_registration_state.sent for session in two_sessions))
    table.close()
    assert len(rig.written("jo002")) == 2
    review = get_subjects(qtbot, window)
    answer(qtbot, window, review.buttons["Sync"])
    told = window.form.messages.split("Synced")[-1]
    assert "Removed from this PyBpod project (1):" in told
    assert "jo002" not in names(rig.project)


def test_one_that_ended_while_the_sync_went_on_is_not_lost(rig, asked):
    subject = rig.subject("jo002")
    port = port_of(rig.project, running_outbox().hold)
    (before,) = port.subjects()
    assert before.hold == ""
    rig.dialog(rig.run()).close()
    with pytest.raises(SyncError, match="it has a session that is not on Alyx: kept until"):
        port.remove(subject.alyx_key)
    assert names(rig.project) == ["jo002"]


@pytest.mark.parametrize("setting", [("REGISTER_SESSIONS", "never"), ("TEST_SUBJECTS", ["jo002"])])
def test_what_is_never_registered_keeps_nothing_back(rig, two_sessions, pybpod_settings, monkeypatch, setting):
    monkeypatch.setattr(pybpod_settings, f"ALYX_PLUGIN_{setting[0]}", setting[1], raising=False)
    (found,) = port_of(rig.project, running_outbox().hold).subjects()
    assert found.hold == ""


def test_a_session_of_another_animal_of_that_name_keeps_nothing_back(rig, two_sessions):
    for session in two_sessions:
        (listed,) = session.alyx_listed
        session._alyx_listed = (type(listed)("jo003", listed.uuid),)  # it was renamed since
    (found,) = port_of(rig.project, running_outbox().hold).subjects()
    assert found.hold.startswith("it has 2 sessions")
    other = rig.subject("jo003")
    held = {subject.name: subject.hold for subject in port_of(rig.project, running_outbox().hold).subjects()}
    assert held["jo003"] == ""
    assert held["jo002"].startswith("it has 2 sessions")
    assert other in rig.project.subjects
