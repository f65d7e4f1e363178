"""What animals weighed and drank, and should have, day by day: a request an animal, several at once."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from alyx_connector.errors import AlyxError, CredentialsError, ProtocolError, ServerFaultError
from alyx_connector.http.parallel import gather
from alyx_connector.http.retry import RETRIED_STATUSES
from alyx_connector.progress import Estimate, Progress, only_waits
from alyx_connector.remedy import Remedy, RemedyKind
from alyx_connector.search.fetch_details import WORKERS

if TYPE_CHECKING:
    from collections.abc import Mapping

    from alyx_connector.http.client import AlyxClient
    from alyx_connector.http.parallel import Job
    from alyx_connector.progress import CancelToken, Report

__all__ = ["fetch_requirements"]

#: After so many refusals, and no answer, the rest is not asked for: the server cannot tell.
_GIVEN_UP_AFTER = 3


def fetch_requirements(
    client: AlyxClient, days: Mapping[str, tuple[str, str]], *, cancel: CancelToken, report: Report
) -> dict[str, dict[str, Any] | AlyxError]:
    """Ask for the water requirement of some animals.

    Returns: for each its answer, which has ``records``, or why there is none; without those that were not asked for
    because the server refused all others.
    ``days``: first and last day, by the name of the animal.
    ``report``: takes the progress, on the thread that called: at once, and after each of them.
    """
    refused = answered = 0
    estimate = Estimate(len(days), workers=WORKERS)

    def count() -> None:
        done = refused + answered
        animals = "one animal" if len(days) == 1 else f"{len(days)} animals"
        sentence = f"Water requirement of {animals} from {client.url}."
        report(Progress("details", done, len(days), sentence, estimate.left(done)))

    def ask(name: str, first: str, last: str) -> Job:
        route, params = ("water-requirement", name), {"start_date": first, "end_date": last}
        return lambda stop, tell: client.get(route, params, cancel=stop, report=only_waits(tell))

    def arrived(outcome: Any) -> bool:
        nonlocal refused, answered
        if isinstance(outcome, CredentialsError):
            raise outcome
        refused += isinstance(outcome, AlyxError)
        answered += not isinstance(outcome, AlyxError)
        count()
        return answered > 0 or refused < _GIVEN_UP_AFTER

    count()
    jobs = [ask(name, first, last) for name, (first, last) in days.items()]
    gathered = gather(jobs, workers=WORKERS, cancel=cancel, report=report, arrived=arrived)
    if gathered.stopped is not None and (answered or refused < _GIVEN_UP_AFTER):
        raise gathered.stopped
    return {
        name: _checked(outcome, client.url, name)
        for name, outcome in zip(days, gathered.outcomes, strict=True)
        if outcome is not None
    }


def _checked(answer: Any, url: str, name: str) -> dict[str, Any] | AlyxError:
    if isinstance(answer, ServerFaultError) and answer.status not in RETRIED_STATUSES:
        return ServerFaultError(
            f"{url} does not tell what {name} weighed and drank day by day: it fails with water-requirement.",
            hint=Remedy(RemedyKind.ASK_SUBJECT, values=(name,)),
            status=answer.status,
            endpoint=answer.endpoint,
            detail=answer.detail,
        )
    if isinstance(answer, AlyxError):
        return answer
    if not isinstance(answer, dict) or not isinstance(answer.get("records"), list):
        return ProtocolError(f"{url} answered water-requirement without records.", hint="Try again.")
    return answer
