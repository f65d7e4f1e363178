"""The details of many records: one request each, several at once; what arrived is kept whatever happens."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from alyx_connector.address import last_part
from alyx_connector.errors import AlyxError, CertificateError, LoginRequiredError, ServerFaultError, TransportError
from alyx_connector.http.parallel import gather
from alyx_connector.http.retry import RETRIED_STATUSES
from alyx_connector.progress import Estimate, Progress, only_waits

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from alyx_connector.http.client import AlyxClient
    from alyx_connector.http.parallel import Job
    from alyx_connector.progress import CancelToken, Report

__all__ = ["WORKERS", "Fetched", "detail_route", "fetch_details", "is_unreachable"]

#: Requests at once.
WORKERS = 8
#: After so many requests in a row that found no server, the rest is not asked for.
_LOST_AFTER = 8
NOT_ASKED = "Not fetched: the search was stopped before. Search again for the rest."


def detail_route(endpoint: str, row: Mapping[str, Any]) -> tuple[str, str] | None:
    """Say where the details of a row are.

    Returns: endpoint and name, as `AlyxClient.get` takes them; None if the row does not say by what it is known.
    """
    url = row.get("url")
    name = last_part(url) if isinstance(url, str) else row.get("id")
    return (endpoint, str(name)) if name else None


@dataclass(frozen=True)
class Fetched:
    """What came of some details."""

    #: For each route its details, or why there are none.
    found: list[dict[str, Any] | str]
    #: Why it ended before all were asked for; empty if it did not.
    reason: str
    #: Whether the token was revoked meanwhile.
    logged_out: bool
    #: Those for which the server could not be reached, by their place.
    unreachable: frozenset[int]
    #: What the user stopped it with, a `Cancelled` or a KeyboardInterrupt; None if nobody did.
    stopped: BaseException | None


@dataclass(frozen=True)
class _Answer:
    place: int
    body: Any


def is_unreachable(error: Any) -> bool:
    """Tell whether an error says that the server, or its network, is away: what is kept may stand in for it.

    Returns: False for a certificate that was refused, which may be another server's.
    """
    if isinstance(error, TransportError):
        return not isinstance(error, CertificateError)
    return isinstance(error, ServerFaultError) and error.status in RETRIED_STATUSES


def fetch_details(
    client: AlyxClient,
    routes: Sequence[tuple[str, str]],
    *,
    what: str,
    first_guess_s: float,
    cancel: CancelToken,
    report: Report,
    take: Callable[[int, dict[str, Any]], None],
) -> Fetched:
    """Fetch details.

    ``client``: asks for them; it waits where the server throttles.
    ``first_guess_s``: how long a request may take, in seconds, before any was seen.
    ``cancel``: stops it; so does Ctrl-C. What arrived is kept.
    ``report``: takes the progress, on the thread that called: at once, and after each of them.
    ``take``: takes place and details of each as it arrives, on the thread that called.
    """
    total = len(routes)
    estimate = Estimate(total, workers=WORKERS, first_guess_s=first_guess_s)
    sentence = f"Details of {what} from {client.url}."
    taken: set[int] = set()
    done = lost = 0
    fatal = ""
    logged_out = False

    def keep(outcome: Any) -> None:
        if isinstance(outcome, _Answer) and isinstance(outcome.body, dict) and outcome.place not in taken:
            take(outcome.place, outcome.body)
            taken.add(outcome.place)

    def arrived(outcome: Any) -> bool:
        nonlocal done, lost, fatal, logged_out
        done += 1
        keep(outcome)
        lost = lost + 1 if isinstance(outcome, TransportError) else 0
        if isinstance(outcome, LoginRequiredError):
            fatal, logged_out = outcome.message, True
        elif lost >= _LOST_AFTER:
            fatal = str(outcome)
        report(Progress("details", done, total, sentence, estimate.left(done)))
        return not fatal

    report(Progress("details", 0, total, sentence, estimate.left(0)))
    jobs = [_job(client, place, route) for place, route in enumerate(routes)]
    gathered = gather(jobs, workers=WORKERS, cancel=cancel, report=report, arrived=arrived)
    for outcome in gathered.outcomes:
        keep(outcome)  # those that arrived after a stop
    reason = (fatal or "the search was stopped") if gathered.stopped is not None else ""
    missing = f"Not fetched: {fatal}" if fatal else NOT_ASKED
    away = frozenset(
        place
        for place, outcome in enumerate(gathered.outcomes)
        if is_unreachable(outcome) or (outcome is None and lost >= _LOST_AFTER)
    )
    return Fetched(
        [_details(outcome, client.url, missing) for outcome in gathered.outcomes],
        reason,
        logged_out,
        away,
        None if fatal else gathered.stopped,
    )


def _job(client: AlyxClient, place: int, route: tuple[str, str]) -> Job:
    def ask(cancel: CancelToken, report: Report) -> Any:
        return _Answer(place, client.get(route, cancel=cancel, report=only_waits(report)))

    return ask


def _details(outcome: Any, url: str, missing: str) -> dict[str, Any] | str:
    if isinstance(outcome, AlyxError):
        return str(outcome)
    if not isinstance(outcome, _Answer):
        return missing
    body = outcome.body
    return body if isinstance(body, dict) else f"{url} answered with {type(body).__name__}, not with a record."
