"""What everybody does at a rig, in the real PyBpod, on each of the servers."""

from __future__ import annotations

import datetime as dt
from typing import TYPE_CHECKING

import pytest

from pybpod_alyx_module.gui.animals.run_check_dialog import RunCheckDialog
from pybpod_alyx_module.gui.animals.water_dialog import GIVE_WATER, WaterDialog
from pybpod_alyx_module.gui.animals.weight_dialog import RECORD_WEIGHT, WeightDialog
from pybpod_alyx_module.outbox.items import State
from pybpod_alyx_module.rig_settings import CHECKS
from tests.contract.alyx_under_test import AlyxUnderTest, found
from tests.gui.hands import alyx_home, connected_window, living, names, press, subject_named, sync, wait
from tests.gui.rig_windows import Bench
from tests.gui.running import Lab, outbox, proxy, rig, unchecked

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tests.servers import Server

__all__ = ["alyx_home", "outbox", "proxy", "rig", "unchecked"]


@pytest.fixture(scope="module")
def asked(fresh_server: Server) -> AlyxUnderTest:
    """The server, past the plugin."""
    asked = AlyxUnderTest(fresh_server.url, fresh_server.username, fresh_server.password)
    if not asked.may_write:
        pytest.skip("this server is not on this machine: set ALYX_TEST_WRITE=1 to let tests write to it")
    return asked


@pytest.fixture(scope="module")
def alyx(asked: AlyxUnderTest) -> Iterator[Lab]:
    """The server, as `rig` and `bench` want it."""
    lab = Lab(asked.url, asked.user, asked.password)
    yield lab
    lab.client.close()


@pytest.fixture
def bench(project, alyx, outbox, qtbot, menu, proxy) -> Bench:
    """A project that is logged in."""
    bench = Bench(project, alyx, qtbot, menu, proxy.url)
    bench.log_in()
    return bench


def sent(qtbot, outbox) -> None:
    """Wait until nothing is on its way, and see that all of it arrived."""
    wait(qtbot, lambda: all(item.state in {State.SENT, State.PARKED} for item in outbox.open().items()))
    assert [(item.state, item.reason) for item in outbox.open().items() if item.state is State.PARKED] == []


@pytest.fixture(autouse=True)
def no_boxes(dialogs):
    yield
    assert dialogs.log == []


def test_connect_get_subjects_and_details(project, menu, qtbot, alyx_home, fresh_server, asked):
    window = connected_window(qtbot, project, menu, fresh_server)
    assert f"as {fresh_server.username}" in window.form.messages
    sync(qtbot, window)
    mine = asked.rows("/subjects", responsible_user=asked.user, alive="True")
    assert names(project) == sorted(row["nickname"] for row in mine)
    [row] = [row for row in mine if row["nickname"] == asked.subject["nickname"]]
    subject = subject_named(project, row["nickname"])
    assert subject.alyx["alyx_id"] == row["id"]
    menu.trigger(subject.node, "Alyx details")
    shown = subject.alyx_details_window.record.values
    assert (shown["Nickname"], shown["ID"], shown["Lab"]) == (row["nickname"], row["id"], row["lab"])
    subject.close_alyx_details()


def test_a_weight_is_recorded(bench, outbox, asked):
    name = asked.restricted["nickname"]
    dialog = bench.open(WeightDialog, name, RECORD_WEIGHT)
    assert dialog.animal.whole == name
    bench.type(dialog.weight.edit, "24,35")
    press(bench.qtbot, dialog.record_button)
    wait(bench.qtbot, lambda: dialog.question.isVisible() or dialog.is_recorded)
    if dialog.question.isVisible():
        press(bench.qtbot, dialog.question.anyway_button)
    sent(bench.qtbot, outbox)
    bench.recorded(dialog)
    [row] = [row for row in bench.alyx.of("weighings", name) if row["weight"] == 24.35]
    assert row["user"] == asked.user


def test_water_is_given(bench, outbox, asked):
    name = asked.restricted["nickname"]
    before = [row["url"] for row in bench.alyx.of("water-administrations", name)]
    dialog = bench.open(WaterDialog, name, GIVE_WATER)
    assert dialog.animal.whole == name
    bench.type(dialog.amount, "0.21")
    press(bench.qtbot, dialog.record_button)
    sent(bench.qtbot, outbox)
    bench.recorded(dialog)
    [row] = [row for row in bench.alyx.of("water-administrations", name) if row["url"] not in before]
    assert (row["water_administered"], row["user"], row["session"]) == (0.21, asked.user, None)


def test_a_run_becomes_a_session(rig, qtbot, outbox, asked, pybpod_settings, monkeypatch):
    monkeypatch.setattr(pybpod_settings, "ALYX_PLUGIN_WATER_VARIABLE", "reward_ml", raising=False)
    monkeypatch.setattr(pybpod_settings, "ALYX_PLUGIN_WATER_UNIT", "mL", raising=False)
    name = asked.subject["nickname"]
    rig.subject(name)
    before = dt.datetime.now(rig.zone(name)).replace(tzinfo=None, microsecond=0)
    session = rig.run()
    dialog = rig.dialog(session)
    assert dialog.animal.whole == name
    qtbot.keyClicks(dialog.form.narrative, "a good day")
    press(qtbot, dialog.register_button)
    rig.on_alyx(session)
    (record,) = rig.written(name)
    assert (record["subject"], record["users"], record["narrative"]) == (name, [asked.user], "a good day")
    assert record["n_trials"] == 3
    start = dt.datetime.fromisoformat(record["start_time"])
    on_the_clock = start.astimezone(rig.zone(name)).replace(tzinfo=None) if start.tzinfo else start
    assert before <= on_the_clock <= dt.datetime.now(rig.zone(name)).replace(tzinfo=None)
    sent(qtbot, outbox)
    [water] = [row for row in rig.alyx.of("water-administrations", name) if row["session"] == record["id"]]
    assert water["water_administered"] == 0.009


def test_before_run_the_animal_is_asked_about(rig, qtbot, asked, pybpod_settings, monkeypatch):
    monkeypatch.setattr(pybpod_settings, CHECKS["alive"], "warn", raising=False)
    dead = found([row for row in asked.unique if not row["alive"]], "a subject that is not alive")
    rig.subject(dead["nickname"])
    rig.protocol()
    rig.setup._run_task()
    wait(qtbot, lambda: rig.setup.alyx_run_dialog is not None)
    dialog = rig.setup.alyx_run_dialog
    assert f"{dead['nickname']} is not alive on Alyx" in dialog.text
    press(qtbot, dialog.no_button)
    assert rig.setup.sessions == []
    assert living(RunCheckDialog) == []
