"""The one writer: carries out a plan on a project, entry by entry, or leaves the project as it was."""

from __future__ import annotations

import logging
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any, Protocol

from pybpod_alyx_module.sync.details import SYNCED_AT
from pybpod_alyx_module.sync.errors import SyncError
from pybpod_alyx_module.sync.names import fold, same
from pybpod_alyx_module.sync.plan import Action, PlanEntry, SyncPlan

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping

    from pybpod_alyx_module.sync.snapshot import LocalSubject

logger = logging.getLogger(__name__)


class ProjectPort(Protocol):
    """What a sync needs of a project. Every change returns the function that takes it back exactly."""

    def subjects(self) -> tuple[LocalSubject, ...]:
        """Return the project's subjects as they are now, in the project's order."""
        ...

    def names(self) -> Mapping[str, str]:
        """Return the name of each subject by its key, as they are now; cheap."""
        ...

    def read(self, key: str) -> LocalSubject | None:
        """Return one subject as it is now, None where it is gone."""
        ...

    def add(self, name: str, alyx_id: str, record: Mapping[str, Any]) -> Callable[[], None]:
        """Add a subject whose PyBpod uuid4 is ``alyx_id``, with these keys of its file."""
        ...

    def update(self, key: str, name: str, record: Mapping[str, Any]) -> Callable[[], None]:
        """Set these keys of a subject's file, and its name; its other keys stay."""
        ...

    def remove(self, key: str) -> Callable[[], None]:
        """Take a subject out of the project, its setups and its menus."""
        ...


@dataclass(frozen=True)
class Outcome:
    """What became of one entry of a plan."""

    entry: PlanEntry
    #: False where the subject changed after the plan was made, so that the entry was refused.
    applied: bool
    #: A sentence for the user; empty where the entry says it all.
    message: str = ""


def record_of(entry: PlanEntry, server: str, synced_at: str) -> dict[str, Any]:
    """Return the keys of a subject's file that an entry sets.

    Parameters
    ----------
    entry : PlanEntry
        An entry that writes.
    server : str
        Address of the server.
    synced_at : str
        Time of the sync, ISO 8601 with offset.

    Returns
    -------
    dict
        For an addition or override all that Alyx said; for a merge what was missing; otherwise only what changes by
        itself.

    Raises
    ------
    ValueError
        The entry has nothing from Alyx.
    """
    remote = entry.remote
    if remote is None:
        raise ValueError(f"nothing from Alyx to write for {entry.name!r}")
    record = {**remote.volatile.as_dict(), SYNCED_AT: synced_at, "alyx_id": remote.alyx_id, "alyx_server": server}
    if entry.action in {Action.ADD, Action.OVERRIDE}:
        record |= {"nickname": remote.nickname, **remote.details.as_dict()}
    elif entry.action is Action.MERGE:
        record |= {change.field: change.remote for change in entry.differences if change.fillable}
        record |= {"nickname": entry.name}
    return record


def apply_plan(plan: SyncPlan, project: ProjectPort, *, synced_at: str) -> Iterator[Outcome]:
    """Carry out a plan, one entry at each step; closing the generator takes everything back.

    Parameters
    ----------
    plan : SyncPlan
        A plan without open questions. It is applied as it stands.
    project : ProjectPort
        The project.
    synced_at : str
        Time of the sync, ISO 8601 with offset.

    Yields
    ------
    Outcome
        One for each entry, in the plan's order.

    Raises
    ------
    ValueError
        The plan still asks.
    SyncError
        The project refused a change; it is as it was before.
    """
    if plan.of(Action.ASK):
        raise ValueError("the plan has questions without an answer")
    undo: list[Callable[[], None]] = []
    try:
        for entry in plan.entries:
            yield _apply(entry, plan, project, synced_at, undo)
    except BaseException as error:
        _roll_back(undo)
        if isinstance(error, GeneratorExit | SyncError) or not isinstance(error, Exception):
            raise
        raise SyncError(
            f"Subject {entry.name!r}: {error}. The project was left as it was before this sync.",
            hint="Sync again; if it happens again, save the project, restart PyBpod and look into its log.",
        ) from error


def _roll_back(undo: list[Callable[[], None]]) -> None:
    while undo:
        step = undo.pop()
        try:
            step()
        except Exception:
            logger.exception("a change could not be taken back; close the project without saving to keep the file")


def _apply(
    entry: PlanEntry, plan: SyncPlan, project: ProjectPort, synced_at: str, undo: list[Callable[[], None]]
) -> Outcome:
    if entry.action in {Action.CONFLICT, Action.LEFT_ALONE, Action.POSTPONE}:
        return Outcome(entry, applied=True)
    if entry.action is Action.ADD:
        return _add(entry, plan, project, synced_at, undo)
    if entry.local is None:
        raise ValueError(f"no subject of the project to {entry.action.value}")
    now = project.read(entry.local.key)
    if now is None or replace(now, hold="") != replace(entry.local, hold=""):
        return Outcome(entry, applied=False, message="it changed in the project meanwhile: sync again")
    if entry.action is Action.REMOVE:
        if now.hold:
            return Outcome(entry, applied=False, message=f"not removed: {now.hold}")
        undo.append(project.remove(entry.local.key))
        return Outcome(entry, applied=True)
    if entry.action is Action.KEEP and entry.local.server != plan.server:
        return Outcome(entry, applied=True)  # not linked to this server, and to be left so
    name = entry.local.name
    if entry.action is Action.OVERRIDE and entry.remote is not None and not same(name, entry.remote.nickname):
        name = entry.remote.nickname
        if _taken(name, project, but=entry.local.key):
            return Outcome(entry, applied=False, message=f"the name {name!r} was taken meanwhile: sync again")
    undo.append(project.update(entry.local.key, name, record_of(entry, plan.server, synced_at)))
    return Outcome(entry, applied=True)


def _add(
    entry: PlanEntry, plan: SyncPlan, project: ProjectPort, synced_at: str, undo: list[Callable[[], None]]
) -> Outcome:
    record = record_of(entry, plan.server, synced_at)
    if _taken(entry.name, project, but=None):
        return Outcome(
            entry, applied=False, message="a subject of this name came into the project meanwhile: sync again"
        )
    undo.append(project.add(entry.name, record["alyx_id"], record))
    return Outcome(entry, applied=True)


def _taken(name: str, project: ProjectPort, *, but: str | None) -> bool:
    return any(fold(held) == fold(name) and key != but for key, held in project.names().items())
