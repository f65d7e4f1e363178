"""Refuses filters that the server would ignore or could not answer, with the names nearest to them."""

from __future__ import annotations

import datetime as dt
import re
from typing import TYPE_CHECKING, Any

from alyx_connector.errors import ConfigurationError
from alyx_connector.ids import canonical_id
from alyx_connector.nearest import did_you_mean
from alyx_connector.remedy import Remedy, RemedyKind, filter_in_python
from alyx_connector.schema.description import NO_CASE
from alyx_connector.search.filters import PAIRS
from alyx_connector.search.subject_filter import filter_of_subjects

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from alyx_connector.schema.description import Endpoint, Filter, Schema

__all__ = ["check_filters", "endpoint_rows", "filter_rows", "find_endpoint", "instead_of"]

_OF_ACTIONS = {
    "lab": Remedy(RemedyKind.USE_DJANGO, name="subject__lab__name", values=("<lab>",)),
    "users": Remedy(RemedyKind.USE_DJANGO, name="user__username", values=("<name>",)),
    "date_range": Remedy(RemedyKind.USE_DJANGO, name="date_time__date__gte", values=("2024-01-01",)),
    "location": Remedy(RemedyKind.USE_FILTER_OF, endpoint="sessions", name="location"),
}
_DATASET_TYPE = Remedy(
    RemedyKind.USE_DJANGO, name="data_dataset_session_related__dataset_type__name", values=("trials.table",)
)
#: What to use instead of filters that some servers lack, or cannot answer although they describe them.
_INSTEAD = {
    "weighings": _OF_ACTIONS,
    "water-administrations": _OF_ACTIONS,
    "sessions": {"dataset_types": _DATASET_TYPE},
}
#: What searches of ONE and of the package alyx-connector take, and no server has as a filter.
_ARGUMENTS_ELSEWHERE = {
    "no_cache": Remedy(RemedyKind.REFRESH),
    "query_type": Remedy(RemedyKind.STAY_OFFLINE),
    **dict.fromkeys(("raises", "as_mode", "timeout", "handles_internally", "unpaginate"), Remedy(RemedyKind.LEAVE_OUT)),
}
#: Filters in which the server takes a comma for a letter of the one name.
_NO_COMMA = frozenset({"subject", "nickname"})
_DAY = re.compile(r"\d{4}-\d\d-\d\d([T ]\d\d:\d\d(:\d\d(\.\d+)?)?)?")


def instead_of(endpoint: str, name: str) -> Remedy | None:
    """Say what to use instead of a filter where the server lacks it, or cannot answer it; None if nothing."""
    return _INSTEAD.get(endpoint, {}).get(name)


def find_endpoint(schema: Schema, name: str, url: str) -> Endpoint:
    """Find a list of the server.

    Parameters
    ----------
    schema : Schema
        What the server says of itself.
    name : str
        Of the list.
    url : str
        The server, for the wording of the error.

    Returns
    -------
    Endpoint
        The list.

    Raises
    ------
    ConfigurationError
        If there is none of this name; says which are near.
    """
    if name in schema.endpoints:
        return schema.endpoints[name]
    guess = did_you_mean(name, schema.endpoints)
    raise ConfigurationError(
        f"{url} has no list {name}.{guess}", hint=Remedy(RemedyKind.LIST_ENDPOINTS), setting="endpoint"
    )


def check_filters(filters: Mapping[str, Any], endpoint: str, described: Endpoint | None, url: str) -> None:
    """Refuse filters that the server would ignore, misunderstand or fail at.

    ``filters``: as `plain_filters` returns them.
    ``described``: what the server says of it; without that, names are not checked.
    """
    for name, value in filters.items():
        if described is None:
            continue
        known = described.filters.get(name)
        if known is not None and not known.usable:
            raise ConfigurationError(
                f"Alyx names the filter {name} of {endpoint}, but the server cannot answer it.",
                hint=instead_of(endpoint, name) or Remedy(RemedyKind.LIST_FILTERS, endpoint=endpoint),
                setting=name,
            )
        if known is None and not (name == "id" and "django" in described.filters):
            raise _unknown(name, value, endpoint, described, url)
        if known is not None and name not in PAIRS and name not in {"id", "date_range"}:
            for one in value if isinstance(value, list) else [value]:
                _check_value(known, endpoint, one)


def _unknown(name: str, value: Any, endpoint: str, described: Endpoint, url: str) -> ConfigurationError:
    guess = did_you_mean(name, [one.name for one in described.filters.values() if one.usable])
    if not described.filters:
        guess = " This list has no filters."
    instead = _ARGUMENTS_ELSEWHERE.get(name) or instead_of(endpoint, name)
    if instead is None and "__" in name and "django" in described.filters:  # a lookup of the server's database
        instead = Remedy(RemedyKind.USE_DJANGO, name=name, values=(str(value),))
    return ConfigurationError(
        f"{endpoint} at {url} cannot be filtered by {name}: the server would ignore it and return everything."
        f"{'' if instead else guess}",
        hint=instead or Remedy(RemedyKind.LIST_FILTERS, endpoint=endpoint),
        setting=name,
    )


def _is_number(value: Any) -> bool:
    try:
        return not isinstance(value, bool) and float(value) == float(value)
    except (ValueError, TypeError):
        return False


def _is_day(value: Any) -> bool:
    return isinstance(value, dt.date) or bool(_DAY.fullmatch(str(value)))


_BOOLEAN: tuple[str, Callable[[Any], bool]] = (
    "True or False",
    lambda value: isinstance(value, bool) or value in {"True", "False"},
)
_FORMATS: dict[str, tuple[str, Callable[[Any], bool]]] = {
    "uuid": ("an id (UUID)", lambda value: canonical_id(value) is not None),
    "date": ("a day", _is_day),
    "date-time": ("a time", _is_day),
}
_TYPES: dict[str, tuple[str, Callable[[Any], bool]]] = {
    "boolean": _BOOLEAN,
    "integer": ("a whole number", lambda value: _is_number(value) and float(value).is_integer()),
    "number": ("a number", _is_number),
}


def endpoint_rows(schema: Schema) -> list[dict[str, Any]]:
    """Make the rows of `Connector.endpoints`."""
    return [
        {
            "endpoint": one.name,
            "details_by": one.detail_by or None,
            "details": one.layout.details_tell_much,
            "details_add": [column.name for column in one.layout.detailed],
            "filters": list(one.filters),
        }
        for one in schema.endpoints.values()
    ]


def filter_rows(described: Endpoint) -> list[dict[str, Any]]:
    """Make the rows of `Connector.filters`."""
    rows = []
    for one in described.filters.values():
        instead = None if one.usable else instead_of(described.name, one.name)
        rows.append(
            {
                "filter": one.name,
                "takes": _expected(one, described.name)[0],
                "match": one.match,
                "usable": one.usable,
                "instead": filter_in_python(instead) if instead else None,
                "description": one.description or None,
            }
        )
    return rows


def _expected(known: Filter, endpoint: str) -> tuple[str, Callable[[Any], bool]]:
    if known.name == filter_of_subjects(endpoint):
        return "a nickname or an id", lambda value: not isinstance(value, bool)
    if known.choices:
        any_case = known.match == NO_CASE
        return (
            f"one of {', '.join(known.choices)}",
            lambda value: (str(value).upper() if any_case else str(value)) in known.choices,
        )
    return _FORMATS.get(known.format) or _TYPES.get(known.type) or ("text", lambda value: True)


def _check_value(known: Filter, endpoint: str, value: Any) -> None:
    what, fits = _expected(known, endpoint)
    if value is not None and not fits(value):
        raise ConfigurationError(
            f"The filter {known.name} of {endpoint} takes {what}, not {value!r}: the server would ignore it or fail.",
            hint=Remedy(RemedyKind.LIST_FILTER_VALUES, endpoint=endpoint),
            setting=known.name,
        )
    if known.name in _NO_COMMA and isinstance(value, str) and "," in value:
        raise ConfigurationError(
            f"The filter {known.name} of {endpoint} takes one name, not {value!r}: no name holds a comma.",
            hint=Remedy(RemedyKind.GIVE_LIST, name=known.name, values=tuple(part.strip() for part in value.split(","))),
            setting=known.name,
        )
