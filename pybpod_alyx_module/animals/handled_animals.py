"""Rows of the animals that a user may handle, asked for one responsible user at a time.

Rows of weighings, water and restrictions do not have their subject's id. They name it by nickname, which is the only
one of its responsible user, but not of the server; or by a name that the server makes itself.
"""

from __future__ import annotations

import re
from collections import defaultdict
from typing import TYPE_CHECKING, Any, Final

from alyx_connector.errors import ConfigurationError, ProtocolError
from alyx_connector.schema.source import dialect_of
from pybpod_alyx_module.animals.alyx_access import UntoldError, ask_at_once
from pybpod_alyx_module.animals.alyx_subject import server_name
from pybpod_alyx_module.animals.rows import first_day

if TYPE_CHECKING:
    from collections.abc import Callable

    from alyx_connector.http.client import AlyxClient
    from alyx_connector.http.parallel import Job
    from alyx_connector.progress import CancelToken

    Rows = list[dict[str, Any]]

#: What Alyx allows in a user name; nothing else is put where the server evaluates it.
_USER: Final = re.compile(r"[\w.@+-]+")
_WORKERS: Final = 4
_TELL: Final = "Tell whoever runs the Alyx server."


def list_owners(client: AlyxClient, username: str, cancel: CancelToken) -> list[str]:
    """List whose animals a user may handle: the user's own first, then of those who name this user as allowed.

    Returns: the user alone where the server does not tell allowed users.
    """
    allowed = f"allowed_users__username__in,['{_checked(username)}']"
    if not dialect_of(client, cancel=cancel).tells_allowed_users:
        return [username]
    allowing = client.list("users", {"django": allowed}, cancel=cancel)
    owners = {str(row.get("username")) for row in allowing if username in (row.get("allowed_users") or ())}
    return [username, *sorted(name for name in owners - {username} if _USER.fullmatch(name))]


def may_handle(client: AlyxClient, owner: str, cancel: CancelToken) -> bool:
    """Ask whether the user of the client may handle the subjects of a responsible user.

    Those whom the responsible user allows may, stock managers and superusers. UntoldError where the server does not
    tell whom a user allows.
    """
    username = client.username or ""
    if owner == username:
        return True
    if not dialect_of(client, cancel=cancel).tells_allowed_users:
        raise UntoldError(
            f"{server_name(client.url)} does not tell whether {owner} lets {username} handle their animals."
        )
    found = client.list("users", {"django": f"username__in,['{_checked(owner)}']"}, cancel=cancel)
    allowed = {name for row in found if row.get("username") == owner for name in row.get("allowed_users") or ()}
    return username in allowed or may_handle_all(client, username, cancel)


def may_handle_all(client: AlyxClient, username: str, cancel: CancelToken) -> bool:
    """Ask whether a user may handle every animal, as a stock manager or a superuser."""
    is_user = f"username__in,['{_checked(username)}']"
    for mark in ("is_stock_manager", "is_superuser"):
        rows = client.list("users", {"django": f"{is_user},{mark},True"}, cancel=cancel)
        if any(row.get("username") == username for row in rows):
            return True
    return False


def list_subjects(client: AlyxClient, owner: str, filters: dict[str, str], cancel: CancelToken) -> Rows:
    """List the subjects of a responsible user."""
    rows = client.list("subjects", {"responsible_user": owner, **filters}, cancel=cancel)
    dialect = dialect_of(client, cancel=cancel)
    names = {dialect.subject_name(row) for row in rows if isinstance(row.get("nickname"), str) and row.get("id")}
    if any(row.get("responsible_user") != owner for row in rows) or len(names) != len(rows):
        raise ProtocolError(f"{client.url} was asked for the subjects of {owner} and sent others.", hint=_TELL)
    return rows


def can_be_asked_about(row: dict[str, Any]) -> bool:
    """Tell whether the responsible user of a subject's row can be named where the server evaluates it."""
    return _USER.fullmatch(str(row.get("responsible_user") or "")) is not None


def rows_of_each(
    client: AlyxClient, owner: str, endpoint: str, time_field: str | None
) -> Callable[[CancelToken], Callable[[dict[str, Any]], Rows]]:
    """Make the request for the rows of a responsible user's animals.

    Returns: it answers with a function that takes an animal's own row and returns the rows that name it. Sessions name
    it by its nickname alone, which on some servers animals of two labs may share.
    ``time_field``: the field that tells when a row is of: the last days are asked for; None asks for all.
    """
    django = f"subject__responsible_user__username__in,['{_checked(owner)}']"
    if time_field:
        django += f",{time_field}__date__gte,{first_day()}"

    def fetch(cancel: CancelToken) -> Callable[[dict[str, Any]], Rows]:
        dialect, rows = dialect_of(client, cancel=cancel), defaultdict[str, "Rows"](list)
        for row in client.list(endpoint, {"django": django}, cancel=cancel):
            rows[str(row.get("subject"))].append(row)
        if endpoint == "sessions":
            return lambda animal: rows[str(animal["nickname"])]
        return lambda animal: rows[dialect.subject_name(animal)]

    return fetch


def fetch_all(cancel: CancelToken, *requests: Callable[[CancelToken], Any]) -> list[Any]:
    """Send some requests at the same time, and return their answers; the first error ends them all."""

    def job(request: Callable[[CancelToken], Any]) -> Job:
        return lambda stop, _report: request(stop)

    gathered = ask_at_once(
        cancel,
        *map(job, requests),
        workers=_WORKERS,
        until=lambda outcome: not isinstance(outcome, Exception),
    )
    for outcome in gathered.outcomes:
        if isinstance(outcome, Exception):
            raise outcome
    if gathered.stopped is not None:
        raise gathered.stopped
    return gathered.outcomes


def _checked(username: str) -> str:
    if not _USER.fullmatch(username):
        raise ConfigurationError(
            f"{username!r} is not a valid user name on Alyx.",
            hint="Log in again with user and password.",
            setting="username",
        )
    return username
