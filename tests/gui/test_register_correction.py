"""The wrong animal was ticked in the setup: the session is registered for the right one; what the file says is kept."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from AnyQt.QtCore import Qt

from pybpod_alyx_module.gui.running_outbox import running_outbox
from pybpod_alyx_module.gui.sessions.choose_animal import ChooseAnimalDialog
from pybpod_alyx_module.sessions.registration_note import read_registrations
from tests.gui.hands import living, press, wait
from tests.gui.running import alyx, alyx_home, counted_water, no_boxes, outbox, proxy, rig, unchecked

__all__ = ["alyx", "alyx_home", "counted_water", "no_boxes", "outbox", "proxy", "rig", "unchecked"]

SENTENCE = "The session file names ea04; registered for {}."


@pytest.fixture
def session(rig):
    """A session of ea04; jo002 is in the project, but was not ticked."""
    rig.subject("ea04")
    rig.subject("jo002", ticked=False)
    session = rig.run()
    rig.project.save()
    return session


def opened(rig, menu, session, label="Register on Alyx…"):
    menu.trigger(session.node, label)
    return rig.dialog(session)


def asked(qtbot, dialog):
    press(qtbot, dialog.other_button)
    (question,) = living(ChooseAnimalDialog)
    return question


def listed(question):
    rows = [question.list.item(row) for row in range(question.list.count())]
    return [row.text() for row in rows if not row.isHidden()]


def choose(qtbot, dialog, question, name):
    (item,) = [one for one in question.list.findItems(name, Qt.MatchStartsWith) if not one.isHidden()]
    question.list.setCurrentItem(item)
    press(qtbot, question.choose_button)
    wait(qtbot, lambda: not dialog.busy)


def registered(rig, qtbot, dialog, session):
    press(qtbot, dialog.register_button)
    rig.on_alyx(session)


def test_another_animal_of_the_project_is_chosen_and_both_are_kept(rig, session, menu, qtbot):
    dialog = opened(rig, menu, session)
    assert dialog.animal.whole == "ea04"
    question = asked(qtbot, dialog)
    assert question.question.text().startswith("The session file names ea04.")
    assert [text.partition(" ")[0] for text in listed(question)] == ["ea04", "jo002"]
    assert "named in the session file" in listed(question)[0]
    assert question.list.currentItem() is None  # nobody is chosen silently
    assert not question.choose_button.isEnabled()
    choose(qtbot, dialog, question, "jo002")
    assert dialog.animal.whole == "jo002"
    assert "The session file names ea04, not jo002. Both are noted in the narrative." in dialog.notices.toPlainText()
    press(qtbot, dialog.check_button)
    wait(qtbot, lambda: not dialog.busy)
    assert dialog.animal.whole == "jo002"
    registered(rig, qtbot, dialog, session)
    wait(qtbot, lambda: running_outbox().counts.open == 0)
    (record,) = rig.written("jo002")
    assert rig.written("ea04") == []
    assert record["narrative"] == SENTENCE.format("jo002")
    assert record["json"]["pybpod"]["listed"] == ["ea04"]
    assert len(record["wateradmin_session_related"]) == 1
    assert record["id"] in [water["session"] for water in rig.alyx.of("water-administrations", "jo002")]
    (note,) = read_registrations(Path(session.path), session.uuid4)
    assert (note.subject_name, note.listed) == ("jo002", ("ea04",))
    assert json.loads(Path(session.path, "alyx.json").read_text())["registrations"][0]["listed"] == ["ea04"]


def test_the_record_is_updated_for_the_animal_that_was_chosen(rig, session, menu, qtbot):
    dialog = opened(rig, menu, session)
    choose(qtbot, dialog, asked(qtbot, dialog), "jo002")
    registered(rig, qtbot, dialog, session)
    wait(qtbot, lambda: session.alyx_dialog is None)
    again = opened(rig, menu, session, "Update on Alyx…")
    assert again.animal.whole == "jo002"
    assert again.form.narrative.toPlainText() == SENTENCE.format("jo002")
    again.animals.setCurrentIndex(again.animals.findText("ea04", Qt.MatchStartsWith))
    assert "If it was ea04, choose Move to another animal…" in again.notices.toPlainText()
    assert not again.register_button.isEnabled()  # Alyx would have the session twice
    again.animals.setCurrentIndex(again.animals.findText("jo002", Qt.MatchStartsWith))
    again.form.narrative.selectAll()
    qtbot.keyClicks(again.form.narrative, "second")
    press(qtbot, again.register_button)
    wait(qtbot, lambda: rig.written("jo002")[0]["narrative"] == f"second\n{SENTENCE.format('jo002')}")
    assert rig.written("ea04") == []


def test_an_animal_that_is_not_in_the_project_is_looked_up_on_alyx(rig, session, menu, qtbot):
    dialog = opened(rig, menu, session)
    question = asked(qtbot, dialog)
    qtbot.keyClicks(question.filter, "jo003")
    assert listed(question) == []
    qtbot.keyClick(question.filter, Qt.Key_Return)
    wait(qtbot, lambda: listed(question))
    assert [text.partition(" ")[0] for text in listed(question)] == ["jo003"]
    assert question.status.text() == "Alyx has 1 animal of that nickname."
    assert question.list.currentItem() is None
    qtbot.keyClick(question.filter, Qt.Key_Return)
    qtbot.keyClick(question.list, Qt.Key_Return)
    wait(qtbot, lambda: not dialog.busy)
    assert dialog.animal.whole == "jo003"
    registered(rig, qtbot, dialog, session)
    (record,) = rig.written("jo003")
    assert record["narrative"] == SENTENCE.format("jo003")
    assert "jo003" not in [subject.name for subject in rig.project.subjects]
    menu.labels(rig.setup.node)
    again = opened(rig, menu, session, "Update on Alyx…")
    assert again.animal.whole == "jo003"
    again.close()


def test_a_name_that_alyx_does_not_have_is_said_and_nothing_is_chosen(rig, session, menu, qtbot):
    dialog = opened(rig, menu, session)
    question = asked(qtbot, dialog)
    qtbot.keyClicks(question.filter, "nobody")
    press(qtbot, question.look_up_button)
    wait(qtbot, lambda: question.status.text() == "Alyx has no animal of that nickname.")
    assert not question.choose_button.isEnabled()
    qtbot.keyClick(question, Qt.Key_Escape)
    assert dialog.animal.whole == "ea04"
    dialog.close()


def test_with_alyx_away_the_look_up_says_so(rig, session, menu, qtbot, proxy, quick_retries):
    dialog = opened(rig, menu, session)
    question = asked(qtbot, dialog)
    proxy.fault("drop", times=10_000)
    qtbot.keyClicks(question.filter, "jo003")
    press(qtbot, question.look_up_button)
    wait(qtbot, lambda: question._looking.settled)
    assert rig.url in question.status.text()
    question.close()
    dialog.close()
