"""What is ticked of a plan that is reviewed, subject by subject and field by field. No Qt."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from pybpod_alyx_module.gui.words import cell, label, says_nothing, word_filter, words
from pybpod_alyx_module.sync.plan import Action
from pybpod_alyx_module.sync.review import OPTIONAL, Review

if TYPE_CHECKING:
    from collections.abc import Callable, Collection

    from pybpod_alyx_module.sync.plan import Difference, PlanEntry, SyncPlan

#: The kinds of entries in the order in which they are listed, each with what stands before its reason.
KINDS: Final[dict[Action, str]] = {
    Action.ASK: "differs",
    Action.CONFLICT: "conflict",
    Action.REMOVE: "removed from this PyBpod project",
    Action.POSTPONE: "removal postponed",
    Action.ADD: "added",
    Action.MERGE: "filled in",
    Action.LEFT_ALONE: "left alone",
}

#: The same over a list of them.
TITLES: Final[dict[Action, str]] = {
    Action.ASK: "Differ",
    Action.CONFLICT: "Conflicts",
    Action.REMOVE: "Removals",
    Action.POSTPONE: "Removals postponed",
    Action.ADD: "Additions",
    Action.MERGE: "Filled in",
    Action.LEFT_ALONE: "Left alone",
}

#: How the list may be sorted: its words and what it is sorted by.
ORDERS: Final[dict[str, Callable[[PlanEntry], object]]] = {
    "By what happens": lambda entry: list(KINDS).index(entry.action),
    "By name": lambda entry: (entry.name.casefold(), entry.name),
    "By differences": lambda entry: -sum(not says_nothing(found) for found in entry.differences),
}

#: What is ticked of an entry without fields.
_ALL: Final = ""


class Choices:
    """The entries of a plan that a person looks at, and what is ticked: nothing of what differs, all of the rest."""

    def __init__(self, plan: SyncPlan) -> None:
        self.plan = plan
        #: All of them, in the plan's order.
        self.entries = plan.of(*KINDS)
        #: Those about which the plan asks.
        self.asking = plan.of(Action.ASK)
        self._ticked = {
            entry.identity: frozenset(self._parts(entry) if entry.action is not Action.ASK else ())
            for entry in self.entries
            if self.may_tick(entry)
        }
        self._texts: dict[str, str] = {}

    def may_tick(self, entry: PlanEntry) -> bool:
        """Tell whether a person decides about an entry here; many removals are a question of their own."""
        if entry.action is Action.REMOVE:
            return not self.plan.many_removals
        return entry.action is Action.ASK or entry.action in OPTIONAL

    def fields(self, entry: PlanEntry) -> list[Difference]:
        """Return the fields that differ, those that say nothing last."""
        return sorted(entry.differences, key=says_nothing)

    def ticked(self, entry: PlanEntry) -> frozenset[str]:
        """Return the ticked fields of an entry; one empty text where it has no fields and is ticked itself."""
        return self._ticked.get(entry.identity, frozenset())

    def is_whole(self, entry: PlanEntry) -> bool:
        """Tell whether all of an entry is ticked."""
        return self.ticked(entry) == self._parts(entry)

    def tick(self, entry: PlanEntry, *, on: bool, field: str | None = None) -> None:
        """Tick an entry or one of its fields, or take the tick away."""
        if not self.may_tick(entry):
            return
        meant = self._parts(entry) if field is None else frozenset([field])
        now = self.ticked(entry)
        self._ticked[entry.identity] = now | meant if on else now - meant

    def shown(self, kind: Action | None, typed: str, order: str) -> list[PlanEntry]:
        """Return the entries of a kind that have each of the words that were typed; all kinds where it is None."""
        is_meant = word_filter(typed)
        found = [
            entry
            for entry in self.entries
            if (kind is None or entry.action is kind) and (not typed.strip() or is_meant(self._text(entry)))
        ]
        return sorted(found, key=ORDERS[order])  # type: ignore[arg-type]

    def count(self, action: Action) -> int:
        """Return how many entries of a kind will happen."""
        return sum(bool(self.ticked(entry)) or not self.may_tick(entry) for entry in self.plan.of(action))

    def review(self, action: Action, among: Collection[PlanEntry] | None = None) -> Review:
        """Return the choices.

        ``action``: what becomes of what is ticked of the subjects that differ; the others are kept.
        ``among``: those of which all is taken; where it is left out, what is ticked counts.
        """
        answers: dict[str, Action] = {}
        fields: dict[str, tuple[str, ...]] = {}
        for entry in self.asking:
            chosen = self._parts(entry) if among is not None and entry in among else frozenset()
            if among is None:
                chosen = self.ticked(entry)
            answers[entry.identity] = action if chosen else Action.KEEP
            if chosen and chosen != self._parts(entry):
                fields[entry.identity] = self._in_order(entry, chosen)
        left = set()
        for entry in self.plan.of(*OPTIONAL):
            if not self.may_tick(entry) or self.is_whole(entry):
                continue
            if self.ticked(entry):
                fields[entry.identity] = self._in_order(entry, self.ticked(entry))
            else:
                left.add(entry.identity)
        return Review(answers, fields, frozenset(left))

    @staticmethod
    def _parts(entry: PlanEntry) -> frozenset[str]:
        return frozenset(found.field for found in entry.differences) or frozenset([_ALL])

    @staticmethod
    def _in_order(entry: PlanEntry, chosen: frozenset[str]) -> tuple[str, ...]:
        return tuple(found.field for found in entry.differences if found.field in chosen)

    def _text(self, entry: PlanEntry) -> str:
        if entry.identity not in self._texts:
            values = [cell(words(value, indent=None)) for it in entry.differences for value in (it.local, it.remote)]
            names = [label(found.field) for found in entry.differences]
            self._texts[entry.identity] = "\n".join([headline(entry), *names, *values])
        return self._texts[entry.identity]


def headline(entry: PlanEntry) -> str:
    """Say of an entry who it is, what becomes of it, and why."""
    what = KINDS[entry.action]
    if entry.action is Action.ASK:
        count = sum(not says_nothing(found) for found in entry.differences)
        what = "no field differs" if count == 0 else f"{count} field{' differs' if count == 1 else 's differ'}"
    why = entry.reason
    if entry.action is Action.ADD and entry.remote is not None:
        lab, owner = entry.remote.lab or "unknown", entry.remote.responsible_user or "nobody"
        why = f"on Alyx and not in this project (lab {lab}, responsible user {owner})"
    elif entry.action is Action.MERGE:
        why = "the project lacks what Alyx has"
    return f"{cell(entry.name)}:  {'; '.join(filter(None, (what, cell(why))))}"
