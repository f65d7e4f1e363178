"""Says what a search did not find, and why: names that the server lacks, and filters that exclude each other."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from alyx_connector.errors import AlyxError, CredentialsError
from alyx_connector.ids import canonical_id, is_id
from alyx_connector.nearest import did_you_mean
from alyx_connector.progress import only_waits
from alyx_connector.search.listing import count_rows
from alyx_connector.search.subject_filter import any_of, filter_of_subjects, is_quotable

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from alyx_connector.schema.description import Endpoint
    from alyx_connector.search.add_details import Work

__all__ = ["tell_what_is_missing"]


@dataclass(frozen=True)
class _Kind:
    #: What such a record is called.
    noun: str
    #: The list that holds all of them.
    endpoint: str
    #: By what they are named there.
    field: str = "name"
    #: Columns of a search that show it.
    shown_in: tuple[str, ...] = ()


_USER = _Kind("user", "users", "username", ("users", "user", "responsible_user"))
_PROJECT = _Kind("project", "projects", shown_in=("projects",))
_KINDS = {
    "lab": _Kind("lab", "labs", shown_in=("lab",)),
    "users": _USER,
    "user": _USER,
    "responsible_user": _USER,
    "projects": _PROJECT,
    "project": _PROJECT,
    "location": _Kind("location", "locations", shown_in=("location",)),
    "procedures": _Kind("procedure", "procedures", shown_in=("procedures",)),
}
_SUBJECT = _Kind("subject", "subjects", "nickname", ("subject", "nickname", "name"))
#: More names than this are not written out.
_SHOWN = 10
#: More requests than this are not sent to find out why nothing matches.
_TRIES = 12


def tell_what_is_missing(
    work: Work,
    endpoint: str,
    filters: Mapping[str, Any],
    rows: Sequence[Mapping[str, Any]],
    described: Endpoint | None,
    requests_of: Callable[[Mapping[str, Any]], list[dict[str, str]]],
) -> set[str]:
    """Tell which names that were searched for the server does not have, and why nothing was found.

    Returns: these names.
    ``filters``: as `plain_filters` returns them.
    ``rows``: what was found. Nothing is asked where all that was searched for is among them.
    ``requests_of``: makes the requests of filters.
    """
    absent: set[str] = set()
    try:
        for name, value in filters.items():
            kind = _SUBJECT if name == filter_of_subjects(endpoint) else _KINDS.get(name)
            if kind is None:
                continue
            part = described is not None and name in described.filters and described.filters[name].is_part
            lacking = _lacking(kind, value, rows, part)
            if lacking:
                absent.update(_tell_absent(work, kind, lacking, part))
        if set(filters) == {"id"}:
            _tell_ids(work, endpoint, filters["id"], rows)
        if not rows and not absent and len(filters) > 1:
            _tell_why(work, endpoint, filters, requests_of)
    except CredentialsError:
        raise
    except AlyxError as error:
        work.tell(f"Whether there is all that was searched for could not be checked: {error.message}")
    return absent


def _tell_ids(work: Work, endpoint: str, value: Any, rows: Sequence[Mapping[str, Any]]) -> None:
    found = {row.get("id") for row in rows}
    wanted = dict.fromkeys(str(canonical_id(one)) for one in (value if isinstance(value, list) else [value]))
    absent = [one for one in wanted if one not in found]
    if absent:
        work.tell(f"{len(absent)} of {len(wanted)} ids are not among {endpoint}: {_listed(absent)}.")


def _listed(names: Sequence[str]) -> str:
    more = f" and {len(names) - _SHOWN} more" if len(names) > _SHOWN else ""
    return f"{', '.join(names[:_SHOWN])}{more}"


def _lacking(kind: _Kind, value: Any, rows: Sequence[Mapping[str, Any]], part: bool) -> list[str]:
    # Those that no row shows; rows that do not show it match all the same where there is but one.
    several = value if isinstance(value, list) else [value]
    wanted = list(dict.fromkeys(str(one) for one in several))
    if kind is _USER:
        wanted = list(dict.fromkeys(name.strip() for one in wanted for name in one.split(",")))
    wanted = [one for one in wanted if one.strip() and not one.startswith("~") and (kind is _SUBJECT or not is_id(one))]
    if rows and len(several) == 1:
        return []
    shown = {text for row in rows for column in kind.shown_in for text in _texts(row.get(column))}
    return [one for one in wanted if not any(_shows(text, one.casefold(), part) for text in shown)]


def _texts(value: Any) -> list[str]:
    return [str(one).casefold() for one in (value if isinstance(value, list) else [value]) if one is not None]


def _shows(text: str, wanted: str, part: bool) -> bool:
    # A row may name an animal with its lab.
    return wanted in text if part else text == wanted or text.endswith(f"__{wanted}")


def _tell_absent(work: Work, kind: _Kind, lacking: Sequence[str], part: bool) -> list[str]:
    known = _subjects(work, lacking) if kind is _SUBJECT else _names(work, kind)
    folded = [name.casefold() for name in known]

    def is_there(wanted: str) -> bool:
        return any(wanted in name if part else wanted == name for name in folded)

    absent = [one for one in lacking if not is_there(one.casefold())]
    if not absent:
        return []
    near = _nicknames(work) if kind is _SUBJECT and not all(map(is_id, absent)) else known
    url = work.client.url
    if len(absent) == 1:
        named = f"with {absent[0]} in its name" if part else ("with the id " if is_id(absent[0]) else "") + absent[0]
        work.tell(f"There is no {kind.noun} {named} at {url} that you may see.{did_you_mean(absent[0], near)}")
        return absent
    guesses = [f" {one}:{guess}" for one in absent[:_SHOWN] if (guess := did_you_mean(one, near))]
    work.tell(
        f"{len(absent)} {kind.noun}s are not at {url}, or you may not see them: {_listed(absent)}.{''.join(guesses)}"
    )
    return absent


def _names(work: Work, kind: _Kind) -> list[str]:
    rows = work.client.list(kind.endpoint, cancel=work.cancel, report=only_waits(work.report))
    return [str(row.get(kind.field)) for row in rows]


def _subjects(work: Work, wanted: Sequence[str]) -> list[str]:
    # Of the wanted ones those that there are, by a count where that is enough.
    report = only_waits(work.report)
    known: list[str] = []
    ids = {str(canonical_id(one)): one for one in wanted if is_id(one)}
    names = {one: one for one in wanted if not is_id(one)}
    for field, several in (("pk", ids), ("nickname", names)):
        asked = [{"django": lookup} for lookup in any_of(field, filter(is_quotable, several))]
        asked += [{"nickname": name} for name in several if not is_quotable(name)]
        if count_rows(work.client, "subjects", asked, cancel=work.cancel, report=report) == len(several):
            known += several.values()
            continue
        for one in asked:
            for row in work.client.list("subjects", one, cancel=work.cancel, report=report):
                known += [ids.get(str(row.get("id")), ""), str(row.get("nickname")), str(row.get("name"))]
    return known


def _nicknames(work: Work) -> list[str]:
    # Of all animals in one request: users say whom they are responsible for.
    users = work.client.list("users", cancel=work.cancel, report=only_waits(work.report))
    names = [str(name) for user in users for name in user.get("subjects_responsible") or ()]
    return list(dict.fromkeys(name.rpartition("__")[2] if name.count("__") else name for name in names))


def _tell_why(
    work: Work,
    endpoint: str,
    filters: Mapping[str, Any],
    requests_of: Callable[[Mapping[str, Any]], list[dict[str, str]]],
) -> None:
    left_out = {name: requests_of({other: filters[other] for other in filters if other != name}) for name in filters}
    if sum(map(len, left_out.values())) > _TRIES:
        return

    report = only_waits(work.report)
    matches = {
        name: count_rows(work.client, endpoint, requests, cancel=work.cancel, report=report)
        for name, requests in left_out.items()
    }
    would = [f"without {name} there are {count}" for name, count in matches.items() if count]
    reason = f": {', '.join(would)}" if would else ", nor if one of them is left out"
    work.tell(f"No {endpoint} match all of these filters together{reason}.")
