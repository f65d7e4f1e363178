"""The water that a session's file says was earned."""

from __future__ import annotations

from decimal import Decimal

import pytest

from pybpod_alyx_module.rig_settings import SessionSettings
from pybpod_alyx_module.sessions.session_csv import Variable, read_session_file
from pybpod_alyx_module.sessions.water_earned import WaterEarned, water_earned
from tests.rig_sessions import ENDED, RECORDED, STARTED, TRIAL, at, row, session, write_session

ML = SessionSettings(water_variable="reward_ml", ml_per_unit=Decimal(1))
UL = SessionSettings(water_variable="reward_ml", ml_per_unit=Decimal("0.001"))

#: A total that was reported in each of the session's three trials.
RISING = {"times": 3, "rises": 2, "trial": 3}


def earned(settings=ML, *, killed=None, **variable):
    if variable.get("reported") is not None:
        variable = {**RISING, **variable}
    variables = {"reward_ml": Variable(**variable)} if variable else {}
    return water_earned(session(variables=variables), settings, killed=killed)


def offered(found):
    return [str(one.amount) for one in found.offers]


@pytest.mark.parametrize(
    ("end", "amount", "offers"),
    [("finished", "0.009", []), ("stopped", None, ["0.009"]), ("crashed", None, ["0.009"])],
)
def test_what_pybpod_recorded(end, amount, offers):
    found = water_earned(read_session_file(RECORDED / f"{end}.csv"), ML)
    assert (found.amount, offered(found)) == (amount and Decimal(amount), offers)
    assert found.ask is (amount is None)


def test_stop_is_no_kill_where_that_is_known():
    stopped = read_session_file(RECORDED / "stopped.csv")
    assert water_earned(stopped, ML, killed=False).amount == Decimal("0.009")
    assert water_earned(stopped, ML, killed=True).ask


def test_kill_was_pressed():
    found = earned(reported="1.5", killed=True)
    assert (found.amount, offered(found)) == (None, ["1.5"])
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
    assert (found.amount, found.offers, found.ask) == (None, (), True)
    assert words in found.why


def test_no_unit():
    found = earned(SessionSettings(water_variable="reward_ml"), reported="1")
    assert found.ask
    assert "ALYX_PLUGIN_WATER_UNIT" in found.why


def test_one_that_became_smaller_is_no_total():
    found = earned(reported="0.003", fell=True, sum=0.011)
    assert (found.amount, offered(found), found.ask) == (None, ["0.011", "0.003"], True)


def test_a_setting_is_not_what_was_earned():
    found = earned(initial="1.5", final="1.5")
    assert (found.amount, offered(found)) == (None, ["1.5"])
    assert "was set to 1.5 mL before the session" in found.why


def test_set_to_nothing_and_never_reported_is_nothing():
    assert earned(initial="0", final="0").amount == 0


def test_the_repetition_of_a_setting_does_not_replace_what_was_reported():
    assert earned(initial="0", reported="0.8", final="0").amount == Decimal("0.8")


def test_a_protocol_that_sets_its_variable():
    assert earned(initial="0", final="0.7").amount == Decimal("0.7")


BEFORE, AT_END = "before the first trial", "after the last trial"


class TestWhatTheValuesAre:
    """200 trials, and what the protocol reports, in microlitres: after each trial, or once."""

    @pytest.fixture
    def take(self, tmp_path):
        def take(meaning, reports, *, trials=200, variable="reward_ul"):
            rows = [STARTED]
            if BEFORE in reports:
                rows.append(row("VAL", "10:00:01", variable, reports[BEFORE]))
            for trial in range(1, trials + 1):
                rows += TRIAL
                if trial in reports:
                    rows.append(row("VAL", "10:00:40", variable, reports[trial]))
            if AT_END in reports:
                rows.append(row("VAL", "10:50:00", variable, reports[AT_END]))
            settings = SessionSettings(
                water_variable=variable, ml_per_unit=Decimal("0.001"), water_values=meaning or "total"
            )
            return water_earned(read_session_file(write_session(tmp_path, [*rows, ENDED])), settings)

        return take

    @pytest.mark.parametrize(
        ("meaning", "reports", "amount"),
        [
            (None, {n: str(3 * n) for n in range(1, 201)}, "0.6"),
            (None, dict.fromkeys(range(1, 201), "0"), "0"),
            (None, {**dict.fromkeys(range(1, 190), "0"), 190: "30", 200: "30"}, "0.03"),
            (None, {AT_END: "600"}, "0.6"),
            ("end", {AT_END: "600"}, "0.6"),
            ("end", {BEFORE: "0", AT_END: "600"}, "0.6"),
            ("end", {BEFORE: "600", AT_END: "600"}, "0.6"),
            ("reward", dict.fromkeys(range(1, 201), "3"), "0.6"),
            ("reward", {n: str(3 + n % 2) for n in range(1, 201)}, "0.7"),
            ("reward", dict.fromkeys(range(1, 201, 4), "3"), "0.15"),
            ("reward", dict.fromkeys(range(1, 201), "0"), "0"),
        ],
    )
    def test_certain(self, take, meaning, reports, amount):
        found = take(meaning, reports)
        assert (found.amount, found.ask) == (Decimal(amount), False), found.why

    @pytest.mark.parametrize(
        ("meaning", "reports", "offers", "words"),
        [
            (None, {BEFORE: "4"}, ["0.8", "0.004"], "0.004 mL for 200 trials. Is that the size of one reward?"),
            (None, {AT_END: "4"}, ["0.8", "0.004"], "0.004 mL for 200 trials. Is that the size of one reward?"),
            (None, {1: "4"}, ["0.8", "0.004"], "size of one reward"),
            (None, {100: "300"}, ["0.3"], "never rose: 0.3 mL for 200 trials. If it is the total"),
            (None, dict.fromkeys(range(1, 201), "4"), ["0.8", "0.004"], "size of one reward"),
            (None, dict.fromkeys(range(1, 201, 2), "4"), ["0.4", "0.004"], "size of one reward"),
            (None, {n: "3" if n % 9 else "5" for n in range(1, 201)}, ["0.644", "0.003"], "became smaller"),
            (None, {n: str(0.003 * n) for n in range(1, 201)}, ["0.0006"], "Check the unit"),
            ("end", {100: "600"}, ["0.6"], "after 100 trials of 200"),
            ("end", {AT_END: "4"}, ["0.8", "0.004"], "size of one reward"),
            ("reward", {BEFORE: "4"}, ["0.8", "0.004"], "only before the first trial: 0.004 mL for 200 trials. Did"),
            ("reward", {17: "4"}, ["0.8", "0.004"], "0.004 mL for 200 trials"),
            ("reward", {n: str(3 * n) for n in range(1, 201)}, ["0.6"], "ALYX_PLUGIN_WATER_UNIT"),
            ("reward", {n: str(3 * n) for n in range(1, 101)}, ["0.3", "15.15"], "rose each time, up to 0.3 mL"),
        ],
    )
    def test_doubted(self, take, meaning, reports, offers, words):
        found = take(meaning, reports)
        assert found.ask
        assert offered(found) == offers
        assert words in found.why

    def test_a_value_before_a_session_without_trials(self, take):
        assert take(None, {BEFORE: "4"}, trials=0).amount == Decimal("0.004")

    def test_what_a_task_variable_is_set_to_may_be_the_size_of_a_reward(self):
        file = session(variables={"reward_ml": Variable("0.004", None, "0.004")}, n_trials=200)
        found = water_earned(file, ML)
        assert offered(found) == ["0.8", "0.004"]
        assert "never reported reward_ml, which was set to 0.004 mL" in found.why

    def test_nothing_that_was_never_reported_is_doubted_in_many_trials(self):
        found = water_earned(session(variables={"reward_ml": Variable("0", None, "0")}, n_trials=200), ML)
        assert (found.ask, offered(found)) == (True, ["0"])
