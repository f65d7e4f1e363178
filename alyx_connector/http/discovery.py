"""Finding the API below an address, before any token or password is sent."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from alyx_connector.address import API_ROOTS, DEFAULT_PORTS, Address
from alyx_connector.errors import NotAlyxError
from alyx_connector.http.answers import CAPTIVE_HINT, Question, describe, is_alyx, is_web_page, read_answer
from alyx_connector.http.calls import MAX_REDIRECTS, redirect_target
from alyx_connector.http.throttle import THROTTLED
from alyx_connector.http.transport import Wire

if TYPE_CHECKING:
    from alyx_connector.http.calls import Caller, Operation

__all__ = ["find_api"]

LOGIN_ROUTE = "auth-token"


def find_api(caller: Caller, operation: Operation, address: Address) -> tuple[Address, str]:
    """Find where the API is: ``GET <root>/auth-token`` is a JSON 405 on an Alyx.

    Returns: the root, ``/`` or ``/api/``.
    """
    first_finding = ""
    for root in sorted(API_ROOTS, key=lambda root: root != address.api_root):
        found, finding = _probe(caller, operation, address, root)
        if found is not None:
            return found, root
        first_finding = first_finding or finding
    hint = f"Check the address. {CAPTIVE_HINT.partition('. ')[2]}"
    raise NotAlyxError(f"What answers at {address.url} is not an Alyx: {first_finding}.", hint=hint)


def _probe(caller: Caller, operation: Operation, address: Address, root: str) -> tuple[Address | None, str]:
    # Returns the address under which an Alyx answered, or None and what answered instead.
    question = Question(address.url, "GET", "", address.url + root + LOGIN_ROUTE)
    for _ in range(MAX_REDIRECTS + 1):
        url = address.url + root + LOGIN_ROUTE
        reply = caller.send(operation, Wire("GET", url), question, direct=address.is_loopback)
        refused_name = reply.status == 400 and is_web_page(reply)  # by an Alyx whose ALLOWED_HOSTS lacks the host
        if refused_name or reply.status == THROTTLED or reply.status >= 500:
            read_answer(reply, question)
        target = redirect_target(reply, url)
        if target is None:
            return (address, "") if is_alyx(reply) else (None, f"it answers with {describe(reply, question)}")
        secure = _with_https(address)
        if target != secure.url + root + LOGIN_ROUTE or secure == address:
            return None, f"it redirects to {question.veil(target.partition('?')[0]) or 'nowhere'}"
        address = secure
    return None, "it redirects again and again"


def _with_https(address: Address) -> Address:
    # A redirect from http to https may change the port from 80 to 443, to no other.
    port = DEFAULT_PORTS["https"] if address.port == DEFAULT_PORTS["http"] else address.port
    parts = urlsplit(address.url)
    return replace(address, scheme="https", port=port) if parts.scheme == "http" else address
