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
from typing import Any
from urllib.parse import quote

import waitress
from django.core.wsgi import get_wsgi_application
from django.urls import get_resolver

HOST = "127.0.0.1"
#: Requests that one process answers at a time.
THREADS = 16
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


def serve(listening: socket.socket, workers: int, latency: float, ready: Callable[[], None]) -> None:
    """Answer requests until SystemExit or KeyboardInterrupt is raised, as signals do.

    Parameters
    ----------
    listening
        What `listen` returned.
    workers
        Processes that answer; more than one only where processes can fork.
    latency
        Seconds that each request takes at least.
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
    if workers == 1:
        ready()
        waitress.serve(application, sockets=[listening], threads=THREADS, _quiet=True)
        return
    children = [_fork(application, listening) for _ in range(workers)]
    try:
        ready()
        while True:
            child, status = os.wait()
            children.remove(child)
            raise RuntimeError(f"a worker of the sandbox ended by itself (status {status}); start the sandbox again")
    finally:
        for child in children:
            os.kill(child, signal.SIGTERM)
        for child in children:
            os.waitpid(child, 0)


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


def _fork(application: Application, listening: socket.socket) -> int:
    parent = os.getpid()
    child = os.fork()
    if child:
        return child
    code = 1
    try:
        signal.signal(signal.SIGINT, signal.SIG_IGN)
        threading.Thread(target=_end_without, args=(parent,), daemon=True).start()
        waitress.serve(application, sockets=[listening], threads=THREADS, _quiet=True)
        code = 0
    except SystemExit:
        code = 0
    finally:
        os._exit(code)
    raise AssertionError("unreachable")


def _end_without(parent: int) -> None:
    while os.getppid() == parent:
        time.sleep(1)
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
