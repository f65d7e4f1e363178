"""An animal made on Alyx: once, whatever becomes of the answer, and never a second one of its name."""

from __future__ import annotations

import uuid
from typing import TYPE_CHECKING, Any

import pytest

from alyx_connector.errors import InvalidDataError, TransportError
from alyx_connector.http.client import AlyxClient
from alyx_connector.progress import CancelToken
from pybpod_alyx_module.errors import MaybeMadeError
from pybpod_alyx_module.new_subject.make_subject import AlreadyThere, Made, Namesakes, make_subject
from pybpod_alyx_module.new_subject.server_facts import ServerFacts, fetch_facts
from tests.fault_proxy import FaultProxy

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tests.servers import Server


class Bench:
    """jose at a server, behind a proxy."""

    def __init__(self, proxy: FaultProxy, server: Server) -> None:
        self.proxy = proxy
        self.client = AlyxClient(proxy.url)
        self.client.login(server.username, server.password)
        self.facts: ServerFacts = fetch_facts(self.client, server.username, CancelToken())
        self.path = "/api/subjects" if self.facts.fields["nickname"].pattern.find("~") > 0 else "/subjects"
        self.values = {"nickname": f"new{uuid.uuid4().hex[:8]}", "lab": "haisslab", "responsible_user": "jose"}

    def make(self, **options: Any) -> Any:
        return make_subject(self.client, self.facts, self.values, CancelToken(), **options)

    def rows(self) -> list[dict[str, Any]]:
        return self.client.list("subjects", {"nickname": self.values["nickname"]})

    def posts(self) -> int:
        return self.proxy.count("POST", self.path)


@pytest.fixture
def bench(fresh_server: Server, quick_retries: None) -> Iterator[Bench]:
    with FaultProxy(fresh_server.url) as proxy:
        bench = Bench(proxy, fresh_server)
        yield bench
        bench.client.close()


def test_a_server_says_what_it_takes_and_the_users_labs_first(bench: Bench):
    assert {"nickname", "lab", "responsible_user", "sex", "birth_date", "species"} <= bench.facts.fields.keys()
    assert bench.facts.fields["nickname"].longest == 64
    assert bench.facts.fields["lab"].required
    assert {"jose", "ana"} <= set(bench.facts.users)
    own = bench.client.get(("users", "jose"))["lab"]
    assert set(bench.facts.labs[: len(own)]) == set(own)
    assert any("us" in name for name in bench.facts.in_use["species"])


def test_an_animal_is_made_with_all_that_was_typed(bench: Bench):
    bench.values |= {
        "responsible_user": "ana",
        "sex": "F",
        "birth_date": "2026-03-01",
        "species": bench.facts.in_use["species"][0],
        "description": "left ear",
    }
    made = bench.make()
    (row,) = bench.rows()
    assert made.animal.alyx_id == row["id"]
    assert made.animal.alive
    assert {name: row[name] for name in bench.values} == bench.values


def test_one_that_the_lab_has_is_not_made_again_whatever_its_case(bench: Bench):
    made = bench.make()
    before = bench.posts()
    bench.values["nickname"] = bench.values["nickname"].swapcase()
    assert bench.make() == AlreadyThere(made.animal)
    assert bench.posts() == before


def test_one_of_another_lab_is_asked_about(bench: Bench):
    first = bench.make()
    bench.values["lab"], bench.values["responsible_user"] = "champalimaud", "ana"
    assert bench.make() == Namesakes((first.animal,))
    second = bench.make(with_namesakes=True)
    assert isinstance(second, Made)
    assert len(bench.rows()) == 2


@pytest.mark.parametrize("nickname", ["007", "1e5", "true"])
def test_names_that_look_like_values_are_looked_up_as_names(bench: Bench, nickname):
    bench.values["nickname"] = nickname
    made = bench.make()
    assert bench.make() == AlreadyThere(made.animal)


def test_a_lost_answer_is_looked_for_at_once(bench: Bench):
    bench.proxy.fault("drop-after", method="POST", path=bench.path)
    made = bench.make()
    assert [row["id"] for row in bench.rows()] == [made.animal.alyx_id]
    assert bench.posts() == 1


def test_where_nothing_answers_it_is_unsure_and_the_next_press_finds_it(bench: Bench):
    bench.proxy.fault("drop-after", method="POST", path=bench.path)
    bench.proxy.before(
        lambda seen: bench.proxy.fault("drop", method="GET", times=20) if seen.method == "POST" else None
    )
    with pytest.raises(MaybeMadeError, match="not known whether"):
        bench.make()
    bench.proxy.before(None)
    client, bench.client = bench.client, bench.client
    for _ in range(20):  # those drops that are left
        try:
            client.get("labs")
            break
        except TransportError:
            continue
    made = bench.make(unsure=bench.values)
    assert isinstance(made, Made)
    assert [row["id"] for row in bench.rows()] == [made.animal.alyx_id]
    assert bench.posts() == 1


def test_the_server_names_the_field_that_it_refuses(bench: Bench):
    bench.values["species"] = "unicorn"
    with pytest.raises(InvalidDataError) as caught:
        bench.make()
    assert "species" in caught.value.fields
    assert bench.rows() == []
