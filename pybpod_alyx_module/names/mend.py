"""Corrects what waits in the outbox with a name from a setting that Alyx does not have, once the setting is correct."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import datetime, timezone
from functools import partial
from typing import TYPE_CHECKING, Any, Final

from pybpod_alyx_module.errors import OutboxError
from pybpod_alyx_module.name_lists import join_names
from pybpod_alyx_module.names.alyx_names import NOUNS
from pybpod_alyx_module.outbox.drafts import checked_values
from pybpod_alyx_module.outbox.items import CORRECTED, State, WaitsFor
from pybpod_alyx_module.outbox.states import Event, held_for_its_user, move

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from pybpod_alyx_module.names.alyx_names import AlyxNames
    from pybpod_alyx_module.outbox.items import Item
    from pybpod_alyx_module.outbox.outbox import Outbox
    from pybpod_alyx_module.rig_settings import SessionSettings

#: In the `origin` of an item: which of its values the settings gave, by field.
FROM_SETTINGS: Final = "settings"


@dataclass(frozen=True)
class Mended:
    """What became of the items whose names the settings gave."""

    #: Those that were corrected.
    items: tuple[Item, ...] = ()
    #: How many have another name than the settings now, of which Alyx has not told whether it has it.
    undecided: int = 0


def names_set(settings: SessionSettings) -> dict[str, Any]:
    """Return the names that the settings give, as items have them; without what is not set."""
    given = {
        "location": settings.location,
        "projects": list(settings.projects or ()),
        "procedures": list(settings.procedures),
        "water_type": settings.water_type,
    }
    return {name: value for name, value in given.items() if value}


def mend_names(outbox: Outbox, settings: SessionSettings, names_of: Callable[[str, str], AlyxNames]) -> Mended:
    """Give items that wait the names that the settings have now, where Alyx has these and not the ones before.

    Left alone: what a person typed or corrected, and what Alyx has: a rig may have been moved to another location.
    ``names_of``: gives the names of a server, for a user of it.
    """
    given = names_set(settings)
    known: dict[tuple[str, str], AlyxNames] = {}
    mended, undecided = [], 0
    for item in outbox.items((State.WAITING, State.PARKED)):
        before = _from_settings(item, given)
        held = item.state is State.PARKED and not item.attempts and item.waits_for is not WaitsFor.USER
        if not before or held:  # for another question
            continue
        if item.account not in known:
            known[item.account] = names_of(*item.account)
        names = known[item.account]
        wrong = {name for name, value in before.items() if names.refused(name, _listed(value))}
        right = {name for name in wrong if not names.refused(name, _listed(given[name]))}
        undecided += not before.keys() - names.partial <= names.fresh or wrong != right
        if right:
            try:
                mended.append(outbox.change(item.key, partial(_corrected, given=given, names=right)))
            except OutboxError:  # somebody else was quicker
                continue
    return Mended(tuple(mended), undecided)


def _from_settings(item: Item, given: Mapping[str, Any]) -> dict[str, Any]:
    # what the item has from the settings that say something else now
    before = item.origin.get(FROM_SETTINGS)
    if not isinstance(before, dict):
        return {}
    return {
        name: value
        for name, value in before.items()
        if name in given and given[name] != value and item.values.get(name) == value
    }


def _corrected(item: Item, given: Mapping[str, Any], names: set[str]) -> Item:
    now = datetime.now(timezone.utc).astimezone()
    lines = [
        f"{now:%Y-%m-%d %H:%M}: {NOUNS[name]} {join_names(_listed(item.values[name]))} became "
        f"{join_names(_listed(given[name]))}, as the settings say now."
        for name in sorted(names)
    ]
    values = {**item.values, **{name: given[name] for name in names}}
    edited = move(item, Event.EDIT, values=checked_values(item.kind, values, item.follows))
    if item.waits_for is WaitsFor.USER:
        edited = held_for_its_user(edited, item.reason)
    earlier = item.origin.get(CORRECTED)
    return replace(edited, origin={**item.origin, CORRECTED: [*(earlier if isinstance(earlier, list) else ()), *lines]})


def _listed(value: Any) -> Sequence[str]:
    return [value] if isinstance(value, str) else value
