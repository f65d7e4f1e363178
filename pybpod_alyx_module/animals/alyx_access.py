"""How the questions about animals reach Alyx and the outbox: as whom, several at once, and without a gap between."""

from __future__ import annotations

import weakref
from typing import TYPE_CHECKING, Any, Final, Protocol, TypeVar

from alyx_connector.errors import AlyxError, ConfigurationError, ProtocolError
from alyx_connector.http.parallel import gather
from pybpod_alyx_module.animals.alyx_subject import server_name
from pybpod_alyx_module.remedies import explain

if TYPE_CHECKING:
    from collections.abc import Callable

    from alyx_connector.http.client import AlyxClient
    from alyx_connector.http.parallel import Gathered, Job
    from alyx_connector.progress import CancelToken
    from pybpod_alyx_module.outbox.items import Item
    from pybpod_alyx_module.outbox.outbox import Outbox

    T = TypeVar("T")

#: How often Alyx is asked again where an item of the outbox reached it in between.
_ROUNDS: Final = 2
_TELL: Final = "Tell whoever runs the Alyx server."

#: What a server cannot tell of any animal, by client: as long as PyBpod runs, it is not asked again.
_UNTOLD: Final[weakref.WeakKeyDictionary[AlyxClient, frozenset[str]]] = weakref.WeakKeyDictionary()


class UntoldError(ConfigurationError):
    """The server cannot tell something of any animal: nothing is wrong with this one, and nothing is to be done."""


class AlyxAccess(Protocol):
    """What of the running outbox is used here."""

    def open(self) -> Outbox:
        """Open the outbox."""

    def account_for(self, server: str, alyx_user: str) -> str:
        """Say as whom something is written."""

    def client(self, server: str, username: str) -> AlyxClient:
        """Return a client that is logged in."""


def nobody_logged_in(server: str) -> str:
    """Say that nobody was ever connected to a server."""
    return f"Nobody is logged in at {server_name(server)}. Right-click the project, choose Sync to Alyx, and connect."


def no_minimum_weights(server: str) -> str:
    """Say that a server tells the minimum weight of no animal."""
    return f"{server_name(server)} does not tell minimum weights."


def find_client(access: AlyxAccess, server: str, alyx_user: str) -> tuple[str, AlyxClient | None, str]:
    """Find out as whom something is asked and written at a server.

    Returns: the user, empty if nobody was ever connected there; a client, None if nothing can be asked now; and
    why not, a sentence.
    ``alyx_user``: the Alyx user who is logged in to the PyBpod project, empty if none is.
    """
    username = alyx_user
    try:
        username = access.account_for(server, alyx_user)
        if not username:
            return "", None, nobody_logged_in(server)
        return username, access.client(server, username), ""
    except AlyxError as error:
        return username, None, explain(error)


def fetch_subject_row(client: AlyxClient, subject_id: str, cancel: CancelToken) -> dict[str, Any] | None:
    """Ask for the row of ``/subjects`` of an Alyx id; None where the server has none, or shows none to this user.

    Returns: of that very subject, with a nickname, and it says whether the subject is alive.
    """
    rows = client.list("subjects", {"django": f"pk,{subject_id}"}, cancel=cancel)
    if not rows:
        return None
    row = rows[0]
    nickname = row.get("nickname")
    if len(rows) > 1 or row.get("id") != subject_id or not isinstance(nickname, str) or not nickname:
        raise ProtocolError(f"{client.url} sent another subject than the one that was asked for.", hint=_TELL)
    if not isinstance(row.get("alive"), bool):
        raise ProtocolError(f"{client.url} does not say whether {nickname} is alive.", hint=_TELL)
    return row


def check_only_one(client: AlyxClient, subject_id: str, nickname: str, cancel: CancelToken) -> None:
    """Raise a ConfigurationError unless this subject alone has that nickname now: an answer by nickname is its own."""
    rows = client.list("subjects", {"nickname": nickname}, cancel=cancel)
    if [row.get("id") for row in rows] == [subject_id]:
        return
    if len(rows) > 1:
        labs = ", ".join(sorted(str(row.get("lab")) for row in rows))
        raise ConfigurationError(
            f"{client.url} has {len(rows)} subjects called {nickname} (labs: {labs}) and cannot give weight and water "
            "of one of them.",
            hint="Have one of them renamed on Alyx.",
        )
    raise ConfigurationError(f"The subject {nickname} was renamed on {client.url} a moment ago.", hint="Try again.")


def is_untold(client: AlyxClient, what: str) -> bool:
    """Tell whether a server was found unable to tell something of any animal."""
    return what in _UNTOLD.get(client, ())


def note_untold(client: AlyxClient, what: str) -> None:
    """Take note that a server cannot tell something of any animal."""
    _UNTOLD[client] = _UNTOLD.get(client, frozenset()) | {what}


def ask_at_once(cancel: CancelToken, *jobs: Job, workers: int, until: Callable[[Any], bool]) -> Gathered:
    """Carry out some requests at the same time.

    ``until``: takes what came of each request; False ends the others.
    """
    return gather(jobs, workers=workers, cancel=cancel, report=lambda _progress: None, arrived=until)


def fetch_with_unsent(
    fetch: Callable[[], T], read_unsent: Callable[[], tuple[Item, ...]]
) -> tuple[T, tuple[Item, ...]]:
    """Ask Alyx, and read what the outbox holds besides; asked again where an item reached Alyx in between.

    Returns: what Alyx answered, and the items that are not in that answer.
    """
    before = read_unsent()
    for _round in range(_ROUNDS):
        answer = fetch()
        unsent = read_unsent()
        still_there = {item.key for item in unsent}
        if all(item.key in still_there for item in before):
            break
        before = unsent  # one reached Alyx meanwhile: it may be in this answer, or not
    return answer, unsent
