"""What a person's word that it was another animal changes in other items than the move itself. Pure."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pybpod_alyx_module.errors import OutboxError
from pybpod_alyx_module.outbox.items import MOVES, OPEN, Kind, State
from pybpod_alyx_module.outbox.states import Event, allowed, move, why_not
from pybpod_alyx_module.outbox.words import describe

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Mapping, Sequence
    from datetime import datetime
    from typing import Any

    from pybpod_alyx_module.outbox.items import Item


def check_nothing_waits(waiting: Iterable[Item], keys: Collection[str], records: Collection[str]) -> None:
    """Raise OutboxError where something of records that are to be given to another animal still waits.

    ``waiting``: all that still has to reach Alyx.
    ``keys``: of the items that made the records.
    ``records``: their ids on Alyx.
    """
    for item in waiting:
        if item.key in keys or item.follows in keys or item.values.get("id") in records:
            words = f"{describe(item)} still waits in the Alyx outbox."
            raise OutboxError(words, hint="Move the session when that has been sent.")


def taken_back(items: Iterable[Item], given_up: Item, now: datetime) -> list[Item]:
    """Return what changes with a move that is given up: all stays with the animal that has it on Alyx.

    ``items``: all that the outbox has.
    ``given_up``: the move of a session, with what follows it, or of water alone; as it was before.
    """
    items = list(items)
    old = str(given_up.values["from_id"]), str(given_up.values["from_name"])
    following = [item for item in items if item.follows == given_up.key and item.state in OPEN]
    records = {item.values["id"] for item in (given_up, *following) if item.kind in MOVES}
    made = [
        item
        for item in items
        if item.state is State.SENT
        and item.server_id in records
        and item.kind not in MOVES
        and item.animal == given_up.animal
    ]
    weights = [item for item in following if item.kind is Kind.WEIGHING]
    return [
        *(move(item, Event.GIVE_BACK, subject=old, now=now) for item in (*made, *weights)),
        *(move(item, Event.DISCARD) for item in following if item not in weights),
    ]


def reassigned(
    items: Sequence[Item], key: str, subject: tuple[str, str], values: Mapping[str, Any], weights: Collection[str]
) -> list[Item]:
    """Return a session that still waits, and what goes with it, as they are once a person gave them to another animal.

    Raises OutboxError where one of them may be on Alyx, or is being sent.

    ``items``: all that the outbox has.
    ``key``: of the session.
    ``subject``: id and name of the animal.
    ``values``: the values of the session that change with it.
    ``weights``: keys of weighings of the same animal; one that is on Alyx is withdrawn there, once the session is.
    """
    changed = []
    for item in items:
        if item.key in weights and item.state is State.SENT:
            changed.append(move(item, Event.REMAKE, subject=subject, follows=key))
        elif item.key in {key, *weights} or (item.follows == key and item.state in OPEN):
            if Event.EDIT not in allowed(item):
                words = f"{describe(item)} cannot be given to another animal. {why_not(item, Event.EDIT)}"
                raise OutboxError(words, hint="Choose Move to another animal… again in a moment.")
            new = {**item.values, **values} if item.key == key else None
            changed.append(move(item, Event.REASSIGN, subject=subject, values=new))
    return changed
