"""Of which sessions that wait in the outbox there is news: not of all, each time that one of them is sent."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime, timezone
from types import SimpleNamespace

import pytest

from pybpod_alyx_module.gui.sessions.follow_registered import _read_news
from pybpod_alyx_module.outbox.items import Item, Kind, State, WaitsFor
from pybpod_alyx_module.sessions.registration_note import Registration

WHEN = datetime(2026, 11, 21, tzinfo=timezone.utc)
FIRST = Item(1, "first", Kind.SESSION, "https://a", "jose", "1", "ea04", {}, None, WHEN, "rig", {})
SECOND = replace(FIRST, number=2, key="second")
NOTE = Registration("https://a", None, "1", "2026-11-21T10:00:00+00:00", "second", "rig")


def news(before, now):
    """What is news of the second, by what it stood behind."""

    def look(behind, shown):
        outbox = SimpleNamespace(items=lambda _states: (replace(SECOND, behind=behind),))
        return _read_news([NOTE], shown, outbox)

    shown = {item.key: item for _registration, item in look(before, {})}
    return [item for _registration, item in look(now, shown)]


@pytest.mark.parametrize("now", [None, replace(FIRST, state=State.SENDING), replace(FIRST, key="another")])
def test_another_one_that_is_sent_before_it_is_no_news(now):
    assert news(FIRST, now) == []


@pytest.mark.parametrize(
    "trouble",
    [
        replace(FIRST, state=State.UNSURE, waits_for=WaitsFor.PAUSE),
        replace(FIRST, waits_for=WaitsFor.LOGIN),
        replace(FIRST, state=State.PARKED, waits_for=WaitsFor.PERSON),
    ],
)
def test_trouble_of_what_is_before_it_is_news(trouble):
    (item,) = news(FIRST, trouble)
    assert item.behind == trouble
