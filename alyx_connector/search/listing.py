"""The rows of a search: the lists of its requests, merged."""

from __future__ import annotations

import time
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from alyx_connector.errors import AlyxError, ProtocolError
from alyx_connector.frames.tables import identity
from alyx_connector.http.parallel import gather
from alyx_connector.progress import Estimate, Progress, only_waits
from alyx_connector.search.fetch_details import WORKERS

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from alyx_connector.http.client import AlyxClient
    from alyx_connector.http.parallel import Job
    from alyx_connector.progress import CancelToken, Report

__all__ = ["Listed", "count_rows", "list_rows"]

#: Rows of a page, the most that Alyx gives.
PAGE_ROWS = 1000


@dataclass(frozen=True)
class Listed:
    """What a search found."""

    #: The rows, each once, in the server's order, each with an ``id``.
    rows: list[dict[str, Any]]
    #: How long a request took, in seconds.
    took_s: float
    #: What was counted meanwhile.
    counted: int = 0


def _in_order(endpoint: str, rows: list[dict[str, Any]]) -> list[dict[str, Any]]:
    # Merge the rows of several requests into the order in which the server lists: sessions come newest first, those
    # without a time before them, subjects by nickname. Others stay request by request.
    if endpoint == "sessions":
        return sorted(rows, key=lambda row: (row.get("start_time") is None, row.get("start_time") or ""), reverse=True)
    return sorted(rows, key=lambda row: str(row.get("nickname"))) if endpoint == "subjects" else rows


def list_rows(
    client: AlyxClient,
    endpoint: str,
    requests: Sequence[Mapping[str, str]],
    *,
    limit: int | None = None,
    count: tuple[str, Sequence[Mapping[str, str]]] = ("", ()),
    cancel: CancelToken,
    report: Report,
) -> Listed:
    """List the rows that any of some requests returns.

    ``limit``: how many rows are enough, the first ones; None: all of them.
    ``count``: another list, and requests whose rows are to be counted meanwhile.
    """
    began = time.monotonic()

    def read(params: Mapping[str, str], stop: CancelToken, tell: Report) -> list[dict[str, Any]]:
        if limit is None:
            return client.list(endpoint, params, cancel=stop, report=tell)
        return _first_rows(client, endpoint, params, limit, stop, tell)

    if len(requests) == 1 and not count[1]:
        lists, counts = [read(requests[0], cancel, report)], []
    else:
        # Of several lists at once none tells how far all of them are: they are counted instead.
        several = len(requests) > 1
        jobs = [_job(read, params, silent=several) for params in requests]
        jobs += [_count(client, count[0], params) for params in count[1]]
        found = _all_of(jobs, cancel, report, counted=several)
        lists, counts = found[: len(requests)], found[len(requests) :]
    took_s = (time.monotonic() - began) / max(1, len(requests))
    rows: dict[str, dict[str, Any]] = {}
    for listed in lists:
        for row in listed:
            name = identity(row)
            key = name if row.get("id") or row.get("url") else repr(row)
            rows.setdefault(str(key), row if "id" in row else {"id": name, **row})
    merged = list(rows.values())
    ordered = _in_order(endpoint, merged) if len(lists) > 1 else merged
    return Listed(ordered[:limit], took_s, sum(counts))


def count_rows(
    client: AlyxClient, endpoint: str, requests: Sequence[Mapping[str, str]], *, cancel: CancelToken, report: Report
) -> int:
    """Say how many rows some requests would list together, at the price of one row each."""
    jobs = [_count(client, endpoint, params) for params in requests]
    return jobs[0](cancel, report) if len(jobs) == 1 else sum(_all_of(jobs, cancel, report, counted=False))


def _count(client: AlyxClient, endpoint: str, params: Mapping[str, str]) -> Job:
    def count(stop: CancelToken, tell: Report) -> int:
        answer = client.get(endpoint, {**params, "limit": "1"}, cancel=stop, report=only_waits(tell))
        return int(answer.get("count", 0)) if isinstance(answer, dict) else 0

    return count


def _first_rows(
    client: AlyxClient,
    endpoint: str,
    params: Mapping[str, str],
    limit: int,
    cancel: CancelToken,
    report: Report,
) -> list[dict[str, Any]]:
    rows: list[dict[str, Any]] = []
    while len(rows) < limit:
        page = {**params, "limit": str(min(PAGE_ROWS, limit - len(rows))), "offset": str(len(rows))}
        answer = client.get(endpoint, page, cancel=cancel, report=only_waits(report))
        found = answer.get("results") if isinstance(answer, dict) else answer
        if not isinstance(found, list):
            raise ProtocolError(f"{client.url} answered {endpoint} with something else than a list.", hint="Try again.")
        rows += found
        if not found or not isinstance(answer, dict) or len(rows) >= answer.get("count", 0):
            break
        report(Progress("list", len(rows), min(limit, answer.get("count", limit))))
    return rows


def _job(
    read: Callable[[Mapping[str, str], CancelToken, Report], Any], params: Mapping[str, str], *, silent: bool
) -> Job:
    return lambda stop, tell: read(params, stop, only_waits(tell) if silent else tell)


def _all_of(jobs: Sequence[Job], cancel: CancelToken, report: Report, *, counted: bool) -> list[Any]:
    estimate = Estimate(len(jobs), workers=WORKERS)
    done = 0

    def arrived(outcome: Any) -> bool:
        nonlocal done
        done += 1
        if counted:
            report(Progress("list", done, len(jobs), left_s=estimate.left(done)))
        return not isinstance(outcome, AlyxError)

    gathered = gather(jobs, workers=WORKERS, cancel=cancel, report=report, arrived=arrived)
    for outcome in gathered.outcomes:
        if isinstance(outcome, AlyxError):
            raise outcome
    if gathered.stopped is not None:
        raise gathered.stopped
    return gathered.outcomes
