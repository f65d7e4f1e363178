"""One search, from its filters to its rows: asked of the server, or as it was last known."""

from __future__ import annotations

import hashlib
import json
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

from alyx_connector.cache.cache_store import KeptList
from alyx_connector.errors import AlyxError, ConfigurationError
from alyx_connector.frames.columns import UNKNOWN, Column, Kind, Layout, known_layout
from alyx_connector.http.server_time import utc_now
from alyx_connector.remedy import Remedy, RemedyKind
from alyx_connector.schema.dialect import Dialect
from alyx_connector.search.add_details import add_details, add_kept_details
from alyx_connector.search.days import days_of, with_days
from alyx_connector.search.fetch_details import is_unreachable
from alyx_connector.search.filter_check import check_filters, find_endpoint
from alyx_connector.search.filters import make_requests, plain_filters
from alyx_connector.search.lab_times import a_day_more, on_days
from alyx_connector.search.listing import list_rows
from alyx_connector.search.nothing_found import tell_what_is_missing
from alyx_connector.search.subject_filter import (
    animals_to_count,
    filter_of_subjects,
    subject_lookups,
    tell_namesakes,
)
from alyx_connector.warning import AlyxWarning

if TYPE_CHECKING:
    import datetime as dt
    from collections.abc import Mapping, Sequence

    from alyx_connector.schema.description import Endpoint, Schema
    from alyx_connector.schema.source import SchemaSource
    from alyx_connector.search.add_details import Work

__all__ = ["Found", "Search", "find"]


@dataclass(frozen=True)
class Search:
    """What is searched for."""

    #: What to list.
    endpoint: str
    #: What must hold; see `Connector.search`.
    filters: Mapping[str, Any]
    #: Whether with details; None: where they tell much that the list does not, or are to be expanded.
    details: bool | None
    #: Which columns to expand.
    expand: Sequence[str] = ()
    #: How many rows are enough, the first ones; None: all of them.
    limit: int | None = None


@dataclass(frozen=True)
class Found:
    """What a search found."""

    #: The rows.
    rows: list[dict[str, Any]]
    #: Whether with details.
    details: bool
    #: The columns that there are whatever the rows hold.
    columns: tuple[Column, ...]
    #: When the list was read, naive UTC.
    retrieved: dt.datetime


def find(search: Search, work: Work, schemas: SchemaSource, *, refresh: bool, offline: bool) -> Found:
    """Carry out a search.

    Parameters
    ----------
    search : Search
        What is searched for.
    work : Work
        What to work with; takes a sentence where the rows are those last known.
    schemas : SchemaSource
        Says what filters and columns there are.
    refresh : bool
        Whether to fetch details that are kept and did not change.
    offline : bool
        Whether to ask nothing.

    Returns
    -------
    Found
        The rows; those last known where the server cannot be reached.

    Raises
    ------
    ConfigurationError
        If a filter or a column is unusable, or what is wanted offline is not kept.
    AlyxError
        Whatever else goes wrong; see `Connector.search`.
    """
    search = replace(search, filters=plain_filters(search.filters))
    if not offline:
        try:
            return _ask(search, work, schemas, refresh)
        except AlyxError as error:
            found = _last_known(search, work, schemas, error.message) if is_unreachable(error) and not refresh else None
            if found is None:
                raise
            return found
    if refresh:
        raise ConfigurationError(
            "A search cannot be both offline and refreshed.", hint="Leave one of them out.", setting="offline"
        )
    found = _last_known(search, work, schemas, f"{work.client.url} was not asked.")
    if found is None:
        raise ConfigurationError(
            f"The rows of this search of {search.endpoint} are not in the cache, so offline there is nothing to show.",
            hint=Remedy(RemedyKind.SEARCH_ONLINE),
            setting="offline",
        )
    return found


def _ask(search: Search, work: Work, schemas: SchemaSource, refresh: bool) -> Found:
    endpoint = search.endpoint
    schema = schemas.schema(cancel=work.cancel, tell=work.tell)
    described = _described(schema, search, work)
    filters = with_days(search.filters, described)
    check_filters(filters, endpoint, described, work.client.url)
    key = _key(_requests(schema, endpoint, filters), search.limit)
    days = _days_of_labs(filters, work)
    asked = filters if days is None else {**filters, "date_range": a_day_more(days)}
    requests = _requests(schema, endpoint, asked)
    layout = _layout(described, endpoint)
    details = _with_details(layout, search)
    columns = _columns(layout, search, details)
    _tell_left_out(layout, search, work)
    retrieved = utc_now()
    named = filters.get(filter_of_subjects(endpoint))
    listed = list_rows(
        work.client,
        endpoint,
        requests,
        limit=search.limit if days is None else None,
        count=("subjects", animals_to_count(endpoint, named) if named is not None else ()),
        cancel=work.cancel,
        report=work.report,
    )
    if days is not None:
        rows = on_days(listed.rows, days, work.client, work.zones)
        listed = replace(listed, rows=rows[: search.limit])
    if requests:
        work.store.put_list(endpoint, key, KeptList(listed.rows, retrieved))
    rows = listed.rows
    if details and layout.detailed:
        rows = add_details(work, endpoint, listed, requests, refresh=refresh)
    absent: set[str] = set()
    if requests and (search.limit is None or len(rows) < search.limit):
        absent = tell_what_is_missing(
            work, endpoint, filters, rows, described, lambda others: _requests(schema, endpoint, others)
        )
    if named is not None:
        tell_namesakes(work, endpoint, listed, named, absent)
    return Found(rows, details, columns, retrieved)


def _days_of_labs(filters: Mapping[str, Any], work: Work) -> tuple[str | None, str | None] | None:
    # The days that are meant, where the server's may be others.
    if "date_range" not in filters or not work.zones.days_may_differ(cancel=work.cancel):
        return None
    return days_of("date_range", filters["date_range"])


def _last_known(search: Search, work: Work, schemas: SchemaSource, why: str) -> Found | None:
    endpoint = search.endpoint
    schema = schemas.last_known()
    described = _described(schema, search, work)
    filters = with_days(search.filters, described)
    check_filters(filters, endpoint, described, work.client.url)
    requests = _requests(schema, endpoint, filters)
    layout = _layout(described, endpoint)
    details = _with_details(layout, search)
    columns = _columns(layout, search, details)
    _tell_left_out(layout, search, work)
    if not requests:
        return Found([], details, columns, utc_now())
    kept = work.store.listed(endpoint, _key(requests, search.limit))
    if kept is None:
        return None
    work.tell(f"{why} These are the {endpoint} as listed {_age(kept.retrieved)}.")
    rows = kept.rows
    if details and layout.detailed:
        rows = add_kept_details(work.store, endpoint, rows, work.tell)
    return Found(rows, details, columns, kept.retrieved)


def _described(schema: Schema | None, search: Search, work: Work) -> Endpoint | None:
    return find_endpoint(schema, search.endpoint, work.client.url) if schema else None


def _requests(schema: Schema | None, endpoint: str, filters: Mapping[str, Any]) -> list[dict[str, str]]:
    described = schema.endpoints.get(endpoint) if schema else None
    others, lookups = subject_lookups(endpoint, filters, described, schema.dialect if schema else Dialect())
    return make_requests(others, lookups)


def _layout(described: Endpoint | None, endpoint: str) -> Layout:
    return described.layout if described else known_layout(endpoint) or UNKNOWN


def _with_details(layout: Layout, search: Search) -> bool:
    if search.details is not None:
        return search.details
    return layout.details_tell_much or any(column.name in search.expand for column in layout.detailed)


def _columns(layout: Layout, search: Search, details: bool) -> tuple[Column, ...]:
    columns = (*layout.listed, *(layout.detailed if details else ()))
    nested = [column.name for column in columns if column.kind is Kind.JSON]
    for name in search.expand:
        if name not in nested:
            raise ConfigurationError(
                f"There is no column {name!r} of JSON to expand, only: {', '.join(nested) or 'none'}.",
                hint=Remedy(RemedyKind.FETCH_DETAILS),
                setting="expand",
            )
    return columns


def _tell_left_out(layout: Layout, search: Search, work: Work) -> None:
    # Alyx's own list has these: who wants no details counts on them.
    known = known_layout(search.endpoint) if search.details is False else None
    detailed = {column.name for column in layout.detailed}
    names = [column.name for column in known.listed if column.name in detailed] if known else []
    if names:
        work.tell(
            AlyxWarning(
                f"{work.client.url} lists {search.endpoint} without {' and '.join(names)}: only details have them.",
                Remedy(RemedyKind.FETCH_DETAILS),
            )
        )


def _key(requests: Sequence[Mapping[str, str]], limit: int | None) -> str:
    # The same filters in another order, or several values in another order, are the same search.
    plain = sorted(json.dumps(request, sort_keys=True) for request in requests)
    first = [] if limit is None else [f"the first {limit}"]
    return hashlib.sha256("\n".join([*plain, *first]).encode()).hexdigest()


def _age(moment: dt.datetime) -> str:
    seconds = max(0.0, (utc_now() - moment).total_seconds())
    for unit, length in (("days", 86400), ("hours", 3600), ("minutes", 60)):
        if seconds >= 2 * length:
            return f"{seconds / length:.0f} {unit} ago, at {moment:%Y-%m-%d %H:%M} UTC"
    return f"{seconds:.0f} s ago, at {moment:%Y-%m-%d %H:%M} UTC"
