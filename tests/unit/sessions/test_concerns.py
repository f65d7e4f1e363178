"""What speaks against registering a session."""

from __future__ import annotations

from datetime import timedelta, timezone
from decimal import Decimal
from zoneinfo import ZoneInfo

import pytest

from pybpod_alyx_module.rig_settings import SessionSettings
from pybpod_alyx_module.sessions.advice import HARMLESS
from pybpod_alyx_module.sessions.concerns import ConcernKind, concerns
from pybpod_alyx_module.sessions.on_rig import Animal, Candidate, LinkedSubject, OnRig
from pybpod_alyx_module.sessions.session_csv import Creator, SessionSubject
from tests.rig_sessions import EA04, at, session

PARIS = ZoneInfo("Europe/Paris")
ANIMAL = Animal(EA04, "ea04", "haisslab", (), "jose", True)
LINK = LinkedSubject("ea04", EA04, EA04)
OTHER = LinkedSubject("ea05", "2", "2")
SURE = OnRig((Candidate(LINK),))


def told(file=None, animal=ANIMAL, username="jose", settings=None, **options):
    """Give the concerns about a session that has none, but for what is said here."""
    options = {
        "on_rig": SURE,
        "lab_timezone": "Europe/Paris",
        "rig_zone": PARIS,
        "same_day": (),
        "now": at("2027-01-01 00:00"),
    } | options
    return concerns(session() if file is None else file, animal, username, settings or SessionSettings(), **options)


def only(*args, **options):
    """Give the one concern that is told."""
    (concern,) = told(*args, **options)
    return concern


def test_nothing_speaks_against_it():
    assert told() == ()


class TestAnimal:
    @pytest.mark.parametrize(("nickname", "name"), [("test01", "x"), ("x", "Test01")])
    def test_test_subjects_are_never_sent(self, nickname, name):
        concern = only(
            animal=Animal("1", nickname, "haisslab", (), "jose", True),
            on_rig=OnRig((Candidate(LinkedSubject(name, "1", "1")),)),
            settings=SessionSettings(test_subjects=("TEST01",)),
            chosen=True,
        )
        assert (concern.kind, concern.blocks) == (ConcernKind.TEST_SUBJECT, True)

    def test_what_blocks_comes_first(self):
        found = told(
            session(n_trials=0), settings=SessionSettings(test_subjects=("ea04",)), on_rig=OnRig(), chosen=False
        )
        assert [concern.blocks for concern in found] == [True, True, False]

    def test_not_alive(self):
        concern = only(animal=Animal(EA04, "ea04", "haisslab", (), "jose", False, death_date="2026-12-01"))
        assert concern.text == "ea04 is not alive on Alyx (death date 2026-12-01)."
        assert not concern.blocks

    @pytest.mark.parametrize(
        ("on_rig", "words"),
        [
            (OnRig((Candidate(LINK), Candidate(OTHER))), "more than one Alyx subject: ea04, ea05"),
            (OnRig((Candidate(LINK, by_name=True),)), "identifies ea04 by name only"),
            (OnRig((Candidate(LINK),), (SessionSubject("local"),)), "Beside ea04 the session lists local"),
        ],
    )
    def test_a_person_must_choose(self, on_rig, words):
        concern = only(on_rig=on_rig)
        assert (concern.kind, concern.blocks) == (ConcernKind.WHICH_ANIMAL, True)
        assert words in concern.text
        assert told(on_rig=on_rig, chosen=True) == ()

    @pytest.mark.parametrize(
        ("on_rig", "words"),
        [
            (OnRig((Candidate(OTHER),)), "The session file names ea05, not ea04."),
            (OnRig((), (SessionSubject("local"),)), "file names local, not ea04"),
            (OnRig(), "names no animal"),
        ],
    )
    def test_one_that_was_not_listed_is_told_even_if_chosen(self, on_rig, words):
        assert only(on_rig=on_rig).blocks
        concern = only(on_rig=on_rig, chosen=True)
        assert words in concern.text
        assert not concern.blocks


class TestUsers:
    OF_ANA = Animal(EA04, "ea04", "haisslab", (), "ana", True)

    @pytest.mark.parametrize(
        ("allowed", "words"),
        [(None, "whether jose may handle their subjects is not known"), ((), "does not allow jose"), (("x",), "does")],
    )
    def test_not_permitted(self, allowed, words):
        concern = only(animal=self.OF_ANA, allowed_users=allowed)
        assert concern.kind is ConcernKind.NOT_PERMITTED
        assert words in concern.text
        assert "Alyx may refuse" in concern.text

    def test_delegated(self):
        assert told(animal=self.OF_ANA, allowed_users=["jose"]) == ()

    def test_somebody_else_recorded_it(self):
        concern = only(session(creator=Creator("ana", "u", "ALYX")))
        assert (concern.kind, concern.blocks) == (ConcernKind.OTHER_USER, False)

    @pytest.mark.parametrize("creator", [None, Creator("ana", "u", "local"), Creator("JOSE", "u", "ALYX")])
    def test_not_on_alyx_or_the_same(self, creator):
        assert told(session(creator=creator)) == ()


class TestDay:
    ROW = {"id": "7c33", "start_time": "2026-11-21T08:30:00", "number": 1, "task_protocol": "wait_task"}  # noqa: RUF012

    def test_a_second_session(self):
        concern = only(same_day=[self.ROW])
        assert concern.kind is ConcernKind.SECOND_SESSION
        assert concern.text == "ea04 already has a session on 2026-11-21 on Alyx: number 1 08:30 wait_task."

    def test_rows_that_lack_something(self):
        assert "2 sessions" in only(same_day=[{"id": "1", "start_time": None, "number": None}, self.ROW]).text

    def test_its_own_record_is_not_another(self):
        assert told(same_day=[self.ROW], session_id="7c33") == ()

    @pytest.mark.parametrize(
        "start", ["2026-11-21T10:00:00", "2026-11-21T10:00:00.123456", "2026-11-21T10:00:00+01:00"]
    )
    def test_one_that_began_at_the_same_time(self, start):
        assert only(same_day=[{**self.ROW, "start_time": start}]).kind is ConcernKind.SAME_SESSION

    def test_the_same_time_is_the_labs(self):
        row = {**self.ROW, "start_time": "2026-11-21T11:00:00"}
        kinds = [concern.kind for concern in told(same_day=[row], rig_zone=timezone.utc)]
        assert kinds == [ConcernKind.SAME_SESSION, ConcernKind.CLOCKS]

    def test_alyx_did_not_answer(self):
        assert only(same_day=None).kind is ConcernKind.NOT_CHECKED

    def test_over_midnight(self):
        concern = only(session(started=at("2026-11-21 23:50"), ended=at("2026-11-22 00:10")))
        assert concern.kind is ConcernKind.OVER_MIDNIGHT
        assert "counts for 2026-11-21, its water for 2026-11-22" in concern.text

    def test_midnight_is_the_labs(self):
        utc = {"rig_zone": timezone.utc}
        over = told(session(started=at("2026-11-21 22:30"), ended=at("2026-11-21 23:30")), **utc)
        not_over = told(session(started=at("2026-11-21 23:30"), ended=at("2026-11-22 00:30")), **utc)
        assert ConcernKind.OVER_MIDNIGHT in {concern.kind for concern in over}
        assert [concern.kind for concern in not_over] == [ConcernKind.CLOCKS]


class TestClocks:
    @pytest.mark.parametrize(
        ("lab", "words"),
        [
            ("America/New_York", "is 6 h behind this rig's: the start is sent in lab time, 2026-11-21 04:00"),
            ("Asia/Kolkata", "is 4 h 30 min ahead of this rig's: the start is sent in lab time, 2026-11-21 14:30"),
        ],
    )
    def test_other_zones(self, lab, words):
        concern = only(lab_timezone=lab)
        assert concern.kind is ConcernKind.CLOCKS
        assert words in concern.text

    @pytest.mark.parametrize("lab", ["Europe/Berlin", "Africa/Algiers"])
    def test_another_name_of_the_same_time(self, lab):
        assert told(lab_timezone=lab) == ()

    def test_zones_that_differ_in_summer_only(self):
        summer = session(started=at("2026-07-21 10:00"), ended=at("2026-07-21 11:00"))
        assert only(summer, lab_timezone="Africa/Algiers").kind is ConcernKind.CLOCKS

    @pytest.mark.parametrize(
        ("lab", "words"),
        [
            (None, "Alyx has no time zone for the lab haisslab"),
            ("", "Alyx has no time zone for the lab haisslab"),
            ("Mars", "'Mars' as the time zone of the lab haisslab, which is not a valid time zone"),
        ],
    )
    def test_no_zone(self, lab, words):
        concern = only(lab_timezone=lab)
        assert words in concern.text
        assert "as this rig's clock showed them, 2026-11-21 10:00" in concern.text

    def test_put_back_meanwhile(self):
        concern = only(session(started=at("2026-10-25 02:50"), ended=at("2026-10-25 02:20")))
        assert concern.kind is ConcernKind.CLOCK_SET_BACK
        assert "30 min before" in concern.text


class TestTheRigsClock:
    def test_longer_than_a_day_is_a_clock_that_was_set(self):
        concern = only(session(started=at("2009-01-01 00:10"), ended=at("2026-11-21 11:00")))
        assert concern.kind is ConcernKind.LONG
        assert "from 2009-01-01 00:10 to 2026-11-21 11:00" in concern.text
        assert not concern.blocks

    def test_a_night_is_no_more_than_a_night(self):
        concern = only(session(started=at("2026-11-20 23:00"), ended=at("2026-11-21 01:00")))
        assert concern.kind is ConcernKind.OVER_MIDNIGHT

    @pytest.mark.parametrize(
        ("now", "kinds"),
        [
            ("2026-11-21 10:54", [ConcernKind.FUTURE]),
            ("2026-11-21 10:55", []),
            ("2026-11-20 10:00", [ConcernKind.FUTURE]),
        ],
    )
    def test_in_the_future(self, now, kinds):
        file = session(started=at("2026-11-21 10:00"), ended=at("2026-11-21 11:00"))
        assert [concern.kind for concern in told(file, now=at(now))] == kinds

    @pytest.mark.parametrize(
        ("dates", "words"),
        [
            ({"birth_date": "2026-11-22"}, "before ea04 was born (2026-11-22 on Alyx)"),
            ({"birth_date": "2026-11-21"}, None),
            ({"death_date": "2026-11-20"}, "after ea04 died (2026-11-20 on Alyx)"),
            ({"death_date": "2026-11-21"}, None),
        ],
    )
    def test_outside_of_its_life(self, dates, words):
        animal = Animal(EA04, "ea04", "haisslab", (), "jose", True, **dates)
        found = told(session(started=at("2026-11-21 10:00"), ended=at("2026-11-21 11:00")), animal)
        assert [concern.kind for concern in found] == ([ConcernKind.LIFETIME] if words else [])
        assert all(words in concern.text for concern in found)

    @pytest.mark.parametrize(
        ("ahead", "words"),
        [
            (timedelta(hours=3, minutes=10), "is 3 h 10 min ahead of the Alyx server's"),
            (timedelta(days=-6200, hours=5), "is 6199 days behind the Alyx server's"),
            (timedelta(minutes=-47), "is 47 min behind the Alyx server's"),
        ],
    )
    def test_the_clock_of_this_computer_is_wrong_by_the_servers(self, ahead, words):
        concern = only(clock_ahead=ahead)
        assert (concern.kind, concern.blocks) == (ConcernKind.RIG_CLOCK, False)
        assert words in concern.text
        assert "2026-11-21 10:00, may be as far off" in concern.text

    @pytest.mark.parametrize("ahead", [None, timedelta(), timedelta(minutes=5), timedelta(minutes=-5)])
    def test_clocks_that_nobody_has_set_differ_by_little(self, ahead):
        assert told(clock_ahead=ahead) == ()

    @pytest.mark.parametrize(
        "kind", [ConcernKind.LONG, ConcernKind.FUTURE, ConcernKind.LIFETIME, ConcernKind.RIG_CLOCK]
    )
    def test_a_person_has_to_read_it(self, kind):
        assert kind not in HARMLESS


class TestRun:
    def test_no_trials(self):
        assert only(session(n_trials=0, n_begun=0)).text == "The session has no trials."
        assert "1 began" in only(session(n_trials=0, n_begun=1)).text

    @pytest.mark.parametrize(("seconds", "kinds"), [(0, [ConcernKind.SHORT]), (119, [ConcernKind.SHORT]), (120, [])])
    def test_under_two_minutes(self, seconds, kinds):
        start = at("2026-11-21 10:00")
        found = told(session(started=start, ended=start + timedelta(seconds=seconds)))
        assert [concern.kind for concern in found] == kinds

    @pytest.mark.parametrize("variable", [None, "reward_ml"])
    def test_killed(self, variable):
        settings = SessionSettings(water_variable=variable, ml_per_unit=Decimal(1))
        concern = only(session(ended=None, last_time=at("2026-11-21 10:40")), settings=settings)
        assert concern.kind is ConcernKind.KILLED
        assert "10:40:00" in concern.text
        assert ("water" in concern.text) is (variable is not None)
