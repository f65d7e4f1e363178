"""``python -m benchmarks.connector``: measure `Connector` beside ONE-api and a bare fetch; see README.md."""

from __future__ import annotations

import argparse
import datetime as dt
import getpass
import os
import platform
import sys
from importlib.metadata import version
from typing import TYPE_CHECKING, Any

from benchmarks.contenders import (
    PAGE_SIZE,
    Server,
    bare_list,
    empty_home,
    new_bare_session,
    new_client,
    new_connector,
    new_one,
    search,
)
from benchmarks.memory import CONTENDERS, peak_bytes
from benchmarks.rounds import Timing, alternate
from benchmarks.side_by_side import add_training, measure_jobs
from pybpod_alyx_module.demo.sandbox import SandboxServer
from tests.fault_proxy import FaultProxy

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

#: Made-up sessions begin on this day, one an hour, dealt out to the subjects in turn.
FIRST_DAY = dt.date(2024, 1, 1)
SUBJECTS = 12
SUBJECT = "syn0001"
PARTS = ("list", "details", "repeat", "jobs", "memory")

OURS = "Connector.search(details=False)"
CLIENT = "AlyxClient.list"
ONE = "ONE-api, its own pages (250 rows)"
ONE_LARGE = f"ONE-api, limit={PAGE_SIZE}"
BARE = "bare concurrent fetch"


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the benchmarks and print their tables.

    ``arguments``: the words after the program's name; default: those of this process.
    """
    options = _options(arguments)
    packages = ", ".join(f"{name} {version(name)}" for name in ("ONE-api", "pandas", "requests"))
    print(f"{os.cpu_count()} cores, {platform.system()}, Python {platform.python_version()}, {packages}")
    print("Seconds of the wall clock, and of this process on the processor (cpu); the server runs on the same cores.")
    servers = {
        f"{options.latency} ms away": ["--latency", str(options.latency)],
    }
    if options.workers:
        servers[f"with {options.workers} workers"] = ["--workers", str(options.workers)]
    if options.url:
        given = Server(options.url.rstrip("/"), options.user, options.password or getpass.getpass())
        with empty_home() as home:
            _jobs(options.url, given, home, options, write=options.write)
        return 0
    timed = {"list": _list, "details": _details, "repeat": _repeat}
    for name, words in servers.items():
        wanted = [part for part in timed if part in options.parts]
        if wanted:
            with _sandbox(options.sessions, *words) as sandbox, empty_home() as home:
                for part in wanted:
                    timed[part](name, _server_of(sandbox), home, options)
        if "jobs" in options.parts:
            with _sandbox(options.sessions, *words, subjects=max(options.animals)) as sandbox, empty_home() as home:
                with new_client(_server_of(sandbox)) as client:
                    add_training(client)
                _jobs(name, _server_of(sandbox), home, options, write=True)
    if "repeat" in options.parts:
        # As Alyx ships: so many requests of one user in a minute.
        throttled = ("--latency", str(options.latency), "--throttle", options.throttle)
        with _sandbox(options.sessions, *throttled) as sandbox, empty_home() as home:
            name = f"{options.latency} ms away, {options.throttle}"
            _repeat(name, _server_of(sandbox), home, argparse.Namespace(rounds=1))
    if "memory" in options.parts:
        with _sandbox(options.rows, "--workers", str(options.workers or 1)) as sandbox:
            _memory(_server_of(sandbox))
    return 0


def _options(arguments: Sequence[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.connector", description="See benchmarks/README.md.")
    parser.add_argument("parts", nargs="*", metavar="PART", help=f"what to measure: {', '.join(PARTS)} (default: all)")
    parser.add_argument("--rounds", type=int, default=5, metavar="N", help="how often each is measured (default: 5)")
    parser.add_argument("--sessions", type=int, default=12_000, metavar="N", help="sessions listed (default: 12000)")
    parser.add_argument("--details", type=int, default=300, metavar="N", help="sessions with details (default: 300)")
    parser.add_argument(
        "--animals",
        type=lambda text: [int(number) for number in text.split(",")],
        default=[10, 50, 264],
        metavar="N,N",
        help="animals whose weights are asked for at once (default: 10,50,264)",
    )
    parser.add_argument("--month", default="2024-01", metavar="YYYY-MM", help="of the jobs (default: 2024-01)")
    parser.add_argument("--url", default="", metavar="ADDRESS", help="the jobs at this server instead of a sandbox")
    parser.add_argument("--user", default="", metavar="NAME", help="user there")
    parser.add_argument("--password", default="", metavar="TEXT", help="of the user (left out: asked for)")
    parser.add_argument("--write", action="store_true", help="let a few sessions there change, and change back")
    parser.add_argument("--rows", type=int, default=100_000, metavar="N", help="rows in memory (default: 100000)")
    parser.add_argument("--latency", type=int, default=40, metavar="MS", help="of the server far away (default: 40)")
    parser.add_argument("--workers", type=int, default=2, metavar="N", help="of the other server (default: 2; 0: none)")
    parser.add_argument(
        "--throttle", default="550/minute", metavar="RATE", help="of the repeat at a server that throttles as Alyx does"
    )
    found = parser.parse_args(arguments)
    unknown = set(found.parts) - set(PARTS)
    if unknown:
        parser.error(f"there is no part {', '.join(sorted(unknown))}, only {', '.join(PARTS)}")
    if found.url and (not found.user or set(found.parts) - {"jobs"}):
        parser.error("a server that is given needs --user, and is asked for the jobs only")
    found.parts = found.parts or PARTS
    return found


def _sandbox(sessions: int, *words: str, subjects: int = SUBJECTS) -> SandboxServer:
    made_up = ("--subjects", str(subjects), "--sessions", str(sessions))
    return SandboxServer("--throttle", "off", *made_up, *words)


def _server_of(sandbox: SandboxServer) -> Server:
    return Server(sandbox.url, sandbox.username, sandbox.password)


def _list(name: str, server: Server, home: Path, options: argparse.Namespace) -> None:
    connector, one, session = new_connector(server, home), new_one(server, home), new_bare_session(server)
    with new_client(server) as client:
        count = len(client.list("sessions"))
        timings = alternate(
            {
                OURS: lambda: search(connector, details=False),
                CLIENT: lambda: client.list("sessions"),
                ONE: lambda: list(one.rest("sessions", "list")),
                ONE_LARGE: lambda: list(one.rest("sessions", "list", limit=PAGE_SIZE)),
                BARE: lambda: bare_list(session, server),
            },
            options.rounds,
            count,
        )
    connector.close()
    _print_table(f"List {count} sessions, server {name}", timings, OURS)
    _print_aim("as fast as ONE-api", timings[ONE].best / timings[OURS].best, at_least=1.6)
    _print_aim("times a bare fetch", timings[OURS].best / timings[BARE].best, at_most=1.1)


def _details(name: str, server: Server, home: Path, options: argparse.Namespace) -> None:
    # A subject has a session each SUBJECTS hours.
    last = FIRST_DAY + dt.timedelta(days=options.details * SUBJECTS // 24 - 1)
    days = (FIRST_DAY.isoformat(), last.isoformat())
    one = new_one(server, home)
    ours = iter([new_connector(server, home) for _ in range(options.rounds)])

    def with_connector() -> Any:
        with_details = search(next(ours), subject=SUBJECT, date_range=days)
        if with_details.detail_error.notna().any():
            raise RuntimeError(with_details.detail_error.dropna().iloc[0])
        return with_details

    def with_one() -> list[Any]:
        listed = one.rest("sessions", "list", subject=SUBJECT, date_range=list(days))
        return [one.rest("sessions", "read", id=row["id"]) for row in listed]

    contenders = {"Connector.search()": with_connector, "ONE-api, one by one": with_one}
    timings = alternate(contenders, options.rounds, options.details)
    _print_table(f"Details of {options.details} sessions, nothing cached, server {name}", timings, "Connector.search()")


def _repeat(name: str, server: Server, home: Path, options: argparse.Namespace) -> None:
    first, again = Timing(), Timing()
    for _ in range(options.rounds):
        connector = new_connector(server, home)
        found = first.measure(lambda connector=connector: search(connector, subject=SUBJECT))
        repeated = again.measure(lambda connector=connector: search(connector, subject=SUBJECT))
        connector.close()
        if not found.equals(repeated):
            raise RuntimeError("the repeat found something else")
    # Counted for itself, so that the proxy takes no time of the others.
    with FaultProxy(server.url) as proxy:
        connector = new_connector(Server(proxy.url, server.username, server.password), home)
        search(connector, subject=SUBJECT)
        asked_first = proxy.count()
        search(connector, subject=SUBJECT)
        asked_again = proxy.count() - asked_first
        connector.close()
    title = f"The repeat of a search for {len(found)} sessions with details, server {name}"
    _print_table(title, {"first": first, "again": again}, "again")
    _print_aim("times as fast", first.best / again.best, at_least=50)
    _print_aim("requests", asked_again, at_most=3)


def _jobs(name: str, server: Server, home: Path, options: argparse.Namespace, *, write: bool) -> None:
    measure_jobs(name, server, home, options.rounds, options.animals, options.month, write=write)


def _memory(server: Server) -> None:
    if sys.platform != "linux":
        print("\nMemory is measured on Linux only.")
        return
    measured = {name: peak_bytes(name, server) for name in CONTENDERS}
    rows = {count for count, _, _ in measured.values()}
    raw = measured["the raw rows"][1]
    print(f"\nMemory of {rows.pop()} rows of the list of sessions")
    print(f"{'':36}{'peak MB':>10}{'held MB':>10}{'peak / raw rows':>18}")
    for name, (_, peak, held) in measured.items():
        print(f"{name:36}{peak / 1e6:10.1f}{held / 1e6:10.1f}{peak / raw:18.2f}")


def _print_table(title: str, timings: dict[str, Timing], ours: str) -> None:
    print(f"\n{title}")
    print(f"{'':36}{'best':>8}{'median':>8}{'cpu':>8}{'best / ours':>14}{'median / ours':>15}")
    base = timings[ours]
    for name, timing in timings.items():
        ratios = f"{timing.best / base.best:14.2f}{timing.median / base.median:15.2f}"
        print(f"{name:36}{timing.best:8.3f}{timing.median:8.3f}{min(timing.processor):8.3f}{ratios}", flush=True)


def _print_aim(what: str, value: float, *, at_least: float | None = None, at_most: float | None = None) -> None:
    met = value >= at_least if at_least is not None else at_most is not None and value <= at_most
    bound = f"at least {at_least:g}" if at_least is not None else f"at most {at_most:g}"
    print(f"  {'met' if met else 'missed'}: {value:.2f} {what} (aim: {bound})", flush=True)


if __name__ == "__main__":
    sys.exit(main())
