"""The one animal that is meant: by its id, its nickname, or the name that the server itself has for it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from alyx_connector.errors import ConfigurationError
from alyx_connector.ids import canonical_id, is_id
from alyx_connector.remedy import Remedy, RemedyKind
from alyx_connector.schema.dialect import Dialect
from alyx_connector.search.subject_filter import any_of, is_quotable

if TYPE_CHECKING:
    from collections.abc import Iterable

    from alyx_connector.http.client import AlyxClient

__all__ = ["find_subject", "find_subjects", "refuse_namesakes", "subject_filters"]


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


def find_subjects(
    client: AlyxClient, subjects: Iterable[str], dialect: Dialect, *, by_nickname: bool = False
) -> dict[str, dict[str, Any] | ConfigurationError]:
    """Find many animals in as few requests as their names allow, and those that cannot be found so one by one.

    Returns: by what names each animal its row, or what `find_subject` has against it.
    """
    named = dict.fromkeys(subjects)
    rows: dict[str, list[dict[str, Any]]] = {}
    by_id = {str(canonical_id(one)): one for one in named if is_id(one)}
    for row in _rows(client, "pk", by_id):
        rows[by_id[str(row["id"])]] = [row]
    namesakes: dict[str, int] = {}
    for key in dict.fromkeys((Dialect.subject_key, dialect.subject_key)):
        for row in _rows(client, key, [one for one in named if one not in rows and not is_id(one)]):
            rows.setdefault(str(row[key]), []).append(row)
            if key == Dialect.subject_key:
                namesakes[str(row[key])] = len(rows[str(row[key])])
    if by_nickname or dialect.subject_key == Dialect.subject_key:
        others = {str(row["nickname"]) for found in rows.values() for row in found} - namesakes.keys()
        for row in _rows(client, Dialect.subject_key, sorted(others)):
            namesakes[str(row["nickname"])] = 1 + namesakes.get(str(row["nickname"]), 0)
    known: dict[str, dict[str, Any] | ConfigurationError] = {}
    for one in named:
        found = rows.get(one, [])
        if len(found) == 1 and namesakes.get(str(found[0]["nickname"]), 1) == 1:
            known[one] = found[0]
            continue
        try:
            known[one] = find_subject(client, one, dialect, by_nickname=by_nickname)
        except ConfigurationError as error:
            known[one] = error
    return known


def _rows(client: AlyxClient, key: str, values: Iterable[str]) -> list[dict[str, Any]]:
    lookups = any_of(key, filter(is_quotable, values))
    return [row for lookup in lookups for row in client.list("subjects", {"django": lookup})]


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
