"""Which names a server knows, and which may have been meant by those that it does not."""

from __future__ import annotations

import pytest

from alyx_connector.errors import ServerFaultError, TransportError
from alyx_connector.progress import CancelToken
from pybpod_alyx_module.name_lists import join_names, split_names
from pybpod_alyx_module.names.alyx_names import FILE_NAME, AlyxNames, Told, fetch_names, last_names, told_now

SERVER = "https://alyx.lab.org"
PROCEDURES = ("Behavior training/tasks", "Injections, viral", "Imaging")


@pytest.fixture(autouse=True)
def home(tmp_path, monkeypatch):
    monkeypatch.setenv("ALYX_CONNECTOR_HOME", str(tmp_path))
    return tmp_path


def told(**names):
    return {name: Told(some) for name, some in names.items()}


class Client:
    """Answers lists from a table."""

    url = SERVER

    def __init__(self, **lists):
        self.lists = lists

    def list(self, endpoint, _parameters=None, *, cancel):
        found = self.lists.get(endpoint, ServerFaultError("It failed."))
        if isinstance(found, Exception):
            raise found
        return found


@pytest.mark.parametrize("names", [(), ("one",), ("Injections, viral", "a b")])
def test_one_separator_for_all(names):
    assert split_names(join_names(names)) == names


def test_what_is_typed_between_separators():
    assert split_names(" a;b ;;a; c,d ") == ("a", "b", "c,d")


class TestComplaint:
    names = AlyxNames({"procedures": PROCEDURES, "location": ("Rig_1", "Rig_2")}, frozenset({"procedures"}))

    @pytest.mark.parametrize(
        ("typed", "words"),
        [
            ("behaviour training", "There is no procedure behaviour training on Alyx. Did you mean Behavior training/"),
            ("imaging", "There is no procedure imaging on Alyx. Did you mean Imaging?"),
            ("injections", "Did you mean Injections, viral?"),
            ("zzz", "There is no procedure zzz on Alyx."),
        ],
    )
    def test_the_nearest_names_are_said(self, typed, words):
        complaint = self.names.complaint("procedures", ["Imaging", typed])
        assert words in complaint
        assert self.names.refused("procedures", [typed])

    def test_what_it_has_is_not_complained_of(self):
        assert self.names.complaint("procedures", PROCEDURES) == ""

    def test_what_was_told_earlier_is_said_so_and_not_refused(self):
        assert self.names.complaint("location", ["rig1"]) == (
            "There is no location rig1 on Alyx, as far as this computer knows. Did you mean Rig_1 or Rig_2?"
        )
        assert self.names.refused("location", ["rig1"]) == ""

    def test_where_nothing_is_known_any_name_may_be_right(self):
        assert self.names.complaint("projects", ["anything"]) == ""


class TestKept:
    def test_what_was_told_last_is_known_without_asking(self):
        told_now(SERVER, told(location=("rig_1",), procedures=PROCEDURES))
        told_now(SERVER, told(location=("rig_2",), projects=()))
        told_now("https://other.org", told(location=("x",)))
        last = last_names(SERVER)
        assert (last.of("location"), last.of("procedures"), last.of("projects")) == (("rig_2",), PROCEDURES, ())
        assert last.fresh == frozenset()

    def test_what_was_told_now_is_fresh_and_the_rest_is_known(self):
        told_now(SERVER, told(procedures=PROCEDURES))
        names = told_now(SERVER, told(location=("rig_2",), procedures=()))
        assert (names.fresh, names.of("procedures")) == (frozenset({"location"}), PROCEDURES)

    @pytest.mark.parametrize("content", ["{", '{"s": 1}', '{"s": {"location": [1]}}'])
    def test_a_damaged_file_is_as_none(self, home, content):
        (home / FILE_NAME).write_text(content)
        assert last_names(SERVER) == AlyxNames()

    def test_what_a_server_does_not_tell_is_as_it_was_told_last(self):
        told_now(SERVER, told(users=("ana",)))
        client = Client(
            locations=[{"name": "rig_1"}, {"name": None}, {}],
            projects=TransportError("It does not answer.", hint="Wait."),
        )
        names = fetch_names(client, ("location", "projects", "users", "water_type"), CancelToken())
        assert (names.of("location"), names.of("users"), names.of("projects")) == (("rig_1",), ("ana",), ())
        assert names.fresh == frozenset({"location"})

    def test_types_that_are_in_use_are_offered_but_there_may_be_others(self):
        class Local(Client):
            """Cannot list its types of water, as Alyx-Local."""

        used = Local(**{"water-restriction": [{"water_type": "Sucrose"}], "water-administrations": []})
        names = fetch_names(used, ("water_type",), CancelToken())
        assert names.of("water_type") == ("Sucrose",)
        assert names.complaint("water_type", ["Hydrogel"]) == ""
        assert last_names(SERVER).of("water_type") == ()
