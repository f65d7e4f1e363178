"""What an answer, or its absence, means: its value, or one of our errors, in words for people."""

from __future__ import annotations

import html
import json
import re
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any
from urllib.parse import quote, quote_plus

from alyx_connector.errors import (
    AlyxError,
    CertificateError,
    ConfigurationError,
    InvalidDataError,
    LoginRejectedError,
    LoginRequiredError,
    NotAlyxError,
    NotFoundError,
    PermissionDeniedError,
    ProtocolError,
    RateLimitedError,
    RequestTimeoutError,
    ResponseError,
    ServerFaultError,
    UnreachableError,
)
from alyx_connector.http.faults import Fault, FaultKind
from alyx_connector.http.throttle import THROTTLED, parse_retry_after
from alyx_connector.remedy import Remedy, RemedyKind

if TYPE_CHECKING:
    from alyx_connector.http.transport import Reply

__all__ = ["Question", "describe", "error_of_fault", "is_alyx", "is_web_page", "read_answer"]

#: What a 403 says when the token is the trouble; any other 403 is about permissions.
TOKEN_TROUBLE = ("invalid token", "credentials were not provided", "user inactive or deleted", "token has expired")
CAPTIVE_HINT = (
    "Check the address. If this network wants you to log in on a web page first (a captive portal), "
    "open a browser and do so."
)
WRITE_HINT = "It may have been carried out all the same; look on Alyx before you send it again."


@dataclass(frozen=True)
class Question:
    """What was asked, of whom: all that the wording of an error needs."""

    #: Address of the server.
    server: str
    #: HTTP method.
    method: str
    #: What was asked for, for example ``subjects/ea04``; empty for the search for the API.
    endpoint: str
    #: Address of the request without its parameters.
    url: str
    #: Whether it is the login.
    login: bool = False
    #: What must not be repeated, should the server do so.
    secrets: tuple[str, ...] = field(default=(), repr=False)
    #: The only status that is a success; None: any from 200 to 299.
    success: int | None = None

    def veil(self, text: str) -> str:
        """Make words of the server fit to be shown: without secrets and control characters, and short."""
        for secret in self.secrets:
            forms = {secret, json.dumps(secret)[1:-1], quote(secret), quote_plus(secret), html.escape(secret)}
            if any(form in text for form in forms):
                return "(not shown: it repeats the password or token)"
        plain = "".join(letter if letter.isprintable() else " " for letter in text).strip()
        return plain if len(plain) <= 300 else plain[:299] + "…"


def is_web_page(reply: Reply) -> bool:
    """Tell whether an answer is made for a browser."""
    return "html" in reply.headers.get("Content-Type", "").lower()


def is_alyx(reply: Reply) -> bool:
    """Tell whether this answers ``GET <root>/auth-token`` as an Alyx does: a JSON 405."""
    return reply.status == 405 and _is_json(reply) and isinstance(_parsed(reply), dict)


def describe(reply: Reply, question: Question) -> str:
    """Say in a few words what kind of answer this is.

    Returns: for example ``a web page ("Log in to the network", status 200)``.
    """
    if not is_web_page(reply):
        kind = reply.headers.get("Content-Type") or "no content type"
        return f"something else ({question.veil(kind)}, status {reply.status})"
    title = re.search(rb"<title[^>]*>(.*?)</title>", reply.body[:20000], re.IGNORECASE | re.DOTALL)
    words = question.veil(html.unescape(title[1].decode("utf-8", "replace")))[:80] if title else ""
    return f'a web page ("{words}", status {reply.status})' if words else f"a web page (status {reply.status})"


def read_answer(reply: Reply, question: Question) -> Any:
    """Return what the server answered, or raise what it means.

    Returns: the JSON of a success; None where a success has no content.
    """
    if not 200 <= reply.status < 300:
        raise _error_of_status(reply, question)
    if reply.status == 204 and not reply.body:
        return None
    what = f"{question.server} answered {question.method} {question.endpoint} with"
    hint = "" if question.method == "GET" or question.login else WRITE_HINT
    if question.success not in {None, reply.status}:
        raise ProtocolError(f"{what} status {reply.status} where Alyx answers {question.success}.", hint=hint)
    if is_web_page(reply):
        raise NotAlyxError(f"{what} {describe(reply, question)} where Alyx answers JSON.", hint=hint or CAPTIVE_HINT)
    if not _is_json(reply):
        raise ProtocolError(f"{what} {describe(reply, question)} where Alyx answers JSON.", hint=hint or CAPTIVE_HINT)
    value = _parsed(reply)
    if value is _NOT_JSON:
        raise ProtocolError(
            f"{what} {len(reply.body)} bytes that are not JSON; the answer may have been cut off.",
            hint=hint or "Try again; if it happens again, tell whoever runs the server.",
        )
    return value


def read_page(reply: Reply, question: Question) -> str:
    """Return the web page that the server answered, or raise what else it means."""
    if not 200 <= reply.status < 300:
        raise _error_of_status(reply, question)
    if not is_web_page(reply):
        what = f"{question.server} answered {question.method} {question.endpoint} with {describe(reply, question)}"
        raise ProtocolError(f"{what} where Alyx answers with a web page.", hint="Check the address.")
    return reply.body.decode("utf-8", "replace")


def error_of_fault(fault: Fault, question: Question, attempts: int, limits: tuple[float, float, float]) -> AlyxError:
    """Say what the absence of an answer means.

    ``limits``: the limits for connecting, for reading and for the whole operation, in seconds.
    """
    server = question.server
    write = fault.sent and question.method != "GET" and not question.login
    known: dict[str, Any] = {
        "method": question.method,
        "url": question.url,
        "attempts": attempts,
        "maybe_processed": fault.sent and question.method != "GET",
    }
    tried = f" ({attempts} attempts)" if attempts > 1 else ""
    words = f": {question.veil(fault.text)}" if fault.text else ""
    network = "Check the address and the network."
    connect_s, read_s, operation_s = limits
    error: AlyxError
    match fault.kind:
        case FaultKind.CERTIFICATE:
            hint = "If the server's certificate is made by your lab, name its file in REQUESTS_CA_BUNDLE."
            error = CertificateError(f"The TLS certificate of {server} was refused{words}.", hint=hint, **known)
        case FaultKind.CONNECT_TIMEOUT:
            message = f"{server} did not accept a connection within {connect_s:g} s{tried}."
            if server.startswith("https:"):
                network = f"{network} A server without encryption does not answer https: then type http:// in front."
            error = RequestTimeoutError(message, hint=network, **known)
        case FaultKind.READ_TIMEOUT:
            message = f"{server} did not answer within {read_s:g} s{tried}."
            hint = WRITE_HINT if write else "Try again later; the server may be overloaded."
            error = RequestTimeoutError(message, hint=hint, **known)
        case FaultKind.OPERATION_TIMEOUT:
            message = f"{server} made no progress for {operation_s:g} s{tried}."
            hint = WRITE_HINT if write else "Try again later; the server may be overloaded."
            error = RequestTimeoutError(message, hint=hint, **known)
        case FaultKind.SETTING:
            message = (
                f"{server} cannot be asked: the address, the proxy or the certificate setting is not valid{words}."
            )
            hint = "Check the address, HTTP_PROXY, HTTPS_PROXY and REQUESTS_CA_BUNDLE."
            error = ConfigurationError(message, hint=hint, setting="environment")
        case FaultKind.NOT_TLS:
            hint = "If this server has no encryption, type its address with http:// in front."
            error = UnreachableError(f"{server} could not agree on an encrypted connection{words}.", hint=hint, **known)
        case FaultKind.PROXY:
            hint = "Check HTTP_PROXY, HTTPS_PROXY and NO_PROXY."
            error = UnreachableError(f"{server} cannot be reached through the proxy{words}.", hint=hint, **known)
        case FaultKind.NOT_HTTP:
            error = NotAlyxError(f"What listens at {server} does not answer in HTTP.", hint="Check address and port.")
        case FaultKind.TRUNCATED:
            message = f"{server} broke off in the middle of its answer to {question.method} {question.endpoint}{tried}"
            hint = WRITE_HINT if write else "Try again; if it happens again, tell whoever runs the server."
            error = ProtocolError(f"{message}{words}.", hint=hint)
        case FaultKind.GARBLED:
            hint = WRITE_HINT if write else "Try again; if it happens again, tell whoever runs the server."
            error = ProtocolError(f"The answer of {server} could not be decoded{words}.", hint=hint)
        case FaultKind.TOO_LARGE:
            message = f"{server} answered {question.method} {question.endpoint} with {fault.text}, which no Alyx does."
            hint = WRITE_HINT if write else "Ask for less at once; if it happens again, tell whoever runs the server."
            error = ProtocolError(message, hint=hint)
        case FaultKind.DROPPED:
            message = f"{server} dropped the connection without an answer{tried}{words}."
            error = UnreachableError(message, hint=WRITE_HINT if write else network, **known)
        case FaultKind.UNREACHABLE:
            error = UnreachableError(f"{server} cannot be reached{words}.", hint=network, **known)
    error.__cause__ = fault.cause
    return error


_NOT_JSON = object()
#: Half of a letter outside the basic plane: no file, terminal, window or database takes it alone.
_HALF_LETTER = re.compile(rb"\\u[dD][89a-fA-F]|\xed[\xa0-\xbf]")


def _is_json(reply: Reply) -> bool:
    media_type = reply.headers.get("Content-Type", "").partition(";")[0].strip().lower()
    return media_type == "application/json" or media_type.endswith("+json")


def _parsed(reply: Reply) -> Any:
    try:
        value = json.loads(reply.body)
        # Most bodies have neither letter, which takes no time to see. Whole letters may be escaped in two halves, too.
        if (b"\\" in reply.body or b"\xed" in reply.body) and _HALF_LETTER.search(reply.body):
            text = json.dumps(value, ensure_ascii=False)
            value = json.loads(text.encode("utf-16", "surrogatepass").decode("utf-16", "replace"))
    except (ValueError, RecursionError):
        return _NOT_JSON
    return value


def _error_of_status(reply: Reply, question: Question) -> AlyxError:
    body = _parsed(reply) if _is_json(reply) else _NOT_JSON
    detail = question.veil(_text_of(body.get("detail", "")) if isinstance(body, dict) else "")
    known: dict[str, Any] = {"status": reply.status, "endpoint": question.endpoint, "detail": detail}
    server, endpoint = question.server, question.endpoint
    said = f": {detail}" if detail else f" (it answered with {describe(reply, question)})" if body is _NOT_JSON else ""
    match reply.status:
        case 400 | 401 | 403 if question.login and body is not _NOT_JSON:
            return LoginRejectedError(f"{server} refused this user and password.", hint="Check both and try again.")
        case 400:
            return _error_of_data(reply, body, question, known)
        case 401 | 403 if body is _NOT_JSON:
            hint = "A web server in front of Alyx refuses this; ask whoever runs it."
            return PermissionDeniedError(f"{server} refused {question.method} {endpoint}{said}.", hint=hint)
        case 401 | 403 if reply.status == 401 or any(words in detail.lower() for words in TOKEN_TROUBLE):
            message = f"{server} does not accept this token: it was revoked or is not valid{said}"
            return LoginRequiredError(_sentence(message), hint=Remedy(RemedyKind.LOG_IN_ANEW))
        case 403:
            hint = "Ask whoever runs the server for permission, or log in as another user."
            return PermissionDeniedError(
                _sentence(f"{server} does not permit this user {_ask(question)}{said}"), hint=hint
            )
        case 404:
            hint = "Check the name; it may have been renamed or deleted on Alyx."
            return NotFoundError(_sentence(f"{server} has no {endpoint}{said}"), hint=hint, **known)
        case status if status == THROTTLED:
            after = parse_retry_after(reply.headers.get("Retry-After"))
            when = "later" if after is None else f"in {after:.0f} s"
            message = f"{server} is limiting this user's requests."
            return RateLimitedError(message, hint=f"Try again {when}.", retry_after=after, **known)
        case status if status >= 500:
            read = question.method == "GET" or question.login
            message = f"{server} failed with {_ask(question)} (status {status}){said}"
            # A list: most often a filter that it could not read.
            if question.method == "GET" and detail and "/" not in endpoint:
                return ServerFaultError(_sentence(message), hint=Remedy(RemedyKind.CHECK_FILTERS), **known)
            hint = "Tell whoever runs the server." if read else WRITE_HINT
            return ServerFaultError(_sentence(message), hint=hint, **known)
        case status if status >= 400:
            hint = "The filters are too long: give fewer." if status == 414 else "Ask whoever runs the server."
            message = f"{server} refused {_ask(question)} (status {status}){said}"
            return ResponseError(_sentence(message), hint=hint, **known)
    message = f"{server} answered {_ask(question)} with status {reply.status}, which makes no sense here."
    return ProtocolError(message, hint=CAPTIVE_HINT)


def _error_of_data(reply: Reply, body: Any, question: Question, known: dict[str, Any]) -> AlyxError:
    server = question.server
    if body is _NOT_JSON:
        hint = "Check the address. An Alyx whose ALLOWED_HOSTS lacks this name answers like this."
        return NotAlyxError(f"{server} refused {_ask(question)} with {describe(reply, question)}.", hint=hint)
    fields: dict[str, list[str]] = {}
    if isinstance(body, dict):
        for name, reasons in body.items():
            if name not in {"status_code", "detail"}:
                listed = reasons if isinstance(reasons, list) else [reasons]
                fields[question.veil(name)] = [question.veil(_text_of(reason)) for reason in listed]
    else:
        known["detail"] = question.veil(_text_of(body))
    reasons_given = [f"{name}: {' '.join(reasons)}" for name, reasons in fields.items()]
    said = "; ".join(reasons_given) or known["detail"] or "it does not say why"
    message = f"{server} refused the data of {_ask(question)}: {said}"
    return InvalidDataError(_sentence(message), hint="Correct what it names and try again.", fields=fields, **known)


def _ask(question: Question) -> str:
    return f"{question.method} {question.endpoint}".strip()


def _sentence(text: str) -> str:
    return text if text.endswith((".", "!", "?", "…")) else text + "."


def _text_of(value: Any) -> str:
    return value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)
