"""An animal of Alyx on its way into a PyBpod project: the plan of a sync of that one."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pybpod_alyx_module.errors import SyncError
from pybpod_alyx_module.sync.make_plan import differences
from pybpod_alyx_module.sync.names import unusable
from pybpod_alyx_module.sync.plan import Action, PlanEntry, SyncPlan
from pybpod_alyx_module.sync.servers import is_of

if TYPE_CHECKING:
    from collections.abc import Sequence

    from pybpod_alyx_module.sync.snapshot import LocalSubject, RemoteSubject


def plan_of_one(server: str, local: Sequence[LocalSubject], remote: RemoteSubject, key: str = "") -> SyncPlan:
    """Plan to add an animal to a project, or to link a subject of it.

    ``local``: the project's subjects.
    ``key``: names the subject to link; empty to add one.
    Raises SyncError, with nothing changed, where the project cannot take it.
    """
    name, where = remote.nickname, f"{server}, lab {remote.lab or 'unknown'}"
    if not remote.alive:
        day = remote.death_date or "not given"
        raise SyncError(f"{name} ({where}) is not alive on Alyx (death date {day}).", hint="Choose another nickname.")
    if reason := unusable(name):
        raise SyncError(f"{name} ({where}) cannot be in a PyBpod project: {reason}.", hint="Have it renamed on Alyx.")
    linked = [one for one in local if one.alyx_id == remote.alyx_id and is_of(server, one.server, one.url)]
    if linked:
        raise SyncError(
            f"This PyBpod project already has {name} ({where}), as its subject {linked[0].name}.",
            hint="To update it, right-click the project and choose Sync to Alyx.",
        )
    if not key:
        entry = PlanEntry(Action.ADD, name, None, remote)
    else:
        subject = next((one for one in local if one.key == key), None)
        if subject is None or subject.alyx_id is not None:
            why = "left the PyBpod project" if subject is None else "was linked to Alyx"
            raise SyncError(f"The subject {why} meanwhile.", hint="Sync the project: Alyx has the animal.")
        entry = PlanEntry(Action.OVERRIDE, subject.name, subject, remote, differences(subject, remote))
    return SyncPlan(server, name, (entry,))
