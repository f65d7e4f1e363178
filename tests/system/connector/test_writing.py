"""Records changed and made on a sandbox by a Connector that may write."""

from __future__ import annotations

import datetime as dt
import json
import re
import uuid
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from alyx_connector import (
    AlyxWarning,
    ConfigurationError,
    Connector,
    InvalidDataError,
    LoginRequiredError,
    NotFoundError,
    PermissionDeniedError,
    ProtocolError,
    ServerFaultError,
    UnreachableError,
)

NOBODY = "00000000-0000-4000-8000-000000000000"
WHEN = dt.datetime(2024, 3, 1, 9, 30)  # noqa: DTZ001 - lab time


@pytest.fixture
def session(client):
    """A session of the test's own, as the server answered it."""
    made = {"subject": "ea04", "narrative": "", "json": {"rig": "rig_1"}, "start_time": "2024-03-01T09:00:00"}
    return client.post("sessions", made)


@pytest.fixture
def animal(client):
    """The nickname of a mouse of the test's own."""
    name = f"mouse_{uuid.uuid4().hex[:12]}"
    client.post("subjects", {"nickname": name, "lab": "haisslab", "species": "Laboratory mouse"})
    return name


def writes(proxy):
    return [(seen.method, json.loads(seen.body)) for seen in proxy.requests if seen.method not in {"GET", "HEAD"}]


def test_writing_is_off_unless_asked_for(writer, proxy, session):
    proxy.forget_requests()
    for reader in (Connector(), Connector(write=1), Connector.setup(proxy.url, "jose", "jose-demo", make_default=True)):
        proxy.forget_requests()
        for write in (
            lambda to: to.update("sessions", session["id"], narrative="x"),
            lambda to: to.update_json("sessions", session["id"], {"x": 1}),
            lambda to: to.create("weighings", subject="ea04", weight=24.5, force=True),
        ):
            with pytest.raises(
                ConfigurationError, match=r'only reads.*Connector\(url=".*", username="jose", write=True'
            ):
                write(reader)
        assert proxy.requests == []


def test_update_gives_the_record_as_the_server_stored_it(writer, proxy, client, session):
    proxy.forget_requests()
    row = writer.update(
        "sessions",
        session["id"],
        narrative="left «port» sticky",
        n_trials=np.int64(5),
        end_time=pd.Timestamp(WHEN),
        users=("jose", "ana"),
        number=pd.NA,
        qc="PASS",
    )
    assert writes(proxy) == [
        (
            "PATCH",
            {
                "narrative": "left «port» sticky",
                "n_trials": 5,
                "end_time": "2024-03-01T09:30:00",
                "users": ["jose", "ana"],
                "number": None,
                "qc": "PASS",
            },
        )
    ]
    assert (row.narrative, row.n_trials, row.end_time, row.qc) == ("left «port» sticky", 5, WHEN, "PASS")
    assert (row.name, row.id, row.json, sorted(row.users)) == (
        session["id"],
        session["id"],
        {"rig": "rig_1"},
        ["ana", "jose"],
    )
    assert isinstance(row.auto_datetime, pd.Timestamp)
    found = Connector().search(id=session["id"])
    assert row.index.to_list() == found.columns.to_list()[:-1], "without detail_error"
    pd.testing.assert_series_equal(row, found.iloc[0].drop("detail_error"))
    stored = client.get(("sessions", session["id"]))
    assert (stored["json"], stored["number"]) == ({"rig": "rig_1"}, None)


def test_a_row_of_a_search_names_the_record(writer, session):
    row = writer.search(id=session["id"]).iloc[0]
    assert writer.update("sessions", row, narrative="by its row").narrative == "by its row"
    assert writer.update("/sessions/", session["id"].upper(), narrative="again").narrative == "again"
    lab = writer.search("labs").iloc[0]
    assert writer.update("labs", lab, address="Lisbon")["address"] == "Lisbon"
    kind = writer.search("dataset-types").iloc[0]
    described = writer.update("dataset-types", kind, description="trials of a session")
    assert (described["name"], described.description) == (kind["name"], "trials of a session")


@pytest.mark.parametrize(
    ("fields", "words"),
    [
        ({"narative": "x"}, "Did you mean narrative"),
        ({"narrative": "x", "auto_datetime": WHEN}, "sets auto_datetime of sessions itself"),
        ({"json": {"x": 1}}, r'drop all other keys of json.*update_json\("sessions", id'),
        ({"extended_qc": None}, 'drop all other keys.*field="extended_qc"'),
        ({"n_trials": float("nan")}, "n_trials is nan"),
        ({"start_time": WHEN.replace(tzinfo=dt.timezone.utc)}, "naive local time of the lab"),
        ({"end_time": "2024-03-01T09:30:00Z"}, "naive local time of the lab"),
        ({"subject": "jo001"}, r"Several animals are called jo001 \(labs: champalimaud, cortexlab\)"),
        ({"subject": "nobody"}, "no subject 'nobody'"),
        ({}, "no field to send"),
    ],
)
def test_what_cannot_be_written_is_refused_before_anything_is_sent(writer, proxy, session, fields, words):
    with pytest.raises(ConfigurationError, match=words):
        writer.update("sessions", session["id"], **fields)
    assert writes(proxy)[1:] == [], "but the fixture's"


@pytest.mark.parametrize(
    ("endpoint", "record", "words"),
    [
        ("session", NOBODY, "has no list session.*Did you mean sessions"),
        ("weighings", NOBODY, "weighings of .* cannot be changed"),
        ("sessions", "ea04", "'ea04' is not a session"),
        ("sessions", "ea04/2024-01-01", "'ea04/2024-01-01' is not a session"),
        ("sessions", "", "A record of sessions cannot be named by"),
        ("sessions", None, "by NoneType"),
        ("sessions", pd.DataFrame({"id": [NOBODY]}), "by Series"),
        ("subjects", "jo001", "cannot tell them apart"),
        ("subjects", NOBODY, "There is no subject"),
    ],
)
def test_records_that_cannot_be_changed(writer, proxy, endpoint, record, words):
    with pytest.raises(ConfigurationError, match=words):
        writer.update(endpoint, record, narrative="x")
    assert writes(proxy) == []


def test_no_such_record_and_refused_values(writer, session):
    with pytest.raises(NotFoundError, match=f"has no sessions/{NOBODY}"):
        writer.update("sessions", NOBODY, narrative="x")
    with pytest.raises(InvalidDataError, match="projects: Object with name=nope does not exist") as caught:
        writer.update("sessions", session["id"], projects=["nope"])
    assert list(caught.value.fields) == ["projects"]


def test_a_subject_is_known_by_id_and_written_by_its_only_nickname(writer, proxy, client):
    (subject,) = client.list("subjects", {"nickname": "jo006"})
    for name in (subject["id"], "jo006"):
        row = writer.update("subjects", name, description=f"by {name}", birth_date=pd.Timestamp("2024-01-02"))
        assert (row.description, row.name, row.birth_date) == (f"by {name}", subject["id"], pd.Timestamp("2024-01-02"))
    assert [seen.path for seen in proxy.requests if seen.method == "PATCH"] == ["/subjects/jo006"] * 2
    twin = client.list("subjects", {"nickname": "jo001"})[0]
    with pytest.raises(ConfigurationError, match="Give them different nicknames"):
        writer.update("subjects", twin["id"], description="which?")


def test_what_the_server_stored_otherwise_is_told(writer, proxy, session):
    with pytest.warns(AlyxWarning, match=r"narrative was sent as 'x ' and stored as 'x'"):
        assert writer.update("sessions", session["id"], narrative="x ").narrative == "x"
    proxy.fault("alter", method="PATCH", change=lambda row: {**row, "n_trials": None, "location": "rig_1"})
    with pytest.warns(AlyxWarning, match="n_trials was sent as 5 and stored as None") as caught:
        writer.update("sessions", session["id"], n_trials=5)
    assert len(caught) == 1
    assert Path(caught[0].filename) == Path(__file__), "the warning points at the call"
    proxy.fault("alter", method="PATCH", change=lambda row: {**row, "id": NOBODY})
    with pytest.raises(ProtocolError, match=r"something else than sessions.*may have been stored"):
        writer.update("sessions", session["id"], n_trials=6)


def test_a_change_whose_answer_is_lost_is_sent_once_and_says_how_to_look(writer, proxy, client, session):
    look = re.escape(f'connector.search("sessions", id="{session["id"]}")')
    for fault, error in [("drop-after", UnreachableError), ("truncate", ProtocolError)]:
        proxy.forget_requests()
        proxy.fault(fault, method="PATCH")
        with pytest.raises(error, match=f"may have been stored all the same.*{look}"):
            writer.update("sessions", session["id"], narrative=fault)
        assert proxy.count("PATCH") == 1
        assert client.get(("sessions", session["id"]))["narrative"] == fault
    proxy.forget_requests()
    proxy.fault("answer", method="PATCH", status=500, body={"detail": "no such luck"})
    with pytest.raises(ServerFaultError, match=f"no such luck.*may have been stored all the same.*{look}"):
        writer.update("sessions", session["id"], narrative="500")
    assert proxy.count("PATCH") == 1


def test_a_user_who_may_not_write_and_a_token_that_was_revoked(writer, proxy, writable):
    Connector.setup(writable.url, "public", "public-demo", make_default=False)
    reader = Connector(writable.url, "public", write=True)
    with pytest.raises(PermissionDeniedError, match="do not have permission"):
        reader.create("weighings", subject="ea04", weight=24.5, force=True)
    proxy.fault("answer", method="POST", status=403, body={"detail": "Invalid token."})
    with pytest.raises(LoginRequiredError, match=r'Connector\.setup\(url=".*", username="jose"\)'):
        writer.create("weighings", subject="ea04", weight=24.5, force=True)


def test_create_gives_the_record_and_names_the_animal_by_nickname_or_id(writer, proxy, client):
    before = len(client.list("weighings", {"nickname": "ea04"}))
    (subject,) = client.list("subjects", {"nickname": "ea04"})
    proxy.forget_requests()
    for name in ("ea04", subject["id"]):
        row = writer.create("weighings", subject=name, weight=np.float64(24.5), date_time=WHEN, force=True)
        assert (row.subject, row.weight, row.date_time, row.user) == ("ea04", 24.5, WHEN, "jose")
        assert client.get(("weighings", row.id))["weight"] == 24.5
    assert writes(proxy) == [("POST", {"subject": "ea04", "weight": 24.5, "date_time": "2024-03-01T08:30:00"})] * 2, (
        "the server is in UTC, the lab in Paris"
    )
    assert len(client.list("weighings", {"nickname": "ea04"})) == before + 2, "a second identical one is stored"
    made = writer.create("sessions", subject="ea04", start_time=WHEN, json={"rig": "rig_2"}, projects=["WaitTask"])
    assert (made.json, made.projects) == ({"rig": "rig_2"}, ["WaitTask"])
    assert writer.search(id=made.id).iloc[0].json == {"rig": "rig_2"}


@pytest.mark.parametrize(
    ("endpoint", "fields", "words"),
    [
        ("weighings", {"subject": "jo001", "weight": 20.0}, r"jo001 \(labs: champalimaud, cortexlab\)"),
        ("weighings", {"subject": "nobody", "weight": 20.0}, "no subject 'nobody'"),
        ("weighings", {"nickname": "ea04", "weight": 20.0}, "weighings at .* have no field nickname"),
        ("weighings", {"subject": "ea04", "weight": 20.0, "url": "x"}, "sets url of weighings itself"),
        ("weighings", {}, "cannot be made: there is no field to send"),
        ("weighings", {"subject": "ea04", "weight": 24.5, "date_time": None}, "date_time is missing"),
        ("water-administrations", {"subject": "ea04", "water_administered": 1, "date_time": pd.NaT}, "date_time is"),
        ("water-restriction", {"subject": "ea04"}, "cannot be made: the server takes none"),
        ("register-file", {"name": "x"}, "has no list register-file"),
    ],
)
def test_what_cannot_be_made_is_refused_before_anything_is_sent(writer, proxy, endpoint, fields, words):
    with pytest.raises(ConfigurationError, match=words):
        writer.create(endpoint, **fields)
    assert writes(proxy) == []


def test_a_new_record_is_never_sent_twice_and_its_loss_says_how_to_look(writer, proxy, client):
    before = len(client.list("weighings", {"nickname": "ea04"}))
    proxy.forget_requests()
    proxy.fault("drop-after", method="POST")
    with pytest.raises(
        UnreachableError, match=r'Look before you send it again: connector\.weights\("ea04"\)'
    ) as caught:
        writer.create("weighings", subject="ea04", weight=24.4, force=True)
    assert caught.value.maybe_processed
    assert proxy.count("POST") == 1
    assert len(client.list("weighings", {"nickname": "ea04"})) == before + 1
    with pytest.raises(InvalidDataError, match="weight"):
        writer.create("weighings", subject="ea04", weight=-1, force=True)


def test_where_the_server_does_not_describe_itself_the_record_tells_the_fields(strict_home, proxy, session):
    proxy.fault("answer", path="/api/schema", status=404, times=99, body={})
    Connector.setup(proxy.url, "jose", "jose-demo", make_default=True)
    connector = Connector(write=True)
    assert connector.update("sessions", session["id"], narrative="no schema").narrative == "no schema"
    assert connector.update_json("sessions", session["id"], {"x": 1}).json == {"rig": "rig_1", "x": 1}
    assert connector.create("weighings", subject="ea04", weight=24.3, force=True).weight == 24.3
    proxy.forget_requests()
    with pytest.raises(ConfigurationError, match="Did you mean narrative"):
        connector.update("sessions", session["id"], narative="x")
    with pytest.raises(ConfigurationError, match="Did you mean weight"):
        connector.create("weighings", subject="ea04", wieght=24.3)
    with pytest.raises(ConfigurationError, match="sets id of sessions"):
        connector.update("sessions", session["id"], id=NOBODY)
    assert writes(proxy) == []
    with pytest.warns(AlyxWarning, match="names of fields cannot be checked"):
        connector.create("procedures", name="weighing")


def test_several_sessions_of_one_day_and_number_are_named(writer):
    fields = {"subject": "jo002", "number": 4, "start_time": WHEN}
    several = [writer.create("sessions", **fields, force=True).id for _ in range(2)]
    for ask in (writer.session, writer.datasets, lambda named: writer.update("sessions", named, n_trials=1)):
        with pytest.raises(ConfigurationError, match=r"Several sessions of .* are jo002/2024-03-01/004") as caught:
            ask("jo002/2024-03-01/4")
        assert all(one in caught.value.message for one in several)


# what is hardly meant


def test_a_weight_that_is_hardly_meant_is_refused_unless_forced(writer, proxy, animal):
    proxy.forget_requests()
    for grams, why in [(2450, "outside what an animal"), (0.0245, "outside what an animal")]:
        with pytest.raises(ConfigurationError, match=why) as caught:
            writer.create("weighings", subject=animal, weight=grams, date_time="2024-03-01T09:00:00")
        assert "force=True" in str(caught.value)
        assert caught.value.setting == "weight"
    assert proxy.count("POST") == 0
    writer.create("weighings", subject=animal, weight=24.5, date_time="2024-03-01T09:00:00")
    with pytest.raises(ConfigurationError, match=r"20 % off the 24\.5 g"):
        writer.create("weighings", subject=animal, weight=29.4, date_time="2024-03-03T09:00:00")
    with pytest.raises(ConfigurationError, match="has one of these weighings"):
        writer.create("weighings", subject=animal, weight=24.5, date_time="2024-03-01T09:00:00")
    assert proxy.count("POST") == 1
    writer.create("weighings", subject=animal, weight=24.5, date_time="2024-03-01T09:00:00", force=True)
    writer.create("weighings", subject=animal, weight=29.4, date_time="2024-03-08T09:00:00")


def test_only_the_days_around_a_new_record_are_looked_at(writer, proxy, animal):
    proxy.forget_requests()
    writer.create("weighings", subject=animal, weight=24.5, date_time="2024-03-01T09:00:00")
    lookups = [
        seen.query["django"][0] for seen in proxy.requests if "/weighings" in seen.path and "django" in seen.query
    ]
    (asked,) = [lookup for lookup in lookups if lookup.startswith("subject")]
    assert asked.endswith("date_time__date__gte,2024-02-26,date_time__date__lte,2024-03-02")


def test_a_second_identical_record_and_a_session_without_a_start_are_refused_unless_forced(writer, proxy, animal):
    proxy.forget_requests()
    with pytest.raises(ConfigurationError, match="has no start_time"):
        writer.create("sessions", subject=animal, number=1)
    session = {"subject": animal, "start_time": "2024-03-01T10:00:00"}
    writer.create("sessions", **session, number=1)
    with pytest.raises(ConfigurationError, match="has one of these sessions"):
        writer.create("sessions", **session, number=2)
    writer.create("sessions", **session, number=2, force=True)
    water = {"subject": animal, "water_administered": 0.5, "date_time": "2024-03-01T10:30:00"}
    writer.create("water-administrations", **water)
    with pytest.raises(ConfigurationError, match="has one of these water-administrations"):
        writer.create("water-administrations", **water)
    assert proxy.count("POST") == 3
