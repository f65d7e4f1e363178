"""Fetch all that a sync needs from Alyx, complete and checked, before anything in the project is touched."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from alyx_connector.errors import ProtocolError
from alyx_connector.ids import canonical_id
from alyx_connector.progress import CancelToken
from alyx_connector.schema.source import dialect_of
from alyx_connector.search.filters import make_requests
from pybpod_alyx_module.errors import SyncError
from pybpod_alyx_module.sync.scope import USUAL, Kind, Scope
from pybpod_alyx_module.sync.snapshot import RemoteSnapshot, RemoteSubject

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from alyx_connector.http.client import AlyxClient
    from alyx_connector.progress import Report
    from pybpod_alyx_module.sync.snapshot import LocalSubject

    #: Takes a client and a user; returns whose subjects that user may handle, the user first.
    FindOwners = Callable[[AlyxClient, str, CancelToken], list[str]]

#: Rows of a page: the server's own page size; a row costs it a computation of the water that the subject needs.
PAGE_SIZE: Final = 250


def fetch_remote(
    client: AlyxClient,
    username: str,
    local: Iterable[LocalSubject],
    scope: Scope = USUAL,
    find_owners: FindOwners | None = None,
    *,
    report: Report | None = None,
    cancel: CancelToken | None = None,
) -> RemoteSnapshot:
    """List the subjects in scope, living and dead, and look up those of the project that the list does not hold.

    Parameters
    ----------
    client : AlyxClient
        A connected client.
    username : str
        Who asks.
    local : iterable of LocalSubject
        The project's subjects.
    scope : Scope, optional
        Which subjects; those of the user if left out.
    find_owners : callable, optional
        Says whose subjects the user may handle; needed where these are asked for.
    report : callable, optional
        Takes the progress.
    cancel : CancelToken, optional
        Stops it.

    Returns
    -------
    RemoteSnapshot
        Everything; ``listed`` is empty where there are no such subjects.

    Raises
    ------
    SyncError
        The server does not tell whose subjects the user may handle.
    ProtocolError
        The list did not hold still, a row makes no sense, or others came than were asked for.
    AlyxError
        Whatever else kept the list from arriving complete.
    Cancelled
        It was cancelled.
    """
    owners = [username]
    if scope.kind is Kind.HANDLED and find_owners is not None:
        cancel = cancel or CancelToken()
        if not dialect_of(client, cancel=cancel).tells_allowed_users:
            raise SyncError(
                f"{client.url} does not tell whose animals {username} may handle.",
                hint="Choose the subjects of a lab or of an Alyx project instead.",
            )
        owners = find_owners(client, username, cancel)
    rows: list[Any] = []
    if scope.kind is not Kind.KNOWN:
        rows = client.list("subjects", scope.filters(owners), page_size=PAGE_SIZE, report=report, cancel=cancel)
    listed = tuple(RemoteSubject.from_row(row, client.url) for row in rows)
    strangers = [row["nickname"] for row in rows if not scope.holds(row, owners)]
    if strangers:
        raise ProtocolError(
            f"{client.url} was asked for {scope.words(username)} and also sent others, such as {strangers[0]!r}.",
            hint="Tell whoever runs the Alyx server: it, or a proxy before it, does not filter subjects.",
        )
    listed_ids = {subject.alyx_id for subject in listed}
    # an id that is not canonical comes from a file that a person changed: no server has it
    linked_ids = {subject.alyx_id for subject in local if canonical_id(subject.alyx_id) == subject.alyx_id}
    looked_up: list[RemoteSubject] = []
    for filters in make_requests({"id": sorted(linked_ids - listed_ids - {None})}):
        found = client.list("subjects", filters, report=report, cancel=cancel)
        looked_up.extend(RemoteSubject.from_row(row, client.url) for row in found)
    if scope.kind is Kind.KNOWN:
        return RemoteSnapshot(client.url, username, tuple(looked_up), (), scope)
    return RemoteSnapshot(client.url, username, listed, tuple(looked_up), scope)
