"""The main path of the real PyBpod on a real Alyx-Local: sync, details, weight, water, a session, before Run."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from pybpod_alyx_module.gui.animals.water_dialog import WaterDialog
from pybpod_alyx_module.gui.animals.weight_dialog import WeightDialog
from pybpod_alyx_module.gui.history.details_window import open_details_window
from pybpod_alyx_module.gui.today.window import TODAY
from pybpod_alyx_module.gui.weigh_all.weigh_all_window import WEIGH_ALL
from pybpod_alyx_module.models.setup import impl
from pybpod_alyx_module.outbox.items import Kind, State
from tests.gui.hands import alyx_home, connected_window, names, press, subject_named, sync, wait
from tests.gui.rig_windows import Bench
from tests.gui.running import Lab, counted_water, no_boxes, outbox, proxy, rig, unchecked

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tests.alyx_local.server import AlyxLocalServer

__all__ = ["alyx_home", "counted_water", "no_boxes", "outbox", "proxy", "rig", "unchecked"]

#: The subjects of jose that are alive in the demo lab; a death date to come counts there at once.
ALIVE = ["ea04", "implant_1", "jo001", "jo002", "jo003", "jo004", "jo005", "jo006", "nolimit_1"]


@pytest.fixture(scope="module")
def alyx(alyx_local: AlyxLocalServer) -> Iterator[Lab]:
    """The Alyx-Local, which is put back at the end."""
    lab = Lab(alyx_local.url, alyx_local.username, alyx_local.password)
    yield lab
    lab.client.close()
    alyx_local.reset()


@pytest.fixture
def bench(rig, qtbot, menu) -> Bench:
    return Bench(rig.project, rig.alyx, qtbot, menu, rig.url)


def test_get_subjects_and_their_details(alyx_home, project, menu, qtbot, alyx_local):
    window = connected_window(qtbot, project, menu, alyx_local)
    sync(qtbot, window)
    assert names(project) == ALIVE
    details = open_details_window(subject_named(project, "jo006"))
    assert (details.record.values["Species"], details.record.values["Lab"]) == ("Mus musculus", "champalimaud")
    assert (details.record.values["Reference weight (g)"], details.record.values["Alive"]) == ("25", "yes")
    assert "JSON" not in details.record.values  # this server's animals have none
    details.close()
    sync(qtbot, window)
    assert f"{len(ALIVE)} up to date" in window.form.messages
    window.close()


def test_weights_and_water_arrive_with_their_animal(bench, rig, qtbot):
    weight = bench.open(WeightDialog, "jo006", "Record weight…")
    assert "does not tell minimum weights." in weight.facts.text()
    assert "Reference weight: 25.0 g" in weight.facts.text()
    assert weight.status.text() == ""
    assert not weight.again_button.isVisible()
    bench.type(weight.weight.edit, "23.2")
    press(qtbot, weight.record_button)
    bench.recorded(weight)
    water = bench.open(WaterDialog, rig.project.subjects[-1], "Give water…")
    assert water.types.currentText() == "Water"
    assert "0.50 mL remain to be given today." in water.facts.text()
    bench.type(water.amount, "0.3")
    press(qtbot, water.record_button)
    bench.recorded(water)
    assert max(rig.alyx.of("weighings", "jo006"), key=lambda row: row["date_time"])["weight"] == 23.2
    given = [row for row in rig.alyx.of("water-administrations", "jo006") if row["water_administered"] == 0.3]
    assert [(row["user"], row["water_type"]) for row in given] == [("jose", "Water")]
    assert rig.alyx.row("jo006")["remaining_water"] == pytest.approx(0.2)


def test_a_namesakes_weight_is_recorded_for_the_right_one(bench, rig, qtbot):
    (mine,) = rig.alyx.client.list("subjects", {"nickname": "jo001", "responsible_user": "jose"})
    (other,) = rig.alyx.client.list("subjects", {"nickname": "jo001", "responsible_user": "priya"})

    def weights(row):
        return {one["weight"] for one in rig.alyx.client.list("weighings", {"django": f"subject__pk,{row['id']}"})}

    before = weights(other)
    dialog = bench.open(WeightDialog, bench.subject("jo001", id=mine["id"]), "Record weight…")
    bench.type(dialog.weight.edit, "22.17")
    press(qtbot, dialog.record_button)
    bench.recorded(dialog)
    assert 22.17 in weights(mine)
    assert weights(other) == before


def test_several_are_weighed_one_after_the_other(bench, rig, qtbot):
    for name in ("jo006", "jo005"):
        rig.subject(name)
    bench.menu.trigger(rig.project.node, WEIGH_ALL)
    window = rig.project.alyx_weigh_window
    wait(qtbot, lambda: not window.weighing.is_asking and window.weighing._look is None)
    wait(qtbot, lambda: "does not tell minimum weights." in window.message.text())
    given = {}
    for row in window.rows.rows:
        window.in_front.choose(row)
        last = row.history()[-1:]
        given[row.name] = (float(last[0].grams) if last else 22.0) + 0.11
        window.panel.weight.edit.setText(f"{given[row.name]:.2f}")
        window.in_front.record()
        assert not window.panel.question.isVisible()
    wait(qtbot, lambda: {row.weight_today.state for row in window.rows.rows if row.weight_today} == {"on Alyx"})
    for name, weight in given.items():
        wait(qtbot, lambda: round(weight, 2) in [row["weight"] for row in rig.alyx.of("weighings", name)])  # noqa: B023
    window.close()


def register(rig, menu, session, qtbot, label, narrative):
    menu.trigger(session.node, label)
    dialog = rig.dialog(session)
    dialog.form.narrative.selectAll()
    qtbot.keyClicks(dialog.form.narrative, narrative)
    notices = dialog.notices.toPlainText()
    press(qtbot, dialog.register_button)
    wait(qtbot, lambda: session.alyx_dialog is None)
    return notices


def test_a_session_is_registered_and_updated(rig, menu, qtbot, outbox):
    rig.subject("ea04")
    session = rig.run()
    rig.project.save()
    notices = register(rig, menu, session, qtbot, "Register on Alyx…", "- C2: right")
    assert "type of water" not in notices
    rig.on_alyx(session)
    (before,) = rig.written("ea04")
    assert before["json"]["whisker_stims"] == {"Stimulus right": {"1": "C2"}}
    wait(qtbot, lambda: before["id"] in [row["session"] for row in rig.alyx.of("water-administrations", "ea04")])
    notices = register(rig, menu, session, qtbot, "Update on Alyx…", "- C2: right, it ran well")
    assert "omebody else" not in notices
    wait(qtbot, lambda: "ran well" in rig.written("ea04")[0]["narrative"])
    (after,) = rig.written("ea04")
    assert (after["id"], after["number"]) == (before["id"], before["number"])
    assert after["json"]["pybpod"] == before["json"]["pybpod"]
    wait(qtbot, lambda: all(item.state is State.SENT for item in outbox.open().items()))
    assert [item.kind for item in outbox.open().items()] == [Kind.SESSION, Kind.WATER, Kind.SESSION_UPDATE]


def test_water_due_today_says_that_there_are_no_limits(bench, rig, qtbot):
    rig.subject("jo006")
    bench.menu.trigger(rig.project.node, TODAY)
    window = rig.project.alyx_today_window
    wait(qtbot, lambda: window._fetch is None)
    assert f"{rig.url[7:]} does not tell minimum weights." in window.message.text()
    assert {row.judged for row in window.rows.rows} == {None}
    assert len(window.rows.rows) > 0
    window.close()


def test_before_run_the_missing_limit_is_said_once(rig, qtbot, pybpod_settings, monkeypatch):
    impl._shown.clear()
    monkeypatch.setattr(pybpod_settings, "ALYX_PLUGIN_CHECK_MIN_WEIGHT", "block", raising=False)
    rig.subject("ea04")
    rig.run()
    rig.project.save()
    wait(qtbot, lambda: rig.setup.alyx_run_dialog is not None)
    assert rig.setup.alyx_run_dialog.text == f"{rig.url[7:]} does not tell minimum weights."
    rig.setup.alyx_run_dialog.close()
    rig.run()
    assert rig.setup.alyx_run_dialog is None
