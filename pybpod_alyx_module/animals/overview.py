"""One animal now: as whom one writes about it, what Alyx says of it, and what the outbox holds of it."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass, replace
from types import MappingProxyType
from typing import TYPE_CHECKING

from alyx_connector.errors import AlyxError
from alyx_connector.zones.lab_zones import last_zone
from alyx_connector.zones.moments import lab_zone
from pybpod_alyx_module.animals.alyx_access import fetch_with_unsent, find_client
from pybpod_alyx_module.animals.rows import day_in, new_day_note
from pybpod_alyx_module.animals.subject_state import PARTS, SubjectState, fetch_state, fetch_water_types
from pybpod_alyx_module.animals.unsent import with_unsent
from pybpod_alyx_module.errors import OutboxError
from pybpod_alyx_module.outbox.items import OPEN

if TYPE_CHECKING:
    from alyx_connector.progress import CancelToken
    from pybpod_alyx_module.animals.alyx_access import AlyxAccess
    from pybpod_alyx_module.animals.alyx_subject import AlyxSubject
    from pybpod_alyx_module.outbox.items import Item
    from pybpod_alyx_module.outbox.outbox import Outbox


@dataclass(frozen=True)
class AnimalOverview:
    """What Alyx and the outbox say of an animal now."""

    #: As whom something is written about it, empty if nobody was ever connected there.
    username: str
    #: As Alyx says, and what the outbox holds counted in.
    state: SubjectState
    #: What the outbox holds of it.
    unsent: tuple[Item, ...] = ()
    #: Why the outbox could not be read, empty if it could.
    outbox_problem: str = ""
    #: The types of water on Alyx, None if they did not arrive.
    water_types: tuple[str, ...] | None = None
    #: What is said once for the server and the animal's lab, usually empty.
    day_note: str = ""
    #: Whether nobody has said who is at the rig: that is asked after the record.
    asks_who: bool = False

    @property
    def not_checked(self) -> tuple[str, ...]:
        """Why something is missing that another try may bring, each reason once."""
        state = self.state
        untold = {*state.untold, "handling"}  # which has a sentence of its own
        return tuple(dict.fromkeys(why for part, why in state.not_checked.items() if part not in untold))

    @property
    def handling_sentence(self) -> str:
        """Why this user may perhaps not handle the animal, empty if nothing speaks against it."""
        state = self.state
        if state.may_handle is False:
            return not_allowed(state, self.username)
        if state.may_handle or not state.responsible_user or not self.username:
            return ""
        return (
            f"{state.responsible_user} is responsible for {state.name}. {state.not_checked.get('handling', '')}".strip()
        )


def not_allowed(state: SubjectState, username: str) -> str:
    """Say that a user may not handle an animal."""
    owner = state.responsible_user
    return f"{owner} is responsible for {state.name} and does not let {username} handle it."


def unknown_state(animal: AlyxSubject, reason: str, username: str = "") -> SubjectState:
    """Return the state of an animal of which nothing could be asked; whose it is says the project's copy.

    ``username``: who asks.
    """
    zone = last_zone(animal.server, animal.lab)
    reasons = MappingProxyType(dict.fromkeys(PARTS, reason))
    state = SubjectState(animal.subject_id, animal.name, reasons, lab=animal.lab, lab_zone=zone, day=day_in(zone))
    return _with_copy(state, animal, username or animal.alyx_user)


def _with_copy(state: SubjectState, animal: AlyxSubject, username: str) -> SubjectState:
    owner = animal.responsible_user
    if state.found is not None or not owner or not username:
        return state
    reasons = dict(state.not_checked)
    if owner == username:
        del reasons["handling"]
    else:
        age = _age(animal.copy.as_of)
        reasons["handling"] = (
            f"That is from the project's copy{age}. Whether {owner} lets {username} handle it cannot be asked now."
        )
    return replace(
        state,
        may_handle=True if owner == username else None,
        responsible_user=owner,
        not_checked=MappingProxyType(reasons),
    )


def _age(day: str) -> str:
    try:
        days = (dt.datetime.now().astimezone().date() - dt.date.fromisoformat(day)).days
    except ValueError:
        return ""
    return f" of {day} ({days} day{'' if days == 1 else 's'} old)" if days > 0 else " of today"


def unsent_items(outbox: Outbox, animal: AlyxSubject, dialog: str = "") -> tuple[Item, ...]:
    """Return what the outbox holds of an animal that is not on Alyx yet; in order, empty if there is nothing.

    ``dialog``: the one that asks; what it has put there itself is left out.
    """
    return tuple(
        item
        for item in outbox.items(states=OPEN, subject=animal.subject_id)
        if item.server == animal.server and not (dialog and item.origin.get("dialog") == dialog)
    )


def fetch_overview(
    access: AlyxAccess,
    animal: AlyxSubject,
    *,
    deadline_s: float,
    cancel: CancelToken,
    water_types: bool = False,
    dialog: str = "",
) -> AnimalOverview:
    """Ask Alyx and the outbox about an animal.

    Returns: whatever could not be asked has its reason in it.
    ``deadline_s``: seconds that Alyx has to answer.
    ``water_types``: whether to ask for the types of water, too.
    ``dialog``: the one that asks: what it has put into the outbox itself does not count.
    """
    problem = ""

    def read_unsent() -> tuple[Item, ...]:
        nonlocal problem
        try:
            items, problem = unsent_items(access.open(), animal, dialog), ""
        except OutboxError as error:
            items, problem = (), str(error)
        return items

    username, client, reason = find_client(access, animal.server, animal.alyx_user)
    if client is None:
        unsent = read_unsent()
        state = unknown_state(animal, reason, username)
        return AnimalOverview(username, _with_unsent(state, unsent), unsent, problem)
    state, unsent = fetch_with_unsent(
        lambda: fetch_state(
            client, animal.subject_id, name=animal.name, lab=animal.lab, cancel=cancel, deadline_s=deadline_s
        ),
        read_unsent,
    )
    state = _with_copy(state, animal, username)
    types = None
    if water_types and state.found is not None:
        try:
            types = fetch_water_types(client, cancel=cancel)
        except AlyxError:
            types = None
    note = new_day_note(client, state.lab, lab_zone(state.lab_zone), cancel) if state.found and dialog else ""
    return AnimalOverview(username, _with_unsent(state, unsent), unsent, problem, types, note)


def _with_unsent(state: SubjectState, unsent: tuple[Item, ...]) -> SubjectState:
    return with_unsent(state, unsent, dt.datetime.now().astimezone().date())
