"""Who is asked, and who never gets our token or password: hosts that are not there, TLS, redirects, the environment."""

from __future__ import annotations

import socket
import threading

import pytest

from alyx_connector import (
    AlyxClient,
    Cancelled,
    CancelToken,
    CertificateError,
    ConfigurationError,
    NotAlyxError,
    ProtocolError,
    RequestTimeoutError,
    Timeouts,
    UnreachableError,
)
from tests.fault_proxy import FaultProxy
from tests.system.connector.tls_server import TOKEN, TlsServer, write_certificate


@pytest.fixture
def elsewhere(writable):
    """Another place, which must never hear of our secrets."""
    with FaultProxy(writable.url) as proxy:
        yield proxy


@pytest.fixture
def tls(tmp_path):
    server = TlsServer(write_certificate(tmp_path))
    server.pem = tmp_path / "server.pem"
    yield server
    server.close()


@pytest.fixture
def trusted(tls, monkeypatch):
    """The same server, whose certificate the environment trusts."""
    monkeypatch.setenv("REQUESTS_CA_BUNDLE", str(tls.pem))
    return tls


@pytest.fixture
def listener():
    """A port that accepts connections and leaves the rest to the test."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        yield server, f"127.0.0.1:{server.getsockname()[1]}"


def test_a_host_that_does_not_exist():
    with (
        AlyxClient("alyx.invalid") as client,
        pytest.raises(UnreachableError, match=r"https://alyx\.invalid.*no host") as caught,
    ):
        client.login("jose", "s3cret")
    assert not caught.value.maybe_processed
    assert "address" in caught.value.hint


def test_a_port_where_nothing_listens(listener):
    server, address = listener
    server.close()
    with AlyxClient(address) as client, pytest.raises(UnreachableError, match=f"{address}.*nothing listens"):
        client.login("jose", "s3cret")


def test_a_host_that_accepts_and_says_nothing(listener):
    _, address = listener
    client = AlyxClient(address, timeouts=Timeouts(read=0.3))
    with client, pytest.raises(RequestTimeoutError, match=address):
        client.find_server()
    client = AlyxClient(f"https://{address}", timeouts=Timeouts(connect=0.3))
    with client, pytest.raises(RequestTimeoutError, match=r"did not accept a connection within 0\.3 s"):
        client.find_server()


def test_a_request_that_is_given_up_leaves_no_connection_and_no_thread(listener):
    server, address = listener
    cancel, goodbye, before = CancelToken(), [], threading.enumerate()

    def serve():
        connection, _ = server.accept()
        with connection:
            connection.settimeout(20)
            connection.recv(65536)
            cancel.cancel()
            goodbye.append(connection.recv(65536))

    serving = threading.Thread(target=serve)
    serving.start()
    with AlyxClient(address) as client, pytest.raises(Cancelled):
        client.find_server(cancel=cancel)
    serving.join()
    assert goodbye == [b""]
    for thread in set(threading.enumerate()) - set(before):
        thread.join(20)
        assert not thread.is_alive(), thread.name


@pytest.mark.parametrize("banner", [b"SSH-2.0-OpenSSH_9.2\r\n", b"220 mail.example ESMTP\r\n", b"\x00\x01\x02\n"])
def test_a_service_that_is_no_web_server(listener, banner):
    server, address = listener

    def greet():
        connection, _ = server.accept()
        with connection:
            connection.sendall(banner)
            connection.recv(1000)

    thread = threading.Thread(target=greet)
    thread.start()
    with AlyxClient(address) as client, pytest.raises(NotAlyxError, match="does not answer in HTTP"):
        client.find_server()
    thread.join()


@pytest.mark.parametrize("path", ["/alyx", "/wiki/"])
def test_a_wrong_prefix_is_no_alyx(proxy, path):
    with AlyxClient(proxy.url + path) as client, pytest.raises(NotAlyxError, match="Not Found"):
        client.login("jose", "s3cret")
    assert proxy.count("POST") == 0


def test_a_server_fault_while_looking_is_not_taken_for_another_service(proxy):
    proxy.fault("answer", times=99, status=500, headers={"Content-Type": "text/html"}, body="<title>Oops</title>")
    with AlyxClient(proxy.url) as client, pytest.raises(Exception, match="status 500") as caught:
        client.find_server()
    assert type(caught.value).__name__ == "ServerFaultError"


def test_a_certificate_that_nobody_trusts(tls):
    with AlyxClient(f"https://{tls.host}") as client, pytest.raises(CertificateError, match=tls.host) as caught:
        client.login("jose", "s3cret")
    assert "REQUESTS_CA_BUNDLE" in caught.value.hint
    assert tls.seen == []


def test_a_certificate_for_another_name(trusted):
    address = f"https://localhost:{trusted.server_port}"
    with AlyxClient(address) as client, pytest.raises(CertificateError, match="localhost"):
        client.login("jose", "s3cret")
    assert trusted.seen == []


def test_a_trusted_certificate(trusted):
    with AlyxClient(f"https://{trusted.host}") as client:
        assert client.login("jose", "s3cret") == TOKEN
        assert client.list("labs") == []


def test_a_certificate_bundle_that_is_not_there(tls, monkeypatch):
    monkeypatch.setenv("REQUESTS_CA_BUNDLE", "/nowhere/ca.pem")
    with AlyxClient(f"https://{tls.host}") as client, pytest.raises(ConfigurationError, match="/nowhere/ca"):
        client.find_server()


def test_a_server_without_tls(proxy):
    with AlyxClient(proxy.url.replace("http:", "https:")) as client, pytest.raises(UnreachableError) as caught:
        client.login("jose", "s3cret")
    assert "encrypted" in str(caught.value)
    assert "http://" in caught.value.hint


def test_http_that_moved_to_https_is_taken_over_before_any_secret_is_sent(trusted):
    with AlyxClient(f"http://{trusted.host}") as client:
        client.login("jose", "s3cret")
        client.get("labs")
        assert client.url == f"https://{trusted.host}"
    assert trusted.seen[0][:3] == ("http", "GET", "/auth-token")
    assert trusted.seen[0][3:] == (b"", None)
    assert {scheme for scheme, *_ in trusted.seen[1:]} == {"https"}


@pytest.mark.parametrize("status", [301, 302, 303, 307, 308])
@pytest.mark.parametrize("method", ["GET", "POST"])
def test_no_redirect_from_https_to_http(trusted, proxy, status, method):
    """Neither to another server nor to the same one."""
    for target in (proxy.url, f"http://{trusted.host}"):
        with AlyxClient(f"https://{trusted.host}", token=TOKEN) as client:
            client.find_server()
            trusted.redirects[method] = (status, f"{target}/auth-token")
            with pytest.raises(NotAlyxError, match="no token or password goes there"):
                client.get("labs") if method == "GET" else client.login("jose", "s3cret")
            trusted.redirects.clear()
    assert proxy.requests == []
    assert {scheme for scheme, *_ in trusted.seen} == {"https"}


def test_no_redirect_from_https_to_http_while_looking(trusted, proxy):
    trusted.redirects["GET"] = (301, f"{proxy.url}/auth-token")
    with AlyxClient(f"https://{trusted.host}") as client, pytest.raises(NotAlyxError, match="redirects to http://"):
        client.login("jose", "s3cret")
    assert proxy.requests == []


@pytest.mark.parametrize("status", [301, 302, 303, 307, 308])
@pytest.mark.parametrize("work", ["find", "login", "get", "list", "post", "patch"])
def test_a_redirect_elsewhere_is_not_followed(proxy, elsewhere, writable, token, status, work):
    with AlyxClient(proxy.url, token=token) as client:
        if work != "find":
            client.find_server()
        proxy.fault("answer", times=99, status=status, headers={"Location": f"{elsewhere.url}/x?y"})
        jobs = {
            "find": lambda: client.login(writable.username, writable.password),
            "login": lambda: client.login(writable.username, writable.password),
            "get": lambda: client.get("labs"),
            "list": lambda: client.list("labs"),
            "post": lambda: client.post("weighings", {}),
            "patch": lambda: client.patch("subjects/ea04", {}),
        }
        with pytest.raises(NotAlyxError, match=elsewhere.url) as caught:
            jobs[work]()
        assert "moved" in caught.value.hint or "Check the address" in caught.value.hint
    assert elsewhere.requests == []


@pytest.mark.parametrize(
    "location", ["", "//evil.invalid/x", "https://127.0.0.1/x", "http://[::1", "ftp://127.0.0.1/x"]
)
def test_a_strange_redirect_is_not_followed(client, proxy, location):
    proxy.fault("answer", status=302, headers={"Location": location})
    with pytest.raises((NotAlyxError, ProtocolError)):
        client.get("labs")
    assert proxy.count() == 1


def test_a_redirect_with_a_user_in_it_is_not_followed(client, proxy):
    proxy.fault("answer", status=302, headers={"Location": proxy.url.replace("//", "//jose:pw@") + "/labs"})
    with pytest.raises(NotAlyxError):
        client.get("labs")
    assert proxy.count() == 1


@pytest.mark.parametrize("status", [301, 302, 303, 307, 308])
def test_a_get_is_redirected_within_its_server(client, proxy, status):
    proxy.fault("answer", status=status, headers={"Location": "/labs"}, path="/lab")
    assert client.get("lab", {"limit": 2})["count"] > 0
    assert [seen.query for seen in proxy.requests] == [{"limit": ["2"]}] * 2
    assert proxy.requests[-1].headers["authorization"] == f"Token {client.token}"


@pytest.mark.parametrize("status", [307, 308])
def test_a_post_stays_a_post(proxy, writable, status):
    proxy.fault("answer", status=status, headers={"Location": f"{proxy.url}/auth-token"}, method="POST")
    with AlyxClient(proxy.url) as client:
        client.login(writable.username, writable.password)
    first, second = (seen for seen in proxy.requests if seen.method == "POST")
    assert first.body == second.body
    assert first.headers["content-type"] == second.headers["content-type"]


@pytest.mark.parametrize("status", [301, 302, 303])
def test_a_post_that_would_become_a_get_is_refused(client, proxy, status):
    proxy.fault("answer", status=status, headers={"Location": "/weighings"}, method="POST")
    with pytest.raises(ProtocolError, match="would lose the data"):
        client.post("weighings", {"subject": "ea04", "weight": 21})
    assert proxy.count() == 1


@pytest.mark.parametrize("work", ["find", "get", "post"])
def test_redirects_in_a_circle_end(client, proxy, work):
    proxy.fault("answer", times=99, status=307, headers={"Location": "/labs"})
    other = AlyxClient(proxy.url)
    jobs = {"find": other.find_server, "get": lambda: client.get("labs"), "post": lambda: client.post("labs", {})}
    with pytest.raises(ProtocolError):
        jobs[work]()
    other.close()
    assert proxy.count() < 15


def test_a_login_page_on_the_same_host_is_no_alyx(proxy):
    proxy.fault("answer", times=99, status=302, headers={"Location": "/accounts/login/?next=/auth-token"})
    with AlyxClient(proxy.url) as client, pytest.raises(NotAlyxError, match=r"redirects to http.*login"):
        client.login("jose", "s3cret")
    assert proxy.count("POST") == 0


def test_netrc_never_replaces_our_login(proxy, writable, tmp_path, monkeypatch):
    netrc = tmp_path / ".netrc"
    netrc.write_text("machine 127.0.0.1 login eve password evil\ndefault login eve password evil\n")
    netrc.chmod(0o600)
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.setenv("NETRC", str(netrc))
    with AlyxClient(proxy.url) as client:
        token = client.login(writable.username, writable.password)
        client.get("labs")
    assert [seen.headers.get("authorization") for seen in proxy.requests] == [None, None, f"Token {token}"]


def test_cookies_are_not_kept(client, proxy):
    proxy.fault("answer", headers={"Set-Cookie": "sessionid=abc; Path=/"}, body={})
    client.get("labs")
    client.get("labs")
    assert "cookie" not in proxy.requests[-1].headers


def test_a_server_on_this_computer_is_asked_directly(proxy, writable, listener, monkeypatch):
    server, address = listener
    server.close()
    for name in ("HTTP_PROXY", "http_proxy", "ALL_PROXY"):
        monkeypatch.setenv(name, f"http://{address}")
    monkeypatch.delenv("NO_PROXY", raising=False)
    monkeypatch.delenv("no_proxy", raising=False)
    with AlyxClient(proxy.url) as client:
        assert client.login(writable.username, writable.password)


def test_other_servers_are_asked_through_the_proxy_of_the_environment(elsewhere, writable, monkeypatch):
    for name in ("HTTP_PROXY", "http_proxy"):
        monkeypatch.setenv(name, elsewhere.url)
    monkeypatch.delenv("NO_PROXY", raising=False)
    monkeypatch.delenv("no_proxy", raising=False)
    elsewhere.fault("answer", status=405, body={"detail": "not allowed"}, method="GET", path="/auth-token")
    elsewhere.fault("answer", body={"token": TOKEN}, method="POST", path="/auth-token")
    elsewhere.fault("answer", body={"count": 0, "results": []}, method="GET", path="/labs")
    with AlyxClient("http://alyx.invalid") as client:
        assert client.login(writable.username, writable.password) == TOKEN
        assert client.list("labs") == []
        assert client.url == "http://alyx.invalid"
    assert [seen.headers["host"] for seen in elsewhere.requests] == ["alyx.invalid"] * 3


def test_an_alyx_that_does_not_know_its_own_name(elsewhere, monkeypatch):
    """The sandbox, as an Alyx whose ALLOWED_HOSTS lacks a name, answers that name with a web page, 400."""
    monkeypatch.setenv("http_proxy", elsewhere.url)
    monkeypatch.delenv("NO_PROXY", raising=False)
    monkeypatch.delenv("no_proxy", raising=False)
    with AlyxClient("http://alyx.invalid") as client, pytest.raises(NotAlyxError, match="400") as caught:
        client.login("jose", "s3cret")
    assert "ALLOWED_HOSTS" in caught.value.hint


def test_a_proxy_that_is_not_there_is_named(listener, monkeypatch):
    server, address = listener
    server.close()
    monkeypatch.setenv("http_proxy", f"http://{address}")
    monkeypatch.setenv("https_proxy", f"http://{address}")
    monkeypatch.delenv("NO_PROXY", raising=False)
    monkeypatch.delenv("no_proxy", raising=False)
    for typed in ("http://alyx.invalid", "https://alyx.invalid"):
        with AlyxClient(typed) as client, pytest.raises(UnreachableError, match="proxy") as caught:
            client.find_server()
        assert "HTTPS_PROXY" in caught.value.hint
