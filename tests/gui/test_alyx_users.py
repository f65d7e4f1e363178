"""Alyx users become users of a project of the real PyBpod, linked by server and name."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from AnyQt.QtCore import Qt

from alyx_connector.accounts import Accounts
from pybpod_alyx_module.gui.sync.users_window import NOBODY, USERS
from pybpod_alyx_module.host.project_user import add_alyx_users, standing_of
from tests.gui.hands import alyx_home, press, wait
from tests.gui.running import alyx, outbox, proxy, rig, unchecked

__all__ = ["alyx", "alyx_home", "outbox", "proxy", "rig", "unchecked"]


def open_window(rig, menu):
    rig.project.alyx_account = rig.url, rig.alyx.username
    menu.trigger(rig.project.node, USERS)
    window = rig.project.alyx_users_window
    wait(rig.qtbot, lambda: not window.asking)
    return window


def box(window, name):
    return window._items[name].data(0, Qt.CheckStateRole)


def links(project):
    return {user.name: user.alyx_link for user in project.users}


def add(rig, window, *names):
    for name in names:
        window._items[name].setCheckState(0, Qt.Checked)
    press(rig.qtbot, window.add_button)


def test_added_kept_and_not_offered_twice(rig, menu, open_project):
    project, server = rig.project, rig.url
    window = open_window(rig, menu)
    assert set(window._items) == {row["username"] for row in rig.alyx.client.list("users")}
    assert window._items[rig.alyx.username].text(2) == f"links the PyBpod user {rig.alyx.username}"
    assert project.is_saved()
    identity = str(project.users[0].uuid4)
    add(rig, window, "ana", rig.alyx.username)
    assert window.message.text() == "1 user added, 1 user linked. Save the project to keep it so."
    assert box(window, "ana") is None
    assert not project.is_saved()
    project.save()
    assert project.is_saved()
    folder = Path(project.path)
    assert json.loads((folder / "users/ana/ana.json").read_text())["alyx"] == {"server": server, "username": "ana"}
    next(user for user in project.users if user.name == "ana").name = "Anna"
    assert not project.is_saved()
    project.save()
    project.close(silent=True)
    again = open_project(folder)
    assert again.is_saved()
    assert links(again) == {"Anna": (server, "ana"), rig.alyx.username: (server, rig.alyx.username)}
    (jose,) = [user for user in again.users if user.name == rig.alyx.username]
    assert str(jose.uuid4) == identity
    assert jose.node.toolTip(0) == f"Alyx user {rig.alyx.username} of {server}"
    assert standing_of(again, server, "ana") == (False, "in this project as Anna", None)
    assert add_alyx_users(again, server, ["ana"])[:2] == (0, 0)
    assert len(again.users) == 2


def test_a_lab_is_searched_and_ticked_at_once(rig, menu):
    window = open_window(rig, menu)
    labs = {row["username"]: row["lab"] for row in rig.alyx.client.list("users")}
    lab = labs[rig.alyx.username][0]
    rig.qtbot.keyClicks(window.search, lab)
    press(rig.qtbot, window.tick_all)
    assert set(window.chosen) == {name for name, of in labs.items() if lab in of}


def test_names_that_clash(rig):
    project, server = rig.project, rig.url
    user = project.create_user()
    user.name = "ANA"
    assert standing_of(project, server, "ana").note == "links the PyBpod user ANA"
    assert add_alyx_users(project, server, ["ana", "Ana", "con", "x@lab.org"]) == (
        1,
        1,
        (
            f"Ana: the name is taken: ANA is the Alyx user ana of {server}.",
            "con: PyBpod cannot take it: Windows keeps this name for a device.",
        ),
    )
    assert user.alyx_link == (server, "ana")
    assert standing_of(project, "https://other.org", "ana").can_add is False


def test_a_link_alone_is_a_change_to_save(rig):
    project, username = rig.project, rig.alyx.username
    assert project.is_saved()
    assert add_alyx_users(project, "http://alyx.lab.org", [username]) == (0, 1, ())
    assert not project.is_saved()
    project.save()
    assert project.is_saved()
    assert standing_of(project, "https://alyx.lab.org", username).note == "in this project"  # the same server by now


def test_a_link_that_somebody_spoilt_is_none(rig, open_project):
    project = rig.project
    add_alyx_users(project, rig.url, ["ana"])
    project.save()
    project.close(silent=True)
    file = Path(project.path, "users/ana/ana.json")
    file.write_text(json.dumps({**json.loads(file.read_text()), "alyx": ["ana"]}))
    assert links(open_project(project.path))["ana"] is None


def test_nobody_connected(rig, menu):
    menu.trigger(rig.project.node, USERS)
    window = rig.project.alyx_users_window
    assert window.message.text() == NOBODY
    assert not window.add_button.isEnabled()


def test_alyx_away(rig, menu):
    rig.project.alyx_account = "http://127.0.0.1:9", rig.alyx.username
    Accounts().remember("http://127.0.0.1:9", rig.alyx.username, rig.alyx.token)
    menu.trigger(rig.project.node, USERS)
    window = rig.project.alyx_users_window
    wait(rig.qtbot, lambda: not window.asking)
    assert "cannot be reached" in window.message.text()
    assert "127.0.0.1:9" in window.message.text()
    assert rig.project.is_saved()


def test_the_project_closed_meanwhile(rig, menu):
    window = open_window(rig, menu)
    rig.project.close(silent=True)
    assert not window.isVisible()
    with pytest.raises(Exception, match="was closed"):
        add_alyx_users(rig.project, rig.url, ["ana"])
