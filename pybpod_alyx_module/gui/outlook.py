"""How much waits in the outbox, and of which animals. No Qt."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from pybpod_alyx_module.errors import OutboxError
from pybpod_alyx_module.outbox.drafts import checked_server
from pybpod_alyx_module.outbox.items import OPEN, Counts, State

if TYPE_CHECKING:
    from collections.abc import Sequence

    from pybpod_alyx_module.outbox.items import Item


@dataclass(frozen=True)
class Outlook:
    """How the outbox stood when it was last read."""

    #: How many items have yet to reach Alyx.
    counts: Counts = field(default_factory=Counts)
    #: How many of them get no further without a person.
    needing: int = 0
    #: Server and Alyx id of the animals that they are of.
    animals: frozenset[tuple[str, str]] = frozenset()
    #: Why it cannot be read or sent; empty where it can.
    problem: str = ""
    #: What the user must know about the file, until `RunningOutbox.acknowledge`.
    notes: tuple[str, ...] = ()
    #: Server and user of what was recorded in this PyBpod and waits until somebody says who recorded it.
    unclaimed: tuple[tuple[str, str], ...] = ()
    #: How often something was recorded or changed before anybody said who is at the rig.
    times_unclaimed: int = 0

    @classmethod
    def of(cls, items: Sequence[Item]) -> Outlook:
        """Count what has yet to reach Alyx.

        ``items``: the open ones.
        """
        number = {state: sum(item.state is state for item in items) for state in OPEN}
        counts = Counts(number[State.WAITING], number[State.SENDING], number[State.UNSURE], number[State.PARKED])
        needing = sum(item.needs_person for item in items)
        return cls(counts, needing, frozenset(item.animal for item in items))

    def hold(self, server: str | None, subject_id: str) -> str:
        """Say why an animal must stay in a PyBpod project; empty where nothing of it waits."""
        if server is None:
            return ""
        try:
            animal = checked_server(server), subject_id
        except OutboxError:
            return ""  # nothing is ever sent to what is not an address
        if animal in self.animals:
            return "items of it still wait in the Alyx outbox to be sent"
        if self.problem and not self.counts.open:
            return "the Alyx outbox cannot be read, and items of it may wait there"
        return ""
