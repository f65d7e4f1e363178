"""A search from its filters to its rows: the lists, merged, and the details of each row."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Any

from alyx_connector.details import WORKERS, detail_route, fetch_details
from alyx_connector.errors import AlyxError
from alyx_connector.filters import is_many
from alyx_connector.layouts import DETAIL_ERROR
from alyx_connector.parallel import gather
from alyx_connector.tables import identity

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from alyx_connector.client import AlyxClient
    from alyx_connector.parallel import Job
    from alyx_connector.progress import CancelToken, Report
    from alyx_connector.tables import Tell

__all__ = ["add_details", "list_rows", "tell_namesakes"]


def _in_order(endpoint: str, rows: list[dict[str, Any]]) -> list[dict[str, Any]]:
    # Merge the rows of several requests into the order in which the server lists: sessions come newest first, those
    # without a time before them, subjects by nickname. Others stay request by request.
    if endpoint == "sessions":
        return sorted(rows, key=lambda row: (row.get("start_time") is None, row.get("start_time") or ""), reverse=True)
    return sorted(rows, key=lambda row: str(row.get("nickname"))) if endpoint == "subjects" else rows


def list_rows(
    client: AlyxClient, endpoint: str, requests: Sequence[Mapping[str, str]], *, cancel: CancelToken, report: Report
) -> tuple[list[dict[str, Any]], float]:
    """List the rows that any of some requests returns.

    Parameters
    ----------
    client : AlyxClient
        Asks for them.
    endpoint : str
        What to list.
    requests : sequence of mapping
        Filters of each request.
    cancel : CancelToken
        Stops it.
    report : callable
        Takes the progress.

    Returns
    -------
    list of dict
        The rows, each once, in the server's order, each with an ``id``.
    float
        How long a request took, in seconds.

    Raises
    ------
    AlyxError
        If one of the requests fails: a list is complete, or an error.
    """
    began = time.monotonic()
    if len(requests) == 1:
        lists = [client.list(endpoint, requests[0], cancel=cancel, report=report)]
    else:
        lists = _several(client, endpoint, requests, cancel, report)
    took_s = (time.monotonic() - began) / max(1, len(requests))
    rows: dict[str, dict[str, Any]] = {}
    for listed in lists:
        for row in listed:
            name = identity(row)
            key = name if row.get("id") or row.get("url") else repr(row)
            rows.setdefault(str(key), {"id": name, **row})
    merged = list(rows.values())
    return _in_order(endpoint, merged) if len(lists) > 1 else merged, took_s


def _several(
    client: AlyxClient, endpoint: str, requests: Sequence[Mapping[str, str]], cancel: CancelToken, report: Report
) -> list[list[dict[str, Any]]]:
    def job(params: Mapping[str, str]) -> Job:
        return lambda stop, tell: client.list(endpoint, params, cancel=stop, report=tell)

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


def add_details(
    client: AlyxClient,
    endpoint: str,
    rows: Sequence[dict[str, Any]],
    *,
    first_guess_s: float,
    login_hint: str,
    cancel: CancelToken,
    report: Report,
    tell: Tell,
) -> list[dict[str, Any]]:
    """Add to each row what only its details tell.

    Parameters
    ----------
    client : AlyxClient
        Asks for them.
    endpoint : str
        Whose rows they are.
    rows : sequence of dict
        The rows.
    first_guess_s : float
        How long a request may take, in seconds.
    login_hint : str
        What to do where the token was revoked meanwhile.
    cancel : CancelToken
        Stops it; so does Ctrl-C. What arrived is kept.
    report : callable
        Takes the progress.
    tell : callable
        Takes a sentence if some have no details.

    Returns
    -------
    list of dict
        The rows with all of their fields; those without details say why in ``detail_error``.
    """
    routes = [detail_route(endpoint, row) for row in rows]
    known = [(place, route) for place, route in enumerate(routes) if route is not None]
    what = f"{len(known)} {endpoint}"
    found, reason = fetch_details(
        client,
        [route for _, route in known],
        what=what,
        first_guess_s=first_guess_s,
        login_hint=login_hint,
        cancel=cancel,
        report=report,
    )
    detailed = [{**row, DETAIL_ERROR.name: "The list does not say where its details are."} for row in rows]
    for (place, _), details in zip(known, found, strict=True):
        if isinstance(details, str):
            detailed[place][DETAIL_ERROR.name] = details
        else:
            # What the list says stays as it is.
            detailed[place] = {**details, **rows[place], DETAIL_ERROR.name: None}
    without = sum(row[DETAIL_ERROR.name] is not None for row in detailed)
    if without:
        why = f": {reason.rstrip('.')}" if reason else ""
        tell(f"{without} of {len(rows)} {endpoint} have no details{why}. The column detail_error says why.")
    return detailed


def tell_namesakes(
    client: AlyxClient, rows: Sequence[Mapping[str, Any]], wanted: Any, *, cancel: CancelToken, tell: Tell
) -> None:
    """Tell where a nickname that was searched for stands for several animals.

    Parameters
    ----------
    client : AlyxClient
        Asked only where rows of several labs, or several spellings, came for one nickname.
    rows : sequence of mapping
        What was found.
    wanted : Any
        The nickname or nicknames that were searched for.
    cancel : CancelToken
        Stops it.
    tell : callable
        Takes a sentence that names them with their labs.
    """
    names = {str(name).casefold() for name in (wanted if is_many(wanted) else [wanted])}
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
            tell(f"These sessions are of several animals of one nickname: {listed}. Add lab= to tell them apart.")
