"""Fetch all that a sync needs from Alyx, complete and checked, before anything in the project is touched."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final
from uuid import UUID

from alyx_connector.errors import ProtocolError
from pybpod_alyx_module.sync.snapshot import RemoteSnapshot, RemoteSubject

if TYPE_CHECKING:
    from collections.abc import Iterable

    from alyx_connector.http.client import AlyxClient
    from alyx_connector.progress import CancelToken, Report
    from pybpod_alyx_module.sync.snapshot import LocalSubject

#: Ids in one look-up: more would make the URL longer than the 4094 characters that Alyx takes.
IDS_PER_REQUEST: Final = 80

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
        Is told the progress.
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
            f"{client.url} was asked for the subjects of {responsible_user} and sent others too, {strangers[0]!r} say.",
            hint="Tell who runs the server: it or something before it does not filter by responsible user.",
        )
    known = {subject.alyx_id for subject in listed}
    wanted = {subject.alyx_id for subject in local if subject.alyx_id is not None and _is_uuid(subject.alyx_id)}
    missing = sorted(wanted - known)
    looked_up: list[RemoteSubject] = []
    for start in range(0, len(missing), IDS_PER_REQUEST):
        ids = ",".join(f"'{alyx_id}'" for alyx_id in missing[start : start + IDS_PER_REQUEST])
        found = client.list("subjects", {"django": f"pk__in,[{ids}]"}, report=report, cancel=cancel)
        looked_up.extend(RemoteSubject.from_row(row, client.url) for row in found)
    return RemoteSnapshot(client.url, responsible_user, listed, tuple(looked_up))


def _is_uuid(text: str) -> bool:
    try:
        return str(UUID(text)) == text
    except ValueError:
        return False
