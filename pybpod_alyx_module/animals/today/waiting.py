"""Counts what waits in the outbox into the animals of a board. Pure."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from alyx_connector.address import last_part
from pybpod_alyx_module.animals.today.today_animals import SessionsToday
from pybpod_alyx_module.animals.unsent import item_time, unsent_sessions, unsent_weights, with_unsent_water
from pybpod_alyx_module.outbox.items import Kind, State

if TYPE_CHECKING:
    import datetime as dt
    from collections.abc import Sequence

    from pybpod_alyx_module.animals.today.answers import Answers
    from pybpod_alyx_module.animals.today.today_animals import TodayAnimal
    from pybpod_alyx_module.animals.weight_plausibility import Weighed
    from pybpod_alyx_module.outbox.items import Item

__all__ = ["as_if_waiting", "is_missing", "with_waiting"]


def with_waiting(animal: TodayAnimal, items: Sequence[Item]) -> TodayAnimal:
    """Count what waits: weights, water and sessions.

    ``items``: of that animal, and not in what Alyx answered.
    """
    zone, now = animal.zone, animal.lab_now()
    animal = replace(animal, water=with_unsent_water(animal.water, items, now.date(), zone))
    for weighed in unsent_weights(items, zone):
        if _is_newer(weighed, animal.last_weight):
            judged = None if animal.judged is None else animal.judged.of(weighed.grams)
            animal = replace(animal, last_weight=weighed, judged=judged)
    gifts = [item_time(item, zone) for item in items if item.kind is Kind.WATER]
    times = [when for when in (*gifts, animal.last_water) if when is not None and when.replace(microsecond=0) <= now]
    started = [one.start_time for one in unsent_sessions(items, zone)]
    today = [when for when in started if when.date() == now.date()]
    return replace(
        animal,
        last_water=max(times, default=None),
        sessions=_with_sessions(animal.sessions, today),
        in_advance=tuple(sorted({*animal.in_advance, *(when.date() for when in gifts if when.date() > now.date())})),
    )


def is_missing(item: Item, answers: Answers) -> bool:
    """Tell whether an item reached Alyx after what was answered before: what Alyx has of it is not in there."""
    if item.sent_at is None or item.sent_at < answers.asked or item.server_id is None:
        return False
    lists = (
        rows
        for animal in answers.animals
        if animal.subject["id"] == item.subject_id
        for rows in (animal.weighings, animal.water, animal.sessions)
    )
    return not any(item.server_id in (row.get("id"), last_part(str(row.get("url")))) for rows in lists for row in rows)


def as_if_waiting(item: Item) -> Item:
    """Return an item that is on Alyx as one that counts beside what was answered before."""
    return replace(item, state=State.WAITING, server_id=None)


def _is_newer(weighed: Weighed, last: Weighed | None) -> bool:
    if last is None or last.when is None:
        return True
    return weighed.when is not None and weighed.when >= last.when


def _with_sessions(known: SessionsToday | None, started: list[dt.datetime]) -> SessionsToday | None:
    if not started:
        return known
    if known is None:
        return SessionsToday(len(started), max(started), None)
    return SessionsToday(known.count + len(started), max(known.last_start, *started), None)
