"""The one animal that is meant: by its id, its nickname, or the name that the server itself has for it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from alyx_connector.errors import ConfigurationError
from alyx_connector.ids import canonical_id, is_id
from alyx_connector.remedy import Remedy, RemedyKind
from alyx_connector.schema.dialect import Dialect

if TYPE_CHECKING:
    from alyx_connector.http.client import AlyxClient

__all__ = ["find_subject", "refuse_namesakes", "subject_filters"]


def subject_filters(subject: str, dialect: Dialect) -> list[dict[str, str]]:
    """Return the filters of ``/subjects`` that find an animal; the next one counts where nothing has the one before."""
    if is_id(subject):
        return [{"id": str(canonical_id(subject))}]
    return [{name: subject} for name in dict.fromkeys((Dialect.subject_key, dialect.subject_key))]


def find_subject(client: AlyxClient, subject: str, dialect: Dialect, *, by_nickname: bool = False) -> dict[str, Any]:
    """Find an animal; an error if there is none, or if the server cannot tell it from another.

    ``by_nickname``: whether the server is to be told its nickname, as in sessions, and not its own name for it.
    """
    rows: list[dict[str, Any]] = []
    for wanted in subject_filters(subject, dialect) if subject.strip() else ():
        asked = {"django": f"pk,{wanted['id']}"} if "id" in wanted else wanted
        rows = rows or client.list("subjects", asked)
    if not rows:
        raise ConfigurationError(
            f"There is no subject {subject!r} at {client.url} that you may see.",
            hint=Remedy(RemedyKind.LIST_SUBJECTS),
            setting="subject",
        )
    if len(rows) > 1 and dialect.subject_key != Dialect.subject_key and not by_nickname:
        names = sorted(dialect.subject_name(row) for row in rows)
        raise ConfigurationError(
            f"Several animals of {client.url} are called {subject}: {', '.join(names)}.",
            hint="Give one of these names, or an id.",
            setting="subject",
        )
    if by_nickname or dialect.subject_key == Dialect.subject_key:
        refuse_namesakes(client, str(rows[0]["nickname"]))
    return rows[0]


def refuse_namesakes(client: AlyxClient, nickname: str) -> None:
    """Refuse a nickname that several animals have, where the server is to be told that and nothing else."""
    rows = client.list("subjects", {"nickname": nickname})
    if len(rows) > 1:
        labs = ", ".join(sorted(str(row.get("lab")) for row in rows))
        raise ConfigurationError(
            f"Several animals are called {nickname} (labs: {labs}), and {client.url} cannot tell them apart.",
            hint="Give them different nicknames on Alyx.",
            setting="subject",
        )
