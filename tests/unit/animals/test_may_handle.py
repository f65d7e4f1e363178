"""Whether a user may handle an animal is said before anything is recorded, offline by the project's copy."""

from __future__ import annotations

import datetime as dt
from dataclasses import replace

import pytest

from pybpod_alyx_module.animals.alyx_subject import AlyxSubject
from pybpod_alyx_module.animals.checks_before_run import run_checks
from pybpod_alyx_module.animals.overview import AnimalOverview, unknown_state
from pybpod_alyx_module.animals.weight_plausibility import WeightFacts
from tests.unit.animals.rig_rows import state

AWAY = "alyx.example cannot be reached."


def copied(owner: str, days: int | None = 8) -> AlyxSubject:
    day = "" if days is None else str(dt.datetime.now().astimezone().date() - dt.timedelta(days=days))
    copy = WeightFacts(None, None, day)
    return AlyxSubject("https://alyx.example", "id", "ea04", "jose", copy=copy, responsible_user=owner)


def test_who_is_not_allowed_is_told_so_by_name() -> None:
    overview = AnimalOverview("jose", state(may_handle=False, responsible_user="ana"))
    assert overview.handling_sentence == "ana is responsible for implant_1 and does not let jose handle it."
    assert AnimalOverview("jose", state(responsible_user="ana")).handling_sentence == ""


@pytest.mark.parametrize(
    ("days", "age"), [(8, "(8 days old)"), (1, "(1 day old)"), (0, " of today"), (None, "copy. W")]
)
def test_offline_the_projects_copy_says_whose_it_is_and_how_old_it_is(days: int | None, age: str) -> None:
    animal = copied("ana", days)
    offline = AnimalOverview("jose", unknown_state(animal, AWAY))
    assert offline.handling_sentence.startswith("ana is responsible for ea04. That is from the project's copy")
    assert age in offline.handling_sentence
    assert "Whether ana lets jose handle it cannot be asked now." in offline.handling_sentence
    assert offline.not_checked == (AWAY,)
    (told,) = [one for one in run_checks([offline.state], {}) if one.check == "may_handle"]
    assert "could not check whether you may handle it. That is from the project's copy" in told.sentence


def test_offline_nothing_is_said_of_ones_own_animal_and_of_one_whose_user_is_not_known() -> None:
    own = unknown_state(copied("jose"), AWAY)
    assert (AnimalOverview("jose", own).handling_sentence, own.may_handle) == ("", True)
    unknown = unknown_state(copied(""), AWAY)
    assert AnimalOverview("jose", unknown).handling_sentence == ""
    assert unknown.not_checked["handling"] == AWAY


def test_a_server_that_does_not_tell_is_a_note_once_for_all_animals_of_that_user() -> None:
    why = {"handling": "alyx.example does not tell whether ana lets jose handle their animals."}
    first = state(may_handle=None, responsible_user="ana", not_checked=why, untold=frozenset({"handling"}))
    notes = run_checks([first, replace(first, name="ea05")], {"several": "off", "may_handle": "block"})
    assert [(one.level, one.subject, one.sentence) for one in notes] == [("note", "", why["handling"])]
    assert AnimalOverview("jose", first).handling_sentence == f"ana is responsible for implant_1. {why['handling']}"
