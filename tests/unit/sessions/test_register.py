"""Sessions that are read and put into a real outbox, without windows and without a server."""

from __future__ import annotations

import shutil
from decimal import Decimal
from types import SimpleNamespace

import pytest

from pybpod_alyx_module.outbox.items import Draft, Kind
from pybpod_alyx_module.outbox.outbox import Outbox
from pybpod_alyx_module.rig_settings import RigSettings, SessionSettings, SettingProblem
from pybpod_alyx_module.sessions.advice import advise
from pybpod_alyx_module.sessions.on_rig import LinkedSubject
from pybpod_alyx_module.sessions.prepared_session import prepare_session
from pybpod_alyx_module.sessions.pybpod_session import RecordedSession, alyx_subjects, listed_in
from pybpod_alyx_module.sessions.register import (
    MoveRequest,
    RegistrationRequest,
    move_session,
    register,
    weighings_of,
)
from pybpod_alyx_module.sessions.registration_note import FILE_NAME
from tests.rig_sessions import EA04, RECORDED, files_opened

SERVER = "https://alyx.lab.org"
LINK = LinkedSubject("ea04", EA04, EA04, SERVER, {"alyx_id": EA04, "nickname": "ea04", "lab": "haisslab"})


class CountingOutbox(Outbox):
    """Counts how often its items are read."""

    reads = 0

    def items(self, *arguments, **options):
        self.reads += 1
        return super().items(*arguments, **options)


@pytest.fixture
def outbox(tmp_path, monkeypatch):
    monkeypatch.setenv("ALYX_CONNECTOR_HOME", str(tmp_path / "home"))
    outbox = CountingOutbox()
    yield outbox
    outbox.close()


@pytest.fixture
def recorded(tmp_path):
    folder = tmp_path / "20261121-110000"
    folder.mkdir()
    return RecordedSession(shutil.copy(RECORDED / "finished.csv", folder / "20261121-110000.csv"), (LINK,), "jose")


def prepare(recorded, outbox):
    return prepare_session(recorded, outbox, lambda _server, alyx_user: alyx_user)


def request(prepared, **changes):
    (choice,) = prepared.choices
    return RegistrationRequest(prepared, choice, SessionSettings(), water=Decimal("0.5"), **changes)


def test_file_and_outbox_are_read_once(recorded, outbox):
    with files_opened() as opened:
        prepared = prepare(recorded, outbox)
    assert opened.count(str(recorded.file)) == 1
    assert outbox.reads == 1  # there is one animal
    with files_opened() as opened:
        register(request(prepared), outbox)
    assert str(recorded.file) not in opened
    assert outbox.reads == 2  # once more, as another window may have been quicker


def test_water_goes_once(recorded, outbox):
    prepared = prepare(recorded, outbox)
    first = register(request(prepared), outbox)
    again = register(request(prepared), outbox)  # by a window that read before the other registered
    assert first.registration.key == again.registration.key
    assert [item.kind for item in outbox.items()] == [Kind.SESSION, Kind.WATER]
    (choice,) = prepare(recorded, outbox).choices
    assert (choice.earlier.key, choice.earlier.water) == (first.registration.key, True)


def test_a_copy_of_the_project_without_the_outbox_gets_no_second_water(recorded, outbox, tmp_path, monkeypatch):
    register(request(prepare(recorded, outbox)), outbox)
    note = recorded.folder / FILE_NAME
    note.write_text(note.read_text().replace('"host": "', '"host": "another-'))
    monkeypatch.setenv("ALYX_CONNECTOR_HOME", str(tmp_path / "other"))
    other = Outbox()
    (choice,) = prepare(recorded, other).choices
    assert choice.earlier.waits_elsewhere
    assert choice.earlier.water
    other.close()


def test_menu_and_registration_agree_on_who_was_on_the_rig(recorded, outbox):
    """On two servers: by identity on one, on the other only by name."""
    namesake = LinkedSubject("EA04", "other", "other", "https://copy.lab.org")
    linked = (LINK, namesake)
    session = SimpleNamespace(alyx_listed=listed_in(SimpleNamespace(subjects=[f"['ea04', '{EA04}']"])))
    prepared = prepare(RecordedSession(recorded.file, linked, "jose"), outbox)
    assert (
        alyx_subjects(session, linked) == tuple(choice.subject.name for choice in prepared.choices) == ("ea04", "EA04")
    )
    assert prepared.default is None


@pytest.mark.parametrize(("name", "shown"), [("PROJECTS", True), ("CHECK_WATER", False)])
def test_a_setting_that_cannot_be_used_is_known_by_its_name_not_by_its_sentence(recorded, outbox, name, shown):
    problem = SettingProblem(f"ALYX_PLUGIN_{name}", "What you set is of no use.")
    prepared = prepare(recorded, outbox)
    advice = advise(prepared, prepared.choices[0], RigSettings(problems=(problem,)), chosen=False)
    assert (problem.text in advice.notes) == shown


def test_one_that_waits_is_given_on_as_if_it_had_been_registered_for_that_animal(recorded, outbox):
    first = register(request(prepare(recorded, outbox)), outbox)
    before = outbox.item(first.registration.key)
    day = prepare(recorded, outbox).file.started.date().isoformat()
    weight = {"weight": 24.5, "date_time": f"{day}T09:00:00+01:00"}
    for held in ("", "It is below the minimum."):  # what waits for a person's word is not sent by ticking it
        outbox.add(Draft(Kind.WEIGHING, SERVER, "jose", EA04, "ea04", weight, held=held))
    others = [LinkedSubject(f"jo{n}", f"{n}" * 36, EA04[:-1] + f"{n}", SERVER, {"lab": f"lab{n}"}) for n in (2, 3)]
    for animal in (*others, LINK):
        prepared = prepare(recorded, outbox)
        (choice,) = [one for one in prepared.choices if one.earlier is not None]
        weights = weighings_of(outbox.items(subject=choice.subject.alyx_id), choice, day)
        move_session(MoveRequest(choice, animal, (), weights, prepared, recorded.file.parent), outbox)
        session, water, *weighed = outbox.items()
        assert {item.subject_name for item in (session, water, weighed[0])} == {animal.name}
        assert weighed[1].subject_name == "ea04"
        sentence = "" if animal is LINK else f"The session file names ea04; registered for {animal.name}."
        assert (session.values["narrative"], session.values["lab"]) == (sentence, animal.record["lab"])
    assert outbox.item(before.key).values == before.values
