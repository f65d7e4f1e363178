"""From what the last sync replaced to a plan that undoes it: whatever nobody changed since. Pure but for `look`."""

from __future__ import annotations

import json
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any, Final

from pybpod_alyx_module.sync.details import COMPARED, MISSING
from pybpod_alyx_module.sync.names import fold, same
from pybpod_alyx_module.sync.plan import Action, Difference, Former, PlanEntry, SubjectCopy, SyncPlan
from pybpod_alyx_module.sync.servers import is_of

if TYPE_CHECKING:
    from collections.abc import Collection, Iterator, Mapping, Sequence

    from pybpod_alyx_module.sync.apply import ProjectPort, Result
    from pybpod_alyx_module.sync.last_sync import LastSync
    from pybpod_alyx_module.sync.plan import Change
    from pybpod_alyx_module.sync.snapshot import LocalSubject

#: The key of a record that goes with the name.
_NICKNAME: Final = "nickname"
#: Keys whose change since the sync is a person's work; the others change by themselves.
_BY_HAND: Final = frozenset((*COMPARED, _NICKNAME, "alyx_id", "alyx_server"))


@dataclass(frozen=True)
class Present:
    """A subject of the project as it is now."""

    subject: LocalSubject
    copy: SubjectCopy
    #: Why an undo leaves it where the sync added or linked it; empty where it does not.
    use: str = ""


def look(project: ProjectPort, last: LastSync) -> Iterator[Present]:
    """Look at the subjects of a project, one at each step.

    ``last``: of those that it did not change, only the names count.
    """
    concerned = {change.identity for change in last.changes}
    for key in project.names():
        subject = project.read(key)
        if subject is None:
            continue
        if subject.alyx_id in concerned:
            yield Present(subject, project.copy_of(key), project.use(key))
        else:
            yield Present(subject, SubjectCopy(subject.name))


def plan_undo(last: LastSync, present: Sequence[Present], setups: Collection[str], lost: Mapping[str, str]) -> SyncPlan:
    """Decide for each subject that a sync changed what an undo does with it.

    Returns: one entry for each change, in their order.
    ``present``: all subjects of the project.
    ``setups``: the uuid4 of those of the project.
    ``lost``: why folders of removed subjects cannot come back, by Alyx id.
    """
    planner = _Planner(last, present)
    entries = [planner.entry(change) for change in last.changes]
    entries = planner.with_free_names(entries)
    entries = [_returning(entry, setups, lost) if entry.action is Action.BRING_BACK else entry for entry in entries]
    return SyncPlan(last.server, f"the changes of the sync of {last.time}", tuple(entries))


def after_undo(last: LastSync, results: Sequence[Result], time: str) -> LastSync:
    """Return what is left of a sync once it was undone.

    ``time``: of the undo, ISO 8601 with offset.
    """
    left = tuple(
        result.entry.change
        for result in results
        if result.entry.change is not None and (result.entry.action is Action.LEFT_ALONE or not result.applied)
    )
    order = {change: number for number, change in enumerate(last.changes)}
    return replace(last, changes=tuple(sorted(left, key=lambda change: order[change])), undone=time)


class _Planner:
    def __init__(self, last: LastSync, present: Sequence[Present]) -> None:
        self.last = last
        self.present = present
        self.names = {one.subject.key: one.subject.name for one in present}

    def entry(self, change: Change) -> PlanEntry:
        known = change.after or change.before or SubjectCopy("")
        found = [one for one in self.present if self._is(one, change.identity)]
        if change.action is Action.REMOVE:
            if found:
                return _left(change, known.name, found[0], "it is in the project again")
            return PlanEntry(Action.BRING_BACK, known.name, change=change)
        if len(found) != 1:
            why = "several subjects of the project have its Alyx id" if found else "it is no longer in the project"
            return _left(change, known.name, None, why)
        (one,) = found
        unlinks = change.before is not None and change.before.record is None
        if one.use and (change.action is Action.ADD or (unlinks and one.subject.hold)):
            return _left(change, one.subject.name, one, one.use if change.action is Action.ADD else one.subject.hold)
        if change.before is None or change.after is None:
            return PlanEntry(Action.TAKE_OUT, one.subject.name, one.subject, change=change)
        return _put_back(change, change.before, change.after, one)

    def _is(self, one: Present, alyx_id: str) -> bool:
        subject = one.subject
        return subject.alyx_id == alyx_id and is_of(self.last.server, subject.server, subject.url)

    def with_free_names(self, entries: list[PlanEntry]) -> list[PlanEntry]:
        # without the names that other subjects have by now; who keeps a name because of that may take another's
        while True:
            taken = dict(self.names)
            for entry in entries:
                if entry.local is not None and entry.action is Action.TAKE_OUT:
                    del taken[entry.local.key]
                elif entry.local is not None and entry.new_name:
                    taken[entry.local.key] = entry.new_name
            held = [fold(name) for name in taken.values()]
            settled = []
            for entry in entries:
                if entry.action is Action.BRING_BACK and fold(entry.name) in held:
                    settled.append(_left(entry.change, entry.name, None, _taken(entry.name)))
                elif entry.new_name and held.count(fold(entry.new_name)) > 1:
                    settled.append(_keeping_name(entry))
                else:
                    settled.append(entry)
            if settled == entries:
                return entries
            entries = settled


def _taken(name: str) -> str:
    return f"another subject of the project has the name {name!r} now"


def _left(change: Change | None, name: str, one: Present | None, reason: str) -> PlanEntry:
    local = None if one is None else one.subject
    return PlanEntry(Action.LEFT_ALONE, name, local, reason=reason, change=change)


def _put_back(change: Change, before: SubjectCopy, after: SubjectCopy, one: Present) -> PlanEntry:
    old, new, now = before.fields(), after.fields(), one.copy.fields()
    touched = [key for key in (*new, *(key for key in old if key not in new)) if _differ(old, new, key)]
    changed = [key for key in touched if _differ(new, now, key)]
    by_hand = [key for key in changed if key in _BY_HAND]
    name = one.subject.name
    if before.record is None and by_hand:
        why = f"changed since, so that it stays linked: {', '.join(by_hand)}"
        return _left(change, name, one, why)
    if same(name, after.name):
        name = before.name
    elif not same(before.name, after.name):
        by_hand = list(dict.fromkeys([_NICKNAME, *by_hand]))
    back = [key for key in touched if key not in changed]
    if not back and same(name, one.subject.name):
        return _left(change, name, one, f"changed since: {', '.join(by_hand)}")
    former = Former(
        name,
        json.dumps({key: old[key] for key in back if key in old}),
        tuple(key for key in back if key not in old),
        before.record is None,
        before.beneath,
    )
    shown = [
        Difference(key, now.get(key, MISSING), old.get(key, MISSING), fillable=False)
        for key in back
        if key in _BY_HAND and (key != _NICKNAME or not same(name, one.subject.name))
    ]
    reason = f"changed since, and left as they are: {', '.join(by_hand)}" if by_hand else ""
    entry = PlanEntry(Action.PUT_BACK, one.subject.name, one.subject, None, tuple(shown), reason)
    return replace(entry, former=former, change=change)


def _keeping_name(entry: PlanEntry) -> PlanEntry:
    # the rest of it is put back
    former = entry.former
    if former is None or entry.local is None:
        return entry
    fields: dict[str, Any] = json.loads(former.fields)
    fields.pop(_NICKNAME, None)
    reason = "; ".join(filter(None, (entry.reason, f"keeps its name: {_taken(former.name)}")))
    shown = tuple(difference for difference in entry.differences if difference.field != _NICKNAME)
    dropped = tuple(key for key in former.dropped if key != _NICKNAME)
    if not fields and not dropped and not former.unlinked:
        return replace(entry, action=Action.LEFT_ALONE, differences=(), former=None, reason=reason)
    former = replace(former, name=entry.local.name, fields=json.dumps(fields), dropped=dropped)
    return replace(entry, former=former, differences=shown, reason=reason)


def _returning(entry: PlanEntry, setups: Collection[str], lost: Mapping[str, str]) -> PlanEntry:
    change = entry.change
    if change is None or change.place is None:
        return entry
    if change.identity in lost:
        return replace(entry, action=Action.LEFT_ALONE, reason=lost[change.identity])
    gone = [setup.name for setup in change.place.setups if setup.uuid4 not in setups]
    return replace(entry, reason=f"no longer in the project: {', '.join(gone)}" if gone else "")


def _differ(one: Mapping[str, Any], other: Mapping[str, Any], key: str) -> bool:
    # 1, 1.0 and True are three JSON values
    texts = [json.dumps(record[key], sort_keys=True) if key in record else None for record in (one, other)]
    return texts[0] != texts[1]
