"""Two PyBpods, two users, one animal: what the windows say is true, and what can be sent is sent."""

from __future__ import annotations

import contextlib
import os
import signal
import subprocess
import sys
import threading
from dataclasses import replace

import pytest

from alyx_connector import AlyxClient
from pybpod_alyx_module.outbox.items import State
from tests.gui.hands import alyx_home, wait
from tests.gui.outboxes import alyx, item, lab, outbox, put, shown, start, states, text_of, wait_for

__all__ = ["alyx", "alyx_home", "lab", "outbox", "start"]

WHY = "Why it waits"

#: Another PyBpod, whose user logged in as ana and did not want to be remembered; says what its status bar shows.
PYBPOD = """
import os, sys, types
from confapp import conf
user_settings = types.ModuleType("user_settings")
user_settings.SETTINGS_PRIORITY = 0
user_settings.GENERIC_EDITOR_PLUGINS_LIST = ["pybpodgui_plugin", "pybpod_alyx_module"]
user_settings.PYFORMS_SILENT_PLUGINS_FINDER = False
sys.modules["user_settings"] = user_settings
conf += user_settings
from pyforms_generic_editor import settings
from pyforms_generic_editor.editor.base_editor import BaseEditor
from AnyQt.QtWidgets import QApplication
app = QApplication(sys.argv)
conf += "pyforms_gui.resources_settings"
from pyforms_gui.appmanager import StandAloneContainer
window = StandAloneContainer(BaseEditor)
window.show()
while window.centralWidget().model.alyx_outbox is None:
    app.processEvents()
from alyx_connector import AlyxClient
from pybpod_alyx_module.gui.running_outbox import running_outbox
running_outbox().open()
running_outbox().remember(AlyxClient(sys.argv[1], username="ana", token=sys.argv[2]))
button = window.centralWidget().model.alyx_outbox.button
say = lambda: print("STATUS", button.text() if button.isVisible() else "nothing", flush=True)
running_outbox().changed.connect(say)
say()
app.exec_()
"""


class OtherPyBpod:
    """A process, and what its status bar said."""

    def __init__(self, url, token, folder):
        command = [sys.executable, "-c", PYBPOD, url, token]
        self.process = subprocess.Popen(command, stdout=subprocess.PIPE, text=True, cwd=folder)
        self.said = []
        self._reader = threading.Thread(target=self._read, daemon=True)
        self._reader.start()

    def _read(self):
        for line in self.process.stdout:
            if line.startswith("STATUS "):
                self.said.append(line.removeprefix("STATUS ").strip())

    def kill(self):
        with contextlib.suppress(ProcessLookupError):
            os.kill(self.process.pid, signal.SIGKILL)
        self.process.wait()
        self._reader.join()
        self.process.stdout.close()


@pytest.fixture
def ana(alyx):
    with AlyxClient(alyx.url) as client:
        return client.login("ana", "ana-demo")


@pytest.fixture
def open_another(lab, ana, tmp_path, qtbot):
    opened = []

    def open_another():
        folder = tmp_path / f"other-{len(opened)}"
        folder.mkdir()
        opened.append(OtherPyBpod(lab.url, ana, folder))
        wait(qtbot, lambda: opened[-1].said)
        return opened[-1]

    yield open_another
    for one in opened:
        one.kill()


@pytest.mark.skipif(os.name != "posix", reason="a process is killed")
def test_each_pybpod_sends_as_who_is_logged_in_there_and_both_say_so(outbox, host, lab, qtbot, open_another):
    lab.log_in()
    wait_for(qtbot, outbox, put(qtbot, outbox, lab.weighing())[0].key, State.SENT)
    button = host.model.alyx_outbox.button
    window = shown(qtbot, host)
    other = open_another()
    said_here = []
    outbox.changed.connect(lambda: said_here.append(button.text() if not button.isHidden() else "nothing"))
    mine, theirs = put(qtbot, outbox, lab.weighing(weight=25.0), replace(lab.weighing(weight=25.1), username="ana"))
    for one in (theirs, mine):
        wait_for(qtbot, outbox, one.key, State.SENT)
    wait(qtbot, lambda: said_here[-1:] == ["nothing"])
    assert not any("action" in words for words in said_here)  # nobody has to log in: somebody is
    (late,) = put(qtbot, outbox, replace(lab.weighing(weight=25.2), username="ana"))
    wait_for(qtbot, outbox, late.key, State.SENT)
    lab.proxy.fault("answer", times=1000, status=503, body="<html>")
    put(qtbot, outbox, replace(lab.weighing(weight=25.3), username="ana"))
    for said in (lambda: other.said[-1], button.text):
        wait(qtbot, lambda said=said: said() == "Alyx outbox: 1 waiting")
    other.kill()
    lab.proxy._faults.clear()
    wait(qtbot, lambda: button.text() == "Alyx outbox: 1 needs action")
    wait(qtbot, lambda: text_of(window.waiting.table, 0, "State") == "log in to send")
    assert window.waiting.login_button.text() == "Log in as ana…"
    again = open_another()
    wait(qtbot, lambda: states(window.waiting) == [])
    wait(qtbot, lambda: button.isHidden() and again.said[-1] == "nothing")
    rows = lab.client.list("weighings", {"django": f"subject__pk,{lab.ids['ea04']}"})
    ours = sorted((row["weight"], row["user"]) for row in rows if row["date_time"].startswith("2026-11-21"))
    assert ours == [(24.5, "jose"), (25.0, "jose"), (25.1, "ana"), (25.2, "ana"), (25.3, "ana")]


def test_the_outbox_names_what_an_item_waits_behind(outbox, host, lab, qtbot):
    lab.log_in()
    window = shown(qtbot, host)
    session, water = put(qtbot, outbox, replace(lab.session(), username="ana"), replace(lab.water(), follows=0))
    (weight,) = put(qtbot, outbox, lab.weighing())
    wait_for(qtbot, outbox, weight.key, State.SENT)
    wait(
        qtbot, lambda: [text_of(window.waiting.table, row, "State") for row in (0, 1)] == ["log in to send", "waiting"]
    )
    said = text_of(window.waiting.table, 1, WHY)
    login = f"Log in to {lab.url} as ana; then it will be sent."
    assert said == f"It waits behind its session, which needs a login of ana. {login}"
    window.waiting.table.select(water.key)
    assert window.waiting.details.toPlainText().startswith(said)
    assert window.waiting.login_button.text() == "Log in as ana…"
    assert window.heading.text() == "1 waiting, 1 needs action."
    assert item(qtbot, outbox, water.key).behind == item(qtbot, outbox, session.key)
