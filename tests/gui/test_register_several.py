"""Register sessions on Alyx: the table of those that are not registered yet."""

from __future__ import annotations

import shutil
from pathlib import Path
from threading import get_ident

import pytest
from AnyQt.QtCore import Qt

from pybpod_alyx_module.gui.running_outbox import running_outbox
from pybpod_alyx_module.gui.sessions import find_unregistered
from pybpod_alyx_module.gui.sessions.choose_animal import ChooseAnimalDialog
from pybpod_alyx_module.gui.sessions.register_dialog import RegisterDialog
from pybpod_alyx_module.gui.sessions.register_several import HAS_QUESTION, NOTHING, SessionsWindow
from pybpod_alyx_module.outbox.items import Kind
from pybpod_alyx_module.sessions.session_csv import read_start
from tests.gui.hands import activate, living, press, small_enough, wait
from tests.gui.running import alyx, alyx_home, outbox, proxy, rig, unchecked

__all__ = ["alyx", "alyx_home", "outbox", "proxy", "rig", "unchecked"]

SEVERAL = "Register sessions on Alyx…"


@pytest.fixture(autouse=True)
def settings(pybpod_settings, monkeypatch):
    """Nothing is asked when a session ends."""
    monkeypatch.setattr(pybpod_settings, "ALYX_PLUGIN_REGISTER_SESSIONS", "never", raising=False)


@pytest.fixture(autouse=True)
def no_boxes(dialogs):
    yield
    for window in living(SessionsWindow):
        window.close()
    assert dialogs.log == []


def copies(rig, session, count):
    """Old sessions, as an earlier version of PyBpod left them: copies of one, with identities of their own."""
    file = Path(session.path, f"{session.name}.csv")
    text = file.read_text()
    for number in range(count):
        folder = Path(session.path).with_name(f"old{number}")
        folder.mkdir()
        other = text.replace(session.uuid4, f"{number:08d}{session.uuid4[8:]}")
        (folder / f"old{number}.csv").write_text(other)
        shutil.copy(Path(session.path, "user_settings.py"), folder)


@pytest.fixture
def three(rig, open_project):
    """The setup of a project that is opened again, with a session of jo002 and two older ones."""
    rig.subject("jo002")
    session = rig.run()
    rig.project.save()
    copies(rig, session, 2)
    folder = rig.project.path
    rig.project.close(silent=True)
    rig.project = open_project(folder)
    (setup,) = rig.project.experiments[0].setups
    assert len(setup.sessions) == 3
    return setup


def open_table(qtbot, menu, owner):
    menu.trigger(owner.node, SEVERAL)
    (window,) = [window for window in living(SessionsWindow) if window.isVisible()]
    wait(qtbot, lambda: all(row.prepared is not None for row in window.rows) and not window.busy)
    return window


def states(window):
    return [row.item.text(4) for row in window.rows]


@pytest.mark.parametrize("whole_project", [False, True])
def test_what_is_ticked_is_registered_and_nothing_else(rig, three, menu, qtbot, whole_project):
    window = open_table(qtbot, menu, rig.project if whole_project else three)
    assert small_enough(window)
    assert window.user.whole == f"as jose at {rig.url.partition('://')[2]}"
    assert [row.item.text(2) for row in window.rows] == ["jo002"] * 3
    assert [row.item.text(3) for row in window.rows] == ["3"] * 3
    assert not window.register_button.isEnabled()  # nothing is ticked by itself
    before = len(rig.written("jo002"))
    for row in window.rows[:2]:
        row.item.setCheckState(0, Qt.Checked)
    press(qtbot, window.register_button)
    wait(qtbot, lambda: states(window)[:2] == ["on Alyx"] * 2)
    assert len(rig.written("jo002")) == before + 2
    assert window.rows[2].session.alyx_registration_state.registration is None
    numbers = sorted(record["number"] for record in rig.written("jo002"))
    assert len(set(numbers)) == len(numbers)
    activate(qtbot, window)
    qtbot.keyClick(window, Qt.Key_Escape)
    again = open_table(qtbot, menu, three)
    assert len(again.rows) == 1


def test_one_with_a_question_is_opened(rig, menu, qtbot):
    rig.subject("jo003")
    rig.subject("jo004")
    session = rig.run()
    rig.project.save()
    window = open_table(qtbot, menu, rig.project)
    assert states(window) == [HAS_QUESTION]
    assert window.rows[0].item.data(0, Qt.CheckStateRole) is None
    window.table.setCurrentItem(window.rows[0].item)
    assert window.rows[0].text == "Say which animal it was: jo003 or jo004."
    press(qtbot, window.open_button)
    dialog = rig.dialog(session)
    dialog.animals.setCurrentIndex(1)
    press(qtbot, dialog.register_button)
    wait(qtbot, lambda: states(window) == ["on Alyx"])
    assert len(rig.written("jo003")) == 1
    assert rig.written("jo004") == []


def test_one_that_was_registered_meanwhile_is_not_registered_twice(
    rig, three, menu, qtbot, pybpod_settings, monkeypatch
):
    for name, value in {"WATER_VARIABLE": "reward_ml", "WATER_UNIT": "mL"}.items():
        monkeypatch.setattr(pybpod_settings, f"ALYX_PLUGIN_{name}", value, raising=False)
    window = open_table(qtbot, menu, three)
    row = window.rows[0]
    menu.trigger(row.session.node, "Register on Alyx…")
    dialog = rig.dialog(row.session)
    press(qtbot, dialog.register_button)
    wait(qtbot, lambda: row.session.alyx_dialog is None)
    row.item.setCheckState(0, Qt.Checked)
    press(qtbot, window.register_button)
    wait(qtbot, lambda: states(window)[0] == "on Alyx")
    wait(qtbot, lambda: running_outbox().counts.open == 0)
    kinds = [item.kind for item in running_outbox().open().items()]
    assert (kinds.count(Kind.SESSION), kinds.count(Kind.WATER)) == (1, 1)


def test_a_file_that_cannot_be_read_is_shown_and_the_others_go_on(rig, three, menu, qtbot):
    file = Path(three.sessions[0].path, f"{three.sessions[0].name}.csv")
    file.write_text("no session\n")
    menu.trigger(three.node, SEVERAL)
    (window,) = living(SessionsWindow)
    wait(qtbot, lambda: not window.busy and not window._queue)
    (bad,) = [row for row in window.rows if row.session is three.sessions[0]]
    assert bad.item.text(4).startswith("failed")
    assert str(file) in bad.text
    assert sum(row.request is not None for row in window.rows) == 2


def test_sessions_stand_where_their_files_say_that_they_began(rig, menu, qtbot, open_project, monkeypatch):
    rig.subject("jo002")
    session = rig.run()
    rig.project.save()
    text = Path(session.path, f"{session.name}.csv").read_text()
    (started,) = [line.rpartition(";")[2] for line in text.splitlines() if "SESSION-STARTED" in line]
    for name, day in {"first": "2020-11-03", "20201102-090000": "2020-11-02", "z": "2020-11-01"}.items():
        folder = Path(session.path).with_name(name)
        folder.mkdir()
        (folder / f"{name}.csv").write_text(text.replace(started, f"{day} 12:34:56"))
    folder = rig.project.path
    rig.project.close(silent=True)
    rig.project = open_project(folder)
    (setup,) = rig.project.experiments[0].setups
    bad = Path(setup.path, "sessions", "20201102-090000", "20201102-090000.csv")
    bad.write_text("no session\n")
    readers = []
    monkeypatch.setattr(find_unregistered, "read_start", lambda file: readers.append(get_ident()) or read_start(file))
    menu.trigger(setup.node, SEVERAL)
    (window,) = living(SessionsWindow)
    wait(qtbot, lambda: not window.busy and not window._queue)
    shown = [window.table.topLevelItem(row).text(0) for row in range(window.table.topLevelItemCount())]
    assert shown == [started[:19], "2020-11-03 12:34:56", "20201102-090000", "2020-11-01 12:34:56"]
    assert [row.item.text(0) for row in window.rows] == shown
    assert states(window)[2].startswith("failed: ")
    assert str(bad) in window.rows[2].text
    assert len(readers) == 4
    assert get_ident() not in readers


def test_the_window_goes_with_the_project(rig, three, menu, qtbot):
    menu.trigger(three.node, SEVERAL)
    rig.project.close(silent=True)
    assert living(SessionsWindow) == []
    assert living(RegisterDialog) == []


def test_where_all_is_registered_the_window_says_so(rig, menu, qtbot):
    rig.subject("ea04")
    window = open_table(qtbot, menu, rig.project)
    assert window.status.text() == NOTHING


def rename(setup, name, uuid="00000000-0000-4000-8000-000000000000"):
    """Old sessions know their animal by its name only: the project has it under another identity now."""
    for session in setup.sessions:
        file = Path(session.path, f"{session.name}.csv")
        (was,) = {line for line in file.read_text().splitlines() if ";SUBJECT-NAME;" in line}
        file.write_text(file.read_text().replace(was, f"{was.partition('[')[0]}['{name}', '{uuid}']"))


@pytest.fixture
def by_name(rig, three, open_project):
    """The same three sessions, which name jo002 by its name only."""
    rename(three, "jo002")
    folder = rig.project.path
    rig.project.close(silent=True)
    rig.project = open_project(folder)
    return rig.project.experiments[0].setups[0]


def test_one_answer_counts_for_all_sessions_of_a_name(rig, by_name, menu, qtbot):
    window = open_table(qtbot, menu, by_name)
    assert states(window) == [HAS_QUESTION] * 3
    assert window.question.isVisible()
    text = window.question.text.text()
    assert text.startswith("3 sessions name jo002 by name only;")
    assert f"jo002 of the lab {rig.alyx.row('jo002')['lab']}, born" in text
    press(qtbot, window.question.anyway_button)
    wait(qtbot, lambda: HAS_QUESTION not in states(window))
    assert not window.question.isVisible()
    press(qtbot, window.all_button)
    before = len(rig.written("jo002"))
    press(qtbot, window.register_button)
    wait(qtbot, lambda: states(window) == ["on Alyx"] * 3)
    assert len(rig.written("jo002")) == before + 3
    assert not [record for record in rig.written("jo002") if record["narrative"]]


def test_all_sessions_of_a_name_can_be_of_another_animal(rig, by_name, menu, qtbot):
    window = open_table(qtbot, menu, by_name)
    press(qtbot, window.question.back_button)
    (question,) = living(ChooseAnimalDialog)
    qtbot.keyClicks(question.filter, "jo003")
    press(qtbot, question.look_up_button)
    wait(qtbot, lambda: question.list.count() == 2)
    question.list.setCurrentRow(1)
    press(qtbot, question.choose_button)
    wait(qtbot, lambda: not window.busy and not window._queue and HAS_QUESTION not in states(window))
    assert [row.item.text(2) for row in window.rows] == ["jo003"] * 3
    press(qtbot, window.all_button)
    press(qtbot, window.register_button)
    wait(qtbot, lambda: states(window) == ["on Alyx"] * 3)
    said = {record["narrative"] for record in rig.written("jo003")}
    assert said == {"The session file names jo002; registered for jo003."}


def test_nobody_answered_nothing_can_be_ticked(by_name, menu, qtbot):
    window = open_table(qtbot, menu, by_name)
    press(qtbot, window.question.back_button)
    (question,) = living(ChooseAnimalDialog)
    qtbot.keyClick(question, Qt.Key_Escape)
    assert not window.question.isVisible()  # each has its own question: Open…
    press(qtbot, window.all_button)
    assert states(window) == [HAS_QUESTION] * 3
    assert not window.register_button.isEnabled()


def test_an_animal_that_was_not_born_yet_is_not_in_the_answer(rig, by_name, menu, qtbot):
    file = Path(by_name.sessions[0].path, f"{by_name.sessions[0].name}.csv")
    file.write_text(file.read_text().replace(f"{by_name.sessions[0].started:%Y-}", "2009-"))
    window = open_table(qtbot, menu, by_name)
    assert window.question.text.text().startswith("2 sessions name jo002")
    press(qtbot, window.question.anyway_button)
    wait(qtbot, lambda: states(window).count(HAS_QUESTION) == 1)
    (left,) = [row for row in window.rows if row.item.text(4) == HAS_QUESTION]
    assert left.session is by_name.sessions[0]


def ticks(window):
    return [window.table.is_ticked(row.item) for row in window.rows]


def test_the_space_bar_ticks_what_is_selected(three, menu, qtbot):
    window = open_table(qtbot, menu, three)
    activate(qtbot, window)
    window.table.setCurrentItem(window.rows[0].item)
    qtbot.keyClick(window.table, Qt.Key_Down, Qt.ShiftModifier)
    qtbot.keyClick(window.table, Qt.Key_Space)
    assert ticks(window) == [True, True, False]
    assert window.status.text().startswith("3 sessions: 2 ticked")
    qtbot.keyClick(window.table, Qt.Key_Space)
    assert ticks(window) == [False] * 3
    assert not window.register_button.isEnabled()


def test_all_that_the_filter_leaves_are_ticked(three, menu, qtbot):
    window = open_table(qtbot, menu, three)
    last = window.rows[2].item
    window.table.write(last, 1, "other task")
    qtbot.keyClicks(window.filter, "OTHER jo002")
    assert [row.item.isHidden() for row in window.rows] == [True, True, False]
    press(qtbot, window.all_button)
    assert ticks(window) == [False, False, True]
    assert window.all_button.text() == "Un&tick all"
    window.filter.setText("wait")
    assert "1 ticked (1 of them not shown)" in window.status.text()
    press(qtbot, window.all_button)
    assert ticks(window) == [True] * 3
    window.filter.clear()
    press(qtbot, window.all_button)
    assert ticks(window) == [False] * 3
