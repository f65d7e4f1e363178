"""Registering a recorded session: again, from the menu, while things change in between."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest
from AnyQt.QtCore import Qt
from AnyQt.QtGui import QDesktopServices
from AnyQt.QtWidgets import QLabel, QPushButton

from alyx_connector.errors import ConfigurationError
from alyx_connector.http.client import AlyxClient
from pybpod_alyx_module.gui import running_outbox as running
from pybpod_alyx_module.gui.alyx_page import SESSION_PAGE, open_on_alyx
from pybpod_alyx_module.gui.sessions import register_dialog
from pybpod_alyx_module.gui.sessions.register_dialog import RegisterDialog
from pybpod_alyx_module.outbox.items import Kind, State
from pybpod_alyx_module.sessions import register as register_module
from pybpod_alyx_module.sessions.registration_note import Registration, write_registration
from tests.gui.hands import activate, fill, living, press, small_enough, wait
from tests.gui.running import alyx, alyx_home, counted_water, no_boxes, outbox, proxy, rig, unchecked
from tests.rig_sessions import files_opened

__all__ = ["alyx", "alyx_home", "counted_water", "no_boxes", "outbox", "proxy", "rig", "unchecked"]

REGISTER, OPEN, UPDATE = "Register on Alyx…", "Open in Alyx", "Update on Alyx…"


@pytest.fixture
def session(rig):
    """A session of ea04 that nobody asked about."""
    rig.subject("ea04")
    session = rig.run()
    rig.project.save()
    return session


def items(outbox):
    return [(item.kind, item.state) for item in outbox.open().items()]


def ours(menu, node):
    return [label for label in menu.labels(node) if label in (REGISTER, OPEN, UPDATE)]


def open_dialog(rig, menu, session, label=REGISTER, node=None):
    menu.trigger(node or session.node, label)
    return rig.dialog(session)


def register(rig, menu, session, qtbot, label=REGISTER, narrative=""):
    dialog = open_dialog(rig, menu, session, label)
    if narrative:
        dialog.form.narrative.selectAll()
        qtbot.keyClicks(dialog.form.narrative, narrative)
    press(qtbot, dialog.register_button)
    wait(qtbot, lambda: session.alyx_dialog is None)


def test_registering_again_updates_the_same_record(rig, session, menu, qtbot, outbox):
    register(rig, menu, session, qtbot, narrative="first")
    rig.on_alyx(session)
    (before,) = rig.written("ea04")
    dialog = open_dialog(rig, menu, session, UPDATE)
    assert dialog.register_button.text() == "&Update"
    assert "is already on Alyx" in dialog.notices.toPlainText()
    assert dialog.form.narrative.toPlainText() == "first"
    assert not dialog.form.water.isVisible()  # it was recorded with the session
    dialog.form.narrative.selectAll()
    qtbot.keyClicks(dialog.form.narrative, "second")
    press(qtbot, dialog.register_button)
    wait(qtbot, lambda: rig.written("ea04")[0]["narrative"] == "second")
    (after,) = rig.written("ea04")
    assert after["id"] == before["id"]
    assert after["number"] == before["number"]
    assert after["json"] == before["json"]
    assert [kind for kind, _state in items(outbox)] == [Kind.SESSION, Kind.WATER, Kind.SESSION_UPDATE]
    assert ours(menu, session.node) == [OPEN, UPDATE]


@pytest.mark.usefixtures("quick_retries")
def test_what_waits_is_changed_where_it_waits(rig, session, menu, qtbot, outbox, proxy):
    proxy.fault("drop", times=10_000)
    register(rig, menu, session, qtbot, narrative="first")
    assert ours(menu, session.node) == [UPDATE]
    assert "Waiting in the Alyx outbox" in session.node.toolTip(0)
    dialog = open_dialog(rig, menu, session, UPDATE)
    assert "waits in the Alyx outbox" in dialog.notices.toPlainText()
    assert dialog.form.narrative.toPlainText() == "first"
    dialog.form.narrative.selectAll()
    qtbot.keyClicks(dialog.form.narrative, "second")
    press(qtbot, dialog.register_button)
    wait(qtbot, lambda: session.alyx_dialog is None)
    assert [kind for kind, _state in items(outbox)] == [Kind.SESSION, Kind.WATER]
    proxy._faults.clear()
    outbox.wake()
    rig.on_alyx(session)
    assert [record["narrative"] for record in rig.written("ea04")] == ["second"]


@pytest.mark.parametrize("detached", [False, True])
def test_from_the_end_of_a_run_to_alyx_its_file_is_opened_once(rig, menu, qtbot, outbox, monkeypatch, detached):
    from pybpodgui_api.models.session.session_io import SessionIO

    monkeypatch.setattr(SessionIO, "load_contents", lambda *_arguments: None)  # PyBpod's own reading
    rig.subject("ea04")
    with files_opened() as opened:
        session = rig.run(detached=detached)
        rig.project.save()
        assert (session.uuid4 is None) is detached  # of a detached run only the file has it
        register(rig, menu, session, qtbot)
        rig.on_alyx(session)
    file = str(Path(session.path, f"{session.name}.csv"))
    assert [one for one in opened if one == file] == [file]


def test_the_size_of_one_reward_is_not_taken_for_the_total(rig, session, menu, qtbot, outbox):
    file = Path(session.path, f"{session.name}.csv")
    file.write_text(file.read_text().replace(";0.006", ";0.003").replace(";0.009000000000000001", ";0.003"))
    dialog = open_dialog(rig, menu, session)
    water = dialog.form.water
    assert "reward_ml never rose: 0.003 mL for 3 trials. Is that the size of one reward?" in water.why.text()
    assert water.amount.text() == ""
    assert not dialog.register_button.isEnabled()
    assert dialog.status.text().startswith("Press the amount that is right, or type")
    sum_button, total_button = water.offer_buttons
    assert (sum_button.text(), total_button.text()) == (
        "Use 0.009 mL: the sum of 3 rewards",
        "Use 0.003 mL: the total",
    )
    press(qtbot, total_button)
    assert water.amount.text() == "0.003"
    press(qtbot, sum_button)
    assert water.amount.text() == "0.009"
    press(qtbot, dialog.register_button)
    rig.on_alyx(session)
    wait(qtbot, lambda: rig.written("ea04")[0]["wateradmin_session_related"])
    assert [row["water_administered"] for row in rig.written("ea04")[0]["wateradmin_session_related"]] == [0.009]


def test_a_type_of_water_that_alyx_does_not_have_is_chosen_by_a_person(
    rig, session, menu, qtbot, outbox, pybpod_settings, monkeypatch
):
    monkeypatch.setattr(pybpod_settings, "ALYX_PLUGIN_WATER_TYPE", "Watr", raising=False)
    dialog = open_dialog(rig, menu, session)
    assert "There is no type of water Watr on Alyx. Did you mean Water" in dialog.notices.toPlainText()
    assert dialog.status.text() == "Choose the type of water that the animal got."
    assert not dialog.register_button.isEnabled()
    types = dialog.form.water.type
    types.setCurrentIndex(types.findData("Water"))
    press(qtbot, dialog.register_button)
    rig.on_alyx(session)
    wait(qtbot, lambda: rig.written("ea04")[0]["wateradmin_session_related"])


def test_typing_makes_no_session_and_reads_nothing(rig, session, menu, qtbot, outbox, monkeypatch):
    dialog = open_dialog(rig, menu, session)
    calls = []

    def count(where, name):
        real = getattr(where, name)

        def counted(*arguments, **options):
            calls.append(name)
            return real(*arguments, **options)

        monkeypatch.setattr(where, name, counted)

    count(register_module, "make_session_draft")
    count(register_dialog, "summarise")
    typed = "a good day " * 9 + "!"
    with files_opened() as opened:
        qtbot.keyClicks(dialog.form.narrative, typed)
        for number in range(50):
            fill(qtbot, dialog.form.water.amount, f"0.{number + 1}")
        assert [one for one in opened if str(rig.project.path) in one] == []
    assert dialog.form.narrative.toPlainText() == typed
    assert dialog.register_button.isEnabled()
    assert calls == []
    press(qtbot, dialog.register_button)
    rig.on_alyx(session)
    assert calls.count("make_session_draft") == 1


@pytest.mark.parametrize("row", [{}, {"water_type": None}])
def test_a_restriction_without_a_type_of_water_is_no_fault(rig, session, menu, qtbot, monkeypatch, row):
    real = AlyxClient.list

    def listed(client, endpoint, *arguments, **options):
        rows = real(client, endpoint, *arguments, **options)
        return [{"end_time": None, **row}] if endpoint == "water-restriction" else rows

    monkeypatch.setattr(AlyxClient, "list", listed)
    dialog = open_dialog(rig, menu, session)
    assert "fault" not in dialog.notices.toPlainText()
    assert dialog.register_button.isEnabled()
    assert dialog.form.water.water_type == "Water"
    dialog.close()


@pytest.mark.usefixtures("quick_retries")
def test_all_notices_can_be_read_without_scrolling(rig, session, menu, qtbot, proxy):
    proxy.fault("drop", times=10_000)
    dialog = open_dialog(rig, menu, session)
    assert small_enough(dialog)
    assert "Nothing could be checked on Alyx." in dialog.notices.toPlainText()
    assert dialog.notices.verticalScrollBar().maximum() == 0


def test_open_in_alyx_opens_the_browser(rig, session, menu, qtbot, monkeypatch):
    opened = []
    monkeypatch.setattr(QDesktopServices, "openUrl", lambda url: opened.append(url.toString()))
    assert ours(menu, session.node) == [REGISTER]
    register(rig, menu, session, qtbot)
    rig.on_alyx(session)
    (record,) = rig.written("ea04")
    menu.trigger(session.node, OPEN)
    assert opened == [f"{rig.url}/admin/actions/session/{record['id']}/change/"]
    opened.clear()
    for server in ("file:///etc/passwd#", "smb://host/x", "javascript:alert(1)//", "https://other.example"):
        with pytest.raises(ConfigurationError, match="nobody connected to"):
            open_on_alyx(server, SESSION_PAGE, record["id"])
    with pytest.raises(ConfigurationError):
        open_on_alyx(rig.url, SESSION_PAGE, f"{record['id']}/../../..")
    assert opened == []


def test_it_is_remembered_when_the_project_is_opened_again(rig, session, menu, qtbot, open_project):
    register(rig, menu, session, qtbot)
    rig.on_alyx(session)
    folder = rig.project.path
    rig.project.close(silent=True)
    again = open_project(folder).experiments[0].setups[0].sessions[0]
    assert "On Alyx" in again.node.toolTip(0)
    assert not again.node.icon(0).isNull()
    assert ours(menu, again.node) == [OPEN, UPDATE]
    (below,) = again.subjects_nodes.values()
    assert "On Alyx" in below.toolTip(0)
    assert ours(menu, below) == [OPEN, UPDATE]


@pytest.mark.usefixtures("quick_retries")
def test_one_that_waited_when_pybpod_ended_is_followed_when_it_starts(
    rig, session, menu, qtbot, proxy, outbox, open_project
):
    proxy.fault("drop", times=10_000)
    register(rig, menu, session, qtbot)
    folder = rig.project.path
    rig.project.close(silent=True)
    running.stop_outbox()
    proxy._faults.clear()
    again = open_project(folder).experiments[0].setups[0].sessions[0]
    rig.on_alyx(again)
    assert ours(menu, again.node) == [OPEN, UPDATE]
    assert len(rig.written("ea04")) == 1


def test_a_copy_of_the_project_on_another_rig_finds_the_record(
    rig, session, menu, qtbot, outbox, monkeypatch, tmp_path
):
    register(rig, menu, session, qtbot, narrative="first")
    rig.on_alyx(session)
    (before,) = rig.written("ea04")
    wait(qtbot, lambda: rig.written("ea04")[0]["wateradmin_session_related"])
    running.stop_outbox()
    Path(session.path, "alyx.json").unlink()
    home = tmp_path / "other rig"
    shutil.copytree(tmp_path / "alyx-home", home, ignore=shutil.ignore_patterns("outbox*"))
    monkeypatch.setenv("ALYX_CONNECTOR_HOME", str(home))
    menu.labels(rig.setup.node)  # another node is selected meanwhile
    dialog = open_dialog(rig, menu, session)
    assert dialog.register_button.text() == "&Update"
    keys = [one.text().partition("&")[2][:1].lower() for one in dialog.findChildren((QLabel, QPushButton))]
    keys = [key for key in keys if key]
    assert sorted(keys) == sorted(set(keys))  # Alt and a letter means one thing
    assert not dialog.form.water.isVisible()
    qtbot.keyClicks(dialog.form.narrative, " and more")
    press(qtbot, dialog.register_button)
    wait(qtbot, lambda: rig.written("ea04")[0]["narrative"] != "first")
    assert [record["id"] for record in rig.written("ea04")] == [before["id"]]
    assert len(rig.written("ea04")[0]["wateradmin_session_related"]) == 1
    assert session.alyx_registration_state.registration.session_id == before["id"]


@pytest.mark.usefixtures("quick_retries")
def test_what_only_a_note_mentions_gets_no_second_water_while_alyx_is_away(
    rig, session, menu, qtbot, outbox, proxy, monkeypatch, tmp_path
):
    register(rig, menu, session, qtbot)
    rig.on_alyx(session)
    wait(qtbot, lambda: session.alyx_registration_state.registration.session_id is not None)
    running.stop_outbox()
    home = tmp_path / "other rig"
    shutil.copytree(tmp_path / "alyx-home", home, ignore=shutil.ignore_patterns("outbox*"))
    monkeypatch.setenv("ALYX_CONNECTOR_HOME", str(home))
    menu.labels(rig.setup.node)  # another node is selected meanwhile
    proxy.fault("drop", times=10_000)
    menu.trigger(session.node, "Update on Alyx…")
    dialog = rig.dialog(session)
    assert dialog.register_button.text() == "&Update"
    assert not dialog.form.water.isVisible()


def test_closed_without_an_answer_nothing_is_sent(rig, session, menu, qtbot, outbox):
    dialog = open_dialog(rig, menu, session)
    activate(qtbot, dialog)
    qtbot.keyClick(dialog.form.location, Qt.Key_Return)
    assert session.alyx_dialog is dialog
    qtbot.keyClick(dialog, Qt.Key_Escape)
    assert living(RegisterDialog) == []
    assert session.alyx_dialog is None
    assert items(outbox) == []
    assert ours(menu, session.node) == [REGISTER]


def test_there_is_one_dialog_for_a_session(rig, session, menu):
    dialog = open_dialog(rig, menu, session)
    assert small_enough(dialog), dialog.size()
    (below,) = session.subjects_nodes.values()
    assert open_dialog(rig, menu, session, node=below) is dialog


def test_a_project_that_is_closed_meanwhile_loses_nothing(rig, session, menu, qtbot, outbox, open_project):
    dialog = open_dialog(rig, menu, session)
    folder = rig.project.path
    rig.project.close(silent=True)
    press(qtbot, dialog.register_button)
    wait(qtbot, lambda: living(RegisterDialog) == [])
    wait(qtbot, lambda: len(rig.written("ea04")) == 1)
    again = open_project(folder).experiments[0].setups[0].sessions[0]
    rig.on_alyx(again)


def test_a_session_that_was_removed_meanwhile_is_not_registered(rig, session, menu, qtbot, outbox, dialogs):
    dialog = open_dialog(rig, menu, session)
    dialogs.script.append("Yes")
    session.remove()
    dialogs.log.clear()
    press(qtbot, dialog.register_button)
    assert "was removed from the PyBpod project" in dialog.notices.toPlainText()
    assert items(outbox) == []
    dialog.close()


@pytest.mark.parametrize("saved", [False, True])
def test_a_session_that_is_renamed_meanwhile_is_remembered_at_its_place(rig, session, menu, qtbot, saved):
    dialog = open_dialog(rig, menu, session)
    before = session.path
    session.name = "renamed"
    if saved:
        rig.project.save()
    press(qtbot, dialog.register_button)
    wait(qtbot, lambda: living(RegisterDialog) == [])
    assert Path(session.path if saved else before, "alyx.json").is_file()
    rig.on_alyx(session)
    rig.project.save()
    assert Path(session.path, "alyx.json").is_file()
    assert ours(menu, session.node) == [OPEN, UPDATE]


@pytest.mark.usefixtures("quick_retries")
def test_one_that_was_given_up_in_the_outbox_can_be_registered_anew(rig, session, menu, qtbot, outbox, proxy):
    proxy.fault("drop", times=10_000)
    register(rig, menu, session, qtbot)
    key = session.alyx_registration_state.registration.key
    water = next(item for item in outbox.open().items() if item.kind is Kind.WATER)
    outbox.open().discard(water.key)
    outbox.open().discard(key)
    wait(qtbot, lambda: ours(menu, session.node) == [REGISTER])
    proxy._faults.clear()
    register(rig, menu, session, qtbot)
    rig.on_alyx(session)
    states = [state for kind, state in items(outbox) if kind is Kind.SESSION]
    assert states == [State.DISCARDED, State.SENT]


def test_a_note_that_could_not_be_written_is_shown(rig, session, menu, qtbot, outbox):
    dialog = open_dialog(rig, menu, session)
    Path(session.path, "alyx.json").mkdir()  # in the file's place
    press(qtbot, dialog.register_button)
    wait(qtbot, lambda: dialog.later_button.text() == "&Close")
    assert "alyx.json" in dialog.notices.toPlainText()
    assert "Stored on this computer" in dialog.status.text()
    assert [kind for kind, _state in items(outbox)] == [Kind.SESSION, Kind.WATER]
    dialog.close()


def test_a_damaged_note_is_shown_and_nothing_is_sent_twice(rig, session, menu, qtbot, outbox):
    register(rig, menu, session, qtbot)
    Path(session.path, "alyx.json").write_text("{")
    menu.labels(rig.setup.node)  # another node is selected meanwhile
    assert ours(menu, session.node) == []
    assert "damaged" in session.node.toolTip(0)


def test_who_was_never_connected_reads_how_to(rig, session, menu, qtbot, outbox, alyx_home):
    rig.project.loggeduser.connection = "local"
    next(alyx_home.rglob("accounts.json")).unlink()
    dialog = open_dialog(rig, menu, session)
    assert dialog.user.whole == "nobody is connected to Alyx"
    assert "choose Sync to Alyx" in dialog.notices.toPlainText()
    assert not dialog.register_button.isEnabled()


def test_a_removed_session_leaves_no_menu_behind(rig, session, menu, dialogs):
    tree = session.tree
    assert ours(menu, session.node) == [REGISTER]
    nodes = [session.node, *session.subjects_nodes.values()]
    assert all(id(node) in tree._items for node in nodes)
    assert "Register sessions on Alyx…" in menu.labels(rig.setup.node)
    dialogs.script.append("Yes")
    session.remove()
    dialogs.log.clear()
    assert not any(id(node) in tree._items for node in nodes)
    assert "Register sessions on Alyx…" not in menu.labels(rig.setup.node)


def test_while_alyx_is_asked_nothing_can_be_registered_and_pybpod_goes_on(rig, session, menu, qtbot, proxy):
    proxy.fault("hold", times=100)
    menu.trigger(session.node, REGISTER)
    dialog = session.alyx_dialog
    wait(qtbot, lambda: dialog.choice is not None and "Asking" in dialog.status.text())
    assert not dialog.register_button.isEnabled()
    qtbot.keyClicks(dialog.form.narrative, "typed meanwhile")
    fill(qtbot, dialog.form.location, "rig_2")
    proxy._faults.clear()
    proxy.release()
    wait(qtbot, lambda: not dialog.busy)
    assert dialog.register_button.isEnabled()
    assert dialog.form.narrative.toPlainText() == "typed meanwhile"
    assert dialog.form.location.text() == "rig_2"
    press(qtbot, dialog.register_button)
    rig.on_alyx(session)
    assert [(record["location"], record["narrative"]) for record in rig.written("ea04")] == [
        ("rig_2", "typed meanwhile")
    ]


def test_a_server_that_never_answers_is_not_waited_for(rig, session, menu, qtbot, proxy, monkeypatch):
    monkeypatch.setattr("pybpod_alyx_module.sessions.ask_alyx_about_session.PATIENCE_S", 0.2)
    proxy.fault("mute", times=100)
    dialog = open_dialog(rig, menu, session)
    assert "did not answer within 0.2 s" in dialog.notices.toPlainText()
    assert dialog.register_button.isEnabled()


def test_what_an_update_cannot_do_is_not_offered(rig, session, menu, qtbot, outbox):
    """A session that waits in the outbox of another computer can only be changed there."""
    note = {
        "server": rig.url, "session_id": None, "subject_id": rig.project.subjects[0].alyx["alyx_id"],
        "registered_at": "2026-11-21T10:00:00+00:00", "key": "0" * 32, "host": "another-rig",
    }  # fmt: skip
    write_registration(session.path, session.uuid4, Registration(**note))
    menu.labels(rig.setup.node)  # another node is selected meanwhile
    assert ours(menu, session.node) == [UPDATE]
    assert "another-rig" in session.node.toolTip(0)
    dialog = open_dialog(rig, menu, session, UPDATE)
    assert "waits in the Alyx outbox of the computer another-rig" in dialog.notices.toPlainText()
    assert not dialog.register_button.isEnabled()
    assert items(outbox) == []
