"""One HTTP exchange that can be cancelled at once: the only module that sends with ``requests``.

An exchange runs in a thread of its own. Whoever asked for it waits for its end, for a cancel or for the deadline,
whichever comes first; an exchange that is given up has its connection shut down. What goes wrong comes back as a
`Fault`: no exception of ``requests`` gets out of here.
"""

from __future__ import annotations

import errno
import http.client
import socket
import threading
import weakref
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Final

import requests
import urllib3
from requests import exceptions as rex
from requests.adapters import HTTPAdapter
from urllib3 import exceptions as uex
from urllib3.connection import HTTPConnection, HTTPSConnection
from urllib3.connectionpool import HTTPConnectionPool, HTTPSConnectionPool

from alyx_connector.http.faults import Fault, FaultKind, fault_of
from alyx_connector.progress import Cancelled, CancelToken

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from alyx_connector.http.retry import Deadline

__all__ = ["Reply", "Transport", "Wire"]


#: More than the largest answers of Alyx, a thousand sessions with their details. Bytes.
MOST_BYTES: Final = 128 * 2**20
#: Of an answer are read at once; compressed it may become a thousand times as much.
_PIECE: Final = 65536


@dataclass(frozen=True)
class Reply:
    """A complete HTTP answer."""

    #: HTTP status.
    status: int
    #: Headers; names compare without case.
    headers: Mapping[str, str]
    #: Body, decompressed.
    body: bytes = field(repr=False)


@dataclass(frozen=True)
class Wire:
    """A request as it goes over the wire."""

    #: HTTP method.
    method: str
    #: Absolute address, without parameters.
    url: str
    #: Parameters of the address.
    params: Sequence[tuple[str, str]] = ()
    #: Body.
    body: bytes | None = field(default=None, repr=False)
    #: Content type of the body.
    content_type: str | None = None
    #: Token that authenticates the request.
    token: str | None = field(default=None, repr=False)
    #: The only status that is a success; None: any from 200 to 299.
    success: int | None = None
    #: So many bytes an answer may have at most, once they are decompressed.
    most_bytes: int = MOST_BYTES


class _Authorization(requests.auth.AuthBase):
    """Sends our token or nothing; that there is one keeps ``requests`` from taking a login out of ``~/.netrc``."""

    def __init__(self, token: str | None) -> None:
        self._token = token

    def __call__(self, request: requests.PreparedRequest) -> requests.PreparedRequest:
        if self._token is not None:
            request.headers["Authorization"] = f"Token {self._token}"
        return request


class _Exchange:
    """One request under way in its own thread, and the handle to give it up."""

    current = threading.local()

    def __init__(self) -> None:
        self.ended = threading.Event()
        self.outcome: Reply | Fault | None = None
        self.sent = False
        self._socket: socket.socket | None = None
        self._abandoned = False
        self._lock = threading.Lock()

    def on_send(self, connected: socket.socket | None) -> None:
        """Take note that bytes go out over this socket."""
        with self._lock:
            if self._abandoned:
                raise ConnectionAbortedError(errno.ECONNABORTED, "given up")
            self.sent = True
            self._socket = connected

    def abandon(self) -> None:
        """Shut the connection down, so that the thread and the server stop waiting."""
        with self._lock:
            self._abandoned = True
            connected = self._socket
        if connected is not None:
            try:
                socket.socket.shutdown(connected, socket.SHUT_RDWR)
            except OSError:
                return  # closed already


class _Tracked:
    """Tells the exchange of this thread which socket its request goes over."""

    sock: socket.socket | None

    def send(self, data: Any) -> None:
        """Send, connecting first if need be."""
        if self.sock is None:
            self.connect()  # type: ignore[attr-defined]
        _Exchange.current.exchange.on_send(self.sock)
        super().send(data)  # type: ignore[misc]


class _TrackedHTTP(_Tracked, HTTPConnection):
    pass


class _TrackedHTTPS(_Tracked, HTTPSConnection):
    pass


class _HTTPPool(HTTPConnectionPool):
    ConnectionCls = _TrackedHTTP


class _HTTPSPool(HTTPSConnectionPool):
    ConnectionCls = _TrackedHTTPS


class _Adapter(HTTPAdapter):
    """Makes connections that can be shut down from another thread."""

    def init_poolmanager(self, *args: Any, **kwargs: Any) -> None:
        super().init_poolmanager(*args, **kwargs)
        self._track(self.poolmanager)

    def proxy_manager_for(self, *args: Any, **kwargs: Any) -> urllib3.ProxyManager:
        manager: urllib3.ProxyManager = super().proxy_manager_for(*args, **kwargs)
        self._track(manager)
        return manager

    @staticmethod
    def _track(manager: urllib3.PoolManager) -> None:
        manager.pool_classes_by_scheme = {"http": _HTTPPool, "https": _HTTPSPool}


class Transport:
    """Carries requests to a server, a few at once.

    Proxies and certificate bundles are taken from the environment as ``requests`` does, but a server on this computer
    is never asked through a proxy; ``~/.netrc`` and cookies are never used, redirects never followed.

    ``user_agent``: names the program and its version to the server.
    ``connect_s``, ``read_s``: how long a connection, and each piece of the answer, may take, in seconds.
    ``concurrency``: how many requests may be under way at once.
    """

    def __init__(self, *, user_agent: str, connect_s: float, read_s: float, concurrency: int) -> None:
        self._timeout = (connect_s, read_s)
        self._slots = threading.Semaphore(concurrency)
        self._session = requests.Session()
        # urllib3 before 2 leaves the connections of who never closes to the garbage collector.
        weakref.finalize(self, self._session.close)
        self._session.headers.update({"User-Agent": user_agent, "Accept": "application/json"})
        adapter = _Adapter(pool_connections=2, pool_maxsize=concurrency, max_retries=0)
        self._session.mount("http://", adapter)
        self._session.mount("https://", adapter)

    def close(self) -> None:
        """Close the connections that are kept open."""
        self._session.close()

    def exchange(self, wire: Wire, *, direct: bool, cancel: CancelToken, deadline: Deadline) -> Reply | Fault:
        """Send a request and wait for the answer.

        ``cancel``: gives the request up at once.
        """
        while not self._slots.acquire(timeout=0.05):
            cancel.raise_if_cancelled()
            if not deadline.left():
                return Fault(FaultKind.OPERATION_TIMEOUT)
        try:
            cancel.raise_if_cancelled()
            return self._run(wire, direct, cancel, deadline)
        finally:
            self._slots.release()

    def _run(self, wire: Wire, direct: bool, cancel: CancelToken, deadline: Deadline) -> Reply | Fault:
        exchange = _Exchange()
        wake = exchange.ended
        thread = threading.Thread(
            target=self._work, args=(exchange, wire, direct), name=f"alyx-{wire.method.lower()}", daemon=True
        )
        thread.start()
        cancel.subscribe(wake.set)
        try:
            while (left := deadline.left()) and not wake.wait(left):
                pass  # the deadline may have been renewed meanwhile
        finally:
            cancel.unsubscribe(wake.set)
        if exchange.outcome is not None:
            return exchange.outcome
        exchange.abandon()
        if cancel.cancelled:
            raise Cancelled("Cancelled.")
        return Fault(FaultKind.OPERATION_TIMEOUT, sent=exchange.sent)

    def _work(self, exchange: _Exchange, wire: Wire, direct: bool) -> None:
        _Exchange.current.exchange = exchange
        try:
            exchange.outcome = self._send(wire, direct)
        except (rex.RequestException, uex.HTTPError, http.client.HTTPException, OSError, ValueError) as error:
            exchange.outcome = fault_of(error, exchange.sent)
        except Exception as error:  # noqa: BLE001 - the one who waits must hear of it, whatever it is
            exchange.outcome = Fault(FaultKind.GARBLED, type(error).__name__, exchange.sent)
        finally:
            exchange.ended.set()

    def _send(self, wire: Wire, direct: bool) -> Reply | Fault:
        headers = {"Content-Type": wire.content_type} if wire.content_type else None
        request = requests.Request(
            wire.method,
            wire.url,
            params=list(wire.params),
            data=wire.body,
            headers=headers,
            auth=_Authorization(wire.token),
        )
        prepared = self._session.prepare_request(request)
        url = prepared.url or wire.url
        # Past Session.send, which would keep cookies and prepare redirects.
        settings: dict[str, Any] = dict(self._session.merge_environment_settings(url, {}, True, None, None))
        if direct:
            settings["proxies"] = {}
        response = self._session.get_adapter(url).send(prepared, timeout=self._timeout, **settings)
        try:
            body = _read(response, wire.most_bytes)
            if body is None:
                return Fault(FaultKind.TOO_LARGE, f"more than {wire.most_bytes / 2**20:g} MiB", sent=True)
            announced = response.headers.get("Content-Length", "")
            if announced.isdecimal() and response.raw.tell() < int(announced):
                return Fault(FaultKind.TRUNCATED, f"{response.raw.tell()} of {announced} bytes", sent=True)
        finally:
            response.close()
        return Reply(response.status_code, response.headers, body)


def _read(response: requests.Response, most_bytes: int) -> bytes | None:
    # None for more than that: a few MB that are compressed may be many GB.
    pieces, size = [], 0
    for piece in response.iter_content(_PIECE):
        size += len(piece)
        if size > most_bytes:
            return None
        pieces.append(piece)
    return b"".join(pieces)
