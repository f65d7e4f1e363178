"""`AlyxClient`: log in to an Alyx server, list completely, read and write."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any
from urllib.parse import unquote

from alyx_connector.errors import ConfigurationError
from alyx_connector.http.access import ServerAccess
from alyx_connector.http.answers import read_page
from alyx_connector.http.arguments import checked_params, deletable, endpoint_path
from alyx_connector.http.pages import list_completely
from alyx_connector.http.transport import Wire
from alyx_connector.progress import Progress
from alyx_connector.remedy import Remedy, RemedyKind

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from alyx_connector.http.server_time import ServerTime
    from alyx_connector.progress import CancelToken, Report

__all__ = ["AlyxClient"]

#: Below the address of every server, with or without a redirect to a slash at its end.
_SCHEMA = "api/schema"
#: The same, of Django's admin pages.
_LOGIN_PAGE = "admin/login/"


class AlyxClient(ServerAccess):
    """Client of one Alyx server, for one user at a time; may be used by several threads.

    Every method that asks the server takes ``cancel``, a `CancelToken` that ends it at once by raising `Cancelled`,
    and ``report``, a function that takes `Progress` on the thread that called. A GET is sent again after a dropped
    connection and after 502, 503 and 504, a few times; every request is sent again after a 429, when its
    ``Retry-After`` is over. A POST or PATCH is never sent again once any of it may have arrived.

    A redirect is followed only within the same scheme, host and port, and a POST only where it stays a POST (307,
    308). One exception: while the API is being looked for, before any token or password is sent, a redirect from http
    to https on the same host is taken over for good, and `url` then begins with https.

    Parameters
    ----------
    address : str
        Server, as people type it; see `parse_address`.
    username : str, optional
        Whom the token belongs to.
    token : str, optional
        Token of an earlier login. Without one, call `login`.
    timeouts : Timeouts, optional
        Limits, in seconds.
    concurrency : int
        How many requests may be under way at once.
    program : str
        Name of the program, for the User-Agent; may bring its version: ``"rig/1.2"``.

    Raises
    ------
    ConfigurationError
        If an argument is unusable. Nothing is sent before the first method is called.
    """

    def get(
        self,
        endpoint: str | Sequence[str],
        params: Mapping[str, Any] | None = None,
        *,
        cancel: CancelToken | None = None,
        report: Report | None = None,
        server_time: ServerTime | None = None,
    ) -> Any:
        """Read one record, or one page of a list.

        Parameters
        ----------
        endpoint : str or sequence of str
            ``"subjects"`` or ``"subjects/ea04"``; as a sequence, ``("subjects", nickname)``, any name is safe.
        params : mapping, optional
            Filters. An empty one is refused: the server would ignore it and return everything.
        cancel, report : optional
            See the class.
        server_time : ServerTime, optional
            Takes note of when the answer was sent.

        Returns
        -------
        Any
            The parsed JSON.

        Raises
        ------
        AlyxError
            See `alyx_connector.errors`; `ConfigurationError` for an empty endpoint, identifier or filter.
        Cancelled
            If cancelled.
        """
        return self._ask("GET", endpoint, params=params, cancel=cancel, report=report, server_time=server_time)

    def openapi(self, *, cancel: CancelToken | None = None, report: Report | None = None) -> Any:
        """Read the server's own description of its API, which is below its address, whatever the root of the API.

        Parameters
        ----------
        cancel, report : optional
            See the class.

        Returns
        -------
        Any
            The OpenAPI document, as parsed JSON.

        Raises
        ------
        NotFoundError
            If the server does not describe itself, as an Alyx before 3.0.
        AlyxError
            Whatever else goes wrong; see `alyx_connector.errors`.
        Cancelled
            If cancelled.
        """
        with self._operation(cancel, report) as operation:
            who = self._authenticated()
            operation.report(Progress("get", 0, 1, f"Asking {self.url} what it can answer."))
            answer = self._call(operation, who, Wire("GET", _SCHEMA), root="/")
            operation.report(Progress("get", 1, 1))
            return answer

    def login_page(
        self, *, limit_s: float | None = None, cancel: CancelToken | None = None, report: Report | None = None
    ) -> str:
        """Read the page on which people log in to the server's own forms; anybody may, and no token is sent.

        Parameters
        ----------
        limit_s : float, optional
            How long it may take, in seconds; as long as any other operation if left out.
        cancel, report : optional
            See the class.

        Returns
        -------
        str
            HTML.

        Raises
        ------
        AlyxError
            If there is no such page, and whatever else goes wrong; see `alyx_connector.errors`.
        Cancelled
            If cancelled.
        """
        self.find_server(cancel=cancel, report=report)
        with self._operation(cancel, report, limit_s=limit_s) as operation:
            address, _root = self._find(operation)
            return str(self._caller.call(operation, address, "/", Wire("GET", _LOGIN_PAGE), read=read_page))

    def post(
        self,
        endpoint: str | Sequence[str],
        data: Mapping[str, Any] | Sequence[Any],
        *,
        success: int | None = None,
        cancel: CancelToken | None = None,
        report: Report | None = None,
    ) -> Any:
        """Create a record. Nothing on the server stops a second identical one: see ``maybe_processed`` of errors.

        Parameters
        ----------
        endpoint : str or sequence of str
            See `get`.
        data : mapping or sequence
            The record, sent as JSON.
        success : int, optional
            The only status that is a success: 201 where a record is created. Any from 200 to 299 if left out.
        cancel, report : optional
            See the class. A cancelled request may have been carried out.

        Returns
        -------
        Any
            The record as the server stored it.

        Raises
        ------
        AlyxError
            See `alyx_connector.errors`; `ProtocolError` for another success than the one named.
        Cancelled
            If cancelled.
        """
        return self._ask("POST", endpoint, data=data, success=success, cancel=cancel, report=report)

    def patch(
        self,
        endpoint: str | Sequence[str],
        data: Mapping[str, Any],
        *,
        cancel: CancelToken | None = None,
        report: Report | None = None,
    ) -> Any:
        """Change fields of a record.

        Parameters
        ----------
        endpoint : str or sequence of str
            See `get`.
        data : mapping
            The fields to change, sent as JSON.
        cancel, report : optional
            See the class. A cancelled request may have been carried out.

        Returns
        -------
        Any
            The record as the server stored it.

        Raises
        ------
        AlyxError
            See `alyx_connector.errors`.
        Cancelled
            If cancelled.
        """
        return self._ask("PATCH", endpoint, data=data, cancel=cancel, report=report)

    def delete(
        self, endpoint: Sequence[str], *, cancel: CancelToken | None = None, report: Report | None = None
    ) -> None:
        """Delete one record that this program made by mistake. Never a subject: that would take all of its data along.

        Parameters
        ----------
        endpoint : sequence of str
            Route and id, for example ``("weighings", "<uuid>")``: sessions, weighings and water administrations only.
        cancel, report : optional
            See the class. A cancelled request may have been carried out.

        Raises
        ------
        ConfigurationError
            If it is anything else than one such record.
        NotFoundError
            If there is no such record, perhaps any more.
        AlyxError
            Whatever else goes wrong; see `alyx_connector.errors`.
        Cancelled
            If cancelled.
        """
        self._ask("DELETE", deletable(endpoint), cancel=cancel, report=report)

    def list(
        self,
        endpoint: str | Sequence[str],
        params: Mapping[str, Any] | None = None,
        *,
        page_size: int = 1000,
        cancel: CancelToken | None = None,
        report: Report | None = None,
        server_time: ServerTime | None = None,
    ) -> list[dict[str, Any]]:
        """List an endpoint completely, over all of its pages, several at a time.

        Parameters
        ----------
        endpoint : str or sequence of str
            See `get`.
        params : mapping, optional
            Filters, see `get`; ``limit`` and ``offset`` are ours.
        page_size : int
            Rows to ask for at once, from 2; Alyx gives at most 1000.
        cancel, report : optional
            See the class.
        server_time : ServerTime, optional
            Takes note of when the pages were sent.

        Returns
        -------
        list of dict
            Every row once, in the server's order; empty if there is none.

        Raises
        ------
        ConfigurationError
            If an argument is unusable.
        ProtocolError
            If the list changed each time that it was read, or is no list.
        AlyxError
            Whatever else goes wrong; see `alyx_connector.errors`.
        Cancelled
            If cancelled.
        """
        path = endpoint_path(endpoint)
        filters = checked_params(params)
        if any(name in {"limit", "offset"} for name, _ in filters):
            raise ConfigurationError(
                "limit and offset are not filters of a complete list.",
                hint=Remedy(RemedyKind.LIST_COMPLETELY),
                setting="params",
            )
        if type(page_size) is not int or page_size < 2:
            raise ConfigurationError(
                f"The page size must be a whole number from 2, not {page_size!r}.",
                hint="Leave it out for the usual 1000.",
                setting="page_size",
            )
        with self._operation(cancel, report, server_time) as operation:
            who = self._authenticated()

            def fetch(offset: int, limit: int, stop: CancelToken, tell: Report) -> Any:
                page = [*filters, ("limit", str(limit)), ("offset", str(offset))]
                body = self._call(operation.within(stop, tell), who, Wire("GET", path, page))
                operation.deadline.renew()
                return body

            return list_completely(
                fetch,
                what=f"{unquote(path)} at {self.url}",
                page_size=page_size,
                workers=self._concurrency,
                cancel=operation.cancel,
                report=operation.report,
            )
