"""What PyBpod says of the outbox before it closes, and that it ends with it."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import textwrap
from pathlib import Path

import pytest
from AnyQt.QtWidgets import QApplication

from pybpod_alyx_module.gui.outbox.status_bar import ClosingQuestion
from pybpod_alyx_module.gui.outbox.window import OutboxWindow
from pybpod_alyx_module.outbox.items import State
from pybpod_alyx_module.outbox.outbox import Outbox
from tests.gui.hands import alyx_home, living, press, wait
from tests.gui.outboxes import alyx, lab, outbox, put, start

__all__ = ["alyx", "alyx_home", "lab", "outbox", "start"]

ROOT = Path(__file__).parents[2]


@pytest.fixture
def waiting(outbox, lab, qtbot):
    """Two items wait, for somebody who has to log in."""
    put(qtbot, outbox, lab.weighing(), lab.water("jo003"))
    wait(qtbot, lambda: outbox.outlook.needing == 2)


@pytest.fixture
def quits(host, monkeypatch):
    """Count how often PyBpod would quit."""
    from pyforms_generic_editor.editor import base_editor

    made = []

    class App:
        def quit(self):
            made.append(True)

    monkeypatch.setattr(base_editor, "qApp", App())
    return made


def question():
    (shown,) = living(ClosingQuestion)
    return shown


def test_with_nothing_waiting_nothing_is_asked(outbox, host, quits):
    host._exit_app()
    assert quits == [True]
    assert living(ClosingQuestion) == []


@pytest.mark.usefixtures("waiting")
def test_it_tells_what_waits_and_closes_when_told_to(host, quits, qtbot):
    host._exit_app()
    assert quits == []
    assert not question().isModal()
    assert question().focusWidget() is question().stay_button
    assert question().text.text() == (
        "2 items still wait to be sent to Alyx. They are kept on this computer and need action before they can be "
        "sent: see the outbox."
    )
    press(qtbot, question().close_button)
    assert quits == [True]
    assert living(ClosingQuestion) == []


@pytest.mark.usefixtures("waiting")
def test_the_window_stays_where_one_does_not_want_to_close(host, quits, qtbot):
    main = host.window()
    assert not main.close()
    assert main.isVisible()
    press(qtbot, question().stay_button)
    assert not main.close()
    press(qtbot, question().show_button)
    assert len(living(OutboxWindow)) == 1
    assert quits == []
    assert main.isVisible()


@pytest.mark.usefixtures("waiting")
def test_a_second_try_closes(host, quits):
    host._exit_app()
    host._exit_app()
    assert quits == [True]
    assert living(ClosingQuestion) == []


@pytest.mark.usefixtures("waiting")
def test_pybpods_own_question_stays(host, project, quits, qtbot, dialogs):
    project.create_subject()
    host._exit_app()
    assert dialogs.log == []
    dialogs.script.append("Cancel")
    press(qtbot, question().close_button)
    assert [title for title, _text in dialogs.log] == ["Save changes"]
    assert quits == []


@pytest.mark.usefixtures("waiting")
def test_a_shutdown_of_the_computer_is_not_held_up(host, quits, monkeypatch):
    monkeypatch.setattr(QApplication, "isSavingSession", lambda _app: True)
    host._exit_app()
    assert quits == [True]
    assert living(ClosingQuestion) == []


#: PyBpod as its own main starts it; quits as soon as the server was asked, or at once.
RUN = """
    import os, sys
    from confapp import conf
    import user_settings
    conf += user_settings
    from pyforms_generic_editor import settings
    from pyforms_generic_editor.editor.base_editor import BaseEditor
    from AnyQt.QtCore import QTimer
    from AnyQt.QtWidgets import QApplication
    app = QApplication(sys.argv)
    conf += 'pyforms_gui.resources_settings'
    from pyforms_gui.appmanager import StandAloneContainer
    window = StandAloneContainer(BaseEditor)
    window.show()
    from pybpod_alyx_module.gui.running_outbox import running_outbox
    def look():
        if running_outbox().counts.sending:
            app.quit()
    timer = QTimer()
    timer.timeout.connect(look)
    timer.start(10)
    app.exec_()
    import threading
    print("THREADS", sorted(t.name for t in threading.enumerate() if t.name == "alyx-outbox"))
"""


def test_pybpod_ends_while_a_request_hangs(alyx_home, lab, tmp_path):
    lab.log_in()
    left = Outbox()
    item = left.add(lab.weighing())
    left.close()
    lab.proxy.fault("mute", method="POST", path="/weighings")
    settings = {
        "SETTINGS_PRIORITY": 0,
        "GENERIC_EDITOR_PLUGINS_LIST": ["pybpodgui_plugin", "pybpod_alyx_module"],
    }
    lines = [f"{name} = {json.dumps(value)}" for name, value in settings.items()]
    (tmp_path / "user_settings.py").write_text("\n".join(lines))
    (tmp_path / "script.py").write_text(textwrap.dedent(RUN))
    path = os.pathsep.join([str(tmp_path), str(ROOT)])
    result = subprocess.run(
        [sys.executable, "script.py"],
        cwd=tmp_path,
        env={**os.environ, "HOME": str(tmp_path), "PYTHONPATH": path, "ALYX_CONNECTOR_HOME": str(alyx_home)},
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    assert result.returncode == 0, result.stderr
    assert "THREADS []" in result.stdout
    again = Outbox()
    assert again.item(item.key).state is State.UNSURE
    again.close()
