"""Who is at the rig is asked when a session is the first thing that is recorded, with the dialog and without it."""

from __future__ import annotations

import datetime

import pytest

from pybpod_alyx_module.gui.sync.log_in_dialog import LogInDialog
from pybpod_alyx_module.gui.sync.who_question import WhoQuestion
from pybpod_alyx_module.outbox.items import State, WaitsFor
from tests.gui.hands import fill, living, press, wait
from tests.gui.nobody_at_rig import known_at_the_rig, outbox_in_main_window
from tests.gui.running import alyx, alyx_home, outbox, proxy, rig, unchecked

__all__ = ["alyx", "alyx_home", "known_at_the_rig", "outbox", "outbox_in_main_window", "proxy", "rig", "unchecked"]


def asked(qtbot):
    wait(qtbot, lambda: living(WhoQuestion))
    (question,) = living(WhoQuestion)
    return question


@pytest.mark.parametrize("register", ["ask", "always"])
def test_a_session_is_kept_asked_about_and_sent_as_who_says_so(
    rig, outbox, qtbot, monkeypatch, pybpod_settings, register
):
    monkeypatch.setattr(pybpod_settings, "ALYX_PLUGIN_REGISTER_SESSIONS", register, raising=False)
    monkeypatch.setattr("pybpod_alyx_module.sessions.concerns.SHORT", datetime.timedelta(0))
    rig.project.loggeduser.connection = "local"  # nobody connected in this PyBpod
    nickname = rig.fresh()
    rig.subject(nickname)
    session = rig.run()
    if register == "ask":
        press(qtbot, rig.dialog(session).register_button)
    question = asked(qtbot)
    items = outbox.open().items()
    assert {(item.state, item.waits_for) for item in items} == {(State.PARKED, WaitsFor.USER)}
    press(qtbot, question.other_button)
    (dialog,) = living(LogInDialog)
    fill(qtbot, dialog.username, "ana")
    fill(qtbot, dialog.password, "ana-demo")
    press(qtbot, dialog.log_in_button)
    rig.on_alyx(session)
    (written,) = rig.written(nickname)
    assert written["users"] == ["ana"]
