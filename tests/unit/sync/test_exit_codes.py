"""What a script sees of ``pybpod-alyx sync``."""

from __future__ import annotations

import pytest

from pybpod_alyx_module.sync.apply import Result
from pybpod_alyx_module.sync.plan import Action, PlanEntry
from pybpod_alyx_module.unattended.command import exit_code_of

OK, CHANGED, CONFLICTS = 0, 10, 11

CODES = dict.fromkeys((Action.ADD, Action.MERGE, Action.OVERRIDE, Action.REMOVE), CHANGED) | {
    Action.UP_TO_DATE: OK,
    Action.KEEP: OK,
    Action.LEFT_ALONE: OK,
    Action.POSTPONE: OK,
    Action.CONFLICT: CONFLICTS,
}


@pytest.mark.parametrize("action", CODES, ids=lambda action: action.value)
def test_the_exit_code_says_what_became_of_the_project(action):
    done = Result(PlanEntry(action, "a"), applied=True)
    same, added = (Result(PlanEntry(one, "b"), applied=True) for one in (Action.UP_TO_DATE, Action.ADD))
    assert exit_code_of([same, done]) == CODES[action]
    assert exit_code_of([done, added]) == max(CODES[action], CHANGED)


def test_what_was_refused_changed_nothing():
    assert exit_code_of([Result(PlanEntry(Action.OVERRIDE, "a"), applied=False)]) == OK
    assert exit_code_of([]) == OK
