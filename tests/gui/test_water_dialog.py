"""Give water… in the real PyBpod: amount, type, ad lib, and what remains as typed."""

from __future__ import annotations

from decimal import Decimal

import pytest
from AnyQt.QtCore import Qt

from pybpod_alyx_module.gui.animals.water_dialog import BY_ALYX, GIVE_WATER, WaterDialog
from tests.gui.hands import press, small_enough, wait
from tests.gui.rig_windows import Bench, alyx, alyx_home, bench, outbox, proxy

__all__ = ["alyx", "alyx_home", "bench", "outbox", "proxy"]


def pour(bench, subject) -> WaterDialog:
    return bench.open(WaterDialog, subject, GIVE_WATER)


def water(alyx, nickname) -> list[tuple[float, str, bool]]:
    rows = alyx.of("water-administrations", nickname)
    return [(row["water_administered"], row["water_type"], row["adlib"]) for row in rows]


def test_water_arrives_with_the_restrictions_type(bench, alyx):
    dialog = pour(bench, "thirsty")
    assert (dialog.user.whole, dialog.animal.whole) == (f"as jose at {bench.url[7:]}", "thirsty")
    assert small_enough(dialog)
    assert dialog.types.currentText() == "Hydrogel"
    assert {dialog.types.itemText(row) for row in range(dialog.types.count())} == {"Hydrogel", "Water"}
    bench.type(dialog.amount, "0,85")
    press(bench.qtbot, dialog.record_button)
    bench.recorded(dialog)
    assert water(alyx, "thirsty") == [(0.85, "Hydrogel", False)]
    assert "0.85 mL for thirsty" in dialog.status.text()


def test_another_type_and_what_remains_as_typed(bench, alyx):
    dialog = pour(bench, "culled")
    needed = dialog.overview.state.water
    assert f"Needs {needed.remaining} mL today." in dialog.facts.text()
    assert "Given today: 0.00 mL as reward, 0.00 mL as supplement." in dialog.facts.text()
    bench.type(dialog.amount, "0.3")
    assert f"As typed: After 0.30 mL, {needed.after(Decimal('0.3')).remaining} mL remain" in dialog.facts.text()
    bench.type(dialog.amount, "1.5")
    assert "nothing remains:" in dialog.facts.text()
    assert "more than needed today" in dialog.facts.text()
    bench.type(dialog.amount, "0.3")
    dialog.types.setCurrentText("Water")
    press(bench.qtbot, dialog.record_button)
    bench.recorded(dialog)
    assert water(alyx, "culled") == [(0.3, "Water", False)]
    again = pour(bench, bench.project.subjects[-1])
    assert "0.30 mL as supplement" in again.facts.text()


def test_ad_lib_needs_no_amount(bench, alyx):
    dialog = pour(bench, "free")
    assert "Not under water restriction." in dialog.facts.text()
    assert dialog.types.currentText() == "Water"
    press(bench.qtbot, dialog.record_button)
    assert "amount of water is empty" in dialog.problem.text()
    dialog.adlib.setFocus()
    bench.qtbot.keyClick(dialog.adlib, Qt.Key_Space)
    press(bench.qtbot, dialog.record_button)
    bench.recorded(dialog)
    assert water(alyx, "free") == [(0.0, "Water", True)]
    assert "water ad lib for free" in dialog.status.text()


@pytest.mark.parametrize("typed", ["", "much", "0", "0.8 g", "0.8555"])
def test_what_is_no_amount_is_said_and_kept(bench, outbox, typed):
    dialog = pour(bench, "thirsty")
    bench.type(dialog.amount, typed)
    press(bench.qtbot, dialog.record_button)
    assert "amount of water" in dialog.problem.text()
    assert dialog.amount.text() == typed
    assert outbox.open().items() == ()


def test_far_more_than_it_needs_is_asked_about_and_corrected(bench, alyx):
    dialog = pour(bench, "watered")
    bench.type(dialog.amount, "85")
    press(bench.qtbot, dialog.record_button)
    wait(bench.qtbot, dialog.question.isVisible)
    assert "more than twice what it needs today" in dialog.question.text.text()
    assert dialog.question.anyway_button.text() == "Record 85 mL for watered"
    press(bench.qtbot, dialog.question.back_button)
    bench.type(dialog.amount, "0.1")
    press(bench.qtbot, dialog.record_button)
    bench.recorded(dialog)
    assert [row[0] for row in water(alyx, "watered")] == [0.1]


@pytest.mark.usefixtures("quick_retries")
def test_what_waits_is_counted_and_the_type_is_alyxs_where_it_cannot_be_asked(
    project, alyx, outbox, qtbot, menu, proxy
):
    bench = Bench(project, alyx, qtbot, menu, proxy.url)
    bench.log_in()
    subject = bench.subject("east")
    proxy.fault("drop", times=100_000)
    dialog = pour(bench, subject)
    assert "kept on this computer and sent later" in dialog.status.text()
    assert dialog.types.currentText() == BY_ALYX
    bench.type(dialog.amount, "0.4")
    press(qtbot, dialog.record_button)
    wait(qtbot, lambda: dialog.is_recorded)
    assert "water_type" not in outbox.open().items()[0].values
    dialog.close()
    again = pour(bench, subject)
    assert "Not on Alyx yet: 0.400 mL of water at" in again.facts.text()
    again.close()
    proxy._faults.clear()
    outbox.wake()
    wait(qtbot, lambda: water(alyx, "east") == [(0.4, "Hydrogel", False)])


def test_without_a_weight_what_it_needs_is_not_known(bench):
    dialog = pour(bench, "never_weighed")
    assert "How much water it needs is unknown" in dialog.facts.text()
    bench.type(dialog.amount, "85")
    press(bench.qtbot, dialog.record_button)
    wait(bench.qtbot, dialog.question.isVisible)
    assert "85 mL is a lot. Is the amount in mL?" in dialog.question.text.text()
