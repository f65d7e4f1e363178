"""A typed weight is judged as the server judges it: shown on what a real Alyx answered."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import pytest

from alyx_connector.errors import ProtocolError
from pybpod_alyx_module.animals.requirement import Requirement, read_requirement
from pybpod_alyx_module.animals.weight import NO_LIMIT, LabShares, Level, judge, judge_last
from tests.contract.shapes import OF_ALYX
from tests.unit.animals.rig_rows import requirement

RECORDED = {name: one for name, one in OF_ALYX.read().items() if name.startswith("water_requirement")}
DAYS = [
    pytest.param(recording["response"]["body"], number, id=f"{name}-{number}")
    for name, recording in RECORDED.items()
    for number in range(len(recording["response"]["body"]["records"]))
]


def test_there_are_recordings_of_every_kind_of_lab() -> None:
    assert set(RECORDED) == {
        "water_requirement",
        "water_requirement_implant_1",
        "water_requirement_implant_z",
        "water_requirement_nolimit_1",
    }


@pytest.mark.parametrize(("body", "number"), DAYS)
def test_the_percentage_of_every_recorded_weight_is_the_servers(body: dict[str, Any], number: int) -> None:
    record = body["records"][number]
    judgement = judge(Decimal(str(record["weight"])), read_requirement({**body, "records": [record]}))
    if record["expected_weight"] == 0:
        assert judgement.percentage is None
        assert (judgement.to_minimum, judgement.minimum_text) == (None, NO_LIMIT)
        assert record["percentage_weight"] == 0
        return
    assert judgement.percentage is not None
    assert judgement.to_minimum is not None
    assert float(judgement.percentage) == pytest.approx(record["percentage_weight"], abs=1e-6)
    assert float(judgement.to_minimum) == pytest.approx(record["weight"] - record["min_weight"], abs=1e-8)
    # As the server puts it: too low where the percentage is below the lab's share.
    share = body["reference_weight_pct"] + body["zscore_weight_pct"]
    assert (judgement.to_minimum < 0) == (record["percentage_weight"] / 100 < share)


def test_the_implant_is_off_both() -> None:
    judgement = judge(Decimal("19.45"), requirement())
    assert judgement.percentage_text == "74.8 % of the expected 25.0 g, implant of 3.0 g off both"
    assert (judgement.to_minimum, judgement.minimum_text) == (Decimal("-2.25"), "2.3 g below the minimum of 21.7 g")


@pytest.mark.parametrize(
    ("typed", "said"),
    [
        ("21.7", "at the minimum of 21.7 g"),
        ("21.69", "0.01 g below the minimum of 21.7 g"),
        ("21.71", "0.01 g above the minimum of 21.7 g"),
        ("24.5", "2.8 g above the minimum of 21.7 g"),
        ("21.699", "0.001 g below the minimum of 21.7 g"),
    ],
)
def test_the_distance_is_told_also_where_it_is_small(typed: str, said: str) -> None:
    assert judge(Decimal(typed), requirement()).minimum_text == said


@pytest.mark.parametrize(
    ("typed", "limit", "said"),
    [
        ("21.72", 21.749, "0.03 g below the minimum of 21.75 g"),
        ("21.76", 21.7551, "0.005 g above the minimum of 21.755 g"),
    ],
)
def test_the_minimum_is_never_shown_on_the_wrong_side_of_the_weight(typed: str, limit: float, said: str) -> None:
    assert judge(Decimal(typed), requirement(min_weight=limit)).minimum_text == said


def test_a_lab_that_judges_by_zscore_is_told_so() -> None:
    numbers = requirement(by_reference=0.0, by_zscore=0.85, expected_weight=24.954545454545453, implant_weight=2.5)
    assert judge(Decimal("19.45"), numbers).percentage_text == (
        "75.5 % of the expected 25.0 g, implant of 2.5 g off both, by z-score"
    )


def test_an_implant_alone_is_no_limit() -> None:
    # A lab without a limit: Alyx answers with the implant's own weight as the minimum.
    numbers = requirement(by_reference=0.0, expected_weight=0, min_weight=3.0)
    judgement = judge(Decimal("2.0"), numbers)
    assert (judgement.percentage, judgement.to_minimum, judgement.minimum_text) == (None, None, NO_LIMIT)


def test_a_lab_with_a_limit_and_nothing_to_compute_it_from_is_told_apart_from_one_without() -> None:
    numbers = requirement(reference_weight=0.0, expected_weight=3.0, min_weight=3.0)
    judgement = judge(Decimal("20"), numbers)
    assert judgement.percentage is None
    assert judgement.minimum_text == (
        "no minimum on Alyx: the lab judges by reference weight, and Alyx has none for this subject"
    )
    assert NO_LIMIT not in judgement.percentage_text


def test_no_float_noise_puts_a_weight_below_its_minimum() -> None:
    assert judge(Decimal("21.7"), requirement(min_weight=21.700000000000003)).to_minimum == 0


@pytest.mark.parametrize(
    "change",
    [
        {"weight": None},
        {"weight": "19"},
        {"weight": float("nan")},
        {"weight": True},
        {"date": "today"},
        {"is_water_restricted": None},
        {"implant_weight": None},
    ],
)
def test_numbers_that_are_none_are_refused(change: dict[str, Any]) -> None:
    with pytest.raises(ProtocolError, match="cannot be read"):
        requirement(**change)


@pytest.mark.parametrize("answer", [None, [], {}, "", {"records": 1}, {"records": [1]}, {"records": None}])
def test_an_answer_that_is_no_requirement_is_refused(answer: Any) -> None:
    with pytest.raises(ProtocolError, match="cannot be read"):
        read_requirement(answer)


def test_an_answer_without_a_day_points_at_the_clock() -> None:
    with pytest.raises(ProtocolError, match="Compare the date of this computer"):
        read_requirement({"subject": "a", "reference_weight_pct": 0, "zscore_weight_pct": 0, "records": []})


def test_the_last_day_is_today() -> None:
    body = RECORDED["water_requirement"]["response"]["body"]
    numbers: Requirement = read_requirement(body)
    assert [day.date.isoformat() for day in numbers.days] == [record["date"] for record in body["records"]]
    assert numbers.today.weighing_at is None
    assert numbers.judged_by == "reference weight"


def last(
    weight: str,
    water: str,
    *,
    reference: str = "22",
    at_start: str | None = "25",
    shares: tuple[str, str] = (".85", "0"),
):
    start = None if at_start is None else Decimal(at_start)
    return judge_last(Decimal(weight), Decimal(water), Decimal(reference), start, LabShares(*map(Decimal, shares)))


@pytest.mark.parametrize(
    ("weight", "water", "level", "text"),
    [
        # 22 g reference and an implant of 3 g: the minimum is 21.7 g, 75 % of what is expected is 19.5 g
        ("24.0", "0.84", Level.FINE, "2.3 g above the minimum of 21.7 g"),
        ("21.7", "0.748", Level.FINE, "at the minimum of 21.7 g"),
        ("21.6", "0.93", Level.BELOW, "0.1 g below the minimum of 21.7 g"),
        ("19.5", "0.825", Level.BELOW, "2.2 g below the minimum of 21.7 g"),
        ("19.4", "0.82", Level.FAR_BELOW, "2.3 g below the minimum of 21.7 g"),
    ],
)
def test_a_last_weight_is_judged_by_the_water_that_the_server_expects(
    weight: str, water: str, level: Level, text: str
) -> None:
    judged = last(weight, water)
    assert (judged.level, judged.text) == (level, text)


def test_a_lab_that_judges_by_z_score_tells_only_whether() -> None:
    assert last("21.6", "0.93", shares=("0", ".85")).level == Level.BELOW
    assert last("21.6", "0.93", shares=(".4", ".45")).too_light == "below the minimum"
    assert last("15.0", "0.6", shares=("0", ".85")).too_light == "below the minimum"  # nobody knows how far
    assert last("21.6", "0.744", shares=("0", ".85")).level == Level.FINE


@pytest.mark.parametrize(
    ("water", "more"),
    [
        ("0.9", {}),  # another implant than at the start
        ("0.93", {"at_start": None}),
        ("0.93", {"at_start": "0"}),
        ("0.93", {"at_start": "21"}),
        ("0.744", {}),  # at or above the minimum, says the water: the reference weight says below
    ],
)
def test_nothing_is_guessed_where_the_numbers_do_not_agree(water: str, more: dict[str, Any]) -> None:
    judged = last("21.6", water, **more)
    assert judged.level is None
    assert "Record weight" in judged.text


def test_no_limit_is_said() -> None:
    assert last("21.6", "0.744", shares=("0", "0")) == judge_last(
        Decimal(1), Decimal(1), Decimal(1), None, LabShares(Decimal(0), Decimal(0))
    )
    assert last("21.6", "0.744", shares=("0", "0")).text == NO_LIMIT
