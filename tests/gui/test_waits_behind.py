"""What the dialog says of a weight that waits behind another: what is true at that moment."""

from __future__ import annotations

from pybpod_alyx_module.gui.animals.weight_dialog import RECORD_WEIGHT, WeightDialog
from pybpod_alyx_module.outbox.items import State
from tests.gui.hands import living, press, wait
from tests.gui.rig_windows import Bench, alyx, alyx_home, outbox, proxy

__all__ = ["alyx", "alyx_home", "outbox", "proxy"]


def record(bench, subject, grams):
    before = living(WeightDialog)
    bench.menu.trigger(subject.node, RECORD_WEIGHT)
    (dialog,) = [one for one in living(WeightDialog) if one not in before]
    bench.asked(dialog)
    bench.type(dialog.first_field(), grams)
    press(bench.qtbot, dialog.record_button)
    return dialog


def test_only_the_one_whose_request_is_on_its_way_is_said_to_be_being_sent(project, alyx, outbox, qtbot, menu, proxy):
    bench = Bench(project, alyx, qtbot, menu, proxy.url)
    bench.log_in()
    subject = bench.subject("free")
    proxy.fault("hold", method="POST")
    first = record(bench, subject, "23.9")
    wait(qtbot, lambda: "it is being sent" in first.status.text())
    assert outbox.open().items((State.SENDING,))
    second = record(bench, subject, "23.8")
    when = str(first.recorder.item.values["date_time"])[11:16]
    wait(qtbot, lambda: f"It waits behind the weight of {when}, which is being sent." in second.status.text())
    assert "not on Alyx yet" in second.status.text()
    assert "it is being sent" not in second.status.text()
    proxy.release()
    bench.recorded(second)
