"""What a sync did, in words: counts, names and reasons. No Qt."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from pybpod_alyx_module.gui.words import label, says_nothing
from pybpod_alyx_module.sync.plan import ANSWERS, Action

if TYPE_CHECKING:
    from collections.abc import Sequence

    from pybpod_alyx_module.sync.apply import Result

#: The actions in the order in which they are listed, each with its heading.
HEADINGS: Final[dict[Action, str]] = {
    Action.ADD: "Added",
    Action.MERGE: "Merged",
    Action.OVERRIDE: "Overridden",
    Action.KEEP: "Kept",
    Action.REMOVE: "Removed from this PyBpod project",
    Action.TAKE_OUT: "Taken out of this PyBpod project",
    Action.PUT_BACK: "As before the sync",
    Action.BRING_BACK: "Back in this PyBpod project",
    Action.POSTPONE: "Removal postponed",
    Action.CONFLICT: "Conflicts",
    Action.LEFT_ALONE: "Left alone",
    Action.UP_TO_DATE: "Up to date",
}

#: The actions after their number.
COUNTED: Final[dict[Action, str]] = {
    Action.ADD: "added",
    Action.MERGE: "merged",
    Action.OVERRIDE: "overridden",
    Action.KEEP: "kept",
    Action.REMOVE: "removed from this PyBpod project",
    Action.TAKE_OUT: "taken out of this PyBpod project",
    Action.PUT_BACK: "as before the sync",
    Action.BRING_BACK: "back in this PyBpod project",
    Action.POSTPONE: "removals postponed",
    Action.CONFLICT: "conflicts",
    Action.LEFT_ALONE: "left alone",
    Action.UP_TO_DATE: "up to date",
}


def summary(results: Sequence[Result]) -> str:
    """Put into words what a sync did; what did not happen is not told, those that are up to date are counted only."""
    refused = [result for result in results if not result.applied]
    done = {action: _done(results, action) for action in HEADINGS}
    numbers = [f"{len(found)} {COUNTED[action]}" for action, found in done.items() if found]
    if refused:
        numbers.append(f"{len(refused)} not changed")
    paragraphs = [", ".join(numbers) + "."]
    for action, heading in HEADINGS.items():
        if done[action] and action is not Action.UP_TO_DATE:
            paragraphs.append(_paragraph(heading, done[action]))
    if refused:
        paragraphs.append(_paragraph("Not changed", refused))
    return "\n\n".join(paragraphs)


def _done(results: Sequence[Result], action: Action) -> list[Result]:
    return [result for result in results if result.applied and result.entry.action is action]


def _paragraph(heading: str, results: Sequence[Result]) -> str:
    notes = [(it.entry.name, "; ".join(filter(None, (_why(it), it.message)))) for it in results]
    plain = ", ".join(name for name, note in notes if not note)
    lines = [f"{heading} ({len(results)}): {plain}".rstrip()]
    lines += [f"    {name}: {note}" for name, note in notes if note]
    return "\n".join(lines)


def _why(result: Result) -> str:
    entry = result.entry
    if entry.former is not None:
        shown = [] if entry.former.unlinked else [label(difference.field) for difference in entry.differences]
        linked = "not linked to Alyx" if entry.former.unlinked else ""
        renamed = f"again named {entry.new_name}" if entry.new_name else ""
        return "; ".join(filter(None, (linked, renamed, ", ".join(shown), entry.reason)))
    if entry.action not in ANSWERS:
        return entry.reason
    if not result.applied:
        return ""  # no field was written, and why it asked no longer holds
    fields = entry.written
    if entry.action is Action.KEEP:
        fields = tuple(difference for difference in entry.differences if not says_nothing(difference))
    names = ", ".join(label(difference.field) for difference in fields)
    if entry.action is Action.KEEP:
        return "; ".join(filter(None, (names and f"differs in {names}", entry.reason)))
    linked = "now linked to Alyx" if entry.local is not None and entry.local.alyx_id is None else ""
    return "; ".join(filter(None, (names, linked)))
