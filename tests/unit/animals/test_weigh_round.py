"""A weighing round: who is listed, who is next, and what speaks against a weight."""

from __future__ import annotations

import datetime as dt
from dataclasses import replace
from decimal import Decimal
from typing import TYPE_CHECKING

import pytest

from pybpod_alyx_module.animals.alyx_subject import AlyxSubject
from pybpod_alyx_module.animals.weigh_all.animals_of_project import ProjectAnimal
from pybpod_alyx_module.animals.weigh_all.round import Choice, Round
from pybpod_alyx_module.animals.weigh_all.seen_animals import SeenAnimal, SeenAnimals
from pybpod_alyx_module.animals.weight_plausibility import Weighed
from pybpod_alyx_module.natural_order import natural
from pybpod_alyx_module.outbox.items import Item, Kind, State

if TYPE_CHECKING:
    from pybpod_alyx_module.animals.weigh_all.round_row import RoundRow

SERVER = "http://alyx"
#: An hour ahead: of today also where midnight passes while these run.
NOW = dt.datetime.now(dt.timezone.utc).replace(microsecond=0) + dt.timedelta(hours=1)
YESTERDAY = NOW.replace(tzinfo=None) - dt.timedelta(days=1)


def animal(name: str, *, restricted: bool = True) -> ProjectAnimal:
    return ProjectAnimal(AlyxSubject(SERVER, f"id of {name}", name, "jose", "home"), restricted)


def told(name: str, *weights: tuple[float, dt.datetime], alive: bool = True, restricted: bool = True) -> SeenAnimal:
    weighed = tuple(Weighed(Decimal(str(grams)), when) for grams, when in weights)
    return SeenAnimal(name, alive, None, "UTC", "jose", True, None, restricted, weighed, None, True)


def item(name: str, grams: float, when: dt.datetime = NOW, state: State = State.WAITING) -> Item:
    values = {"weight": grams, "date_time": when.isoformat()}
    key = f"{name} {grams}"
    return Item(1, key, Kind.WEIGHING, SERVER, "jose", f"id of {name}", name, values, None, NOW, "rig", {}, state)


def a_round(*names: str) -> Round:
    found = Round(Decimal(10))
    found.set_animals([animal(name) for name in names], {(SERVER, "home"): "UTC"})
    return found


def names(rows: tuple[RoundRow, ...]) -> list[str]:
    return [row.name for row in rows]


def test_names_are_sorted_as_people_read_them() -> None:
    assert sorted(["m10", "M2", "m1b", "m1", "a"], key=natural) == ["a", "m1", "m1b", "M2", "m10"]


def test_the_next_is_the_next_not_weighed_and_after_the_last_the_first() -> None:
    found = a_round("a", "b", "c", "d")
    a, b, c, d = found.rows
    assert found.next_open(None) is a
    found.take_items([item("a", 21), item("c", 21, NOW - dt.timedelta(days=2))])
    assert found.next_open(None) is b
    assert found.next_open(b) is c
    assert found.next_open(d) is b
    assert found.next_open(c, -1) is b
    assert found.next_open(b, -1) is d
    found.take_items([item(name, 21) for name in "abcd"])
    assert found.next_open(c) is None
    assert (found.weighed, a_round().next_open(None)) == (4, None)


@pytest.mark.parametrize(
    ("state", "counts"),
    [(State.SENT, True), (State.PARKED, True), (State.UNSURE, True), (State.DISCARDED, False)],
)
def test_what_the_outbox_has_of_today_counts(state: State, counts: bool) -> None:
    found = a_round("a")
    found.take_items([item("a", 21, state=state)])
    assert found.rows[0].is_done is counts


def test_the_newest_weight_of_today_counts_whoever_told_it() -> None:
    found = a_round("a")
    (row,) = found.rows
    found.take_seen(SeenAnimals(SERVER, "jose", {"id of a": told("a", (24, NOW.replace(tzinfo=None)))}))
    assert (row.weight_today and row.weight_today.grams, row.weight_today and row.weight_today.state) == (
        24,
        "on Alyx",
    )
    found.take_items([item("a", 23, NOW + dt.timedelta(seconds=1))])
    assert (row.weight_today and row.weight_today.grams, row.weight_today and row.weight_today.state) == (
        23,
        "kept here",
    )


def test_who_is_listed() -> None:
    found = a_round("a", "b", "c")
    seen = {"id of a": told("a"), "id of b": told("b", restricted=False), "id of c": told("c", alive=False)}
    found.take_seen(SeenAnimals(SERVER, "jose", seen))
    assert names(found.listed) == ["a", "b"]
    found.choose(Choice.RESTRICTED)
    assert names(found.listed) == ["a"]
    found.choose(Choice.NOT_WEIGHED)
    assert names(found.listed) == ["a", "b"]
    found.rows[0].is_of_round = True
    found.take_items([item("a", 21)])
    assert names(found.listed) == ["a", "b"]  # it was weighed here: it stays
    found.choose(Choice.NOT_WEIGHED)
    assert names(found.listed) == ["b"]


def test_what_the_server_did_not_tell_is_not_missing() -> None:
    found = a_round("a", "b")
    found.take_seen(SeenAnimals(SERVER, "jose", {}, frozenset({"id of a"})))
    assert [row.is_missing for row in found.rows] == [False, True]
    assert found.rows[1].not_there() == ("b is no longer on Alyx, or you may not see it.",)
    found.take_seen(SeenAnimals(SERVER, "jose", problem="It is away."))
    assert found.rows[1].is_missing


def test_what_left_the_project_stays_only_with_what_was_typed() -> None:
    found = a_round("a", "b")
    found.rows[0].typed = "21"
    found.set_animals([animal("c")], {})
    assert names(found.rows) == ["c", "a"]
    assert "was taken out of the PyBpod project" in found.rows[1].left
    renamed = replace(animal("a"), animal=replace(animal("a").animal, name="new"))
    found.set_animals([renamed], {})
    assert (names(found.rows), found.rows[0].typed, found.rows[0].left) == (["new"], "21", "")


def test_a_weight_is_compared_with_what_waits_but_not_with_what_it_corrects() -> None:
    found = a_round("a", "b")
    row = found.rows[0]
    found.take_seen(
        SeenAnimals(SERVER, "jose", {"id of a": told("a"), "id of b": told("b", (29.5, YESTERDAY))}),
    )
    assert found.concern_sentences(row, Decimal(29)) == ()
    found.take_items([item("a", 24)])
    jump, other = found.concern_sentences(row, Decimal(29))
    assert "29.0 g is 20.8 % more than the 24.0 g of a" in jump
    assert "It fits b better than a: 29.5 g" in other
    assert found.concern_sentences(row, Decimal(29), correcting="a 24") == ()
