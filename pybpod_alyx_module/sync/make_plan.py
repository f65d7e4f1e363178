"""From two snapshots to a plan: a pure function, row by row the sync table of the documentation."""

from __future__ import annotations

from collections import defaultdict
from typing import TYPE_CHECKING, Any, Final

from pybpod_alyx_module.sync.details import COMPARED, MISSING, Details, without_bookkeeping
from pybpod_alyx_module.sync.names import fold, same, unusable
from pybpod_alyx_module.sync.plan import Action, Difference, PlanEntry, SyncPlan
from pybpod_alyx_module.sync.scope import Kind
from pybpod_alyx_module.sync.servers import host_of, is_of

if TYPE_CHECKING:
    from collections.abc import Sequence

    from pybpod_alyx_module.sync.snapshot import LocalSubject, RemoteSnapshot, RemoteSubject

#: Up to this many removals need no confirmation.
FEW_REMOVALS: Final = 5


def make_plan(local: Sequence[LocalSubject], remote: RemoteSnapshot) -> SyncPlan:
    """Decide for every subject of the project and of the listing what a sync does with it.

    Returns: one entry for each subject of the server that concerns the project, in the server's order, then one for
    each linked subject of the project that the server did not tell anything about. Subjects that are alive nowhere
    (not alive on Alyx, not in the project) and local-only subjects without a namesake have no entry.
    ``remote``: the complete listing, and the linked subjects that it did not list.
    """
    entries = _Planner(local, remote).entries()
    removals = sum(entry.action is Action.REMOVE for entry in entries)
    linked = sum(subject.alyx_id is not None for subject in local)
    return SyncPlan(
        server=remote.server,
        whose=remote.scope.words(remote.username),
        entries=tuple(entries),
        many_removals=removals > FEW_REMOVALS and removals > linked / 5,
    )


def differences(local: LocalSubject, remote: RemoteSubject) -> tuple[Difference, ...]:
    """Compare a project's subject with what Alyx says of it.

    Returns: the name first (as ``nickname``), then the details in their order; a detail that the server did not send
    is not compared, nor what Alyx writes into json by itself. Empty when nothing differs.
    """
    found = []
    if not same(local.name, remote.nickname):
        found.append(Difference("nickname", local.name, remote.nickname, fillable=False))
    ours, theirs = dict(local.details.items), dict(remote.details.items)
    for field in COMPARED:
        if field in theirs and ours.get(field) != theirs[field]:
            mine, alyx = local.details.get(field), remote.details.get(field)
            if field == "json" and mine is not MISSING and _same_json(mine, alyx):
                continue
            found.append(Difference(field, mine, alyx, fillable=mine is MISSING or mine is None))
    return tuple(found)


def _same_json(mine: Any, alyx: Any) -> bool:
    # apart from what Alyx writes there by itself; as JSON, in which False is not 0
    return Details.of({"json": without_bookkeeping(mine)}, ("json",)) == Details.of(
        {"json": without_bookkeeping(alyx)}, ("json",)
    )


def _lab(subject: RemoteSubject) -> str:
    return f"lab {subject.lab or 'unknown'}, id {subject.alyx_id}"


def _not_alive(subject: RemoteSubject) -> str:
    return f"not alive on Alyx (death date {subject.death_date or 'not given'})"


class _Planner:
    """The indexes that the rows of the table ask for."""

    def __init__(self, local: Sequence[LocalSubject], remote: RemoteSnapshot) -> None:
        self.remote = remote
        self.local = tuple(local)
        self.here: dict[str, list[LocalSubject]] = defaultdict(list)
        self.elsewhere: list[LocalSubject] = []
        self.unknown_server: dict[str, list[LocalSubject]] = defaultdict(list)
        self.holders: dict[str, list[LocalSubject]] = defaultdict(list)
        for subject in self.local:
            self.holders[fold(subject.name)].append(subject)
            if subject.alyx_id is None:
                continue
            if subject.server is None and host_of(subject.url) is None:
                self.unknown_server[subject.alyx_id].append(subject)
            elif is_of(remote.server, subject.server, subject.url):
                self.here[subject.alyx_id].append(subject)
            else:
                self.elsewhere.append(subject)
        self.listed_ids = {subject.alyx_id for subject in remote.listed}
        self.foreign_ids = {subject.alyx_id for subject in self.elsewhere}
        #: Nicknames that the listing holds more than once (also by case alone), with those who bear them.
        self.namesakes: dict[str, list[RemoteSubject]] = defaultdict(list)
        for listed in remote.listed:
            if listed.alive:
                self.namesakes[fold(listed.nickname)].append(listed)
        #: Keys of subjects whose name this sync frees: not alive on Alyx, or renamed there.
        self.leaving: set[str] = set()
        self._find_leaving()

    def _find_leaving(self) -> None:
        renamed: list[tuple[LocalSubject, RemoteSubject]] = []
        for subject in (*self.remote.listed, *self.remote.looked_up):
            linked, strays = self.here.get(subject.alyx_id, []), self.unknown_server.get(subject.alyx_id, [])
            if len(linked) + len(strays) != 1:
                continue
            local = (*linked, *strays)[0]
            if not subject.alive:
                if linked and not local.hold:
                    self.leaving.add(local.key)
            elif subject.alyx_id in self.listed_ids and fold(local.name) != fold(subject.nickname):
                renamed.append((local, subject))
        self.leaving.update(local.key for local, _ in renamed)
        # one whose new name cannot be had stays, and then its name is not free for another
        while staying := {
            local.key for local, subject in renamed if local.key in self.leaving and self._name_problem(subject, local)
        }:
            self.leaving -= staying

    def entries(self) -> list[PlanEntry]:
        entries: list[PlanEntry] = []
        planned_ids: set[str] = set()
        for subjects, listed in ((self.remote.listed, True), (self.remote.looked_up, False)):
            for subject in subjects:
                if subject.alyx_id not in planned_ids:
                    planned_ids.add(subject.alyx_id)
                    entries.extend(self._entries_of(subject, listed=listed))
        for alyx_id, copies in self.here.items():
            if alyx_id not in planned_ids:
                reason = f"{self.remote.server} has no subject with its Alyx id any more ({alyx_id}); kept as it is"
                entries.extend(self._left(copy, None, reason) for copy in copies)
        for foreign in self.elsewhere:
            entries.append(self._left(foreign, None, self._whose(foreign)))
        for alyx_id, strays in self.unknown_server.items():
            if alyx_id not in planned_ids:
                reason = "its file does not say from which Alyx server it came, and this one did not list it"
                entries.extend(self._left(stray, None, reason) for stray in strays)
        return entries

    def _whose(self, foreign: LocalSubject) -> str:
        # why a subject of another server is left alone
        server = foreign.server or host_of(foreign.url)
        if foreign.alyx_id not in self.listed_ids:
            return f"it belongs to {server}: connect there to sync it"
        return (
            f"{self.remote.server} has the same animal, but here it is linked to {server}; if that server has moved, "
            "see 'When the server gets another address' in docs/sync.md"
        )

    def _entries_of(self, remote: RemoteSubject, *, listed: bool) -> list[PlanEntry]:
        copies = self.here.get(remote.alyx_id, [])
        strays = self.unknown_server.get(remote.alyx_id, [])
        if len(copies) + len(strays) > 1:
            names = ", ".join(repr(copy.name) for copy in (*copies, *strays))
            reason = (
                f"{names} have one Alyx id ({remote.alyx_id}): decide which one is meant, "
                "remove the other from this PyBpod project by hand, then sync again"
            )
            return [PlanEntry(Action.CONFLICT, copy.name, copy, remote, reason=reason) for copy in (*copies, *strays)]
        if copies:
            return [self._linked(copies[0], remote, listed=listed)]
        if strays:
            return [self._stray(strays[0], remote, listed=listed)]
        if not listed or remote.alyx_id in self.foreign_ids:
            return []
        return self._unlinked(remote)

    def _linked(self, local: LocalSubject, remote: RemoteSubject, *, listed: bool) -> PlanEntry:
        if not remote.alive:
            if local.hold:
                reason = f"{_not_alive(remote)}, but {local.hold}"
                return PlanEntry(Action.POSTPONE, local.name, local, remote, reason=reason)
            return PlanEntry(Action.REMOVE, local.name, local, remote, reason=_not_alive(remote))
        if not listed:
            return self._left(local, remote, self._why_not_listed(remote))
        problem = self._name_problem(remote, local)
        if problem:
            return PlanEntry(Action.CONFLICT, local.name, local, remote, reason=problem)
        found = differences(local, remote)
        action, reason = Action.ASK, ""
        if not found:
            action = Action.UP_TO_DATE
        elif all(difference.fillable for difference in found):
            action = Action.MERGE
        elif found[0].field == "nickname":
            reason = f"renamed on Alyx: {remote.nickname!r}"
        return PlanEntry(action, local.name, local, remote, found, reason)

    def _stray(self, local: LocalSubject, remote: RemoteSubject, *, listed: bool) -> PlanEntry:
        if not remote.alive:
            reason = (
                f"{_not_alive(remote)}; its file does not say from which Alyx server it came, so it was not removed"
            )
            return self._left(local, remote, reason)
        if not listed:
            return self._left(local, remote, self._why_not_listed(remote))
        problem = self._name_problem(remote, local)
        if problem:
            return PlanEntry(Action.CONFLICT, local.name, local, remote, reason=problem)
        reason = "its file has this Alyx id but does not say from which server"
        return PlanEntry(Action.ASK, local.name, local, remote, differences(local, remote), reason)

    def _unlinked(self, remote: RemoteSubject) -> list[PlanEntry]:
        holders = self.holders.get(fold(remote.nickname), [])
        bearer = next(
            (it for it in holders if same(it.name, remote.nickname) and it.key not in self.leaving),
            None,
        )
        if not remote.alive:
            if bearer is not None and bearer.alyx_id is None:
                reason = f"{_not_alive(remote)}, but this subject is not linked to Alyx, so it was not removed"
                return [self._left(bearer, remote, reason)]
            return []
        problem = self._name_problem(remote, bearer)
        if problem:
            return [PlanEntry(Action.CONFLICT, remote.nickname, bearer, remote, reason=problem)]
        if bearer is None:
            return [PlanEntry(Action.ADD, remote.nickname, None, remote)]
        if bearer.alyx_id is not None:
            reason = (
                f"the project's {bearer.name!r} is another animal ({self._lab_of(bearer)}); on Alyx: {_lab(remote)}"
            )
            return [PlanEntry(Action.CONFLICT, bearer.name, bearer, remote, reason=reason)]
        found = differences(bearer, remote)
        reason = "a subject of this name is in the project and not yet linked to Alyx"
        return [PlanEntry(Action.ASK, bearer.name, bearer, remote, found, reason)]

    def _name_problem(self, remote: RemoteSubject, local: LocalSubject | None) -> str:
        # the sentence for the user; empty when the project can take the nickname
        reason = unusable(remote.nickname)
        if reason:
            return f"{reason} ({_lab(remote)}): have it renamed on Alyx"
        twins = [twin for twin in self.namesakes[fold(remote.nickname)] if twin.alyx_id != remote.alyx_id]
        if twins and (local is None or local.alyx_id != remote.alyx_id or not same(local.name, remote.nickname)):
            others = "; ".join(f"{twin.nickname!r}, {_lab(twin)}" for twin in twins)
            return f"the nickname is there twice on Alyx: {remote.nickname!r}, {_lab(remote)}; {others}"
        for holder in self.holders.get(fold(remote.nickname), []):
            if (local is None or holder.key != local.key) and holder.key not in self.leaving:
                whose = self._lab_of(holder)
                return f"the project has a subject {holder.name!r} already ({whose}); on Alyx: {_lab(remote)}"
        return ""

    @staticmethod
    def _lab_of(local: LocalSubject) -> str:
        if local.alyx_id is None:
            return "not linked to Alyx"
        lab = local.details.get("lab")
        return f"lab {'unknown' if lab is MISSING or not lab else lab}, id {local.alyx_id}"

    def _why_not_listed(self, remote: RemoteSubject) -> str:
        asked = self.remote
        if asked.scope.kind is Kind.MINE and remote.responsible_user != asked.username:
            user = remote.responsible_user or "nobody"
            return f"its responsible user on Alyx is {user}, not {asked.username}; kept as it is"
        owner, lab = remote.responsible_user or "nobody", remote.lab or "unknown"
        return f"it is none of {asked.scope.words(asked.username)} (responsible user {owner}, lab {lab}); kept as it is"

    @staticmethod
    def _left(local: LocalSubject, remote: RemoteSubject | None, reason: str) -> PlanEntry:
        return PlanEntry(Action.LEFT_ALONE, local.name, local, remote, reason=reason)
