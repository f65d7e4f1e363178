"""An animal of which something waits to be sent stays in the PyBpod project."""

from __future__ import annotations

from pybpod_alyx_module.gui.running_outbox import running_outbox
from pybpod_alyx_module.host.alyx_user import alyx_user
from pybpod_alyx_module.host.project import HostProject
from pybpod_alyx_module.host.project_user import log_in_user
from tests.gui.hands import alyx_home, connected_window, names, press, sync, wait
from tests.gui.outboxes import alyx, lab, outbox, put, start

__all__ = ["alyx", "alyx_home", "lab", "outbox", "start"]


def not_alive(lab, name):
    def change(page):
        for row in page["results"]:
            if row["nickname"] == name:
                row.update(alive=False, death_date="2026-11-20")
        return page

    lab.proxy.fault("alter", times=9, path="/subjects", change=change)


def undo(qtbot, project):
    project.open_alyx_syncs()
    window = project.alyx_syncs_window
    window.undo()
    wait(qtbot, lambda: window.undo_dialog is not None)
    told = window.undo_dialog.list.toPlainText()
    press(qtbot, window.undo_dialog.undo_button)
    wait(qtbot, lambda: not window.working)
    window.close()
    return told


def test_the_removal_is_postponed_until_it_is_sent(outbox, host, project, menu, qtbot, lab):
    window = connected_window(qtbot, project, menu, lab.server, lab.url)
    sync(qtbot, window)
    assert "jo003" in names(project)
    lab.proxy.fault("answer", times=1000, method="POST", path="/weighings", status=503, body={"detail": "down"})
    put(qtbot, outbox, lab.weighing("jo003"))
    wait(qtbot, lambda: outbox.counts.open == 1)
    held = {subject.name: subject.hold for subject in HostProject(project, running_outbox().hold).subjects()}
    assert held["jo003"] == "items of it still wait in the Alyx outbox to be sent"
    assert held["ea04"] == ""
    told = undo(qtbot, project)
    assert "Left alone (1):\n    jo003: items of it still wait in the Alyx outbox to be sent" in told
    assert names(project) == ["jo003"]
    sync(qtbot, window)
    assert "ea04" in names(project)
    not_alive(lab, "jo003")
    told = sync(qtbot, window).split("Synced")[-1]
    assert "jo003" in names(project)
    assert "Removal postponed" in told
    assert "items of it still wait in the Alyx outbox to be sent" in told


def test_the_user_of_a_project_is_of_alyx_only_where_connected(project):
    assert alyx_user(project) == ""
    mine = project.create_user()
    mine.name = "Jose"
    project.loggeduser = mine
    assert alyx_user(project) == ""
    log_in_user(project, "jose")
    assert project.loggeduser is mine
    assert alyx_user(project) == "jose"
