"""What a sync did, in words: counts, names and reasons. No Qt."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from pybpod_alyx_module.sync.plan import Action

if TYPE_CHECKING:
    from collections.abc import Sequence

    from pybpod_alyx_module.sync.apply import Outcome
    from pybpod_alyx_module.sync.plan import PlanEntry

#: The actions in the order in which they are told, each with its heading.
HEADINGS: Final[dict[Action, str]] = {
    Action.ADD: "Added",
    Action.MERGE: "Merged",
    Action.OVERRIDE: "Overridden",
    Action.KEEP: "Kept",
    Action.REMOVE: "Removed from this PyBpod project",
    Action.POSTPONE: "Removal postponed",
    Action.CONFLICT: "Conflicts",
    Action.LEFT_ALONE: "Left alone",
    Action.UP_TO_DATE: "Up to date",
}

#: Actions that change something in the project.
CHANGES: Final = (Action.ADD, Action.MERGE, Action.OVERRIDE, Action.REMOVE)


def counts(outcomes: Sequence[Outcome]) -> dict[Action, int]:
    """Count what was done.

    Parameters
    ----------
    outcomes : sequence of Outcome
        What became of the entries of a plan.

    Returns
    -------
    dict
        Every action of `HEADINGS` to its number, zeros included; refused entries are not counted.
    """
    return {action: len(_done(outcomes, action)) for action in HEADINGS}


def summary(outcomes: Sequence[Outcome]) -> str:
    """Tell what a sync did.

    Parameters
    ----------
    outcomes : sequence of Outcome
        What became of the entries of a plan.

    Returns
    -------
    str
        A line with all the counts, then a paragraph for each action that there was, with names and reasons.
    """
    paragraphs = [", ".join(f"{count} {HEADINGS[action].lower()}" for action, count in counts(outcomes).items()) + "."]
    paragraphs[0] = paragraphs[0].replace("pybpod", "PyBpod")
    for action, heading in HEADINGS.items():
        told = [(outcome.entry, outcome.message) for outcome in _done(outcomes, action)]
        if told:
            paragraphs.append(_paragraph(heading, told))
    refused = [(outcome.entry, outcome.message) for outcome in outcomes if not outcome.applied]
    if refused:
        paragraphs.append(_paragraph("Not changed", refused))
    return "\n\n".join(paragraphs)


def _done(outcomes: Sequence[Outcome], action: Action) -> list[Outcome]:
    return [outcome for outcome in outcomes if outcome.applied and outcome.entry.action is action]


def _paragraph(heading: str, told: Sequence[tuple[PlanEntry, str]]) -> str:
    plain = [entry.name for entry, message in told if not (entry.reason or message)]
    lines = [f"{heading} ({len(told)})" + (f": {', '.join(plain)}" if plain else ":")]
    for entry, message in told:
        if entry.reason or message:
            lines.append(f"    {entry.name}: {'; '.join(filter(None, (entry.reason, message)))}")
    return "\n".join(lines)
