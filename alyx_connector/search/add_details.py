"""The details of the rows of a list: those that are kept and did not change, the others from the server."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any
from urllib.parse import urlencode

from alyx_connector.cache.cache_store import KeptDetail
from alyx_connector.cache.freshness import Known, changed_names, read_change
from alyx_connector.errors import AlyxError, CredentialsError
from alyx_connector.frames.columns import DETAIL_ERROR
from alyx_connector.http.server_time import utc_now
from alyx_connector.progress import Cancelled, only_waits
from alyx_connector.search.fetch_details import detail_route, fetch_details, is_unreachable
from alyx_connector.search.listing import list_rows
from alyx_connector.warning import AlyxWarning

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from alyx_connector.cache.cache_store import Store
    from alyx_connector.http.client import AlyxClient
    from alyx_connector.progress import CancelToken, Report
    from alyx_connector.remedy import Remedy
    from alyx_connector.search.listing import Listed
    from alyx_connector.warning import Tell
    from alyx_connector.zones.lab_zones import LabZones

__all__ = ["Work", "add_details", "add_kept_details"]

NO_ROUTE = "The list does not name the address of its details."
#: Of the 4094 characters that an address may have, those that filters may take.
_ADDRESS_LENGTH = 3700
#: Of these, how many the filters of the search itself may take.
_OWN_LENGTH = 1500
NOT_KEPT = "Not in the cache: search again when the server can be reached."


@dataclass(frozen=True)
class Work:
    """What a search works with."""

    #: Asks the server.
    client: AlyxClient
    #: Which zone each lab of it has.
    zones: LabZones
    #: What is kept of it.
    store: Store
    #: Stops it; so does Ctrl-C. What arrived is kept.
    cancel: CancelToken
    #: Takes the progress.
    report: Report
    #: Takes a sentence that the user should read.
    tell: Tell
    #: What to do where the token was revoked meanwhile.
    log_in: Remedy
    #: Whether a search whose details are stopped goes on with what arrived, instead of ending with that.
    partial: bool


@dataclass(frozen=True)
class _Checked:
    #: Kept and not changed since, or taken for it where the server could not be asked.
    current: dict[str, KeptDetail]
    #: Kept, and perhaps not changed: better than none.
    spare: dict[str, KeptDetail]
    #: Why the server could not be asked; empty if it could.
    unasked: str = ""


def add_details(
    work: Work, endpoint: str, listed: Listed, requests: Sequence[Mapping[str, str]], *, refresh: bool
) -> list[dict[str, Any]]:
    """Add to each row what only its details tell.

    Returns: the rows with all of their fields; those without details say why in ``detail_error``.
    ``refresh``: whether to fetch all of them, also those that are kept and did not change.
    """
    rows = listed.rows
    names = [_name(endpoint, row) for row in rows]
    kept = {} if refresh else _kept_of(work.store, endpoint, rows, names)
    began = utc_now()
    checked = _check(work, endpoint, requests, kept)
    missing = [place for place, name in enumerate(names) if name is not None and name not in checked.current]

    def take(number: int, body: dict[str, Any]) -> None:
        work.store.put_detail(endpoint, str(names[missing[number]]), KeptDetail(body, utc_now(), began))

    reason, logged_out, stopped = "", False, None
    detailed = [_detailed(row, checked.current.get(str(name))) for row, name in zip(rows, names, strict=True)]
    unchecked = len(checked.current) if checked.unasked else 0
    if missing:
        fetched = fetch_details(
            work.client,
            [(endpoint, str(names[place])) for place in missing],
            what=f"{len(missing)} {endpoint}",
            first_guess_s=listed.took_s,
            cancel=work.cancel,
            report=work.report,
            take=take,
        )
        reason, logged_out, stopped = fetched.reason, fetched.logged_out, fetched.stopped
        for number, (place, details) in enumerate(zip(missing, fetched.found, strict=True)):
            spare = checked.spare.get(str(names[place])) if number in fetched.unreachable else None
            unchecked += spare is not None
            detailed[place] = _detailed(rows[place], spare, details)
    work.store.mark(endpoint, checked.current, None if checked.unasked else began)
    if stopped is not None and not work.partial:
        raise _explained(stopped, sum(row[DETAIL_ERROR.name] is None for row in detailed), len(rows), work.store)
    if unchecked:
        work.tell(
            f"{unchecked} of {len(rows)} {endpoint} have details from the cache, because {work.client.url} could not "
            f"be asked whether they changed{_because(checked.unasked or reason)}. Search again to check."
        )
    _tell_missing(work.tell, endpoint, detailed, reason, work.log_in if logged_out else None)
    return detailed


def add_kept_details(store: Store, endpoint: str, rows: Sequence[dict[str, Any]], tell: Tell) -> list[dict[str, Any]]:
    """Add to each row the details that are kept; asks nothing.

    Returns: the rows with all of their fields; those without details say so in ``detail_error``.
    ``tell``: takes a sentence on how old they are, and if some have none.
    """
    names = [_name(endpoint, row) for row in rows]
    kept = _kept_of(store, endpoint, rows, names)
    detailed = [_detailed(row, kept.get(str(name)), NOT_KEPT) for row, name in zip(rows, names, strict=True)]
    store.mark(endpoint, kept)
    if kept:
        oldest = min(one.fetched for one in kept.values())
        tell(f"The details of these {endpoint} are from the cache, the oldest fetched at {oldest:%Y-%m-%d %H:%M} UTC.")
    _tell_missing(tell, endpoint, detailed, "they are not in the cache")
    return detailed


def _check(
    work: Work, endpoint: str, requests: Sequence[Mapping[str, str]], kept: Mapping[str, KeptDetail]
) -> _Checked:
    changes = {name: read_change(one.body) for name, one in kept.items()}
    known = {name: Known(changed, kept[name].checked) for name, changed in changes.items() if changed is not None}
    undated = {name: one for name, one in kept.items() if name not in known}
    try:
        changed = changed_names(known, *_question(work, endpoint, requests))
    except CredentialsError:
        raise
    except AlyxError as error:
        if is_unreachable(error):
            return _Checked({name: kept[name] for name in known}, undated, error.message)
        return _Checked({}, dict(kept))
    return _Checked({name: kept[name] for name in known.keys() - changed}, undated)


def _question(
    work: Work, endpoint: str, requests: Sequence[Mapping[str, str]]
) -> tuple[int, Callable[[Sequence[str]], set[str]]]:
    # Of several requests none knows what the others list, and a filter can be sent only once.
    filters = dict(requests[0]) if len(requests) == 1 else {}
    if "auto_datetime" in filters.get("django", "") or len(urlencode(filters)) > _OWN_LENGTH:
        filters = {}
    own = f"{filters['django']}," if filters.get("django") else ""

    def ask(conditions: Sequence[str]) -> set[str]:
        asked = [{**filters, "django": own + condition} for condition in conditions]
        found = list_rows(work.client, endpoint, asked, cancel=work.cancel, report=only_waits(work.report))
        return {name for row in found.rows if (name := _name(endpoint, row))}

    return _ADDRESS_LENGTH - len(urlencode(filters)), ask


def _kept_of(
    store: Store, endpoint: str, rows: Sequence[dict[str, Any]], names: Sequence[str | None]
) -> dict[str, KeptDetail]:
    # A name may stand for another record than it did.
    ids = {name: row.get("id") for row, name in zip(rows, names, strict=True) if name is not None}
    kept = store.details(endpoint, ids)
    return {name: one for name, one in kept.items() if one.body.get("id", ids[name]) == ids[name]}


def _name(endpoint: str, row: Mapping[str, Any]) -> str | None:
    route = detail_route(endpoint, row)
    return route[1] if route else None


def _detailed(row: dict[str, Any], kept: KeptDetail | None, fetched: dict[str, Any] | str = NO_ROUTE) -> dict[str, Any]:
    details = kept.body if kept else fetched
    if isinstance(details, str):
        return {**row, DETAIL_ERROR.name: details}
    # What the list says stays as it is.
    return {**details, **row, DETAIL_ERROR.name: None}


def _explained(stopped: BaseException, complete: int, total: int, store: Store) -> BaseException:
    # That it was not for nothing.
    kept = " What has arrived is in the cache: the same search goes on there." if store.keeps else ""
    sentence = f"Stopped: {complete} of {total} have their details.{kept}"
    return KeyboardInterrupt(sentence) if isinstance(stopped, KeyboardInterrupt) else Cancelled(sentence)


def _tell_missing(
    tell: Tell, endpoint: str, rows: Sequence[Mapping[str, Any]], reason: str, remedy: Remedy | None = None
) -> None:
    without = sum(row[DETAIL_ERROR.name] is not None for row in rows)
    if without:
        missing = f"{without} of {len(rows)} {endpoint} have no details{_because(reason)}."
        tell(AlyxWarning(f"{missing} The column detail_error says why.", remedy))


def _because(reason: str) -> str:
    return f": {reason.rstrip('.')}" if reason else ""
