"""The window *Sync to Alyx* in the real PyBpod: connecting, and all that can go wrong with it."""

from __future__ import annotations

import json
import re
import threading

import pytest
from AnyQt.QtCore import Qt
from AnyQt.QtWidgets import QApplication, QLineEdit

from alyx_connector.accounts import Accounts
from alyx_connector.tokens import MemoryTokenStore
from pybpod_alyx_module.gui.messages import WORDING
from pybpod_alyx_module.gui.sync import sync_job
from pybpod_alyx_module.gui.sync.history.syncs_window import SYNCING
from pybpod_alyx_module.gui.sync.sync_window import SAVE_FIRST, UNDOING, SyncWindow, open_sync_window
from tests.fault_proxy import FaultProxy
from tests.gui.hands import (
    alyx_home,
    connect,
    connected_window,
    dialogs_shown,
    fill,
    get_subjects,
    hanging_keyring,
    holders,
    living,
    names,
    open_window,
    plugin_threads,
    press,
    small_enough,
    start_connecting,
    sync,
    wait,
)

__all__ = ["alyx_home", "hanging_keyring"]

#: What the status says where another user is typed than the one who records.
STILL_JOSE = "Records in this project are still made as jose."

pytestmark = pytest.mark.usefixtures("alyx_home")


@pytest.fixture
def proxy(sandbox):
    with FaultProxy(sandbox.url) as proxy:
        yield proxy


@pytest.fixture(autouse=True)
def nothing_is_left(project, dialogs, qtbot):
    """After each test: no box was shown, no window and no thread outlives its project."""
    yield
    assert dialogs.log == []
    project.close(silent=True)
    assert living(SyncWindow) == []
    assert dialogs_shown() == []
    wait(qtbot, lambda: not plugin_threads())


def saved(project, tmp_path):
    project.save(str(tmp_path / "Prj"))
    assert project.is_saved()


def test_one_window_a_project(project, menu, qtbot):
    window = open_window(qtbot, project, menu)
    menu.trigger(project.node, "Sync to Alyx")
    assert living(SyncWindow) == [window]
    assert window.windowTitle() == "Sync to Alyx – Prj"  # noqa: RUF001
    assert window.form.password.echoMode() == QLineEdit.Password
    assert not window.form.remember.checked
    assert window.form.status.text() == "Status: Not connected"


def test_a_minimised_window_comes_back_from_the_menu(project, menu, qtbot):
    window = open_window(qtbot, project, menu)
    window.showMinimized()
    assert window.isMinimized()
    menu.trigger(project.node, "Sync to Alyx")
    assert not window.isMinimized()
    assert window.isVisible()


def test_a_maximised_window_that_was_minimised_is_maximised_again(project, menu, qtbot):
    window = open_window(qtbot, project, menu)
    window.setWindowState(Qt.WindowMaximized | Qt.WindowMinimized)
    menu.trigger(project.node, "Sync to Alyx")
    assert not window.isMinimized()
    assert window.isMaximized()


def test_the_window_fits_on_a_small_screen(project, menu, qtbot):
    window = open_window(qtbot, project, menu)
    assert small_enough(window)
    assert window.form.results.height() >= 300


def test_connect_logs_the_user_in_and_forgets_the_password(project, menu, qtbot, sandbox, tmp_path):
    saved(project, tmp_path)
    window = open_window(qtbot, project, menu)
    assert not window.form.get_button.isEnabled()
    connect(qtbot, window, sandbox.url, sandbox.username, sandbox.password)
    assert window.form.status.text() == f"Status: CONNECTED to {sandbox.url} as jose"
    assert window.form.get_button.isEnabled()
    assert window.form.password.text() == ""
    assert project.node.text(0) == "Prj (jose@ALYX)"
    assert [user.name for user in project.users] == ["jose"]
    assert not project.is_saved()
    assert window.form.notice.text() == SAVE_FIRST


def test_a_user_that_is_there_is_logged_in_and_the_project_stays_saved(project, menu, qtbot, sandbox, tmp_path):
    project.create_user().name = "jose"
    saved(project, tmp_path)
    window = connected_window(qtbot, project, menu, sandbox)
    assert [user.name for user in project.users] == ["jose"]
    assert project.node.text(0) == "Prj (jose@ALYX)"
    assert window.form.notice.text() == ""


def test_save_first_goes_away_once_the_project_was_saved(project, menu, qtbot, sandbox, tmp_path):
    saved(project, tmp_path)
    window = connected_window(qtbot, project, menu, sandbox)
    assert window.form.notice.text() == SAVE_FIRST
    menu.trigger(project.node, "Save")
    window.hide()
    window.show()
    window.activateWindow()
    wait(qtbot, lambda: window.form.notice.text() == "")


def test_enter_connects(project, menu, qtbot, sandbox):
    window = open_window(qtbot, project, menu)
    for field, text in (
        (window.form.address, sandbox.url),
        (window.form.username, "jose"),
        (window.form.password, sandbox.password),
    ):
        fill(qtbot, field, text)
    qtbot.keyClick(window.form.password, Qt.Key_Return)
    assert window.form.status.text() == "Status: Connecting …"
    wait(qtbot, lambda: not window.working)
    assert window.connected


@pytest.mark.parametrize(
    ("texts", "missing", "focus"),
    [
        (("", "jose", "x"), "The address is missing", "address"),
        (("127.0.0.1:9", "", "x"), "The user is missing", "username"),
        (("  ", "  ", ""), "The address is missing", "address"),
        (("URL", "jose", ""), "The password is missing", "password"),
        (("URL", "jose", "   "), "The password is missing", "password"),
    ],
)
def test_an_empty_field_never_connects_and_is_named(project, menu, qtbot, proxy, texts, missing, focus):
    window = open_window(qtbot, project, menu)
    connect(qtbot, window, *(proxy.url if text == "URL" else text for text in texts))
    assert missing in window.form.messages
    assert not window.connected
    assert proxy.requests == []
    assert project.users == []
    assert window.focusWidget() is getattr(window.form, focus)


def test_a_wrong_password_is_told_and_not_kept(project, menu, qtbot, sandbox, caplog):
    caplog.set_level("DEBUG")
    wrong = "drowssap-gnorw"
    window = open_window(qtbot, project, menu)
    connect(qtbot, window, sandbox.url, "jose", wrong[::-1])
    assert "Wrong user or password." in window.form.messages
    assert sandbox.url in window.form.messages
    assert window.form.status.text() == "Status: Not connected"
    assert not window.form.get_button.isEnabled()
    assert project.users == []
    assert window.form.password.text() == ""
    assert window.focusWidget() is window.form.password
    assert window.form.address.text() == sandbox.url
    wait(qtbot, lambda: not plugin_threads())
    assert wrong[::-1] not in caplog.text
    caplog.clear()
    assert holders(wrong) == []


def test_a_second_press_while_connecting_does_nothing(project, menu, qtbot, proxy, sandbox):
    proxy.fault("hold", method="POST", path="/auth-token")
    window = open_window(qtbot, project, menu)
    start_connecting(qtbot, window, proxy.url, "jose", sandbox.password)
    proxy.wait_for(1, "POST", "/auth-token")
    assert not window.form.connect_button.isEnabled()
    assert not window.form.get_button.isEnabled()
    assert window.form.cancel_button.isEnabled()
    qtbot.mouseClick(window.form.connect_button, Qt.LeftButton)
    window.setFocus()
    qtbot.keyClick(window, Qt.Key_Return)
    proxy.release()
    wait(qtbot, lambda: not window.working)
    assert window.connected
    assert proxy.count("POST", "/auth-token") == 1


FAULTS = {
    "web page": ({"status": 200, "body": "<html>log in here</html>", "headers": {"Content-Type": "text/html"}}, None),
    "server fault": ({"status": 500, "body": {"detail": "boom"}}, "POST"),
    "throttled": ({"status": 429, "headers": {"Retry-After": "9000"}, "body": {"detail": "throttled"}}, "POST"),
    "nonsense": ({"status": 200, "body": {"tocken": "x"}}, "POST"),
    "not JSON": ({"status": 200, "body": "{", "headers": {"Content-Type": "application/json"}}, "POST"),
    "moved away": ({"status": 302, "headers": {"Location": "http://host.invalid/"}}, "POST"),
}


@pytest.mark.parametrize("fault", FAULTS)
def test_what_a_server_does_is_told_in_the_window(project, menu, qtbot, proxy, sandbox, fault):
    options, method = FAULTS[fault]
    proxy.fault("answer", times=50, method=method, **options)
    window = open_window(qtbot, project, menu)
    connect(qtbot, window, proxy.url, "jose", sandbox.password)
    assert window.form.status.text() == "Status: Not connected"
    assert window.form.messages.split(".")[0] in {title for title, _advice in WORDING.values()}
    assert window.form.connect_button.isEnabled()
    assert not window.form.get_button.isEnabled()
    assert project.users == []
    assert sandbox.password not in window.form.messages


@pytest.mark.parametrize(
    ("address", "title"),
    [
        ("host.invalid", "Alyx cannot be reached"),
        ("http://127.0.0.1:1", "Alyx cannot be reached"),
        ("http://[", "This address cannot be used"),
        ("ftp://x", "This address cannot be used"),
        ("a b", "This address cannot be used"),
        ("jose@127.0.0.1", "This address cannot be used"),
    ],
)
def test_an_address_where_nothing_is_or_that_is_none_is_told(project, menu, qtbot, address, title):
    window = open_window(qtbot, project, menu)
    connect(qtbot, window, address, "jose", "x")
    assert window.form.status.text() == "Status: Not connected"
    assert window.form.messages.startswith(f"{title}.")
    assert len(window.form.messages) > len(title) + 20
    assert window.focusWidget() is window.form.address


def test_a_rejected_login_after_a_wrong_address_asks_for_the_password(project, menu, qtbot, sandbox):
    window = open_window(qtbot, project, menu)
    connect(qtbot, window, "a b", "jose", "x")
    assert window.focusWidget() is window.form.address
    connect(qtbot, window, sandbox.url, "jose", "wrong")
    assert window.focusWidget() is window.form.password


def test_a_first_login_without_a_password_is_not_called_another_one(project, menu, qtbot, sandbox):
    window = open_window(qtbot, project, menu)
    connect(qtbot, window, sandbox.url, "jose", "")
    assert window.form.messages.startswith("Log in. The password is missing")
    assert "again" not in window.form.messages


def test_cancel_works_at_once_against_a_mute_server(project, menu, qtbot, proxy, sandbox):
    proxy.fault("hold", times=9)
    window = open_window(qtbot, project, menu)
    start_connecting(qtbot, window, proxy.url, "jose", sandbox.password)
    proxy.wait_for(1)
    press(qtbot, window.form.cancel_button)
    assert not window.working
    assert window.form.status.text() == "Status: Not connected"
    assert "Cancelled" in window.form.messages
    proxy.release()
    wait(qtbot, lambda: not plugin_threads())
    QApplication.processEvents()
    assert not window.connected
    assert project.users == []


def test_closing_works_at_once_against_a_mute_server(project, menu, qtbot, proxy, sandbox):
    proxy.fault("hold", times=9)
    window = open_window(qtbot, project, menu)
    start_connecting(qtbot, window, proxy.url, "jose", sandbox.password)
    proxy.wait_for(1)
    qtbot.keyClick(window.form.results, Qt.Key_Escape)
    assert not window.isVisible()
    assert window.form.password.text() == ""
    proxy.release()
    wait(qtbot, lambda: not plugin_threads())
    QApplication.processEvents()
    assert project.users == []


def test_closing_the_project_ends_a_window_that_waits(project, menu, qtbot, proxy, sandbox):
    window = connected_window(qtbot, project, menu, sandbox, proxy.url)
    proxy.fault("hold", times=9, path="/subjects")
    press(qtbot, window.form.get_button)
    proxy.wait_for(1, path="/subjects")
    project.close(silent=True)
    assert living(SyncWindow) == []
    proxy.release()
    wait(qtbot, lambda: not plugin_threads())


def test_the_window_stays_alive_while_the_server_is_slow(project, menu, qtbot, proxy, sandbox):
    proxy.fault("hold", method="POST", path="/auth-token")
    window = open_window(qtbot, project, menu)
    start_connecting(qtbot, window, proxy.url, "jose", sandbox.password)
    proxy.wait_for(1, "POST", "/auth-token")
    wait(qtbot, lambda: "Logging in" in window.form.activity.text())
    menu.trigger(project.subjects_node, "Add subject")
    assert names(project) == ["Untitled subject 0"]
    proxy.release()
    wait(qtbot, lambda: not window.working)
    assert window.connected


# -- another server, another user


@pytest.mark.parametrize("field", ["address", "username"])
def test_another_address_or_user_is_not_connected_until_connect_is_pressed(project, menu, qtbot, sandbox, field):
    window = connected_window(qtbot, project, menu, sandbox)
    qtbot.keyClicks(getattr(window.form, field), "x")
    assert window.form.status.text() == f"Status: Not connected. {STILL_JOSE}"
    assert not window.form.get_button.isEnabled()


def test_connect_again_really_connects_there(project, menu, qtbot, sandbox, proxy):
    window = connected_window(qtbot, project, menu, sandbox)
    connect(qtbot, window, proxy.url, "ana", "ana-demo")
    assert window.form.status.text() == f"Status: CONNECTED to {proxy.url} as ana"
    assert [seen.body for seen in proxy.requests if seen.method == "POST"] == [b"username=ana&password=ana-demo"]
    assert project.node.text(0) == "Prj (ana@ALYX)"
    sync(qtbot, window)
    assert names(project) == ["an002", "an003"]
    [asked] = [seen for seen in proxy.requests if seen.path == "/subjects"]
    assert asked.query["responsible_user"] == ["ana"]


def test_a_failed_second_connection_does_not_leave_the_first(project, menu, qtbot, sandbox):
    window = connected_window(qtbot, project, menu, sandbox)
    fill(qtbot, window.form.password, "wrong")
    press(qtbot, window.form.connect_button)
    wait(qtbot, lambda: not window.working)
    assert window.form.status.text() == f"Status: Not connected. {STILL_JOSE}"
    assert not window.form.get_button.isEnabled()


def test_connect_again_without_a_password_asks_the_server_again(project, menu, qtbot, sandbox, proxy):
    window = connected_window(qtbot, project, menu, sandbox, proxy.url)
    proxy.forget_requests()
    window.form.password.setFocus()
    qtbot.keyClick(window.form.password, Qt.Key_Return)
    wait(qtbot, lambda: not window.working)
    assert window.connected
    assert proxy.count("GET", "/users/jose") == 1
    assert proxy.count("POST") == 0


# -- remember me


def tokens_kept(home):
    file = home / "tokens.json"
    return json.loads(file.read_text()) if file.exists() else {}


def another_window(qtbot, host, menu):
    other = host.model.create_project()
    other.name = "Other"
    return open_window(qtbot, other, menu)


@pytest.fixture
def other_window(qtbot, host, menu):
    """Give a function that opens the window of another project, which is closed at the end."""
    opened = []

    def make():
        opened.append(another_window(qtbot, host, menu))
        return opened[-1]

    yield make
    for window in opened:
        window.project.close(silent=True)
        host.model.projects.remove(window.project)


def nothing_remembered(qtbot, window, sandbox):
    assert (window.form.address.text(), window.form.username.text()) == (sandbox.url, "jose")
    assert not window.form.remember.checked
    press(qtbot, window.form.connect_button)
    wait(qtbot, lambda: not window.working)
    assert "The password is missing" in window.form.messages
    assert not window.connected


def test_without_remember_me_no_token_is_kept_but_the_account_is(
    project, menu, qtbot, sandbox, alyx_home, other_window
):
    connected_window(qtbot, project, menu, sandbox)
    assert tokens_kept(alyx_home) == {}
    nothing_remembered(qtbot, other_window(), sandbox)


def tick_remember_me(qtbot, window):
    """Tick the box, or take the tick away."""
    before = window.form.remember.checked
    qtbot.keyClick(window.form.remember.box, Qt.Key_Space)
    assert window.form.remember.checked is not before


def remembered(qtbot, project, menu, address, sandbox):
    window = open_window(qtbot, project, menu)
    assert "memory only" in " ".join(
        label.text() for label in window.form.remember.findChildren(type(window.form.status))
    )
    tick_remember_me(qtbot, window)
    assert "tokens.json" in " ".join(
        label.text() for label in window.form.remember.findChildren(type(window.form.status))
    )
    connect(qtbot, window, address, "jose", sandbox.password)
    assert window.connected
    return window


def test_a_remembered_token_connects_without_a_password(project, menu, qtbot, sandbox, proxy, alyx_home, other_window):
    remembered(qtbot, project, menu, proxy.url, sandbox)
    [[server, users]] = tokens_kept(alyx_home).items()
    assert server == proxy.url
    assert users["jose"] not in project.alyx_window.form.messages
    window = other_window()
    assert window.form.remember.checked
    assert window.focusWidget() is window.form.password
    proxy.forget_requests()
    window.form.password.setFocus()
    qtbot.keyClick(window.form.password, Qt.Key_Return)
    wait(qtbot, lambda: not window.working)
    assert window.form.status.text() == f"Status: CONNECTED to {proxy.url} as jose"
    assert proxy.count("POST") == 0


def test_a_revoked_token_asks_for_the_password(project, menu, qtbot, sandbox, proxy, other_window):
    remembered(qtbot, project, menu, proxy.url, sandbox)
    window = other_window()
    proxy.fault("answer", path="/users/jose", status=403, body={"detail": "Invalid token."})
    qtbot.keyClick(window.form.password, Qt.Key_Return)
    wait(qtbot, lambda: not window.working)
    assert not window.connected
    assert "Log in again." in window.form.messages
    assert "revoked" in window.form.messages
    assert window.focusWidget() is window.form.password
    qtbot.keyClicks(window.form.password, sandbox.password)
    qtbot.keyClick(window.form.password, Qt.Key_Return)
    wait(qtbot, lambda: not window.working)
    assert window.connected


def test_unticked_the_token_is_deleted_when_connecting(project, menu, qtbot, sandbox, alyx_home, other_window):
    remembered(qtbot, project, menu, sandbox.url, sandbox)
    window = other_window()
    tick_remember_me(qtbot, window)
    press(qtbot, window.form.connect_button)
    wait(qtbot, lambda: not window.working)
    assert window.connected
    assert tokens_kept(alyx_home) == {}


@pytest.mark.parametrize("store", ["file", "memory"])
def test_a_token_whose_tick_was_taken_away_fills_in_no_window(
    project, menu, qtbot, sandbox, monkeypatch, other_window, store
):
    monkeypatch.setenv("ALYX_TOKEN_STORE", store)
    window = open_window(qtbot, project, menu)
    tick_remember_me(qtbot, window)
    connect(qtbot, window, sandbox.url, "jose", sandbox.password)
    tick_remember_me(qtbot, window)
    press(qtbot, window.form.connect_button)
    wait(qtbot, lambda: not window.working)
    assert window.connected
    assert not window.form.remember.checked
    nothing_remembered(qtbot, other_window(), sandbox)


@pytest.mark.parametrize("store", ["file", "memory"])
def test_a_token_of_a_window_without_remember_me_fills_in_no_other(
    project, menu, qtbot, sandbox, monkeypatch, other_window, store
):
    monkeypatch.setenv("ALYX_TOKEN_STORE", store)
    connected_window(qtbot, project, menu, sandbox)
    nothing_remembered(qtbot, other_window(), sandbox)


def noted(address):
    """Connect once without Remember me, in an earlier PyBpod."""
    Accounts(tokens=MemoryTokenStore()).remember(address, "jose", "secret", keep_token=None)


def test_without_remember_me_a_keyring_that_hangs_is_not_asked(project, menu, qtbot, sandbox, hanging_keyring):
    window = connected_window(qtbot, project, menu, sandbox)
    assert window.form.status.text() == f"Status: CONNECTED to {sandbox.url} as jose"
    assert not hanging_keyring.asked.is_set()
    window.form.password.setFocus()
    qtbot.keyClick(window.form.password, Qt.Key_Return)
    wait(qtbot, lambda: not window.working)
    assert window.connected, "again, with the token that the window holds"
    assert not hanging_keyring.asked.is_set()


def test_logging_out_does_not_wait_for_a_keyring_that_hangs(project, menu, qtbot, sandbox, hanging_keyring):
    window = connected_window(qtbot, project, menu, sandbox)
    press(qtbot, window.form.connect_button)
    wait(qtbot, hanging_keyring.asked.is_set)
    assert window.form.status.text() == "Status: Logging out …"
    press(qtbot, window.form.cancel_button)
    assert not window.working
    assert "the token may still be stored" in window.form.messages
    hanging_keyring.released.set()
    press(qtbot, window.form.connect_button)
    wait(qtbot, lambda: not window.working)
    assert not window.connected
    assert "jose is logged out" in window.form.messages


def test_without_remember_me_no_store_of_tokens_is_chosen(project, menu, qtbot, sandbox, monkeypatch):
    window = open_window(qtbot, project, menu)
    monkeypatch.setenv("ALYX_TOKEN_STORE", "no such store")
    connect(qtbot, window, sandbox.url, "jose", sandbox.password)
    assert window.form.messages == f"Connected to {sandbox.url} as jose."


def test_what_was_typed_while_a_keyring_hung_stays(project, menu, qtbot, sandbox, hanging_keyring):
    noted(sandbox.url)
    menu.trigger(project.node, "Sync to Alyx")
    window = project.alyx_window
    wait(qtbot, hanging_keyring.asked.is_set)
    fill(qtbot, window.form.address, "alyx.example.org")
    hanging_keyring.released.set()
    wait(qtbot, lambda: window._lookup.settled)
    assert (window.form.address.text(), window.form.username.text()) == ("alyx.example.org", "")
    assert "hanging" in window.form.remember.store


def test_a_keyring_that_answers_while_another_account_is_connected_changes_nothing(
    project, menu, qtbot, sandbox, hanging_keyring
):
    noted("http://host.invalid")
    menu.trigger(project.node, "Sync to Alyx")
    window = project.alyx_window
    wait(qtbot, hanging_keyring.asked.is_set)
    connect(qtbot, window, sandbox.url, "jose", sandbox.password)
    assert window.connected
    hanging_keyring.released.set()
    wait(qtbot, lambda: window._lookup.settled)
    assert window.form.address.text() == sandbox.url
    assert window.connected


def test_a_typed_account_whose_token_is_kept_keeps_it(project, menu, qtbot, sandbox, alyx_home, other_window):
    remembered(qtbot, project, menu, sandbox.url, sandbox)
    kept = tokens_kept(alyx_home)
    noted("http://host.invalid")
    window = other_window()
    assert not window.form.remember.checked
    connect(qtbot, window, sandbox.url, "jose", "")
    assert window.connected
    assert tokens_kept(alyx_home) == kept
    assert window.form.remember.checked


def test_a_typed_account_with_its_password_leaves_the_kept_token(
    project, menu, qtbot, sandbox, alyx_home, other_window
):
    remembered(qtbot, project, menu, sandbox.url, sandbox)
    kept = tokens_kept(alyx_home)
    noted("http://host.invalid")
    window = other_window()
    connect(qtbot, window, sandbox.url, "jose", sandbox.password)
    assert window.connected
    assert tokens_kept(alyx_home) == kept


def test_the_tick_of_one_account_is_not_that_of_another(project, menu, qtbot, sandbox, other_window):
    remembered(qtbot, project, menu, sandbox.url, sandbox)
    window = other_window()
    fill(qtbot, window.form.username, "ana")
    assert not window.form.remember.checked


@pytest.mark.parametrize(
    ("remember", "told"),
    [
        (True, "The account could not be remembered. "),
        (False, "Address and user could not be noted for next time. "),
    ],
)
def test_what_cannot_be_written_does_not_keep_from_connecting(project, menu, qtbot, sandbox, alyx_home, remember, told):
    alyx_home.write_text("a file where the folder should be")
    window = open_window(qtbot, project, menu)
    if remember:
        tick_remember_me(qtbot, window)
    connect(qtbot, window, sandbox.url, "jose", sandbox.password)
    assert window.connected
    [line] = [line for line in window.form.messages.splitlines() if "could not" in line]
    assert line.startswith(told)
    assert "alyx-home" in line


def test_a_token_that_cannot_be_deleted_is_told_and_stays_ticked(
    project, menu, qtbot, sandbox, alyx_home, monkeypatch, other_window
):
    remembered(qtbot, project, menu, sandbox.url, sandbox)
    kept = tokens_kept(alyx_home)
    window = other_window()
    tick_remember_me(qtbot, window)
    monkeypatch.setenv("ALYX_TOKEN_STORE", "no such store")
    fill(qtbot, window.form.password, sandbox.password)
    press(qtbot, window.form.connect_button)
    wait(qtbot, lambda: not window.working)
    assert window.connected
    assert "The token that is kept for this user could not be deleted. ALYX_TOKEN_STORE" in window.form.messages
    assert tokens_kept(alyx_home) == kept
    assert window.form.remember.checked


@pytest.mark.parametrize("field", ["address", "username"])
def test_of_what_was_typed_at_great_length_the_beginning_is_repeated(project, menu, qtbot, sandbox, caplog, field):
    caplog.set_level("DEBUG")
    window = open_window(qtbot, project, menu)
    typed = {"address": sandbox.url, "username": "jose"}
    typed[field] = "x" * 30_000
    for name, text in typed.items():
        getattr(window.form, name).setText(text)
    press(qtbot, window.form.connect_button)
    assert len(window.form.activity.text()) < 1_000
    wait(qtbot, lambda: not window.working)
    assert not window.connected
    assert "xxx… (30" in window.form.messages
    assert len(window.form.messages) < 1_000
    assert "x" * 1_000 not in caplog.text


def test_a_word_without_end_does_not_fill_the_window(project, menu, qtbot):
    form = open_window(qtbot, project, menu).form
    form.tell(f"left alone: {'x' * 100_000} and {'y' * 300}")
    form.show_activity("x" * 100_000)
    assert form.messages == f"left alone: {'x' * 100}… (100000 characters) and {'y' * 300}"
    assert form.activity.text() == f"{'x' * 100}… (100000 characters)"


# -- settings


@pytest.fixture
def setting(pybpod_settings, monkeypatch):
    return lambda name, value: monkeypatch.setattr(pybpod_settings, name, value, raising=False)


def test_the_settings_fill_the_fields_before_the_last_account_does(
    project, menu, qtbot, sandbox, setting, other_window
):
    connected_window(qtbot, project, menu, sandbox)
    setting("ALYX_PLUGIN_ADDRESS", "alyx.example.org")
    setting("ALYX_PLUGIN_USERNAME", None)
    setting("ALYX_PLUGIN_PASSWORD", "from the settings")
    form = other_window().form
    assert (form.address.text(), form.username.text(), form.password.text()) == (
        "alyx.example.org",
        "",
        "from the settings",
    )


def test_a_setting_that_is_no_text_is_named_in_the_window(project, menu, qtbot, setting):
    setting("ALYX_PLUGIN_USERNAME", 12)
    setting("ALYX_PLUGIN_ADDRESS", "http://[")
    window = open_window(qtbot, project, menu)
    assert "ALYX_PLUGIN_USERNAME" in window.form.messages
    assert window.form.username.text() == ""


# -- closing and opening again


def test_escape_closes_and_the_connection_is_there_when_it_is_opened_again(project, menu, qtbot, sandbox):
    window = connected_window(qtbot, project, menu, sandbox)
    qtbot.keyClick(window.form.address, Qt.Key_Escape)
    assert not window.isVisible()
    assert open_sync_window(project) is window
    assert window.connected
    assert window.form.get_button.isEnabled()


def test_closing_the_project_lets_go_of_the_token(project, menu, qtbot, sandbox):
    window = connected_window(qtbot, project, menu, sandbox)
    client = window._login.connection.client
    project.close(silent=True)
    assert not client.connected
    assert project.alyx_window is None


# -- get subjects: what a server does


def test_no_subjects_is_said_with_server_and_user(project, menu, qtbot, sandbox):
    window = open_window(qtbot, project, menu)
    connect(qtbot, window, sandbox.url, "public", "public-demo")
    sync(qtbot, window)
    assert f"{sandbox.url} lists none of the subjects of public." in window.form.messages
    assert names(project) == []


SUBJECT_FAULTS = {
    "server fault": ("answer", {"status": 500, "body": {"detail": "boom"}}),
    "web page": ("answer", {"status": 200, "body": "<html>", "headers": {"Content-Type": "text/html"}}),
    "throttled": ("answer", {"status": 429, "headers": {"Retry-After": "9000"}, "body": {"detail": "throttled"}}),
    "null": ("answer", {"status": 200, "body": None}),
    "half a row": ("alter", {"change": lambda page: {**page, "results": [{"nickname": "x"}]}}),
    "cut short": ("truncate", {}),
}


@pytest.mark.usefixtures("quick_retries")
@pytest.mark.parametrize("fault", SUBJECT_FAULTS)
def test_a_listing_that_fails_changes_nothing_and_is_told(project, menu, qtbot, proxy, sandbox, fault):
    window = connected_window(qtbot, project, menu, sandbox, proxy.url)
    told = window.form.messages
    name, options = SUBJECT_FAULTS[fault]
    proxy.fault(name, times=50, path="/subjects", **options)
    assert get_subjects(qtbot, window) is None
    new = window.form.messages[len(told) :].strip()
    time, text = new.split("  ", 1)
    assert re.fullmatch(r"\d\d:\d\d:\d\d", time)
    assert text.split(".")[0] in {title for title, _advice in WORDING.values()}
    assert text.endswith(" Nothing in the project was changed.")
    assert names(project) == []
    assert window.connected
    assert window.form.get_button.isEnabled()


def test_planning_that_fails_is_told_and_ends_the_sync(project, menu, qtbot, sandbox, monkeypatch):
    def fail(*_arguments):
        raise ZeroDivisionError

    window = connected_window(qtbot, project, menu, sandbox)
    monkeypatch.setattr(sync_job, "make_plan", fail)
    told = sync(qtbot, window)
    assert "A fault in the Alyx plugin. Something unexpected happened (ZeroDivisionError)." in told
    assert told.endswith("Nothing in the project was changed.")
    assert window.connected
    assert window.form.get_button.isEnabled()


def test_a_token_revoked_meanwhile_asks_for_the_password(project, menu, qtbot, proxy, sandbox):
    window = connected_window(qtbot, project, menu, sandbox, proxy.url)
    proxy.fault("answer", times=9, path="/subjects", status=403, body={"detail": "Invalid token."})
    get_subjects(qtbot, window)
    assert window.form.status.text() == f"Status: Not connected. {STILL_JOSE}"
    assert window.focusWidget() is window.form.password
    assert "Log in again." in window.form.messages


def test_cancel_while_the_list_is_on_its_way(project, menu, qtbot, proxy, sandbox):
    window = connected_window(qtbot, project, menu, sandbox, proxy.url)
    proxy.fault("hold", times=9, path="/subjects")
    press(qtbot, window.form.get_button)
    proxy.wait_for(1, path="/subjects")
    assert not window.form.connect_button.isEnabled()
    press(qtbot, window.form.cancel_button)
    assert not window.working
    assert "Nothing in the project was changed." in window.form.messages
    proxy.release()
    wait(qtbot, lambda: not plugin_threads())
    assert names(project) == []
    sync(qtbot, window)
    assert "jo001" in names(project)


def test_no_thread_of_the_plugin_runs_while_nothing_is_done(project, menu, qtbot, sandbox):
    connected_window(qtbot, project, menu, sandbox)
    wait(qtbot, lambda: not plugin_threads())
    assert threading.main_thread() is threading.current_thread()


def test_what_a_sync_did_is_undone_from_its_summary(project, menu, qtbot, sandbox):
    window = connected_window(qtbot, project, menu, sandbox)
    assert not window.form.undo_button.isVisible()
    sync(qtbot, window)
    assert "ea04" in names(project)
    press(qtbot, window.form.undo_button)
    syncs = project.alyx_syncs_window
    wait(qtbot, lambda: syncs.undo_dialog is not None)
    # while it asks, no other sync begins, and a second press leads to the question
    press(qtbot, window.form.get_button)
    assert UNDOING in window.form.messages
    assert not window.working
    dialog = syncs.undo_dialog
    press(qtbot, window.form.undo_button)
    assert syncs.undo_dialog is dialog
    press(qtbot, dialog.undo_button)
    wait(qtbot, lambda: not syncs.working)
    assert names(project) == []
    # it can be synced again; a sync that changes nothing has nothing to undo
    sync(qtbot, window)
    assert "ea04" in names(project)
    sync(qtbot, window)
    assert not window.form.undo_button.isVisible()
    syncs.close()


def test_nothing_is_undone_while_it_syncs(project, menu, qtbot, sandbox, proxy):
    window = connected_window(qtbot, project, menu, sandbox, proxy.url)
    sync(qtbot, window)
    proxy.fault("mute", times=9, path="/subjects")
    press(qtbot, window.form.get_button)
    press(qtbot, window.form.undo_button)
    wait(qtbot, lambda: project.alyx_syncs_window.message.text() == SYNCING)
    assert not project.alyx_syncs_window.working
    press(qtbot, window.form.cancel_button)
    proxy.release()
    project.alyx_syncs_window.close()
