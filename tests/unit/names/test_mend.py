"""What waits with a wrong name of a setting is corrected with the setting, and nothing else is."""

from __future__ import annotations

from dataclasses import replace

import pytest

from pybpod_alyx_module.names.alyx_names import AlyxNames
from pybpod_alyx_module.names.mend import FROM_SETTINGS, Mended, mend_names, names_set
from pybpod_alyx_module.outbox.items import CORRECTED, Draft, Kind, State, WaitsFor
from pybpod_alyx_module.outbox.outbox import Outbox
from pybpod_alyx_module.outbox.states import Event, move
from pybpod_alyx_module.outbox.words import whole
from pybpod_alyx_module.rig_settings import SessionSettings

SERVER, EA04 = "https://alyx.lab.org", "0a3b9d5e-1d5f-4b76-9f3e-6c1b2a4d8e90"
WRONG = SessionSettings(location="rig1", procedures=("Imagin",), water_type="Sucros")
RIGHT = replace(WRONG, location="rig_1", procedures=("Imaging",), water_type="Sucrose")
TOLD = {"location": ("rig_1", "rig_2"), "procedures": ("Imaging",), "water_type": ("Water", "Sucrose")}


@pytest.fixture
def outbox(tmp_path):
    outbox = Outbox(tmp_path / "outbox.sqlite")
    yield outbox
    outbox.close()


def add(outbox, settings=WRONG, values=None, **more):
    """A session that was recorded with what these settings gave."""
    names = {name: value for name, value in names_set(settings).items() if name != "water_type"}
    values = {"start_time": "2026-11-21T10:00:00", **names, **(values or {})}
    origin = {FROM_SETTINGS: names}
    return outbox.add(Draft(Kind.SESSION, SERVER, "jose", EA04, "ea04", values, origin=origin, **more))


def park(outbox, item, event=Event.PARK):
    return outbox.change(item.key, lambda item: move(move(item, Event.CLAIM), event, reason="No such procedure."))


def mend(outbox, settings=RIGHT, told=TOLD, fresh=None):
    names = AlyxNames(told, frozenset(told) if fresh is None else fresh)
    return mend_names(outbox, settings, lambda _server, _username: names)


@pytest.mark.parametrize("parked", [False, True])
def test_it_is_sent_with_what_the_settings_say_now_and_says_so(outbox, parked):
    item = add(outbox)
    if parked:
        park(outbox, item)
    found = mend(outbox)
    (mended,) = found.items
    assert found.undecided == 0
    assert (mended.state, mended.reason) == (State.WAITING, "")
    assert (mended.values["location"], mended.values["procedures"]) == ("rig_1", ["Imaging"])
    first, second = mended.origin[CORRECTED]
    assert "location rig1 became rig_1, as the settings say now." in first
    assert "procedure Imagin became Imaging, as the settings say now." in second
    assert first in whole(outbox.item(item.key))
    assert mend(outbox) == Mended()


def test_water_too(outbox):
    values = {"water_administered": 0.8, "date_time": "2026-11-21T11:00:00", "water_type": "Sucros"}
    origin = {FROM_SETTINGS: {"water_type": "Sucros"}}
    outbox.add(Draft(Kind.WATER, SERVER, "jose", EA04, "ea04", values, origin=origin))
    assert mend(outbox).items[0].values["water_type"] == "Sucrose"


def untouched(outbox, **options):
    before = outbox.items()
    found = mend(outbox, **options)
    assert found.items == ()
    assert outbox.items() == before
    return found


def test_what_a_person_corrected_stays(outbox):
    item = add(outbox)
    outbox.edit(item.key, {**item.values, "location": "rig_2", "procedures": ["Another"]})
    assert untouched(outbox) == Mended()


def test_what_a_person_typed_stays(outbox):
    add(outbox, values={"location": "typed", "procedures": ["typed"]})
    assert untouched(outbox) == Mended()


def test_what_alyx_has_stays_where_the_rig_was_moved(outbox):
    add(outbox, replace(RIGHT, location="rig_2"))
    assert untouched(outbox) == Mended()


def test_what_is_held_for_a_question_is_not_sent(outbox):
    add(outbox, held="Is it this animal?")
    assert untouched(outbox) == Mended()


def test_what_waits_for_its_user_is_corrected_and_goes_on_waiting_for_them(outbox):
    item = add(outbox)
    why = {"reason": "Who?", "waits_for": WaitsFor.USER}
    outbox.change(item.key, lambda item: move(move(item, Event.CLAIM), Event.PARK, **why))
    (mended,) = mend(outbox).items
    assert mended.values["location"] == "rig_1"
    assert (mended.state, mended.waits_for, mended.reason) == (State.PARKED, WaitsFor.USER, "Who?")


def test_what_may_be_on_alyx_stays(outbox):
    park(outbox, add(outbox), Event.LOSE)
    assert untouched(outbox) == Mended()


@pytest.mark.parametrize(
    "options",
    [
        {"fresh": frozenset()},
        {"told": {}},
        {"told": {"location": ("rig_1",)}, "settings": replace(RIGHT, location="rig1")},
        {"settings": replace(RIGHT, location="rig_3", procedures=("Imagine",))},
    ],
)
def test_it_waits_until_alyx_has_told_its_names_and_has_the_new_one(outbox, options):
    add(outbox)
    assert untouched(outbox, **options).undecided == 1


def test_settings_that_are_as_before_ask_nothing(outbox):
    add(outbox)

    def names_of(server, username):
        raise AssertionError(server, username)

    assert mend_names(outbox, WRONG, names_of) == Mended()
