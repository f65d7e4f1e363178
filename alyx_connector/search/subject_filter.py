"""Animals as people name them: made into lookups, many in one request; and told where several have one nickname."""

from __future__ import annotations

import re
import uuid
from typing import TYPE_CHECKING, Any
from urllib.parse import quote

from alyx_connector.ids import canonical_id, is_id
from alyx_connector.progress import only_waits
from alyx_connector.remedy import Remedy, RemedyKind
from alyx_connector.warning import AlyxWarning

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Mapping, Sequence

    from alyx_connector.schema.description import Endpoint
    from alyx_connector.schema.dialect import Dialect
    from alyx_connector.search.add_details import Work
    from alyx_connector.search.listing import Listed

__all__ = ["animals_to_count", "any_of", "filter_of_subjects", "is_quotable", "subject_lookups", "tell_namesakes"]

#: Where the animal of a record is, for lookups.
_PATHS = {
    "subjects": "",
    "sessions": "subject__",
    "weighings": "subject__",
    "water-administrations": "subject__",
    "water-restriction": "subject__",
}
#: Of these the server's own filter is for one nickname, whatever the case where the server knows no case.
_BY_NICKNAME = frozenset({"subjects", "sessions"})
#: Of the 4094 characters that an address may have, those that names may take.
_LONGEST = 3600
#: A name that, in quotes and brackets, the server evaluates to itself; ``~`` excludes, and commas part names.
_QUOTABLE = re.compile(r"[^~,\\\[\]()\x00-\x1f\x7f'\"][^,\\\[\]()\x00-\x1f\x7f'\"]*")

#: Lists whose rows name an animal, and not its lab.
_WITHOUT_LAB = frozenset({"weighings", "water-administrations"})


def filter_of_subjects(endpoint: str) -> str:
    """Return the name of the filter that names animals; empty where nothing is known of one."""
    return ("subject" if _PATHS[endpoint] else "nickname") if endpoint in _PATHS else ""


def subject_lookups(
    endpoint: str, filters: Mapping[str, Any], described: Endpoint | None, dialect: Dialect
) -> tuple[dict[str, Any], list[list[str]]]:
    """Take out of filters what names animals, where the server can be asked for all of them at once.

    Returns: the other filters, and lookups any of which is to match, for `make_requests`.
    ``filters``: as `plain_filters` returns them.
    """
    name = filter_of_subjects(endpoint)
    untouched = dict(filters), list[list[str]]()
    if name not in filters or (described is not None and "django" not in described.filters):
        return untouched
    several = isinstance(filters[name], list)
    values = filters[name] if several else [filters[name]]
    wanted = sorted({str(one) for one in values})  # the same search whatever their order
    names = [one for one in wanted if not is_id(one)]
    if names and not several and endpoint in _BY_NICKNAME:
        return untouched
    if not all(isinstance(one, str | int | uuid.UUID) for one in values) or not all(map(is_quotable, names)):
        return untouched
    path = _PATHS[endpoint]
    lookups = any_of(f"{path}pk", [str(canonical_id(one)) for one in wanted if is_id(one)])
    lookups += any_of(f"{path}nickname", names)
    if dialect.subject_key != "nickname":  # a row may name the animal by that
        lookups += any_of(f"{path}{dialect.subject_key}", [one for one in names if "__" in one])
    return {other: filters[other] for other in filters if other != name}, [lookups]


def is_quotable(name: str) -> bool:
    """Tell whether a name can stand in a lookup."""
    return bool(_QUOTABLE.fullmatch(name))


def any_of(field: str, values: Iterable[str]) -> list[str]:
    """Make lookups that together find the records whose field is any of some values.

    Returns: as few as the length of an address allows.
    ``values``: ids, or names that `is_quotable` allows.
    """
    lookups = []
    for chunk in _chunks(list(values)):
        quoted = ",".join(f"'{one}'" for one in chunk)
        lookups.append(f"{field}__in,[{quoted}]")
    return lookups


def _chunks(values: Sequence[str]) -> list[list[str]]:
    chunks: list[list[str]] = []
    left = 0
    for value in values:
        needed = len(quote(f"'{value}',", safe=""))
        if not chunks or needed > left:
            chunks.append([])
            left = _LONGEST
        chunks[-1].append(value)
        left -= needed
    return chunks


def animals_to_count(endpoint: str, wanted: Any) -> list[dict[str, str]]:
    """Return the requests of ``/subjects`` whose rows are to be counted for `tell_namesakes`.

    How many animals there are costs little, their rows much: the server reckons the water of each.

    ``wanted``: the filter of subjects, as `plain_filters` returns it.
    """
    names = filter(is_quotable, _names(wanted)) if endpoint in _WITHOUT_LAB else ()
    return [{"django": lookup} for lookup in any_of("nickname", names)]


def tell_namesakes(work: Work, endpoint: str, listed: Listed, wanted: Any, absent: Collection[str]) -> None:
    """Tell where rows may be of several animals of one nickname, with their labs.

    ``listed``: with the count of what `animals_to_count` returned.
    ``wanted``: the filter of subjects, as `plain_filters` returns it.
    ``absent``: names that the server is known not to have.
    """
    if endpoint == "sessions":
        doubtful = _in_sessions(listed.rows, _names(wanted))
    else:
        there = [name for name in _names(wanted) if is_quotable(name) and name not in absent]
        doubtful = there if endpoint in _WITHOUT_LAB and listed.rows and listed.counted > len(there) else []
    subjects = _subjects(work, doubtful)
    for folded in dict.fromkeys(name.casefold() for name in doubtful):
        of_one = [subject for subject in subjects if str(subject["nickname"]).casefold() == folded]
        if len(of_one) > 1:
            named = ", ".join(sorted(f"{subject['nickname']} of {subject['lab']}" for subject in of_one))
            work.tell(
                AlyxWarning(
                    f"These {endpoint} belong to several animals with the same nickname: {named}.",
                    Remedy(RemedyKind.ADD_LAB),
                )
            )


def _in_sessions(rows: Sequence[Mapping[str, Any]], names: Sequence[str]) -> list[str]:
    # Asked for only where rows of several labs, or several spellings, came for one nickname.
    folded = {name.casefold() for name in names}
    behind: dict[str, set[tuple[str, str]]] = {}
    for row in rows:
        nickname = str(row.get("subject"))
        if nickname.casefold() in folded:
            behind.setdefault(nickname.casefold(), set()).add((nickname, str(row.get("lab"))))
    return sorted({nickname for found in behind.values() if len(found) > 1 for nickname, _ in found})


def _names(wanted: Any) -> list[str]:
    several = wanted if isinstance(wanted, list) else [wanted]
    return list(dict.fromkeys(str(one) for one in several if not is_id(one)))


def _subjects(work: Work, names: Sequence[str]) -> list[dict[str, Any]]:
    report = only_waits(work.report)
    asked = [{"django": lookup} for lookup in any_of("nickname", filter(is_quotable, names))]
    asked += [{"nickname": name} for name in names if not is_quotable(name)]
    return [row for one in asked for row in work.client.list("subjects", one, cancel=work.cancel, report=report)]
