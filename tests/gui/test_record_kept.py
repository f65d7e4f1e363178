"""What was pressed is kept, and what was typed is asked about before it goes: *Record weight…* and *Give water…*."""

from __future__ import annotations

import pytest
from AnyQt.QtCore import Qt

from pybpod_alyx_module.gui.animals.record_dialog import NOT_COMPARED
from pybpod_alyx_module.gui.animals.water_dialog import GIVE_WATER, WaterDialog
from pybpod_alyx_module.gui.animals.weight_dialog import RECORD_WEIGHT, WeightDialog
from pybpod_alyx_module.gui.outbox.edit_dialog import EditDialog
from pybpod_alyx_module.gui.outbox.status_bar import ClosingQuestion
from pybpod_alyx_module.outbox.items import Draft, Kind, State
from tests.gui.hands import living, press, wait
from tests.gui.rig_windows import Bench, alyx, alyx_home, bench, outbox, proxy

__all__ = ["alyx", "alyx_home", "bench", "outbox", "proxy"]

KINDS = {RECORD_WEIGHT: WeightDialog, GIVE_WATER: WaterDialog}
#: A weight and an amount that nothing speaks against, and those that are asked about.
USUAL = {RECORD_WEIGHT: "23.9", GIVE_WATER: "0.3"}
DOUBTFUL = {RECORD_WEIGHT: "51", GIVE_WATER: "90"}


@pytest.fixture
def slow(project, alyx, outbox, qtbot, menu, proxy):
    """A project behind a proxy that answers nothing about animals before it is released."""
    bench = Bench(project, alyx, qtbot, menu, proxy.url)
    bench.log_in()
    return bench


def begin(bench, label, nickname="free"):
    """Open a dialog, whether or not Alyx has answered."""
    before = living(KINDS[label])
    bench.menu.trigger(bench.subject(nickname).node, label)
    (dialog,) = [one for one in living(KINDS[label]) if one not in before]
    return dialog


def filled(bench, label, text, nickname="free"):
    dialog = bench.open(KINDS[label], nickname, label)
    bench.type(dialog.first_field(), text)
    return dialog


def only_item(outbox):
    (item,) = outbox.open().items()
    return item


@pytest.mark.parametrize("label", KINDS)
def test_pressed_while_alyx_is_asked_it_is_safe_at_once(slow, outbox, proxy, label):
    proxy.fault("mute", method="GET", times=100_000)
    dialog = begin(slow, label)
    slow.type(dialog.first_field(), USUAL[label])
    press(slow.qtbot, dialog.record_button)
    wait(slow.qtbot, lambda: dialog.recorder.held is not None)
    assert dialog.recorder.fetching
    item = only_item(outbox)
    assert (item.state, item.reason) == (State.PARKED, NOT_COMPARED)
    assert "kept on this computer" in dialog.status.text()


@pytest.mark.parametrize("label", KINDS)
def test_closed_while_it_is_compared_it_is_sent_all_the_same(slow, outbox, proxy, label):
    proxy.fault("hold", method="GET", times=100_000)
    dialog = begin(slow, label)
    slow.type(dialog.first_field(), USUAL[label])
    press(slow.qtbot, dialog.record_button)
    wait(slow.qtbot, lambda: dialog.recorder.held is not None)
    slow.qtbot.keyClick(dialog, Qt.Key_Escape)
    slow.qtbot.keyClick(dialog, Qt.Key_Escape)
    assert not dialog.isVisible()
    proxy.release()
    wait(slow.qtbot, lambda: only_item(outbox).state is State.SENT)
    wait(slow.qtbot, lambda: not living(KINDS[label]))


@pytest.mark.parametrize("label", KINDS)
def test_closed_while_it_is_compared_it_comes_back_with_a_question(slow, outbox, proxy, label):
    proxy.fault("hold", method="GET", times=100_000)
    dialog = begin(slow, label, "culled")
    slow.type(dialog.first_field(), DOUBTFUL[label])
    press(slow.qtbot, dialog.record_button)
    wait(slow.qtbot, lambda: dialog.recorder.held is not None)
    dialog.close()
    assert not dialog.isVisible()
    proxy.release()
    wait(slow.qtbot, dialog.question.isVisible)
    assert dialog.isVisible()
    wait(slow.qtbot, lambda: only_item(outbox).reason not in ("", NOT_COMPARED))
    press(slow.qtbot, dialog.question.anyway_button)
    wait(slow.qtbot, lambda: dialog.is_recorded)


@pytest.mark.parametrize("label", KINDS)
def test_a_question_is_about_a_record_that_is_safe_and_can_be_taken_back(bench, outbox, label):
    dialog = filled(bench, label, DOUBTFUL[label], "watered")
    press(bench.qtbot, dialog.record_button)
    wait(bench.qtbot, dialog.question.isVisible)
    assert only_item(outbox).state is State.PARKED
    assert only_item(outbox).reason
    bench.qtbot.keyClick(dialog, Qt.Key_Escape)  # goes back to the field, and no further
    assert dialog.isVisible()
    wait(bench.qtbot, lambda: only_item(outbox).state is State.DISCARDED)
    bench.type(dialog.first_field(), USUAL[label])
    press(bench.qtbot, dialog.record_button)
    bench.recorded(dialog)
    assert [item.state for item in outbox.open().items()] == [State.DISCARDED, State.SENT]


@pytest.mark.parametrize("label", KINDS)
def test_a_window_that_is_closed_over_its_question_says_where_the_record_is(bench, outbox, dialogs, label):
    dialog = filled(bench, label, DOUBTFUL[label], "watered")
    press(bench.qtbot, dialog.record_button)
    wait(bench.qtbot, dialog.question.isVisible)
    dialog.close()
    wait(bench.qtbot, lambda: not living(KINDS[label]))
    assert only_item(outbox).state is State.PARKED
    assert "has not been sent" in dialogs.log[-1][1]


@pytest.mark.parametrize("label", KINDS)
def test_what_is_being_taken_back_is_not_told_to_wait(bench, outbox, dialogs, label):
    dialog = filled(bench, label, DOUBTFUL[label], "watered")
    press(bench.qtbot, dialog.record_button)
    wait(bench.qtbot, dialog.question.isVisible)
    dialog.question.back_button.click()
    dialog.close()
    dialog.question.anyway_button.click()  # without recording
    wait(bench.qtbot, lambda: not living(KINDS[label]))
    wait(bench.qtbot, lambda: only_item(outbox).state is State.DISCARDED)
    assert dialogs.log == []


@pytest.mark.parametrize("label", KINDS)
def test_what_is_decided_in_the_outbox_is_decided(bench, outbox, label):
    dialog = filled(bench, label, DOUBTFUL[label], "thirsty")
    press(bench.qtbot, dialog.record_button)
    wait(bench.qtbot, dialog.question.isVisible)
    outbox.open().retry(only_item(outbox).key)
    wait(bench.qtbot, lambda: dialog.is_recorded)
    dialog.close()
    again = filled(bench, label, DOUBTFUL[label], "watered")
    press(bench.qtbot, again.record_button)
    wait(bench.qtbot, again.question.isVisible)
    outbox.open().discard(outbox.open().items()[-1].key)
    wait(bench.qtbot, lambda: not again.question.isVisible())
    assert again.record_button.isVisible()


@pytest.mark.parametrize("label", KINDS)
@pytest.mark.parametrize("door", ["Escape", "close", "reject"])
def test_what_was_typed_is_asked_about_once(bench, outbox, label, door):
    def leave():
        if door == "Escape":
            bench.qtbot.keyClick(dialog, Qt.Key_Escape)
        else:
            getattr(dialog, door)()

    dialog = filled(bench, label, USUAL[label])
    leave()
    if door == "close":
        dialog.close()  # the second click of a double one
    assert dialog.isVisible()
    assert dialog.question.isVisible()
    assert dialog.focusWidget() is dialog.question.back_button
    bench.qtbot.keyClick(dialog.question.back_button, Qt.Key_Return)
    assert not dialog.question.isVisible()
    assert dialog.first_field().text() == USUAL[label]
    leave()
    press(bench.qtbot, dialog.question.anyway_button)
    wait(bench.qtbot, lambda: not living(KINDS[label]))
    assert outbox.open().items() == ()


@pytest.mark.parametrize("label", KINDS)
def test_two_quick_escapes_lose_nothing(bench, label):
    dialog = filled(bench, label, USUAL[label])
    bench.qtbot.keyClick(dialog, Qt.Key_Escape)
    bench.qtbot.keyClick(dialog, Qt.Key_Escape)
    assert dialog.isVisible()
    assert dialog.first_field().text() == USUAL[label]


@pytest.mark.usefixtures("quick_retries")
def test_with_alyx_away_a_weight_is_compared_with_the_projects_copy(slow, outbox, proxy):
    record = {"species": "Mus musculus", "reference_weight": 25.0, "alyx_synced_at": "2026-11-20T10:00:00+00:00"}
    subject = slow.subject("free", **record)
    proxy.fault("drop", times=100_000)
    dialog = slow.open(WeightDialog, subject, RECORD_WEIGHT)
    assert "project's copy, synced on 2026-11-20: species Mus musculus" in dialog.facts.text()
    slow.type(dialog.first_field(), "240")
    press(slow.qtbot, dialog.record_button)
    wait(slow.qtbot, dialog.question.isVisible)
    assert "outside what an animal of the species Mus musculus can weigh" in dialog.question.text.text()
    press(slow.qtbot, dialog.question.back_button)
    slow.type(dialog.first_field(), "24")
    press(slow.qtbot, dialog.record_button)
    wait(slow.qtbot, lambda: dialog.is_recorded)
    item = outbox.open().items()[-1]
    assert (item.values["weight"], item.origin["species"]) == (24.0, "Mus musculus")


def test_a_correction_in_the_outbox_is_checked_as_the_dialog_does(bench, outbox, host):
    draft = Draft(
        kind=Kind.WEIGHING,
        server=bench.url,
        username=bench.alyx.username,
        subject_id=bench.alyx.row("free")["id"],
        subject_name="free",
        values={"weight": 24.0, "date_time": "2026-11-20T10:00:00"},
        held="It was recorded by a test.",
        origin={"species": "Mus musculus", "reference_weight": 25.0},
    )
    item = outbox.open().add(draft)
    dialog = EditDialog(item, outbox, host)
    bench.qtbot.addWidget(dialog)
    dialog.show()
    dialog.fields["weight"].setText("2400")
    press(bench.qtbot, dialog.save_button)
    assert "outside what an animal of the species Mus musculus can weigh" in dialog.problem.text()
    dialog.fields["weight"].setText("2300")
    press(bench.qtbot, dialog.save_button)  # another weight is another question
    assert outbox.open().item(item.key).state is State.PARKED
    dialog.fields["weight"].setText("24.4")
    press(bench.qtbot, dialog.save_button)
    wait(bench.qtbot, lambda: outbox.open().item(item.key).state is State.SENT)
    assert outbox.open().item(item.key).values["weight"] == 24.4


@pytest.mark.parametrize("label", KINDS)
def test_pybpod_says_what_was_typed_before_it_closes(bench, host, label):
    dialog = filled(bench, label, USUAL[label])
    assert not host.window().close()
    (question,) = living(ClosingQuestion)
    assert question.text.text() == "Not recorded yet: what you typed for free."
    press(bench.qtbot, question.stay_button)
    assert dialog.isVisible()
    assert host.window().isVisible()


@pytest.mark.parametrize("label", KINDS)
def test_nothing_typed_is_not_asked_about(bench, outbox, label):
    dialog = bench.open(KINDS[label], "free", label)
    bench.qtbot.keyClick(dialog, Qt.Key_Escape)
    wait(bench.qtbot, lambda: not living(KINDS[label]))
    assert outbox.open().items() == ()
