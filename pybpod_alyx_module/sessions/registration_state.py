"""Whether a session is on Alyx, waits to be sent, or is not registered: what PyBpod's tree shows."""

from __future__ import annotations

import socket
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from pybpod_alyx_module.outbox.items import State
from pybpod_alyx_module.outbox.words import reason_words

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from pybpod_alyx_module.outbox.items import Item
    from pybpod_alyx_module.sessions.registration_note import Registration


@dataclass(frozen=True)
class RegistrationState:
    """Whether and where a session is registered."""

    #: The newest that was not given up; None where there is none.
    registration: Registration | None = None
    #: Items of the outbox, by key, as last read.
    items: Mapping[str, Item] = field(default_factory=dict, hash=False)
    #: Why it cannot be found out; empty where it can.
    problem: str = ""

    @property
    def sent(self) -> bool:
        """Whether it is on Alyx."""
        return self.registration is not None and self.registration.session_id is not None

    @property
    def pending(self) -> bool:
        """Whether it waits in the outbox of this computer."""
        return (
            self.registration is not None
            and self.registration.session_id is None
            and self.registration.host == socket.gethostname()
        )

    @property
    def words(self) -> str:
        """What the tree shows of it; empty where it is not registered."""
        found = self.registration
        if self.problem or found is None:
            return self.problem
        if found.session_id is not None:
            return f"On Alyx: {found.server}, session {found.session_id}"
        if not self.pending:
            return f"Waiting in the Alyx outbox of the computer {found.host}, for {found.server}"
        item = self.items.get(found.key)
        why = f"\n{reason_words(item)}" if item is not None and reason_words(item) else ""
        return f"Waiting in the Alyx outbox, for {found.server}{why}"


def registration_state(registrations: Sequence[Registration], items: Mapping[str, Item]) -> RegistrationState:
    """Work out whether and where a session is registered.

    ``items``: items of the outbox by key, as far as they were read.
    """
    valid = [one for one in registrations if one.key not in items or items[one.key].state is not State.DISCARDED]
    newest = max(valid, key=lambda one: one.registered_at, default=None)
    return RegistrationState(newest, dict(items))
