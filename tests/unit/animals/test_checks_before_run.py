"""The checks before Run, on subjects as Alyx answers them."""

from __future__ import annotations

import datetime as dt
from decimal import Decimal
from typing import Any

import pytest

from pybpod_alyx_module.animals.checks_before_run import NOTE, Finding, run_checks
from pybpod_alyx_module.animals.subject_state import PARTS, SubjectState
from pybpod_alyx_module.animals.weight import judge
from pybpod_alyx_module.animals.weight_plausibility import Weighed
from pybpod_alyx_module.rig_settings import CHECKS
from tests.unit.animals.rig_rows import requirement, session, state

ID = "2076dbdc-5382-47d6-a9c8-5a0f548120e2"
#: For each check what goes wrong, and what is said.
WRONG: list[tuple[str, dict[str, Any], str]] = [
    ("alive", {"alive": False, "death_date": "2026-11-01"}, "implant_1 is not alive on Alyx (death date 2026-11-01)."),
    (
        "may_handle",
        {"may_handle": False, "responsible_user": "ana"},
        "ana is responsible for implant_1 and does not let you handle it.",
    ),
    ("to_be_culled", {"to_be_culled": True}, "Alyx lists implant_1 as to be culled."),
    (
        "run_today",
        {"sessions_today": (session(9), session(14, ""))},
        "implant_1 already has 2 sessions today on Alyx: 09:00 (wait_task), 14:00.",
    ),
    (
        "weighed_today",
        {"needs": requirement(weight=24.0, given_water_total=1.0)},
        "implant_1 has not been weighed today.",
    ),
    (
        "min_weight",
        {"needs": requirement(weighing_at=21.69, weight=21.69, given_water_total=1.0)},
        "implant_1 is below its minimum weight: 21.69 g today, minimum 21.7 g.",
    ),
    (
        "water",
        {"needs": requirement(weighing_at=24.0, weight=24.0)},
        "implant_1 still needs 0.83 mL of water today.",
    ),
]


def test_nothing_is_said_where_nothing_is_wrong() -> None:
    assert run_checks([state()], {}) == ()
    assert run_checks([], {}) == ()


@pytest.mark.parametrize(("check", "changes", "said"), WRONG, ids=[one[0] for one in WRONG])
def test_what_is_wrong_is_said_with_the_name(check: str, changes: dict[str, Any], said: str) -> None:
    (finding,) = run_checks([state(**changes)], {})
    assert (finding.check, finding.level, finding.subject, finding.sentence, finding.checked) == (
        check,
        "warn",
        "implant_1",
        said,
        True,
    )


@pytest.mark.parametrize(("check", "changes", "said"), WRONG, ids=[one[0] for one in WRONG])
def test_each_check_can_block_or_be_off(check: str, changes: dict[str, Any], said: str) -> None:
    assert [one.level for one in run_checks([state(**changes)], {check: "block"})] == ["block"]
    assert run_checks([state(**changes)], {check: "off"}) == ()


def test_the_last_weight_is_named_where_there_is_none_of_today() -> None:
    weighed = (Weighed(Decimal("24.04"), dt.datetime.combine(dt.date(2026, 11, 18), dt.time(9))),)
    (finding,) = run_checks([state(needs=requirement(weight=24.04, given_water_total=1.0), weighings=weighed)], {})
    assert finding.sentence == "implant_1 has not been weighed today (last weight 24.0 g on 2026-11-18)."


@pytest.mark.parametrize("minimum", [21.7, 21.700000000000003])
def test_an_animal_exactly_at_its_minimum_is_not_below_it(minimum: float) -> None:
    needs = requirement(weighing_at=21.7, weight=21.7, min_weight=minimum, given_water_total=1.0)
    assert run_checks([state(needs=needs)], {"min_weight": "block"}) == ()
    assert judge(Decimal("21.7"), needs).minimum_text == "at the minimum of 21.7 g"


def test_an_old_weight_below_the_minimum_is_said_to_be_old() -> None:
    findings = run_checks([state(needs=requirement(given_water_total=1.0))], {"weighed_today": "off"})
    assert [one.sentence for one in findings] == [
        "implant_1 is below its minimum weight: 19.45 g when it was last weighed, before today, minimum 21.7 g."
    ]


def test_no_limit_is_said_and_is_no_reason_to_stop() -> None:
    needs = requirement(
        by_reference=0.0, expected_weight=0, min_weight=3.0, weighing_at=2.0, weight=2.0, given_water_total=1.0
    )
    (finding,) = run_checks([state(needs=needs)], {"min_weight": "block"})
    assert (finding.level, finding.sentence) == ("note", "implant_1, minimum weight: no limit set on Alyx.")
    assert run_checks([state(needs=needs)], {"min_weight": "off"}) == ()


def test_a_subject_that_was_never_weighed_is_not_passed() -> None:
    findings = run_checks([state(needs=requirement(weight=0, expected_water=0))], {})
    assert [one.check for one in findings] == ["weighed_today", "min_weight", "water"]
    assert findings[1].sentence == "implant_1 has no weight on Alyx to compare with its minimum of 21.7 g."


def test_an_animal_on_free_water_needs_none_from_a_person() -> None:
    assert run_checks([state(needs=requirement(is_water_restricted=False, weighing_at=24.0, weight=24.0))], {}) == ()


def test_more_than_one_subject_is_said() -> None:
    (finding,) = run_checks([state("a"), state("b")], {"several": "block"})
    assert (finding.check, finding.level) == ("several", "block")
    assert finding.sentence.startswith("This setup has 2 Alyx subjects: a, b.")
    assert run_checks([state("a"), state("b")], {"several": "off"}) == ()


def test_what_did_not_arrive_is_said_and_never_blocks() -> None:
    nothing = SubjectState(ID, "jo006", dict.fromkeys(PARTS, "Alyx did not answer within 2 s."))
    (finding,) = run_checks([nothing], dict.fromkeys(CHECKS, "block"))
    assert (finding.check, finding.level, finding.checked) == ("alive", "warn", False)
    assert finding.sentence == (
        "jo006: could not check whether it is alive and whether you may handle it and whether it is to be culled and "
        "whether it ran today and whether it was weighed today and whether it is below its minimum weight and what "
        "water it still needs. Alyx did not answer within 2 s. This check is set to block, but an "
        "unanswered check never blocks a run."
    )
    assert "set to block" not in run_checks([nothing], {})[0].sentence
    (one,) = run_checks([nothing], {**dict.fromkeys(CHECKS, "off"), "run_today": "warn"})
    assert one.sentence == "jo006: could not check whether it ran today. Alyx did not answer within 2 s."
    assert run_checks([nothing], dict.fromkeys(CHECKS, "off")) == ()


def test_each_reason_is_said_by_itself() -> None:
    reasons = {**dict.fromkeys(PARTS, "no answer."), "culled": "not told."}
    findings = run_checks([SubjectState(ID, "jo006", reasons)], {})
    assert [(one.check, one.sentence.rpartition(". ")[2]) for one in findings] == [
        ("alive", "no answer."),
        ("to_be_culled", "not told."),
    ]


def test_one_part_that_did_not_arrive_leaves_the_others_checked() -> None:
    partly = state(to_be_culled=None, alive=False, not_checked={"culled": "This Alyx does not tell."})
    findings = {one.check: one for one in run_checks([partly], {"alive": "block"})}
    assert (findings["alive"].level, findings["alive"].checked) == ("block", True)
    assert findings["to_be_culled"].sentence == (
        "implant_1: could not check whether it is to be culled. This Alyx does not tell."
    )
    assert len(findings) == 2


def test_a_subject_that_is_gone_is_said_once() -> None:
    gone = SubjectState(ID, "jo006", dict.fromkeys(PARTS[1:], "gone"), found=False)
    (finding,) = run_checks([gone], {"alive": "block"})
    assert (finding.check, finding.level) == ("alive", "block")
    assert "jo006 is no longer on Alyx" in finding.sentence
    assert run_checks([gone], dict.fromkeys(CHECKS, "off")) == ()
    assert [one.level for one in run_checks([gone], {"alive": "off"})] == ["warn"]


@pytest.mark.parametrize("policy", [{"alive": "maybe"}, {"dead": "warn"}])
def test_a_policy_that_makes_no_sense_is_refused(policy: dict[str, str]) -> None:
    with pytest.raises(ValueError, match="no such check or level"):
        run_checks([], policy)


def test_what_a_server_tells_of_no_animal_is_a_note_and_said_once() -> None:
    why = "alyx.lab.org does not tell minimum weights."
    without = {"needs": None, "not_checked": {"requirement": why}, "untold": frozenset({"requirement"})}
    states = [state(name, **without) for name in ("ea04", "ea05")]
    found = run_checks(states, {**dict.fromkeys(CHECKS, "off"), "min_weight": "block", "alive": "block"})
    assert found == (Finding("min_weight", NOTE, "", why, checked=False),)


def test_whether_it_was_weighed_is_known_without_minimum_weights() -> None:
    without = {"needs": None, "not_checked": {"requirement": "?"}, "untold": frozenset({"requirement"})}
    policy = {**dict.fromkeys(CHECKS, "off"), "weighed_today": "block"}
    (found,) = run_checks([state(**without)], policy)
    assert (found.level, found.sentence) == ("block", "implant_1 has not been weighed today.")
    (found,) = run_checks([state(weighings=None, **without)], policy)
    assert (found.level, found.checked) == ("warn", False)
