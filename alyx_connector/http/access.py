"""Access to an Alyx server: its API found, its user logged in, and each request made as that user."""

from __future__ import annotations

import threading
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, TypeVar
from urllib.parse import urlencode

from alyx_connector.address import parse_address
from alyx_connector.errors import AlyxError, ConfigurationError, LoginRequiredError, ProtocolError
from alyx_connector.http.arguments import (
    Timeouts,
    checked_params,
    checked_token,
    endpoint_path,
    is_token,
    json_body,
    user_agent_of,
)
from alyx_connector.http.calls import Caller, Operation
from alyx_connector.http.discovery import find_api
from alyx_connector.http.retry import Deadline
from alyx_connector.http.throttle import ThrottleGate
from alyx_connector.http.transport import Transport, Wire
from alyx_connector.progress import Cancelled, CancelToken, Progress

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence
    from types import TracebackType

    from alyx_connector.address import Address
    from alyx_connector.http.server_time import ServerTime
    from alyx_connector.progress import Report

__all__ = ["ServerAccess"]

_Access = TypeVar("_Access", bound="ServerAccess")


@dataclass(frozen=True)
class _Login:
    # Who talks to the server; replaced as a whole, so that threads never see half of it.
    username: str | None
    token: str | None = field(repr=False)
    gate: ThrottleGate


class ServerAccess:
    """Finds the API of one server, logs a user in, and makes requests as that user; see `AlyxClient`."""

    def __init__(
        self,
        address: str,
        *,
        username: str | None = None,
        token: str | None = None,
        timeouts: Timeouts | None = None,
        concurrency: int = 8,
        program: str = "alyx-connector",
    ) -> None:
        # Address and API root in one, so that threads never see half of a change; the root is None until found.
        self._server: tuple[Address, str | None] = (parse_address(address), None)
        self._login = _Login(username, None if token is None else checked_token(token), ThrottleGate())
        if type(concurrency) is not int or concurrency < 1:
            raise ConfigurationError(
                f"The concurrency must be a whole number from 1, not {concurrency!r}.",
                hint="Leave it out for the usual 8.",
                setting="concurrency",
            )
        self._concurrency = concurrency
        self._timeouts = timeouts = timeouts or Timeouts()
        transport = Transport(
            user_agent=user_agent_of(program), connect_s=timeouts.connect, read_s=timeouts.read, concurrency=concurrency
        )
        self._caller = Caller(transport, (timeouts.connect, timeouts.read, timeouts.operation))
        self._running: set[CancelToken] = set()
        self._lock = threading.Lock()
        self._closed = False

    @property
    def url(self) -> str:
        """The server: ``scheme://host[:port][/prefix]``."""
        return self._server[0].url

    @property
    def username(self) -> str | None:
        """The user, once known."""
        return self._login.username

    @property
    def token(self) -> str | None:
        """The token, once logged in: a secret."""
        return self._login.token

    @property
    def connected(self) -> bool:
        """Whether there is a token; `check_token` finds out whether the server still accepts it."""
        return self._login.token is not None and not self._closed

    def __repr__(self) -> str:
        """Return server and user, never the token."""  # noqa: DOC201
        return f"<{type(self).__name__} {self.url} as {self.username or 'nobody'}>"

    def __enter__(self: _Access) -> _Access:
        """Return the client itself."""  # noqa: DOC201
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        """Close the client."""
        self.close()

    def close(self) -> None:
        """Cancel what is under way and close all connections; the client cannot be used afterwards."""
        self._closed = True
        self.abort()
        self._caller.transport.close()

    def abort(self) -> None:
        """Cancel everything under way, from any thread; the client stays usable."""
        with self._lock:
            running = list(self._running)
        for token in running:
            token.cancel()

    def find_server(self, *, cancel: CancelToken | None = None, report: Report | None = None) -> str:
        """Make sure that an Alyx answers at the address, and find its API; sends no token and no password.

        Called by every other method before its first request; the answer is kept.

        Parameters
        ----------
        cancel, report : optional
            See the class.

        Returns
        -------
        str
            `url`, which a redirect to https may have changed.

        Raises
        ------
        AlyxError
            If none can be reached, or what answers is not an Alyx.
        """
        with self._operation(cancel, report) as operation:
            self._find(operation)
        return self.url

    def login(
        self, username: str, password: str, *, cancel: CancelToken | None = None, report: Report | None = None
    ) -> str:
        """Exchange user and password for a token, which the client then uses; the password is not kept.

        Parameters
        ----------
        username, password : str
            What the user has on Alyx. Where one is empty nothing is sent.
        cancel, report : optional
            See the class.

        Returns
        -------
        str
            The token. Alyx gives the same one each time, until it is revoked.

        Raises
        ------
        LoginRejectedError
            If the server refuses them.
        AlyxError
            Whatever else goes wrong.
        Cancelled
            If cancelled.
        """
        try:
            token = self._exchange_password(username, password, cancel, report)
        except (AlyxError, Cancelled) as error:
            # The frames of its traceback hold the password.
            failure = error.with_traceback(None)
        else:
            self._login = _Login(username, token, ThrottleGate())
            return token
        password = ""
        raise failure

    def check_token(self, *, cancel: CancelToken | None = None, report: Report | None = None) -> dict[str, Any]:
        """Ask the server whether it still knows the token: one small request.

        Parameters
        ----------
        cancel, report : optional
            See the class.

        Returns
        -------
        dict
            The user as Alyx knows it; empty where `username` is not known.

        Raises
        ------
        LoginRequiredError
            If there is no token, or it was revoked.
        ProtocolError
            If the answer is about another user.
        """
        username = self.username
        if username is None:
            self._ask("GET", "users", params={"limit": 1}, cancel=cancel, report=report)
            return {}
        user = self._ask("GET", ("users", username), cancel=cancel, report=report)
        if not isinstance(user, dict) or user.get("username") != username:
            raise ProtocolError(
                f"{self.url} answered the question for user {username} with something else.", hint="Check the address."
            )
        return user

    def _ask(
        self,
        method: str,
        endpoint: str | Sequence[str],
        *,
        params: Mapping[str, Any] | None = None,
        data: Any = None,
        success: int | None = None,
        cancel: CancelToken | None,
        report: Report | None,
        server_time: ServerTime | None = None,
    ) -> Any:
        path = endpoint_path(endpoint)
        body = None if method in {"GET", "DELETE"} else json_body(data, path, self.url)
        wire = Wire(method, path, checked_params(params), body, "application/json" if body else None, success=success)
        with self._operation(cancel, report, server_time) as operation:
            who = self._authenticated()
            operation.report(Progress(method.lower(), 0, 1, f"Asking {self.url} for {path}."))
            answer = self._call(operation, who, wire)
            operation.report(Progress(method.lower(), 1, 1))
            return answer

    def _authenticated(self) -> _Login:
        who = self._login
        if who.token is None:
            raise LoginRequiredError(f"There is no token for {self.url}.", hint="Log in with user and password.")
        return who

    def _call(self, operation: Operation, who: _Login, wire: Wire, root: str | None = None) -> Any:
        address, found = self._find(operation)
        return self._caller.call(operation, address, root or found, wire, token=who.token, gate=who.gate)

    def _exchange_password(
        self, username: str, password: str, cancel: CancelToken | None, report: Report | None
    ) -> str:
        for name, value in (("user name", username), ("password", password)):
            if not isinstance(value, str) or not value.strip():
                raise ConfigurationError(
                    f"The {name} for {self.url} is empty.",
                    hint="Type both, user and password.",
                    setting="username" if name == "user name" else "password",
                )
        try:
            body = urlencode({"username": username, "password": password}).encode("ascii")
        except UnicodeEncodeError:
            body = b""
        if not body:  # raised out here, because that error holds the password
            raise ConfigurationError(
                f"User or password for {self.url} is not valid text.", hint="Type both again.", setting="password"
            )
        wire = Wire("POST", "auth-token", (), body, "application/x-www-form-urlencoded")
        with self._operation(cancel, report) as operation:
            address, root = self._find(operation)
            operation.report(Progress("login", 0, 1, f"Logging in to {self.url} as {username}."))
            answer = self._caller.call(operation, address, root, wire, password=password)
            operation.report(Progress("login", 1, 1))
        token = answer.get("token") if isinstance(answer, dict) else None
        if not isinstance(token, str) or not is_token(token):
            raise ProtocolError(
                f"{self.url} accepted the login but sent no usable token.",
                hint="Check the address; if it is right, tell whoever runs the server.",
            )
        return token

    def _find(self, operation: Operation) -> tuple[Address, str]:
        address, root = self._server
        if root is None:
            operation.report(Progress("connect", 0, 1, f"Looking for Alyx at {self.url}."))
            address, root = find_api(self._caller, operation, address)
            self._server = (address, root)
            operation.report(Progress("connect", 1, 1))
        return address, root

    @contextmanager
    def _operation(
        self,
        cancel: CancelToken | None,
        report: Report | None,
        server_time: ServerTime | None = None,
        limit_s: float | None = None,
    ) -> Iterator[Operation]:
        if self._closed:
            raise ConfigurationError(f"This client of {self.url} is closed.", hint="Make a new one.", setting="client")
        token = CancelToken(parent=cancel)
        with self._lock:
            self._running.add(token)
        try:
            token.raise_if_cancelled()
            yield Operation(token, Deadline(limit_s or self._timeouts.operation), report or _no_report, server_time)
        finally:
            token.detach()
            with self._lock:
                self._running.discard(token)


def _no_report(progress: Progress) -> None:
    pass
