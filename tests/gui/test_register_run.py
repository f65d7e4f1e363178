"""A real protocol, run by PyBpod's Board and Setup, ends as a session on Alyx."""

from __future__ import annotations

import datetime
import hashlib
from pathlib import Path

import pytest

from alyx_connector.http.server_time import utc_now
from alyx_connector.zones.lab_zones import remember_zones
from pybpod_alyx_module.gui.running_outbox import running_outbox
from pybpod_alyx_module.gui.sessions.register_dialog import RegisterDialog
from tests.gui.hands import living, press, wait
from tests.gui.running import alyx, alyx_home, outbox, proxy, rig, unchecked

__all__ = ["alyx", "alyx_home", "outbox", "proxy", "rig", "unchecked"]


@pytest.fixture(autouse=True)
def settings(pybpod_settings, monkeypatch):
    """The protocol counts its water."""

    def set_to(**values):
        for name, value in values.items():
            monkeypatch.setattr(pybpod_settings, f"ALYX_PLUGIN_{name}", value, raising=False)

    set_to(WATER_VARIABLE="reward_ml", WATER_UNIT="mL", LOCATION="rig_1")
    return set_to


@pytest.fixture(autouse=True)
def no_boxes(dialogs):
    yield
    assert dialogs.log == []


@pytest.mark.parametrize("detached", [False, True])
def test_a_run_ends_as_a_session_of_the_right_animal(rig, qtbot, detached):
    rig.subject("ea04")
    before = datetime.datetime.now(rig.zone("ea04")).replace(tzinfo=None, microsecond=0)
    session = rig.run(detached=detached)
    dialog = rig.dialog(session)
    assert dialog.user.whole == f"as jose at {rig.url.partition('://')[2]}"
    assert dialog.animal.whole == "ea04"
    assert "3 trials" in dialog.facts.text()
    assert "under two minutes" in dialog.notices.toPlainText()
    assert dialog.form.water.amount.text() == "0.009"
    qtbot.keyClicks(dialog.form.narrative, "a good\rday")
    assert session.alyx_dialog is dialog  # Enter registered nothing
    press(qtbot, dialog.register_button)
    wait(qtbot, lambda: session.alyx_dialog is None)
    rig.on_alyx(session)
    (record,) = rig.written("ea04")
    assert record["subject"] == "ea04"
    assert record["users"] == ["jose"]
    assert record["n_trials"] == 3
    assert record["task_protocol"] == "wait_task"
    assert record["location"] == "rig_1"
    assert record["narrative"] == "a good\nday"
    start, end = (datetime.datetime.fromisoformat(record[name]) for name in ("start_time", "end_time"))
    assert before <= start <= end <= datetime.datetime.now(rig.zone("ea04")).replace(tzinfo=None)  # lab time
    ours = record["json"]["pybpod"]
    file = Path(session.path, f"{session.name}.csv")
    assert ours["sha256"] == hashlib.sha256(file.read_bytes()).hexdigest()
    assert (ours["setup"], ours["board"], ours["session"]) == (rig.setup.name, "box1", session.name)
    assert session.alyx_registration_state.registration.session_id == record["id"]
    wait(qtbot, lambda: rig.written("ea04")[0]["wateradmin_session_related"])
    (water,) = [row for row in rig.alyx.of("water-administrations", "ea04") if row["session"] == record["id"]]
    assert water["water_administered"] == 0.009


def test_always_registers_without_a_question(rig, qtbot, settings):
    settings(REGISTER_SESSIONS="always")
    rig.subject("jo002")
    session = rig.run()
    dialog = rig.dialog(session)  # it shows that the session took under two minutes
    assert "under two minutes" in dialog.notices.toPlainText()
    dialog.close()
    assert rig.written("jo002") == []


def test_always_where_nobody_needs_to_read_anything(rig, qtbot, settings, monkeypatch):
    monkeypatch.setattr("pybpod_alyx_module.sessions.concerns.SHORT", datetime.timedelta(0))
    settings(REGISTER_SESSIONS="always")
    name = rig.fresh()
    rig.subject(name)
    session = rig.run()
    rig.on_alyx(session)
    assert living(RegisterDialog) == []
    (record,) = rig.written(name)
    assert record["n_trials"] == 3


def test_always_asks_where_the_clock_is_not_the_servers(rig, qtbot, settings, monkeypatch):
    monkeypatch.setattr("pybpod_alyx_module.sessions.concerns.SHORT", datetime.timedelta(0))
    late = datetime.timedelta(hours=2, seconds=10)
    monkeypatch.setattr("pybpod_alyx_module.sessions.ask_alyx_about_session.utc_now", lambda: utc_now() + late)
    settings(REGISTER_SESSIONS="always")
    name = rig.fresh()
    rig.subject(name)
    dialog = rig.dialog(rig.run())
    assert "is 2 h ahead of the Alyx server's" in dialog.notices.toPlainText()
    dialog.close()
    assert rig.written(name) == []


def test_never_asks_nothing(rig, qtbot, settings, menu):
    settings(REGISTER_SESSIONS="never")
    rig.subject("ea04")
    session = rig.run()
    rig.idle()
    assert living(RegisterDialog) == []
    assert "Register on Alyx…" in menu.labels(session.node)


def test_a_test_subject_is_never_asked_about(rig, qtbot, settings, menu):
    settings(TEST_SUBJECTS=["EA04"])
    rig.subject("ea04")
    session = rig.run()
    rig.idle()
    assert living(RegisterDialog) == []
    menu.trigger(session.node, "Register on Alyx…")
    dialog = rig.dialog(session)
    assert "ea04 is a test subject" in dialog.notices.toPlainText()
    assert not dialog.register_button.isEnabled()


def test_a_setup_without_alyx_subjects_is_not_asked_about(rig, qtbot, menu):
    plain = rig.project.create_subject()
    rig.setup += plain
    rig.project.save()
    session = rig.run()
    rig.idle()
    assert living(RegisterDialog) == []
    assert "Register on Alyx…" not in menu.labels(session.node)


def test_of_two_animals_a_person_says_which(rig, qtbot):
    rig.subject("jo004")
    rig.subject("jo005")
    session = rig.run()
    dialog = rig.dialog(session)
    assert dialog.choice is None
    assert not dialog.register_button.isEnabled()
    assert "Say which one was on the rig" in dialog.notices.toPlainText()
    dialog.animals.setCurrentIndex(2)
    assert dialog.animal.whole == "jo005"
    press(qtbot, dialog.register_button)
    rig.on_alyx(session)
    assert len(rig.written("jo005")) == 1
    assert rig.written("jo004") == []
    wait(qtbot, lambda: rig.written("jo005")[0]["wateradmin_session_related"])
    sessions = {row["id"] for row in rig.written("jo005")}
    assert not [row for row in rig.alyx.of("water-administrations", "jo004") if row["session"] in sessions]


@pytest.mark.parametrize(("end", "button"), [("when told", "Kill"), ("with a crash", None), ("with an error", None)])
def test_a_protocol_that_broke_off_asks_for_the_water(rig, qtbot, end, button):
    rig.subject("jo006")
    session = rig.run(end, button)
    dialog = rig.dialog(session)
    water = dialog.form.water
    assert water.amount.text() == ""
    assert "broken off" in water.why.text()
    assert not dialog.register_button.isEnabled()
    press(qtbot, water.offer_buttons[0])
    assert water.amount.text() == "0.009"
    assert dialog.register_button.isEnabled()
    water.amount.setText("0.012")
    press(qtbot, dialog.register_button)
    rig.on_alyx(session)
    (record,) = rig.written("jo006")
    wait(qtbot, lambda: rig.written("jo006")[0]["wateradmin_session_related"])
    (given,) = [row for row in rig.alyx.of("water-administrations", "jo006") if row["session"] == record["id"]]
    assert given["water_administered"] == 0.012


def test_the_end_is_noticed_once(rig, qtbot):
    rig.subject("ea04")
    session = rig.run()
    rig.dialog(session).close()
    rig.setup.board.end_run_task_handler()  # PyBpod may come here again while it reads the rest of a run
    rig.idle()
    assert session.alyx_dialog is None


def test_stop_is_no_kill(rig, qtbot):
    rig.subject("ea04")
    dialog = rig.dialog(rig.run("when told", "Stop"))
    assert dialog.form.water.amount.text() == "0.009"
    assert dialog.register_button.isEnabled()


def test_a_second_session_ends_while_the_first_is_asked_about(rig, qtbot):
    rig.subject("ea04")
    first = rig.run()
    dialog = rig.dialog(first)
    rig.project.save()
    second = rig.run()
    other = rig.dialog(second)
    assert other is not dialog
    assert dialog.isVisible()
    dialog.later_button.click()
    other.later_button.click()
    assert rig.written("ea04") == []


@pytest.mark.usefixtures("quick_retries")
def test_with_the_server_down_it_waits_and_is_sent_when_it_is_back(rig, qtbot, proxy, menu):
    rig.subject("ea04")
    proxy.fault("drop", times=10_000)
    session = rig.run()
    dialog = rig.dialog(session)
    assert "could" in dialog.notices.toPlainText()
    press(qtbot, dialog.register_button)
    wait(qtbot, lambda: session.alyx_dialog is None)
    wait(qtbot, lambda: session.alyx_registration_state.registration is not None)
    assert "Waiting in the Alyx outbox" in session.node.toolTip(0)
    assert "Update on Alyx…" in menu.labels(session.node)
    assert "Open in Alyx" not in menu.labels(session.node)
    proxy._faults.clear()
    rig.on_alyx(session)
    assert len(rig.written("ea04")) == 1
    assert "Open in Alyx" in menu.labels(session.node)


@pytest.mark.usefixtures("quick_retries")
def test_lab_time_is_known_when_the_server_is_down(rig, qtbot, proxy):
    rig.subject("ea04")  # in Paris, an hour ahead of a rig in UTC
    rig.dialog(rig.run()).close()
    rig.project.save()
    proxy.fault("drop", times=10_000)
    session = rig.run()
    dialog = rig.dialog(session)
    assert f"lab time, {rig.zone('ea04').key}" in dialog.facts.text()
    press(qtbot, dialog.register_button)
    wait(qtbot, lambda: session.alyx_dialog is None)
    proxy._faults.clear()
    running_outbox().wake()
    rig.on_alyx(session)
    (record,) = rig.written("ea04")
    lab = session.started.astimezone(rig.zone("ea04")).replace(tzinfo=None)
    assert abs(datetime.datetime.fromisoformat(record["start_time"]) - lab) < datetime.timedelta(minutes=1)


@pytest.mark.usefixtures("quick_retries")
def test_always_with_the_server_down_waits_for_it(rig, qtbot, proxy, settings, monkeypatch):
    monkeypatch.setattr("pybpod_alyx_module.sessions.concerns.SHORT", datetime.timedelta(0))
    settings(REGISTER_SESSIONS="always")
    name = rig.fresh()
    rig.subject(name)
    remember_zones(rig.url, {rig.alyx.row(name)["lab"]: rig.zone(name).key})
    proxy.fault("drop", times=10_000)
    session = rig.run()
    wait(qtbot, lambda: session.alyx_registration_state.pending)
    assert living(RegisterDialog) == []
    proxy._faults.clear()
    running_outbox().wake()
    rig.on_alyx(session)
    assert len(rig.written(name)) == 1


def test_a_run_whose_project_is_closed_meanwhile_is_asked_about(rig, qtbot):
    rig.subject("ea04")
    rig.protocol("when told")
    session = rig.start()
    file = Path(session.path, f"{session.name}.csv")
    wait(qtbot, lambda: file.exists() and file.read_text().count("TRIAL;") >= 4)
    rig.project.close(silent=True)
    session.setup.stop_task()
    dialog = rig.dialog(session)
    press(qtbot, dialog.register_button)
    wait(qtbot, lambda: len(rig.written("ea04")) == 1)


def test_a_protocol_that_wrote_nothing_is_not_asked_about(rig, qtbot):
    rig.subject("ea04")
    Path(rig.setup.task.filepath).write_text("this is no Python\n")
    session = rig.start()
    wait(qtbot, lambda: rig.setup.status == rig.setup.STATUS_READY)
    rig.idle()
    assert session.alyx_dialog is None
