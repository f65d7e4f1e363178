"""Record weight… in the real PyBpod: the right animal, the right time, and what is asked before."""

from __future__ import annotations

import datetime as dt
import time

import pytest
from AnyQt.QtCore import QDateTime, Qt

from pybpod_alyx_module.gui.animals.weight_dialog import RECORD_WEIGHT, WeightDialog
from pybpod_alyx_module.outbox.items import Kind, State
from pybpod_alyx_module.outbox.words import is_computer_time
from tests.gui.hands import SUBJECT_ENTRIES, living, press, small_enough, wait
from tests.gui.rig_windows import Bench, alyx, alyx_home, bench, outbox, proxy

__all__ = ["alyx", "alyx_home", "bench", "outbox", "proxy"]


def weigh(bench, subject) -> WeightDialog:
    return bench.open(WeightDialog, subject, RECORD_WEIGHT)


def asked(bench, dialog) -> None:
    """Wait until the record is safe in the outbox, and a question is open about it."""
    wait(bench.qtbot, dialog.question.isVisible)
    assert dialog.recorder.held.state is State.PARKED


def weights(alyx, nickname) -> list[float]:
    return [row["weight"] for row in alyx.of("weighings", nickname)]


def test_only_alyx_subjects_have_the_entries(bench, menu):
    linked, plain = bench.subject("free"), bench.project.create_subject()
    assert menu.labels(linked.node)[-3:] == SUBJECT_ENTRIES
    assert not {"Record weight…", "Give water…"} & set(menu.labels(plain.node))
    linked.alyx = None
    assert not {"Alyx details", "Record weight…", "Give water…"} & set(menu.labels(linked.node))


def test_a_weight_arrives_for_the_right_animal_at_the_right_time(bench, alyx):
    before = dt.datetime.now(dt.timezone.utc).replace(tzinfo=None, microsecond=0)
    dialog = weigh(bench, "east")  # its lab is 14 hours ahead
    assert (dialog.user.whole, dialog.animal.whole) == (f"as jose at {bench.url[7:]}", "east")
    assert small_enough(dialog)
    bench.type(dialog.weight.edit, "23,95")
    press(bench.qtbot, dialog.record_button)
    bench.recorded(dialog)
    (row,) = [row for row in alyx.of("weighings", "east") if row["weight"] == 23.95]
    after = dt.datetime.now(dt.timezone.utc).replace(tzinfo=None)
    moment = dt.datetime.fromisoformat(row["date_time"])  # on the server's clock, in UTC
    assert before <= moment <= after + dt.timedelta(seconds=1)
    assert row["user"] == "jose"
    assert f"23.95 g for east, {moment + dt.timedelta(hours=14):%Y-%m-%d %H:%M} lab time" in dialog.status.text()
    last = weigh(bench, "east").overview.state.last_weight
    assert (float(last.grams), last.when) == (23.95, moment + dt.timedelta(hours=14))
    assert 23.95 not in weights(alyx, "free")


def test_a_server_on_another_clock_is_told_of_once(bench):
    dialog = weigh(bench, "east")
    assert dialog.notice.isVisible()
    assert "Alyx's server keeps UTC, 14 h behind this lab." in dialog.notice.text()
    assert "after 10:00 counts for tomorrow" in dialog.notice.text()
    assert small_enough(dialog)
    dialog.close()
    second = weigh(bench, bench.project.subjects[-1])
    assert not second.notice.isVisible()
    second.close()
    assert not weigh(bench, "free").notice.isVisible()  # its lab is in the server's zone


@pytest.mark.usefixtures("quick_retries")
def test_with_alyx_away_the_time_is_that_of_the_lab_as_told_before(project, alyx, outbox, proxy, qtbot, menu):
    bench = Bench(project, alyx, qtbot, menu, proxy.url)
    bench.log_in()
    subject = bench.subject("east")  # its lab is 14 hours ahead
    weigh(bench, subject).close()
    proxy.fault("drop", times=10_000)
    menu.trigger(subject.node, RECORD_WEIGHT)
    (dialog,) = [one for one in living(WeightDialog) if one.isVisible()]
    assert "Pacific/Kiritimati" in dialog.time.zone_note.text()  # before anything was asked
    bench.asked(dialog)
    assert "Pacific/Kiritimati" in dialog.time.zone_note.text()
    assert dialog.overview.state.day == dialog.time.lab_now().date()
    bench.type(dialog.weight.edit, "23.91")
    press(qtbot, dialog.record_button)
    if dialog.question.isVisible():
        press(qtbot, dialog.question.anyway_button)
    wait(qtbot, lambda: dialog.is_recorded)
    in_lab = dt.datetime.now(dt.timezone.utc) + dt.timedelta(hours=14)
    recorded = dt.datetime.fromisoformat(dialog.recorder.item.values["date_time"]).replace(tzinfo=None)
    assert abs(recorded - in_lab.replace(tzinfo=None)) < dt.timedelta(minutes=5)


@pytest.mark.usefixtures("quick_retries")
def test_where_the_zone_was_never_told_the_record_has_this_computers_moment_and_says_so(
    project, alyx, outbox, proxy, qtbot, menu, monkeypatch
):
    monkeypatch.setenv("TZ", "Asia/Tokyo")
    time.tzset()
    try:
        bench = Bench(project, alyx, qtbot, menu, proxy.url)
        bench.log_in()
        subject = bench.subject("east")
        proxy.fault("drop", times=100_000)
        dialog = weigh(bench, subject)
        assert "zone unknown: this computer's time" in dialog.time.zone_note.text()
        bench.type(dialog.weight.edit, "23.87")
        press(qtbot, dialog.record_button)
        if dialog.question.isVisible():
            press(qtbot, dialog.question.anyway_button)
        wait(qtbot, lambda: dialog.is_recorded)
        item = dialog.recorder.item
        assert item.values["date_time"][26:] == "+09:00"
        assert is_computer_time(item)
        assert "this computer's time" in dialog.status.text()
        proxy._faults.clear()
        outbox.wake()
        bench.recorded(dialog)
    finally:
        monkeypatch.undo()
        time.tzset()
    (row,) = [row for row in alyx.of("weighings", "east") if row["weight"] == 23.87]
    moment = dt.datetime.fromisoformat(item.values["date_time"]).astimezone(dt.timezone.utc)
    assert row["date_time"] == moment.replace(tzinfo=None).isoformat()  # on the server's clock, in UTC


def test_as_typed_it_is_judged_by_the_servers_numbers(bench):
    dialog = weigh(bench, "thirsty")  # 25 g reference, 3 g implant
    assert "Last weight: 23.9 g on" in dialog.facts.text()
    bench.type(dialog.weight.edit, "20")
    text = dialog.facts.text()
    judged = dialog.overview.state.requirement.today
    share = 100 * (20 - judged.implant_weight) / (judged.expected_weight - judged.implant_weight)
    assert f"{share:.1f} % of the expected" in text
    assert "implant of 3.0 g off both" in text
    assert "below the minimum of" in dialog.verdict.text()


@pytest.mark.parametrize(("typed", "colour"), [("21", "#FFE2C9"), ("16", "#FFC9D2")])
def test_below_the_minimum_is_large_in_the_colour_of_alyx_and_asked_about(bench, outbox, typed, colour):
    dialog = weigh(bench, "thirsty")
    bench.type(dialog.weight.edit, "23.5")
    assert not dialog.verdict.isVisible()
    bench.type(dialog.weight.edit, typed)
    assert dialog.verdict.text().startswith("Too light: ")
    assert colour in dialog.verdict.styleSheet()
    assert dialog.verdict.font().pointSize() > dialog.facts.font().pointSize()
    assert small_enough(dialog)
    press(bench.qtbot, dialog.record_button)
    asked(bench, dialog)
    assert dialog.verdict.isVisible()
    assert "minimum" not in dialog.question.text.text() + dialog.facts.text()  # said once
    assert "below the minimum of" in outbox.open().items()[-1].reason


def test_no_limit_is_said(bench):
    record = bench.alyx.client.list("subjects", {"nickname": "delegated"})[0]
    dialog = weigh(bench, bench.subject("free", **{key: record[key] for key in ("id", "lab", "responsible_user")}))
    assert dialog.overview.state.name == "delegated"
    assert dialog.animal.whole == "free (on Alyx: delegated)"
    assert "Last weight: no limit set on Alyx" in dialog.facts.text()
    bench.type(dialog.weight.edit, "24")
    assert "As typed: no limit set on Alyx" in dialog.facts.text()


def test_a_jump_is_asked_about_and_corrected(bench, alyx):
    dialog = weigh(bench, "culled")
    bench.type(dialog.weight.edit, "42.5")
    press(bench.qtbot, dialog.record_button)
    asked(bench, dialog)
    assert "42.5 g is 79.3 % more than the 23.7 g of culled" in dialog.question.text.text()
    assert dialog.question.anyway_button.text() == "Record 42.5 g for culled"
    assert dialog.weight.edit.isReadOnly()
    assert dialog.focusWidget() is dialog.question.back_button
    bench.qtbot.keyClick(dialog.question.back_button, Qt.Key_Return)  # Enter does the safe thing
    assert not dialog.question.isVisible()
    bench.type(dialog.weight.edit, "24.5")
    press(bench.qtbot, dialog.record_button)
    bench.recorded(dialog)
    assert 24.5 in weights(alyx, "culled")
    assert 42.5 not in weights(alyx, "culled")


def test_a_jump_that_is_meant_is_recorded(bench, alyx):
    dialog = weigh(bench, "watered")
    bench.type(dialog.weight.edit, "19")
    press(bench.qtbot, dialog.record_button)
    asked(bench, dialog)
    assert "less than the 23.9 g of watered" in dialog.question.text.text()
    press(bench.qtbot, dialog.question.anyway_button)
    bench.recorded(dialog)
    assert 19.0 in weights(alyx, "watered")


def test_it_is_said_that_it_fits_another_animal(bench, alyx):
    moment = dt.datetime.now(dt.timezone.utc).replace(tzinfo=None, microsecond=0).isoformat()
    alyx.client.post("weighings", {"subject": "numbered", "weight": 31.2, "date_time": moment, "user": "jose"})
    dialog = weigh(bench, "released")
    bench.type(dialog.weight.edit, "31.2")
    press(bench.qtbot, dialog.record_button)
    wait(bench.qtbot, lambda: "It fits numbered better than released: 31.2 g" in dialog.question.text.text())


def test_a_setting_that_cannot_be_used_is_said(bench, pybpod_settings, monkeypatch):
    monkeypatch.setattr(pybpod_settings, "ALYX_PLUGIN_WEIGHT_CHANGE_PERCENT", "ten", raising=False)
    assert "ALYX_PLUGIN_WEIGHT_CHANGE_PERCENT in user_settings.py must be" in weigh(bench, "culled").facts.text()


def test_the_percentage_of_the_setting_counts(bench, alyx, pybpod_settings, monkeypatch):
    monkeypatch.setattr(pybpod_settings, "ALYX_PLUGIN_WEIGHT_CHANGE_PERCENT", 50, raising=False)
    dialog = weigh(bench, "released")
    bench.type(dialog.weight.edit, "30.1")
    press(bench.qtbot, dialog.record_button)
    bench.recorded(dialog)
    assert 30.1 in weights(alyx, "released")


@pytest.mark.parametrize("typed", ["", "abc", "-3", "0", "24.5 kg", "2.4.5"])
def test_what_is_no_weight_is_said_and_kept(bench, alyx, outbox, typed):
    dialog = weigh(bench, "free")
    count = len(weights(alyx, "free"))
    bench.type(dialog.weight.edit, typed)
    press(bench.qtbot, dialog.record_button)
    assert "weight" in dialog.problem.text()
    assert dialog.weight.edit.text() == typed
    assert outbox.open().items() == ()
    assert len(weights(alyx, "free")) == count


def test_a_time_to_come_is_refused_and_an_earlier_one_counts(bench, alyx):
    dialog = weigh(bench, "free")
    bench.type(dialog.weight.edit, "23.7")
    now = dialog.time.lab_now()
    dialog.time.edit.setDateTime(QDateTime(now + dt.timedelta(hours=2)))
    press(bench.qtbot, dialog.record_button)
    assert "is in the future" in dialog.problem.text()
    earlier = (now - dt.timedelta(hours=30)).replace(second=0)
    dialog.time.edit.setDateTime(QDateTime(earlier))
    press(bench.qtbot, dialog.record_button)
    bench.recorded(dialog)
    rows = [row for row in alyx.of("weighings", "free") if row["weight"] == 23.7 and row["user"] == "jose"]
    assert earlier in [dt.datetime.fromisoformat(row["date_time"]).replace(microsecond=0) for row in rows]


def test_enter_in_the_field_records(bench, alyx, outbox):
    dialog = weigh(bench, "free")
    bench.qtbot.keyClick(dialog.weight.edit, Qt.Key_Return)
    assert "weight" in dialog.problem.text()
    assert outbox.open().items() == ()
    bench.type(dialog.weight.edit, "24.06")
    bench.qtbot.keyClick(dialog.weight.edit, Qt.Key_Return)
    bench.qtbot.keyClick(dialog.weight.edit, Qt.Key_Return)  # a second one, before it is recorded
    bench.recorded(dialog)
    assert weights(alyx, "free").count(24.06) == 1


@pytest.mark.usefixtures("quick_retries")
def test_no_server_it_is_said_and_recorded_all_the_same(project, alyx, outbox, qtbot, menu, proxy):
    bench = Bench(project, alyx, qtbot, menu, proxy.url)
    bench.log_in()
    subject = bench.subject("free")
    proxy.fault("drop", times=100_000)
    dialog = weigh(bench, subject)
    assert "kept on this computer and sent later" in dialog.status.text()
    assert dialog.again_button.isVisible()
    bench.type(dialog.weight.edit, "24.44")
    press(qtbot, dialog.record_button)
    wait(qtbot, lambda: "Kept on this computer; not on Alyx yet." in dialog.status.text())
    (item,) = outbox.open().items()
    assert (item.kind, item.values["weight"], item.subject_id) == (Kind.WEIGHING, 24.44, alyx.row("free")["id"])
    dialog.close()
    again = weigh(bench, subject)  # what waits is shown
    assert "Not on Alyx yet: 24.44 g at" in again.facts.text()
    again.close()
    proxy._faults.clear()
    outbox.wake()
    wait(qtbot, lambda: 24.44 in weights(alyx, "free"))
    assert weights(alyx, "free").count(24.44) == 1


def test_what_waits_is_compared_with(project, alyx, outbox, qtbot, menu, proxy):
    bench = Bench(project, alyx, qtbot, menu, proxy.url)
    bench.log_in()
    subject = bench.subject("never_weighed")
    proxy.fault("drop", method="POST", times=100_000)
    dialog = weigh(bench, subject)
    assert "Last weight: none in the last days" in dialog.facts.text()
    bench.type(dialog.weight.edit, "25")
    press(qtbot, dialog.record_button)
    wait(qtbot, lambda: dialog.is_recorded)
    dialog.close()
    again = weigh(bench, subject)
    assert "Last weight: 25.0 g" in again.facts.text()
    bench.type(again.weight.edit, "35")
    press(qtbot, again.record_button)
    asked(bench, again)
    assert "35.0 g is 40.0 % more than the 25.0 g of never_weighed" in again.question.text.text()


def test_nobody_logged_in_is_said(project, alyx, outbox, qtbot, menu):
    bench = Bench(project, alyx, qtbot, menu, alyx.url)
    dialog = weigh(bench, "free")
    assert "Nobody is logged in at" in dialog.status.text()
    bench.type(dialog.weight.edit, "24")
    press(qtbot, dialog.record_button)
    assert "Nobody is logged in" in dialog.problem.text()
    assert dialog.weight.edit.text() == "24"
    assert outbox.open().items() == ()


def test_a_test_subject_is_refused(bench, pybpod_settings, monkeypatch, dialogs):
    monkeypatch.setattr(pybpod_settings, "ALYX_PLUGIN_TEST_SUBJECTS", ["FREE"], raising=False)
    bench.subject("free").record_alyx_weight()
    assert not living(WeightDialog)
    assert "free is a test subject" in dialogs.log[-1][1]


def test_a_subject_without_a_server_is_refused(bench, dialogs):
    bench.subject("free", alyx_server=None).record_alyx_weight()
    assert not living(WeightDialog)
    assert "does not name its Alyx server" in dialogs.log[-1][1]
    assert "Merge or Override" in dialogs.log[-1][1]


def test_the_dialog_that_is_open_comes_up_again(bench):
    subject = bench.subject("free")
    dialog = weigh(bench, subject)
    bench.type(dialog.weight.edit, "24")
    assert weigh(bench, subject) is dialog
    assert dialog.weight.edit.text() == "24"


def test_a_project_that_is_closed_meanwhile(bench, host, alyx):
    empty, typed = weigh(bench, "free"), weigh_second(bench)
    bench.project.close(silent=True)
    assert not empty.isVisible()
    assert "The PyBpod project was closed. What you typed can still be recorded" in typed.notice.text()
    press(bench.qtbot, typed.record_button)
    bench.recorded(typed)
    assert 24.02 in weights(alyx, "culled")


def weigh_second(bench) -> WeightDialog:
    subject = bench.subject("culled")
    bench.menu.trigger(subject.node, RECORD_WEIGHT)
    (dialog,) = [one for one in living(WeightDialog) if one.alyx_subject.name == "culled"]
    bench.asked(dialog)
    bench.type(dialog.weight.edit, "24.02")
    return dialog


def test_an_outbox_that_cannot_be_written_keeps_what_was_typed(project, alyx, outbox, alyx_home, qtbot, menu):
    bench = Bench(project, alyx, qtbot, menu, alyx.url)
    bench.log_in()
    (alyx_home / "outbox.sqlite").mkdir()
    dialog = weigh(bench, "free")
    bench.type(dialog.weight.edit, "24.3")
    press(qtbot, dialog.record_button)
    wait(qtbot, lambda: "outbox" in dialog.problem.text())
    assert dialog.weight.edit.text() == "24.3"
    assert dialog.record_button.isEnabled()


def test_one_that_is_parked_is_shown(bench, outbox):
    dialog = weigh(bench, "dead")
    assert "dead is not alive on Alyx (death date" in dialog.facts.text()
    bench.type(dialog.weight.edit, "24")
    press(bench.qtbot, dialog.record_button)
    asked(bench, dialog)
    assert "not alive" in dialog.question.text.text()
    press(bench.qtbot, dialog.question.anyway_button)
    settled = {State.SENT, State.PARKED}
    wait(bench.qtbot, lambda: dialog.is_recorded)
    wait(bench.qtbot, lambda: [item for item in outbox.open().items() if item.state in settled])


def test_the_tree_marks_an_animal_that_is_too_light_until_it_is_not(bench, alyx):
    subject = bench.subject("thirsty")
    plain = subject.node.icon(0).cacheKey()
    dialog = weigh(bench, subject)
    assert "above the minimum of 21.7 g (as of " in subject.node.toolTip(0)
    assert subject.node.icon(0).cacheKey() == plain
    bench.type(dialog.weight.edit, "20.5")
    press(bench.qtbot, dialog.record_button)
    wait(bench.qtbot, dialog.question.isVisible)
    assert subject.node.icon(0).cacheKey() == plain  # it is not recorded yet
    press(bench.qtbot, dialog.question.anyway_button)
    bench.recorded(dialog)
    assert "Too light: 20.5 g on " in subject.node.toolTip(0)
    assert subject.node.icon(0).cacheKey() != plain
    again = weigh(bench, subject)
    bench.type(again.weight.edit, "21.8")
    press(bench.qtbot, again.record_button)
    bench.recorded(again)
    assert "Last weight: 21.8 g on " in subject.node.toolTip(0)
    assert subject.node.icon(0).cacheKey() == plain
