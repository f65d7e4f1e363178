"""The water that a session's file says was earned."""

from __future__ import annotations

from decimal import Decimal

import pytest

from pybpod_alyx_module.rig_settings import SessionSettings
from pybpod_alyx_module.sessions.session_csv import Variable, read_session_file
from pybpod_alyx_module.sessions.water_earned import WaterEarned, water_earned
from tests.rig_sessions import RECORDED, at, session

ML = SessionSettings(water_variable="reward_ml", ml_per_unit=Decimal(1))
UL = SessionSettings(water_variable="reward_ml", ml_per_unit=Decimal("0.001"))


def earned(settings=ML, *, killed=None, **variable):
    variables = {"reward_ml": Variable(**variable)} if variable else {}
    return water_earned(session(variables=variables), settings, killed=killed)


@pytest.mark.parametrize(
    ("end", "amount", "offer"),
    [("finished", "0.009", None), ("stopped", None, "0.009"), ("crashed", None, "0.009")],
)
def test_what_pybpod_recorded(end, amount, offer):
    found = water_earned(read_session_file(RECORDED / f"{end}.csv"), ML)
    assert (found.amount, found.offer) == (amount and Decimal(amount), offer and Decimal(offer))
    assert found.ask is (amount is None)


def test_stop_is_no_kill_where_that_is_known():
    stopped = read_session_file(RECORDED / "stopped.csv")
    assert water_earned(stopped, ML, killed=False).amount == Decimal("0.009")
    assert water_earned(stopped, ML, killed=True).ask


def test_kill_was_pressed():
    found = earned(reported="1.5", killed=True)
    assert (found.amount, found.offer) == (None, Decimal("1.5"))
    assert "1.5 mL" in found.why


def test_a_crash_is_asked_whatever_the_host_saw():
    file = session(variables={"reward_ml": Variable(reported="1")}, ended=None, last_time=at("2026-11-21 10:30"))
    assert water_earned(file, ML, killed=False).ask


def test_no_variable_is_set():
    assert earned(SessionSettings(), reported="1") == WaterEarned()
    assert not WaterEarned().ask


@pytest.mark.parametrize(
    ("text", "settings", "amount"),
    [
        ("850", UL, "0.85"),
        ("0.85", ML, "0.85"),
        ("0.30000000000000004", ML, "0.3"),
        (" 1e-1 ", ML, "0.1"),
        ("0", ML, "0"),
        ("-0.0", ML, "0"),
        ("50", ML, "50"),
        ("50000", UL, "50"),
    ],
)
def test_amount(text, settings, amount):
    found = earned(settings, reported=text)
    assert (found.amount, found.ask) == (Decimal(amount), False)
    assert not found.amount.is_signed()


@pytest.mark.parametrize(
    ("variable", "words"),
    [
        ({}, "no variable reward_ml"),
        ({"reported": "much"}, "not a number: 'much'"),
        ({"reported": ""}, "not a number"),
        ({"reported": "nan"}, "not a number"),
        ({"reported": "inf"}, "not a number"),
        ({"reported": "-0.1"}, "negative"),
        ({"reported": "50.1"}, "ALYX_PLUGIN_WATER_UNIT"),
        ({"reported": "1e400"}, "ALYX_PLUGIN_WATER_UNIT"),
    ],
)
def test_no_amount_and_none_to_offer(variable, words):
    found = earned(**variable)
    assert (found.amount, found.offer, found.ask) == (None, None, True)
    assert words in found.why


def test_no_unit():
    found = earned(SessionSettings(water_variable="reward_ml"), reported="1")
    assert found.ask
    assert "ALYX_PLUGIN_WATER_UNIT" in found.why


def test_one_that_became_smaller_is_no_total():
    found = earned(reported="0.003", fell=True)
    assert (found.amount, found.offer, found.ask) == (None, Decimal("0.003"), True)


def test_a_setting_is_not_what_was_earned():
    found = earned(initial="1.5", final="1.5")
    assert (found.amount, found.offer) == (None, Decimal("1.5"))
    assert "was set to 1.5 mL before the session" in found.why


def test_set_to_nothing_and_never_reported_is_nothing():
    assert earned(initial="0", final="0").amount == 0


def test_the_repetition_of_a_setting_does_not_replace_what_was_reported():
    assert earned(initial="0", reported="0.8", final="0").amount == Decimal("0.8")


def test_a_protocol_that_sets_its_variable():
    assert earned(initial="0", final="0.7").amount == Decimal("0.7")
