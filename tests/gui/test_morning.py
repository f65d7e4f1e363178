"""A technician's morning in the real PyBpod: twelve are weighed and given water, one is too light, the network goes."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import pytest
from AnyQt.QtCore import Qt
from AnyQt.QtWidgets import QApplication

from pybpod_alyx_module.gui.running_outbox import stop_outbox
from pybpod_alyx_module.gui.today.columns import PERCENT, WEIGHT
from pybpod_alyx_module.gui.today.rows import Shown
from pybpod_alyx_module.gui.today.window import TODAY, TodayWindow
from pybpod_alyx_module.gui.weigh_all import curve
from pybpod_alyx_module.gui.weigh_all.weigh_all_window import WeighAllWindow
from pybpod_alyx_module.outbox.items import OPEN
from tests.gui.hands import living, press, wait
from tests.gui.rig_windows import Alyx, alyx_home, bench, lab_today, outbox, proxy
from tests.gui.test_weigh_all import keys, weigh_all
from tests.sandbox_server import SandboxServer
from tests.system.animals.rig_lab import LAB, restricted

if TYPE_CHECKING:
    from collections.abc import Iterator

__all__ = ["alyx_home", "bench", "outbox", "proxy"]

NAMES = [f"mm{number:02}" for number in range(1, 13)]
#: Today's weights, g; the fifth is below the minimum of 21.25 g.
WEIGHTS = [24.1, 23.9, 24.0, 23.8, 20.9, 24.2, 23.7, 24.0, 23.9, 24.1, 23.8, 24.0]


@pytest.fixture
def alyx(tmp_path) -> Iterator[Alyx]:
    """A lab of twelve animals that are water-restricted."""
    lab = tmp_path / "lab.json"
    lab.write_text(json.dumps({**LAB, "subjects": [restricted(name) for name in NAMES]}), "utf-8")
    with SandboxServer("--throttle", "off", "--lab", str(lab)) as server:
        alyx = Alyx(server)
        yield alyx
        alyx.client.close()


@pytest.fixture(autouse=True)
def closed(monkeypatch, quick_retries, outbox):
    monkeypatch.setattr(curve, "STAYS_MS", 1_000_000)
    yield
    for window in (*living(WeighAllWindow), *living(TodayWindow)):
        window.close()
    stop_outbox()


class Network:
    """What lies between rig and server, to be taken away and given back."""

    def __init__(self, proxy) -> None:
        self.is_there = True
        proxy.choose(lambda _seen: None if self.is_there else ("drop", {}))


def test_what_was_done_is_on_alyx_and_nothing_else(bench, alyx, outbox, proxy):
    bench.url, network = proxy.url, Network(proxy)
    bench.log_in()
    window = weigh_all(bench, *NAMES)
    for name, weight in zip(NAMES, WEIGHTS, strict=True):
        if name == "mm04":
            network.is_there = False
        keys(bench, f"{weight}⏎")
        if name == "mm05":  # 12 % less than yesterday: asked in the window
            wait(bench.qtbot, window.panel.question.isVisible)
            bench.qtbot.keyClick(QApplication.focusWidget(), Qt.Key_R)
            wait(bench.qtbot, lambda: not window.panel.question.isVisible())
    wait(bench.qtbot, lambda: not window.weighing.line.is_busy)
    window.close()
    assert len(outbox.open().items(states=OPEN)) >= 9  # kept here while there is no network

    bench.menu.trigger(bench.project.node, TODAY)
    board = bench.project.alyx_today_window
    wait(bench.qtbot, lambda: board._fetch is None)
    assert board.rows.rowCount() == 0  # nothing was ever asked for the board, and now it cannot be
    network.is_there = True
    press(bench.qtbot, board.refresh_button)
    wait(bench.qtbot, lambda: board._fetch is None and board._look is None)
    wait(bench.qtbot, lambda: not outbox.open().items(states=OPEN))
    press(bench.qtbot, board.refresh_button)
    wait(bench.qtbot, lambda: board._fetch is None)
    first = board.rows.rows[0]
    assert first.name == "mm05"
    assert "too light" in board.rows.index(0, WEIGHT).data()
    assert board.rows.index(0, PERCENT).data() == "83.6"
    assert board.choice.shown.itemText(list(Shown).index(Shown.NOT_WEIGHED)) == "Not weighed today (0)"
    needed = {row.name: float(row.suggested) for row in board.rows.rows}
    press(bench.qtbot, board.tick_button)
    network.is_there = False
    press(bench.qtbot, board.give_button)
    wait(bench.qtbot, lambda: board._give is None and len(outbox.open().items(states=OPEN)) == len(NAMES))
    assert board.unrecorded == ""
    network.is_there = True
    wait(bench.qtbot, lambda: not outbox.open().items(states=OPEN))
    press(bench.qtbot, board.refresh_button)
    wait(bench.qtbot, lambda: board._fetch is None)
    assert [row.name for row in board.rows.rows] == ["mm05"]  # weighed and watered, but too light
    assert not board.shown.due

    today = f"{lab_today()}"
    for name, weight in zip(NAMES, WEIGHTS, strict=True):
        weights = [row["weight"] for row in alyx.of("weighings", name) if row["date_time"].startswith(today)]
        water = [row["water_administered"] for row in alyx.of("water-administrations", name)]
        assert (weights, water) == ([weight], [needed[name]]), name
