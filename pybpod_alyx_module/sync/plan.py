"""A sync as data: one entry a subject, frozen and comparable, made by the planner and applied as it stands."""

from __future__ import annotations

from dataclasses import dataclass, replace
from enum import Enum
from typing import TYPE_CHECKING, Any, NoReturn

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


#: What may be answered where the plan asks.
ANSWERS = (Action.OVERRIDE, Action.MERGE, Action.KEEP)


@dataclass(frozen=True)
class Difference:
    """One field in which the project's copy and Alyx differ."""

    #: Name of the field, ``nickname`` for the name.
    field: str
    #: JSON value in the project, or ``MISSING``.
    local: Any
    #: JSON value on Alyx.
    remote: Any
    #: A merge fills it in: the copy has no value here (missing or null) and Alyx has one.
    fillable: bool


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

    def without_removals(self, reason: str) -> SyncPlan:
        """Return the plan with its removals postponed."""
        entries = tuple(
            replace(entry, action=Action.POSTPONE, reason=f"{entry.reason}; {reason}")
            if entry.action is Action.REMOVE
            else entry
            for entry in self.entries
        )
        return replace(self, entries=entries, many_removals=False)
