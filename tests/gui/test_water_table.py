"""Water due today… in the real PyBpod: who still needs water, given by hand, one outcome a row."""

from __future__ import annotations

import pytest
from AnyQt.QtCore import Qt

from pybpod_alyx_module.gui.animals.water_table_window import (
    AMOUNT,
    ANIMAL,
    GIVEN,
    REMAINS,
    RESULT,
    WATER_DUE,
    WITHOUT_ALYX,
)
from tests.gui.hands import activate, press, small_enough, wait
from tests.gui.rig_windows import Bench, alyx, alyx_home, bench, outbox, proxy

__all__ = ["alyx", "alyx_home", "bench", "outbox", "proxy"]


def table(bench):
    bench.menu.trigger(bench.project.node, WATER_DUE)
    window = bench.project.alyx_water_window
    wait(bench.qtbot, lambda: window._fetch is None)
    return window


def rows(window) -> dict[str, int]:
    return {window.table.item(row, ANIMAL).text(): row for row in range(window.table.rowCount())}


def text(window, row, column) -> str:
    return window.table.item(row, column).text()


def tick(window, row) -> None:
    window.table.item(row, ANIMAL).setCheckState(Qt.Checked)


@pytest.fixture(autouse=True)
def closed(project):
    yield
    if project.alyx_water_window is not None:
        project.alyx_water_window.close()


def test_all_that_still_need_water_none_ticked(bench):
    bench.subject("thirsty")
    window = table(bench)
    assert small_enough(window)
    assert window.user.whole == f"as jose at {bench.url[7:]}"
    found = rows(window)
    assert {"thirsty", "culled", "east", "never_weighed", "delegated", "numbered"} <= set(found)
    assert not {"free", "released", "dead", "annas"} & set(found)
    assert window.ticked() == []
    assert not window.give_button.isEnabled()
    assert text(window, found["thirsty"], AMOUNT) == text(window, found["thirsty"], REMAINS)
    assert text(window, found["thirsty"], GIVEN) == "0.00 + 0.00"
    assert text(window, found["never_weighed"], AMOUNT) == ""


def test_what_is_ticked_is_given_and_nothing_else(bench, alyx, outbox):
    bench.subject("thirsty")
    window = table(bench)
    found = rows(window)
    ticked = ("watered", "culled", "east")
    for name in ticked:
        tick(window, found[name])
    window.table.item(found["culled"], AMOUNT).setText("0,25")
    press(bench.qtbot, window.give_button)
    wait(bench.qtbot, lambda: all("It is on Alyx." in text(window, found[name], RESULT) for name in ticked))
    assert len(outbox.open().items()) == len(ticked)
    (given,) = alyx.of("water-administrations", "culled")
    assert (given["water_administered"], given["water_type"], given["user"]) == (0.25, "Hydrogel", "jose")
    assert len(alyx.of("water-administrations", "watered")) == len(alyx.of("water-administrations", "east")) == 1
    assert alyx.of("water-administrations", "thirsty") == []
    assert window.ticked() == []  # what is given cannot be given again by the same tick
    press(bench.qtbot, window.refresh_button)
    wait(bench.qtbot, lambda: window._fetch is None)
    # not asked of east: its lab is 14 hours ahead of the server, which counts the water for the next day before 10:00
    assert "watered" not in rows(window)
    assert text(window, rows(window)["culled"], GIVEN) == "0.00 + 0.25"


@pytest.mark.parametrize("typed", ["", "much", "85"])
def test_one_wrong_amount_and_nothing_is_given(bench, outbox, typed):
    bench.subject("thirsty")
    window = table(bench)
    found = rows(window)
    tick(window, found["thirsty"])
    tick(window, found["numbered"])
    window.table.item(found["thirsty"], AMOUNT).setText(typed)
    press(bench.qtbot, window.give_button)
    assert "Nothing was recorded: correct the amount of thirsty." in window.message.text()
    assert text(window, found["thirsty"], RESULT)
    assert outbox.open().items() == ()
    assert window.table.item(found["thirsty"], AMOUNT).text() == typed


def test_an_empty_table_says_so(bench, pybpod_settings, monkeypatch):
    names = ["thirsty", "watered", "culled", "never_weighed", "east", "twin", "delegated", "numbered"]
    monkeypatch.setattr(pybpod_settings, "ALYX_PLUGIN_TEST_SUBJECTS", names, raising=False)
    bench.subject("thirsty")
    window = table(bench)
    assert window.table.rowCount() == 0
    assert "None of your animals is water-restricted." in window.message.text()


def test_a_server_that_is_down_is_said_and_what_was_shown_stays(bench, proxy, alyx):
    bench.url = proxy.url
    bench.log_in()
    bench.subject("thirsty")
    window = table(bench)
    count = window.table.rowCount()
    assert count
    proxy.fault("answer", status=403, body={"detail": "no"}, times=100_000)
    press(bench.qtbot, window.refresh_button)
    wait(bench.qtbot, lambda: window._fetch is None)
    assert "The table shows an older answer." in window.message.text()
    assert window.table.rowCount() == count


def test_what_waits_is_counted(bench, proxy, alyx, outbox):
    bench.url = proxy.url
    bench.log_in()
    bench.subject("thirsty")
    window = table(bench)
    row = rows(window)["thirsty"]
    proxy.fault("answer", method="POST", status=429, headers={"Retry-After": "3000"}, body={"detail": "x"}, times=99)
    tick(window, row)
    window.table.item(row, AMOUNT).setText("0.2")
    press(bench.qtbot, window.give_button)
    wait(bench.qtbot, lambda: "Kept on this computer" in text(window, row, RESULT))
    wait(bench.qtbot, lambda: any(item.state.value == "waiting" and item.attempts for item in outbox.open().items()))
    press(bench.qtbot, window.refresh_button)
    wait(bench.qtbot, lambda: window._fetch is None)
    row = rows(window)["thirsty"]
    assert text(window, row, GIVEN) == "0.00 + 0.20"
    assert "Not on Alyx yet: 0.200 mL of water" in text(window, row, RESULT)


def test_nobody_logged_in_is_said(project, alyx, outbox, qtbot, menu):
    bench = Bench(project, alyx, qtbot, menu, alyx.url)
    window = table(bench)
    assert "Sync to Alyx" in window.message.text()
    assert window.table.rowCount() == 0


def test_it_closes_with_the_project(bench):
    bench.subject("thirsty")
    window = table(bench)
    bench.project.close(silent=True)
    assert bench.project.alyx_water_window is None
    assert not window.isVisible()


def test_the_keyboard_reaches_the_buttons(bench):
    bench.subject("thirsty")
    window = table(bench)
    activate(bench.qtbot, window)
    window.table.setFocus()
    bench.qtbot.keyClick(window.table, Qt.Key_Space)
    assert window.table.item(0, ANIMAL).checkState() == Qt.Checked
    bench.qtbot.keyClick(window.table, Qt.Key_Tab)
    assert window.refresh_button.hasFocus()


@pytest.mark.usefixtures("quick_retries")
def test_without_alyx_it_says_how_water_is_recorded(project, alyx, outbox, qtbot, menu, proxy):
    bench = Bench(project, alyx, qtbot, menu, proxy.url)
    bench.log_in()
    bench.subject("thirsty")
    proxy.fault("drop", times=100_000)
    assert table(bench).message.text().endswith(WITHOUT_ALYX)
