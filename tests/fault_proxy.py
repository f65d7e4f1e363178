"""A proxy that stands before a real Alyx server and does to requests what networks do.

It listens on a free port of this machine and forwards every request, until a fault is set::

    with FaultProxy(sandbox.url) as proxy:
        proxy.fault("drop", path="/subjects")              # the next GET, POST, … of /subjects finds its line cut
        proxy.fault("answer", status=429, headers={"Retry-After": "0"}, times=3)
        client = AlyxClient(proxy.url)

Faults, each for the next ``times`` requests that match ``method`` and ``path`` (a request meets one fault at most, the
first set that matches):

========== =================================================== =========================================
name       what happens                                        options
========== =================================================== =========================================
drop       the connection is closed, the server is not asked
drop-after the server is asked, then the connection is closed
truncate   the server's answer ends after some bytes           keep: bytes of the body (default: half)
mute       nothing is answered until `release` or `close`
hold       as mute, then the request is forwarded
answer     the proxy answers itself                            status, headers, body (bytes, text or JSON)
alter      the server's JSON is changed on its way back        change: takes the JSON, returns another
delay      the request is forwarded later                      seconds
late       the connection is closed, and the request is        seconds
           forwarded later all the same
repeat     the last answer to such a method is given once
           more, the server is not asked
========== =================================================== =========================================

`choose` sets a function that names the fault of each request that meets none of these. `before` sets a function that is
called before a request is forwarded, for example to change rows between two pages. `misdate` makes the ``Date`` of what
is forwarded a wrong one.
`requests` holds every request that arrived, in order. Unknown names and options are refused.
"""

from __future__ import annotations

import datetime as dt
import http.client
import json
import socket
import threading
import time
from dataclasses import dataclass
from email.utils import format_datetime, parsedate_to_datetime
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import TYPE_CHECKING, Any
from urllib.parse import parse_qs, urlsplit

if TYPE_CHECKING:
    from collections.abc import Callable
    from types import TracebackType

#: Options of each fault.
FAULTS: dict[str, frozenset[str]] = {
    "drop": frozenset(),
    "drop-after": frozenset(),
    "truncate": frozenset({"keep"}),
    "mute": frozenset(),
    "hold": frozenset(),
    "answer": frozenset({"status", "headers", "body"}),
    "alter": frozenset({"change"}),
    "delay": frozenset({"seconds"}),
    "late": frozenset({"seconds"}),
    "repeat": frozenset(),
}
#: Headers that belong to one connection and are not forwarded.
HOP_BY_HOP = frozenset({"connection", "keep-alive", "transfer-encoding", "content-length"})
WAIT_S = 30


@dataclass(frozen=True)
class Seen:
    """A request that arrived at the proxy."""

    method: str
    #: Path without the query.
    path: str
    #: Parameters of the query, each with all of its values.
    query: dict[str, list[str]]
    #: Headers, names in lower case.
    headers: dict[str, str]
    body: bytes


@dataclass
class _Fault:
    name: str
    times: int
    method: str | None
    path: str | None
    options: dict[str, Any]

    def meets(self, seen: Seen) -> bool:
        return self.times > 0 and self.method in {None, seen.method} and self.path in {None, seen.path}


class FaultProxy:
    """The proxy; see the module.

    Parameters
    ----------
    target
        Address of the server behind it, for example ``http://127.0.0.1:8000``.
    """

    def __init__(self, target: str) -> None:
        parts = urlsplit(target)
        assert parts.hostname is not None
        self._target = (parts.hostname, parts.port or 80)
        self._faults: list[_Fault] = []
        self._requests: list[Seen] = []
        self._changed = threading.Condition()
        self._released = threading.Event()
        self._before: Callable[[Seen], None] | None = None
        self._choose: Callable[[Seen], tuple[str, dict[str, Any]] | None] | None = None
        self._date_ahead = dt.timedelta()
        self._under_way: dict[int, float] = {}
        self._answers: dict[str, tuple[int, list[tuple[str, str]], bytes]] = {}
        self._server = ThreadingHTTPServer(("127.0.0.1", 0), self._handler())
        self._server.daemon_threads = True
        self._thread = threading.Thread(target=self._server.serve_forever, args=(0.02,), daemon=True)
        self._thread.start()

    @property
    def url(self) -> str:
        """``http://127.0.0.1:<port>``."""
        return f"http://127.0.0.1:{self._server.server_port}"

    @property
    def requests(self) -> list[Seen]:
        """Every request that arrived, in order."""
        with self._changed:
            return list(self._requests)

    def count(self, method: str | None = None, path: str | None = None) -> int:
        """How many such requests arrived."""
        return len([seen for seen in self.requests if method in {None, seen.method} and path in {None, seen.path}])

    def forget_requests(self) -> None:
        """Count from 0 again."""
        with self._changed:
            self._requests.clear()

    def fault(
        self, name: str, *, times: int = 1, method: str | None = None, path: str | None = None, **options: Any
    ) -> None:
        """Do this to the next requests that match."""
        if name not in FAULTS:
            raise ValueError(f"there is no fault {name!r}, only {', '.join(FAULTS)}")
        unknown = set(options) - FAULTS[name]
        if unknown:
            raise ValueError(f"the fault {name!r} has no option {', '.join(sorted(unknown))}")
        with self._changed:
            self._faults.append(_Fault(name, times, method, path, options))

    def before(self, callback: Callable[[Seen], None] | None) -> None:
        """Call this before each request is forwarded (None: nothing any more)."""
        self._before = callback

    def choose(self, chooser: Callable[[Seen], tuple[str, dict[str, Any]] | None] | None) -> None:
        """Ask this for the fault of each request that meets no other, None for none."""
        self._choose = chooser

    def misdate(self, ahead: dt.timedelta) -> None:
        """Date all further answers so much later than the server did."""
        self._date_ahead = ahead

    def oldest_s(self) -> float:
        """How long the oldest request that the server has not answered yet is under way, in seconds."""
        now = time.monotonic()
        with self._changed:
            return max((now - since for since in self._under_way.values()), default=0.0)

    def release(self) -> None:
        """End all that is muted or held."""
        self._released.set()

    def wait_for(self, count: int, method: str | None = None, path: str | None = None) -> None:
        """Wait until that many such requests have arrived."""
        with self._changed:
            arrived = self._changed.wait_for(lambda: self.count(method, path) >= count, timeout=WAIT_S)
        assert arrived, f"only {self.count(method, path)} of {count} requests arrived"

    def close(self) -> None:
        """Stop listening, and let go of what is muted."""
        self.release()
        self._server.shutdown()
        self._server.server_close()
        self._thread.join()

    def __enter__(self) -> FaultProxy:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def _record(self, seen: Seen) -> _Fault | None:
        with self._changed:
            self._requests.append(seen)
            self._changed.notify_all()
            for fault in self._faults:
                if fault.meets(seen):
                    fault.times -= 1
                    return fault
        chosen = self._choose(seen) if self._choose is not None else None
        return None if chosen is None else _Fault(chosen[0], 1, None, None, chosen[1])

    def _forward(self, seen: Seen, path: str, seconds: float = 0.0) -> tuple[int, list[tuple[str, str]], bytes]:
        with self._changed:
            self._under_way[id(seen)] = time.monotonic()
        try:
            if seconds:
                self._released.wait(seconds)
            answer = self._answered(seen, path)
        finally:
            with self._changed:
                del self._under_way[id(seen)]
        self._answers[seen.method] = answer
        return answer

    def _answered(self, seen: Seen, path: str) -> tuple[int, list[tuple[str, str]], bytes]:
        if self._before is not None:
            self._before(seen)
        connection = http.client.HTTPConnection(*self._target, timeout=WAIT_S)
        try:
            headers = {name: value for name, value in seen.headers.items() if name not in HOP_BY_HOP}
            connection.request(seen.method, path, seen.body or None, headers)
            response = connection.getresponse()
            body = response.read()
            kept = [(name, value) for name, value in response.getheaders() if name.lower() not in HOP_BY_HOP]
            return response.status, [self._dated(*header) for header in kept], body
        finally:
            connection.close()

    def _dated(self, name: str, value: str) -> tuple[str, str]:
        if name.lower() != "date" or not self._date_ahead:
            return name, value
        return name, format_datetime(parsedate_to_datetime(value) + self._date_ahead, usegmt=True)

    def _handler(proxy) -> type[BaseHTTPRequestHandler]:  # noqa: N805 - `self` is the handler's
        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"
            # Without it the body waits behind the head for the client's delayed acknowledgement: 40 ms an answer.
            disable_nagle_algorithm = True

            def handle_one_request(self) -> None:
                try:
                    super().handle_one_request()
                except (ConnectionError, TimeoutError):
                    self.close_connection = True  # the client went away

            def serve(self) -> None:
                parts = urlsplit(self.path)
                body = self.rfile.read(int(self.headers.get("Content-Length", 0)))
                headers = {name.lower(): value for name, value in self.headers.items()}
                seen = Seen(self.command, parts.path, parse_qs(parts.query), headers, body)
                fault = proxy._record(seen)
                name = fault.name if fault else ""
                options = fault.options if fault else {}
                if name in {"mute", "hold"}:
                    proxy._released.wait()
                if name in {"drop", "mute"}:
                    self.close_connection = True
                elif name == "answer":
                    self.answer(options.get("status", 200), dict(options.get("headers", {})), options.get("body", b""))
                elif name == "repeat" and seen.method in proxy._answers:
                    self.put(*proxy._answers[seen.method], None)
                else:
                    path = parts._replace(scheme="", netloc="").geturl()
                    if name == "late":
                        self.close_connection = True
                        self.connection.shutdown(socket.SHUT_RDWR)
                    status, kept, content = proxy._forward(seen, path, options.get("seconds", 0.0))
                    if name == "late":
                        return
                    if name == "drop-after":
                        self.close_connection = True
                        return
                    if name == "alter":
                        content = json.dumps(options["change"](json.loads(content))).encode()
                    self.put(
                        status, kept, content, options.get("keep", len(content) // 2) if name == "truncate" else None
                    )

            def answer(self, status: int, headers: dict[str, str], body: Any) -> None:
                if not isinstance(body, bytes | str):
                    body = json.dumps(body)
                    headers.setdefault("Content-Type", "application/json")
                content = body.encode() if isinstance(body, str) else body
                self.put(status, list(headers.items()), content, None)

            def put(self, status: int, headers: list[tuple[str, str]], content: bytes, keep: int | None) -> None:
                self.send_response_only(status)
                for name, value in headers:
                    self.send_header(name, value)
                if status not in {204, 304}:
                    self.send_header("Content-Length", str(len(content)))
                self.end_headers()
                self.wfile.write(content if keep is None else content[:keep])
                if keep is not None:
                    self.close_connection = True

            do_GET = do_POST = do_PATCH = do_PUT = do_DELETE = do_HEAD = do_OPTIONS = serve  # noqa: N815

            def log_message(self, *_: Any) -> None:
                pass

        return Handler
