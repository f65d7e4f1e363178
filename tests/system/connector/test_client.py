"""The client on a server that behaves."""

from __future__ import annotations

import logging
import sqlite3
import threading

import pytest
import requests

from alyx_connector import (
    AlyxClient,
    ConfigurationError,
    InvalidDataError,
    LoginRejectedError,
    LoginRequiredError,
    NotFoundError,
    PermissionDeniedError,
    ProtocolError,
    ResponseError,
    ServerFaultError,
)
from tests.fault_proxy import FaultProxy
from tests.sandbox_server import SandboxServer


def test_login(writable):
    told = []
    with AlyxClient(writable.url) as client:
        assert not client.connected
        token = client.login(writable.username, writable.password, report=told.append)
        assert client.connected
        assert (client.url, client.username, client.token) == (writable.url, writable.username, token)
        assert client.check_token()["username"] == writable.username
        with AlyxClient(writable.url, username=writable.username, token=token) as other:
            assert other.check_token() == client.check_token()
        with AlyxClient(writable.url, token=token) as nameless:
            assert nameless.check_token() == {}
    assert [progress.stage for progress in told] == ["connect", "connect", "login", "login"]
    assert writable.password not in str(told)


def test_a_wrong_password_is_refused_and_keeps_the_earlier_login(writable, token):
    with AlyxClient(writable.url, username=writable.username, token=token) as client:
        with pytest.raises(LoginRejectedError, match=writable.url) as caught:
            client.login("nobody", "Straße & s3cret")
        assert client.token == token
        assert client.username == writable.username
    error = caught.value
    frames = []
    trace = error.__traceback__
    while trace:
        frames.append(trace.tb_frame)
        trace = trace.tb_next
    ours = [frame for frame in frames if "alyx_connector" in frame.f_code.co_filename]
    assert ours
    for text in [str(error), repr(error), error.hint, *(repr(frame.f_locals) for frame in ours)]:
        assert "s3cret" not in text
    assert error.__cause__ is error.__context__ is None


@pytest.mark.parametrize(
    ("username", "password"), [("", "x"), ("x", ""), (" ", "x"), ("x", " "), (None, "x"), ("x", None)]
)
def test_empty_fields_never_connect(proxy, username, password):
    with AlyxClient(proxy.url) as client, pytest.raises(ConfigurationError, match="empty"):
        client.login(username, password)
    assert proxy.requests == []


def test_a_password_that_is_no_text_is_refused_and_not_kept(proxy):
    with AlyxClient(proxy.url) as client, pytest.raises(ConfigurationError) as caught:
        client.login("jose", "s3cret\ud800")
    assert "s3cret" not in f"{caught.value} {caught.value.__context__!r}"
    assert proxy.requests == []


def test_without_a_token_nothing_is_sent(proxy):
    with AlyxClient(proxy.url) as client:
        for work in (client.check_token, lambda: client.get("subjects"), lambda: client.list("subjects")):
            with pytest.raises(LoginRequiredError, match="no token"):
                work()
    assert proxy.requests == []


def test_a_revoked_token_wants_a_login(writable):
    with AlyxClient(writable.url) as client:
        client.login(writable.username, writable.password)
        database = writable.data / "alyx.sqlite3"
        with sqlite3.connect(database) as connection:
            rows = connection.execute("SELECT key, created, user_id FROM authtoken_token").fetchall()
            connection.execute("DELETE FROM authtoken_token")
        try:
            for work in (client.check_token, lambda: client.list("subjects"), lambda: client.post("weighings", {})):
                with pytest.raises(LoginRequiredError, match="token"):
                    work()
        finally:
            with sqlite3.connect(database) as connection:
                connection.executemany(
                    "INSERT OR IGNORE INTO authtoken_token (key, created, user_id) VALUES (?,?,?)", rows
                )


def test_errors_of_the_server_keep_their_kinds(client):
    with pytest.raises(NotFoundError):
        client.get("no-such-endpoint")
    with pytest.raises(NotFoundError, match="No Subject matches"):
        client.get(("subjects", "no such subject?"))
    with pytest.raises(NotFoundError, match="no such / subject"):
        client.get(("subjects", "no such / subject"))
    with pytest.raises(NotFoundError):
        client.get("sessions/not-a-uuid")
    with pytest.raises(ServerFaultError) as fault:
        client.get("sessions", {"date_range": "soon"})
    assert fault.value.status == 500
    with pytest.raises(InvalidDataError) as invalid:
        client.post("weighings", {"subject": "ea04", "weight": -3})
    assert list(invalid.value.fields) == ["weight"]
    with pytest.raises(ResponseError) as refused:
        client.post("subjects/ea04", {})
    assert refused.value.status == 405
    with pytest.raises(ProtocolError, match="lacks count and results"):
        client.list("subjects/ea04")


def test_read_and_write(client, proxy):
    created = client.post("sessions", {"subject": "ea04", "narrative": "é «quoted» \u2603", "users": []})
    assert created["narrative"] == "é «quoted» \u2603"
    path = ("sessions", created["id"])
    assert client.patch(path, {"narrative": "changed"})["narrative"] == "changed"
    assert client.get(path)["narrative"] == "changed"
    assert proxy.count("POST") == proxy.count("PATCH") == 1
    requests.delete(
        f"{client.url}/sessions/{created['id']}", headers={"Authorization": f"Token {client.token}"}, timeout=30
    )
    with pytest.raises(NotFoundError):
        client.get(path)


def test_a_list_is_complete_and_in_the_servers_order(client, proxy):
    whole = client.get("sessions", {"limit": 1000})
    assert len(whole["results"]) == whole["count"] > 20
    proxy.forget_requests()
    told = []
    assert client.list("sessions", page_size=7, report=told.append) == whole["results"]
    offsets = sorted(int(seen.query["offset"][0]) for seen in proxy.requests)
    assert offsets == list(range(0, whole["count"] - 1, 6))
    assert {seen.query["limit"][0] for seen in proxy.requests} == {"7"}
    assert told[-1].done == told[-1].total == whole["count"]
    for endpoint in ("subjects", "users", "labs", "water-type", "projects", "water-restricted-subjects"):
        first = client.get(endpoint, {"limit": 1000})
        assert client.list(endpoint, page_size=3) == first["results"]


def test_filters_reach_the_server(client, proxy):
    rows = client.list("subjects", {"alive": True, "responsible_user": "jose"})
    assert {row["responsible_user"] for row in rows} == {"jose"}
    assert {row["alive"] for row in rows} == {True}
    assert proxy.requests[-1].query == {
        "alive": ["True"], "responsible_user": ["jose"], "limit": ["1000"], "offset": ["0"],
    }  # fmt: skip
    assert client.list("subjects", {"nickname": "no such subject"}) == []


@pytest.mark.parametrize("params", [{"limit": 3}, {"offset": 3}])
def test_pages_are_ours(client, proxy, params):
    with pytest.raises(ConfigurationError, match="limit and offset"):
        client.list("subjects", params)
    with pytest.raises(ConfigurationError, match="page size"):
        client.list("subjects", page_size=1)
    assert proxy.requests == []


@pytest.mark.parametrize("method", ["get", "list", "post", "patch"])
def test_empty_identifiers_raise_before_any_request(client, proxy, method):
    arguments = [{}] if method in {"post", "patch"} else []
    for endpoint in ("", "subjects/", ("subjects", ""), None):
        with pytest.raises(ConfigurationError):
            getattr(client, method)(endpoint, *arguments)
    with pytest.raises(ConfigurationError):
        client.list("subjects", {"lab": None})
    assert proxy.requests == []


def test_300_subjects_take_three_requests_login_included():
    with SandboxServer("--subjects", "300") as server, FaultProxy(server.url) as proxy, AlyxClient(proxy.url) as client:
        client.login(server.username, server.password)
        assert len(client.list("subjects")) >= 300
        assert [(seen.method, seen.path) for seen in proxy.requests] == [
            ("GET", "/auth-token"),
            ("POST", "/auth-token"),
            ("GET", "/subjects"),
        ]


def test_requests_name_the_program_and_hold_the_token_only_where_it_belongs(proxy, writable):
    with AlyxClient(proxy.url, program="rig/1.2") as client:
        token = client.login(writable.username, writable.password)
        client.get("labs")
    probe, login, read = proxy.requests
    assert all(seen.headers["user-agent"].startswith("rig/1.2 alyx-connector/") for seen in proxy.requests)
    assert "authorization" not in probe.headers
    assert "authorization" not in login.headers
    assert read.headers["authorization"] == f"Token {token}"
    assert not any("cookie" in seen.headers for seen in proxy.requests)


def test_the_log_holds_no_secret(proxy, writable, caplog):
    caplog.set_level(logging.DEBUG)
    proxy.fault("drop", method="GET", path="/labs")
    with AlyxClient(proxy.url) as client:
        token = client.login(writable.username, writable.password)
        client.list("labs")
    assert "/labs" in caplog.text
    assert token not in caplog.text
    assert writable.password not in caplog.text


def test_eight_requests_at_once_and_no_more(client, proxy):
    now, peak, lock = 0, 0, threading.Lock()
    two = threading.Event()

    def watch(seen):
        nonlocal now, peak
        with lock:
            now += 1
            peak = max(peak, now)
            if now >= 2:
                two.set()
        if "offset" in seen.query and seen.query["offset"] != ["0"]:
            two.wait(20)
        with lock:
            now -= 1

    proxy.before(watch)
    threads = [threading.Thread(target=client.list, args=("sessions",), kwargs={"page_size": 2}) for _ in range(3)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert 2 <= peak <= 8


def test_threads_may_share_a_client(client):
    expected = client.list("subjects")
    answers = []
    threads = [threading.Thread(target=lambda: answers.append(client.list("subjects", page_size=3))) for _ in range(6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert answers == [expected] * 6


def test_a_closed_client_says_so(writable, token):
    client = AlyxClient(writable.url, token=token)
    client.get("labs")
    client.close()
    client.close()
    assert not client.connected
    with pytest.raises(ConfigurationError, match="closed"):
        client.get("labs")


@pytest.mark.parametrize("suffix", ["", "/", "/api", "/api/"])
def test_the_api_root_of_alyx_local_is_found(suffix, alyx_local):
    with FaultProxy(alyx_local.url) as proxy, AlyxClient(proxy.url + suffix) as client:
        client.login(alyx_local.username, alyx_local.password)
        assert client.url == proxy.url
        assert client.list("subjects")
        paths = [seen.path for seen in proxy.requests]
        assert paths[-3:] == ["/api/auth-token", "/api/auth-token", "/api/subjects"]
        assert paths[:-3] == ([] if "api" in suffix else ["/auth-token"])


@pytest.fixture(scope="module")
def alyx_local():
    with SandboxServer("--like", "alyx-local") as server:
        yield server


def test_a_throttle_is_waited_for():
    with SandboxServer("--throttle", "4/second") as server, AlyxClient(server.url) as client:
        told = []
        client.login(server.username, server.password)
        answers = [client.get("labs", report=told.append)["count"] for _ in range(10)]
        assert len(set(answers)) == 1
        waits = [progress for progress in told if progress.stage == "wait"]
        assert waits
        assert "is limiting this user's requests" in waits[0].message


def test_a_user_who_may_only_read_is_told_so(writable):
    """Alyx refuses writes of the public user with a 403 that is not about the token."""
    with FaultProxy(writable.url) as proxy, AlyxClient(proxy.url, token="f" * 40) as client:
        body = {"detail": "You do not have permission to perform this action.", "status_code": 403}
        proxy.fault("answer", status=403, body=body, method="POST")
        with pytest.raises(PermissionDeniedError, match="permission"):
            client.post("weighings", {"subject": "ea04", "weight": 20})
