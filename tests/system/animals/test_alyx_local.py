"""What the rig shows of animals on a real Alyx-Local, which tells less than Alyx, and names animals otherwise."""

from __future__ import annotations

import datetime as dt
from decimal import Decimal
from typing import TYPE_CHECKING, Any

import pytest

from alyx_connector.http.client import AlyxClient
from alyx_connector.progress import CancelToken
from pybpod_alyx_module.animals.checks_before_run import NOTE, Finding, run_checks
from pybpod_alyx_module.animals.other_animals import fetch_other_animals
from pybpod_alyx_module.animals.subject_state import fetch_state, fetch_water_types
from pybpod_alyx_module.animals.today.answers import fetch_answers
from pybpod_alyx_module.animals.today.board import fetch_board
from pybpod_alyx_module.animals.today.today_animals import today_animals
from pybpod_alyx_module.outbox.outbox import Outbox
from pybpod_alyx_module.rig_settings import SessionSettings
from tests.fault_proxy import FaultProxy

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from pybpod_alyx_module.animals.subject_state import SubjectState
    from tests.alyx_local.server import AlyxLocalServer

PATIENT_S = 60


@pytest.fixture
def proxy(alyx_local: AlyxLocalServer) -> Iterator[FaultProxy]:
    with FaultProxy(alyx_local.url) as proxy:
        yield proxy


@pytest.fixture
def client(proxy: FaultProxy, alyx_local: AlyxLocalServer) -> Iterator[AlyxClient]:
    """A client of the Alyx-Local; what was written there is gone at the end."""
    with AlyxClient(proxy.url) as client:
        client.login(alyx_local.username, alyx_local.password)
        yield client
    alyx_local.reset()


@pytest.fixture
def now() -> str:
    return dt.datetime.now(dt.timezone.utc).isoformat(timespec="seconds")


def row_of(client: AlyxClient, nickname: str) -> dict[str, Any]:
    return next(iter(client.list("subjects", {"nickname": nickname})))


def state_of(client: AlyxClient, nickname: str) -> SubjectState:
    return fetch_state(client, row_of(client, nickname)["id"], cancel=CancelToken(), deadline_s=PATIENT_S)


def test_an_animals_weights_and_water_are_joined_to_it(client: AlyxClient, now: str) -> None:
    name = row_of(client, "jo006")["name"]
    client.post("weighings", {"subject": name, "weight": 23.5, "date_time": now})
    client.post("water-administrations", {"subject": name, "water_administered": 0.2, "date_time": now})
    animals = today_animals(fetch_answers(client, "jose", cancel=CancelToken()))
    (one,) = [animal for animal in animals if animal.name == "jo006"]
    assert one.last_weight is not None
    assert (one.last_weight.grams, one.water_type) == (Decimal("23.5"), "Water")
    assert (one.water.reward, one.water.supplement, one.water.given) == (0, Decimal("0.2"), Decimal("0.2"))
    assert one.is_counted_in_utc


def test_a_namesakes_weight_is_not_taken_for_its_own(client: AlyxClient, now: str) -> None:
    mine, other = sorted(client.list("subjects", {"nickname": "jo001"}), key=lambda row: row["responsible_user"])
    for row, weight in ((mine, 24.0), (other, 30.0)):
        client.post("weighings", {"subject": row["name"], "weight": weight, "date_time": now})
    others = fetch_other_animals(client, "jose", "", cancel=CancelToken())
    assert [one.weighed.grams for one in others if one.name == "jo001"] == [24]


def test_minimum_weights_are_not_told_and_everything_else_is_there(client: AlyxClient) -> None:
    state = state_of(client, "jo006")
    assert dict(state.not_checked) == {"requirement": f"{client.url[7:]} does not tell minimum weights."}
    assert (state.untold, state.reference_weight, state.weighed_today) == ({"requirement"}, 25, False)
    assert state.water is not None
    assert (state.water.expected, state.water.restricted) == (Decimal("0.5"), True)


def test_before_run_it_is_a_note_once_for_all_animals(client: AlyxClient) -> None:
    states = [state_of(client, name) for name in ("jo006", "ea04")]
    found = run_checks(states, {"min_weight": "block", "weighed_today": "off", "water": "off", "several": "off"})
    sentence = f"{client.url[7:]} does not tell minimum weights."
    assert found == (Finding("min_weight", NOTE, "", sentence, checked=False),)


def test_a_server_that_told_nothing_is_not_asked_again(client: AlyxClient, proxy: FaultProxy) -> None:
    def asked(route: str) -> list[str]:
        return [seen.path for seen in proxy.requests if f"/{route}" in seen.path]

    state_of(client, "jo006")
    fetch_water_types(client, cancel=CancelToken())
    assert (len(asked("water-requirement")), len(asked("water-type"))) == (3, 1)
    proxy.forget_requests()
    assert state_of(client, "ea04").untold == {"requirement"}
    assert fetch_water_types(client, cancel=CancelToken()) == ("Water",)
    assert (asked("water-requirement"), asked("water-type")) == ([], [])


def test_the_water_table_says_whose_animals_it_shows(client: AlyxClient, tmp_path: Path) -> None:
    outbox = Outbox(tmp_path / "outbox.sqlite")

    class Access:
        def open(self) -> Outbox:
            return outbox

        def account_for(self, server: str, alyx_user: str) -> str:
            return alyx_user

        def client(self, server: str, username: str) -> AlyxClient:
            return client

    table = fetch_board(Access(), client.url, "jose", SessionSettings(), cancel=CancelToken())
    assert [row.animal.name for row in table.rows] == ["implant_1", "jo006", "nolimit_1"]
    assert table.notes[-1] == (
        f"{client.url[7:]} does not tell who allows whom: these are the animals you are responsible for."
    )
