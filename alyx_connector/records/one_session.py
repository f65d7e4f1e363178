"""The one session that is meant: by its id, its row, or subject, day and number."""

from __future__ import annotations

import datetime as dt
import re
from textwrap import shorten
from typing import TYPE_CHECKING, Any, NamedTuple

from alyx_connector.errors import ConfigurationError, NotFoundError
from alyx_connector.ids import canonical_id, is_id
from alyx_connector.remedy import Remedy, RemedyKind
from alyx_connector.schema.dialect import Dialect
from alyx_connector.search.filters import make_requests
from alyx_connector.search.lab_times import a_day_more, on_days
from alyx_connector.zones.lab_zones import zones_of

if TYPE_CHECKING:
    from alyx_connector.http.client import AlyxClient

__all__ = ["is_reference", "session_id"]

_REFERENCE = re.compile(r"(?P<subject>.*[^/])/(?:(\d{4})-(\d\d?)-(\d\d?)|(\d{4})(\d\d)(\d\d))/(?P<number>\d{1,9})/?")


class _Reference(NamedTuple):
    subject: str
    day: str
    number: int

    def __str__(self) -> str:
        return f"{self.subject}/{self.day}/{self.number:03}"


def is_reference(session: Any) -> bool:
    """Tell whether a session is named by subject, day and number: ``ea04/2024-01-01/001``."""
    return isinstance(session, str) and _read(session) is not None


def session_id(client: AlyxClient, session: Any, dialect: Dialect) -> str:
    """Return the id of a session; asks the server only where it is named by subject, day and number.

    ``session``: its id, its row of a search, or ``ea04/2024-01-01/001``. The subject may be an id, and what the server
    itself calls an animal.
    """
    named = session.get("id") if hasattr(session, "get") else session
    known = canonical_id(named)
    if known is not None:
        return known
    reference = _read(named) if isinstance(named, str) else None
    if reference is None:
        raise ConfigurationError(
            f"{shorten(str(named), 60, placeholder='…')!r} is not a session.",
            hint=Remedy(RemedyKind.GIVE_SESSION),
            setting="session",
        )
    rows = _rows(client, reference, dialect)
    found = {str(row["id"]): row for row in rows if row.get("number") == reference.number}
    if not found and dialect.names_sessions:
        # A session that changed may have a name of the day before.
        found = {str(row["id"]): row for row in client.list("sessions", {"name": str(reference)})}
    if not found:
        numbers = sorted(f"{row['number']:03}" for row in rows if row.get("number") is not None)
        there = f" Numbers of that day: {', '.join(numbers)}." if numbers else ""
        raise NotFoundError(
            f"There is no session {reference} at {client.url} that you may see.{there}",
            hint=Remedy(RemedyKind.LOOK, endpoint="sessions", name="subject", values=(reference.subject,)),
            endpoint="sessions",
        )
    if len(found) > 1:
        listed = ", ".join(f"{one} ({_told(row)})" for one, row in found.items())
        raise ConfigurationError(
            f"Several sessions of {client.url} are {reference}: {listed}.",
            hint=Remedy(RemedyKind.GIVE_RECORD),
            setting="session",
        )
    return next(iter(found))


def _read(text: str) -> _Reference | None:
    match = _REFERENCE.fullmatch(text.strip())
    if match is None:
        return None
    try:
        day = dt.date(*(int(part) for part in match.groups()[1:7] if part))
    except ValueError:
        return None
    return _Reference(match["subject"], day.isoformat(), int(match["number"]))


def _rows(client: AlyxClient, reference: _Reference, dialect: Dialect) -> list[dict[str, Any]]:
    # Those of that day of their lab; sessions are found by nickname, whatever else the server calls an animal by.
    if is_id(reference.subject):
        subjects: list[dict[str, Any]] = [{"django": {"subject": reference.subject}}]
    else:
        subjects = [{"subject": reference.subject}]
        if dialect.subject_key != Dialect.subject_key:
            subjects.append({"django": {f"subject__{dialect.subject_key}": reference.subject}})
    zones = zones_of(client)
    day = (reference.day, reference.day)
    others = zones.days_may_differ()
    days = {"date_range": a_day_more(day) if others else day}
    for subject in subjects:
        rows = [row for asked in make_requests({**subject, **days}) for row in client.list("sessions", asked)]
        if rows:
            return on_days(rows, day, client, zones) if others else rows
    return []


def _told(row: dict[str, Any]) -> str:
    parts = [row.get("lab"), f"begun {str(row.get('start_time')).replace('T', ' ')[:16]}"]
    return ", ".join(str(part) for part in parts if part)
