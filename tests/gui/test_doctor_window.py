"""*Help → Check the Alyx plugin…*: rows as they come, stopped, again, copied; never a password."""

from __future__ import annotations

import pytest
from AnyQt.QtCore import Qt
from AnyQt.QtWidgets import QApplication

from pybpod_alyx_module.doctor.check import State
from pybpod_alyx_module.gui.doctor.window import CHECK, CHECKING, STOPPED, CheckWindow
from tests.gui.hands import alyx_home, living, plugin_threads, press, wait
from tests.gui.outboxes import alyx, lab, put, start

__all__ = ["alyx", "alyx_home", "lab", "start"]


@pytest.fixture(autouse=True)
def settings(pybpod_settings, monkeypatch, lab):
    """The lab's server, and a setting that does not exist."""
    for name, value in (("ADDRESS", lab.url), ("PASSWORD", lab.server.password), ("LOCATOIN", "rig")):
        monkeypatch.setattr(pybpod_settings, f"ALYX_PLUGIN_{name}", value, raising=False)


@pytest.fixture
def open_check(host, qtbot):
    def open_it():
        (entry,) = [action for menu in menus(host) for action in menu.actions() if action.text() == CHECK]
        entry.trigger()
        (window,) = [one for one in living(CheckWindow) if one.isVisible()]
        return window

    yield open_it
    for window in living(CheckWindow):
        window.close()
    wait(qtbot, lambda: not plugin_threads())


def menus(host):
    return [action.menu() for action in host.window().menuBar().actions() if action.text() == "Help"]


def rows(window):
    tree = window.tree
    groups = [tree.topLevelItem(number) for number in range(tree.topLevelItemCount())]
    return {
        (group.text(0), group.child(number).text(0)): group.child(number).text(1)
        for group in groups
        for number in range(group.childCount())
    }


def test_what_is_checked_is_shown_and_can_be_copied(open_check, qtbot, lab, start, project, tmp_path):
    project.save(str(tmp_path / "Prj"))
    lab.log_in()
    put(qtbot, start(), lab.weighing())
    window = open_check()
    assert window.message.text() == CHECKING
    assert not window.again_button.isEnabled()
    wait(qtbot, lambda: not window.working)
    found = rows(window)
    server = f"Server {lab.url}"
    assert found["Programs", "PyBpod"] == "ok"
    assert found["Plugins", "pybpod_alyx_module"] == "ok"
    assert found["Settings", "ALYX_PLUGIN_LOCATOIN"] == "wrong"
    assert found["This computer", "Project Prj"] == "ok"
    assert found["This computer", "Outbox"] == "ok"
    assert found[server, "Login of jose"] == "ok"
    assert found[server, "Clock"] == "ok"
    assert len(found) == len(window.checks)
    assert window.message.text().startswith(f"{len(found)} checks: 1 wrong, 1 warning")
    assert window.tree.currentItem().text(0) == "ALYX_PLUGIN_LOCATOIN"
    assert "Did you mean ALYX_PLUGIN_LOCATION?" in window.details.toPlainText()
    assert "What to do: " in window.details.toPlainText()
    press(qtbot, window.copy_button)
    text = QApplication.clipboard().text()
    assert all(check.found.splitlines()[0] in text for check in window.checks)
    for secret in (lab.server.password, lab.token):
        assert secret not in text
        assert secret not in repr(window.checks)


def test_stopped_and_again(open_check, qtbot, lab):
    lab.proxy.fault("mute", times=100)
    window = open_check()
    wait(qtbot, lambda: (f"Server {lab.url}", "Port") in rows(window))
    press(qtbot, window.stop_button)
    assert window.message.text().endswith(STOPPED)
    wait(qtbot, lambda: not plugin_threads())
    lab.proxy._faults.clear()
    lab.proxy.release()
    press(qtbot, window.again_button)
    wait(qtbot, lambda: not window.working)
    assert rows(window)[f"Server {lab.url}", "Alyx"] == "ok"
    assert STOPPED not in window.message.text()


def test_one_window_and_closed_by_escape_while_it_checks(open_check, qtbot):
    window = open_check()
    assert open_check() is window
    qtbot.keyClick(window, Qt.Key_Escape)
    assert not [one for one in living(CheckWindow) if one.isVisible()]


def test_a_check_that_fails_hides_no_other(open_check, qtbot, monkeypatch):
    from pybpod_alyx_module.doctor import examine

    def fail():
        yield from ()
        raise KeyError("some-password")

    monkeypatch.setattr(examine, "check_programs", fail)
    window = open_check()
    wait(qtbot, lambda: not window.working)
    assert window.checks[0].state is State.WRONG
    assert "KeyError" in window.checks[0].found
    assert "some-password" not in repr(window.checks)
    assert ("This computer", "Logins") in rows(window)
