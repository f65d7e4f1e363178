"""`AlyxClient`: log in to an Alyx server, list completely, read and write."""

from __future__ import annotations

import threading
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any
from urllib.parse import unquote, urlencode

from alyx_connector.address import parse_address
from alyx_connector.errors import AlyxError, ConfigurationError, LoginRequiredError, ProtocolError
from alyx_connector.http.arguments import (
    Timeouts,
    checked_params,
    checked_token,
    deletable,
    endpoint_path,
    is_token,
    json_body,
    user_agent_of,
)
from alyx_connector.http.calls import Caller, Operation
from alyx_connector.http.discovery import find_api
from alyx_connector.http.pages import list_completely
from alyx_connector.http.retry import Deadline
from alyx_connector.http.throttle import ThrottleGate
from alyx_connector.http.transport import Transport, Wire
from alyx_connector.progress import Cancelled, CancelToken, Progress
from alyx_connector.remedy import Remedy, RemedyKind

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence
    from types import TracebackType

    from alyx_connector.address import Address
    from alyx_connector.http.server_time import ServerTime
    from alyx_connector.progress import Report

__all__ = ["AlyxClient", "Timeouts"]


@dataclass(frozen=True)
class _Login:
    # Who talks to the server; replaced as a whole, so that threads never see half of it.
    username: str | None
    token: str | None = field(repr=False)
    gate: ThrottleGate


class AlyxClient:
    """Client of one Alyx server, for one user at a time; may be used by several threads.

    Every method that asks the server takes ``cancel``, a `CancelToken` that ends it at once by raising `Cancelled`,
    and ``report``, a function that takes `Progress` on the thread that called. A GET is sent again after a dropped
    connection and after 502, 503 and 504, a few times; every request is sent again after a 429, when its
    ``Retry-After`` is over. A POST or PATCH is never sent again once any of it may have arrived.

    A redirect is followed only within the same scheme, host and port, and a POST only where it stays a POST (307,
    308). One exception: while the API is being looked for, before any token or password is sent, a redirect from http
    to https on the same host is taken over for good, and `url` then begins with https.

    Parameters
    ----------
    address : str
        Server, as people type it; see `parse_address`.
    username : str, optional
        Whom the token belongs to.
    token : str, optional
        Token of an earlier login. Without one, call `login`.
    timeouts : Timeouts, optional
        Limits, in seconds.
    concurrency : int
        How many requests may be under way at once.
    program : str
        Name of the program, for the User-Agent; may bring its version: ``"rig/1.2"``.

    Raises
    ------
    ConfigurationError
        If an argument is unusable. Nothing is sent before the first method is called.
    """

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
        """Whether there is a token; whether the server still takes it, `check_token` tells."""
        return self._login.token is not None and not self._closed

    def __repr__(self) -> str:
        """Return server and user, never the token."""  # noqa: DOC201
        return f"<AlyxClient {self.url} as {self.username or 'nobody'}>"

    def __enter__(self) -> AlyxClient:
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

    def get(
        self,
        endpoint: str | Sequence[str],
        params: Mapping[str, Any] | None = None,
        *,
        cancel: CancelToken | None = None,
        report: Report | None = None,
        server_time: ServerTime | None = None,
    ) -> Any:
        """Read one record, or one page of a list.

        Parameters
        ----------
        endpoint : str or sequence of str
            ``"subjects"`` or ``"subjects/ea04"``; as a sequence, ``("subjects", nickname)``, any name is safe.
        params : mapping, optional
            Filters. An empty one is refused: the server would ignore it and return everything.
        cancel, report : optional
            See the class.
        server_time : ServerTime, optional
            Takes note of when the answer was sent.

        Returns
        -------
        Any
            The parsed JSON.

        Raises
        ------
        AlyxError
            See `alyx_connector.errors`; `ConfigurationError` for an empty endpoint, identifier or filter.
        Cancelled
            If cancelled.
        """
        return self._ask("GET", endpoint, params=params, cancel=cancel, report=report, server_time=server_time)

    def post(
        self,
        endpoint: str | Sequence[str],
        data: Mapping[str, Any] | Sequence[Any],
        *,
        success: int | None = None,
        cancel: CancelToken | None = None,
        report: Report | None = None,
    ) -> Any:
        """Create a record. Nothing on the server stops a second identical one: see ``maybe_processed`` of errors.

        Parameters
        ----------
        endpoint : str or sequence of str
            See `get`.
        data : mapping or sequence
            The record, sent as JSON.
        success : int, optional
            The only status that is a success: 201 where a record is created. Any from 200 to 299 if left out.
        cancel, report : optional
            See the class. A cancelled request may have been carried out.

        Returns
        -------
        Any
            The record as the server stored it.

        Raises
        ------
        AlyxError
            See `alyx_connector.errors`; `ProtocolError` for another success than the one named.
        Cancelled
            If cancelled.
        """
        return self._ask("POST", endpoint, data=data, success=success, cancel=cancel, report=report)

    def patch(
        self,
        endpoint: str | Sequence[str],
        data: Mapping[str, Any],
        *,
        cancel: CancelToken | None = None,
        report: Report | None = None,
    ) -> Any:
        """Change fields of a record.

        Parameters
        ----------
        endpoint : str or sequence of str
            See `get`.
        data : mapping
            The fields to change, sent as JSON.
        cancel, report : optional
            See the class. A cancelled request may have been carried out.

        Returns
        -------
        Any
            The record as the server stored it.

        Raises
        ------
        AlyxError
            See `alyx_connector.errors`.
        Cancelled
            If cancelled.
        """
        return self._ask("PATCH", endpoint, data=data, cancel=cancel, report=report)

    def delete(
        self, endpoint: Sequence[str], *, cancel: CancelToken | None = None, report: Report | None = None
    ) -> None:
        """Delete one record that this program made by mistake. Never a subject: that would take all of its data along.

        Parameters
        ----------
        endpoint : sequence of str
            Route and id, for example ``("weighings", "<uuid>")``: sessions, weighings and water administrations only.
        cancel, report : optional
            See the class. A cancelled request may have been carried out.

        Raises
        ------
        ConfigurationError
            If it is anything else than one such record.
        NotFoundError
            If there is no such record, perhaps any more.
        AlyxError
            Whatever else goes wrong; see `alyx_connector.errors`.
        Cancelled
            If cancelled.
        """
        self._ask("DELETE", deletable(endpoint), cancel=cancel, report=report)

    def list(
        self,
        endpoint: str | Sequence[str],
        params: Mapping[str, Any] | None = None,
        *,
        page_size: int = 1000,
        cancel: CancelToken | None = None,
        report: Report | None = None,
        server_time: ServerTime | None = None,
    ) -> list[dict[str, Any]]:
        """List an endpoint completely, over all of its pages, several at a time.

        Parameters
        ----------
        endpoint : str or sequence of str
            See `get`.
        params : mapping, optional
            Filters, see `get`; ``limit`` and ``offset`` are ours.
        page_size : int
            Rows to ask for at once, from 2; Alyx gives at most 1000.
        cancel, report : optional
            See the class.
        server_time : ServerTime, optional
            Takes note of when the pages were sent.

        Returns
        -------
        list of dict
            Every row once, in the server's order; empty if there is none.

        Raises
        ------
        ConfigurationError
            If an argument is unusable.
        ProtocolError
            If the list changed each time that it was read, or is no list.
        AlyxError
            Whatever else goes wrong; see `alyx_connector.errors`.
        Cancelled
            If cancelled.
        """
        path = endpoint_path(endpoint)
        filters = checked_params(params)
        if any(name in {"limit", "offset"} for name, _ in filters):
            raise ConfigurationError(
                "limit and offset are not filters of a complete list.",
                hint=Remedy(RemedyKind.LIST_COMPLETELY),
                setting="params",
            )
        if type(page_size) is not int or page_size < 2:
            raise ConfigurationError(
                f"The page size must be a whole number from 2, not {page_size!r}.",
                hint="Leave it out for the usual 1000.",
                setting="page_size",
            )
        with self._operation(cancel, report, server_time) as operation:
            who = self._authenticated()

            def fetch(offset: int, limit: int, stop: CancelToken, tell: Report) -> Any:
                page = [*filters, ("limit", str(limit)), ("offset", str(offset))]
                body = self._call(operation.within(stop, tell), who, Wire("GET", path, page))
                operation.deadline.renew()
                return body

            return list_completely(
                fetch,
                what=f"{unquote(path)} at {self.url}",
                page_size=page_size,
                workers=self._concurrency,
                cancel=operation.cancel,
                report=operation.report,
            )

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

    def _call(self, operation: Operation, who: _Login, wire: Wire) -> Any:
        address, root = self._find(operation)
        return self._caller.call(operation, address, root, wire, token=who.token, gate=who.gate)

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
                hint="Check the address; if it is right, tell who runs the server.",
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
        self, cancel: CancelToken | None, report: Report | None, server_time: ServerTime | None = None
    ) -> Iterator[Operation]:
        if self._closed:
            raise ConfigurationError(f"This client of {self.url} is closed.", hint="Make a new one.", setting="client")
        token = CancelToken(parent=cancel)
        with self._lock:
            self._running.add(token)
        try:
            token.raise_if_cancelled()
            yield Operation(token, Deadline(self._timeouts.operation), report or _no_report, server_time)
        finally:
            token.detach()
            with self._lock:
                self._running.discard(token)


def _no_report(progress: Progress) -> None:
    pass
