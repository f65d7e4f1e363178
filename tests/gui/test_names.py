"""Names of Alyx are chosen from its lists, completed as they are typed, and checked before they are sent."""

from __future__ import annotations

import pytest
from AnyQt.QtCore import Qt

from pybpod_alyx_module.gui.sessions import mend_waiting
from pybpod_alyx_module.gui.sessions.mend_waiting import NameMender
from pybpod_alyx_module.gui.sessions.register_dialog import WRONG_NAMES
from pybpod_alyx_module.names.alyx_names import AlyxNames
from pybpod_alyx_module.names.mend import Mended
from pybpod_alyx_module.outbox.items import CORRECTED, Counts, State
from tests.gui.hands import activate, fill, press, wait
from tests.gui.running import alyx, alyx_home, outbox, proxy, rig, unchecked

__all__ = ["alyx", "alyx_home", "outbox", "proxy", "rig", "unchecked"]

PROCEDURE, OTHER = "Behavior training/tasks", "Imaging"


@pytest.fixture(autouse=True)
def settings(pybpod_settings, monkeypatch):
    """Nothing is asked when the session ends; the rig's procedure is not the one that Alyx has."""
    for name, value in {
        "REGISTER_SESSIONS": "never",
        "LOCATION": "rig_1",
        "PROCEDURES": ["Behaviour training"],
    }.items():
        monkeypatch.setattr(pybpod_settings, f"ALYX_PLUGIN_{name}", value, raising=False)


@pytest.fixture
def dialog(rig, menu, qtbot):
    """The dialog of a session, which knows what names Alyx has."""
    rig.subject("ea04")
    session = rig.run()
    rig.project.save()
    menu.trigger(session.node, "Register on Alyx…")
    dialog = rig.dialog(session)
    activate(qtbot, dialog)
    return dialog


def popup(field):
    return field.completer().popup()


def choose(qtbot, field, name):
    """Go down the list that is shown to a name, and take it."""
    wait(qtbot, lambda: popup(field).isVisible())
    rows = popup(field).model().rowCount()
    for _ in range(rows):
        qtbot.keyClick(popup(field), Qt.Key_Down)
        if popup(field).currentIndex().data() == name:
            break
    qtbot.keyClick(popup(field), Qt.Key_Return)
    wait(qtbot, lambda: not popup(field).isVisible())


def test_a_wrong_name_of_a_setting_is_marked_and_corrected_before_it_is_sent(rig, dialog, qtbot):
    field = dialog.form.procedures
    assert field.text() == "Behaviour training"
    assert field.note.isVisible()
    assert f"There is no procedure Behaviour training on Alyx. Did you mean {PROCEDURE}" in field.note.text()
    assert "(ALYX_PLUGIN_PROCEDURES)" in dialog.notices.toPlainText()
    assert not dialog.register_button.isEnabled()
    assert dialog.status.text() == WRONG_NAMES
    assert not dialog.form.location.note.isVisible()
    field.setFocus()
    fill(qtbot, field, "behav")
    assert "Did you mean" in field.note.text()
    choose(qtbot, field, PROCEDURE)
    assert field.text() == PROCEDURE
    wait(qtbot, field.isModified)  # a check that arrives later must not put the setting back
    assert not field.note.isVisible()
    press(qtbot, dialog.register_button)
    session = dialog.session
    rig.on_alyx(session)
    (record,) = rig.written("ea04")
    assert record["procedures"] == [PROCEDURE]


def test_several_are_chosen_one_after_the_other(dialog, qtbot):
    field = dialog.form.procedures
    field.know(AlyxNames({"procedures": ("A, b", PROCEDURE, OTHER)}))
    fill(qtbot, field, OTHER)
    popup(field).hide()
    qtbot.keyClick(field, Qt.Key_Down)
    assert [popup(field).model().index(row, 0).data() for row in range(3)] == ["A, b", PROCEDURE, OTHER]
    choose(qtbot, field, "A, b")
    assert field.text() == f"{OTHER}; A, b"
    qtbot.keyClicks(field, "; beh")
    choose(qtbot, field, PROCEDURE)
    assert field.values == (OTHER, "A, b", PROCEDURE)
    assert not field.note.isVisible()


def test_what_alyx_told_earlier_is_offered_and_checked_but_not_refused(dialog, qtbot):
    field = dialog.form.location
    field.know(AlyxNames({"location": ("rig_1", "rig_2")}))
    fill(qtbot, field, "rig_3")
    assert "as far as this computer knows. Did you mean rig_2 or rig_1?" in field.note.text()
    assert field.refused == ""


def test_what_alyx_cannot_tell_is_not_asked_at_each_change(outbox, qtbot, monkeypatch):
    asked = []
    monkeypatch.setattr(mend_waiting, "mend_names", lambda *_: asked.append(1) or Mended(undecided=1))
    monkeypatch.setattr(type(outbox), "counts", Counts(waiting=1, sending=0, unsure=0, parked=0))
    mender = NameMender(outbox)
    outbox.changed.emit()
    wait(qtbot, lambda: mender._pause.isActive())
    outbox.changed.emit()
    assert mender._task.settled
    outbox.users_changed.emit()
    wait(qtbot, lambda: len(asked) == 2 and mender._pause.isActive())
    mender._pause.stop()


@pytest.mark.usefixtures("quick_retries")
def test_what_waits_with_a_wrong_name_is_sent_once_the_setting_is_corrected(
    rig, menu, qtbot, outbox, proxy, pybpod_settings, monkeypatch
):
    rig.subject("jo002")
    session = rig.run()
    rig.project.save()
    proxy.fault("drop", times=10_000)
    menu.trigger(session.node, "Register on Alyx…")
    dialog = rig.dialog(session)
    assert not dialog.form.procedures.note.isVisible()  # this computer was never told which there are
    press(qtbot, dialog.register_button)
    proxy._faults.clear()
    outbox.wake()
    wait(qtbot, lambda: [item.state for item in outbox.open().items()] == [State.PARKED])
    monkeypatch.setattr(pybpod_settings, "ALYX_PLUGIN_PROCEDURES", [PROCEDURE], raising=False)
    mender = NameMender(outbox)  # as PyBpod makes it when it starts
    outbox.wake()
    outbox.changed.emit()
    rig.on_alyx(session)
    (record,) = rig.written("jo002")
    assert record["procedures"] == [PROCEDURE]
    (item,) = outbox.open().items()
    assert "procedure Behaviour training became Behavior training/tasks" in item.origin[CORRECTED][0]
    wait(qtbot, lambda: mender._task.settled)
