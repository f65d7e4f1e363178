"""The analyst's Connector on a sandbox: accounts, and sessions as frames."""

from __future__ import annotations

import json
import shutil
import stat
from contextlib import contextmanager
from pathlib import Path

import pandas as pd
import pytest

from alyx_connector import (
    AlyxClient,
    AlyxWarning,
    Cancelled,
    CancelToken,
    ConfigurationError,
    Connector,
    LoginRejectedError,
    LoginRequiredError,
    NotAlyxError,
    ServerFaultError,
    UnreachableError,
    read_parquet,
    write_parquet,
)
from tests.fault_proxy import FaultProxy
from tests.sandbox_server import SandboxServer
from tests.strict_warnings import strict_warnings

DTYPES = {
    "subject": "string",
    "start_time": "datetime64[ns]",
    "number": "Int64",
    "task_protocol": "string",
    "narrative": "string",
    "n_trials": "Int64",
    "lab": "string",
    "projects": "object",
    "qc": "category",
    "users": "object",
    "location": "string",
    "procedures": "object",
    "type": "string",
    "end_time": "datetime64[ns]",
    "parent_session": "string",
    "n_correct_trials": "Int64",
    "extended_qc": "object",
    "wateradmin_session_related": "object",
    "data_dataset_session_related": "object",
    "auto_datetime": "datetime64[ns]",
    "json": "object",
    "probe_insertion": "object",
    "field_of_view": "object",
    "notes": "object",
    "id": "string",
    "url": "string",
    "detail_error": "string",
}
LISTED = ["subject", "start_time", "number", "task_protocol", "lab", "projects", "id", "url"]
#: Where fields come that this version does not know, and values made into columns.
BEFORE_LAST = list(DTYPES).index("id")
#: What no frame, error or repr may hold.
PASSWORD = "jose-demo"


@pytest.fixture(autouse=True)
def home(tmp_path, monkeypatch):
    """A computer on which nothing was set up, and no warning goes unseen."""
    monkeypatch.setenv("ALYX_CONNECTOR_HOME", str(tmp_path / "home"))
    monkeypatch.setenv("ALYX_TOKEN_STORE", "file")
    with strict_warnings():
        yield tmp_path / "home"


def set_up(url, **more):
    given = {"username": "jose", "password": PASSWORD, "make_default": True, **more}
    return Connector.setup(url=url, **given)


@pytest.fixture
def connector(sandbox):
    return set_up(sandbox.url)


@pytest.fixture
def behind_proxy(sandbox):
    """A Connector whose requests go through a proxy that counts from 0."""
    with FaultProxy(sandbox.url) as proxy:
        connector = set_up(proxy.url)
        connector.search("labs", details=False)  # finds the server
        proxy.forget_requests()
        yield connector, proxy


@contextmanager
def told(*words):
    """What is told in a warning, and nothing else."""
    with pytest.warns(AlyxWarning) as caught:
        yield caught
    sentences = [str(warning.message) for warning in caught]
    assert len(sentences) == len(words)
    assert all(word in sentence for word, sentence in zip(words, sentences, strict=True)), sentences


def dtypes(frame):
    return {name: str(dtype) for name, dtype in frame.dtypes.items()}


# accounts


def test_what_was_set_up_is_there_next_time(sandbox, home):
    made = set_up(sandbox.url)
    assert (made.url, made.username) == (sandbox.url, "jose")
    for again in (
        Connector(),
        Connector(url="127.0.0.1"),
        Connector(url=sandbox.url),
        Connector(url=sandbox.url, username="jose"),
    ):
        assert (again.url, again.username) == (sandbox.url, "jose")
        assert len(again.search(subject="ea04", details=False)) == 25
    kept = [path for path in home.rglob("*") if path.is_file()]
    assert PASSWORD.encode() not in b"".join(path.read_bytes() for path in kept)
    assert {stat.S_IMODE(path.stat().st_mode) for path in kept} == {0o600}


def test_two_servers_and_two_users_live_side_by_side(sandbox):
    with SandboxServer("--like", "alyx-local") as local:
        jose = set_up(sandbox.url)
        ana = set_up(local.url, username="ana", password="ana-demo", make_default=False)
        priya = set_up(sandbox.url, username="priya", password="priya-demo", make_default=False)
        assert [(one.url, one.username) for one in (jose, ana, priya)] == [
            (sandbox.url, "jose"),
            (local.url, "ana"),
            (sandbox.url, "priya"),
        ]
        assert Connector().username == "jose"
        assert Connector(url=local.url).username == "ana", "the first user of a server is its default"
        with pytest.raises(ConfigurationError, match="could mean several servers"):
            Connector(url="127.0.0.1")
        with pytest.warns(AlyxWarning, match="lists sessions without lab and task_protocol"):
            frame = ana.search(subject="ea04", details=False)
        both = ["id", "subject"]
        assert frame[both].equals(jose.search(subject="ea04", details=False)[both])
        assert frame.attrs["url"] == local.url


def test_accounts_are_listed_without_tokens_and_forgotten(sandbox):
    empty = Connector.accounts()
    set_up(sandbox.url)
    set_up(sandbox.url, username="ana", password="ana-demo", make_default=False)
    accounts = Connector.accounts()
    assert dtypes(accounts) == dtypes(empty)
    assert dtypes(accounts) == dict.fromkeys(["url", "username"], "string") | dict.fromkeys(
        ["default_server", "default_user"], "boolean"
    )
    assert accounts.to_dict("records") == [
        {"url": sandbox.url, "username": "jose", "default_server": True, "default_user": True},
        {"url": sandbox.url, "username": "ana", "default_server": True, "default_user": False},
    ]
    Connector.forget("127.0.0.1", "ana")
    assert Connector.accounts()["username"].to_list() == ["jose"]
    with pytest.raises(ConfigurationError, match=r"nothing to forget.*jose at"):
        Connector.forget(sandbox.url, "ana")


def test_an_account_never_set_up_says_which_setup_to_call(sandbox):
    with pytest.raises(LoginRequiredError, match=r"No Alyx server was set up yet.*Connector\.setup\("):
        Connector()
    set_up(sandbox.url)
    with pytest.raises(LoginRequiredError) as caught:
        Connector(url=sandbox.url, username="ana")
    assert f'Connector.setup(url="{sandbox.url}", username="ana")' in str(caught.value)
    assert f"jose at {sandbox.url}" in str(caught.value)


def test_an_account_without_a_token_says_which_setup_to_call(sandbox, home):
    set_up(sandbox.url)
    (home / "tokens.json").unlink()
    with pytest.raises(LoginRequiredError) as caught:
        Connector()
    assert f'Connector.setup(url="{sandbox.url}", username="jose")' in str(caught.value)


def test_a_revoked_token_says_which_setup_to_call(sandbox, home):
    set_up(sandbox.url)
    tokens = home / "tokens.json"
    tokens.write_text(json.dumps({sandbox.url: {"jose": "f" * 40}}), encoding="utf-8")
    with pytest.raises(LoginRequiredError) as caught:
        Connector().search()
    assert f'Connector.setup(url="{sandbox.url}", username="jose")' in str(caught.value)
    assert "f" * 40 not in str(caught.value)


def test_a_token_instead_of_a_password(sandbox):
    with AlyxClient(sandbox.url) as client:
        token = client.login("jose", PASSWORD)
    connector = set_up(sandbox.url, password=None, token=token)
    assert not connector.search("labs", details=False).empty
    assert token not in f"{connector!r} {vars(connector)}"
    with pytest.raises(LoginRequiredError, match="does not accept this token"):
        set_up(sandbox.url, username="ana", password=None, token="0" * 40)
    assert Connector.accounts()["username"].to_list() == ["jose"]


def test_what_the_server_refuses_is_not_kept(sandbox, home):
    with pytest.raises(LoginRejectedError):
        set_up(sandbox.url, password="wrong")
    with pytest.raises(UnreachableError):
        set_up("127.0.0.1:9")
    with FaultProxy(sandbox.url) as proxy:
        proxy.fault("answer", times=9, status=200, body=b"<html>", headers={"Content-Type": "text/html"})
        with pytest.raises(NotAlyxError):
            set_up(proxy.url)
    with pytest.raises(ConfigurationError, match="Both a password and a token"):
        set_up(sandbox.url, token="0" * 40)
    assert not list(home.rglob("*.json"))


@pytest.mark.parametrize(
    ("given", "missing"),
    [
        ({}, "url, username, make_default, password"),
        ({"url": "127.0.0.1", "username": "jose", "password": "p"}, "make_default"),
        ({"url": "127.0.0.1", "token": "0" * 40, "make_default": True}, "username"),
    ],
)
def test_where_nobody_can_answer_it_says_what_to_pass(given, missing):
    with pytest.raises(ConfigurationError, match=f"cannot ask for {missing}:") as caught:
        Connector.setup(**given)
    assert "Connector.setup(url=" in caught.value.hint


# sessions as frames


def test_sessions_of_a_subject(connector):
    sessions = connector.search(subject="ea04")
    assert dtypes(sessions) == DTYPES
    assert len(sessions) == 25
    assert sessions["start_time"].is_monotonic_decreasing
    assert sessions.index.to_list() == sessions["id"].to_list()
    assert sessions["detail_error"].isna().all()
    session = sessions.iloc[3]
    assert session.subject == "ea04"
    assert session.start_time == pd.Timestamp("2024-01-03 04:00")
    assert isinstance(session.narrative, str)
    assert session.json["whisker_stims"]["Stimulus right"]["1"] == {"n": 31, "amp": 0.5}
    assert all(value is None or isinstance(value, dict | list | str) for value in sessions["json"])
    assert all(value is None or isinstance(value, dict | list | str) for value in sessions["extended_qc"])
    assert sessions.loc[session.id].equals(session)


def test_the_id_is_index_and_column_without_being_ambiguous(connector):
    sessions = connector.search(subject="ea04", details=False)
    assert sessions.sort_values("id")["id"].is_monotonic_increasing
    assert sessions.groupby("id").size().eq(1).all()
    assert len(sessions.merge(sessions, on="id")) == 25


def test_the_fast_path_has_the_columns_of_the_list_and_asks_for_no_details(behind_proxy):
    connector, proxy = behind_proxy
    sessions = connector.search(subject="ea04", details=False)
    assert dtypes(sessions) == {name: DTYPES[name] for name in LISTED}
    assert proxy.count(path="/sessions") == 1
    assert proxy.count() == 1


def test_subjects_cost_no_request_each_unless_their_details_are_wanted(behind_proxy):
    connector, proxy = behind_proxy
    subjects = connector.search("subjects", lab="haisslab")
    assert len(subjects) > 1
    assert subjects["nickname"].notna().all()
    assert "weighings" not in subjects
    assert proxy.count() == 1
    ea04 = connector.search("subjects", nickname="ea04", details=True).iloc[0]
    assert len(ea04["weighings"]) == 2
    assert proxy.count(path="/subjects/ea04") == 1


@pytest.mark.parametrize("details", [True, False])
def test_no_match_is_an_empty_frame_of_the_same_columns(connector, details):
    with told("no subject nobody"):
        empty = connector.search(subject="nobody", details=details)
    assert empty.empty
    assert dtypes(empty) == (DTYPES if details else {name: DTYPES[name] for name in LISTED})
    assert dtypes(connector.search(subject=[], details=details)) == dtypes(empty)


def held_as_objects(sandbox, field):
    """Ids of the sessions that hold an object: the server does not look into a text of JSON."""
    with AlyxClient(sandbox.url) as client:
        client.login("jose", PASSWORD)
        details = [client.get(f"sessions/{session['id']}") for session in client.list("sessions")]
    return [session["id"] for session in details if isinstance(session[field], dict)]


def test_sessions_by_quality(connector, sandbox):
    everything = connector.search(id=held_as_objects(sandbox, "extended_qc"))
    good = connector.search(extended_qc={"pass": True, "noise_uV__lt": 5})
    expected = [
        session.id
        for session in everything.itertuples()
        if session.extended_qc and session.extended_qc.get("pass") is True and session.extended_qc["noise_uV"] < 5
    ]
    assert expected
    assert good["id"].to_list() == expected
    everything = connector.search()
    passed = connector.search(qc="PASS", details=False)
    assert passed["id"].to_list() == everything["id"][everything["qc"] == "PASS"].to_list()
    stimulated = connector.search(json={"whisker_stims__isnull": False}, details=False)
    holding = everything.loc[everything["id"].isin(held_as_objects(sandbox, "json"))]
    assert stimulated["id"].to_list() == [
        session.id for session in holding.itertuples() if "whisker_stims" in session.json
    ]


def test_several_values_are_merged_in_the_order_of_the_server(connector):
    everything = connector.search(details=False)
    names = ["ea04", "jo006", "jo001"]
    found = connector.search(subject=names, details=False)
    expected = everything[everything["subject"].isin(names)]
    assert sorted(found["id"]) == sorted(expected["id"])
    assert found["start_time"].to_list() == expected["start_time"].to_list()
    assert connector.search("subjects", nickname=["jo002", "an003", "ea04"], details=False)["nickname"].to_list() == [
        *("an003", "ea04", "jo002")
    ]


def test_several_values_may_come_from_a_generator(connector):
    names = ["ea04", "jo006"]
    found = connector.search(subject=(name for name in names), details=False)
    assert found["id"].to_list() == connector.search(subject=names, details=False)["id"].to_list() != []


def test_sessions_by_id_and_by_days(connector):
    sessions = connector.search(subject="ea04", details=False)
    some = sessions["id"].iloc[[7, 2, 2]]
    assert connector.search(id=some, details=False)["id"].to_list() == sessions["id"].iloc[[2, 7]].to_list()
    assert connector.search(id=some.iloc[0], details=False)["id"].to_list() == [some.iloc[0]]
    days = sessions["start_time"].dt.strftime("%Y-%m-%d")
    for first, last in [("2024-01-02", None), (None, "2024-01-02"), ("2024-01-02", "2024-01-02")]:
        expected = sessions[(days >= (first or "")) & (days <= (last or "9"))]
        found = connector.search(subject="ea04", date_range=(first, last), details=False)
        assert 0 < len(expected) < 25
        assert found["id"].to_list() == expected["id"].to_list()


def test_the_notes_of_a_frame_are_plain_json_and_survive_pandas(connector):
    sessions = connector.search(subject="ea04", details=False)
    assert json.loads(json.dumps(sessions.attrs)) == sessions.attrs
    assert set(sessions.attrs) == {"url", "username", "endpoint", "retrieved", "notes"}
    assert sessions.head(2).attrs == sessions.attrs


def test_text_of_json_is_read_also_where_the_server_holds_it_twice(behind_proxy):
    connector, proxy = behind_proxy
    session = connector.search(subject="ea04", details=False).iloc[0]

    def as_text(record):
        return {**record, "json": json.dumps(json.dumps(record["json"])), "extended_qc": "later"}

    proxy.fault("alter", path=f"/sessions/{session.id}", change=as_text)
    with told("extended_qc of 1 row holds neither"):
        found = connector.search(id=session.id).iloc[0]
    assert found.json["whisker_stims"]["Stimulus right"]["1"]["n"]
    assert found.extended_qc == "later"


def test_fields_that_are_new_on_the_server_come_after_those_that_are_known(behind_proxy):
    connector, proxy = behind_proxy
    session = connector.search(subject="ea04", details=False).iloc[0]
    proxy.fault("alter", path=f"/sessions/{session.id}", change=lambda record: {"mood": "calm", **record})
    found = connector.search(id=session.id)
    expected = list(DTYPES)
    expected.insert(BEFORE_LAST, "mood")
    assert found.columns.to_list() == expected
    assert str(found.dtypes["mood"]) == "string"


# details


def test_one_of_many_details_that_fails_does_not_sink_the_rest(behind_proxy):
    connector, proxy = behind_proxy
    listed = connector.search(subject="ea04", details=False)
    broken, gone = listed["id"].iloc[[4, 9]]
    proxy.fault("answer", path=f"/sessions/{broken}", status=500, body={"detail": "no such luck"})
    proxy.fault("answer", path=f"/sessions/{gone}", status=404, body={"detail": "Not found."})
    with told("2 of 25 sessions have no details"):
        sessions = connector.search(subject="ea04")
    assert dtypes(sessions) == DTYPES
    assert sessions[LISTED].equals(listed)
    failed = sessions["detail_error"].dropna()
    assert failed.index.to_list() == [broken, gone]
    assert "no such luck" in failed[broken]
    assert sessions.loc[[broken, gone], "json"].isna().all()
    assert sessions["auto_datetime"].notna().sum() == 23


def test_the_columns_of_the_list_are_those_of_the_list_whatever_a_detail_says(behind_proxy):
    connector, proxy = behind_proxy
    listed = connector.search(subject="ea04", details=False)
    name = listed["id"].iloc[0]
    proxy.fault("alter", path=f"/sessions/{name}", change=lambda record: {**record, "lab": "elsewhere", "qc": "FAIL"})
    sessions = connector.search(subject="ea04")
    assert sessions[LISTED].equals(listed)
    assert sessions.loc[name, "qc"] == "FAIL"


def stopping(how, cancel, counts):
    """Takes progress, and stops the search after twelve details."""

    def report(progress):
        if progress.stage == "details":
            counts.append((progress.done, progress.total))
            if progress.done == 12:
                if how == "ctrl-c":
                    raise KeyboardInterrupt
                cancel.cancel()

    return report


@pytest.mark.parametrize(("how", "raised"), [("cancel", Cancelled), ("ctrl-c", KeyboardInterrupt)])
def test_a_stop_half_way_ends_the_search(behind_proxy, how, raised):
    connector, proxy = behind_proxy
    for late in connector.search(subject="ea04", details=False)["id"].iloc[12:]:
        proxy.fault("mute", path=f"/sessions/{late}")
    cancel = CancelToken()
    with pytest.raises(raised, match="12 of 25 have their details"):
        connector.search(subject="ea04", cancel=cancel, report=stopping(how, cancel, []))


@pytest.mark.parametrize("how", ["cancel", "ctrl-c"])
def test_a_stop_half_way_goes_on_with_what_has_arrived_where_that_was_wished(behind_proxy, how):
    connector, proxy = behind_proxy
    listed = connector.search(subject="ea04", details=False)
    for late in listed["id"].iloc[12:]:
        proxy.fault("mute", path=f"/sessions/{late}")
    cancel, counts = CancelToken(), []
    with told("13 of 25 sessions have no details: the search was stopped"):
        sessions = connector.search(subject="ea04", cancel=cancel, report=stopping(how, cancel, counts), partial=True)
    assert counts == [(done, 25) for done in range(13)], "the count is told at once"
    assert sessions[LISTED].equals(listed)
    assert sessions["detail_error"].isna().to_list() == [True] * 12 + [False] * 13
    assert sessions["auto_datetime"].notna().to_list() == [True] * 12 + [False] * 13


def test_a_stop_while_listing_is_no_half_list(connector):
    cancel = CancelToken()
    cancel.cancel()
    with pytest.raises(Cancelled):
        connector.search(subject="ea04", cancel=cancel)


def test_a_token_revoked_between_list_and_details_says_which_setup_to_call(behind_proxy):
    connector, proxy = behind_proxy
    for session in connector.search(subject="ea04", details=False)["id"]:
        proxy.fault("answer", path=f"/sessions/{session}", status=403, body={"detail": "Invalid token."})
    with told("Connector.setup("):
        sessions = connector.search(subject="ea04")
    assert sessions["detail_error"].notna().all()
    assert proxy.count() < 25, "the rest is not asked for"


def test_several_lists_at_once_are_counted(connector):
    told = []

    def report(progress):
        told.append((progress.stage, progress.done, progress.total))

    protocols = connector.search(details=False)["task_protocol"].dropna().unique()[:2].tolist()
    connector.search(task_protocol=protocols, details=False, report=report)
    assert [counts for counts in told if counts[2] != 1] == [("list", 1, 2), ("list", 2, 2)]
    told.clear()
    connector.search(task_protocol=protocols[0], details=False, report=report)
    assert [stage for stage, _, total in told if total != 1] == ["list"], "one list counts its rows"


def test_throttled_half_way_waits_and_goes_on(behind_proxy):
    connector, proxy = behind_proxy
    listed = connector.search(subject="ea04", details=False)
    throttled = {"status": 429, "headers": {"Retry-After": "1"}, "body": {"detail": "Request was throttled."}}
    proxy.fault("answer", path=f"/sessions/{listed['id'].iloc[12]}", times=2, **throttled)
    stages = []
    sessions = connector.search(subject="ea04", report=lambda progress: stages.append(progress.stage))
    assert sessions["detail_error"].isna().all()
    assert "wait" in stages


def test_a_real_throttle_is_kept_to():
    with SandboxServer("--throttle", "15/second") as server:
        sessions = set_up(server.url).search(subject="ea04")
    assert sessions["detail_error"].isna().all()
    assert len(sessions) == 25


@pytest.mark.usefixtures("quick_retries")
def test_a_server_that_is_gone_half_way_is_not_asked_for_the_rest(behind_proxy):
    connector, proxy = behind_proxy
    listed = connector.search(details=False)
    for session in listed["id"]:
        proxy.fault("drop", path=f"/sessions/{session}", times=99)
    with told(f"{len(listed)} of {len(listed)} sessions have no details"):
        sessions = connector.search()
    asked = {seen.path for seen in proxy.requests if seen.path.startswith("/sessions/")}
    assert len(asked) < len(listed)
    assert sessions["detail_error"].notna().all()


def test_a_list_that_fails_is_an_error_that_says_what_to_do(behind_proxy):
    connector, proxy = behind_proxy
    proxy.fault("answer", path="/sessions", status=500, body={"detail": "no such luck"})
    with pytest.raises(ServerFaultError, match="no such luck") as caught:
        connector.search()
    assert caught.value.hint in getattr(caught.value, "__notes__", [caught.value.hint])
    proxy.fault("answer", path="/sessions", status=500, body={"detail": "no such luck"})
    with pytest.raises(ServerFaultError, match="no such luck"):
        connector.search(subject=["ea04", "jo001"])


# several animals of one nickname


@pytest.fixture(scope="module")
def namesakes(tmp_path_factory):
    """A sandbox in whose lab jo001 of cortexlab has a session too."""
    from importlib.resources import files

    lab = json.loads(files("alyx_sandbox").joinpath("demo_lab.json").read_text(encoding="utf-8"))
    one, other = [subject for subject in lab["subjects"] if subject["nickname"] == "jo001"]
    other["sessions"] = [dict(one["sessions"][0])]
    path = Path(tmp_path_factory.mktemp("lab")) / "lab.json"
    path.write_text(json.dumps(lab), encoding="utf-8")
    with SandboxServer("--throttle", "off", "--lab", str(path)) as server:
        yield server
    shutil.rmtree(path.parent)


def test_several_animals_of_one_nickname_are_told_with_their_labs(namesakes):
    connector = set_up(namesakes.url)
    with told("jo001 of champalimaud, jo001 of cortexlab"):
        sessions = connector.search(subject="jo001", details=False)
    assert set(sessions["lab"]) == {"champalimaud", "cortexlab"}
    assert sessions.attrs["notes"]
    assert set(connector.search(subject="jo001", lab="cortexlab", details=False)["lab"]) == {"cortexlab"}


# nested values and files


def test_nested_values_as_columns(connector):
    sessions = connector.search(subject="ea04", expand=["json", "extended_qc"])
    assert list(DTYPES)[:BEFORE_LAST] == sessions.columns.to_list()[:BEFORE_LAST]
    assert sessions.columns.to_list()[-3:] == ["id", "url", "detail_error"]
    name = "json.whisker_stims.Stimulus right.1.n"
    assert str(sessions.dtypes[name]) == "Int64"
    assert sessions.iloc[3][name] == sessions.iloc[3].json["whisker_stims"]["Stimulus right"]["1"]["n"]
    assert str(sessions.dtypes["extended_qc.noise_uV"]) == "Float64"
    assert "json" in connector.search("subjects", expand="json", details=False)
    with pytest.raises(ConfigurationError, match="no column 'json' of JSON"):
        connector.search(expand="json", details=False)
    assert connector.search(subject=[], expand="json").columns.to_list() == list(DTYPES)


def test_a_search_survives_a_parquet_file(connector, tmp_path):
    sessions = connector.search()
    write_parquet(sessions, tmp_path / "sessions.parquet")
    again = read_parquet(tmp_path / "sessions.parquet")
    pd.testing.assert_frame_equal(again, sessions)
    assert again.attrs == sessions.attrs
    assert again.loc[sessions.index[3]].json == sessions.iloc[3].json
