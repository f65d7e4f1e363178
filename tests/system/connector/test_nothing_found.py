"""What a search did not find, and why, is warned of; nothing is asked for that where all was found."""

from __future__ import annotations

from urllib.parse import urlencode

import pytest

from alyx_connector import AlyxWarning, ConfigurationError, Connector
from tests.fault_proxy import FaultProxy
from tests.strict_warnings import strict_warnings


@pytest.fixture
def asked(sandbox, tmp_path, monkeypatch):
    """A Connector, and the proxy before the sandbox, which counts from 0."""
    monkeypatch.setenv("ALYX_CONNECTOR_HOME", str(tmp_path))
    monkeypatch.setenv("ALYX_TOKEN_STORE", "file")
    with FaultProxy(sandbox.url) as proxy, strict_warnings():
        connector = Connector.setup(proxy.url, "jose", "jose-demo", make_default=True)
        connector.endpoints()
        proxy.forget_requests()
        yield connector, proxy


def paths(proxy):
    return [request.path for request in proxy.requests]


def notes_of(search, *filters, **wanted):
    """The notes of a search, each of which is warned of too."""
    with pytest.warns(AlyxWarning) as caught:
        frame = search(*filters, details=False, **wanted)
    assert frame.attrs["notes"] == [str(one.message) for one in caught]
    return frame.attrs["notes"]


def test_an_animal_that_there_is_not_is_named_with_those_nearest(asked):
    connector, proxy = asked
    with pytest.warns(AlyxWarning, match=r"no subject ea40 at .* Did you mean ea04\?"):
        found = connector.search(subject=["ea04", "ea40"], details=False)
    assert set(found["subject"]) == {"ea04"}
    assert len(found) == 25
    assert paths(proxy) == ["/sessions", "/subjects", "/subjects", "/users"]


def test_what_is_all_there_costs_nothing(asked):
    connector, proxy = asked
    connector.search(subject=["ea04", "jo006"], lab=["haisslab", "champalimaud"], details=False)
    connector.search(subject="ea04", users="jose", location="rig", details=False)
    assert len(paths(proxy)) == 3, "a request a lab"


def test_an_animal_without_sessions_is_not_said_to_be_none(asked):
    connector, proxy = asked
    found = connector.search(subject=["ea04", "stock_1"], details=False)
    assert found.attrs["notes"] == []
    assert paths(proxy) == ["/sessions", "/subjects"]


@pytest.mark.parametrize(
    ("wanted", "note"),
    [
        ({"lab": "haislab"}, "no lab haislab at {url} that you may see. Did you mean haisslab?"),
        ({"users": "joze"}, "no user joze at {url} that you may see. Did you mean jose?"),
        (
            {"projects": "brainwid2"},
            "no project with brainwid2 in its name at {url} that you may see. Did you mean brain",
        ),
        ({"location": "rigg_1"}, "no location with rigg_1 in its name at {url} that you may see. Did you mean rig_1"),
        ({"procedures": "surgerie"}, "no procedure with surgerie in its name at {url}"),
        ({"subject": "EA4"}, "no subject EA4 at {url} that you may see. Did you mean ea04?"),
        (
            {"subject": "3f1a2f1e-0000-4000-8000-000000000000"},
            "no subject with the id 3f1a2f1e-0000-4000-8000-000000000000",
        ),
    ],
)
def test_each_kind_of_name(asked, wanted, note):
    connector, _ = asked
    (said,) = notes_of(connector.search, **wanted)
    assert note.format(url=connector.url) in said


def test_many_that_there_are_not_are_one_note(asked):
    connector, _ = asked
    (said,) = notes_of(connector.search, subject=["ea04", "ea40", *(f"nobody{number}" for number in range(12))])
    assert said.startswith("13 subjects are not at")
    assert "and 3 more" in said
    assert "ea40: Did you mean ea04?" in said


def test_which_filter_excludes_all_is_told(asked):
    connector, _ = asked
    (said,) = notes_of(connector.search, subject="ea04", task_protocol="wait", date_range=("1999-01-01", "1999-01-02"))
    assert said.startswith("No sessions match all of these filters together: without date_range there are ")
    assert "without subject" not in said
    (said,) = notes_of(connector.search, task_protocol="nothing", number=99)
    assert said == "No sessions match all of these filters together, nor if one of them is left out."


def test_ids_that_there_are_not(asked):
    connector, proxy = asked
    nowhere = "3f1a2f1e-0000-4000-8000-000000000000"
    found = connector.search(limit=1, details=False)
    proxy.forget_requests()
    (said,) = notes_of(connector.search, id=[found.index[0], nowhere])
    assert said == f"1 of 2 ids are not among sessions: {nowhere}."
    assert paths(proxy) == ["/sessions"]


def test_a_check_that_fails_costs_a_note(asked):
    connector, proxy = asked
    proxy.fault("answer", path="/labs", status=500, body={"detail": "no such luck"}, times=9)
    (said,) = notes_of(connector.search, lab="haislab")
    assert "could not be checked" in said
    assert "no such luck" in said


def test_a_lookup_that_is_no_filter_says_how_to_ask(asked):
    connector, _ = asked
    with pytest.raises(ConfigurationError) as caught:
        connector.search(n_trials__gt=100, details=False)
    assert 'Use django={"n_trials__gt": "100"}' in str(caught.value)
    found = connector.search(django={"n_trials__gt": "100"})
    assert found["id"].to_list() == connector.search()["id"][connector.search()["n_trials"].fillna(0) > 100].to_list()
    assert len(found) > 0


def test_a_month_is_all_of_its_days(asked):
    connector, _ = asked
    everything = connector.search(details=False)
    january = connector.search(date_range="2024-01", details=False)
    assert (
        january["id"].to_list()
        == everything["id"][everything["start_time"].dt.strftime("%Y-%m") == "2024-01"].to_list()
    )
    assert connector.search("subjects", birth_date="12 Sep 2023")["nickname"].to_list() == ["ea04"]


# animals by id, many at once, the first rows


@pytest.mark.parametrize("endpoint", ["sessions", "weighings", "water-administrations"])
def test_an_animal_by_id_and_several_in_one_request(asked, endpoint):
    connector, proxy = asked
    subjects = connector.search("subjects", nickname=["ea04", "jo006"])
    ids = dict(zip(subjects["nickname"], subjects["id"], strict=True))
    by_name = connector.search(endpoint, subject=["ea04", "jo006"], details=False)
    assert "jo006" in set(by_name["subject"]) <= {"ea04", "jo006"}
    proxy.forget_requests()
    assert sorted(connector.search(endpoint, subject=list(ids.values()), details=False)["id"]) == sorted(by_name["id"])
    labs = [] if endpoint == "sessions" else ["/subjects"]  # of which lab each animal is, for its times
    assert paths(proxy) == [f"/{endpoint}", "/subjects", *labs]
    for name, subject in ids.items():
        one = connector.search(endpoint, subject=subject, details=False)
        assert one["id"].to_list() == by_name["id"][by_name["subject"] == name].to_list()


def test_names_that_no_lookup_can_hold_are_asked_for_one_by_one(asked):
    connector, proxy = asked
    (said,) = notes_of(connector.search, subject=["ea04", "a[b]"])
    assert "no subject a[b]" in said
    assert paths(proxy).count("/sessions") == 2


def test_more_animals_than_an_address_holds(asked):
    connector, proxy = asked
    names = ["ea04", *(f"a-rather-long-nickname-{number:03}" for number in range(200))]
    with pytest.warns(AlyxWarning, match="200 subjects are not at"):
        found = connector.search(subject=names, details=False)
    assert len(found) == 25
    assert paths(proxy).count("/sessions") > 1
    assert max(len(urlencode(request.query, doseq=True)) for request in proxy.requests) < 4094


def test_the_first_rows(asked):
    connector, proxy = asked
    everything = connector.search(details=False)
    proxy.forget_requests()
    assert connector.search(limit=3, details=False)["id"].to_list() == everything["id"].iloc[:3].to_list()
    assert len(connector.search(limit=2)) == 2
    assert sum(path.startswith("/sessions/") for path in paths(proxy)) == 2, "no details but theirs"
    several = connector.search(task_protocol=["whisker", "wait"], limit=4, details=False)
    assert several["start_time"].is_monotonic_decreasing
    assert several["id"].to_list() == everything["id"].iloc[:4].to_list()
    assert len(connector.search(limit=1000, details=False)) == len(everything)


@pytest.mark.parametrize("limit", [0, -1, True, "many", 1.5])
def test_what_is_no_number_of_rows_is_refused(asked, limit):
    connector, _ = asked
    with pytest.raises(ConfigurationError, match=r"limit is .*: it must be a whole number of rows from 1"):
        connector.search(limit=limit)
