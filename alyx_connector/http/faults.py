"""What can go wrong on the way to an answer: the exceptions of ``requests`` and below, made into values.

Those exceptions keep the request with its token and password; a `Fault` keeps none of it.
"""

from __future__ import annotations

import http.client
import socket
import ssl
from dataclasses import dataclass, field
from enum import Enum
from typing import TYPE_CHECKING, Any

from requests import exceptions as rex
from urllib3 import exceptions as uex
from urllib3.util.ssl_match_hostname import CertificateError as WrongNameError

if TYPE_CHECKING:
    from collections.abc import Iterator

__all__ = ["FAULTS", "Fault", "FaultKind", "fault_of"]


class FaultKind(Enum):
    """Why no complete answer arrived."""

    #: No such host, or nothing listens there: nothing was sent.
    UNREACHABLE = "unreachable"
    #: The connection ended before an answer.
    DROPPED = "dropped"
    #: The connection ended in the middle of the answer.
    TRUNCATED = "truncated"
    #: No connection in time: nothing was sent.
    CONNECT_TIMEOUT = "connect timeout"
    #: No answer in time.
    READ_TIMEOUT = "read timeout"
    #: The whole operation took too long.
    OPERATION_TIMEOUT = "operation timeout"
    #: The server's TLS certificate was refused.
    CERTIFICATE = "certificate"
    #: What listens there does not speak TLS.
    NOT_TLS = "not TLS"
    #: The proxy that the environment names failed.
    PROXY = "proxy"
    #: What listens there does not speak HTTP.
    NOT_HTTP = "not HTTP"
    #: The answer could not be decoded.
    GARBLED = "garbled"
    #: The answer is longer than any that Alyx gives.
    TOO_LARGE = "too large"
    #: The address or a setting of the environment is unusable: nothing was sent.
    SETTING = "setting"


#: Every exception of ``requests`` and what it means; those that depend on their cause are refined in `fault_of`.
FAULTS: dict[type[Exception], FaultKind] = {
    rex.RequestException: FaultKind.DROPPED,
    rex.InvalidJSONError: FaultKind.SETTING,
    rex.JSONDecodeError: FaultKind.GARBLED,
    rex.HTTPError: FaultKind.GARBLED,
    rex.ConnectionError: FaultKind.DROPPED,
    rex.ProxyError: FaultKind.PROXY,
    rex.SSLError: FaultKind.NOT_TLS,
    rex.Timeout: FaultKind.READ_TIMEOUT,
    rex.ConnectTimeout: FaultKind.CONNECT_TIMEOUT,
    rex.ReadTimeout: FaultKind.READ_TIMEOUT,
    rex.URLRequired: FaultKind.SETTING,
    rex.TooManyRedirects: FaultKind.GARBLED,
    rex.MissingSchema: FaultKind.SETTING,
    rex.InvalidSchema: FaultKind.SETTING,
    rex.InvalidURL: FaultKind.SETTING,
    rex.InvalidHeader: FaultKind.SETTING,
    rex.InvalidProxyURL: FaultKind.PROXY,
    rex.ChunkedEncodingError: FaultKind.TRUNCATED,
    rex.ContentDecodingError: FaultKind.GARBLED,
    rex.StreamConsumedError: FaultKind.GARBLED,
    rex.RetryError: FaultKind.DROPPED,
    rex.UnrewindableBodyError: FaultKind.DROPPED,
}

# Causes, from the most telling to the least: the first that occurs in an exception's chain decides.
_CAUSES: tuple[tuple[type[BaseException], FaultKind], ...] = (
    (ssl.SSLCertVerificationError, FaultKind.CERTIFICATE),
    (WrongNameError, FaultKind.CERTIFICATE),
    (uex.ProxyError, FaultKind.PROXY),
    (uex.ReadTimeoutError, FaultKind.READ_TIMEOUT),
    (http.client.IncompleteRead, FaultKind.TRUNCATED),
    (uex.NewConnectionError, FaultKind.UNREACHABLE),
    (socket.gaierror, FaultKind.UNREACHABLE),
    (http.client.RemoteDisconnected, FaultKind.DROPPED),
    (http.client.HTTPException, FaultKind.NOT_HTTP),
    (ssl.SSLEOFError, FaultKind.DROPPED),
    (ssl.SSLError, FaultKind.NOT_TLS),
)

# Built-in errors that hold nothing but a number and a text: only these may become the cause of our errors.
_HARMLESS = (
    ConnectionRefusedError,
    ConnectionResetError,
    ConnectionAbortedError,
    BrokenPipeError,
    TimeoutError,
    socket.gaierror,
    ssl.SSLCertVerificationError,
    ssl.SSLError,
    ssl.SSLEOFError,
    OSError,
)


@dataclass(frozen=True)
class Fault:
    """Why no complete answer arrived."""

    #: What went wrong.
    kind: FaultKind
    #: In the system's words, without addresses and secrets; may be empty.
    text: str = ""
    #: Whether any byte of the request may have reached the server.
    sent: bool = False
    #: The cause, made anew without the request it belonged to.
    cause: OSError | None = field(default=None, compare=False)


def fault_of(error: BaseException, sent: bool) -> Fault:
    """Say what an exception means, without keeping it.

    ``error``: what ``requests`` or anything below it raised.
    ``sent``: whether any byte of the request may have reached the server.
    """
    chain = list(_chain(error))
    cause = next((_copy(link) for link in reversed(chain) if type(link) in _HARMLESS), None)
    kind = next((kind for known, kind in _CAUSES if any(isinstance(link, known) for link in chain)), None)
    if kind is None:
        kind = next((FAULTS[known] for known in type(error).__mro__ if known in FAULTS), FaultKind.DROPPED)
    if kind is FaultKind.DROPPED and not isinstance(error, rex.RequestException):
        # Before the request was made: for example a certificate bundle of the environment that is not there.
        kind = FaultKind.DROPPED if sent else FaultKind.SETTING
    if kind is FaultKind.READ_TIMEOUT and not sent:
        kind = FaultKind.CONNECT_TIMEOUT  # in the TLS handshake
    return Fault(kind, _words(kind, cause), sent, cause)


def _chain(error: BaseException) -> Iterator[BaseException]:
    # Yield an exception and all that it was made from.
    seen: set[int] = set()
    waiting: list[Any] = [error]
    while waiting:
        link = waiting.pop(0)
        if isinstance(link, BaseException) and id(link) not in seen:
            seen.add(id(link))
            yield link
            waiting += [getattr(link, "reason", None), link.__cause__, link.__context__, *link.args]


def _copy(error: BaseException) -> OSError:
    # Make a built-in error anew from its number and text.
    plain = tuple(part for part in error.args[:2] if isinstance(part, int | str))
    return type(error)(*plain)  # type: ignore[return-value]


def _words(kind: FaultKind, cause: OSError | None) -> str:
    # Say what the system said, in words for people.
    if isinstance(cause, socket.gaierror):
        return "there is no host of this name, or the name could not be looked up"
    if isinstance(cause, ConnectionRefusedError):
        return "nothing listens there (connection refused)"
    if isinstance(cause, ssl.SSLError):
        return " ".join(str(part) for part in cause.args[1:])
    if cause is not None and kind is FaultKind.SETTING:
        return str(cause)
    return (cause.strerror or "") if cause is not None else ""
