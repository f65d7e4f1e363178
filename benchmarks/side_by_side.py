"""The jobs of `benchmarks.jobs`, side by side: answers compared first; then lines of code, requests and seconds."""

from __future__ import annotations

import ast
import contextlib
import inspect
import itertools
import json
import os
import textwrap
import warnings
from datetime import datetime, timedelta, timezone
from functools import partial
from typing import TYPE_CHECKING, Any

import pandas as pd
from requests.adapters import HTTPAdapter

from alyx_connector import AlyxWarning
from benchmarks.contenders import new_client, new_connector, new_one
from benchmarks.jobs import CHANGED, KEPT, OURS, Job, find_lab, jobs_of, month
from benchmarks.rounds import alternate

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence
    from pathlib import Path

    from requests import PreparedRequest, Response

    from alyx_connector import AlyxClient
    from benchmarks.contenders import Server
    from benchmarks.jobs import Lab

__all__ = ["add_training", "lines_of_code", "measure_jobs"]

#: How many of the sessions change before those are searched for that changed.
FEW = 5
#: Animals that are trained in the sandbox, and on how many days.
TRAINED, TRAINED_DAYS = 20, 5


class _Hand:
    """One contender at one job, at one server."""

    def __init__(self, job: Job, name: str, lab: Lab, server: Server, home: Path) -> None:
        self._job, self._ours, self._lab, self._server, self._home = job, name == OURS, lab, server, home
        self._work = job.hands[name]
        self._client: Any = None

    def begin(self) -> None:
        """Log in: with nothing cached, or once and with a first search where the job is to search again."""
        if self._client is not None and (self._job.before or not self._ours):
            return  # ONE keeps nothing that it is not told to keep
        self.close()
        if self._ours:
            self._client = new_connector(self._server, self._home)
        else:
            self._client = new_one(self._server, self._home, keep=self._job.before == KEPT)
        if self._job.before and (self._ours or self._job.before == KEPT):
            (month if self._ours else self._work)(self._client, self._lab)

    def work(self) -> pd.DataFrame:
        """Do the job."""
        with warnings.catch_warnings():
            if self._job.before == KEPT:
                warnings.simplefilter("ignore", AlyxWarning)  # how old it is
            return self._work(self._client, self._lab)

    def close(self) -> None:
        """Let go of what is open."""
        if self._ours and self._client is not None:
            self._client.close()


def measure_jobs(
    name: str, server: Server, home: Path, rounds: int, numbers: Sequence[int], of_month: str, *, write: bool
) -> None:
    """Print a table for each job.

    ``numbers``: of animals whose weights are asked for. ``write``: whether sessions may change, and change back.
    """
    with new_client(server) as client:
        lab = find_lab(client, of_month)
        load = ", ".join(f"{load:.1f}" for load in os.getloadavg()) if hasattr(os, "getloadavg") else "unknown"
        print(f"\nJobs, server {name}; load of this machine before: {load}", flush=True)
        for job in jobs_of(lab, numbers):
            if job.before == CHANGED and not write:
                print(f"\n{job.title}\n  left out: sessions of this server change only with --write")
                continue
            with _changing(client, lab) if job.before == CHANGED else contextlib.nullcontext() as change:
                _measure(job, lab, server, home, rounds, change)


def _measure(job: Job, lab: Lab, server: Server, home: Path, rounds: int, change: Callable[[], None] | None) -> None:
    hands = {name: _Hand(job, name, lab, server, home) for name in job.hands}
    print(f"\n{job.title}", flush=True)
    with contextlib.ExitStack() as stack:
        for hand in hands.values():
            stack.callback(hand.close)
            hand.begin()
        if change is not None:
            change()
        requests: dict[str, int] = {}
        answers: dict[str, list[str]] = {}
        for name, hand in hands.items():
            with _counting() as sent:
                try:
                    answers[name] = answer(hand.work(), job.compared)
                except Exception as error:  # of whatever kind: it is told, and there is no row of it
                    if name == OURS:
                        raise
                    print(f"  {name} is not comparable, it fails: {type(error).__name__}: {str(error)[:100]}")
            requests[name] = len(sent)
        ours = answers[OURS]
        if not ours:
            print("  nothing found: nothing to compare")
            return
        for name, theirs in answers.items():
            if theirs != ours:
                more, less = len(set(theirs) - set(ours)), len(set(ours) - set(theirs))
                print(f"  {name} is not comparable: {len(theirs)} rows, {more} not in ours; {less} of ours not in them")

        def before(name: str) -> None:
            hands[name].begin()
            if change is not None:
                change()

        same = {name: hands[name].work for name, theirs in answers.items() if theirs == ours}
        timings = alternate(same, rounds, len(ours), before)
    print(f"{'':36}{'lines':>8}{'requests':>10}{'best':>9}{'median':>9}{'best / ours':>14}{'median / ours':>15}")
    for name, timing in timings.items():
        base = timings[OURS]
        ratios = f"{timing.best / base.best:14.2f}{timing.median / base.median:15.2f}"
        counts = f"{lines_of_code(job.hands[name]):8}{requests[name]:10}"
        print(f"{name:36}{counts}{timing.best:9.3f}{timing.median:9.3f}{ratios}", flush=True)


@contextlib.contextmanager
def _counting() -> Iterator[list[str]]:
    """Give a list of the requests that this process sends: all contenders send through requests."""
    sent: list[str] = []
    send = HTTPAdapter.send

    def counted(self: HTTPAdapter, request: PreparedRequest, *args: Any, **options: Any) -> Response:
        sent.append(f"{request.method} {request.url}")
        return send(self, request, *args, **options)

    HTTPAdapter.send = counted  # type: ignore[method-assign]
    try:
        yield sent
    finally:
        HTTPAdapter.send = send  # type: ignore[method-assign]


def answer(frame: pd.DataFrame, columns: Sequence[str]) -> list[str]:
    """Return what a frame holds in these columns, a text for each row, whatever the order and the dtypes."""
    if frame.empty:
        return []
    rows = zip(*(frame[column] for column in columns), strict=True)
    return sorted(json.dumps([_plain(value) for value in row], sort_keys=True) for row in rows)


def _plain(value: Any) -> Any:
    if isinstance(value, str) and value.startswith("{"):
        return json.loads(value)  # an object that the server keeps as text: Connector reads it
    if isinstance(value, dict | list):
        return value
    if pd.isna(value):
        return None
    if isinstance(value, datetime):
        return value.isoformat()
    return value if isinstance(value, str) else round(float(value), 6)


def lines_of_code(function: Callable[..., Any]) -> int:
    """Count the lines of a function's body that hold code."""
    source = textwrap.dedent(inspect.getsource(function.func if isinstance(function, partial) else function))
    defined = next(node for node in ast.parse(source).body if isinstance(node, ast.FunctionDef))
    statements = defined.body[1:] if ast.get_docstring(defined) else defined.body
    lines = [line.strip() for line in source.splitlines()[statements[0].lineno - 1 :]]
    return len([line for line in lines if line and not line.startswith("#")])


@contextlib.contextmanager
def _changing(client: AlyxClient, lab: Lab) -> Iterator[Callable[[], None]]:
    """Give what changes the narrative of a few sessions of the month; at the end they are as before."""
    rows = client.list("sessions", {"lab": lab.name, "date_range": ",".join(lab.month)})[:FEW]
    narratives = {row["id"]: client.get(("sessions", row["id"]))["narrative"] for row in rows}
    numbers = itertools.count(1)

    def change() -> None:
        number = next(numbers)
        for one, narrative in narratives.items():
            client.patch(("sessions", one), {"narrative": f"{narrative} (change {number})"})

    try:
        yield change
    finally:
        for one, narrative in narratives.items():
            client.patch(("sessions", one), {"narrative": narrative})


def add_training(client: AlyxClient) -> None:
    """Add sessions on the days on which made-up animals get water: the sandbox's own end long before."""
    today = datetime.now(timezone.utc).date()
    for row in client.list("subjects", {"water_restricted": "True"})[:TRAINED]:
        for day in range(1, TRAINED_DAYS + 1):
            start = f"{today - timedelta(days=day)}T15:00:00"
            client.post("sessions", {"subject": row["nickname"], "lab": row["lab"], "start_time": start, "number": 1})
