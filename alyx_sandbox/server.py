"""Serving: one listening socket, one or more processes, a clean stop."""

from __future__ import annotations

import _thread
import logging
import os
import signal
import socket
import threading
import time
from collections.abc import Callable, Iterable
from typing import TYPE_CHECKING, Any
from urllib.parse import quote

import waitress
from django.core.wsgi import get_wsgi_application
from django.urls import get_resolver

if TYPE_CHECKING:
    from types import FrameType


HOST = "127.0.0.1"
#: Requests that one process answers at a time.
THREADS = 16
#: Seconds after which processes look again whether the others are there.
POLL = 0.25
#: Longest request line, as of the server that Alyx runs on.
MAX_REQUEST_LINE = 4094

Application = Callable[[dict[str, Any], Callable[..., Any]], Iterable[bytes]]


def listen(port: int) -> socket.socket:
    """Return a socket that listens on this machine only.

    Parameters
    ----------
    port
        0: any free one.

    Returns
    -------
    socket.socket
        It listens.

    Raises
    ------
    OSError
        The port is taken, or not for this user; the message names it.
    """
    listening = socket.socket(socket.AF_INET, socket.SOCK_STREAM)
    if os.name == "posix":
        listening.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        listening.bind((HOST, port))
        listening.listen(1024)
    except OSError as error:
        listening.close()
        reason = f"port {port} of {HOST} cannot be used ({error.strerror}): name another with --port, 0 takes any"
        raise OSError(error.errno, reason) from error
    return listening


def serve(listening: socket.socket, workers: int, latency: float, stop: StopSignal, ready: Callable[[], None]) -> None:
    """Answer requests until this process is told to stop.

    Parameters
    ----------
    listening
        What `listen` returned.
    workers
        Processes that answer, besides this one; where processes cannot fork, this one answers.
    latency
        Seconds that each request takes at least.
    stop
        Tells when.
    ready
        Called once, when requests are answered.

    Raises
    ------
    RuntimeError
        A worker ended by itself.
    """
    logging.getLogger("waitress").setLevel(logging.ERROR)
    get_resolver().url_patterns  # noqa: B018 - imports all routes now, not at the first request
    application = _with_line_limit(_with_latency(get_wsgi_application(), latency))
    if os.name != "posix":
        ready()
        _answer(application, listening)
        return
    children: list[int] = []
    try:
        for _ in range(workers):
            _fork(application, listening, children)
        ready()
        while not stop.requested:
            # Not os.wait(): a signal that comes just before it would only be seen after it.
            time.sleep(POLL)
            child, status = os.waitpid(-1, os.WNOHANG)
            if child:
                children.remove(child)
                raise RuntimeError(f"a worker of the sandbox ended by itself (status {status}); start it again")
    finally:
        for child in children:
            os.kill(child, signal.SIGTERM)
        for child in children:
            os.waitpid(child, 0)


def _answer(application: Application, listening: socket.socket) -> None:
    waitress.serve(application, sockets=[listening], threads=THREADS, _quiet=True)


def _fork(application: Application, listening: socket.socket, children: list[int]) -> None:
    parent = os.getpid()
    # No signal before the child has its own way with them and the parent knows the child.
    signal.pthread_sigmask(signal.SIG_BLOCK, STOP_SIGNALS)
    child = os.fork()
    if child:
        children.append(child)
        signal.pthread_sigmask(signal.SIG_UNBLOCK, STOP_SIGNALS)
        return
    try:
        # A worker has nothing to clean up. Ctrl+C reaches it too, but its parent ends it.
        signal.signal(signal.SIGTERM, signal.SIG_DFL)
        signal.signal(signal.SIGINT, signal.SIG_IGN)
        signal.pthread_sigmask(signal.SIG_UNBLOCK, STOP_SIGNALS)
        threading.Thread(target=_end_without, args=(parent,), daemon=True).start()
        _answer(application, listening)
    finally:
        os._exit(1)


def _end_without(parent: int) -> None:
    while os.getppid() == parent:
        time.sleep(POLL)
    os._exit(0)


def _with_latency(application: Application, latency: float) -> Application:
    if not latency:
        return application

    def slow(environ: dict[str, Any], start_response: Callable[..., Any]) -> Iterable[bytes]:
        time.sleep(latency)
        return application(environ, start_response)

    return slow


def _with_line_limit(application: Application) -> Application:
    def limited(environ: dict[str, Any], start_response: Callable[..., Any]) -> Iterable[bytes]:
        target = quote(environ["PATH_INFO"], encoding="latin-1") + "?" * bool(environ["QUERY_STRING"])
        line = f"{environ['REQUEST_METHOD']} {target}{environ['QUERY_STRING']} {environ['SERVER_PROTOCOL']}"
        if len(line) <= MAX_REQUEST_LINE:
            return application(environ, start_response)
        reason = f"Request Line is too large ({len(line)} &gt; {MAX_REQUEST_LINE})"
        page = f"<html><head><title>URI Too Long</title></head><body><h1>URI Too Long</h1>{reason}</body></html>"
        start_response("414 URI Too Long", [("Content-Type", "text/html"), ("Content-Length", str(len(page)))])
        return [page.encode("ascii")]

    return limited


STOP_SIGNALS = (signal.SIGTERM, signal.SIGINT)


class StopSignal:
    """Whether this process was told to stop, by SIGTERM or SIGINT.

    The exception that a signal raises can come where Python drops it, as in a finalizer: `requested` stays true.
    """

    def __init__(self) -> None:
        self.requested = False
        for number in STOP_SIGNALS:
            signal.signal(number, self._stop)

    def _stop(self, number: int, frame: FrameType | None) -> None:
        # Once only, so that a second signal does not cut the cleaning up short.
        if not self.requested:
            self.requested = True
            raise SystemExit(0)


def stop_when_stdin_ends() -> None:
    """Stop this process when its standard input ends, as that of a child does when its parent is gone."""

    def watch() -> None:
        # Not through sys.stdin: Python aborts if a thread holds its lock at the end.
        while os.read(0, 1024):
            pass
        if os.name == "posix":
            os.kill(os.getpid(), signal.SIGTERM)
        else:
            _thread.interrupt_main()

    threading.Thread(target=watch, name="stdin", daemon=True).start()
