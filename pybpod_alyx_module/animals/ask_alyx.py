"""What windows ask of Alyx and of the outbox about an animal, in threads. No Qt."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass
from types import MappingProxyType
from typing import TYPE_CHECKING, Any, Final, Protocol

from alyx_connector.errors import AlyxError
from pybpod_alyx_module.animals.subject_state import PARTS, SubjectState, fetch_state, fetch_water_types
from pybpod_alyx_module.animals.unsent import with_unsent
from pybpod_alyx_module.animals.water_table import fetch_others
from pybpod_alyx_module.errors import OutboxError
from pybpod_alyx_module.outbox.items import OPEN

if TYPE_CHECKING:
    from collections.abc import Callable

    from alyx_connector.http.client import AlyxClient
    from alyx_connector.progress import CancelToken, Report
    from pybpod_alyx_module.animals.alyx_subject import Target
    from pybpod_alyx_module.animals.weight_plausibility import OtherAnimal
    from pybpod_alyx_module.outbox.items import Item
    from pybpod_alyx_module.outbox.outbox import Outbox

#: How often it is asked again where an item of the outbox reached Alyx in between.
_ROUNDS: Final = 2


class Desk(Protocol):
    """What of the running outbox is used here."""

    def open(self) -> Outbox:
        """Open the outbox."""

    def account_for(self, server: str, alyx_user: str) -> str:
        """Say as whom something is written."""

    def client(self, server: str, username: str) -> AlyxClient:
        """Return a client that is logged in."""


@dataclass(frozen=True)
class Asked:
    """What is known of an animal now."""

    #: As whom something is written about it; empty where nobody was ever connected there.
    username: str
    #: As Alyx says, and what the outbox holds counted in.
    state: SubjectState
    #: What the outbox holds of it.
    unsent: tuple[Item, ...] = ()
    #: Why the outbox could not be read; empty where it could.
    outbox_problem: str = ""
    #: The types of water on Alyx; None where they did not arrive.
    water_types: tuple[str, ...] | None = None

    @property
    def not_checked(self) -> tuple[str, ...]:
        """Why something is not known, each reason once."""
        return tuple(dict.fromkeys(self.state.not_checked.values()))


def nobody_at(where: str) -> str:
    """Say that nobody was ever connected to a server."""
    return f"Nobody is logged in at {where}. Right-click the project, choose Sync to Alyx, and connect."


def log_in(desk: Desk, server: str, alyx_user: str) -> tuple[str, AlyxClient | None, str]:
    """Find out as whom something is asked and written at a server.

    Returns: the user, empty where nobody was ever connected there; a client, None where nothing can be asked now; and
    why not, a sentence.
    ``alyx_user``: the Alyx user who is logged in to the PyBpod project; empty where none is.
    """
    username = alyx_user
    try:
        username = desk.account_for(server, alyx_user)
        if not username:
            return "", None, nobody_at(server.partition("://")[2])
        return username, desk.client(server, username), ""
    except AlyxError as error:
        return username, None, str(error)


def unknown_state(target: Target, reason: str) -> SubjectState:
    """Return the state of an animal of which nothing could be asked."""
    return SubjectState(target.subject_id, target.name, MappingProxyType(dict.fromkeys(PARTS, reason)))


def unsent_of(outbox: Outbox, target: Target) -> tuple[Item, ...]:
    """Return what the outbox holds of an animal that is not on Alyx yet.

    Parameters
    ----------
    outbox : Outbox
        The outbox.
    target : Target
        The animal.

    Returns
    -------
    tuple of Item
        In order; empty where there is nothing.

    Raises
    ------
    OutboxError
        If the outbox cannot be read.
    """
    return tuple(item for item in outbox.items(states=OPEN, subject=target.subject_id) if item.server == target.server)


def ask(desk: Desk, target: Target, *, deadline_s: float, cancel: CancelToken, water_types: bool = False) -> Asked:
    """Ask for an animal: as whom one writes, what Alyx says, what the outbox holds.

    Parameters
    ----------
    desk : Desk
        The running outbox.
    target : Target
        The animal.
    deadline_s : float
        Seconds that Alyx has to answer.
    cancel : CancelToken
        Stops it.
    water_types : bool
        Whether the types of water are asked for, too.

    Returns
    -------
    Asked
        Whatever could not be asked has its reason in it.

    Raises
    ------
    Cancelled
        If cancelled.
    """
    username, client, problem = log_in(desk, target.server, target.alyx_user)
    if client is None:
        unsent, trouble = _unsent(desk, target)
        return Asked(username, _counted(unknown_state(target, problem), unsent), unsent, trouble)
    before, _trouble = _unsent(desk, target)
    for _round in range(_ROUNDS):
        state = fetch_state(client, target.subject_id, name=target.name, cancel=cancel, deadline_s=deadline_s)
        unsent, trouble = _unsent(desk, target)
        still = {item.key for item in unsent}
        if all(item.key in still for item in before):
            break
        before = unsent  # one reached Alyx meanwhile: whether it is in this answer cannot be told
    types = None
    if water_types and state.found is not None:
        try:
            types = fetch_water_types(client, cancel=cancel)
        except AlyxError:
            types = None
    return Asked(username, _counted(state, unsent), unsent, trouble, types)


def asking(
    desk: Desk, target: Target, *, deadline_s: float, water_types: bool = False
) -> Callable[[Report, CancelToken], Asked]:
    """Make the work that asks for an animal, see `ask`.

    Returns: work for a task; returns an `Asked`.
    ``water_types``: whether the types of water are asked for, too.
    """

    def work(report: Report, cancel: CancelToken) -> Asked:
        del report
        return ask(desk, target, deadline_s=deadline_s, cancel=cancel, water_types=water_types)

    return work


def asking_others(desk: Desk, target: Target, username: str) -> Callable[[Report, CancelToken], Any]:
    """Make the work that asks for the other animals of the user.

    Returns: work for a task; returns a tuple of `OtherAnimal`.
    """

    def work(report: Report, cancel: CancelToken) -> tuple[OtherAnimal, ...]:
        del report
        found = fetch_others(desk.client(target.server, username), username, cancel=cancel)
        return tuple(one for one in found if one.subject_id != target.subject_id)

    return work


def _unsent(desk: Desk, target: Target) -> tuple[tuple[Item, ...], str]:
    try:
        return unsent_of(desk.open(), target), ""
    except OutboxError as error:
        return (), str(error)


def _counted(state: SubjectState, unsent: tuple[Item, ...]) -> SubjectState:
    return with_unsent(state, unsent, dt.datetime.now().astimezone().date())
