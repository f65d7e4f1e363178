"""A request from its first attempt to its final answer: waits, retries and redirects."""

from __future__ import annotations

import logging
import math
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any
from urllib.parse import unquote, urljoin, urlsplit

from alyx_connector.errors import NotAlyxError, ProtocolError, RateLimitedError
from alyx_connector.http.answers import CAPTIVE_HINT, Question, error_of_fault, read_answer
from alyx_connector.http.faults import Fault, FaultKind
from alyx_connector.http.retry import Attempts
from alyx_connector.http.throttle import THROTTLED, parse_retry_after
from alyx_connector.progress import Progress

if TYPE_CHECKING:
    from collections.abc import Callable

    from alyx_connector.address import Address
    from alyx_connector.http.retry import Deadline
    from alyx_connector.http.server_time import ServerTime
    from alyx_connector.http.throttle import ThrottleGate
    from alyx_connector.http.transport import Reply, Transport, Wire
    from alyx_connector.progress import CancelToken, Report

__all__ = ["MAX_REDIRECTS", "Caller", "Operation", "redirect_target"]

LOG = logging.getLogger(__name__)

MAX_REDIRECTS = 5
REDIRECTS = frozenset({301, 302, 303, 307, 308})
#: Redirects after which the method stays what it was.
FAITHFUL_REDIRECTS = frozenset({307, 308})


@dataclass(frozen=True)
class Operation:
    """What one call of a public method shares with all of its requests."""

    #: Ends it at once.
    cancel: CancelToken
    #: When it has taken too long.
    deadline: Deadline
    #: Takes its progress.
    report: Report
    #: Takes note of when its answers were sent.
    server_time: ServerTime | None = None

    def within(self, cancel: CancelToken, report: Report) -> Operation:
        """Return the same operation with another cancel token and report."""
        return replace(self, cancel=cancel, report=report)


def redirect_target(reply: Reply, url: str) -> str | None:
    """Say where an answer redirects to.

    Returns: absolute address; None if it is no redirect; ``""`` if it is one to nowhere.
    """
    if reply.status not in REDIRECTS:
        return None
    location = reply.headers.get("Location", "").strip()
    try:
        target = urljoin(url, location)
        parts = urlsplit(target)
        _ = parts.port  # checked on access
    except ValueError:
        return ""
    return target if location and parts.hostname and parts.username is None else ""


class Caller:
    """Sends requests until there is a final answer.

    ``limits``: the limits for connecting, for reading and for the whole operation, in seconds, for the wording of
    errors.
    """

    def __init__(self, transport: Transport, limits: tuple[float, float, float]) -> None:
        #: What carries the requests.
        self.transport = transport
        self._limits = limits

    def call(
        self,
        operation: Operation,
        address: Address,
        root: str,
        wire: Wire,
        *,
        token: str | None = None,
        gate: ThrottleGate | None = None,
        password: str | None = None,
        read: Callable[[Reply, Question], Any] = read_answer,
    ) -> Any:
        """Ask the API and return its answer.

        ``root``: where its API is: ``/`` or ``/api/``.
        ``wire``: the request; its address relative to the API, without a leading slash.
        ``gate``: holds it back while the server throttles the user.
        ``password``: what the body holds, if this is the login; never repeated in an error.
        ``read``: makes of the reply what is returned.
        """
        endpoint = unquote(wire.url)
        wire = replace(wire, url=address.url + root + wire.url, token=token)
        secrets = tuple(secret for secret in (token, password) if secret)
        question = Question(
            address.url,
            wire.method,
            endpoint,
            wire.url,
            login=password is not None,
            success=wire.success,
            secrets=secrets,
        )
        for _ in range(MAX_REDIRECTS + 1):
            reply = self.send(operation, wire, question, direct=address.is_loopback, gate=gate)
            target = redirect_target(reply, wire.url)
            if target is None:
                if operation.server_time is not None:
                    operation.server_time.note(reply)
                return read(reply, question)
            shown = question.veil(target.partition("?")[0]) or "nowhere"
            if not target or not _same_origin(wire.url, target):
                message = (
                    f"{address.url} redirects {wire.method} {endpoint} to {shown}; no token or password goes there."
                )
                raise NotAlyxError(message, hint=f"If the server has moved, type its new address. {CAPTIVE_HINT}")
            if wire.method != "GET" and reply.status not in FAITHFUL_REDIRECTS:
                message = (
                    f"{address.url} redirects {wire.method} {endpoint} to {shown} in a way that would lose the data."
                )
                raise ProtocolError(message, hint="Type the address that it redirects to.")
            wire = replace(wire, url=target, params=() if "?" in target else wire.params)
        message = f"{address.url} redirects {wire.method} {endpoint} again and again."
        raise ProtocolError(message, hint="Check the address; if it is right, tell whoever runs the server.")

    def send(
        self, operation: Operation, wire: Wire, question: Question, *, direct: bool, gate: ThrottleGate | None = None
    ) -> Reply:
        """Send a request until there is an answer that asking again would not better.

        ``gate``: holds it back while the server throttles the user.
        """
        attempts = Attempts(wire.method)
        while True:
            if gate is not None and (held := gate.left()):
                self._wait(operation, held, question, "is limiting this user's requests")
            outcome = self.transport.exchange(wire, direct=direct, cancel=operation.cancel, deadline=operation.deadline)
            tried = attempts.count
            if isinstance(outcome, Fault):
                LOG.debug("%s %s: %s", wire.method, wire.url, outcome.kind.value)
                dropped = outcome.kind in {FaultKind.DROPPED, FaultKind.TRUNCATED}
                pause = attempts.wait_after_drop() if dropped else None
                if pause is None or pause > operation.deadline.left():
                    raise error_of_fault(outcome, question, tried, self._limits)
                self._wait(operation, pause, question, "dropped the connection")
                continue
            LOG.debug("%s %s: status %s", wire.method, wire.url, outcome.status)
            retry_after = parse_retry_after(outcome.headers.get("Retry-After"))
            pause = attempts.wait_after_status(outcome.status, retry_after)
            if pause is None or pause > operation.deadline.left():
                return outcome
            if outcome.status == THROTTLED:
                if gate is not None:
                    gate.hold(pause)
                self._wait(operation, pause, question, "is limiting this user's requests")
            else:
                self._wait(operation, pause, question, f"failed (status {outcome.status})")

    def _wait(self, operation: Operation, seconds: float, question: Question, why: str) -> None:
        if seconds > operation.deadline.left():
            message = f"{question.server} {why}."
            raise RateLimitedError(
                message,
                hint=f"Try again in {seconds:.0f} s.",
                status=THROTTLED,
                endpoint=question.endpoint,
                retry_after=seconds,
            )
        whole = math.ceil(seconds)
        operation.report(Progress("wait", 0, whole, f"{question.server} {why}; trying again in {whole} s."))
        operation.cancel.wait(seconds)
        operation.cancel.raise_if_cancelled()


def _same_origin(one: str, other: str) -> bool:
    return _origin(one) == _origin(other)


def _origin(url: str) -> tuple[str, str, int]:
    parts = urlsplit(url)
    return parts.scheme, parts.hostname or "", parts.port or (443 if parts.scheme == "https" else 80)
