"""The sandbox as a process: its options, its throttle, its end. What only the sandbox can show, no other Alyx."""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import sys
import textwrap
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING, Any

import pytest
import requests

from alyx_sandbox.__main__ import PARTS
from tests.contract.shapes import HEADERS, OF_ALYX
from tests.contract.test_recorded_answers import check_recorded
from tests.sandbox_server import SandboxServer

if TYPE_CHECKING:
    from pathlib import Path

_TIMEOUT = 60
_PASSWORDS = {"jose": "jose-demo", "ana": "ana-demo", "public": "public-demo"}


def _token(url: str, user: str = "jose") -> dict[str, str]:
    body = {"username": user, "password": _PASSWORDS[user]}
    answer = requests.post(f"{url}/auth-token", data=body, timeout=_TIMEOUT)
    return {"Authorization": f"Token {answer.json()['token']}"}


def _get(url: str, headers: dict[str, str], **params: Any) -> requests.Response:
    return requests.get(url, headers=headers, params=params, timeout=_TIMEOUT)


def _run(*arguments: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "alyx_sandbox", "--port", "0", *arguments]
    return subprocess.run(
        command, stdin=subprocess.DEVNULL, capture_output=True, text=True, timeout=_TIMEOUT, check=False
    )


def _connection(server: SandboxServer) -> socket.socket:
    """Return a connection that a process of the sandbox has accepted: it ends with that process."""
    connection = socket.create_connection(("127.0.0.1", server.port), timeout=_TIMEOUT)
    connection.sendall(b"GET /auth-token HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n")
    assert connection.recv(12) == b"HTTP/1.1 405"
    return connection


def _ends(connection: socket.socket) -> bool:
    with connection:
        try:
            while connection.recv(4096):
                pass
        except ConnectionResetError:
            pass
    return True


@pytest.mark.parametrize("workers", ["1", "2"])
@pytest.mark.parametrize("how", ["SIGTERM", "SIGINT", "stdin"])
def test_a_stop_is_clean(how: str, workers: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TMPDIR", str(tmp_path))
    server = SandboxServer("--workers", workers)
    connection = _connection(server)
    assert list(tmp_path.iterdir()), "the database is not where this test looks for it"
    if how != "stdin":
        server.process.send_signal(signal.Signals[how])
        server.process.wait(_TIMEOUT)
    assert server.stop() == 0
    assert _ends(connection)
    assert not list(tmp_path.iterdir())


def test_it_ends_with_the_program_that_started_it() -> None:
    program = """
        import os, signal
        from tests.sandbox_server import SandboxServer
        server = SandboxServer("--workers", "2")
        print(server.port, flush=True)
        signal.pause()
    """
    parent = subprocess.Popen([sys.executable, "-c", textwrap.dedent(program)], stdout=subprocess.PIPE, text=True)
    assert parent.stdout is not None
    address = ("127.0.0.1", int(parent.stdout.readline()))
    connection = socket.create_connection(address, timeout=_TIMEOUT)
    parent.kill()
    parent.wait(_TIMEOUT)
    parent.stdout.close()
    assert _ends(connection)


def test_workers_end_when_their_parent_is_killed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    # Nobody is left to remove the database then.
    monkeypatch.setenv("TMPDIR", str(tmp_path))
    server = SandboxServer("--workers", "2")
    connection = _connection(server)
    server.process.kill()
    assert _ends(connection)
    assert server.stop() == -signal.SIGKILL


def test_it_names_all_users_when_it_is_ready() -> None:
    with SandboxServer() as server:
        assert server.process.stdout is not None
        others = server.process.stdout.readline()
    assert "(user jose, password jose-demo)" in server.ready_line
    assert others == (
        "Other users: ana (password ana-demo), priya (password priya-demo), stock (password stock-demo), "
        "public (password public-demo)\n"
    )


def test_it_listens_on_loopback_only(sandbox: SandboxServer) -> None:
    with pytest.raises(ConnectionRefusedError):
        socket.create_connection(("127.0.0.2", sandbox.port), timeout=_TIMEOUT)


def test_a_taken_port_is_told(sandbox: SandboxServer) -> None:
    ended = _run("--port", str(sandbox.port))
    assert ended.returncode == 1
    assert f"port {sandbox.port} of 127.0.0.1 cannot be used" in ended.stderr
    assert "Traceback" not in ended.stderr


@pytest.mark.parametrize(
    ("arguments", "reason"),
    [
        (["--throttle", "many"], "is not a rate such as 550/minute"),
        (["--workers", "0"], "is not a whole number from 1 on"),
        (["--port", "70000"], "is not a port"),
        (["--like", "alyx-remote"], "invalid choice"),
        (["--time-zone", "Europe/Atlantis"], "is not a time zone such as Europe/Lisbon"),
        (["--sessions", "5"], "--sessions needs --subjects"),
    ],
)
def test_a_wrong_option_is_told(arguments: list[str], reason: str) -> None:
    ended = _run(*arguments)
    assert ended.returncode == 2
    assert reason in ended.stderr


def test_data_are_kept_in_a_folder_that_is_named(tmp_path: Path) -> None:
    folder = tmp_path / "kept"
    with SandboxServer("--data", str(folder)) as server:
        token = _token(server.url)
        body = {"description": "kept"}
        requests.patch(f"{server.url}/subjects/jo002", headers=token, json=body, timeout=_TIMEOUT).raise_for_status()
    with SandboxServer("--data", str(folder)) as server:
        assert _get(f"{server.url}/subjects/jo002", token).json()["description"] == "kept"


def test_the_throttle_counts_each_user_over_all_workers() -> None:
    with SandboxServer("--workers", "3", "--throttle", "20/hour") as server:
        jose, ana = _token(server.url), _token(server.url, "ana")
        with ThreadPoolExecutor(10) as pool:
            answers = list(pool.map(lambda _: _get(f"{server.url}/water-type", jose), range(50)))
        assert sorted(answer.status_code for answer in answers) == [200] * 20 + [429] * 30
        assert _get(f"{server.url}/water-type", ana).status_code == 200
        # Nobody is kept from logging in.
        assert _token(server.url)


def test_a_throttled_answer_is_as_recorded() -> None:
    with SandboxServer("--throttle", "1/hour") as server:
        token = _token(server.url)
        assert _get(f"{server.url}/water-type", token).status_code == 200
        answer = _get(f"{server.url}/water-type", token)
    seconds = answer.headers["Retry-After"]
    assert 0 < int(seconds) <= 3600
    assert answer.json()["detail"] == f"Request was throttled. Expected available in {seconds} seconds."
    recorded = OF_ALYX.read()["throttled"]["response"]
    assert answer.status_code == recorded["status"]
    assert list(answer.json()) == list(recorded["body"])
    assert {name: answer.headers.get(name) for name in HEADERS} == {name: recorded["headers"][name] for name in HEADERS}


def test_a_public_user_may_not_write(sandbox: SandboxServer) -> None:
    public = _token(sandbox.url, "public")
    assert _get(f"{sandbox.url}/subjects", public).status_code == 200
    body = {"subject": "an003", "weight": 20}
    answer = requests.post(f"{sandbox.url}/weighings", headers=public, json=body, timeout=_TIMEOUT)
    check_recorded(OF_ALYX, "public_user_write", answer)


def test_latency_holds_answers_back() -> None:
    with SandboxServer("--latency", "3000") as server, pytest.raises(requests.ReadTimeout):
        requests.get(f"{server.url}/auth-token", timeout=0.5)


def test_as_alyx_local_it_serves_below_api_with_offsets() -> None:
    with SandboxServer("--like", "alyx-local") as server:
        assert requests.get(f"{server.url}/auth-token", timeout=_TIMEOUT).status_code == 404
        root = f"{server.url}/api"
        token = _token(root)
        page = _get(f"{root}/sessions", token, subject="ea04", limit=1).json()
        assert page["next"] == f"{root}/sessions?limit=1&offset=1&subject=ea04"
        assert page["results"][0]["start_time"] == "2024-01-03T10:00:00+01:00"
        assert page["results"][0]["url"].startswith(f"{root}/sessions/")
        detail = _get(f"{root}/subjects/champalimaud__implant_1", token).json()
        assert detail["last_water_restriction"].endswith("Z"), "this one is in UTC there"


@pytest.mark.parametrize(
    ("kind", "time"), [("alyx-local", "2026-06-10T08:00:00+01:00"), ("alyx", "2026-06-10T07:00:00")]
)
def test_the_zone_of_the_server_is_an_option(kind: str, time: str) -> None:
    with SandboxServer("--like", kind, "--time-zone", "Europe/Lisbon") as server:
        root = f"{server.url}/api" if kind == "alyx-local" else server.url
        subject = "haisslab__ea04" if kind == "alyx-local" else "ea04"
        body = {"subject": subject, "weight": 20, "date_time": "2026-06-10T09:00:00+02:00"}
        answer = requests.post(f"{root}/weighings", headers=_token(root), json=body, timeout=_TIMEOUT)
        assert answer.json()["date_time"] == time


def test_the_database_of_another_kind_of_server_is_not_served(tmp_path: Path) -> None:
    with SandboxServer("--data", str(tmp_path), "--like", "alyx-local"):
        pass
    ended = _run("--data", str(tmp_path))
    assert ended.returncode == 1
    assert f"the database in {tmp_path} is that of --like alyx-local: say so, or name another folder" in ended.stderr
    assert "Traceback" not in ended.stderr


def test_made_up_labs_are_the_same_for_the_same_numbers() -> None:
    lists = []
    for _ in range(2):
        with SandboxServer("--subjects", "30", "--sessions", "50") as server:
            token = _token(server.url)
            rows = _get(f"{server.url}/subjects", token, responsible_user="jose", django="nickname__startswith,syn")
            sessions = _get(f"{server.url}/sessions", token, django="subject__nickname__startswith,syn")
            assert (rows.json()["count"], sessions.json()["count"]) == (30, 50)
            lists.append((rows.text.replace(server.url, ""), sessions.text.replace(server.url, "")))
    assert lists[0] == lists[1]


def test_nothing_that_a_filter_says_is_evaluated(sandbox: SandboxServer, tmp_path: Path) -> None:
    target = tmp_path / "evaluated"
    value = f"pk__in,[open('{target}','w')]"
    answer = _get(f"{sandbox.url}/subjects", _token(sandbox.url), django=value)
    assert answer.status_code == 500
    assert not target.exists()


def test_one_api_logs_in_lists_and_reads(sandbox: SandboxServer, tmp_path: Path) -> None:
    program = """
        import sys
        from one.api import ONE
        url, user, password, cache = sys.argv[1:]
        login = {"base_url": url, "username": user, "password": password, "silent": True}
        one = ONE(**login, cache_dir=cache, cache_rest=None, mode="remote")
        alyx = one.alyx
        assert alyx.is_logged_in
        assert {"subjects", "sessions", "weighings"} <= set(alyx.rest_schemes.endpoints)
        print(len(one.search(subject="ea04", query_type="remote")))
        print(len(alyx.rest("sessions", "list", subject="ea04")))
        session = alyx.rest("sessions", "list", subject="ea04")[0]
        print(alyx.rest("sessions", "read", id=session["id"])["subject"])
        print(alyx.rest("subjects", "read", id="ea04")["lab"])
    """
    command = [sys.executable, "-c", textwrap.dedent(program), sandbox.url, sandbox.username, sandbox.password]
    ended = subprocess.run(
        [*command, str(tmp_path / "cache")],
        env={**os.environ, "HOME": str(tmp_path)},
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        timeout=_TIMEOUT,
        check=False,
    )
    assert ended.stdout.split() == ["25", "25", "ea04", "haisslab"], ended.stderr


def test_a_folder_that_cannot_be_used_is_told(tmp_path: Path) -> None:
    taken = tmp_path / "a file"
    taken.touch()
    ended = _run("--data", str(taken))
    assert ended.returncode == 1
    assert f"the folder {taken} cannot be used" in ended.stderr
    assert "Traceback" not in ended.stderr


@pytest.mark.parametrize("part", PARTS)
def test_what_is_not_installed_is_told_with_the_command_that_installs_it(part: str) -> None:
    program = f"""
        import sys
        sys.modules["{part}"] = None
        from alyx_sandbox.__main__ import main
        sys.exit(main(["--port", "0"]))
    """
    ended = subprocess.run(
        [sys.executable, "-c", textwrap.dedent(program)], capture_output=True, text=True, timeout=_TIMEOUT, check=False
    )
    assert ended.returncode == 1
    assert f"{part} is not installed here" in ended.stderr
    assert 'pip install "pybpod-gui-plugin-alyx[sandbox]>=2.dev0"' in ended.stderr
