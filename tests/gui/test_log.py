"""What PyBpod's plugin logs: its start with versions, logins, syncs and sends; never a password or a token."""

from __future__ import annotations

import os
import subprocess
import sys

import pytest

from alyx_connector._version import __version__
from pybpod_alyx_module.log_file import LogFile
from pybpod_alyx_module.outbox.items import State
from tests.gui.hands import alyx_home, connect, connected_window, open_window, sync, wait
from tests.gui.outboxes import alyx, item, lab, put, start, wait_for
from tests.gui.test_two_pybpods import PYBPOD

__all__ = ["alyx", "alyx_home", "lab", "start"]

WRONG = "not-his-password"


@pytest.fixture
def log(tmp_path):
    log = LogFile(tmp_path / "log")
    log.start()
    yield log
    log.stop()


def test_logins_a_sync_and_sends_are_logged_without_a_secret(log, project, menu, lab, start, qtbot):
    window = open_window(qtbot, project, menu)
    connect(qtbot, window, lab.url, lab.username, WRONG)
    assert not window.connected
    window.close()
    window = connected_window(qtbot, project, menu, lab.server, lab.url)
    sync(qtbot, window)
    lab.log_in()
    outbox = start()
    (sent,) = put(qtbot, outbox, lab.weighing())
    wait_for(qtbot, outbox, sent.key, State.SENT)
    lab.proxy.fault("answer", times=100, status=500, body={"detail": f"Token {lab.token} jose-demo"})
    (held,) = put(qtbot, outbox, lab.water())
    wait(qtbot, lambda: item(qtbot, outbox, held.key).reason)
    text = log.path.read_text("utf-8")
    assert f"{lab.username} is connected to {lab.url}" in text
    assert f"Synced the subjects of {lab.username} at {lab.url}: 10 add" in text
    assert f"weight {sent.key} of ea04" in text
    assert ": sent" in text
    assert f"water {held.key} of ea04" in text
    for secret in (WRONG, lab.server.password, lab.token, lab.token[:20]):
        assert secret not in text


def test_pybpod_starts_where_no_log_can_be_written(tmp_path):
    (tmp_path / "home").mkdir()
    (tmp_path / "home" / "log").write_text("a file is in its place")
    for folder, warns in ((tmp_path / "home", True), (tmp_path / "other", False)):
        environment = {**os.environ, "ALYX_CONNECTOR_HOME": str(folder), "ALYX_TOKEN_STORE": "memory"}
        command = [sys.executable, "-c", PYBPOD, "http://127.0.0.1:9", "0" * 40]
        with subprocess.Popen(
            command, env=environment, cwd=tmp_path, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
        ) as pybpod:
            assert pybpod.stdout.readline() == "STATUS nothing\n"
            pybpod.kill()
            told = pybpod.stderr.read()
        assert ("writes no log" in told) is warns
        assert "Traceback" not in told
    assert f"pybpod-gui-plugin-alyx {__version__}" in (tmp_path / "other/log/plugin.log").read_text("utf-8")
