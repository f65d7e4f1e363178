"""What is sent again, what is not, and what the user is told: faults between client and server."""

from __future__ import annotations

import gzip
import threading

import pytest

from alyx_connector import (
    AlyxClient,
    Cancelled,
    CancelToken,
    NotAlyxError,
    ProtocolError,
    RateLimitedError,
    RequestTimeoutError,
    ServerFaultError,
    Timeouts,
    UnreachableError,
)

PORTAL = {"headers": {"Content-Type": "text/html"}, "body": "<title>Free WiFi</title>"}


@pytest.fixture
def hasty(proxy, writable, token):
    """A client that gives an operation half a second."""
    timeouts = Timeouts(connect=5, read=60, operation=0.5)
    with AlyxClient(proxy.url, username=writable.username, token=token, timeouts=timeouts) as client:
        client.find_server()
        proxy.forget_requests()
        yield client


@pytest.mark.parametrize("fault", ["drop", "drop-after", "truncate"])
def test_a_get_survives_a_dropped_connection(client, proxy, fault):
    proxy.fault(fault)
    assert client.get("labs")["count"] > 0
    assert proxy.count("GET", "/labs") == 2


@pytest.mark.parametrize("status", [502, 503, 504])
def test_a_get_survives_a_server_that_restarts(client, proxy, status):
    proxy.fault("answer", status=status, **PORTAL)
    assert client.get("labs")["count"] > 0
    assert proxy.count() == 2


def test_a_page_survives_faults_too(client, proxy):
    expected = client.list("sessions", page_size=5)
    proxy.fault("drop")
    proxy.fault("answer", status=502)
    proxy.fault("truncate")
    assert client.list("sessions", page_size=5) == expected


def test_a_get_is_not_sent_for_ever(hasty, proxy):
    proxy.fault("drop", times=99)
    with pytest.raises(UnreachableError, match="2 attempts") as caught:
        hasty.get("labs")
    assert caught.value.attempts == proxy.count() == 2
    assert not caught.value.maybe_processed


@pytest.mark.parametrize("keep", [0, 1, 20])
def test_a_truncated_answer_makes_no_sense(hasty, proxy, keep):
    proxy.fault("truncate", times=99, keep=keep)
    with pytest.raises(ProtocolError, match="broke off"):
        hasty.get("labs")


def test_an_answer_that_decompresses_to_all_memory_is_given_up(hasty, proxy):
    bomb = gzip.compress(bytes(160 * 2**20), 1)
    headers = {"Content-Type": "application/json", "Content-Encoding": "gzip"}
    proxy.fault("answer", path="/labs", headers=headers, body=bomb)
    with pytest.raises(ProtocolError, match="more than 128 MiB"):
        hasty.get("labs")
    assert proxy.count("GET", "/labs") == 1
    assert hasty.list("labs")


@pytest.mark.parametrize("fault", ["drop", "drop-after", "truncate"])
@pytest.mark.parametrize("method", ["post", "patch"])
def test_a_write_is_sent_once(client, proxy, fault, method):
    weights = len(client.list("weighings"))
    subject = client.get("subjects/ea04")["description"]
    proxy.fault(fault, method=method.upper())
    endpoint, data = ("weighings", {"subject": "ea04", "weight": 21.5}) if method == "post" else (
        "subjects/ea04", {"description": subject})  # fmt: skip
    with pytest.raises((UnreachableError, ProtocolError)) as caught:
        getattr(client, method)(endpoint, data)
    assert "look on Alyx" in caught.value.hint
    assert proxy.count(method.upper()) == 1
    stored = method == "post" and fault != "drop"
    assert len(client.list("weighings")) == weights + stored


@pytest.mark.parametrize("status", [500, 502, 503, 504])
def test_a_write_is_not_sent_again_after_a_server_fault(client, proxy, status):
    proxy.fault("answer", status=status, headers={"Retry-After": "0"}, body={"detail": "down"})
    with pytest.raises(ServerFaultError, match=str(status)):
        client.post("weighings", {"subject": "ea04", "weight": 21})
    assert proxy.count("POST") == 1


@pytest.mark.parametrize("method", ["GET", "POST"])
def test_a_throttled_request_was_not_carried_out_and_is_sent_again(client, proxy, method):
    told = []
    proxy.fault("answer", status=429, headers={"Retry-After": "0"}, body={"detail": "throttled"})
    if method == "GET":
        assert client.get("labs", report=told.append)["count"] > 0
    else:
        assert client.post("weighings", {"subject": "ea04", "weight": 21}, report=told.append)["weight"] == 21
    assert proxy.count(method) == 2
    assert [progress.stage for progress in told].count("wait") == 1


def test_a_wait_beyond_the_deadline_raises_at_once(client, proxy):
    proxy.fault("answer", status=429, headers={"Retry-After": "3600"}, body={"detail": "throttled"})
    with pytest.raises(RateLimitedError, match="3600 s") as caught:
        client.get("labs")
    assert caught.value.retry_after == 3600
    assert proxy.count() == 1
    assert client.get("labs")["count"] > 0, "later requests are tried again"
    proxy.fault("answer", status=503, headers={"Retry-After": "3600"})
    with pytest.raises(ServerFaultError):
        client.get("labs")


@pytest.mark.timeout(20)
def test_one_throttled_page_holds_the_others_back(client, proxy):
    """After a 429 nothing is sent before its time: here the list is cancelled while all wait."""
    cancel = CancelToken()

    def report(progress):
        if progress.stage == "wait":
            cancel.cancel()

    proxy.fault("answer", status=429, headers={"Retry-After": "200"}, path="/sessions")
    with pytest.raises(Cancelled):
        client.list("sessions", cancel=cancel, report=report)
    proxy.forget_requests()
    cancel = CancelToken()
    with pytest.raises(Cancelled):
        client.list("subjects", cancel=cancel, report=report)
    assert proxy.requests == []


def test_the_login_is_waited_for_too(proxy, writable):
    proxy.fault("answer", status=429, headers={"Retry-After": "0"}, method="POST")
    proxy.fault("drop", method="GET")
    with AlyxClient(proxy.url) as client:
        assert client.login(writable.username, writable.password)
    assert proxy.count("POST", "/auth-token") == proxy.count("GET", "/auth-token") == 2


@pytest.mark.timeout(30)
@pytest.mark.parametrize("operation", [60, 0.3])
def test_a_mute_server_is_given_up(proxy, writable, token, operation):
    timeouts = Timeouts(read=0.3 if operation == 60 else 60, operation=operation)
    with AlyxClient(proxy.url, token=token, timeouts=timeouts) as client:
        client.find_server()
        proxy.fault("mute", times=2)
        with pytest.raises(RequestTimeoutError, match=r"0\.3 s") as caught:
            client.post("weighings", {"subject": "ea04", "weight": 21})
        assert caught.value.maybe_processed
        with pytest.raises(RequestTimeoutError, match=r"0\.3 s"):
            client.get("labs")


def test_a_list_may_go_on_for_as_long_as_pages_arrive(proxy, token):
    """Six pages of half a second each, where two seconds without progress are too many."""
    with AlyxClient(proxy.url, token=token, concurrency=1, timeouts=Timeouts(operation=2)) as client:
        count = client.get("sessions", {"limit": 1})["count"]
        proxy.before(lambda seen: threading.Event().wait(0.5))
        assert len(client.list("sessions", page_size=count // 6 + 2)) == count
        assert proxy.count() >= 7


@pytest.mark.timeout(20)
@pytest.mark.parametrize("way", ["cancel", "abort", "close"])
@pytest.mark.parametrize("work", ["get", "list", "post", "login", "pages"])
def test_a_cancel_returns_from_a_server_that_hangs(client, proxy, way, work):
    cancel = CancelToken()
    jobs = {
        "get": lambda: client.get("labs", cancel=cancel),
        "list": lambda: client.list("sessions", cancel=cancel),
        "post": lambda: client.post("weighings", {"subject": "ea04", "weight": 21}, cancel=cancel),
        "login": lambda: client.login("jose", "jose", cancel=cancel),
        "pages": lambda: client.list("sessions", page_size=5, cancel=cancel),
    }
    if work == "pages":
        # The first page arrives, the others hang.
        proxy.fault("alter", change=lambda body: body)
    proxy.fault("mute", times=99)

    def stop():
        proxy.wait_for(2 if work == "pages" else 1)
        {"cancel": cancel.cancel, "abort": client.abort, "close": client.close}[way]()

    thread = threading.Thread(target=stop)
    thread.start()
    with pytest.raises(Cancelled):
        jobs[work]()
    thread.join()


def test_after_an_abort_the_client_goes_on(client, proxy):
    proxy.fault("mute")
    thread = threading.Thread(target=lambda: (proxy.wait_for(1), client.abort()))
    thread.start()
    with pytest.raises(Cancelled):
        client.get("labs")
    thread.join()
    assert client.get("labs")["count"] > 0


def test_a_cancelled_token_sends_nothing(client, proxy):
    cancel = CancelToken()
    cancel.cancel()
    for work in (client.get, client.list):
        with pytest.raises(Cancelled):
            work("labs", cancel=cancel)
    assert proxy.requests == []


@pytest.mark.timeout(20)
def test_many_abandoned_requests_do_not_block_the_next(client, proxy):
    """More hanging requests are given up than may be under way at once."""
    proxy.fault("mute", times=12)
    for number in range(1, 13):
        cancel = CancelToken()
        thread = threading.Thread(target=lambda n=number, c=cancel: (proxy.wait_for(n), c.cancel()))
        thread.start()
        with pytest.raises(Cancelled):
            client.get("labs", cancel=cancel)
        thread.join()
    assert client.get("labs")["count"] > 0


@pytest.mark.parametrize("work", ["find", "login", "get", "list", "post"])
def test_a_captive_portal_is_no_alyx(proxy, writable, token, work):
    with AlyxClient(proxy.url, token=token) as client:
        if work not in {"find", "login"}:
            client.find_server()
        jobs = {
            "find": client.find_server,
            "login": lambda: client.login(writable.username, writable.password),
            "get": lambda: client.get("labs"),
            "list": lambda: client.list("labs"),
            "post": lambda: client.post("weighings", {}),
        }
        proxy.fault("answer", times=99, **PORTAL)
        with pytest.raises(NotAlyxError, match="Free WiFi") as caught:
            jobs[work]()
        assert proxy.url in str(caught.value)
        assert "captive portal" in caught.value.hint or work == "post"
        assert proxy.count("POST") == (work == "post")


def test_a_portal_that_appears_with_the_login(proxy, writable):
    proxy.fault("answer", method="POST", **PORTAL)
    with AlyxClient(proxy.url) as client, pytest.raises(NotAlyxError, match="Free WiFi"):
        client.login(writable.username, writable.password)


@pytest.mark.parametrize(
    "body", [{}, [], "x", None, {"token": ""}, {"token": None}, {"token": 3}, {"token": "a b"}, {"token": "é"}]
)
def test_a_login_without_a_token_makes_no_sense(proxy, writable, body):
    proxy.fault("alter", method="POST", change=lambda _: body)
    with AlyxClient(proxy.url) as client:
        with pytest.raises(ProtocolError, match="no usable token"):
            client.login(writable.username, writable.password)
        assert not client.connected


@pytest.mark.parametrize(
    "change",
    [
        lambda body: {},
        lambda body: {"results": body["results"]},
        lambda body: {"count": body["count"]},
        lambda body: body | {"results": None},
        lambda body: "x",
    ],
)
def test_a_list_without_its_keys_makes_no_sense(client, proxy, change):
    proxy.fault("alter", change=change)
    with pytest.raises(ProtocolError):
        client.list("labs")
    assert proxy.count() == 1


def test_a_next_that_is_foreign_or_loops_is_never_followed(client, proxy):
    expected = client.list("sessions", page_size=5)
    for following in ("http://evil.invalid/steal", f"{proxy.url}/sessions?limit=5&offset=0"):
        proxy.fault("alter", times=99, change=lambda body, following=following: body | {"next": following})
        assert client.list("sessions", page_size=5) == expected


def test_a_wrong_content_type_makes_no_sense(client, proxy):
    for kind in ("text/plain", "application/octet-stream", ""):
        proxy.fault("answer", headers={"Content-Type": kind}, body="{}")
        with pytest.raises(ProtocolError, match=kind or "content type"):
            client.get("labs")


def test_unknown_faults_are_refused(proxy):
    with pytest.raises(ValueError, match="no fault 'dropp'"):
        proxy.fault("dropp")
    with pytest.raises(ValueError, match="no option stat"):
        proxy.fault("answer", stat=429)


def test_a_server_that_repeats_our_secrets_is_not_quoted(proxy, writable, token):
    with AlyxClient(proxy.url, token=token) as client:
        client.find_server()
        proxy.fault("answer", status=500, body={"detail": f"Authorization: Token {token}"})
        with pytest.raises(ServerFaultError) as caught:
            client.get("labs")
        assert token not in f"{caught.value} {vars(caught.value)}"
        proxy.fault("answer", status=500, body={"detail": f"password={writable.password}"}, method="POST")
        with pytest.raises(ServerFaultError) as caught:
            client.login(writable.username, writable.password)
        assert f"={writable.password}" not in f"{caught.value} {vars(caught.value)}"
