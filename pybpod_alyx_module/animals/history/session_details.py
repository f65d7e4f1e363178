"""What lists of sessions do not say: the protocol, the trials and the users, a request a session."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from alyx_connector.search.fetch_details import fetch_details

if TYPE_CHECKING:
    from collections.abc import Sequence

    from alyx_connector.http.client import AlyxClient
    from alyx_connector.progress import CancelToken, Report

__all__ = ["SessionDetails", "fetch_session_details"]

#: Seconds that a request may take before any was seen.
_FIRST_GUESS_S = 0.1


@dataclass(frozen=True)
class SessionDetails:
    """What a session's own page says."""

    #: Alyx id.
    id: str
    #: Empty where it names none.
    task_protocol: str
    #: None where it does not say.
    trials: int | None
    correct: int | None
    users: tuple[str, ...]


def fetch_session_details(
    client: AlyxClient, session_ids: Sequence[str], *, cancel: CancelToken, report: Report
) -> tuple[dict[str, SessionDetails], str]:
    """Ask for the details of some sessions, several at once.

    Returns: by id, and why some are missing, empty if none is.
    """
    found: dict[str, SessionDetails] = {}

    def take(place: int, details: dict[str, Any]) -> None:
        found[session_ids[place]] = _read(session_ids[place], details)

    fetched = fetch_details(
        client,
        [("sessions", one) for one in session_ids],
        what="sessions",
        first_guess_s=_FIRST_GUESS_S,
        cancel=cancel,
        report=report,
        take=take,
    )
    if fetched.stopped is not None:
        raise fetched.stopped
    return found, next((reason for reason in fetched.found if isinstance(reason, str)), "")


def _read(session_id: str, details: dict[str, Any]) -> SessionDetails:
    users = details.get("users")
    return SessionDetails(
        session_id,
        str(details.get("task_protocol") or ""),
        _count(details.get("n_trials")),
        _count(details.get("n_correct_trials")),
        tuple(str(user) for user in users) if isinstance(users, list) else (),
    )


def _count(value: Any) -> int | None:
    return value if isinstance(value, int) and not isinstance(value, bool) else None
