"""What Alyx says of the animals that are to be weighed: its own, by the server's numbers, in a few requests."""

from __future__ import annotations

from decimal import Decimal
from types import SimpleNamespace
from typing import TYPE_CHECKING, Any

import pytest

from alyx_connector.errors import LoginRequiredError
from alyx_connector.progress import Cancelled, CancelToken
from pybpod_alyx_module.animals.rows import first_day
from pybpod_alyx_module.animals.weigh_all import seen_animals
from pybpod_alyx_module.animals.weigh_all.seen_animals import SeenAnimals, fetch_seen_animals
from tests.system.animals.rig_lab import USER

if TYPE_CHECKING:
    from alyx_connector.http.client import AlyxClient
    from tests.fault_proxy import FaultProxy

ABSENT = "00000000-0000-4000-8000-000000000000"


def access(client: AlyxClient | None) -> Any:
    def logged_in(_server: str, _username: str) -> AlyxClient:
        if client is None:
            raise LoginRequiredError("Nobody is logged in.", hint="Connect.")
        return client

    return SimpleNamespace(account_for=lambda _server, user: user or USER, client=logged_in)


def rows_of(client: AlyxClient, *nicknames: str) -> dict[str, dict[str, Any]]:
    return {row["id"]: row for row in client.list("subjects") if row["nickname"] in nicknames}


def fetch(client: AlyxClient, ids: Any) -> SeenAnimals:
    return fetch_seen_animals(access(client), client.url, "", set(ids), cancel=CancelToken())


def test_each_animal_has_its_own_weights_and_namesakes_theirs(client: AlyxClient) -> None:
    rows = rows_of(client, "twin", "thirsty", "free", "dead", "annas")
    seen = fetch(client, [*rows, ABSENT])
    assert (seen.username, seen.problem, set(seen.animals)) == (USER, "", set(rows))
    told = {(rows[key]["nickname"], rows[key]["lab"]): one for key, one in seen.animals.items()}
    assert told["twin", "home"].weighings[-1].grams == Decimal("23.9")
    assert told["twin", "away"].weighings[-1].grams == Decimal(31)
    assert {name for (name, _), one in told.items() if not one.restricted} == {"free"}
    assert {name for (name, _), one in told.items() if not one.alive} == {"dead"}
    assert {name for (name, _), one in told.items() if one.may_handle is False} == {"annas"}
    assert told["free", "home"].judged is None


def test_another_weight_is_judged_as_the_server_would(client: AlyxClient) -> None:
    rows = rows_of(client, "thirsty", "culled", "delegated", "east", "never_weighed")
    for key, one in fetch(client, rows).animals.items():
        name = rows[key]["nickname"]
        answer = client.get(("water-requirement", name), {"start_date": first_day().isoformat()})["records"][-1]
        if one.judged is None or one.judged.limits is None:
            assert name == "never_weighed" or one.has_no_limit
            continue
        weight = Decimal("20.5")
        judged = one.judged.limits.judgement(weight)
        implant, expected = answer["implant_weight"], answer["expected_weight"]
        assert float(judged.percentage or 0) == pytest.approx(100 * (20.5 - implant) / (expected - implant))
        assert float(judged.to_minimum or 0) == pytest.approx(20.5 - answer["min_weight"])
    assert [one.name for one in fetch(client, rows).animals.values() if one.has_no_limit] == ["delegated"]


def test_few_requests_whatever_the_number(client: AlyxClient, proxy: FaultProxy) -> None:
    fetch(client, rows_of(client, "thirsty"))  # the server is known now
    counts = []
    for names in (("thirsty", "culled"), ("thirsty", "culled", "watered", "free", "released", "never_weighed")):
        ids = rows_of(client, *names)
        proxy.forget_requests()
        fetch(client, ids)
        counts.append(len(proxy.requests))
    assert counts[0] == counts[1] <= 7


def test_why_nothing_could_be_asked_is_said(client: AlyxClient, proxy: FaultProxy) -> None:
    ids = rows_of(client, "thirsty")
    seen = fetch_seen_animals(access(None), client.url, "ana", set(ids), cancel=CancelToken())
    assert (seen.username, seen.problem, seen.animals) == ("ana", "Nobody is logged in. Connect.", {})
    proxy.fault("answer", path="/weighings", status=403, body={"detail": "no"}, times=10)
    seen = fetch(client, ids)
    assert (seen.username, seen.animals) == (USER, {})
    assert seen.problem


def test_a_server_that_says_nothing_is_given_up(
    client: AlyxClient, proxy: FaultProxy, monkeypatch: pytest.MonkeyPatch
) -> None:
    ids = rows_of(client, "thirsty")
    monkeypatch.setattr(seen_animals, "DEADLINE_S", 0.2)
    proxy.fault("mute", times=100)
    assert "did not answer within 0.2 s." in fetch(client, ids).problem
    cancelled = CancelToken()
    cancelled.cancel()
    with pytest.raises(Cancelled):
        fetch_seen_animals(access(client), client.url, "", set(ids), cancel=cancelled)
    proxy.release()
