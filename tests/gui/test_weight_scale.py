"""Record weight… with a scale at a simulated serial port."""

from __future__ import annotations

import pytest
from AnyQt.QtCore import QTimer

from pybpod_alyx_module.animals.alyx_subject import alyx_subject_of
from pybpod_alyx_module.gui.animals.weight_dialog import RECORD_WEIGHT, WeightDialog
from tests.gui.hands import activate, living, press, small_enough, wait
from tests.gui.rig_windows import alyx, alyx_home, bench, outbox
from tests.system.test_scale import FakeScale, scale
from tests.system.test_scale_makes import Asked, transcript

__all__ = ["alyx", "alyx_home", "bench", "outbox", "scale"]


class Sending:
    """A scale that sends its line all the while, as real ones do."""

    def __init__(self, scale: FakeScale) -> None:
        self.line = "0.0 g"
        self._scale = scale
        self._timer = QTimer(interval=20)
        self._timer.timeout.connect(lambda: scale.send(self.line))
        self._timer.start()

    def stop(self) -> None:
        self._timer.stop()


@pytest.fixture
def sending(scale, pybpod_settings, monkeypatch):
    monkeypatch.setattr(pybpod_settings, "ALYX_PLUGIN_SCALE_PORT", str(scale.port), raising=False)
    sending = Sending(scale)
    yield sending
    sending.stop()


def weigh(bench, nickname="culled") -> WeightDialog:
    return bench.open(WeightDialog, nickname, RECORD_WEIGHT)


def ready(bench, nickname="culled") -> WeightDialog:
    """A dialog that has seen the empty pan."""
    dialog = weigh(bench, nickname)
    wait(bench.qtbot, lambda: dialog.weight.scale.text().endswith(": 0.00 g"))
    return dialog


def test_a_stable_reading_fills_the_field_and_is_recorded(bench, sending, alyx):
    dialog = ready(bench)
    assert dialog.weight.edit.text() == ""  # an empty scale is no weight
    sending.line = "ST,+00024.30  g"
    wait(bench.qtbot, lambda: dialog.weight.edit.text() == "24.3")
    assert dialog.weight.source.text() == "from the scale"
    assert "As typed:" in dialog.facts.text()
    press(bench.qtbot, dialog.record_button)
    bench.recorded(dialog)
    assert 24.3 in [row["weight"] for row in alyx.of("weighings", "culled")]


def test_a_reading_expires(bench, sending, monkeypatch):
    dialog = ready(bench)
    sending.line = "24.3 g"
    wait(bench.qtbot, lambda: dialog.weight.edit.text() == "24.3")
    sending.line = "0.0 g"  # the animal is taken off
    wait(bench.qtbot, lambda: ": 0.00 g" in dialog.weight.scale.text())
    assert dialog.weight._expiry.isActive()
    dialog.weight._expiry.setInterval(1)
    wait(bench.qtbot, lambda: dialog.weight.edit.text() == "")
    assert dialog.weight.source.text() == ""


def test_a_weight_that_drifts_fills_nothing(bench, sending):
    dialog = ready(bench)
    sending.line = "24.5 g\r\n24.6 g"
    shown = []  # by each reading: two that come at once leave only the second one to be looked at
    dialog.weight._scale.sent.connect(lambda _sent: shown.append(dialog.weight.scale.text().partition(": ")[2]))
    drifting = ("24.60 g, not at rest", "24.50 g, not at rest")
    wait(bench.qtbot, lambda: all(shown.count(text) >= 2 for text in drifting))
    assert dialog.weight.edit.text() == ""


def test_an_unplugged_scale_is_said_and_its_last_reading_expires(bench, sending, scale):
    dialog = ready(bench)
    sending.line = "24.3 g"
    wait(bench.qtbot, lambda: dialog.weight.edit.text() == "24.3")
    sending.stop()
    scale.unplug()
    wait(bench.qtbot, lambda: "cannot be opened" in dialog.weight.scale.text())
    assert dialog.weight._expiry.isActive()


def test_what_is_typed_over_stays(bench, sending):
    dialog = ready(bench)
    sending.line = "24.3 g"
    wait(bench.qtbot, lambda: dialog.weight.edit.text() == "24.3")
    bench.type(dialog.weight.edit, "25.1")
    assert dialog.weight.source.text() == ""
    assert not dialog.weight._expiry.isActive()
    sending.line = "24.9 g"
    wait(bench.qtbot, lambda: ": 24.90 g" in dialog.weight.scale.text())
    assert dialog.weight.edit.text() == "25.1"


def test_a_reading_that_is_asked_about_stays_while_it_is(bench, sending):
    dialog = ready(bench)
    sending.line = "44.3 g"
    wait(bench.qtbot, lambda: dialog.weight.edit.text() == "44.3")
    press(bench.qtbot, dialog.record_button)
    wait(bench.qtbot, dialog.question.isVisible)
    assert "44.3 g" in dialog.question.anyway_button.text()
    sending.line = "12.0 g"
    wait(bench.qtbot, lambda: ": 12.00 g" in dialog.weight.scale.text())
    assert dialog.weight.edit.text() == "44.3"
    assert not dialog.weight._expiry.isActive()
    press(bench.qtbot, dialog.question.back_button)
    wait(bench.qtbot, lambda: dialog.weight.edit.text() == "12")


def test_a_scale_that_is_not_there_is_said_and_one_can_type(bench, pybpod_settings, monkeypatch, tmp_path):
    monkeypatch.setattr(pybpod_settings, "ALYX_PLUGIN_SCALE_PORT", str(tmp_path / "none"), raising=False)
    dialog = weigh(bench, "released")
    wait(bench.qtbot, lambda: "cannot be opened" in dialog.weight.scale.text())
    bench.type(dialog.weight.edit, "24")
    assert dialog.record_button.isEnabled()


def test_the_port_is_free_for_the_next_animal(bench, sending):
    first = ready(bench)
    sending.line = "24.3 g"
    wait(bench.qtbot, lambda: first.weight.edit.text() == "24.3")
    first.close()
    second = weigh(bench, "released")
    wait(bench.qtbot, lambda: "Take the animal off first" in second.weight.scale.text())
    assert second.weight.edit.text() == ""
    assert small_enough(second)
    sending.line = "0.0 g"
    wait(bench.qtbot, lambda: second.weight.scale.text().endswith(": 0.00 g"))
    assert not second.weight.use_button.isVisible()
    sending.line = "25.3 g"
    wait(bench.qtbot, lambda: second.weight.edit.text() == "25.3")


def test_an_animal_that_is_on_the_pan_already_is_taken_when_somebody_says_so(bench, sending):
    sending.line = "24.3 g"
    dialog = weigh(bench)
    wait(bench.qtbot, dialog.weight.use_button.isVisible)
    assert dialog.weight.edit.text() == ""
    press(bench.qtbot, dialog.weight.use_button)
    assert dialog.weight.edit.text() == "24.3"
    assert dialog.weight.source.text() == "from the scale"
    assert not dialog.weight.use_button.isVisible()


def test_a_reading_belongs_to_the_window_in_front(bench, sending):
    behind, front = ready(bench, "culled"), ready_beside(bench, "released")
    sending.line = "24.3 g"
    wait(bench.qtbot, lambda: front.weight.edit.text() == "24.3")
    assert behind.weight.edit.text() == ""
    assert "go to the window in front" in behind.weight.scale.text()
    behind.activateWindow()
    wait(bench.qtbot, lambda: "go to the window in front" in front.weight.scale.text())
    wait(bench.qtbot, behind.weight.use_button.isVisible)  # the animal of the other window is still on the pan
    assert behind.weight.edit.text() == ""
    front.close()
    front.close()
    sending.line = "0.0 g"
    wait(bench.qtbot, lambda: behind.weight.scale.text().endswith(": 0.00 g"))
    sending.line = "22.2 g"
    wait(bench.qtbot, lambda: behind.weight.edit.text() == "22.2")


def ready_beside(bench, nickname) -> WeightDialog:
    """A second dialog, in front of the first."""
    bench.menu.trigger(bench.subject(nickname).node, RECORD_WEIGHT)
    (dialog,) = [one for one in living(WeightDialog) if one.alyx_subject.name == nickname]
    bench.asked(dialog)
    wait(bench.qtbot, lambda: dialog.weight.scale.text().endswith(": 0.00 g"))
    return dialog


@pytest.fixture
def at_port(scale, pybpod_settings, monkeypatch):
    monkeypatch.setattr(pybpod_settings, "ALYX_PLUGIN_SCALE_PORT", str(scale.port), raising=False)
    return scale


@pytest.mark.parametrize("name", ["ohaus_print_key", "aandd_print_key"])
def test_one_press_of_the_print_key_fills_the_field(bench, at_port, name):
    dialog = weigh(bench)
    wait(bench.qtbot, lambda: dialog.weight._scale._reader._port is not None)
    at_rest, moving = transcript(name)["steps"]
    at_port.send(*moving["sends"])
    wait(bench.qtbot, lambda: "24.60 g, not at rest" in dialog.weight.scale.text())
    at_port.send(*at_rest["sends"])
    wait(bench.qtbot, lambda: dialog.weight.edit.text() == "24.5")  # the net weight, though the pan was not seen empty
    assert dialog.weight.source.text() == "from the scale"
    assert not dialog.weight.use_button.isVisible()


def test_a_print_key_pressed_again_weighs_again(bench, at_port):
    dialog = weigh(bench)
    wait(bench.qtbot, lambda: dialog.weight._scale._reader._port is not None)
    for sent, filled in (("    24.50 g ", "24.5"), ("    24.80 g ", "24.8")):
        at_port.send(sent)
        wait(bench.qtbot, lambda filled=filled: dialog.weight.edit.text() == filled)


@pytest.mark.parametrize(
    ("command", "asked_with", "empty", "loaded"),
    [
        ("SI", b"SI\r\n", "S S      0.00 g", "S S     24.50 g"),
        ("IP", b"IP\r\n", "        0.00 g     ", "       24.50 g     "),
        ("\x1bP", b"\x1bP\r\n", "N     +    0.00 g  ", "N     +   24.50 g  "),
        (b"w", b"w", "       0.00 g  ", "      24.50 g  "),
    ],
)
def test_a_scale_that_has_to_be_asked_is_asked(
    bench, at_port, pybpod_settings, monkeypatch, command, asked_with, empty, loaded
):
    monkeypatch.setattr(pybpod_settings, "ALYX_PLUGIN_SCALE_ASK", command, raising=False)
    asked = Asked(at_port, asked_with, [[empty]])
    dialog = ready(bench)
    asked.answers = [[loaded]]
    wait(bench.qtbot, lambda: dialog.weight.edit.text() == "24.5")
    assert asked.wrong == []


def test_a_scale_is_not_asked_before_the_dialog_is_in_front(bench, at_port, pybpod_settings, monkeypatch):
    monkeypatch.setattr(pybpod_settings, "ALYX_PLUGIN_SCALE_ASK", "SI", raising=False)
    asked = Asked(at_port, b"SI\r\n", [["S S     24.50 g"]])
    dialog = WeightDialog(alyx_subject_of(bench.subject("culled")))
    wait(bench.qtbot, lambda: dialog.weight._scale._reader._port is not None)
    bench.qtbot.wait(50)
    assert asked.questions == 0
    dialog.show()
    activate(bench.qtbot, dialog)
    wait(bench.qtbot, dialog.weight.use_button.isVisible)
    dialog.close()


def test_overload_is_said_and_fills_nothing(bench, sending):
    dialog = ready(bench)
    sending.line = "OL,+9999999E+19"
    wait(bench.qtbot, lambda: "The scale reports overload." in dialog.weight.scale.text())
    assert dialog.weight.edit.text() == ""


def test_the_command_of_a_scale_that_cannot_be_used_is_named(bench, sending, pybpod_settings, monkeypatch):
    monkeypatch.setattr(pybpod_settings, "ALYX_PLUGIN_SCALE_ASK", 5, raising=False)
    dialog = weigh(bench)
    assert "ALYX_PLUGIN_SCALE_ASK in user_settings.py must be a command" in dialog.facts.text()
