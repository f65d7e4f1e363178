"""What is registered without a person, and what a person reads before."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from decimal import Decimal

import pytest

from pybpod_alyx_module.names.alyx_names import AlyxNames
from pybpod_alyx_module.rig_settings import RigSettings, SessionSettings
from pybpod_alyx_module.sessions.advice import advise, unattended_request
from pybpod_alyx_module.sessions.on_rig import Animal, Candidate, LinkedSubject, OnRig
from pybpod_alyx_module.sessions.prepared_session import Choice, PreparedSession
from pybpod_alyx_module.sessions.pybpod_session import RecordedSession
from pybpod_alyx_module.sessions.run_settings import RunSettings
from pybpod_alyx_module.sessions.session_csv import Variable
from tests.rig_sessions import EA04, RECORDED, at, session

SERVER = "https://alyx.lab.org"
LINK = LinkedSubject("ea04", EA04, EA04, SERVER)
TOTAL = Variable(reported="0.6", rises=199, times=200, sum=60.3, trial=200)
HAS = AlyxNames({"water_type": ("Water", "Hydrogel", "Water 10% Sucrose")}, frozenset({"water_type"}))
ALWAYS = SessionSettings("always", water_variable="reward_ml", ml_per_unit=Decimal(1))


def prepared(variable=TOTAL, **changes):
    """A session of 200 trials about which nobody has to read anything, but for these changes of its choice."""
    file = session(variables={"reward_ml": variable}, n_trials=200, started=at("2026-11-21 10:00"))
    known = {"lab_timezone": "UTC", "same_day": (), "allowed_users": (), "names": HAS, "water_type": "Water"}
    animal = Animal(EA04, "ea04", "haisslab", (), "jose", True)
    choice = Choice(SERVER, "jose", LINK, OnRig((Candidate(LINK),), server=SERVER), animal, **{**known, **changes})
    return PreparedSession(RecordedSession(RECORDED / "finished.csv", (LINK,), "jose"), file, RunSettings(), (choice,))


@pytest.fixture(autouse=True)
def later(monkeypatch):
    """The session lies in the past, whatever this computer's clock shows."""
    monkeypatch.setattr("pybpod_alyx_module.sessions.concerns.CLOCKS_APART", timedelta(days=100_000))


def take(settings=ALWAYS, **changes):
    """Give the request that is made without a person, and what a person would read."""
    found = prepared(**changes)
    settings = RigSettings(settings)
    return unattended_request(found, settings), advise(found, found.choices[0], settings, chosen=False).notes


def test_what_is_certain_is_registered_without_a_person():
    request, notes = take()
    assert (request.water, request.water_type, notes) == (Decimal("0.6"), "Water", ())


def test_a_total_that_is_doubted_is_never_registered_without_a_person():
    request, _notes = take(variable=Variable(reported="0.004", times=1))
    assert request is None


def test_rewards_are_summed_where_the_setting_says_so():
    rewards = replace(ALWAYS, water_values="reward")
    request, _notes = take(rewards, variable=Variable(reported="0.004", times=150, sum=0.6, trial=200))
    assert request.water == Decimal("0.6")


def test_a_clock_at_odds_with_the_servers_asks(monkeypatch):
    monkeypatch.setattr("pybpod_alyx_module.sessions.concerns.CLOCKS_APART", timedelta(minutes=5))
    request, notes = take(clock_ahead=timedelta(days=-6000))
    assert request is None
    assert any("behind the Alyx server's" in note for note in notes)


class TestWaterType:
    def test_the_rig_gives_what_is_set_not_what_the_restriction_names(self):
        request, notes = take(replace(ALWAYS, water_type="Water 10% Sucrose"), water_type="Hydrogel")
        assert (request.water_type, notes) == ("Water 10% Sucrose", ())

    def test_it_is_taken_as_it_is_set_where_alyx_does_not_answer(self):
        request, notes = take(replace(ALWAYS, water_type="Water 10% Sucrose"), names=AlyxNames(), water_type="")
        assert (request.water_type, notes) == ("Water 10% Sucrose", ())

    def test_that_of_a_restriction_is_asked_about_unless_it_is_plain_water(self):
        request, (note,) = take(water_type="Hydrogel")
        assert request is None
        assert "Hydrogel is the type of water of ea04's water restriction." in note
        assert "ALYX_PLUGIN_WATER_TYPE" in note

    def test_one_that_alyx_does_not_have_is_asked_about(self):
        request, (note,) = take(replace(ALWAYS, water_type="water 10 % sucrose"))
        assert request is None
        assert "Did you mean Water 10% Sucrose" in note

    def test_without_water_it_does_not_matter(self):
        request, notes = take(variable=replace(TOTAL, reported="0"), water_type="Hydrogel")
        assert (request.water, notes) == (None, ())


class TestNames:
    names = AlyxNames({"location": ("rig_1",), "procedures": ("Imaging",)}, frozenset({"location", "procedures"}))

    def test_what_alyx_has_is_registered_without_a_person(self):
        request, notes = take(replace(ALWAYS, location="rig_1", procedures=("Imaging",)), names=self.names)
        assert (request.settings.location, request.settings.procedures, notes) == ("rig_1", ("Imaging",), ())

    def test_what_alyx_does_not_have_is_asked_about_before_it_refuses_it(self):
        request, (note,) = take(replace(ALWAYS, procedures=("imagin",)), names=self.names)
        assert request is None
        assert note == ("There is no procedure imagin on Alyx. Did you mean Imaging? (ALYX_PLUGIN_PROCEDURES)")

    def test_offline_too(self):
        request, (note,) = take(replace(ALWAYS, location="rig1"), names=replace(self.names, fresh=frozenset()))
        assert request is None
        assert note.startswith("There is no location rig1 on Alyx, as far as this computer knows.")
