"""Which animal was on the rig."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from pybpod_alyx_module.sessions.on_rig import Animal, Candidate, LinkedSubject, OnRig, which_animal
from pybpod_alyx_module.sessions.session_csv import SessionSubject
from tests.rig_sessions import EA04

SYNCED = LinkedSubject("ea04", EA04, EA04)
LINKED = LinkedSubject("M2", "pybpod 2", "alyx 2")


def test_one_that_a_sync_added():
    found = which_animal([SessionSubject("ea04", EA04.upper())], [SYNCED, LINKED])
    assert found == OnRig((Candidate(SYNCED),))
    assert found.default == SYNCED


@pytest.mark.parametrize("uuid", ["pybpod 2", "alyx 2"])
def test_one_that_was_linked_later(uuid):
    assert which_animal([SessionSubject("renamed since", uuid)], [SYNCED, LINKED]).default == LINKED


def test_several_have_no_default():
    found = which_animal([SessionSubject("ea04", EA04), SessionSubject("M2", "alyx 2")], [SYNCED, LINKED])
    assert [candidate.subject for candidate in found.candidates] == [SYNCED, LINKED]
    assert found.default is None


def test_one_listed_under_both_its_uuids_is_one():
    found = which_animal([SessionSubject("M2", "alyx 2"), SessionSubject("M2", "pybpod 2")], [LINKED])
    assert found.default == LINKED


def test_another_on_the_rig_leaves_no_default():
    local = SessionSubject("local", "pybpod 3")
    found = which_animal([SessionSubject("ea04", EA04), local], [SYNCED])
    assert (found.candidates, found.others, found.default) == ((Candidate(SYNCED),), (local,), None)


@pytest.mark.parametrize("uuid", [None, "", "another"])
def test_a_name_alone_is_no_proof(uuid):
    found = which_animal([SessionSubject("EA04", uuid)], [SYNCED])
    assert (found.candidates, found.default) == ((Candidate(SYNCED, by_name=True),), None)


def test_names_that_were_swapped_do_not_mislead():
    links = [LinkedSubject("a", "1", "1"), LinkedSubject("b", "2", "2")]
    assert which_animal([SessionSubject("a", "2")], links).default == links[1]


def test_two_links_to_one_uuid_have_no_default():
    links = [LinkedSubject("a", "1", "alyx 1"), LinkedSubject("b", "1", "alyx 2")]
    assert which_animal([SessionSubject("a", "1")], links).default is None


@pytest.mark.parametrize("links", [[], [LinkedSubject("", "", "")]])
def test_none(links):
    local = SessionSubject("local", None)
    assert which_animal([local], links) == OnRig((), (local,))
    assert which_animal([], links) == OnRig()
    assert OnRig().default is None


class TestAnimal:
    def test_a_row_of_a_real_alyx(self):
        recording = Path(__file__).parents[2] / "contract" / "recordings" / "subject_detail.json"
        row = json.loads(recording.read_text(encoding="utf-8"))["response"]["body"]
        found = Animal.of(row)
        assert (found.id, found.nickname, found.lab) == (row["id"], "an003", "champalimaud")
        assert (found.responsible_user, found.alive, found.death_date) == ("ana", True, None)

    def test_a_subjects_record(self):
        found = Animal.of({"alyx_id": "1", "nickname": "a", "projects": ["p"], "lab": None})
        assert found == Animal("1", "a", None, ("p",))
        assert found.alive is None
