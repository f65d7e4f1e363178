"""A client whose answers can be relied on, for one item at a time."""

from __future__ import annotations

import uuid
from typing import TYPE_CHECKING, Any

from alyx_connector.errors import AlyxError, NotFoundError, RateLimitedError
from alyx_connector.progress import Cancelled, CancelToken
from alyx_connector.schema.source import dialect_of
from alyx_connector.zones.lab_zones import zones_of
from alyx_connector.zones.server_offsets import offset_at
from pybpod_alyx_module.outbox.outcomes import HeldError, Outcome, Scope, outcome_of_reading, outcome_of_writing
from pybpod_alyx_module.outbox.states import Event

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence
    from datetime import datetime, timedelta
    from zoneinfo import ZoneInfo

    from alyx_connector import AlyxClient
    from alyx_connector.progress import Progress
    from alyx_connector.schema.dialect import Dialect

#: For questions, in seconds.
PATIENCE_S = 5.0
#: Rows asked for at once: more than any question here has for an answer.
_LIMIT = 1000


class ReliableClient:
    """Reads and writes on one server as one user; whatever goes wrong ends in a `HeldError`.

    ``cancel``: ends it by raising `Cancelled`.
    """

    def __init__(self, client: AlyxClient, cancel: CancelToken) -> None:
        self._client = client
        self._cancel = cancel
        #: Address of the server.
        self.server = client.url
        #: A wait that the client would rather sit out; beyond it other items go first. Seconds.
        self.patience_s = PATIENCE_S

    def dialect(self) -> Dialect:
        """Say in what this server differs from others."""
        found: Dialect = self._call(outcome_of_reading, self._read_dialect, "")
        return found

    def _read_dialect(self, _: Any, *, cancel: CancelToken, report: Any) -> Dialect:
        return dialect_of(self._client, cancel=cancel, report=report)

    def keeps_zones(self) -> bool:
        """Tell whether the server keeps moments, and honours the offset of a time."""
        return bool(self._call(outcome_of_reading, self._ask_whether_zones_are_kept, ""))

    def lab_zone(self, lab: str | None) -> ZoneInfo | None:
        """Return the zone of a lab; None where it is not known."""
        zone: ZoneInfo | None = self._call(outcome_of_reading, self._read_zone, "", lab)
        return zone

    def server_offset(self, moment: datetime) -> timedelta | None:
        """Return how far the server's clock was ahead of UTC at a moment; None where that cannot be learned."""
        offset: timedelta | None = self._call(outcome_of_reading, self._read_offset, "", moment)
        return offset

    def _ask_whether_zones_are_kept(self, _: Any, *, cancel: CancelToken, report: Any) -> bool:
        return zones_of(self._client).server_keeps_zones(cancel=cancel, report=report)

    def _read_zone(self, _: Any, lab: str | None, *, cancel: CancelToken, report: Any) -> ZoneInfo | None:
        return zones_of(self._client).zone(lab, cancel=cancel, report=report)

    def _read_offset(self, _: Any, moment: datetime, *, cancel: CancelToken, report: Any) -> timedelta | None:
        return offset_at(self._client, moment, cancel=cancel, report=report)

    def rows(self, route: str, params: Mapping[str, str]) -> list[dict[str, Any]]:
        """Return the rows of a list; an empty list only where it is the answer to this very question.

        A proxy that repeats an old answer must not make us believe that a record is not there: it would be sent
        twice. So an empty list is asked for once more, see `count`.

        ``params``: filters, already known to be right: Alyx ignores wrong ones.
        """
        found = self._page(route, {**params, "limit": str(_LIMIT)})
        if found["results"]:
            return list(found["results"])
        if self.count(route, params):
            raise self.nonsense(route)
        return []

    def count(self, route: str, params: Mapping[str, str]) -> int:
        """Return how many rows a list has; the answer is certainly one to this very question.

        It is asked with a word that was never used before and that the answer must repeat: Alyx ignores a filter that
        it does not know, and an answer to a question with an ``offset`` holds the address of the page before.
        """
        word = uuid.uuid4().hex
        page = self._page(route, {**params, "limit": str(_LIMIT), "offset": "1", "asked": word})
        number: int = page["count"]
        if word not in str(page.get("previous")) or len(page["results"]) != min(max(number - 1, 0), _LIMIT):
            raise self.nonsense(route)
        return number

    def has_list(self, route: str) -> bool:
        """Tell whether the server has a list at all."""

        def absent(error: AlyxError) -> Outcome:
            return Outcome(Event.GIVE_UP) if isinstance(error, NotFoundError) else outcome_of_reading(error)

        try:
            self._call(absent, self._client.get, route, {"limit": "1"})
        except HeldError as held:
            if held.outcome.event is not Event.GIVE_UP:
                raise
            return False
        return True

    def detail(self, route: str, record: str) -> dict[str, Any]:
        """Return one record."""
        found = self._call(outcome_of_reading, self._client.get, (route, record))
        if not isinstance(found, dict) or str(found.get("id")) != record:
            raise self.nonsense(route)
        return found

    def all_rows(self, route: str, params: Mapping[str, str]) -> list[dict[str, Any]]:
        """Return the rows of a list over all of its pages, where a stale answer does no harm.

        Returns: empty if there is none.
        """
        found: list[dict[str, Any]] = self._call(outcome_of_reading, self._client.list, route, params)
        return found

    def create(self, route: str, fields: Mapping[str, Any]) -> Any:
        """Create a record."""
        return self._call(outcome_of_writing, self._client.post, route, fields, success=201)

    def update(self, route: str, record: str, fields: Mapping[str, Any]) -> Any:
        """Change a record."""
        return self._call(outcome_of_writing, self._client.patch, (route, record), fields)

    def remove(self, route: str, record: str) -> None:
        """Delete one of our own records; one that is gone already is fine."""

        def gone(error: AlyxError) -> Outcome:
            return Outcome(Event.WITHDRAW) if isinstance(error, NotFoundError) else outcome_of_reading(error)

        try:
            self._call(gone, self._client.delete, (route, record))
        except HeldError as held:
            if held.outcome.event is not Event.WITHDRAW:
                raise

    def nonsense(self, route: str) -> HeldError:
        """Return the error for an answer that does not belong to the question."""
        reason = f"{self.server} sent an answer that does not belong to the request for {route}."
        hint = "Check the address, and the proxy before the server if there is one."
        return HeldError(Outcome(Event.POSTPONE, reason, hint, scope=Scope.SERVER))

    def _page(self, route: str, params: Mapping[str, str]) -> dict[str, Any]:
        page = self._call(outcome_of_reading, self._client.get, route, params)
        if not isinstance(page, dict) or type(page.get("count")) is not int:
            raise self.nonsense(route)
        rows = page.get("results")
        if not isinstance(rows, list) or not all(isinstance(row, dict) for row in rows):
            raise self.nonsense(route)
        return page

    def _call(
        self,
        outcome_of: Callable[[AlyxError], Outcome],
        ask: Callable[..., Any],
        endpoint: str | Sequence[str],
        *arguments: Any,
        **options: Any,
    ) -> Any:
        patience = _Patience(self._cancel, self.patience_s)
        try:
            return ask(endpoint, *arguments, cancel=patience.cancel, report=patience.report, **options)
        except Cancelled:
            if patience.lost is None:
                raise
            # The client was about to wait before it sent anything (again): nothing is under way.
            throttled = RateLimitedError(patience.lost.message, retry_after=float(patience.lost.total or 0))
            raise HeldError(outcome_of_reading(throttled)) from None
        except AlyxError as error:
            raise HeldError(outcome_of(error)) from error
        finally:
            patience.cancel.detach()


class _Patience:
    """Gives a request up when the client would wait for long: the sender has other items to send meanwhile."""

    def __init__(self, parent: CancelToken, patience_s: float) -> None:
        self.cancel = CancelToken(parent)
        self._patience_s = patience_s
        self.lost: Progress | None = None

    def report(self, progress: Progress) -> None:
        if progress.stage == "wait" and (progress.total or 0) > self._patience_s:
            self.lost = progress
            self.cancel.cancel()
