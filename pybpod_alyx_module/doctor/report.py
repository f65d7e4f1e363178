"""The list as a text that can be pasted into a report, and as JSON; neither holds a password or a token."""

from __future__ import annotations

import json
from datetime import datetime
from typing import TYPE_CHECKING

from pybpod_alyx_module.doctor.check import State

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from pybpod_alyx_module.doctor.check import Check


def is_well(checks: Iterable[Check]) -> bool:
    """Tell whether nothing is wrong."""
    return all(check.state is not State.WRONG for check in checks)


def summary(checks: Sequence[Check]) -> str:
    """Say in a sentence how it stands."""
    wrong = sum(check.state is State.WRONG for check in checks)
    warnings = sum(check.state is State.WARNING for check in checks)
    told = [f"{wrong} wrong"] if wrong else []
    told += [f"{warnings} warning{'' if warnings == 1 else 's'}"] if warnings else []
    return f"{len(checks)} checks: {', '.join(told) or 'all well'}."


def lines_of(check: Check) -> list[str]:
    """Return one check as lines of text."""
    first, *more = check.found.splitlines() or [""]
    lines = [f"  {check.state.value:8}{check.title}: {first}", *(f"{'':10}{line}" for line in more)]
    return [*lines, *([f"{'':10}-> {check.advice}"] if check.advice else [])]


def as_text(checks: Sequence[Check]) -> str:
    """Return the list as text."""
    now = datetime.now().astimezone()
    lines, group = [f"Check of the Alyx plugin, {now:%Y-%m-%d %H:%M %z}. {summary(checks)}"], ""
    for check in checks:
        if check.group != group:
            group = check.group
            lines += ["", group]
        lines += lines_of(check)
    return "\n".join(lines)


def as_json(checks: Sequence[Check]) -> str:
    """Return the list as JSON."""
    rows = [
        {
            "group": check.group,
            "title": check.title,
            "state": check.state.value,
            "found": check.found,
            "advice": check.advice,
        }
        for check in checks
    ]
    return json.dumps({"ok": is_well(checks), "checks": rows}, ensure_ascii=False, indent=1)
