"""Which items may be sent now: in order for each subject. Pure."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pybpod_alyx_module.outbox.items import State

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from pybpod_alyx_module.outbox.items import Item

#: States of an item that hold up what follows it.
_UNDER_WAY = (State.WAITING, State.SENDING, State.UNSURE)


def heads(items: Iterable[Item], followed: Mapping[str, Item]) -> list[Item]:
    """Return the items that nothing before them holds up, one for each subject at most.

    An item that is waiting, being sent or unsure holds up the later ones of its subject. A parked one holds up only
    those that follow it, and these hold up nobody.

    Parameters
    ----------
    items : iterable of Item
        All that still have to reach Alyx, in the order in which they were added.
    followed : mapping of str to Item
        By key: the items that others follow, whatever their state.

    Returns
    -------
    list of Item
        In the order in which they were added.
    """
    taken = set()
    ready = []
    for item in items:
        first = followed.get(item.follows or "")
        if item.state is State.PARKED or item.animal in taken or waits_for_a_person(item, first):
            continue
        taken.add(item.animal)
        if first is None or first.state not in _UNDER_WAY:
            ready.append(item)
    return ready


def waits_for_a_person(item: Item, first: Item | None) -> bool:
    """Tell whether an item waits for one that is parked.

    Parameters
    ----------
    item : Item
        The item.
    first : Item, optional
        The one that it follows.

    Returns
    -------
    bool
        False once it was sent itself.
    """
    return item.state is State.WAITING and first is not None and first.state is State.PARKED
