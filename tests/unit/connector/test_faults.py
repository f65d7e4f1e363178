"""Every exception of the HTTP library becomes one of our errors, without the secrets that it holds."""

from __future__ import annotations

import http.client
import inspect
import pickle
import socket
import ssl

import pytest
import requests
from urllib3 import exceptions as uex
from urllib3.util.ssl_match_hostname import CertificateError as WrongNameError

from alyx_connector import AlyxError, ConfigurationError, NotAlyxError, ProtocolError, TransportError
from alyx_connector.http.answers import Question, error_of_fault
from alyx_connector.http.faults import FAULTS, Fault, FaultKind, fault_of

TOKEN, PASSWORD = "0123456789abcdef0123456789abcdef01234567", "Straße & s3cret"
EXCEPTIONS = [
    kind
    for _, kind in inspect.getmembers(requests.exceptions, inspect.isclass)
    if issubclass(kind, requests.exceptions.RequestException)
]
LIMITS = (5.0, 60.0, 300.0)


def question(method="GET", **known):
    return Question(
        "https://lab.org", method, "subjects", "https://lab.org/subjects", secrets=(TOKEN, PASSWORD), **known
    )


def prepared():
    request = requests.Request("POST", "https://lab.org/auth-token", data={"password": PASSWORD})
    return request.prepare() if requests else None


def reachable(error, depth=4):
    """Everything that hangs on an exception, as text: what a crash reporter would send."""
    if depth == 0 or error is None:
        return ""
    parts = [repr(error), str(error), repr(vars(error)), repr(error.args)]
    parts += [reachable(link, depth - 1) for link in (error.__cause__, error.__context__)]
    parts += [repr(vars(value)) for value in vars(error).values() if hasattr(value, "__dict__")]
    return " ".join(parts)


@pytest.mark.parametrize("kind", EXCEPTIONS)
def test_every_exception_of_requests_is_mapped_by_itself(kind):
    assert kind in FAULTS


@pytest.mark.parametrize("kind", EXCEPTIONS)
@pytest.mark.parametrize("sent", [True, False])
def test_every_exception_of_requests_becomes_an_error_without_its_request(kind, sent):
    request = prepared()
    request.headers["Authorization"] = f"Token {TOKEN}"
    words = ("it broke", "", 0) if issubclass(kind, requests.exceptions.JSONDecodeError) else ("it broke",)
    original = kind(*words, request=request) if len(words) == 1 else kind(*words)
    error = error_of_fault(fault_of(original, sent), question("POST"), 1, LIMITS)
    assert isinstance(error, AlyxError)
    assert "https://lab.org" in str(error)
    assert str(error).endswith(".")
    text = reachable(error)
    assert TOKEN not in text
    assert "Stra" not in text
    assert pickle.loads(pickle.dumps(error)).args == error.args


@pytest.mark.parametrize("kind", FaultKind)
def test_every_kind_of_fault_has_its_words_and_what_to_do(kind):
    for method in ("GET", "POST"):
        error = error_of_fault(Fault(kind, "why", sent=True), question(method), 3, LIMITS)
        assert "https://lab.org" in str(error)
        assert error.hint.endswith(".")


def connection_error(reason):
    return requests.ConnectionError(uex.MaxRetryError(None, "/x", reason))


@pytest.mark.parametrize(
    ("original", "sent", "kind"),
    [
        (connection_error(uex.NewConnectionError(None, "refused")), False, FaultKind.UNREACHABLE),
        (
            requests.ConnectionError(uex.ProtocolError("aborted", http.client.RemoteDisconnected("x"))),
            True,
            FaultKind.DROPPED,
        ),
        (
            requests.ConnectionError(uex.ProtocolError("aborted", ConnectionResetError(104, "reset"))),
            True,
            FaultKind.DROPPED,
        ),
        (
            requests.ConnectionError(uex.ProtocolError("bad", http.client.BadStatusLine("SSH-2.0"))),
            True,
            FaultKind.NOT_HTTP,
        ),
        (requests.ConnectionError(uex.ReadTimeoutError(None, "/x", "late")), True, FaultKind.READ_TIMEOUT),
        (requests.ConnectionError(uex.ReadTimeoutError(None, "/x", "late")), False, FaultKind.CONNECT_TIMEOUT),
        (requests.exceptions.ChunkedEncodingError(http.client.IncompleteRead(b"x")), True, FaultKind.TRUNCATED),
        (requests.exceptions.SSLError(ssl.SSLCertVerificationError(1, "self-signed")), False, FaultKind.CERTIFICATE),
        (requests.exceptions.SSLError(WrongNameError("not lab.org")), False, FaultKind.CERTIFICATE),
        (requests.exceptions.SSLError(ssl.SSLError(1, "WRONG_VERSION_NUMBER")), False, FaultKind.NOT_TLS),
        (socket.gaierror(-2, "no name"), False, FaultKind.UNREACHABLE),
        (OSError("no such certificate bundle: /nowhere"), False, FaultKind.SETTING),
        (uex.LocationParseError("x"), False, FaultKind.SETTING),
        (OSError(5, "I/O error"), True, FaultKind.DROPPED),
    ],
)
def test_the_cause_decides(original, sent, kind):
    assert fault_of(original, sent).kind is kind


def test_a_write_that_may_have_been_carried_out_says_so():
    error = error_of_fault(Fault(FaultKind.DROPPED, sent=True), question("POST"), 1, LIMITS)
    assert isinstance(error, TransportError)
    assert error.maybe_processed
    assert "look on Alyx" in error.hint
    for harmless in (
        error_of_fault(Fault(FaultKind.UNREACHABLE, sent=False), question("POST"), 1, LIMITS),
        error_of_fault(Fault(FaultKind.DROPPED, sent=True), question("GET"), 1, LIMITS),
    ):
        assert not harmless.maybe_processed
        assert "look on Alyx" not in harmless.hint


def test_attempts_and_address_are_told():
    error = error_of_fault(Fault(FaultKind.DROPPED, sent=True), question(), 5, LIMITS)
    assert (error.attempts, error.method, error.url) == (5, "GET", "https://lab.org/subjects")
    assert "5 attempts" in str(error)


def test_classes_that_are_no_transport_errors():
    assert isinstance(error_of_fault(Fault(FaultKind.NOT_HTTP), question(), 1, LIMITS), NotAlyxError)
    assert isinstance(error_of_fault(Fault(FaultKind.TRUNCATED), question(), 1, LIMITS), ProtocolError)
    assert isinstance(error_of_fault(Fault(FaultKind.SETTING), question(), 1, LIMITS), ConfigurationError)
