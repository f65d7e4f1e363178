"""What Alyx is asked about a recorded session, by a client that answers from a table."""

from __future__ import annotations

from datetime import datetime, timedelta, timezone
from email.utils import format_datetime

import pytest
from requests.structures import CaseInsensitiveDict

from alyx_connector.errors import NotFoundError, ProtocolError, ServerFaultError, TransportError
from alyx_connector.http.transport import Reply
from alyx_connector.progress import CancelToken
from alyx_connector.remedy import Remedy, RemedyKind
from pybpod_alyx_module.sessions.ask_alyx_about_session import SessionQuestions
from pybpod_alyx_module.sessions.on_rig import Animal, Candidate, LinkedSubject, OnRig
from pybpod_alyx_module.sessions.prepared_session import Choice, PreparedSession
from pybpod_alyx_module.sessions.pybpod_session import RecordedSession
from pybpod_alyx_module.sessions.run_settings import RunSettings
from tests.rig_sessions import EA04, RECORDED, session
from tests.unit.test_remedies import PYTHON

SERVER = "https://alyx.lab.org"
LINK = LinkedSubject("ea04", EA04, EA04, SERVER)
RUNNING = {"start_time": "2026-11-01", "end_time": None}


class Client:
    """Answers lists and records from a table, and notes what it was asked."""

    def __init__(self, lists=(), records=(), error=None, date=None):
        self.date = date
        self.lists, self.records, self.error = dict(lists), dict(records), error
        self.asked = []

    def list(self, endpoint, parameters=None, *, cancel, server_time=None):
        if server_time is not None and self.date is not None:
            server_time.note(Reply(200, CaseInsensitiveDict({"date": self.date()}), b""))
        self.asked.append((endpoint, (parameters or {}).get("django")))
        if self.error is not None:
            raise self.error
        return self.lists.get(endpoint, [])

    def get(self, path, *, cancel):
        self.asked.append((path, None))
        if path not in self.records:
            raise NotFoundError("not there")
        return self.records[path]


@pytest.fixture(autouse=True)
def home(tmp_path, monkeypatch):
    monkeypatch.setenv("ALYX_CONNECTOR_HOME", str(tmp_path))


def prepared(**changes):
    on_rig = OnRig((Candidate(LINK),), server=SERVER)
    choice = Choice(SERVER, "jose", LINK, on_rig, Animal(EA04, "ea04", "haisslab", (), "jose"), **changes)
    recorded = RecordedSession(RECORDED / "finished.csv", (LINK,), "jose")
    return PreparedSession(recorded, session(), RunSettings(), (choice,))


def ask(client, of=None):
    found = SessionQuestions(lambda _server, _user: client).ask(of or prepared(), CancelToken())
    assert found.checked_on_alyx
    return found.choices[0]


@pytest.mark.parametrize(
    ("row", "water_type"),
    [
        ({}, "Water"),
        ({"water_type": None}, "Water"),
        ({"water_type": ""}, "Water"),
        ({"water_type": "Sucrose"}, "Sucrose"),
        ({"water_type": "Sucrose", "start_time": None}, "Sucrose"),
        ({"water_type": "Sucrose", "end_time": "2026-11-02"}, "Water"),
    ],
)
def test_the_type_of_water_of_the_running_restriction(row, water_type):
    types = [{"name": "Water"}, {"name": "Sucrose"}, {"name": None}, {}]
    choice = ask(Client({"water-restriction": [{**RUNNING, **row}], "water-type": types}))
    assert (choice.names.of("water_type"), choice.water_type) == (("Water", "Sucrose"), water_type)
    assert choice.not_checked == (
        f"There is no animal ea04 on {SERVER} under its Alyx id, or Alyx does not show it to jose.",
    )


@pytest.mark.parametrize(
    ("user", "allowed"),
    [({"allowed_users": ["jose"]}, ("jose",)), ({"allowed_users": []}, ()), ({"username": "ana"}, None)],
)
def test_a_server_that_does_not_tell_allowed_users_does_not_forbid(user, allowed):
    row = {"id": EA04, "nickname": "ea04", "lab": "haisslab", "responsible_user": "ana", "alive": True, "projects": []}
    assert ask(Client({"subjects": [row]}, {("users", "ana"): user})).allowed_users == allowed


@pytest.mark.parametrize("mark", ["is_stock_manager", "is_superuser"])
def test_who_may_handle_every_animal_is_not_warned(mark):
    class Marked(Client):
        def list(self, endpoint, parameters=None, **known):
            rows = super().list(endpoint, parameters, **known)
            return [{"username": "jose"}] if f"{mark},True" in (parameters or {}).get("django", "") else rows

    row = {"id": EA04, "nickname": "ea04", "lab": "haisslab", "responsible_user": "ana", "alive": True, "projects": []}
    assert ask(Marked({"subjects": [row]}, {("users", "ana"): {"allowed_users": []}})).allowed_users == ("jose",)


def test_the_types_of_water_of_a_server_that_cannot_list_them():
    class Failing(Client):
        def list(self, endpoint, parameters=None, *, cancel, server_time=None):
            found = super().list(endpoint, parameters, cancel=cancel, server_time=server_time)
            if endpoint == "water-type":
                raise ServerFaultError("It failed.")
            return found

    used = {"water-restriction": [{**RUNNING, "water_type": "Sucrose"}], "water-administrations": [{"water_type": "W"}]}
    choice = ask(Failing(used))
    assert (choice.names.of("water_type"), choice.water_type) == (("Sucrose", "W"), "Sucrose")
    assert not [note for note in choice.not_checked if "water" in note]


@pytest.mark.parametrize("ahead", [timedelta(0), timedelta(hours=7), timedelta(days=-6200)])
def test_how_far_the_clock_of_this_computer_is_ahead_of_the_servers(ahead):
    client = Client(date=lambda: format_datetime(datetime.now(timezone.utc) - ahead, usegmt=True))
    found = ask(client).clock_ahead
    assert abs(found - ahead) < timedelta(minutes=1)


@pytest.mark.parametrize("date", [None, lambda: "", lambda: "yesterday"])
def test_a_server_that_does_not_say_what_time_it_is(date):
    assert ask(Client(date=date)).clock_ahead is None


def test_nothing_is_asked_twice():
    client = Client({"labs": [{"name": "haisslab", "timezone": "Europe/Paris"}]})
    questions = SessionQuestions(lambda _server, _user: client)
    first = questions.ask(prepared(), CancelToken())
    asked = list(client.asked)
    assert len(set(asked)) == len(asked)
    assert questions.ask(prepared(), CancelToken()) == first
    assert client.asked == asked
    assert first.choices[0].lab_timezone == "Europe/Paris"


def test_a_server_that_is_down_is_asked_once():
    client = Client(error=TransportError("The server does not answer.", hint="Wait."))
    choice = ask(client)
    assert len(client.asked) == 1
    (note,) = choice.not_checked
    assert note.startswith("Nothing could be checked on Alyx. The server does not answer.")
    assert (choice.same_day, choice.lab_timezone, choice.allowed_users) == (None, None, ())


@pytest.mark.parametrize("kind", RemedyKind)
def test_what_to_do_is_said_in_words_of_windows(kind):
    remedy = Remedy(kind, "http://a.example", "jose", "sessions", "name", ("1",))
    for failed in (TransportError, ProtocolError):
        said = " ".join(ask(Client(error=failed("No.", hint=remedy))).not_checked)
        assert "No." in said
        assert not [word for word in PYTHON if word in said]


def test_what_was_registered_on_another_rig_is_found_by_its_identity():
    found = {"id": "7c33", "json": {"pybpod": {"outbox_key": "k", "host": "rig2"}}, "wateradmin_session_related": [1]}
    client = Client({"sessions": [found]}, {("sessions", "7c33"): found})
    earlier = ask(client).earlier
    assert (earlier.key, earlier.host, earlier.session_id, earlier.water) == ("k", "rig2", "7c33", True)


@pytest.mark.parametrize("free", [None, "text", [], {"pybpod": ["x"]}])
def test_a_record_whose_json_others_wrote(free):
    found = {"id": "7c33", "json": free}
    earlier = ask(Client({"sessions": [found]}, {("sessions", "7c33"): found})).earlier
    assert (earlier.key, earlier.host, earlier.water) == (session().uuid, "", False)
