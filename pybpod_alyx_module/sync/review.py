"""What a person chose when a plan was reviewed, and the plan as it is with that. Pure."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Final

from pybpod_alyx_module.sync.plan import Action

if TYPE_CHECKING:
    from collections.abc import Mapping

    from pybpod_alyx_module.sync.plan import PlanEntry, SyncPlan

#: Why removals were postponed when the user did not want them.
NOT_NOW: Final = "you chose not to remove it now"

#: What a person may leave out.
OPTIONAL: Final = (Action.ADD, Action.MERGE, Action.REMOVE)


@dataclass(frozen=True)
class Review:
    """The choices; without any, the plan is as it was."""

    #: Override, merge or keep, by the key of each subject about which the plan asks.
    answers: Mapping[str, Action] = field(default_factory=dict)
    #: By `PlanEntry.identity`: the fields that are taken from Alyx, where these are not all that differ.
    fields: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    #: The `PlanEntry.identity` of what is not added, not filled in or not removed now.
    left: frozenset[str] = frozenset()


def reviewed(plan: SyncPlan, review: Review) -> SyncPlan:
    """Return the plan with the choices in it, and no question; ValueError where one has no answer."""
    entries = (_chosen(entry, review) for entry in plan.answered(review.answers).entries)
    return replace(plan, entries=tuple(entry for entry in entries if entry is not None))


def without_removals(plan: SyncPlan) -> SyncPlan:
    """Return a plan without questions with its removals postponed."""
    left = frozenset(entry.identity for entry in plan.of(Action.REMOVE))
    return replace(reviewed(plan, Review(left=left)), many_removals=False)


def _chosen(entry: PlanEntry, review: Review) -> PlanEntry | None:
    if entry.identity in review.left and entry.action in OPTIONAL and entry.identity not in review.answers:
        if entry.action is Action.ADD:
            return None
        if entry.action is Action.MERGE:
            return replace(entry, action=Action.KEEP)
        return replace(entry, action=Action.POSTPONE, reason=f"{entry.reason}; {NOT_NOW}")
    if entry.identity in review.fields and entry.action in {Action.OVERRIDE, Action.MERGE}:
        return replace(entry, taken=review.fields[entry.identity])
    return entry
