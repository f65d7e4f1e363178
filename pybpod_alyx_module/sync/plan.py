"""A sync as data: one entry a subject, frozen and comparable, made by the planner and applied as it stands."""

from __future__ import annotations

import json
from dataclasses import dataclass, replace
from enum import Enum
from typing import TYPE_CHECKING, Any, NoReturn

from pybpod_alyx_module.sync.names import same

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping

    from pybpod_alyx_module.sync.snapshot import LocalSubject, RemoteSubject


class Action(str, Enum):
    """What becomes of a subject. Print ``.value``."""

    ADD = "add"
    UP_TO_DATE = "up to date"
    MERGE = "merge"
    ASK = "ask"
    OVERRIDE = "override"
    KEEP = "keep"
    CONFLICT = "conflict"
    LEFT_ALONE = "left alone"
    REMOVE = "remove"
    POSTPONE = "removal postponed"
    #: Those of an undo: one that a sync added leaves, one that it changed is as it was, one that it removed returns.
    TAKE_OUT = "take out"
    PUT_BACK = "put back"
    BRING_BACK = "bring back"


#: What may be answered where the plan asks.
ANSWERS = (Action.OVERRIDE, Action.MERGE, Action.KEEP)


@dataclass(frozen=True)
class Difference:
    """One field in which the project's copy and Alyx differ."""

    #: Name of the field, ``nickname`` for the name.
    field: str
    #: JSON value in the project, or ``MISSING``.
    local: Any
    #: JSON value on Alyx; in an undo the one before the sync, or ``MISSING``.
    remote: Any
    #: A merge fills it in: the copy has no value here (missing or null) and Alyx has one.
    fillable: bool


@dataclass(frozen=True)
class SubjectCopy:
    """What a project holds of a subject, exactly."""

    name: str
    #: The keys of its file that come from Alyx, as a JSON object; None for one that is not linked.
    record: str | None = None
    #: What its file has under such keys where there is no record, as a JSON object.
    beneath: str = "{}"

    def fields(self) -> dict[str, Any]:
        """Return the record; empty where it is not linked."""
        found: dict[str, Any] = json.loads(self.record or "{}")
        return found


@dataclass(frozen=True)
class Listed:
    """A setup that lists a subject."""

    uuid4: str
    name: str
    #: Its number in the setup's list.
    index: int


@dataclass(frozen=True)
class Place:
    """Where a removed subject was."""

    #: PyBpod's identity of it.
    uuid4: str
    #: Its number in the project's list.
    index: int
    #: The uuid4 of the setup that is chosen for it; empty where there is none.
    chosen: str = ""
    setups: tuple[Listed, ...] = ()
    #: Where its folder is, below the project's; empty where it was never saved.
    folder: str = ""
    #: Its file in there.
    file: str = ""


@dataclass(frozen=True)
class Change:
    """What a sync did with one subject."""

    #: Added, merged, overridden or removed.
    action: Action
    #: None where it was added.
    before: SubjectCopy | None = None
    #: None where it was removed.
    after: SubjectCopy | None = None
    #: Of a removed one.
    place: Place | None = None

    @property
    def identity(self) -> str:
        """The Alyx id."""
        known = self.after or self.before
        return str(known.fields()["alyx_id"]) if known is not None else ""


@dataclass(frozen=True)
class Former:
    """What an undo gives back to a subject."""

    name: str
    #: Keys of its record that get their former values, as a JSON object.
    fields: str = "{}"
    #: Keys that its record did not have.
    dropped: tuple[str, ...] = ()
    #: It was not linked: all of the record goes.
    unlinked: bool = False
    #: What its file had under the keys of the record, as a JSON object.
    beneath: str = "{}"


@dataclass(frozen=True)
class PlanEntry:
    """What a sync does with one subject, with the very values it was decided on."""

    action: Action
    #: The name by which the user knows the subject: in the project, else the nickname.
    name: str
    #: The project's subject as it was seen, None for one to add.
    local: LocalSubject | None = None
    #: The subject as Alyx describes it, None if it sent nothing.
    remote: RemoteSubject | None = None
    differences: tuple[Difference, ...] = ()
    #: A sentence for the user, empty if the action says it all.
    reason: str = ""
    #: Fields that a person chose to take from Alyx, of those that differ; None for all.
    taken: tuple[str, ...] | None = None
    #: What becomes of the subject in an undo: of one to put back.
    former: Former | None = None
    #: In an undo: what the sync did with it.
    change: Change | None = None

    @property
    def new_name(self) -> str:
        """The name that the subject gets, where that is another."""
        name = self.name
        chosen = self.taken is None or "nickname" in self.taken
        if self.action is Action.OVERRIDE and chosen and self.local is not None and self.remote is not None:
            name = self.remote.nickname
        elif self.action is Action.PUT_BACK and self.former is not None:
            name = self.former.name
        return "" if same(self.name, name) else name

    @property
    def identity(self) -> str:
        """What tells it from the plan's other entries: the project's key, or the Alyx id."""
        if self.local is not None:
            return self.local.key
        return self.name if self.remote is None else self.remote.alyx_id

    @property
    def written(self) -> tuple[Difference, ...]:
        """The differences that go into the project's copy."""
        if self.action not in {Action.OVERRIDE, Action.MERGE, Action.PUT_BACK}:
            return ()
        return tuple(
            found
            for found in self.differences
            if (self.taken is None or found.field in self.taken) and (found.fillable or self.action is not Action.MERGE)
        )


@dataclass(frozen=True)
class SyncPlan:
    """Everything that a sync will do, and everything it will leave alone, with the reasons."""

    #: Address of the server.
    server: str
    #: Which subjects were asked for, to stand in a sentence.
    whose: str
    entries: tuple[PlanEntry, ...] = ()
    #: More removals than 5 and than a fifth of the project's Alyx subjects: to be confirmed once, with the list.
    many_removals: bool = False

    def __bool__(self) -> NoReturn:
        """Refuse: an empty plan is a plan, and must not be taken for a missing one.

        Raises
        ------
        TypeError
            Always.
        """
        raise TypeError("a SyncPlan has no truth value: look at its entries, or compare with None")

    def of(self, *actions: Action) -> tuple[PlanEntry, ...]:
        """Return the entries with one of these actions.

        Returns: in the order of the plan; empty when there are none.
        """
        return tuple(entry for entry in self.entries if entry.action in actions)

    def adding_only(self, chosen: Collection[str]) -> SyncPlan:
        """Return the plan that adds, of all it would add, only some.

        ``chosen``: their Alyx ids.
        """
        kept = (
            entry
            for entry in self.entries
            if entry.action is not Action.ADD or (entry.remote is not None and entry.remote.alyx_id in chosen)
        )
        return replace(self, entries=tuple(kept))

    def answered(self, answers: Mapping[str, Action]) -> SyncPlan:
        """Return the plan in which each question has its answer; nothing else changes.

        Parameters
        ----------
        answers : mapping
            Key of the project's subject to override, merge or keep.

        Returns
        -------
        SyncPlan
            Without any entry that asks.

        Raises
        ------
        ValueError
            A question has no answer, or an answer is none of the three.
        """
        entries = []
        for entry in self.entries:
            if entry.action is not Action.ASK or entry.local is None:
                entries.append(entry)
                continue
            answer = answers.get(entry.local.key)
            if answer not in ANSWERS:
                raise ValueError(f"no answer (override, merge or keep) for {entry.name!r}")
            entries.append(replace(entry, action=answer))
        return replace(self, entries=tuple(entries))
