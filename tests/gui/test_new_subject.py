"""*New subject on Alyx…* and *Send to Alyx…* in the real PyBpod."""

from __future__ import annotations

from pathlib import Path
from uuid import uuid4

import pytest
from AnyQt.QtCore import Qt

from alyx_connector.accounts import Accounts
from pybpod_alyx_module.gui.new_subject.window import NEW_SUBJECT, NOT_TAKEN, SEND_SUBJECT, NewSubjectWindow
from pybpod_alyx_module.sync.audit import read_rows
from tests.gui.hands import SUBJECT_ENTRIES, alyx_home, fill, living, names, press, subject_named, wait
from tests.gui.running import alyx, counted_water, no_boxes, outbox, proxy, rig, unchecked

__all__ = ["alyx", "alyx_home", "counted_water", "no_boxes", "outbox", "proxy", "rig", "unchecked"]


def window_of(qtbot, menu, node, label):
    menu.trigger(node, label)
    (window,) = [one for one in living(NewSubjectWindow) if one.isVisible()]
    wait(qtbot, lambda: not window.is_busy)
    return window


@pytest.fixture
def window(rig, menu, qtbot):
    window = window_of(qtbot, menu, rig.project.node, NEW_SUBJECT)
    yield window
    if window in living(NewSubjectWindow):
        window._close_anyway()


@pytest.fixture
def local(rig):
    """A subject of the project that Alyx does not have, saved."""
    subject = rig.project.create_subject()
    subject.name = f"own{uuid4().hex[:6]}"
    rig.setup += subject
    rig.project.save()
    return subject


def choose(qtbot, window, **texts):
    for name, text in texts.items():
        fill(qtbot, window.form.fields[name], text)


def make(qtbot, window):
    press(qtbot, window.make_button)
    wait(qtbot, lambda: not window.is_busy)


def test_it_is_made_on_alyx_once_and_comes_into_the_project(window, rig, qtbot, proxy):
    nickname = f"new{uuid4().hex[:6]}"
    own = rig.alyx.client.get(("users", "jose"))["lab"]
    assert window.form.values()["responsible_user"] == "jose"
    assert window.form.values()["lab"] in own
    choose(qtbot, window, nickname=nickname, birth_date="2026-03-01")
    window.form.fields["sex"].setCurrentIndex(2)
    make(qtbot, window)
    row = rig.alyx.row(nickname)
    assert (row["sex"], row["birth_date"], row["responsible_user"]) == ("F", "2026-03-01", "jose")
    subject = subject_named(rig.project, nickname)
    assert subject.uuid4 == subject.alyx["alyx_id"] == row["id"]
    assert proxy.count("POST", "/subjects") == 1
    assert nickname in window.status.text()
    assert not rig.project.is_saved()
    rig.project.save()
    assert [line[5:7] for line in read_rows(Path(rig.project.path))] == [("added", nickname)]
    window.close()  # nothing is asked: it is on Alyx
    assert window not in [one for one in living(NewSubjectWindow) if one.isVisible()]


def test_a_lost_answer_makes_no_second_one(window, rig, qtbot, proxy, quick_retries):
    nickname = f"new{uuid4().hex[:6]}"
    choose(qtbot, window, nickname=nickname)
    proxy.fault("drop-after", method="POST", path="/subjects")
    proxy.before(lambda seen: proxy.fault("drop", method="GET", times=50) if seen.method == "POST" else None)
    make(qtbot, window)
    assert "not known whether" in window.status.text()
    assert window.form.values()["nickname"] == nickname
    assert nickname not in names(rig.project)
    proxy.before(None)
    while nickname not in names(rig.project):  # until the line stands again
        make(qtbot, window)
        wait(qtbot, lambda: not window.is_busy)
    assert proxy.count("POST", "/subjects") == 1
    assert len(rig.alyx.client.list("subjects", {"nickname": nickname})) == 1


def test_one_that_the_lab_has_is_offered_instead(window, rig, qtbot, proxy):
    row = rig.alyx.row("ea04")
    choose(qtbot, window, nickname="EA04", lab=row["lab"])
    wait(qtbot, lambda: "already has an animal of this nickname" in window.form.notes["nickname"].text())
    make(qtbot, window)
    assert window.question.isVisible()
    assert proxy.count("POST", "/subjects") == 0
    press(qtbot, window.question.anyway_button)
    wait(qtbot, lambda: not window.is_busy)
    assert subject_named(rig.project, "ea04").alyx["alyx_id"] == row["id"]


@pytest.mark.parametrize(
    ("nickname", "said"),
    [
        ("two words", "Alyx does not take this in a nickname: space"),
        ("con", "Windows keeps this name for a device."),
        ("TAKEN", "This PyBpod project already has a subject taken."),
    ],
)
def test_a_nickname_is_judged_as_it_is_typed(window, rig, qtbot, proxy, nickname, said):
    rig.project.create_subject().name = "taken"
    choose(qtbot, window, nickname=nickname)
    assert window.form.notes["nickname"].text() == said
    make(qtbot, window)
    assert proxy.count("POST", "/subjects") == 0
    assert nickname not in names(rig.project)


def test_what_is_missing_and_what_alyx_refuses_is_said_at_its_field(window, rig, qtbot, proxy):
    choose(qtbot, window, lab="", birth_date="1.3.26")
    make(qtbot, window)
    said = {name: note.text() for name, note in window.form.notes.items() if note.text()}
    assert said.keys() == {"nickname", "lab", "birth_date"}
    assert said["lab"] == "The lab is missing."
    nickname = f"new{uuid4().hex[:6]}"
    choose(qtbot, window, nickname=nickname, lab="haisslab", birth_date="", species="unicorn")
    make(qtbot, window)
    assert "unicorn" in window.form.notes["species"].text()
    assert window.status.text() == NOT_TAKEN
    assert rig.alyx.row(nickname) is None
    choose(qtbot, window, species="")
    make(qtbot, window)
    assert rig.alyx.row(nickname)["lab"] == "haisslab"


def test_closing_asks_before_what_was_typed_is_lost(window, qtbot):
    choose(qtbot, window, nickname="typed")
    qtbot.keyClick(window, Qt.Key_Escape)
    assert window.isVisible()
    assert window.question.isVisible()
    press(qtbot, window.question.back_button)
    assert window.form.values()["nickname"] == "typed"
    window.close()
    press(qtbot, window.question.anyway_button)
    assert window not in [one for one in living(NewSubjectWindow) if one.isVisible()]


def test_nobody_is_logged_in(rig, menu, qtbot, proxy, alyx):
    Accounts().tokens.forget(proxy.url, alyx.username)
    window = window_of(qtbot, menu, rig.project.node, NEW_SUBJECT)
    assert "Log in" in window.status.text()
    assert window.connect_button.isVisible()
    assert not window.make_button.isEnabled()
    window._close_anyway()


def test_a_local_subject_is_sent_and_keeps_what_is_its_own(rig, menu, qtbot, local):
    before = local.uuid4, local.path, list(rig.setup.subjects)
    assert SEND_SUBJECT in menu.labels(local.node)
    window = window_of(qtbot, menu, local.node, SEND_SUBJECT)
    assert window.form.values()["nickname"] == local.name
    make(qtbot, window)
    assert local.alyx["alyx_id"] == rig.alyx.row(local.name)["id"]
    assert (local.uuid4, local.path, list(rig.setup.subjects)) == before
    labels = menu.labels(local.node)
    assert labels[-len(SUBJECT_ENTRIES) :] == SUBJECT_ENTRIES
    assert SEND_SUBJECT not in labels
    record = local.alyx
    local.alyx = None  # as an undo does
    assert [one for one in menu.labels(local.node) if one in [SEND_SUBJECT, *SUBJECT_ENTRIES]] == [SEND_SUBJECT]
    local.alyx = record
    rig.project.save()
    assert Path(local.path, f"{local.name}.json").exists()
    window.close()


def test_a_local_subject_that_gets_another_nickname_is_renamed(rig, menu, qtbot, local):
    uuid4_before, name = local.uuid4, f"other{uuid4().hex[:6]}"
    window = window_of(qtbot, menu, local.node, SEND_SUBJECT)
    choose(qtbot, window, nickname=name)
    assert "renamed" in window.form.notes["nickname"].text()
    make(qtbot, window)
    assert (local.name, local.uuid4, local.alyx["nickname"]) == (name, uuid4_before, name)
    window.close()


def test_windows_close_with_their_project(window, rig, qtbot, host):
    choose(qtbot, window, nickname="typed")
    rig.project.close(silent=True)
    assert not [one for one in living(NewSubjectWindow) if one.isVisible()]
