"""The one writer: carries out a plan on a project, entry by entry, or leaves the project as it was."""

from __future__ import annotations

import json
import logging
from collections import Counter
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any, Final, Protocol

from pybpod_alyx_module.errors import NotTakenBackError, SyncError
from pybpod_alyx_module.sync.audit import SUBJECT_CHANGES
from pybpod_alyx_module.sync.details import SYNCED_AT
from pybpod_alyx_module.sync.names import fold
from pybpod_alyx_module.sync.plan import Action, Change, PlanEntry, SubjectCopy, SyncPlan
from pybpod_alyx_module.sync.servers import is_of

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping, Sequence

    from pybpod_alyx_module.sync.audit import Row
    from pybpod_alyx_module.sync.last_sync import LastSync
    from pybpod_alyx_module.sync.plan import Former, Place
    from pybpod_alyx_module.sync.snapshot import LocalSubject

logger = logging.getLogger(__name__)

#: What takes subjects out of the project, before others take their names.
_FREE_NAMES: Final = (Action.REMOVE, Action.TAKE_OUT)


class ProjectPort(Protocol):
    """What a sync needs of a project. Every change returns the function that takes it back exactly."""

    def subjects(self) -> tuple[LocalSubject, ...]:
        """Return the project's subjects as they are now, in the project's order."""
        ...

    def names(self) -> Mapping[str, str]:
        """Return the name of each subject by its key, as they are now; cheap."""
        ...

    def read(self, key: str) -> LocalSubject | None:
        """Return one subject as it is now, None if it is gone."""
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

    def copy_of(self, key: str) -> SubjectCopy:
        """Return what the project holds of a subject, exactly."""
        ...

    def place_of(self, key: str) -> Place:
        """Return where a subject is in the project."""
        ...

    def use(self, key: str) -> str:
        """Say why an undo leaves a subject that a sync added; empty where it does not."""
        ...

    def put_back(self, key: str, former: Former) -> Callable[[], None]:
        """Give a subject its former name, and its former values of some keys of its file."""
        ...

    def bring_back(self, change: Change) -> Callable[[], None]:
        """Take a subject into the project again that a sync removed: in its setups, with its folder and identity."""
        ...

    def note(self, rows: Sequence[Row], last: LastSync) -> None:
        """Keep what a sync changed, see `sync.audit`; the project's next save writes it down.

        ``last``: what an undo needs.
        """
        ...


@dataclass(frozen=True)
class Result:
    """What became of one entry of a plan."""

    entry: PlanEntry
    #: False where the subject changed after the plan was made, so that the entry was refused.
    applied: bool
    #: A sentence for the user, empty if the entry says it all.
    message: str = ""
    #: What an undo needs to know; None where nothing is to be undone.
    change: Change | None = None


def record_of(entry: PlanEntry, server: str, synced_at: str) -> dict[str, Any]:
    """Return the keys of a subject's file that an entry sets.

    Returns: for an addition or override all that Alyx said, or the fields that a person chose; for a merge what was
    missing; otherwise only what changes by itself.
    """
    remote = entry.remote
    if remote is None:
        raise ValueError(f"nothing from Alyx to write for {entry.name!r}")
    record = {**remote.volatile.as_dict(), SYNCED_AT: synced_at, "alyx_id": remote.alyx_id, "alyx_server": server}
    if entry.action is Action.ADD or (entry.action is Action.OVERRIDE and entry.taken is None):
        record |= {"nickname": remote.nickname, **remote.details.as_dict()}
    elif entry.action in {Action.OVERRIDE, Action.MERGE}:
        record |= {change.field: change.remote for change in entry.written}
        record |= {"nickname": entry.new_name or entry.name}
    return record


def apply_plan(plan: SyncPlan, project: ProjectPort, *, synced_at: str) -> Iterator[Result]:
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
    Result
        One for each entry: the removals first and then the renames, which free names for others, then the rest in the
        plan's order.

    Raises
    ------
    ValueError
        The plan still asks.
    SyncError
        The project refused a change; it is as it was before.
    NotTakenBackError
        The same, or the generator was closed, and not every change could be taken back.
    """
    if plan.of(Action.ASK):
        raise ValueError("the plan has questions without an answer")
    application = _Application(plan, project, synced_at)
    try:
        yield from application.steps()
        actions = Counter(entry.action.value for entry in plan.entries)
        counts = ", ".join(f"{count} {action}" for action, count in actions.items())
        logger.info("Synced %s at %s: %s", plan.whose, plan.server, counts or "no subjects")
    except BaseException as error:
        if not application.roll_back():
            why = "" if isinstance(error, GeneratorExit) else f"Subject {application.at!r}: {error} "
            raise NotTakenBackError(
                f"{why}Not every change of this sync could be taken back.",
                hint="Close the project without saving, then open it again: its files are as they were.",
            ) from error
        if isinstance(error, GeneratorExit | SyncError) or not isinstance(error, Exception):
            raise
        raise SyncError(
            f"Subject {application.at!r}: {error}.",
            hint="Sync again; if it happens again, save the project, restart PyBpod and look into its log.",
        ) from error


class _Application:
    """A plan on its way into a project, and the way back."""

    def __init__(self, plan: SyncPlan, project: ProjectPort, synced_at: str) -> None:
        self.plan = plan
        self.project = project
        self.synced_at = synced_at
        #: Name of the subject being changed.
        self.at = ""
        self._undo: list[Callable[[], None]] = []

    def steps(self) -> Iterator[Result]:
        for entry in self.plan.of(*_FREE_NAMES):
            yield self._remove(entry)
        renames = [entry for entry in self.plan.entries if entry.new_name]
        possible = self._possible(renames)
        yield from (self._rename(entry, possible=False) for entry in renames if _key(entry) not in possible)
        yield from self._rename_all([entry for entry in renames if _key(entry) in possible])
        for entry in self.plan.entries:
            if entry.action not in {*_FREE_NAMES, Action.BRING_BACK} and not entry.new_name:
                yield self._apply(entry)
        for entry in reversed(self.plan.of(Action.BRING_BACK)):  # as they left, so that each gets its place
            yield self._bring_back(entry)

    def roll_back(self) -> bool:
        # whether everything could be taken back
        complete = True
        while self._undo:
            step = self._undo.pop()
            try:
                step()
            except Exception:
                complete = False
                logger.exception("a change could not be taken back")
        return complete

    def _apply(self, entry: PlanEntry) -> Result:
        if entry.action in {Action.CONFLICT, Action.LEFT_ALONE, Action.POSTPONE}:
            return Result(entry, applied=True)
        self.at = entry.name
        if entry.action is Action.ADD:
            return self._add(entry)
        local, changed = self._now(entry)
        if local is None:
            return Result(entry, applied=False, message=changed)
        is_linked = local.alyx_id is not None and is_of(self.plan.server, local.server, local.url)
        if entry.action is Action.KEEP and not is_linked:
            return Result(entry, applied=True)  # not linked to this server, and to be left so
        return self._update(entry, local, local.name)

    def _add(self, entry: PlanEntry) -> Result:
        if self._holds(entry.name):
            return Result(entry, applied=False, message="a subject of this name is in the project: sync again")
        record = record_of(entry, self.plan.server, self.synced_at)
        self._undo.append(self.project.add(entry.name, record["alyx_id"], record))
        after = SubjectCopy(entry.name, json.dumps(record))
        return Result(entry, applied=True, change=Change(entry.action, None, after))

    def _remove(self, entry: PlanEntry) -> Result:
        self.at = entry.name
        local, changed = self._now(entry)
        if local is None:
            return Result(entry, applied=False, message=changed)
        hold = self.project.use(local.key) if entry.action is Action.TAKE_OUT else local.hold
        if hold:
            return Result(entry, applied=False, message=f"not removed: {hold}")
        before, place = self.project.copy_of(local.key), self.project.place_of(local.key)
        self._undo.append(self.project.remove(local.key))
        change = Change(entry.action, before, None, place) if entry.action is Action.REMOVE else None
        return Result(entry, applied=True, change=change)

    def _possible(self, renames: list[PlanEntry]) -> set[str]:
        # the keys of those whose new name no other subject of the project keeps, or gets as well
        if not renames:
            return set()
        now = {subject.key: subject for subject in self.project.subjects()}
        possible = {_key(entry): entry.new_name for entry in renames if not _refusal(entry, now.get(_key(entry)))}
        while True:
            taken = Counter(map(fold, ({key: subject.name for key, subject in now.items()} | possible).values()))
            left = {key: name for key, name in possible.items() if taken[fold(name)] == 1}
            if left == possible:
                return set(possible)
            possible = left

    def _rename_all(self, waiting: list[PlanEntry]) -> Iterator[Result]:
        # each as soon as its new name is free
        while waiting:
            still: list[PlanEntry] = []
            for entry in waiting:
                if self._holds(entry.new_name):
                    still.append(entry)
                else:
                    yield self._rename(entry, possible=True)
            if still == waiting:
                # a ring, such as two animals that swapped names: in one step, so that nobody sees or saves half of it
                possible = self._possible(waiting)
                ring = [self._rename(entry, possible=_key(entry) in possible) for entry in waiting]
                yield from ring
                return
            waiting = still

    def _holds(self, name: str) -> bool:
        return fold(name) in map(fold, self.project.names().values())

    def _rename(self, entry: PlanEntry, *, possible: bool) -> Result:
        self.at = entry.name
        local, changed = self._now(entry)
        name = entry.new_name
        if local is None:
            return Result(entry, applied=False, message=changed)
        if not possible:
            return Result(entry, applied=False, message=f"the name {name!r} is taken in the project{_again(entry)}")
        return self._update(entry, local, name)

    def _update(self, entry: PlanEntry, local: LocalSubject, name: str) -> Result:
        if entry.former is not None:
            self._undo.append(self.project.put_back(local.key, entry.former))
            return Result(entry, applied=True)
        record = record_of(entry, self.plan.server, self.synced_at)
        before = self.project.copy_of(local.key)
        self._undo.append(self.project.update(local.key, name, record))
        if entry.action not in SUBJECT_CHANGES:
            return Result(entry, applied=True)
        after = SubjectCopy(name, json.dumps({**before.fields(), **record}))
        return Result(entry, applied=True, change=Change(entry.action, before, after))

    def _bring_back(self, entry: PlanEntry) -> Result:
        self.at = entry.name
        if entry.change is None:
            raise ValueError(f"nothing was kept of {entry.name!r}")
        if self._holds(entry.name):
            return Result(entry, applied=False, message=f"the name {entry.name!r} is taken in the project")
        self._undo.append(self.project.bring_back(entry.change))
        return Result(entry, applied=True)

    def _now(self, entry: PlanEntry) -> tuple[LocalSubject | None, str]:
        # the entry's subject as it is now, or None and why it is refused
        now = self.project.read(_key(entry))
        reason = _refusal(entry, now)
        return (None, reason) if reason else (now, "")


def _refusal(entry: PlanEntry, now: LocalSubject | None) -> str:
    # why an entry is refused, seeing its subject as it is now, empty if it is as it was
    if now is None:
        return "it is no longer in the project"
    if entry.local is None or replace(now, hold="") != replace(entry.local, hold=""):
        return f"it changed in the project meanwhile{_again(entry)}"
    return ""


def _again(entry: PlanEntry) -> str:
    return ": sync again" if entry.change is None else ""


def _key(entry: PlanEntry) -> str:
    if entry.local is None:
        raise ValueError(f"no subject of the project to {entry.action.value}")
    return entry.local.key
