"""Several people at one rig: who records is said, asked once, and never who was there before; in the real PyBpod."""

from __future__ import annotations

from dataclasses import replace
from functools import partial

import pytest
from AnyQt.QtCore import Qt

from alyx_connector.accounts import Accounts
from alyx_connector.http.client import AlyxClient
from pybpod_alyx_module.gui import running_outbox as running
from pybpod_alyx_module.gui.animals.water_dialog import GIVE_WATER, WaterDialog
from pybpod_alyx_module.gui.animals.weight_dialog import RECORD_WEIGHT, WeightDialog
from pybpod_alyx_module.gui.outbox.edit_dialog import EditDialog
from pybpod_alyx_module.gui.outbox.recorded_by_question import RecordedByQuestion
from pybpod_alyx_module.gui.sync.idle_log_out import IdleLogOut
from pybpod_alyx_module.gui.sync.log_in_dialog import LogInDialog
from pybpod_alyx_module.gui.sync.log_out_window import LOG_OUT, NOBODY, UNKNOWN, LogOutWindow
from pybpod_alyx_module.gui.sync.who_question import WhoQuestion
from pybpod_alyx_module.gui.today.window import TODAY, TodayWindow
from pybpod_alyx_module.host.alyx_user import alyx_user
from pybpod_alyx_module.outbox.items import Draft, Kind, State, WaitsFor
from pybpod_alyx_module.outbox.outbox import Outbox
from tests.gui.hands import connect, fill, living, open_window, press, small_enough, wait
from tests.gui.nobody_at_rig import known_at_the_rig, outbox_in_main_window
from tests.gui.outboxes import item, shown, text_of, wait_for
from tests.gui.rig_windows import Bench, alyx, alyx_home, bench, outbox, proxy

__all__ = ["alyx", "alyx_home", "bench", "known_at_the_rig", "outbox", "outbox_in_main_window", "proxy"]


@pytest.fixture
def behind(project, alyx, outbox, qtbot, menu, proxy) -> Bench:
    """A project whose Alyx is behind a proxy, after a restart of PyBpod: jose was connected last."""
    bench = Bench(project, alyx, qtbot, menu, proxy.url)
    bench.log_in()
    return bench


def connected(bench, user="jose", remember=True):
    window = open_window(bench.qtbot, bench.project, bench.menu)
    if remember and not window.form.remember.checked:
        window.form.remember.box.click()
    connect(bench.qtbot, window, bench.url, user, f"{user}-demo")
    assert window.connected, window.form.messages
    return window


def draft(bench, nickname="free", weight=23.5, user="jose"):
    subject_id = bench.alyx.row(nickname)["id"]
    values = {"weight": weight, "date_time": "2026-11-21T12:00:00"}
    return Draft(Kind.WEIGHING, bench.url, user, subject_id, nickname, values)


def put(bench, outbox, *drafts):
    from tests.gui.outboxes import put as put_into

    return put_into(bench.qtbot, outbox, *drafts)


def weighed(bench, nickname="free", text="23.9"):
    """Type a weight and press Record; nothing speaks against it."""
    for earlier in living(WeightDialog):
        earlier.close()
    dialog = bench.open(WeightDialog, nickname, RECORD_WEIGHT)
    bench.type(dialog.weight.edit, text)
    press(bench.qtbot, dialog.record_button)
    return dialog


def who(bench):
    """Wait for the question who is at the rig."""
    wait(bench.qtbot, lambda: living(WhoQuestion))
    (question,) = living(WhoQuestion)
    return question


def log_in(bench, user):
    """Type user and password into the dialog that is open."""
    (dialog,) = [one for one in living(LogInDialog) if one.isVisible()]
    if not dialog.username.isReadOnly():
        fill(bench.qtbot, dialog.username, user)
    fill(bench.qtbot, dialog.password, f"{user}-demo")
    press(bench.qtbot, dialog.log_in_button)
    wait(bench.qtbot, lambda: not living(LogInDialog))


def users(bench, weight):
    rows = bench.alyx.client.list("weighings", {"django": f"weight,{weight}"})
    return [row["user"] for row in rows]


# -- log out


def test_disconnect_logs_out_and_what_waits_is_sent_after_the_next_login(behind, outbox, proxy, qtbot, host):
    window = connected(behind)
    assert window.form.connect_button.text() == "Disconnect"
    assert Accounts().tokens.get(behind.url, "jose")
    proxy.fault("answer", times=1000, method="POST", path="/weighings", status=503, body={"detail": "down"})
    (added,) = put(behind, outbox, draft(behind, weight=23.51))
    wait(qtbot, lambda: proxy.count("POST", "/weighings"))
    press(qtbot, window.form.connect_button)
    wait(qtbot, lambda: not window.working)
    assert window.form.status.text() == "Status: Not connected"
    assert window.form.connect_button.text() == "Connect"
    assert "jose is logged out" in window.form.messages
    assert Accounts().tokens.get(behind.url, "jose") is None
    assert behind.project.node.text(0) == "Prj"
    assert alyx_user(behind.project) == ""
    wait(qtbot, lambda: item(qtbot, outbox, added.key).waits_for is WaitsFor.LOGIN)
    assert "jose is not logged in" in item(qtbot, outbox, added.key).reason
    proxy._faults.clear()
    page = shown(qtbot, host).waiting
    wait(qtbot, page.login_button.isVisible)
    assert text_of(page.table, 0, "State") == "log in to send"
    press(qtbot, page.login_button)
    log_in(behind, "jose")
    wait_for(qtbot, outbox, added.key, State.SENT)
    assert users(behind, 23.51) == ["jose"]


def test_what_is_being_sent_while_somebody_logs_out_arrives_once(behind, outbox, proxy, qtbot, menu):
    connected(behind)
    proxy.fault("hold", method="POST", path="/weighings")
    (added,) = put(behind, outbox, draft(behind, weight=23.52))
    proxy.wait_for(1, "POST", "/weighings")
    menu.trigger(behind.project.node, LOG_OUT)
    (window,) = living(LogOutWindow)
    wait(qtbot, lambda: window.buttons)
    press(qtbot, window.buttons[behind.url, "jose"])
    wait(qtbot, lambda: window.status.text())
    proxy.release()
    wait_for(qtbot, outbox, added.key, State.SENT)
    assert users(behind, 23.52) == ["jose"]


def test_the_menu_logs_out_who_was_remembered_and_says_so(bench, outbox, qtbot, menu):
    menu.trigger(bench.project.node, LOG_OUT)
    menu.trigger(bench.project.node, LOG_OUT)
    (window,) = living(LogOutWindow)
    assert small_enough(window)
    wait(qtbot, lambda: window.buttons)
    ((account, button),) = window.buttons.items()
    assert account == (bench.url, "jose")
    press(qtbot, button)
    wait(qtbot, lambda: window.message.text() == NOBODY)
    assert "jose is logged out" in window.status.text()
    assert Accounts().tokens.get(bench.url, "jose") is None


def test_a_token_that_cannot_be_deleted_is_told_and_stays_listed(bench, outbox, qtbot, menu, monkeypatch):
    tokens = type(Accounts().tokens)
    monkeypatch.setattr(tokens, "forget", lambda *_arguments: None)
    menu.trigger(bench.project.node, LOG_OUT)
    (window,) = living(LogOutWindow)
    wait(qtbot, lambda: window.buttons)
    press(qtbot, window.buttons[bench.url, "jose"])
    wait(qtbot, lambda: "could not be deleted" in window.status.text())
    assert bench.alyx.token not in window.status.text()
    assert window.buttons[bench.url, "jose"].isEnabled()
    monkeypatch.setattr(outbox.logins, "logged_in", partial(pytest.fail, "the keyring broke"))
    window.look()
    wait(qtbot, lambda: window.message.text() == UNKNOWN)
    assert "the keyring broke" not in window.message.text()


def test_who_logged_out_in_another_pybpod_is_off_the_project_and_asked(bench, outbox, qtbot, monkeypatch):
    monkeypatch.setattr(running, "LOGINS_LOOK_S", 0.0)
    Accounts().tokens.forget(bench.url, "jose")  # so that the box is ticked by hand, and kept
    connected(bench)
    dialog = bench.open(WeightDialog, "free", RECORD_WEIGHT)
    assert dialog.user.whole == f"as jose at {bench.url[7:]}"
    Accounts().tokens.forget(bench.url, "jose")
    wait(qtbot, lambda: not alyx_user(bench.project))
    wait(qtbot, lambda: dialog.user.whole == f"at {bench.url[7:]}; you are asked who you are")


# -- who is at the rig


def test_the_first_record_asks_once_who_it_is_and_is_safe_before(bench, outbox, qtbot):
    dialog = weighed(bench, text="23.91")
    question = who(bench)
    assert question.text.text() == f"Recording as jose on {bench.url[7:]}. Is that you?"
    assert small_enough(question)
    (kept,) = outbox.open().items()
    assert (kept.state, kept.waits_for) == (State.PARKED, WaitsFor.USER)
    assert "once you have said who recorded it" in dialog.status.text()
    press(qtbot, question.yes_button)
    bench.recorded(dialog)
    assert users(bench, 23.91) == ["jose"]
    bench.recorded(weighed(bench, "thirsty", text="23.92"))
    assert living(WhoQuestion) == []


def test_a_long_user_name_does_not_widen_the_question(outbox, host, qtbot):
    question = WhoQuestion(outbox, "http://127.0.0.1:9", "x" * 80, host.window())
    question.show()
    assert question.width() <= 620
    assert question.text.toolTip() == "x" * 80
    question.close()


def test_who_says_that_it_was_somebody_else_records_as_that_one(bench, outbox, qtbot):
    dialog = weighed(bench, text="23.93")
    press(qtbot, who(bench).other_button)
    log_in(bench, "ana")
    bench.recorded(dialog)
    assert dialog.user.whole == f"as ana at {bench.url[7:]}"
    assert users(bench, 23.93) == ["ana"]
    bench.recorded(weighed(bench, "thirsty", text="23.94"))
    assert users(bench, 23.94) == ["ana"]


def test_without_an_answer_it_stays_and_retry_asks_again(bench, outbox, qtbot, host):
    weighed(bench, text="23.95")
    qtbot.keyClick(who(bench), Qt.Key_Escape)
    wait(qtbot, lambda: living(WhoQuestion) == [])
    page = shown(qtbot, host).waiting
    assert text_of(page.table, 0, "State") == "say who"
    press(qtbot, page.retry_button)
    press(qtbot, who(bench).yes_button)
    wait(qtbot, lambda: users(bench, 23.95) == ["jose"])


def test_what_an_earlier_pybpod_recorded_is_sent_as_who_recorded_it(bench, outbox, qtbot, host, tmp_path):
    earlier = Outbox(unclaimed=lambda _item: "Nobody has said so.")
    left = earlier.add(draft(bench, weight=23.57))
    earlier.close()
    bench.subject("thirsty")
    bench.project.save(str(tmp_path / "Prj"))
    assert bench.project.is_saved()
    outbox.claim(bench.url, "ana")
    assert bench.project.node.text(0) == "Prj (ana@ALYX)"
    assert bench.project.is_saved()
    page = shown(qtbot, host).waiting
    wait(qtbot, lambda: page.table.items)
    press(qtbot, page.retry_button)
    wait(qtbot, lambda: living(RecordedByQuestion))
    (question,) = living(RecordedByQuestion)
    assert small_enough(question)
    assert list(question.buttons) == ["jose", "ana"]
    press(qtbot, question.buttons["jose"])
    wait_for(qtbot, outbox, left.key, State.SENT)
    assert users(bench, 23.57) == ["jose"]


def test_who_says_so_while_a_record_is_being_written_is_who_recorded_it(bench, outbox, qtbot):
    def write(box):
        box.add_all(draft(bench, weight=23.951))
        outbox.logins.is_at_rig(bench.url, "ana")

    task = outbox.read(write)
    with qtbot.waitSignal(task.succeeded):
        task.start()
    (written,) = outbox.open().items()
    assert (written.state, written.username) == (State.WAITING, "ana")


@pytest.mark.parametrize("remembered", [True, False])
def test_a_rig_of_one_person_is_not_asked_where_the_login_is_remembered(
    bench, outbox, qtbot, monkeypatch, pybpod_settings, remembered
):
    monkeypatch.setattr(pybpod_settings, "ALYX_PLUGIN_USERNAME", "jose", raising=False)
    if not remembered:
        outbox.remember(AlyxClient(bench.url, username="jose", token=bench.alyx.token))
        Accounts().tokens.forget(bench.url, "jose")
    dialog = weighed(bench, text="23.98")
    if remembered:
        bench.recorded(dialog)
        assert living(WhoQuestion) == []
    else:
        press(qtbot, who(bench).yes_button)
        bench.recorded(dialog)


def test_water_a_table_of_water_and_a_correction_ask_too(bench, outbox, qtbot, menu, host):
    dialog = bench.open(WaterDialog, "free", GIVE_WATER)
    bench.type(dialog.amount, "0.3")
    press(qtbot, dialog.record_button)
    who(bench).close()
    menu.trigger(bench.project.node, TODAY)
    (table,) = living(TodayWindow)
    wait(qtbot, lambda: table.shown is not None)
    table.rows.rows[0].ticked = True
    table.rows.edited.emit()
    press(qtbot, table.give_button)
    who(bench).close()
    table.close()
    page = shown(qtbot, host).waiting
    assert [one.waits_for for one in page.table.items] == [WaitsFor.USER] * 2
    page.table.select(page.table.items[0].key)
    press(qtbot, page.edit_button)
    (edit,) = living(EditDialog)
    press(qtbot, edit.save_button)
    press(qtbot, who(bench).yes_button)
    wait(qtbot, lambda: {one.state for one in outbox.open().items()} == {State.SENT})


def test_records_of_two_servers_are_asked_about_one_after_the_other(bench, outbox, proxy, qtbot):
    Accounts().remember(proxy.url, "jose", bench.alyx.token, keep_token=True)
    there = replace(draft(bench, weight=23.55), server=proxy.url)
    first, second = put(bench, outbox, draft(bench, weight=23.54), there)
    asked = []
    for _number in range(2):
        question = who(bench)
        asked.append(question.server)
        press(qtbot, question.yes_button)
        wait(qtbot, lambda gone=question: gone not in living(WhoQuestion))
    assert asked == [bench.url, proxy.url]
    for one in (first, second):
        wait_for(qtbot, outbox, one.key, State.SENT)
    assert living(WhoQuestion) == []


# -- another user


def test_an_open_dialog_records_as_who_connects_meanwhile(bench, outbox, qtbot):
    window = connected(bench)
    dialog = bench.open(WeightDialog, "free", RECORD_WEIGHT)
    assert dialog.user.whole.startswith("as jose")
    bench.type(dialog.weight.edit, "23.96")
    connect(qtbot, window, bench.url, "ana", "wrong")
    assert window.form.status.text() == "Status: Not connected. Records in this project are still made as jose."
    assert alyx_user(bench.project) == "jose"
    connect(qtbot, window, bench.url, "ana", "ana-demo")
    assert alyx_user(bench.project) == "ana"
    wait(qtbot, lambda: dialog.user.whole.startswith("as ana"))
    bench.asked(dialog)
    assert dialog.weight.edit.text() == "23.96"
    press(qtbot, dialog.record_button)
    if dialog.question.isVisible():
        press(qtbot, dialog.question.anyway_button)
    bench.recorded(dialog)
    assert users(bench, 23.96) == ["ana"]


def test_logging_in_for_the_outbox_leaves_the_projects_user(behind, outbox, qtbot, host):
    window = connected(behind)
    (added,) = put(behind, outbox, draft(behind, weight=23.53, user="ana"))
    page = shown(qtbot, host).waiting
    wait(qtbot, page.login_button.isVisible)
    assert page.login_button.text() == "Log in as ana…"
    press(qtbot, page.login_button)
    log_in(behind, "ana")
    wait_for(qtbot, outbox, added.key, State.SENT)
    assert users(behind, 23.53) == ["ana"]
    assert alyx_user(behind.project) == "jose"
    assert window.form.status.text() == f"Status: CONNECTED to {behind.url} as jose"
    behind.recorded(weighed(behind, text="23.97"))
    assert users(behind, 23.97) == ["jose"]


def test_one_login_serves_both_windows_that_asked_for_it(bench, outbox, qtbot):
    (added,) = put(bench, outbox, draft(bench, weight=23.56))
    question = who(bench)
    other = bench.open(WaterDialog, "thirsty", GIVE_WATER)
    press(qtbot, other.log_in_button)
    press(qtbot, question.other_button)
    log_in(bench, "ana")
    wait_for(qtbot, outbox, added.key, State.SENT)
    assert users(bench, 23.56) == ["ana"]
    assert living(WhoQuestion) == []
    assert alyx_user(bench.project) == "ana"


def test_log_in_as_in_a_dialog_changes_who_records(bench, outbox, qtbot):
    window = connected(bench)
    dialog = bench.open(WeightDialog, "free", RECORD_WEIGHT)
    press(qtbot, dialog.log_in_button)
    log_in(bench, "ana")
    assert alyx_user(bench.project) == "ana"
    wait(qtbot, lambda: dialog.user.whole.startswith("as ana"))
    assert "Records here are made as ana." in window.form.status.text()


# -- nobody there


class Idle:
    """A log-out after ten minutes, by a clock that the test sets."""

    def __init__(self, window, outbox):
        self.now, self.runs = 0.0, False
        self.logged_out, log_out = [], outbox.log_out
        outbox.log_out = lambda *account: self.logged_out.append(account) or log_out(*account)
        self.log_out = IdleLogOut(10, lambda: self.runs, window, lambda: self.now)

    def minutes_later(self, minutes):
        self.now += 60 * minutes
        self.log_out.look()


@pytest.fixture
def idle(host, outbox):
    idle = Idle(host, outbox)
    yield idle
    idle.log_out.deleteLater()


def test_who_left_is_logged_out_and_what_was_typed_stays(bench, outbox, qtbot, idle):
    window = connected(bench)
    dialog = bench.open(WeightDialog, "free", RECORD_WEIGHT)
    bench.type(dialog.weight.edit, "23.99")
    idle.minutes_later(9)
    qtbot.keyClick(dialog, Qt.Key_Shift)  # somebody is there
    idle.minutes_later(9)
    idle.runs = True
    idle.minutes_later(9)
    idle.runs = False
    idle.minutes_later(9)
    assert idle.logged_out == []
    idle.minutes_later(1)
    assert idle.logged_out == [(bench.url, "jose")]
    wait(qtbot, lambda: living(LogOutWindow))
    (told,) = living(LogOutWindow)
    assert "Nobody used keyboard or mouse in PyBpod for 10 min. jose is logged out" in told.status.text()
    assert window.form.status.text() == "Status: Not connected"
    assert alyx_user(bench.project) == ""
    assert Accounts().tokens.get(bench.url, "jose") is None
    told.close()
    idle.minutes_later(60)
    assert len(idle.logged_out) == 1
    bench.asked(dialog)
    assert dialog.weight.edit.text() == "23.99"
    press(qtbot, dialog.record_button)
    if dialog.question.isVisible():
        press(qtbot, dialog.question.anyway_button)
    press(qtbot, who(bench).other_button)
    log_in(bench, "ana")
    bench.recorded(dialog)
    assert users(bench, 23.99) == ["ana"]


def test_nobody_is_logged_out_where_nobody_is_logged_in(outbox, qtbot, idle):
    idle.minutes_later(11)
    assert outbox.logins.logged_in_here() == ()
    assert idle.logged_out == []


@pytest.mark.parametrize(("minutes", "there"), [(None, False), (15, True)])
def test_it_is_off_unless_it_is_set(host, outbox, monkeypatch, pybpod_settings, minutes, there):
    monkeypatch.setattr(pybpod_settings, "ALYX_PLUGIN_IDLE_LOGOUT_MINUTES", minutes, raising=False)
    host.model.watch_for_idleness()
    made, host.model.alyx_idle = host.model.alyx_idle, None
    assert (made is not None) is there
    if made is not None:
        made.deleteLater()


# -- whose animal it is


def test_that_the_user_may_not_handle_the_animal_is_shown_before_record(bench, outbox, qtbot):
    connected(bench)
    dialog = bench.open(WeightDialog, "annas", RECORD_WEIGHT)
    assert dialog.handling.isVisible()
    assert dialog.handling.text() == "ana is responsible for annas and does not let jose handle it."
    press(qtbot, dialog.log_in_button)
    log_in(bench, "ana")
    wait(qtbot, lambda: dialog.user.whole.startswith("as ana"))
    assert not dialog.handling.isVisible()
    dialog.close()
    connected(bench)
    dialog = bench.open(WaterDialog, "delegated", GIVE_WATER)  # priya allows jose
    assert not dialog.handling.isVisible()


@pytest.mark.usefixtures("quick_retries")
def test_with_alyx_away_the_projects_copy_says_whose_animal_it_is(behind, outbox, proxy, qtbot):
    proxy.fault("drop", times=100_000)
    subject = behind.subject("annas", alyx_synced_at="2026-01-02T03:04:05")
    dialog = behind.open(WeightDialog, subject, RECORD_WEIGHT)
    assert "ana is responsible for annas. That is from the project's copy of 2026-01-02" in dialog.handling.text()
    assert "Whether ana lets jose handle it cannot be asked now." in dialog.handling.text()
