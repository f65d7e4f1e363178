"""What the rig computes of weights and water is what the server computes: on rows as they are, and after writing."""

from __future__ import annotations

from contextlib import contextmanager
from decimal import Decimal
from typing import TYPE_CHECKING, Any

import pytest

from alyx_connector.http.client import AlyxClient
from alyx_connector.progress import CancelToken
from pybpod_alyx_module.animals.requirement import Requirement, read_requirement
from pybpod_alyx_module.animals.rows import first_day
from pybpod_alyx_module.animals.subject_state import fetch_state
from pybpod_alyx_module.animals.today.answers import fetch_answers
from pybpod_alyx_module.animals.today.today_animals import today_animals
from pybpod_alyx_module.animals.water import UNIT, water_today
from pybpod_alyx_module.animals.weight import judge
from tests.contract.alyx_under_test import AlyxUnderTest, found

if TYPE_CHECKING:
    from collections.abc import Iterator

#: Subjects to look at: one request each.
_MANY = 12


def _requirement(alyx: AlyxUnderTest, nickname: str) -> tuple[Requirement, dict[str, Any]]:
    answer = alyx.get(f"/water-requirement/{nickname}", start_date=first_day().isoformat())
    return read_requirement(answer), answer["records"][-1]


def _restricted(alyx: AlyxUnderTest) -> list[dict[str, Any]]:
    # Those of the user first: they may be written to.
    ids = {row["id"] for row in alyx.rows("/subjects", water_restricted="True")}
    rows = [row for row in alyx.unique if row["id"] in ids]
    return sorted(rows, key=lambda row: row["responsible_user"] != alyx.user)


def _with_implant(alyx: AlyxUnderTest) -> dict[str, Any]:
    rows = [row for row in _restricted(alyx) if row["responsible_user"] == alyx.user][:_MANY]
    return found(
        [row for row in rows if _requirement(alyx, row["nickname"])[0].today.implant_weight > 0],
        f"a water-restricted subject of {alyx.user} with an implant",
    )


@contextmanager
def _stored(alyx: AlyxUnderTest, path: str, body: dict[str, Any]) -> Iterator[None]:
    answer = alyx.ask("POST", path, json={**body, "user": alyx.user})
    assert answer.status_code == 201, answer.text
    try:
        yield
    finally:
        assert alyx.ask("DELETE", answer.json()["url"].removeprefix(alyx.root)).status_code == 204


def test_percentage_and_distance_are_the_servers(alyx: AlyxUnderTest) -> None:
    free = [row for row in alyx.unique if row["alive"] and row["last_water_restriction"] is None]
    looked = [*_restricted(alyx)[:_MANY], *free[:3]]
    found(looked, "a living subject")
    for row in looked:
        requirement, record = _requirement(alyx, row["nickname"])
        judgement = judge(requirement.today.weight, requirement)
        assert float(judgement.percentage or 0) == pytest.approx(record["percentage_weight"], abs=1e-6), row["nickname"]
        limited = record["min_weight"] > record["implant_weight"]
        wanted = record["weight"] - record["min_weight"] if limited else None
        assert (judgement.to_minimum is None) == (wanted is None), row["nickname"]
        if judgement.to_minimum is not None:
            assert float(judgement.to_minimum) == pytest.approx(wanted, abs=1e-8), row["nickname"]


def test_need_and_remainder_are_the_servers(alyx: AlyxUnderTest) -> None:
    looked = _restricted(alyx)[:_MANY]
    found(looked, "a water-restricted subject")
    for row in looked:
        requirement, record = _requirement(alyx, row["nickname"])
        water = water_today(requirement)
        assert water.restricted
        assert float(water.expected) == pytest.approx(row["expected_water"]), row["nickname"]
        left = max(row["remaining_water"], 0)
        assert left - 1e-8 <= float(water.remaining) < left + float(UNIT), row["nickname"]
        assert record["excess_water"] == pytest.approx(-row["remaining_water"]), row["nickname"]


def test_a_weight_is_judged_before_it_is_stored_as_the_server_judges_it_afterwards(writable: AlyxUnderTest) -> None:
    name = _with_implant(writable)["nickname"]
    before, _ = _requirement(writable, name)
    for typed in (Decimal("18.3"), Decimal("23.75")):
        judgement = judge(typed, before)
        body = {
            "subject": name,
            "weight": float(typed),
            "date_time": f"{before.today.date}T12:00:00",
        }  # noon: the same day in lab and server
        with _stored(writable, "/weighings", body):
            after, record = _requirement(writable, name)
        assert after.today.weighing_at == typed
        assert judgement.percentage is not None
        assert judgement.to_minimum is not None
        assert float(judgement.percentage) == pytest.approx(record["percentage_weight"], abs=1e-6)
        assert float(judgement.to_minimum) == pytest.approx(record["weight"] - record["min_weight"], abs=1e-8)


def test_what_remains_after_an_amount_is_what_the_server_says_afterwards(writable: AlyxUnderTest) -> None:
    name = _with_implant(writable)["nickname"]
    before, _ = _requirement(writable, name)
    water = water_today(before)
    for amount in (Decimal("0.3"), water.remaining + Decimal("0.255")):
        told = water.after(amount)
        body = {
            "subject": name,
            "water_administered": float(amount),
            "water_type": "Water",
            "date_time": f"{before.today.date}T12:00:00",
        }
        with _stored(writable, "/water-administrations", body):
            _, record = _requirement(writable, name)
        left = -record["excess_water"]
        assert max(left, 0) - 1e-8 <= float(told.remaining) < max(left, 0) + float(UNIT)
        assert max(-left, 0) - float(UNIT) < float(told.excess) <= max(-left, 0) + 1e-8
        assert record["given_water_supplement"] == pytest.approx(float(water.supplement or 0) + float(amount))


def test_water_ad_lib_counts_no_amount(writable: AlyxUnderTest) -> None:
    name = _with_implant(writable)["nickname"]
    before, _ = _requirement(writable, name)
    body = {
        "subject": name,
        "water_administered": None,
        "water_type": "Water",
        "adlib": True,
        "date_time": f"{before.today.date}T12:00:00",
    }
    with _stored(writable, "/water-administrations", body):
        after, _ = _requirement(writable, name)
    assert water_today(after).remaining == water_today(before).after(None).remaining


def test_a_state_holds_what_the_server_answers(alyx: AlyxUnderTest) -> None:
    row = found(_restricted(alyx), "a water-restricted subject")
    with AlyxClient(alyx.url) as client:
        client.login(alyx.user, alyx.password)
        state = fetch_state(client, row["id"], cancel=CancelToken(), deadline_s=60)
        table = today_animals(fetch_answers(client, alyx.user, cancel=CancelToken()))
    requirement, record = _requirement(alyx, row["nickname"])
    assert dict(state.not_checked) == {}
    assert (state.name, state.alive, state.requirement) == (row["nickname"], row["alive"], requirement)
    assert state.to_be_culled == bool(alyx.rows("/subjects", django=f"pk,{row['id']},to_be_culled,True"))
    assert state.day is not None
    assert state.day.isoformat() == record["date"]
    assert state.lab_zone == alyx.get(f"/labs/{row['lab']}")["timezone"]
    rows = {one["id"]: one for one in alyx.rows("/subjects", water_restricted="True", responsible_user=alyx.user)}
    own = {one.subject_id: one for one in table if one.responsible_user == alyx.user}
    assert set(own) == set(rows)
    for key, one in own.items():
        assert float(one.water.expected - one.water.given) == pytest.approx(rows[key]["remaining_water"], abs=1e-8)
