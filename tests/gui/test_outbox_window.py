"""The window *Alyx outbox* in the real PyBpod, with the real sender and a real server."""

from __future__ import annotations

import csv

import pytest
from AnyQt.QtCore import Qt
from AnyQt.QtWidgets import QApplication, QDialog

from alyx_connector import AlyxClient
from pybpod_alyx_module.gui.outbox.discard_dialog import DiscardDialog
from pybpod_alyx_module.gui.outbox.edit_dialog import EditDialog
from pybpod_alyx_module.gui.outbox.status_bar import ClosingQuestion
from pybpod_alyx_module.gui.outbox.window import NOTHING, OutboxWindow
from pybpod_alyx_module.gui.sync.log_in_dialog import LogInDialog
from pybpod_alyx_module.gui.windows import urgent_colour
from pybpod_alyx_module.outbox.items import State
from pybpod_alyx_module.outbox.outbox import Outbox
from tests.garbled import garble_all_sentences
from tests.gui.hands import alyx_home, fill, living, press, small_enough, wait
from tests.gui.outboxes import alyx, finished, item, lab, outbox, put, shown, start, states, text_of, wait_for

__all__ = ["alyx", "alyx_home", "lab", "outbox", "start"]

DOWN = {"detail": "down"}


def parked(qtbot, outbox, lab, draft=None, **server_says):
    """Have the server refuse an item, and return it as it is then."""
    answer = {"status": 400, "body": {"weight": ["Too heavy for a mouse, says the lab's own long rule. " * 4]}}
    lab.proxy.fault("answer", method="POST", **{**answer, **server_says})
    (added,) = put(qtbot, outbox, draft or lab.weighing(weight=245.0))
    return wait_for(qtbot, outbox, added.key, State.PARKED)


def unsure(qtbot, outbox, lab, draft=None):
    lab.proxy.fault("drop-after", method="POST")
    (added,) = put(qtbot, outbox, draft or lab.weighing())
    return wait_for(qtbot, outbox, added.key, State.UNSURE)


def picked(qtbot, window, key):
    wait(qtbot, lambda: key in [one.key for one in window.waiting.table.items])
    window.waiting.table.select(key)
    return window.waiting


def test_nothing_waits(outbox, host, project, menu, qtbot, alyx_home):
    menu.trigger(project.node, "Alyx outbox")
    (window,) = living(OutboxWindow)
    wait(qtbot, lambda: window.heading.text() == NOTHING)
    page = window.waiting
    assert page.nothing.isVisible()
    assert not page.details.isVisible()
    assert not any(button.isEnabled() for button in (page.retry_button, page.edit_button, page.discard_button))
    assert not page.login_button.isVisible()
    assert small_enough(window)
    assert not (alyx_home / "outbox.sqlite").exists()
    menu.trigger(project.node, "Alyx outbox")
    assert living(OutboxWindow) == [window]
    qtbot.keyClick(window, Qt.Key_Escape)
    assert living(OutboxWindow) == []


def test_it_is_in_the_menu_of_the_main_window(outbox, host, qtbot):
    menus = host.window().menuBar().actions()
    (entries,) = [action.menu().actions() for action in menus if action.text() == "Window"]
    next(action for action in entries if action.text() == "Alyx outbox").trigger()
    assert len(living(OutboxWindow)) == 1


@pytest.mark.usefixtures("quick_retries")
def test_a_weight_waits_while_the_server_is_down_and_is_sent_when_it_is_up(outbox, host, lab, qtbot):
    lab.log_in()
    button = host.model.alyx_outbox.button
    assert button.isHidden()
    lab.proxy.fault("answer", times=1000, status=503, body=DOWN)
    window = shown(qtbot, host)
    (added,) = put(qtbot, outbox, lab.weighing(weight=24.6))
    wait(qtbot, lambda: "tried again at" in window.waiting.details.toPlainText())
    assert button.text() == "Alyx outbox: 1 waiting"
    assert "bold" not in button.styleSheet()
    assert window.heading.text() == "1 waiting."
    table = window.waiting.table
    assert text_of(table, 0, "What") == "Weight 24.6 g"
    assert text_of(table, 0, "Subject") == "ea04"
    assert text_of(table, 0, "User") == "jose"
    assert text_of(table, 0, "Server") == lab.url.partition("://")[2]
    assert "503" in text_of(table, 0, "Why it waits")
    lab.proxy._faults.clear()
    press(qtbot, window.waiting.retry_button)
    wait(qtbot, lambda: states(window.sent) == [("ea04", "sent")])
    wait(qtbot, lambda: button.isHidden())
    assert window.waiting.nothing.isVisibleTo(window)
    sent = window.sent.table
    server_id = text_of(sent, 0, "Id on Alyx")
    assert lab.on_alyx("weighings", server_id)["weight"] == 24.6
    assert text_of(sent, 0, "Rig") == added.rig
    assert server_id in window.sent.details.toPlainText()


def test_retry_ends_a_pause_that_the_server_asked_for(outbox, host, lab, qtbot):
    lab.log_in()
    lab.proxy.fault("answer", times=1000, status=429, headers={"Retry-After": "600"}, body=DOWN)
    (added,) = put(qtbot, outbox, lab.weighing())
    window = shown(qtbot, host)
    wait(qtbot, lambda: "tried again at" in window.waiting.details.toPlainText())
    lab.proxy._faults.clear()
    press(qtbot, window.waiting.retry_button)
    wait_for(qtbot, outbox, added.key, State.SENT)


def test_a_refused_one_is_corrected_and_sent(outbox, host, lab, qtbot):
    lab.log_in()
    refused = parked(qtbot, outbox, lab)
    button = host.model.alyx_outbox.button
    wait(qtbot, lambda: button.text() == "Alyx outbox: 1 needs action")
    assert "bold" in button.styleSheet()
    press(qtbot, button)
    (window,) = living(OutboxWindow)
    page = picked(qtbot, window, refused.key)
    assert page.details.toPlainText().count("Too heavy for a mouse") == 4  # the whole sentence
    press(qtbot, page.edit_button)
    (dialog,) = living(EditDialog)
    assert not dialog.isModal()
    weight = dialog.fields["weight"]
    assert weight.text() == "245.0"
    assert dialog.focusWidget() is weight
    fill(qtbot, weight, "24.5 mL")
    press(qtbot, dialog.save_button)
    assert "Weight (g)" in dialog.problem.text()
    assert weight.text() == "24.5 mL"
    fill(qtbot, weight, "24,5")
    qtbot.keyClick(weight, Qt.Key_Return)
    assert dialog.isVisible()  # Enter in a field sends nothing
    press(qtbot, dialog.save_button)
    sent = wait_for(qtbot, outbox, refused.key, State.SENT)
    assert lab.on_alyx("weighings", sent.server_id)["weight"] == 24.5
    assert sent.values["date_time"] == refused.values["date_time"]
    wait(qtbot, lambda: not living(EditDialog))


def test_names_are_checked_and_offered_as_in_the_dialog_that_recorded_them(outbox, host, lab, qtbot):
    lab.log_in()
    (added,) = put(qtbot, outbox, lab.session("jo002", location="rig1", procedures=["Imagin", "Water restriction"]))
    refused = wait_for(qtbot, outbox, added.key, State.PARKED)
    window = shown(qtbot, host)
    press(qtbot, picked(qtbot, window, refused.key).edit_button)
    (dialog,) = living(EditDialog)
    location, procedures = dialog.fields["location"], dialog.fields["procedures"]
    assert procedures.text() == "Imagin; Water restriction"
    wait(qtbot, lambda: location.refused and procedures.refused)
    assert "There is no location rig1 on Alyx. Did you mean rig_1" in location.note.text()
    assert "There is no procedure Imagin on Alyx." in procedures.note.text()
    assert not dialog.fields["users"].note.isVisible()
    fill(qtbot, procedures, "Water restriction; Headplate implant")
    press(qtbot, dialog.save_button)
    assert "There is no location rig1 on Alyx." in dialog.problem.text()  # asked once
    assert "procedure" not in dialog.problem.text()
    fill(qtbot, location, "rig_1")
    press(qtbot, dialog.save_button)
    sent = wait_for(qtbot, outbox, refused.key, State.SENT)
    assert sent.values["procedures"] == ["Water restriction", "Headplate implant"]
    wait(qtbot, lambda: not living(EditDialog))


def test_what_was_sent_meanwhile_is_not_corrected(outbox, host, lab, qtbot):
    lab.log_in()
    refused = parked(qtbot, outbox, lab, lab.water())
    window = shown(qtbot, host)
    press(qtbot, picked(qtbot, window, refused.key).edit_button)
    (dialog,) = living(EditDialog)
    fill(qtbot, dialog.fields["water_type"], "Water")
    finished(qtbot, outbox.read(lambda opened: opened.retry(refused.key)))
    wait_for(qtbot, outbox, refused.key, State.SENT)
    wait(qtbot, lambda: "Change it on Alyx" in dialog.problem.text())
    assert not dialog.save_button.isEnabled()
    assert dialog.fields["water_type"].text() == "Water"
    dialog.close()


def test_one_that_is_being_sent_can_be_corrected_when_it_is_refused(outbox, host, lab, qtbot):
    lab.log_in()
    refused = parked(qtbot, outbox, lab, lab.water())
    window = shown(qtbot, host)
    press(qtbot, picked(qtbot, window, refused.key).edit_button)
    (dialog,) = living(EditDialog)
    lab.proxy.fault("mute", method="POST")
    finished(qtbot, outbox.read(lambda opened: opened.retry(refused.key)))
    wait(qtbot, lambda: "being sent" in dialog.problem.text())
    assert not dialog.save_button.isEnabled()
    fill(qtbot, dialog.fields["water_type"], "Water")
    lab.proxy.release()  # it went nowhere: looked for, not found, sent again, refused
    lab.proxy.fault("answer", method="POST", status=400, body={"water_type": ["No."]}, times=9)
    wait_for(qtbot, outbox, refused.key, State.PARKED)
    wait(qtbot, dialog.save_button.isEnabled)
    assert dialog.problem.isHidden()
    lab.proxy._faults.clear()
    press(qtbot, dialog.save_button)
    assert wait_for(qtbot, outbox, refused.key, State.SENT).values["water_type"] == "Water"


def test_discarding_asks_and_keeps_it_listed(outbox, host, lab, qtbot):
    lab.log_in()
    refused = parked(qtbot, outbox, lab, lab.water(amount=0.75))
    window = shown(qtbot, host)
    page = picked(qtbot, window, refused.key)
    press(qtbot, page.discard_button)
    (question,) = living(DiscardDialog)
    assert not question.isModal()
    assert "water 0.75 mL" in question.text.text()
    assert "ea04" in question.text.text()
    assert question.focusWidget() is question.keep_button
    qtbot.keyClick(question, Qt.Key_Return)  # Enter keeps it
    wait(qtbot, lambda: not living(DiscardDialog))
    assert item(qtbot, outbox, refused.key).state is State.PARKED
    press(qtbot, page.discard_button)
    (question,) = living(DiscardDialog)
    press(qtbot, question.discard_button)
    wait(qtbot, lambda: states(window.sent) == [("ea04", "discarded")])
    assert text_of(window.sent.table, 0, "Sent") == "discarded"


def test_an_unsure_one_is_read_not_edited_and_discarding_says_what_may_stay(start, host, lab, qtbot):
    outbox = start(life_s=3600.0)
    lab.log_in()
    lost = unsure(qtbot, outbox, lab)
    window = shown(qtbot, host)
    page = picked(qtbot, window, lost.key)
    wait(qtbot, lambda: states(page) == [("ea04", "unsure")])
    assert "Weight 24.5 g" in page.details.toPlainText()
    assert "looked for on Alyx" in page.details.toPlainText()
    for button in (page.retry_button, page.edit_button):
        assert not button.isEnabled()
        assert "may already be on Alyx" in button.toolTip()
    page.table.doubleClicked.emit(page.table.currentIndex())
    assert living(EditDialog) == []
    press(qtbot, page.discard_button)
    (question,) = living(DiscardDialog)
    assert "it may already be on Alyx" in question.text.text()
    press(qtbot, question.discard_button)
    wait_for(qtbot, outbox, lost.key, State.DISCARDED)


def test_an_unsure_one_is_looked_for_and_sent_once(outbox, host, lab, qtbot):
    lab.log_in()
    lost = unsure(qtbot, outbox, lab, lab.weighing("jo003", 21.25))
    window = shown(qtbot, host)
    wait(qtbot, lambda: states(window.sent) == [("jo003", "sent")])
    found = lab.client.list("weighings", {"django": f"subject__pk,{lost.subject_id},weight,21.25"})
    assert [row["weight"] for row in found] == [21.25]
    assert lab.on_alyx("weighings", window.sent.table.items[0].server_id) == found[0]


def log_in(qtbot, page, lab):
    """Press *Log in as jose…* and type the password: no project is needed."""
    press(qtbot, page.login_button)
    (dialog,) = living(LogInDialog)
    assert (dialog.account, dialog.username.text()) == ((lab.url, "jose"), "jose")
    assert dialog.username.isReadOnly()
    fill(qtbot, dialog.password, lab.server.password)
    qtbot.keyClick(dialog.password, Qt.Key_Return)
    wait(qtbot, lambda: living(LogInDialog) == [])


def test_a_revoked_token_wants_a_login_and_goes_on_after_it(outbox, host, lab, qtbot):
    outbox.remember(AlyxClient(lab.url, username=lab.username, token="0" * 40))
    (added,) = put(qtbot, outbox, lab.weighing())
    window = shown(qtbot, host)
    page = window.waiting
    wait(qtbot, lambda: page.login_button.isVisible())
    assert page.login_button.text() == "Log in as jose…"
    assert text_of(page.table, 0, "State") == "log in to send"
    assert host.model.alyx_outbox.button.text() == "Alyx outbox: 1 needs action"
    assert f"Log in to {lab.url} as jose" in page.details.toPlainText()
    log_in(qtbot, page, lab)
    wait_for(qtbot, outbox, added.key, State.SENT)
    wait(qtbot, lambda: not page.login_button.isVisible())


def test_with_noise_for_every_sentence_the_windows_do_the_same(alyx_home, start, host, lab, qtbot):
    Outbox().close()
    garble_all_sentences(alyx_home / "outbox.sqlite")
    outbox = start()
    outbox.remember(AlyxClient(lab.url, username=lab.username, token="0" * 40))
    (locked,) = put(qtbot, outbox, lab.weighing())
    window = shown(qtbot, host)
    page, button = window.waiting, host.model.alyx_outbox.button
    wait(qtbot, lambda: page.login_button.isVisible())
    (later,) = put(qtbot, outbox, lab.weighing("jo003"))
    wait(qtbot, lambda: len(page.table.items) == 2)
    assert all(len(item.hint) == 18 for item in page.table.items)
    model = page.table.model()
    column = [model.headerData(number, Qt.Horizontal) for number in range(model.columnCount())].index("State")
    for row in range(2):
        assert text_of(page.table, row, "State") == "log in to send"
        assert model.data(model.index(row, column), Qt.ForegroundRole).color().name() == urgent_colour()
    wait(qtbot, lambda: outbox.outlook.needing == 2)
    assert "bold" in button.styleSheet()
    assert not host.window().close()
    (question,) = living(ClosingQuestion)
    assert "need action before they can be sent" in question.text.text()
    press(qtbot, question.stay_button)
    assert [each.isEnabled() for each in (page.retry_button, page.edit_button, page.discard_button)] == [True] * 3
    log_in(qtbot, page, lab)
    for added in (locked, later):
        wait_for(qtbot, outbox, added.key, State.SENT)
    wait(qtbot, lambda: not page.login_button.isVisible())
    refused = parked(qtbot, outbox, lab)
    page = picked(qtbot, window, refused.key)
    assert len(refused.reason) == 18
    press(qtbot, page.retry_button)
    wait_for(qtbot, outbox, refused.key, State.SENT)


def test_a_login_that_is_refused_says_so_and_can_be_corrected(outbox, host, lab, qtbot):
    (added,) = put(qtbot, outbox, lab.weighing())
    page = shown(qtbot, host).waiting
    wait(qtbot, lambda: page.login_button.isVisible())
    press(qtbot, page.login_button)
    press(qtbot, page.login_button)
    (dialog,) = living(LogInDialog)
    fill(qtbot, dialog.password, "wrong")
    press(qtbot, dialog.log_in_button)
    wait(qtbot, lambda: "Wrong user or password" in dialog.status.text())
    assert dialog.password.text() == ""
    log_in(qtbot, page, lab)
    wait_for(qtbot, outbox, added.key, State.SENT)


def test_a_change_by_another_program_is_shown_and_the_selection_stays(start, host, lab, qtbot):
    outbox = start()
    others = Outbox()
    keys = [others.add(lab.weighing("ea04", 20 + number)).key for number in range(40)]
    window = shown(qtbot, host)
    page = picked(qtbot, window, keys[30])
    page.table.verticalScrollBar().setValue(12)
    place = page.table.verticalScrollBar().value()
    others.add(lab.weighing("jo003"))
    wait(qtbot, lambda: len(page.table.items) == 41)
    assert page.table.selected.key == keys[30]
    assert page.table.verticalScrollBar().value() == place
    others.discard(keys[0])
    wait(qtbot, lambda: len(page.table.items) == 40)
    assert page.table.selected.key == keys[30]
    assert outbox.counts.open == 40
    others.close()


def export(qtbot, window, path):
    press(qtbot, window.sent.export_button)
    dialog = window.file_dialog
    assert not dialog.isModal()
    dialog.selectFile(str(path))
    dialog.fileSelected.emit(str(path))
    dialog.done(QDialog.Rejected)
    wait(qtbot, lambda: window.result.text())
    return window.result.text()


def test_export(outbox, host, lab, qtbot, tmp_path):
    lab.log_in()
    (added,) = put(qtbot, outbox, lab.weighing(weight=19.75))
    sent = wait_for(qtbot, outbox, added.key, State.SENT)
    window = shown(qtbot, host)
    window.tabs.setCurrentWidget(window.sent)
    goal = tmp_path / "Alyx é.csv"
    assert export(qtbot, window, goal) == f"1 item written to {goal}."
    (row,) = csv.DictReader(goal.open(encoding="utf-8-sig", newline=""))
    assert (row["value"], row["unit"], row["server_id"], row["user"]) == ("19.75", "g", sent.server_id, "jose")
    assert [path.name for path in tmp_path.glob("*.csv")] == [goal.name]


def test_an_export_that_fails_is_told_and_leaves_the_window(outbox, host, lab, qtbot, tmp_path):
    put(qtbot, outbox, lab.weighing())
    window = shown(qtbot, host)
    window.tabs.setCurrentWidget(window.sent)
    (tmp_path / "file").write_text("in the way")
    told = export(qtbot, window, tmp_path / "file" / "out.csv")
    assert str(tmp_path / "file" / "out.csv") in told
    assert window.isVisible()


def test_a_damaged_file_is_told_in_window_and_status_bar_until_read(alyx_home, start, host, qtbot):
    alyx_home.mkdir(parents=True)
    (alyx_home / "outbox.sqlite").write_bytes(b"no database" * 1000)
    start()
    button = host.model.alyx_outbox.button
    wait(qtbot, lambda: button.text() == "Alyx outbox: a problem")
    assert "bold" in button.styleSheet()
    window = shown(qtbot, host)
    assert str(alyx_home / "outbox.sqlite") in window.trouble.text()
    assert "record again" in window.trouble.text()
    press(qtbot, window.waiting.noted_button)
    wait(qtbot, lambda: button.isHidden())
    assert not window.trouble.isVisible()


def test_a_file_that_cannot_be_read_is_told(alyx_home, start, host, qtbot):
    alyx_home.mkdir(parents=True)
    (alyx_home / "outbox.sqlite").mkdir()
    outbox = start()
    wait(qtbot, lambda: outbox.outlook.problem)
    window = shown(qtbot, host)
    assert str(alyx_home / "outbox.sqlite") in window.trouble.text()
    assert "ALYX_CONNECTOR_HOME" in window.trouble.text()
    wait(qtbot, lambda: window.result.text())
    assert "outbox" in window.result.text()


@pytest.fixture(autouse=True)
def no_boxes(dialogs):
    yield
    assert dialogs.log == []
    assert QApplication.activeModalWidget() is None
