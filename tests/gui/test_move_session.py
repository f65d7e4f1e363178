"""A session that is on Alyx for the wrong animal is moved to the right one, with its water and its weight, once."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime
from pathlib import Path

import pytest
from AnyQt.QtCore import Qt

from pybpod_alyx_module.gui.outbox.window import open_outbox_window
from pybpod_alyx_module.gui.running_outbox import running_outbox
from pybpod_alyx_module.gui.sessions.choose_animal import ChooseAnimalDialog
from pybpod_alyx_module.outbox.items import OPEN, Draft, Kind, State
from pybpod_alyx_module.sessions.registration_note import read_registrations
from tests.gui.hands import living, press, small_enough, wait
from tests.gui.running import alyx, alyx_home, counted_water, no_boxes, outbox, proxy, rig, unchecked

__all__ = ["alyx", "alyx_home", "counted_water", "no_boxes", "outbox", "proxy", "rig", "unchecked"]

MOVE, UPDATE = "Move to another animal…", "Update on Alyx…"
ROUTES = ("water-administrations", "weighings")


@pytest.fixture
def session(rig, menu, qtbot):
    """A session of ea04 on Alyx, with water, and a weight of ea04; jo002 is in the project."""
    subject = rig.subject("ea04")
    rig.subject("jo002", ticked=False)
    session = rig.run()
    rig.project.save()
    menu.trigger(session.node, "Register on Alyx…")
    press(qtbot, rig.dialog(session).register_button)
    rig.on_alyx(session)
    now = datetime.now().astimezone().replace(microsecond=0)
    values = {"weight": 24.5, "date_time": now.isoformat()}
    draft = Draft(Kind.WEIGHING, rig.url, "jose", subject.alyx["alyx_id"], "ea04", values)
    running_outbox().open().add(draft)
    running_outbox().wake()
    sent(qtbot)
    return session


def sent(qtbot):
    wait(qtbot, lambda: all(item.state is State.SENT for item in running_outbox().open().items()))


def opened(menu, session, qtbot):
    menu.trigger(session.node, MOVE)
    dialog = session.alyx_move_dialog
    wait(qtbot, lambda: not dialog.busy)
    return dialog


def choose(qtbot, dialog, name):
    press(qtbot, dialog.choose_button)
    (question,) = living(ChooseAnimalDialog)
    (item,) = question.list.findItems(name, Qt.MatchStartsWith)
    question.list.setCurrentItem(item)
    press(qtbot, question.choose_button)


def counts(rig, name, before=(0, 0)):
    there = [len(rig.alyx.of(route, name)) - was for route, was in zip(ROUTES, before, strict=True)]
    return [len(rig.written(name)), *there]


def test_with_its_water_and_the_weight_that_was_ticked(rig, session, menu, qtbot):
    before = {name: counts(rig, name)[1:] for name in ("ea04", "jo002")}
    (record,) = rig.written("ea04")
    dialog = opened(menu, session, qtbot)
    assert small_enough(dialog)
    assert dialog.animals.whole == "ea04 → ?"
    assert dialog.status.text() == "On Alyx the session is of ea04. Say which animal it was."
    assert not dialog.move_button.isEnabled()
    assert "Its water goes with it." in dialog.facts.text()
    choose(qtbot, dialog, "ea04")
    assert not dialog.move_button.isEnabled()
    choose(qtbot, dialog, "jo002")
    (weight,) = [dialog.weights.item(row) for row in range(dialog.weights.count())]
    assert weight.text().startswith("Weight 24.5 g")
    assert weight.checkState() == Qt.Unchecked
    weight.setCheckState(Qt.Checked)
    press(qtbot, dialog.move_button)
    wait(qtbot, lambda: session.alyx_move_dialog is None)
    sent(qtbot)
    assert counts(rig, "ea04", before["ea04"]) == [0, -1, -1]
    assert counts(rig, "jo002", before["jo002"]) == [1, 1, 1]
    (moved,) = rig.written("jo002")
    assert moved["id"] == record["id"]
    assert moved["narrative"] == "Moved from ea04 to jo002 by jose. The session file names ea04."
    assert len(moved["wateradmin_session_related"]) == 1
    text = f"moved with its water and 1 weight from ea04 to jo002. Its id on Alyx: {record['id']}."
    for name in ("ea04", "jo002"):
        told = rig.alyx.client.list("notes", {"django": f"object_id,{rig.alyx.row(name)['id']}"})
        assert [note["text"].endswith(text) for note in told] == [True]
    (note,) = read_registrations(Path(session.path), session.uuid4)
    assert (note.subject_name, note.session_id, note.listed) == ("jo002", record["id"], ("ea04",))
    menu.labels(rig.setup.node)
    menu.trigger(session.node, UPDATE)
    again = rig.dialog(session)
    assert again.animal.whole == "jo002"
    assert not again.form.water.isVisible()
    qtbot.keyClicks(again.form.narrative, " more")
    press(qtbot, again.register_button)
    wait(qtbot, lambda: "more" in rig.written("jo002")[0]["narrative"])
    assert rig.written("ea04") == []


@pytest.mark.usefixtures("quick_retries")
def test_offline_it_is_moved_when_alyx_is_back(rig, session, menu, qtbot, proxy, outbox):
    before = {name: counts(rig, name)[1:] for name in ("ea04", "jo002")}
    proxy.fault("drop", times=100_000)
    dialog = opened(menu, session, qtbot)
    assert "Only water that this computer recorded goes with it." in dialog.facts.text()
    choose(qtbot, dialog, "jo002")
    press(qtbot, dialog.move_button)
    wait(qtbot, lambda: session.alyx_move_dialog is None)
    again = opened(menu, session, qtbot)
    assert again.animals.whole == "jo002 → ?"
    choose(qtbot, again, "ea04")
    press(qtbot, again.move_button)
    wait(qtbot, lambda: "still waits in the Alyx outbox" in again.status.text())
    again.close()
    proxy._faults.clear()
    outbox.wake()
    sent(qtbot)
    assert counts(rig, "ea04", before["ea04"]) == [0, -1, 0]
    assert counts(rig, "jo002", before["jo002"]) == [1, 1, 0]


def test_one_that_still_waits_is_sent_for_the_other_animal_at_once(rig, menu, qtbot, proxy):
    rig.subject("ea04")
    rig.subject("jo002", ticked=False)
    session = rig.run()
    rig.project.save()
    refusal = {"detail": "You do not have permission to perform this action."}
    proxy.fault("answer", method="POST", path="/sessions", status=403, body=refusal)
    menu.trigger(session.node, "Register on Alyx…")
    press(qtbot, rig.dialog(session).register_button)
    wait(qtbot, lambda: running_outbox().open().items([State.PARKED]))
    before = {name: counts(rig, name)[1:] for name in ("ea04", "jo002")}
    dialog = opened(menu, session, qtbot)
    assert dialog.status.text() == "In the Alyx outbox the session is of ea04. Say which animal it was."
    assert "Its water goes with it." in dialog.facts.text()
    choose(qtbot, dialog, "jo002")
    press(qtbot, dialog.move_button)
    wait(qtbot, lambda: session.alyx_move_dialog is None)
    running_outbox().wake()
    sent(qtbot)
    assert counts(rig, "ea04", before["ea04"]) == [0, 0, 0]
    assert counts(rig, "jo002", before["jo002"]) == [1, 1, 0]
    (record,) = rig.written("jo002")
    assert record["narrative"] == "The session file names ea04; registered for jo002."
    assert record["json"]["pybpod"]["listed"] == ["ea04"]
    (note,) = read_registrations(Path(session.path), session.uuid4)
    assert note.subject_name == "jo002"


def test_a_refused_move_that_is_discarded_leaves_all_as_it_was(rig, session, menu, qtbot, proxy):
    (registered,) = read_registrations(Path(session.path), session.uuid4)
    refusal = {"detail": "You do not have permission to perform this action."}
    proxy.fault("answer", method="PATCH", path=f"/sessions/{registered.session_id}", status=403, body=refusal)
    dialog = opened(menu, session, qtbot)
    choose(qtbot, dialog, "jo002")
    press(qtbot, dialog.move_button)
    wait(qtbot, lambda: running_outbox().open().items([State.PARKED]))
    window = open_outbox_window()
    (move,) = running_outbox().open().items([State.PARKED])
    wait(qtbot, lambda: move.key in {item.key for item in window._items})
    window.waiting.table.select(move.key)
    press(qtbot, window.waiting.discard_button)
    assert "is not moved to jo002. On Alyx it stays with ea04" in window.dialog.text.text()
    press(qtbot, window.dialog.discard_button)
    wait(qtbot, lambda: not running_outbox().open().items(OPEN))
    wait(qtbot, lambda: read_registrations(Path(session.path), session.uuid4)[0].subject_name == "ea04")
    (put_back,) = read_registrations(Path(session.path), session.uuid4)
    assert replace(put_back, registered_at=registered.registered_at) == registered
    window.close()
    again = opened(menu, session, qtbot)
    assert again.animals.whole == "ea04 → ?"
    again.close()


def test_closed_without_an_answer_nothing_is_moved(rig, session, menu, qtbot):
    dialog = opened(menu, session, qtbot)
    choose(qtbot, dialog, "jo002")
    qtbot.keyClick(dialog, Qt.Key_Escape)
    qtbot.keyClick(dialog, Qt.Key_Escape)
    assert session.alyx_move_dialog is None
    sent(qtbot)
    assert len(rig.written("ea04")) == 1
    assert rig.written("jo002") == []
