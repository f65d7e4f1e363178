"""A listing that is complete, or an error.

Rows come and go on the server while its pages are read. Each page therefore repeats the last row of the page before
it, which must be the same row; the ``count`` must stay; no row may come twice. If that does not hold, the whole list
is read again, a few times. It holds whatever the order in which the pages were read, so they are read several at once.
"""

from __future__ import annotations

import json
import time
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any
from urllib.parse import parse_qsl, urlsplit

from alyx_connector.errors import ProtocolError
from alyx_connector.http.parallel import Batch
from alyx_connector.progress import Estimate, Progress

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from alyx_connector.http.parallel import Job
    from alyx_connector.progress import CancelToken, Report

    #: Fetches the page of these many rows from this row on; takes offset, limit, cancel token and report.
    Fetch = Callable[[int, int, CancelToken, Report], Any]

__all__ = ["list_completely", "page_offsets"]

#: How often a list is read before we give up, and the pauses in between, in seconds.
PAUSES_S = (0.2, 0.5, 1.0)

#: So many rows no list of an Alyx has.
MOST_ROWS = 5_000_000


@dataclass(frozen=True)
class _Page:
    offset: int
    count: int
    rows: list[Any]
    #: From which row on the server says that there is another page; None if it names none.
    next_offset: int | None


class _Changed(Exception):  # noqa: N818 - a state of the list, caught in this module
    """The list changed while it was read; the text says how."""


def page_offsets(count: int, step: int) -> list[int]:
    """Say where the pages after the first begin, each with the last row of the one before.

    Returns: offsets; empty if the first page holds all.
    ``step``: rows on a page, at least 2.
    """
    return list(range(step - 1, count - 1, step - 1))


def list_completely(
    fetch: Fetch, *, what: str, page_size: int, workers: int, cancel: CancelToken, report: Report
) -> list[Any]:
    """Read a list over all of its pages.

    Returns: all rows, in the server's order. A bare JSON list (an endpoint without pages) is returned as it is.
    ``fetch``: takes offset, limit, cancel token and report, and returns the parsed body of that page.
    ``what``: what is listed and where, for the wording of errors.
    ``page_size``: rows to ask for at once; the server may give fewer.
    ``workers``: how many pages to read at once.
    ``cancel``: stops it at once.
    ``report``: takes the progress in rows, on the thread that called.
    """
    reason = ""
    for pause in (*PAUSES_S, None):
        try:
            return _read_once(fetch, what, page_size, workers, cancel, report)
        except _Changed as change:
            reason = str(change)
        if pause is not None:
            report(Progress("list", 0, message=f"The list of {what} changed while it was read; reading it again."))
            if cancel.wait(pause):
                break
    cancel.raise_if_cancelled()
    message = f"The list of {what} changed each of the {len(PAUSES_S) + 1} times that it was read ({reason})."
    raise ProtocolError(message, hint="Try again when it is changed less often.")


def _read_once(fetch: Fetch, what: str, page_size: int, workers: int, cancel: CancelToken, report: Report) -> list[Any]:
    began = time.monotonic()
    body = fetch(0, page_size, cancel, report)
    if isinstance(body, list):
        return body
    first = _page_of(body, 0, what)
    if first.count > MOST_ROWS:
        raise ProtocolError(
            f"The list of {what} has {first.count} rows, it says.", hint="Ask for less at once, with filters."
        )
    step = len(first.rows)
    each_s = (time.monotonic() - began) / max(1, step)
    estimate = Estimate(first.count - step, workers=workers, first_guess_s=each_s)
    report(Progress("list", step, first.count, left_s=estimate.left(0)))
    if step > first.count or (step < first.count and step < 2):
        raise _Changed(f"{step} rows on the first page, but the count is {first.count}")
    pages = [first]
    if step < first.count:
        pages += _read_rest(fetch, first, what, workers, cancel, report, estimate)
    return _joined(pages)


def _read_rest(
    fetch: Fetch, first: _Page, what: str, workers: int, cancel: CancelToken, report: Report, estimate: Estimate
) -> list[_Page]:
    step = len(first.rows)

    def job(offset: int) -> Job:
        return lambda stop, tell: _page_of(fetch(offset, step, stop, tell), offset, what)

    jobs = [job(offset) for offset in page_offsets(first.count, step)]
    pages: list[_Page] = []
    done = step
    with Batch(jobs, workers=workers, cancel=cancel, report=report) as batch:
        for page in batch.arriving():
            if isinstance(page, BaseException):
                raise page
            if page.count != first.count:
                raise _Changed(f"the count was {first.count}, then {page.count}")
            if not page.rows:  # thousands more may be as empty
                raise _Changed(f"no row {page.offset} came, but the count is {first.count}")
            pages.append(page)
            done += max(0, len(page.rows) - 1)
            report(Progress("list", done, first.count, left_s=estimate.left(done - step)))
    return sorted(pages, key=lambda page: page.offset)


def _page_of(body: Any, offset: int, what: str) -> _Page:
    # Anything but a page is an answer that makes no sense, and reading again would not help.
    if isinstance(body, dict):
        count, rows = body.get("count"), body.get("results")
        if type(count) is int and count >= 0 and isinstance(rows, list):
            if all(isinstance(row, dict) for row in rows):
                return _Page(offset, count, rows, _offset_in(body.get("next")))
            raise ProtocolError(f"The list of {what} holds rows that are not objects.", hint="Check the endpoint.")
        missing = [key for key in ("count", "results") if key not in body]
        trouble = f"lacks {' and '.join(missing)}" if missing else "has a count or results of the wrong type"
    else:
        trouble = f"is {type(body).__name__} where a list was expected"
    raise ProtocolError(f"The answer for {what} {trouble}.", hint="Check that this endpoint is a list.")


def _offset_in(url: Any) -> int | None:
    # No page is fetched by it: what it names may be anywhere.
    try:
        return int(dict(parse_qsl(urlsplit(url).query))["offset"])
    except (AttributeError, KeyError, TypeError, ValueError):
        return None


def _joined(pages: list[_Page]) -> list[Any]:
    rows = list(pages[0].rows)
    for page in pages[1:]:
        if not page.rows or _identity(page.rows[0]) != _identity(rows[-1]):
            raise _Changed(f"row {page.offset} differed on two pages")
        rows += page.rows[1:]
    if len(rows) != pages[0].count:
        raise _Changed(f"{len(rows)} rows came, but the count is {pages[0].count}")
    following = pages[-1].next_offset
    if following is not None and following >= pages[0].count:
        raise _Changed(f"the count is {pages[0].count}, but there is another page")
    named = [_identity(row) for row in rows if "id" in row or "url" in row]
    if len(set(named)) != len(named):
        raise _Changed("a row came twice")
    return rows


def _identity(row: Mapping[str, Any]) -> str | tuple[str]:
    # Rows of some endpoints have no id, those of a few no url either: there the whole row must agree.
    name = row.get("id", row.get("url", row))
    # Nearly all are text, and there may be many; a tuple is never equal to one.
    return name if isinstance(name, str) else (json.dumps(name, sort_keys=True),)
