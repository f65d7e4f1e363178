"""The rows of a search: the lists of its requests, merged, and whom they are of."""

from __future__ import annotations

import time
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from alyx_connector.errors import AlyxError
from alyx_connector.frames.tables import identity
from alyx_connector.http.parallel import gather
from alyx_connector.http.server_time import ServerTime
from alyx_connector.remedy import Remedy, RemedyKind
from alyx_connector.search.fetch_details import WORKERS
from alyx_connector.warning import AlyxWarning

if TYPE_CHECKING:
    import datetime as dt
    from collections.abc import Mapping, Sequence

    from alyx_connector.http.client import AlyxClient
    from alyx_connector.http.parallel import Job
    from alyx_connector.progress import CancelToken, Report
    from alyx_connector.warning import Tell

__all__ = ["Listed", "list_rows", "tell_namesakes"]


@dataclass(frozen=True)
class Listed:
    """What a search found."""

    #: The rows, each once, in the server's order, each with an ``id``.
    rows: list[dict[str, Any]]
    #: How long a request took, in seconds.
    took_s: float
    #: They were listed then or later, by the server's clock, UTC; None if not known.
    as_of: dt.datetime | None


def _in_order(endpoint: str, rows: list[dict[str, Any]]) -> list[dict[str, Any]]:
    # Merge the rows of several requests into the order in which the server lists: sessions come newest first, those
    # without a time before them, subjects by nickname. Others stay request by request.
    if endpoint == "sessions":
        return sorted(rows, key=lambda row: (row.get("start_time") is None, row.get("start_time") or ""), reverse=True)
    return sorted(rows, key=lambda row: str(row.get("nickname"))) if endpoint == "subjects" else rows


def list_rows(
    client: AlyxClient, endpoint: str, requests: Sequence[Mapping[str, str]], *, cancel: CancelToken, report: Report
) -> Listed:
    """List the rows that any of some requests returns."""
    sent = ServerTime()
    began = time.monotonic()
    if len(requests) == 1:
        lists = [client.list(endpoint, requests[0], cancel=cancel, report=report, server_time=sent)]
    else:
        lists = _several(client, endpoint, requests, cancel, report, sent)
    took_s = (time.monotonic() - began) / max(1, len(requests))
    rows: dict[str, dict[str, Any]] = {}
    for listed in lists:
        for row in listed:
            name = identity(row)
            key = name if row.get("id") or row.get("url") else repr(row)
            rows.setdefault(str(key), row if "id" in row else {"id": name, **row})
    merged = list(rows.values())
    return Listed(_in_order(endpoint, merged) if len(lists) > 1 else merged, took_s, sent.as_of)


def _several(
    client: AlyxClient,
    endpoint: str,
    requests: Sequence[Mapping[str, str]],
    cancel: CancelToken,
    report: Report,
    sent: ServerTime,
) -> list[list[dict[str, Any]]]:
    def job(params: Mapping[str, str]) -> Job:
        return lambda stop, tell: client.list(endpoint, params, cancel=stop, report=tell, server_time=sent)

    def arrived(outcome: Any) -> bool:
        return not isinstance(outcome, AlyxError)

    jobs = [job(params) for params in requests]
    gathered = gather(jobs, workers=WORKERS, cancel=cancel, report=report, arrived=arrived)
    for outcome in gathered.outcomes:
        if isinstance(outcome, AlyxError):
            raise outcome
    if gathered.stopped is not None:
        raise gathered.stopped
    return gathered.outcomes


def tell_namesakes(
    client: AlyxClient, rows: Sequence[Mapping[str, Any]], wanted: Any, *, cancel: CancelToken, tell: Tell
) -> None:
    """Tell where a nickname that was searched for stands for several animals.

    ``wanted``: the filter of subjects, as `plain_filters` returns it.
    ``client``: asked only where rows of several labs, or several spellings, came for one nickname.
    ``tell``: takes a sentence that names them with their labs.
    """
    names = {str(name).casefold() for name in (wanted if isinstance(wanted, list) else [wanted])}
    behind: dict[str, set[tuple[str, str]]] = {}
    for row in rows:
        nickname = str(row.get("subject"))
        if nickname.casefold() in names:
            behind.setdefault(nickname.casefold(), set()).add((nickname, str(row.get("lab"))))
    for found in behind.values():
        if len(found) < 2:
            continue
        spellings = sorted({nickname for nickname, _ in found})
        subjects = [
            subject for name in spellings for subject in client.list("subjects", {"nickname": name}, cancel=cancel)
        ]
        if len(subjects) > 1:
            listed = ", ".join(sorted(f"{subject['nickname']} of {subject['lab']}" for subject in subjects))
            tell(
                AlyxWarning(
                    f"These sessions belong to several animals with the same nickname: {listed}.",
                    Remedy(RemedyKind.ADD_LAB),
                )
            )
