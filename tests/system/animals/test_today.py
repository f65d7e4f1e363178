"""The table of the water-restricted animals of a user: a few requests for all of them."""

from __future__ import annotations

import datetime as dt
import json
import threading
from decimal import Decimal
from typing import TYPE_CHECKING, Any

import pytest

from alyx_connector.errors import AlyxError, ConfigurationError, ProtocolError, UnreachableError
from alyx_connector.http.client import AlyxClient
from alyx_connector.private_file import home_folder
from alyx_connector.progress import Cancelled, CancelToken
from alyx_connector.schema.source import dialect_of
from pybpod_alyx_module.animals.other_animals import fetch_other_animals
from pybpod_alyx_module.animals.requirement import read_requirement
from pybpod_alyx_module.animals.rows import first_day
from pybpod_alyx_module.animals.today.answers import fetch_answers
from pybpod_alyx_module.animals.today.board import Board, fetch_board
from pybpod_alyx_module.animals.today.today_animals import today_animals
from pybpod_alyx_module.animals.weight import Level, judge
from pybpod_alyx_module.outbox.outbox import Outbox
from pybpod_alyx_module.rig_settings import SessionSettings
from tests.fault_proxy import FaultProxy
from tests.sandbox_server import SandboxServer
from tests.system.animals.rig_lab import LAB, USER, WEIGHED, restricted

if TYPE_CHECKING:
    from pathlib import Path

ABSENT = "00000000-0000-4000-8000-000000000000"


def test_the_table_holds_the_living_restricted_animals_that_the_user_may_handle(client: AlyxClient) -> None:
    rows = today_animals(fetch_answers(client, USER, cancel=CancelToken()))
    assert [(row.name, row.responsible_user) for row in rows] == [
        ("culled", "jose"),
        ("delegated", "priya"),
        ("east", "jose"),
        ("never_weighed", "jose"),
        ("numbered", "007"),
        ("thirsty", "jose"),
        ("twin", "priya"),
        ("twin", "jose"),
        ("watered", "jose"),
    ]
    assert [row.name for row in rows if not row.needs_water] == ["watered"]
    assert {row.water_type for row in rows} == {"Hydrogel"}


def test_its_numbers_are_the_servers(client: AlyxClient) -> None:
    for row in today_animals(fetch_answers(client, USER, cancel=CancelToken())):
        if row.name == "twin":
            continue
        answer = client.get(("water-requirement", row.name), {"start_date": first_day().isoformat()})["records"][-1]
        assert float(row.water.expected) == pytest.approx(answer["expected_water"])
        assert float(row.water.given) == pytest.approx(answer["given_water_total"])
        assert float(row.water.reward or 0) == pytest.approx(answer["given_water_reward"])
        assert float(row.water.supplement or 0) == pytest.approx(answer["given_water_supplement"])


def test_namesakes_of_two_users_keep_their_own_weights(client: AlyxClient) -> None:
    twins = [row for row in today_animals(fetch_answers(client, USER, cancel=CancelToken())) if row.name == "twin"]
    assert {(row.lab, row.last_weight and row.last_weight.grams) for row in twins} == {
        ("home", Decimal("23.9")),
        ("away", Decimal(31)),
    }
    assert len({row.subject_id for row in twins}) == 2


def test_the_number_of_requests_does_not_grow_with_the_animals(tmp_path: Path) -> None:
    lab = tmp_path / "lab.json"
    subjects = [restricted(f"mouse_{number}") for number in range(40)] + [restricted("alone", "ana")]
    lab.write_text(json.dumps({**LAB, "subjects": subjects}), encoding="utf-8")
    sizes = {}
    with (
        SandboxServer("--throttle", "off", "--lab", str(lab)) as server,
        FaultProxy(server.url) as proxy,
        AlyxClient(proxy.url) as client,
    ):
        client.login(server.username, server.password)
        dialect_of(client)
        for user in (USER, "ana"):
            proxy.forget_requests()
            rows = today_animals(fetch_answers(client, user, cancel=CancelToken()))
            sizes[user] = (len(rows), len(proxy.requests))
    # Two users allow jose to handle their subjects, and have none: one request each to find that out.
    # The zones of the labs and the server's clock are asked for once, the limits of the labs each time.
    assert sizes == {USER: (40, 7 + 2 + 2), "ana": (1, 7)}


def test_the_last_weight_is_judged_as_the_server_judges_it(tmp_path: Path) -> None:
    lab = tmp_path / "lab.json"
    implant = [{"start_time": "today-20T10:00:00", "implant_weight": 3.0}]
    changed = [*implant, {"start_time": "today-5T10:00:00", "implant_weight": 2.0}]
    weights = ("23.9", "21.3", "21.2", "19.5", "18.7")
    subjects = [
        restricted(f"{of}_{weight}", lab=where, surgeries=surgeries, weighings=[*WEIGHED[:1], newest(weight)])
        for weight in weights
        for of, where, surgeries in (("plain", "home", []), ("implant", "home", implant), ("free", "away", []))
    ]
    subjects += [
        restricted("new_implant", surgeries=changed, weighings=[newest("19.5")]),
        restricted("never", weighings=[]),
    ]
    lab.write_text(json.dumps({**LAB, "subjects": subjects}), encoding="utf-8")
    with SandboxServer("--throttle", "off", "--lab", str(lab)) as server, AlyxClient(server.url) as client:
        client.login(server.username, server.password)
        found = {row.name: row for row in today_animals(fetch_answers(client, USER, cancel=CancelToken()))}
        for name, row in found.items():
            if name == "never":
                assert row.judged is None
                continue
            requirement = read_requirement(client.get(("water-requirement", name)))
            expected = judge(requirement.today.weight, requirement)
            assert row.judged is not None
            if name == "new_implant":  # the lists do not tell what it weighs
                assert row.judged.level is None
            else:
                assert (row.judged.level, row.judged.text) == (expected.level, expected.minimum_text), name
    levels = {row.judged.level for row in found.values() if row.judged}
    assert levels == {None, Level.FINE, Level.BELOW, Level.FAR_BELOW}


def newest(weight: str) -> dict[str, Any]:
    return {"date_time": "today-1T18:00:00", "weight": float(weight)}


def test_water_that_does_not_add_up_is_told_as_a_sum(client: AlyxClient, proxy: FaultProxy) -> None:
    def more(page: dict[str, Any]) -> dict[str, Any]:
        for row in page["results"]:
            row["water_administered"] += 0.1
        return page

    proxy.fault("alter", path="/water-administrations", times=9, change=more)
    (row,) = [row for row in today_animals(fetch_answers(client, USER, cancel=CancelToken())) if row.name == "watered"]
    assert (row.water.reward, row.water.supplement, row.water.given) == (None, None, Decimal("0.9"))


@pytest.mark.parametrize(("field", "value"), [("responsible_user", "somebody"), ("nickname", None), ("id", None)])
def test_a_server_that_answers_something_else_is_refused(
    client: AlyxClient, proxy: FaultProxy, field: str, value: str | None
) -> None:
    def changed(page: dict[str, Any]) -> dict[str, Any]:
        page["results"][0][field] = value
        return page

    proxy.fault("alter", path="/subjects", change=changed)
    with pytest.raises(ProtocolError, match=r"subjects of (jose|priya|007) and sent others"):
        today_animals(fetch_answers(client, USER, cancel=CancelToken()))


@pytest.mark.parametrize("name", ["", "jo se", "jose']", "a,b"])
def test_what_is_no_user_name_is_not_sent(client: AlyxClient, proxy: FaultProxy, name: str) -> None:
    with pytest.raises(ConfigurationError, match="is not a valid user name on Alyx"):
        today_animals(fetch_answers(client, name, cancel=CancelToken()))
    assert proxy.requests == []


@pytest.mark.parametrize("path", ["/weighings", "/water-administrations", "/water-restriction", "/users"])
def test_half_a_table_is_none(client: AlyxClient, proxy: FaultProxy, path: str) -> None:
    proxy.fault("answer", path=path, times=9, status=500, body={"detail": "out of order"})
    with pytest.raises(AlyxError, match="out of order"):
        today_animals(fetch_answers(client, USER, cancel=CancelToken()))


def test_a_cancelled_table_is_none(client: AlyxClient) -> None:
    cancel = CancelToken()
    cancel.cancel()
    with pytest.raises(Cancelled):
        fetch_answers(client, USER, cancel=cancel)


def test_a_table_that_is_cancelled_half_way_is_none(client: AlyxClient, proxy: FaultProxy) -> None:
    cancel = CancelToken()
    proxy.fault("mute", path="/weighings", times=9)
    caught: list[BaseException] = []

    def ask() -> None:
        try:
            fetch_answers(client, USER, cancel=cancel)
        except (AlyxError, Cancelled, TypeError, ValueError) as error:
            caught.append(error)

    thread = threading.Thread(target=ask)
    thread.start()
    proxy.wait_for(1, path="/weighings")
    cancel.cancel()
    thread.join(30)
    assert [type(error) for error in caught] == [Cancelled]


def test_the_other_animals_are_the_living_ones_that_were_weighed(client: AlyxClient) -> None:
    others = fetch_other_animals(client, USER, "", cancel=CancelToken())
    found = {(one.name, one.weighed.grams) for one in others}
    assert ("free", Decimal("23.9")) in found
    assert ("watered", Decimal("22.5")) in found
    assert {name for name, _ in found} == {
        *("culled", "delegated", "east", "free", "numbered", "released", "thirsty", "twin", "watered"),
    }
    asking_for = others[0].subject_id
    rest = fetch_other_animals(client, USER, asking_for, cancel=CancelToken())
    assert [one.subject_id for one in rest] == [one.subject_id for one in others if one.subject_id != asking_for]


def test_animals_of_the_project_are_asked_for_by_id_and_no_other(client: AlyxClient) -> None:
    rows = {row["nickname"]: row["id"] for row in client.list("subjects")}
    ids = [rows[name] for name in ("free", "annas", "dead", "thirsty")]
    animals = today_animals(fetch_answers(client, USER, (*ids, "x", ABSENT), cancel=CancelToken()))
    found = {one.name: one for one in animals}
    assert {"free", "annas", "thirsty"} <= set(found)
    assert "dead" not in found
    assert not found["free"].water.restricted
    assert found["annas"].judged is not None
    assert len({one.subject_id for one in animals}) == len(animals) == len(found) + 1  # the two twins have one name


def test_sessions_of_today_with_their_trials(client: AlyxClient) -> None:
    now = dt.datetime.now(dt.timezone.utc).replace(tzinfo=None, microsecond=0).isoformat()
    made = [
        client.post("sessions", {"subject": name, "start_time": now, "users": [USER], "lab": "home", **more})
        for name, more in (("culled", {"n_trials": 30}), ("thirsty", {}))
    ]
    try:
        found = {one.name: one for one in today_animals(fetch_answers(client, USER, cancel=CancelToken()))}
    finally:
        for row in made:
            client.delete(("sessions", row["url"].rpartition("/")[2]))
    sessions = [found[name].sessions for name in ("culled", "thirsty", "numbered")]
    assert [one and (one.count, one.trials) for one in sessions] == [(1, 30), (1, None), None]


class Access:
    """What `fetch_board` uses of the running outbox."""

    def __init__(self, client: AlyxClient, folder: Path) -> None:
        self._client, self._outbox = client, Outbox(folder / "outbox.sqlite")

    def open(self) -> Outbox:
        return self._outbox

    def account_for(self, server: str, alyx_user: str) -> str:
        return alyx_user

    def client(self, server: str, username: str) -> AlyxClient:
        return self._client


def board(access: Access, client: AlyxClient) -> Board:
    return fetch_board(access, client.url, USER, SessionSettings(), cancel=CancelToken())


@pytest.mark.usefixtures("quick_retries")
def test_what_was_answered_yesterday_counts_no_water_and_no_session_today(
    client: AlyxClient, proxy: FaultProxy, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("ALYX_CONNECTOR_HOME", str(tmp_path))
    access = Access(client, tmp_path)
    watered = {row.animal.name: row.animal for row in board(access, client).rows}["watered"]
    proxy.fault("drop", times=1000)
    kept = {row.animal.name: row.animal for row in board(access, client).rows}["watered"]
    assert (kept.water, kept.last_weight) == (watered.water, watered.last_weight)
    assert kept.water.given > 0
    (file,) = (home_folder() / "today").glob("*.json")
    content = json.loads(file.read_text("utf-8"))
    content["asked"] = (dt.datetime.fromisoformat(content["asked"]) - dt.timedelta(days=1)).isoformat()
    file.write_text(json.dumps(content), "utf-8")
    older = {row.animal.name: row.animal for row in board(access, client).rows}["watered"]
    assert (older.water.given, older.water.expected) == (0, watered.water.expected)


@pytest.mark.usefixtures("quick_retries")
@pytest.mark.parametrize("damage", ["{", "[]", '{"server": 5}', '{"animals": [{"subject": {}}]}'])
def test_where_nothing_usable_is_kept_the_reason_is_that_alyx_is_away(
    client: AlyxClient, proxy: FaultProxy, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, damage: str
) -> None:
    monkeypatch.setenv("ALYX_CONNECTOR_HOME", str(tmp_path))
    access = Access(client, tmp_path)
    board(access, client)
    (file,) = (home_folder() / "today").glob("*.json")
    file.write_text(damage, "utf-8")
    proxy.fault("drop", times=1000)
    with pytest.raises(UnreachableError):
        board(access, client)
