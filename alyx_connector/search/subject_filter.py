"""Animals as people name them, by nickname or id, made into lookups of the server's database: many in one request."""

from __future__ import annotations

import re
import uuid
from typing import TYPE_CHECKING, Any
from urllib.parse import quote

from alyx_connector.ids import canonical_id, is_id

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from alyx_connector.schema.description import Endpoint
    from alyx_connector.schema.dialect import Dialect

__all__ = ["any_of", "filter_of_subjects", "is_quotable", "subject_lookups"]

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
