"""What an answer of the server, or its absence, means for an item. Pure."""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import Enum
from typing import TYPE_CHECKING

from alyx_connector.errors import (
    AlyxError,
    ConfigurationError,
    InvalidDataError,
    LoginRequiredError,
    PermissionDeniedError,
    RateLimitedError,
    ResponseError,
    ServerFaultError,
    TransportError,
)
from pybpod_alyx_module.outbox.items import WaitsFor
from pybpod_alyx_module.outbox.states import Event
from pybpod_alyx_module.remedies import what_to_do

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

#: Answers of a server, or of what stands before it, that is restarting or overloaded.
BUSY = frozenset({502, 503, 504})
#: The server did not wait for the request; it may have had enough of it.
_REQUEST_TIMEOUT = 408


class Scope(Enum):
    """What has to wait after an item could not be sent."""

    #: Nothing: others go on.
    NONE = "none"
    #: This item.
    ITEM = "item"
    #: All items of its user at its server.
    ACCOUNT = "account"
    #: The same, until that user logs in.
    LOGIN = "login"
    #: All items of its server.
    SERVER = "server"


@dataclass(frozen=True)
class Outcome:
    """What happened to an item."""

    event: Event
    #: Why, a sentence; may be empty.
    reason: str = ""
    #: What to do next; may be empty.
    hint: str = ""
    #: Id of the record on Alyx.
    server_id: str | None = None
    #: Whether the server failed with this item (status 500).
    fault: bool = False
    #: What has to wait.
    scope: Scope = Scope.NONE
    #: How long the server wants to be left alone, in seconds.
    retry_after: float | None = None
    #: What is wrong with which field, in the server's words, where it refused one (status 400).
    fields: Mapping[str, Sequence[str]] = field(default_factory=dict)

    @property
    def waits_for(self) -> WaitsFor:
        """What a postponed item waits for."""
        return WaitsFor.LOGIN if self.scope is Scope.LOGIN else WaitsFor.PAUSE


class HeldError(Exception):
    """An item gets no further now; ``args[0]`` is its `Outcome`."""

    def __init__(self, outcome: Outcome) -> None:
        super().__init__(outcome)
        #: What happened.
        self.outcome = outcome


def outcome_of_reading(error: AlyxError) -> Outcome:
    """Say what an error means where nothing was to be written, or only what may be written twice."""
    match error:
        case LoginRequiredError():
            return _postponed(error, Scope.LOGIN)
        case PermissionDeniedError() | InvalidDataError():
            return Outcome(Event.PARK, error.message, what_to_do(error))
        case RateLimitedError():
            return _postponed(error, Scope.ACCOUNT, retry_after=error.retry_after)
        case ServerFaultError() if error.status not in BUSY:
            return _postponed(error, Scope.ITEM, fault=True)
    return _postponed(error, Scope.SERVER)


def outcome_of_writing(error: AlyxError) -> Outcome:
    """Say what an error means where a record was to be written.

    Returns: ``LOSE`` unless it is certain that nothing was written.
    """
    match error:
        case LoginRequiredError() | RateLimitedError():
            return outcome_of_reading(error)
        case TransportError() if not error.maybe_processed:
            return _postponed(error, Scope.SERVER)
        case ConfigurationError():
            return _postponed(error, Scope.SERVER)
        case InvalidDataError():
            return Outcome(Event.PARK, error.message, what_to_do(error), fields=error.fields)
        case PermissionDeniedError():
            return Outcome(Event.PARK, error.message, what_to_do(error))
        case ServerFaultError():
            ours = error.status not in BUSY
            return Outcome(Event.LOSE, error.message, fault=ours, scope=Scope.NONE if ours else Scope.SERVER)
        case ResponseError() if error.status != _REQUEST_TIMEOUT:
            return Outcome(Event.PARK, error.message, what_to_do(error))
    return Outcome(Event.LOSE, error.message, scope=Scope.SERVER)


def _postponed(error: AlyxError, scope: Scope, *, fault: bool = False, retry_after: float | None = None) -> Outcome:
    return Outcome(Event.POSTPONE, error.message, what_to_do(error), fault=fault, scope=scope, retry_after=retry_after)
