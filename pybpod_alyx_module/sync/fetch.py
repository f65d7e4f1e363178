"""Fetch all that a sync needs from Alyx, complete and checked, before anything in the project is touched."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from alyx_connector.errors import ProtocolError
from alyx_connector.ids import canonical_id
from alyx_connector.search.filters import make_requests
from pybpod_alyx_module.sync.snapshot import RemoteSnapshot, RemoteSubject

if TYPE_CHECKING:
    from collections.abc import Iterable

    from alyx_connector.http.client import AlyxClient
    from alyx_connector.progress import CancelToken, Report
    from pybpod_alyx_module.sync.snapshot import LocalSubject

#: Rows of a page: the server's own page size; a row costs it a computation of the water that the subject needs.
PAGE_SIZE: Final = 250


def fetch_remote(
    client: AlyxClient,
    responsible_user: str,
    local: Iterable[LocalSubject],
    *,
    report: Report | None = None,
    cancel: CancelToken | None = None,
) -> RemoteSnapshot:
    """List the subjects of a user, living and dead, and look up those of the project that the list does not hold.

    Parameters
    ----------
    client : AlyxClient
        A connected client.
    responsible_user : str
        The scope.
    local : iterable of LocalSubject
        The project's subjects.
    report : callable, optional
        Takes the progress.
    cancel : CancelToken, optional
        Stops it.

    Returns
    -------
    RemoteSnapshot
        Everything; ``listed`` is empty where the user has no subjects.

    Raises
    ------
    ProtocolError
        The list did not hold still, a row makes no sense, or subjects of others came.
    AlyxError
        Whatever else kept the list from arriving complete.
    Cancelled
        It was cancelled.
    """
    rows = client.list(
        "subjects", {"responsible_user": responsible_user}, page_size=PAGE_SIZE, report=report, cancel=cancel
    )
    listed = tuple(RemoteSubject.from_row(row, client.url) for row in rows)
    strangers = [subject.nickname for subject in listed if subject.responsible_user != responsible_user]
    if strangers:
        raise ProtocolError(
            f"{client.url} was asked for the subjects of {responsible_user} and also sent others, such as "
            f"{strangers[0]!r}.",
            hint="Tell whoever runs the Alyx server: it, or a proxy before it, does not filter by responsible user.",
        )
    listed_ids = {subject.alyx_id for subject in listed}
    # an id that is not canonical comes from a file that a person changed: no server has it
    linked_ids = {subject.alyx_id for subject in local if canonical_id(subject.alyx_id) == subject.alyx_id}
    looked_up: list[RemoteSubject] = []
    for filters in make_requests({"id": sorted(linked_ids - listed_ids - {None})}):
        found = client.list("subjects", filters, report=report, cancel=cancel)
        looked_up.extend(RemoteSubject.from_row(row, client.url) for row in found)
    return RemoteSnapshot(client.url, responsible_user, listed, tuple(looked_up))
