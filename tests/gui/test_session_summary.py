"""What the dialog shows of a session, in words."""

from __future__ import annotations

from dataclasses import replace

import pytest

from pybpod_alyx_module.gui.sessions.session_summary import summarise
from pybpod_alyx_module.outbox.items import Kind, State
from pybpod_alyx_module.outbox.states import Event, allowed
from pybpod_alyx_module.rig_settings import RigSettings
from pybpod_alyx_module.sessions.earlier_registration import EarlierRegistration
from pybpod_alyx_module.sessions.on_rig import Animal, Candidate, LinkedSubject, OnRig
from pybpod_alyx_module.sessions.prepared_session import Choice, PreparedSession
from pybpod_alyx_module.sessions.pybpod_session import RecordedSession
from pybpod_alyx_module.sessions.run_settings import RunSettings
from tests.gui.test_outbox_words import make
from tests.rig_sessions import EA04, RECORDED, at, session

SERVER = "https://alyx.lab.org"
LINK = LinkedSubject("ea04", EA04, EA04, SERVER)
CHOICE = Choice(
    SERVER, "jose", LINK, OnRig((Candidate(LINK),), server=SERVER), Animal(EA04, "ea04", "haisslab"), "UTC", ()
)


def prepare(*choices, **changes):
    recorded = RecordedSession(RECORDED / "finished.csv", (LINK,), "jose")
    return PreparedSession(recorded, session(**changes), RunSettings(), choices, checked_on_alyx=True)


def show(choice=CHOICE, **changes):
    return summarise(prepare(choice, **changes), choice, RigSettings(), chosen=False)


def test_one_animal():
    found = show()
    assert (found.user, found.animal) == ("as jose at alyx.lab.org", "ea04")
    assert found.facts.startswith("Task protocol wait_task · number: next of that day · 3 trials")
    assert found.facts.endswith("(lab time, UTC) · lab haisslab")
    assert found.blocking == ()


def test_past_midnight_the_end_has_its_date():
    late = {"started": at("2026-11-21 23:30"), "ended": at("2026-11-22 00:30")}
    found = show(replace(CHOICE, lab_timezone=None), **late)
    assert "2026-11-21 23:30:00 to 2026-11-22 00:30:00 (the rig's clock)" in found.facts


def test_nobody_chose_yet():
    other = replace(CHOICE, server="https://copy.lab.org", animal=Animal("2", "ea05"))
    found = summarise(prepare(CHOICE, other), None, RigSettings(), chosen=False)
    assert (found.user, found.animal) == ("on Alyx", "")
    assert found.blocking == ("The session lists ea04, ea05. Say which one was on the rig.",)
    none = summarise(prepare(), None, RigSettings(), chosen=False)
    assert none.blocking == ("The session lists no subject that is linked to Alyx. Sync the project first.",)


@pytest.mark.parametrize(
    ("session_id", "water", "words"),
    [
        ("7c33", False, "This session is already on Alyx (7c33). Update changes that record."),
        (
            None,
            True,
            "This session waits in the Alyx outbox. Update changes what will be sent. Update leaves its water",
        ),
    ],
)
def test_an_earlier_registration(session_id, water, words):
    record = {"number": 4} if session_id else None
    earlier = EarlierRegistration("key", "rig", session_id, "", record=record, water=water)
    found = show(replace(CHOICE, earlier=earlier))
    assert found.notes[0].startswith(words)
    assert ("number: 4" in found.facts) is (session_id is not None)


@pytest.mark.parametrize("state", [State.WAITING, State.SENDING, State.UNSURE, State.PARKED])
def test_of_what_is_on_its_way_nothing_is_said_to_wait(state):
    earlier = EarlierRegistration("key", "rig", None, "", item=make(Kind.SESSION, state=state))
    said = show(replace(CHOICE, earlier=earlier)).notes[0]
    assert ("waits in the Alyx outbox. Update changes what will be sent" in said) is (
        Event.EDIT in allowed(earlier.item)
    )
    assert ("Update is sent after it" in said) is (Event.EDIT not in allowed(earlier.item))


def test_before_alyx_answered_nothing_is_noted():
    unchecked = replace(prepare(CHOICE), checked_on_alyx=False)
    assert summarise(unchecked, CHOICE, RigSettings(), chosen=False).notes == ()
