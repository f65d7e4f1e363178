"""What the outbox still holds of a subject, counted into what Alyx says of it. Pure."""

from __future__ import annotations

import datetime as dt
from dataclasses import replace
from decimal import Decimal
from typing import TYPE_CHECKING

from alyx_connector.zones.moments import lab_zone
from pybpod_alyx_module.animals.rows import SessionSeen
from pybpod_alyx_module.animals.weight_plausibility import Weighed
from pybpod_alyx_module.numbers import exact, shown
from pybpod_alyx_module.outbox.items import Kind, State
from pybpod_alyx_module.outbox.words import state_words

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from pybpod_alyx_module.animals.subject_state import SubjectState
    from pybpod_alyx_module.animals.water import Water
    from pybpod_alyx_module.outbox.items import Item

__all__ = ["item_time", "unsent_sentences", "unsent_sessions", "unsent_weights", "with_unsent", "with_unsent_water"]


def with_unsent(state: SubjectState, items: Iterable[Item], today: dt.date) -> SubjectState:
    """Count weighings, water and sessions into a state that are not on Alyx yet.

    Returns: with the newest weight, the water and the sessions of the lab's day. Water that may have arrived already
    is left out: the animal is not to get less for being counted twice.
    ``items``: of that subject, not on Alyx when the state was asked for.
    ``today``: counts where the state does not tell which day it is in the lab.
    """
    items = tuple(items)
    day = state.day or today
    zone = lab_zone(state.lab_zone)
    weighed = unsent_weights(items, zone)
    if weighed:
        state = _with_weights(state, weighed, day)
    if state.water is not None:
        state = replace(state, water=with_unsent_water(state.water, items, day, zone))
    sessions = [one for one in unsent_sessions(items, zone) if one.start_time.date() == day]
    if sessions:
        state = replace(state, sessions_today=(*(state.sessions_today or ()), *sessions))
    return state


def unsent_weights(items: Iterable[Item], zone: dt.tzinfo | None) -> tuple[Weighed, ...]:
    """Return the weights that are not on Alyx yet, in order; ``zone``: of the lab, None where it is not known."""
    return _by_time(
        Weighed(exact(item.values["weight"]), item_time(item, zone)) for item in items if item.kind is Kind.WEIGHING
    )


def unsent_sessions(items: Iterable[Item], zone: dt.tzinfo | None) -> tuple[SessionSeen, ...]:
    """Return the sessions that are not on Alyx yet; ``zone``: of the lab, None where it is not known."""
    return tuple(_seen(item, zone) for item in items if item.kind is Kind.SESSION)


def with_unsent_water(water: Water, items: Iterable[Item], day: dt.date, zone: dt.tzinfo | None = None) -> Water:
    """Count water that is not on Alyx yet.

    ``day``: for which it counts.
    ``zone``: of the lab; None where it is not known.
    """
    for item in items:
        if item.kind is not Kind.WATER or item_time(item, zone).date() != day or _may_be_there(item):
            continue
        amount = exact(item.values["water_administered"])
        in_session = item.follows is not None or item.values.get("session") is not None
        water = replace(
            water,
            given=water.given + amount,
            reward=_more(water.reward, amount if in_session else Decimal(0)),
            supplement=_more(water.supplement, Decimal(0) if in_session else amount),
        )
    return water


def unsent_sentences(items: Sequence[Item]) -> tuple[str, ...]:
    """Return a sentence for each weight and water that is not on Alyx yet."""
    found = []
    for item in items:
        if item.kind is Kind.WEIGHING:
            what = f"{shown(exact(item.values['weight']), 2)} g"
        elif item.kind is Kind.WATER:
            what = f"{shown(exact(item.values['water_administered']), 3)} mL of water"
        else:
            continue
        left_out = ", not counted here" if item.kind is Kind.WATER and _may_be_there(item) else ""
        found.append(f"Not on Alyx yet: {what} at {item_time(item):%Y-%m-%d %H:%M} ({state_words(item)}{left_out}).")
    return tuple(found)


def _with_weights(state: SubjectState, weighed: Sequence[Weighed], day: dt.date) -> SubjectState:
    newest = weighed[-1]
    of_today = newest.when is not None and newest.when.date() == day
    if state.weighings is not None or of_today:
        known = _by_time((*(state.weighings or ()), *weighed))
        state = replace(state, weighings=known, day=day)
    if state.requirement is not None and of_today:
        # where Alyx has a later one of today, that one counts
        last = state.last_weight
        grams = last.grams if last is not None else newest.grams
        today = replace(state.requirement.today, weight=grams, weighing_at=grams)
        days = (*state.requirement.days[:-1], today)
        state = replace(state, requirement=replace(state.requirement, days=days))
    return state


def _by_time(weights: Iterable[Weighed]) -> tuple[Weighed, ...]:
    # those without a time first
    return tuple(sorted(weights, key=lambda one: one.when.isoformat() if one.when else ""))


def _seen(item: Item, zone: dt.tzinfo | None) -> SessionSeen:
    protocol = item.values.get("task_protocol")
    return SessionSeen(item.server_id or "", item_time(item, zone), None, protocol if isinstance(protocol, str) else "")


def _may_be_there(item: Item) -> bool:
    return item.state in {State.SENDING, State.UNSURE} or item.server_id is not None


def item_time(item: Item, zone: dt.tzinfo | None = None) -> dt.datetime:
    """Return when an item was, on its lab's clock; naive. On this computer's where the lab's zone is not known."""
    name = "start_time" if item.kind is Kind.SESSION else "date_time"
    time = dt.datetime.fromisoformat(item.values[name])
    in_lab = time if time.tzinfo is None or zone is None else time.astimezone(zone)
    return in_lab.replace(tzinfo=None)


def _more(known: Decimal | None, amount: Decimal) -> Decimal | None:
    return None if known is None else known + amount
