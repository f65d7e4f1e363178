"""``pybpod-alyx doctor``: each fault is found, said and explained, in a few seconds, and no secret is shown."""

from __future__ import annotations

import contextlib
import json
import os
import socket
import subprocess
import sys
import threading
from datetime import timedelta

import keyring
import pytest

from alyx_connector import AlyxClient
from alyx_connector.accounts import Accounts
from alyx_connector.http.server_time import utc_now
from alyx_connector.progress import Cancelled, CancelToken
from pybpod_alyx_module.doctor import computer, examine, plugins, programs, servers
from pybpod_alyx_module.doctor import settings as user_settings
from pybpod_alyx_module.doctor.check import State, within
from pybpod_alyx_module.doctor.computer import check_computer, kind_of_share
from pybpod_alyx_module.doctor.examine import Here
from pybpod_alyx_module.doctor.programs import check_programs
from pybpod_alyx_module.doctor.servers import check_server
from pybpod_alyx_module.log_file import LogFile
from pybpod_alyx_module.outbox.items import Draft, Kind
from pybpod_alyx_module.outbox.outbox import Outbox
from pybpod_alyx_module.outbox.sqlite_file import SenderLocks
from tests.fault_proxy import FaultProxy
from tests.system.connector.tls_server import TlsServer, write_certificate

OK, WARNING, WRONG = State
PASSWORD = "hunter2"
ANIMAL = "1368afed-5fc8-405e-b314-ea8f6f429575"


@pytest.fixture(autouse=True)
def home(tmp_path, monkeypatch):
    home = tmp_path / "alyx"
    monkeypatch.setenv("ALYX_CONNECTOR_HOME", str(home))
    monkeypatch.setenv("ALYX_TOKEN_STORE", "file")
    return home


@pytest.fixture
def doctor(tmp_path):
    """Give a function that runs the command in the folder of a user_settings.py; it returns rows and exit code."""
    folder = tmp_path / "rig"
    folder.mkdir()

    def run(text=None, *, is_json=True):
        if text is not None:
            (folder / "user_settings.py").write_text(text, encoding="utf-8")
        result = subprocess.run(
            [sys.executable, "-m", "pybpod_alyx_module", "doctor", *(["--json"] if is_json else [])],
            capture_output=True,
            text=True,
            check=False,
            cwd=folder,
            env={**os.environ, "HOME": str(tmp_path), "USERPROFILE": str(tmp_path)},
        )
        assert PASSWORD not in result.stdout + result.stderr
        assert "Traceback" not in result.stderr
        if not is_json:
            return result
        told = json.loads(result.stdout)
        assert result.returncode == (0 if told["ok"] else 1)
        return {
            (row["group"], row["title"]): (row["state"], f"{row['found']} {row['advice']}") for row in told["checks"]
        }

    return run


def settings(*plugins, **names):
    lines = [f"ALYX_PLUGIN_{name} = {value!r}" for name, value in names.items()]
    return "\n".join(["SETTINGS_PRIORITY = 0", f"GENERIC_EDITOR_PLUGINS_LIST = {list(plugins)!r}", *lines])


def by_title(checks):
    return {check.title: check for check in checks}


def nobody(_url, _username):
    return None


# The command ---------------------------------------------------------------------------------------------------------


def test_all_is_well(doctor, sandbox, home):
    with AlyxClient(sandbox.url) as client:
        Accounts().remember(sandbox.url, "jose", client.login("jose", sandbox.password), keep_token=True)
    text = settings("pybpodgui_plugin", "pybpod_alyx_module", ADDRESS=sandbox.url)
    found = doctor(text)
    assert {state for state, _ in found.values()} == {"ok"}, found
    assert found["Plugins", "pybpod_alyx_module"] == ("ok", "It can be loaded. ")
    assert found[f"Server {sandbox.url}", "Login of jose"][0] == "ok"
    assert not (home / "outbox.sqlite").exists()
    result = doctor(is_json=False)
    assert result.returncode == 0
    assert "all well." in result.stdout.splitlines()[-1]
    assert "Time zones" in result.stdout


def test_a_plugin_that_cannot_be_loaded_and_why(doctor, tmp_path):
    (tmp_path / "rig" / "broken_plugin.py").write_text("import no_such_library\n")
    found = doctor(settings("pybpodgui_plugin", "pybpod_alyx_module", "broken_plugin", "not_installed"))
    assert found["Plugins", "pybpodgui_plugin"][0] == "ok"
    assert found["Plugins", "broken_plugin"][0] == "wrong"
    assert "No module named 'no_such_library'" in found["Plugins", "broken_plugin"][1]
    assert "No module named 'not_installed'" in found["Plugins", "not_installed"][1]
    assert not (tmp_path / "rig" / "app.log").exists()


def test_settings_that_are_misspelt_of_a_wrong_type_or_secret(doctor):
    text = settings(LOCATOIN="rig_1", CHECK_ALIVE="maybe", PASSWORD=PASSWORD, PROCEDURES=["a"])
    found = doctor(f"{text}\nALXY_PLUGIN_SCALE_PORT = 'COM3'\nPYBPOD_SERIAL = 3\nalyx_plugin_location = 'x'")
    state, said = found["Settings", "ALYX_PLUGIN_LOCATOIN"]
    assert (state, said.count("Did you mean ALYX_PLUGIN_LOCATION?")) == ("wrong", 1)
    assert "ALYX_PLUGIN_SCALE_PORT" in found["Settings", "ALXY_PLUGIN_SCALE_PORT"][1]
    assert found["Settings", "alyx_plugin_location"][0] == "wrong"
    assert ("Settings", "PYBPOD_SERIAL") not in found
    state, said = found["Settings", "ALYX_PLUGIN_CHECK_ALIVE"]
    assert state == "wrong"
    assert "'off' or 'warn' or 'block'" in said
    assert found["Settings", "ALYX_PLUGIN_PASSWORD"][0] == "warning"
    assert "ALYX_PLUGIN_PROCEDURES = ['a']" in found["Settings", "Settings of the plugin"][1]
    assert "does not name pybpodgui_plugin and pybpod_alyx_module" in found["Settings", "List of plugins"][1]


@pytest.mark.parametrize(
    ("line", "why"),
    [
        (f"ALYX_PLUGIN_PASSWORD = {PASSWORD}", "in line 2 (NameError)"),
        (f"ALYX_PLUGIN_PASSWORD = '{PASSWORD}", "in line 2 (SyntaxError)"),
        (f"raise SystemExit('{PASSWORD}')", "in line 2 (SystemExit)"),
        ("import no_such_library", "in line 2 (ModuleNotFoundError)"),
    ],
)
def test_a_broken_file_of_settings(doctor, tmp_path, line, why):
    found = doctor(f"SETTINGS_PRIORITY = 0\n{line}\n")
    state, said = found["Settings", "user_settings.py"]
    assert state == "wrong"
    assert why in said
    assert str(tmp_path / "rig" / "user_settings.py") in said
    assert found["This computer", "Logins"][0] == "ok"


def test_the_file_of_the_home_folder_or_none(doctor, tmp_path):
    assert found_in(doctor())[0] == "wrong"
    (tmp_path / "user_settings.py").write_text(settings())
    assert found_in(doctor()) == ("ok", f"{tmp_path / 'user_settings.py'} was read. ")
    assert str(tmp_path / "rig") in found_in(doctor(settings()))[1]


def found_in(rows):
    return rows["Settings", "user_settings.py"]


def test_it_needs_neither_qt_nor_a_display(tmp_path):
    script = (
        "import os, sys; os.chdir(sys.argv[1]); from pybpod_alyx_module.__main__ import main; main(['doctor']);"
        "print(sorted({'AnyQt', 'PyQt5', 'pyforms_gui', 'pybpodgui_plugin'} & set(sys.modules)))"
    )
    bare = {key: value for key, value in os.environ.items() if not key.startswith(("QT_", "DISPLAY", "WAYLAND"))}
    (tmp_path / "user_settings.py").write_text(settings("pybpodgui_plugin", "pybpod_alyx_module"))
    command = [sys.executable, "-c", script, str(tmp_path)]
    result = subprocess.run(command, capture_output=True, text=True, check=False, env=bare)
    assert result.stdout.splitlines()[-1] == "[]", result.stdout + result.stderr


def test_without_pybpod(monkeypatch):
    monkeypatch.setattr(programs, "version_of", lambda _name: "")
    found = by_title(check_programs())
    assert found["PyBpod"].state is WRONG
    assert "not installed" in found["PyBpod"].found


def test_what_pybpod_needs_and_does_not_ask_for(monkeypatch):
    real = programs.version_of
    monkeypatch.setattr(programs, "version_of", lambda name: "" if name == "QScintilla" else real(name))
    found = by_title(check_programs())
    assert found["PyBpod"].state is WRONG
    assert "pip install QScintilla" in found["PyBpod"].advice


def test_plugins_that_hang_are_given_up(monkeypatch, tmp_path):
    (tmp_path / "hanging_plugin.py").write_text("import time\nwhile True: time.sleep(1)\n")
    monkeypatch.setattr(sys, "path", [str(tmp_path), *sys.path])
    monkeypatch.setattr(plugins, "LIMIT_S", 0.2)
    listed = user_settings.UserSettings(names={"GENERIC_EDITOR_PLUGINS_LIST": ["hanging_plugin"]})
    [check] = plugins.check_plugins(listed, CancelToken())
    assert check.state is WARNING
    assert "0.2 s" in check.found
    cancel = CancelToken()
    cancel.cancel()
    with pytest.raises(Cancelled):
        list(plugins.check_plugins(listed, cancel))


# Servers -------------------------------------------------------------------------------------------------------------


def test_a_server_of_each_kind(each_server):
    with AlyxClient(each_server.url) as client:
        token = client.login(each_server.username, each_server.password)
    found = by_title(check_server(each_server.url, [each_server.username], lambda *_: token, CancelToken()))
    assert found[f"Login of {each_server.username}"].state is OK
    assert ("Alyx-Local" in found["Kind of server"].found) is ("local" in each_server.name)
    assert found["Alyx"].state is OK
    assert token not in repr(found)


def test_a_closed_port():
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        port = taken.getsockname()[1]
    [check] = check_server(f"127.0.0.1:{port}", ["jose"], nobody, CancelToken())
    assert (check.title, check.state) == ("Port", WRONG)
    assert "connection refused" in check.found
    assert "may not be running" in check.advice


def test_a_name_that_does_not_exist():
    [check] = check_server("alyx.lab.invalid", [], nobody, CancelToken())
    assert (check.title, check.state) == ("Name", WRONG)
    assert "alyx.lab.invalid" in check.found


def test_an_unusable_address_repeats_no_password():
    [check] = check_server(f"https://jose:{PASSWORD}@alyx.lab", [], nobody, CancelToken())
    assert (check.title, check.state) == ("Address", WRONG)
    assert PASSWORD not in repr(check)


@pytest.fixture
def short(monkeypatch):
    """Wait less for what never answers."""
    for module in (servers, computer):
        monkeypatch.setattr(module, "LIMIT_S", 0.3)
    monkeypatch.setattr(servers, "_TIMEOUTS", servers.Timeouts(0.3, 0.3, 0.3))
    monkeypatch.setattr(within, "__defaults__", (0.3,))


@pytest.fixture
def mute():
    """Give the address of what takes connections and says nothing."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        yield f"127.0.0.1:{server.getsockname()[1]}"


def test_a_server_that_says_nothing(mute, short):
    found = by_title(check_server(mute, ["jose"], nobody, CancelToken()))
    assert found["Port"].state is OK
    assert found["Alyx"].state is WRONG
    assert list(found) == ["Port", "Alyx"]


def test_cancelled_while_a_server_says_nothing(mute):
    cancel = CancelToken()
    steps = check_server(mute, ["jose"], nobody, cancel)
    assert next(steps).title == "Port"
    threading.Timer(0.1, cancel.cancel).start()
    with pytest.raises(Cancelled):
        list(steps)


def test_https_where_there_is_none(mute, short, sandbox):
    port = sandbox.url.rpartition(":")[2]
    found = by_title(check_server(f"https://127.0.0.1:{port}", [], nobody, CancelToken()))
    assert list(found) == ["Port", "Alyx"]
    assert found["Alyx"].state is WRONG


def test_a_certificate_that_nobody_knows(tmp_path, monkeypatch):
    pem = write_certificate(tmp_path)
    with contextlib.closing(TlsServer(pem)) as server:
        found = by_title(check_server(f"https://{server.host}", [], nobody, CancelToken()))
        assert list(found) == ["Port", "Certificate"]
        assert found["Certificate"].state is WRONG
        monkeypatch.setenv("REQUESTS_CA_BUNDLE", str(pem))
        found = by_title(check_server(f"https://{server.host}", [], nobody, CancelToken()))
    assert found["Certificate"].state is OK
    assert found["Alyx"].state is OK


def test_another_program_at_the_address(sandbox):
    with FaultProxy(sandbox.url) as proxy:
        proxy.fault("answer", times=9, status=200, body=b"<html>hotel guests: log in</html>")
        found = by_title(check_server(proxy.url, [], nobody, CancelToken()))
    assert found["Alyx"].state is WRONG
    assert "is not an Alyx" in found["Alyx"].found


def test_nobody_logged_in_and_a_login_that_was_revoked(sandbox):
    found = by_title(check_server(sandbox.url, [], nobody, CancelToken()))
    assert found["Login"].state is WARNING
    found = by_title(check_server(sandbox.url, ["jose"], nobody, CancelToken()))
    assert found["Login of jose"].state is WARNING
    assert "Remember me" in found["Login of jose"].advice
    found = by_title(check_server(sandbox.url, ["jose"], lambda *_: "0" * 40, CancelToken()))
    assert found["Login of jose"].state is WRONG
    assert "revoked" in found["Login of jose"].found
    assert "Kind of server" not in found


@pytest.mark.parametrize(("ahead", "way"), [(timedelta(minutes=61), "ahead of"), (timedelta(days=-400), "behind")])
def test_a_clock_that_is_wrong(sandbox, monkeypatch, ahead, way):
    monkeypatch.setattr(servers, "utc_now", lambda: utc_now() + ahead)
    found = by_title(check_server(sandbox.url, [], nobody, CancelToken()))
    assert found["Clock"].state is WRONG
    assert way in found["Clock"].found


def test_labs_without_a_time_zone(sandbox):
    with FaultProxy(sandbox.url) as proxy, AlyxClient(proxy.url) as client:
        token = client.login("jose", sandbox.password)

        def forget(page):
            return {**page, "results": [{**row, "timezone": "Mars/Base"} for row in page["results"]]}

        proxy.fault("alter", times=9, path="/labs", change=forget)
        found = by_title(check_server(proxy.url, ["jose"], lambda *_: token, CancelToken()))
    assert found["Time zones"].state is WARNING
    assert "champalimaud" in found["Time zones"].found


# This computer -------------------------------------------------------------------------------------------------------


def computer_checks(*projects, trouble=""):
    return by_title(check_computer(projects, trouble, CancelToken()))


def test_a_folder_that_cannot_be_written(home, tmp_path):
    home.write_text("a file is in its place")
    found = computer_checks(str(tmp_path / "gone" / "Prj"))["Folder of the plugin"]
    assert found.state is WRONG
    assert str(home) in found.found
    assert "ALYX_CONNECTOR_HOME" in found.advice


def test_a_disk_that_is_full_or_does_not_answer(home, monkeypatch, short):
    for free, state in ((10**6, WRONG), (10**8, WARNING), (10**10, OK)):
        monkeypatch.setattr(computer, "_free_after_writing", lambda _folder, free=free: free)
        assert computer_checks()["Folder of the plugin"].state is state
    ended = threading.Event()
    monkeypatch.setattr(computer, "_free_after_writing", lambda _folder: ended.wait(60))
    found = computer_checks()["Folder of the plugin"]
    ended.set()
    assert found.state is WRONG
    assert "did not answer" in found.found


def test_a_project_on_a_share(tmp_path, monkeypatch):
    monkeypatch.setattr(computer, "is_share", lambda folder: "nfs4" if folder.name == "Prj" else "")
    found = computer_checks(str(tmp_path))
    assert found[f"Project {tmp_path.name}"].state is OK
    (tmp_path / "Prj").mkdir()
    found = computer_checks(str(tmp_path / "Prj"))["Project Prj"]
    assert found.state is WARNING
    assert "nfs4" in found.found


def test_the_kind_of_a_share():
    mounts = "\n".join(
        [
            "/dev/sda1 / ext4 rw 0 0",
            "srv:/home /home nfs4 rw 0 0",
            "//srv/rig /mnt/rig\\040data cifs rw 0 0",
            "/dev/sdb /home/me/disk ext4 rw 0 0",
            "odd",
        ]
    )
    assert kind_of_share("/home/me", mounts) == "nfs4"
    assert kind_of_share("/home/me/disk/x", mounts) == ""
    assert kind_of_share("/mnt/rig data/Prj", mounts) == "cifs"
    assert kind_of_share("/homework", mounts) == ""


@pytest.fixture
def outbox(home):
    outbox = Outbox(home / "outbox.sqlite")
    outbox.add(
        Draft(
            Kind.WEIGHING,
            "http://127.0.0.1:9",
            "jose",
            ANIMAL,
            "ea04",
            {"weight": 24.5, "date_time": "2026-11-21T12:00:00"},
        )
    )
    yield outbox
    outbox.close()


def test_what_waits_and_who_sends_it(home, outbox):
    found = computer_checks()
    assert found["Outbox"].state is OK
    assert "1 waiting" in found["Outbox"].found
    assert found["Sending as jose"].state is WARNING
    locks = SenderLocks(home / "outbox.sqlite")
    locks.take(("http://127.0.0.1:9", "jose"))
    assert computer_checks()["Sending as jose"].state is OK
    locks.leave_all()
    assert computer_checks(trouble="The disk is full.")["Sending"].found == "The disk is full."


def test_a_damaged_outbox_is_left_as_it_is(home):
    home.mkdir()
    file = home / "outbox.sqlite"
    file.write_bytes(b"no database at all, but something" * 100)
    found = computer_checks()["Outbox"]
    assert found.state is WRONG
    assert "damaged" in found.found
    assert file.read_bytes().startswith(b"no database")
    assert [path.name for path in home.iterdir()] == ["outbox.sqlite"]


def test_logins_that_cannot_be_remembered(monkeypatch, short):
    monkeypatch.setenv("ALYX_TOKEN_STORE", "drawer")
    assert computer_checks()["Logins"].state is WRONG
    monkeypatch.setenv("ALYX_TOKEN_STORE", "auto")
    ended = threading.Event()

    class Hanging(keyring.backend.KeyringBackend):
        priority = 9

        def get_password(self, *_arguments):
            ended.wait(60)

        set_password = delete_password = get_password

    before = keyring.get_keyring()
    keyring.set_keyring(Hanging())
    try:
        found = computer_checks()["Logins"]
    finally:
        ended.set()
        keyring.set_keyring(before)
    assert found.state is WARNING
    assert "did not answer" in found.found


def test_where_the_log_is(home):
    assert "Nothing was logged" in computer_checks()["Log"].found
    log = LogFile()
    log.start()
    log.stop()
    assert str(home / "log" / "plugin.log") in computer_checks()["Log"].found
    assert "last written" in computer_checks()["Log"].found


def test_a_code_page(monkeypatch):
    assert computer_checks()["Text encoding"].state is OK
    monkeypatch.setattr(computer.locale, "getpreferredencoding", lambda _set=True: "cp1252")
    found = computer_checks()["Text encoding"]
    assert found.state is WARNING
    assert "PYTHONUTF8" in found.advice


def test_accounts_that_cannot_be_read(home):
    home.mkdir()
    (home / "config").write_text("a file is in its place")
    found = by_title(examine._check_servers(Here().logins, CancelToken()))
    assert found["Accounts"].state is WRONG
    assert str(home / "config") in found["Accounts"].found
