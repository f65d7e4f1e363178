"""The dialogs of weight and water, closed twice before Qt has deleted them: PyBpod and its protocol go on."""

from __future__ import annotations

import itertools

import pytest
from AnyQt.QtCore import Qt

from pybpod_alyx_module.gui.animals.water_dialog import GIVE_WATER, WaterDialog
from pybpod_alyx_module.gui.animals.weight_dialog import RECORD_WEIGHT, WeightDialog
from tests.gui.hands import living, wait
from tests.gui.rig_windows import alyx, alyx_home, bench, outbox, proxy

__all__ = ["alyx", "alyx_home", "bench", "outbox", "proxy"]

KINDS = {RECORD_WEIGHT: WeightDialog, GIVE_WATER: WaterDialog}
DOORS = ("reject", "close", "accept", "Escape")


def leave(bench, dialog, door):
    if door == "Escape":
        bench.qtbot.keyClick(dialog, Qt.Key_Escape)
    else:
        getattr(dialog, door)()


@pytest.mark.parametrize("label", KINDS)
def test_each_door_after_each_other(bench, outbox, dialogs, label):
    subject = bench.subject("free")
    for doors in itertools.product(DOORS, DOORS):
        dialog = bench.open(KINDS[label], subject, label)
        for door in doors:
            leave(bench, dialog, door)  # an exception that reaches Qt fails the test, as it would abort PyBpod
        wait(bench.qtbot, lambda: not living(KINDS[label]))
        assert dialogs.log == [], doors
    assert outbox.open().items() == ()


@pytest.mark.parametrize("label", KINDS)
def test_while_it_asks_alyx(bench, outbox, dialogs, proxy, label):
    bench.url = proxy.url
    bench.log_in()
    proxy.fault("mute", times=100_000)
    subject = bench.subject("free")
    bench.menu.trigger(subject.node, label)
    (dialog,) = living(KINDS[label])
    assert dialog.recorder.fetching
    leave(bench, dialog, "Escape")
    leave(bench, dialog, "Escape")
    wait(bench.qtbot, lambda: not living(KINDS[label]))
    assert dialogs.log == []
    assert outbox.open().items() == ()
