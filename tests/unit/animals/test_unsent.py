"""What the outbox still holds, counted into what Alyx says."""

from __future__ import annotations

import datetime as dt
from dataclasses import replace
from decimal import Decimal
from typing import Any
from zoneinfo import ZoneInfo

import pytest

from pybpod_alyx_module.animals.checks_before_run import run_checks
from pybpod_alyx_module.animals.subject_state import PARTS, SubjectState
from pybpod_alyx_module.animals.unsent import unsent_sentences, with_unsent, with_unsent_water
from pybpod_alyx_module.animals.water import water_today
from pybpod_alyx_module.animals.weight_plausibility import Weighed
from pybpod_alyx_module.outbox.items import Item, Kind, State
from tests.unit.animals.rig_rows import DAY, requirement, state

NOON = "2026-11-20T12:00:00.000123"


def item(kind: Kind, item_state: State = State.WAITING, server_id: str | None = None, **values: Any) -> Item:
    created = dt.datetime(2026, 11, 20, 12, tzinfo=dt.timezone.utc)
    return Item(
        1, "key", kind, "http://alyx", "jose", "id", "jo001", values, None, created, "rig", {}, item_state,
        server_id=server_id,
    )  # fmt: skip


def weight(grams: float, when: str = NOON, item_state: State = State.WAITING) -> Item:
    return item(Kind.WEIGHING, item_state, weight=grams, date_time=when)


def water(amount: float, when: str = NOON, item_state: State = State.WAITING, **more: Any) -> Item:
    server_id = more.pop("server_id", None)
    return item(Kind.WATER, item_state, server_id, water_administered=amount, date_time=when, **more)


def checks(subject: SubjectState) -> set[str]:
    return {finding.check for finding in run_checks([subject], {}) if finding.level == "warn"}


def test_a_weight_of_today_counts_as_weighed_and_for_the_minimum() -> None:
    light = state(needs=requirement())
    assert {"weighed_today", "min_weight"} <= checks(light)
    heavier = with_unsent(light, [weight(24.5)], DAY)
    assert not {"weighed_today", "min_weight"} & checks(heavier)
    assert heavier.last_weight == Weighed(Decimal("24.5"), dt.datetime.fromisoformat(NOON))
    assert "min_weight" in checks(with_unsent(light, [weight(20.1)], DAY))


def test_a_weight_of_yesterday_does_not() -> None:
    found = with_unsent(state(needs=requirement()), [weight(24.5, "2026-11-19T12:00:00.000001")], DAY)
    assert {"weighed_today", "min_weight"} <= checks(found)
    assert found.last_weight is not None


def test_a_weight_is_known_without_a_server() -> None:
    nothing = SubjectState("id", "jo001", dict.fromkeys(PARTS, "No network."))
    assert nothing.weighed_today is None
    assert with_unsent(nothing, [weight(24.5)], DAY).weighed_today is True
    assert with_unsent(nothing, [weight(24.5, "2026-11-19T12:00:00")], DAY).weighed_today is None


def test_water_is_counted_by_where_it_was_given() -> None:
    needs = requirement(expected_water=1.0)
    found = with_unsent(state(needs=needs), [water(0.2), water(0.3, session="an id")], DAY).water
    assert found is not None
    assert (found.given, found.supplement, found.reward) == (Decimal("0.5"), Decimal("0.2"), Decimal("0.3"))
    assert found.remaining == Decimal("0.50")


@pytest.mark.parametrize(
    "left_out",
    [
        water(0.2, item_state=State.UNSURE),
        water(0.2, item_state=State.SENDING),
        water(0.2, item_state=State.PARKED, server_id="there already"),
        water(0.2, "2026-11-19T23:59:00"),
    ],
)
def test_water_that_may_be_there_or_is_of_another_day_is_not_counted(left_out: Item) -> None:
    before = state(needs=requirement(expected_water=1.0))
    assert with_unsent(before, [left_out], DAY).water == before.water


def test_a_session_of_today_counts() -> None:
    run = item(Kind.SESSION, start_time="2026-11-20T09:30:00", task_protocol="wait_task")
    (finding,) = run_checks([with_unsent(state(), [run], DAY)], {})
    assert "09:30 (wait_task)" in finding.sentence
    earlier = item(Kind.SESSION, start_time="2026-11-19T09:30:00")
    assert run_checks([with_unsent(state(), [earlier], DAY)], {}) == ()


def test_it_is_said_what_is_not_on_alyx_yet() -> None:
    sentences = unsent_sentences([weight(24.5), water(0.25, item_state=State.UNSURE), item(Kind.SESSION)])
    assert sentences == (
        "Not on Alyx yet: 24.50 g at 2026-11-20 12:00 (waiting).",
        "Not on Alyx yet: 0.250 mL of water at 2026-11-20 12:00 (may be on Alyx, not counted here).",
    )


def test_what_was_recorded_on_another_clock_counts_for_the_labs_day() -> None:
    lisbon = replace(state(needs=requirement()), lab_zone="Europe/Lisbon")
    late, early = "2026-11-21T08:30:00.000001+09:00", "2026-11-21T09:30:00.000001+09:00"  # 23:30 and 0:30 in Lisbon
    assert lisbon.day == DAY == dt.date(2026, 11, 20)
    in_lab = dt.datetime.fromisoformat("2026-11-20T23:30:00.000001")
    assert with_unsent(lisbon, [weight(24.5, late)], DAY).last_weight == Weighed(Decimal("24.5"), in_lab)
    assert "weighed_today" not in checks(with_unsent(lisbon, [weight(24.5, late)], DAY))
    assert "weighed_today" in checks(with_unsent(lisbon, [weight(24.5, early)], DAY))
    dry = water_today(requirement(), restricted_now=True)
    for day, given in ((dt.date(2026, 11, 20), "0.2"), (dt.date(2026, 11, 21), "0.3")):
        found = with_unsent_water(dry, [water(0.2, late), water(0.3, early)], day, ZoneInfo("Europe/Lisbon"))
        assert found.given - dry.given == Decimal(given)
