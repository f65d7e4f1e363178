"""Which subjects are listed: what a project keeps of the choice, and what becomes of a subject out of it."""

from __future__ import annotations

import pytest

from pybpod_alyx_module.sync.make_plan import make_plan
from pybpod_alyx_module.sync.plan import Action
from pybpod_alyx_module.sync.scope import USUAL, Kind, Scope
from pybpod_alyx_module.sync.snapshot import LocalSubject, RemoteSnapshot
from tests.alyx_rows import SERVER, remote

SCOPES = [USUAL, Scope(Kind.LAB, "cortexlab", True, True), Scope(Kind.KNOWN), Scope(Kind.PROJECT, "brainwide")]


@pytest.mark.parametrize("scope", SCOPES)
def test_what_a_project_keeps_is_read_again(scope):
    assert Scope.of(scope.as_record()) == scope


NAMELESS = {"kind": "lab"}


@pytest.mark.parametrize("kept", [None, [], {}, {"kind": "all"}, NAMELESS, {**NAMELESS, "name": 3}])
def test_what_cannot_be_is_the_usual_scope(kept):
    assert Scope.of(kept) == USUAL


@pytest.mark.parametrize("scope", SCOPES)
def test_a_living_subject_out_of_scope_stays_and_a_dead_one_leaves(scope):
    living, dead = remote("alive"), remote("dead", alive=False, death_date="2026-11-01")
    both = (living, dead)
    local = [LocalSubject(one.alyx_id, one.nickname, one.alyx_id, SERVER, details=one.details) for one in both]
    plan = make_plan(local, RemoteSnapshot(SERVER, "ana", (), both, scope))
    assert [(entry.name, entry.action) for entry in plan.entries] == [
        ("alive", Action.LEFT_ALONE),
        ("dead", Action.REMOVE),
    ]
    assert plan.whose == scope.words("ana")


def test_of_what_would_be_added_a_person_chooses():
    plan = make_plan([], RemoteSnapshot(SERVER, "ana", (remote("one"), remote("two"))))
    chosen = plan.adding_only({remote("two").alyx_id})
    assert [entry.name for entry in chosen.entries] == ["two"]


def test_a_row_of_another_lab_or_project_does_not_belong_there():
    row = {"lab": "cortexlab", "projects": ["brainwide"], "responsible_user": "ana"}
    for kind, there, elsewhere in ((Kind.LAB, "cortexlab", "x"), (Kind.PROJECT, "brainwide", "brain")):
        assert Scope(kind, there).holds(row, ["jose"])
        assert not Scope(kind, elsewhere).holds(row, ["jose"])
