"""Weights, water and datasets as frames, beside what the server answers."""

from __future__ import annotations

import uuid

import pandas as pd
import pytest

from alyx_connector import AlyxClient, AlyxWarning, CancelToken, ConfigurationError, Connector, ProtocolError
from alyx_connector.records.requirements import fetch_requirements
from tests.fault_proxy import FaultProxy
from tests.strict_warnings import strict_warnings

WEIGHTS = {
    "id": "string",
    "subject": "string",
    "date_time": "datetime64[ns]",
    "weight": "Float64",
    "user": "string",
    "url": "string",
}
WATER = {
    "id": "string",
    "subject": "string",
    "date_time": "datetime64[ns]",
    "water_administered": "Float64",
    "water_type": "string",
    "user": "string",
    "url": "string",
    "session": "string",
    "adlib": "boolean",
}
DAYS = ("2026-01-01", "2026-01-03")


@pytest.fixture
def connector(sandbox, tmp_path, monkeypatch):
    monkeypatch.setenv("ALYX_CONNECTOR_HOME", str(tmp_path))
    monkeypatch.setenv("ALYX_TOKEN_STORE", "file")
    with strict_warnings():
        yield Connector.setup(sandbox.url, "jose", "jose-demo", make_default=True)


@pytest.fixture
def raw(sandbox):
    with AlyxClient(sandbox.url) as client:
        client.login("jose", "jose-demo")
        yield client


def dtypes(frame):
    return {name: str(dtype) for name, dtype in frame.dtypes.items()}


def test_a_subject_by_nickname_and_by_id(connector):
    subject = connector.subject("ea04")
    assert len(subject) == 1
    assert connector.subject(subject["id"].iloc[0]).equals(subject)
    one = subject.iloc[0]
    assert (one.nickname, one.lab, one.alive) == ("ea04", "haisslab", True)
    assert isinstance(one.genotype, list)
    types = dtypes(subject)
    assert (types["birth_date"], types["age_weeks"], types["reference_weight"]) == (
        "datetime64[ns]",
        "Int64",
        "Float64",
    )


def test_a_subject_by_a_uuid(connector):
    found = connector.subject("ea04")
    assert connector.subject(uuid.UUID(found.index[0])).nickname.to_list() == ["ea04"]


def test_no_such_subject_is_told_and_gives_no_rows_of_the_same_columns(connector):
    for ask, expected in [(connector.weights, WEIGHTS), (connector.water, WATER)]:
        with pytest.warns(AlyxWarning, match="no subject nobody"):
            empty = ask("nobody")
        assert empty.empty
        assert dtypes(empty) == expected
        assert "nobody" in empty.attrs["notes"][0]
    with pytest.warns(AlyxWarning, match="no subject nobody"):
        assert connector.water_requirement("nobody", *DAYS).empty


def test_weights_are_those_of_the_server_newest_first(connector, raw):
    rows = raw.list("weighings", {"nickname": "jo006"})
    weights = connector.weights("jo006")
    assert dtypes(weights) == WEIGHTS
    assert weights["date_time"].is_monotonic_decreasing
    newest_first = sorted(rows, key=lambda row: row["date_time"], reverse=True)
    assert weights["weight"].to_list() == [row["weight"] for row in newest_first]
    assert all(row["url"].endswith(name) for name, row in zip(weights.index, newest_first, strict=True))
    assert connector.weights(connector.subject("jo006").index[0]).equals(weights)


def test_water_is_that_of_the_server_newest_first(connector, raw):
    rows = raw.list("water-administrations", {"nickname": "jo006"})
    water = connector.water("jo006")
    assert dtypes(water) == WATER
    assert water["date_time"].is_monotonic_decreasing
    assert water["water_administered"].sum() == pytest.approx(sum(row["water_administered"] for row in rows))
    assert len(rows) > 0


def test_namesakes_are_told_and_told_apart(connector):
    with pytest.warns(AlyxWarning, match=r"Several animals are called jo001: .*champalimaud.*Name one by its id"):
        both = connector.subject("jo001")
    assert set(both["lab"]) == {"champalimaud", "cortexlab"}
    with pytest.warns(AlyxWarning, match="several animals with the same nickname: jo001 of champalimaud, jo001 of"):
        mixed = connector.weights("jo001")
    apart = [connector.weights("jo001", lab=lab) for lab in ("champalimaud", "cortexlab")]
    assert [len(frame) for frame in apart] == [3, 0]
    assert sorted(mixed["id"]) == sorted(pd.concat(apart)["id"])
    by_id = connector.weights(both["id"][both["lab"] == "champalimaud"].iloc[0])
    assert by_id.equals(apart[0])
    with pytest.raises(ConfigurationError, match="cannot tell them apart"):
        connector.water_requirement("jo001", *DAYS, lab="champalimaud")


def test_the_water_requirement_is_the_servers_own_numbers(connector, raw):
    last = connector.weights("implant_1")["date_time"].iloc[0]
    start, end = (last - pd.Timedelta(days=3)).date(), last.date()
    answer = raw.get("water-requirement/implant_1", {"start_date": start, "end_date": end})
    days = connector.water_requirement("implant_1", start, end.isoformat())
    assert len(days) == 4
    assert days.index.to_list() == list(pd.date_range(start, end))
    for name in ("weight", "expected_weight", "min_weight", "percentage_weight", "expected_water", "excess_water"):
        assert str(days.dtypes[name]) == "Float64"
        assert days[name].to_list() == [record[name] for record in answer["records"]]
    assert str(days.dtypes["is_water_restricted"]) == "boolean"
    assert days.attrs["implant_weight"] == answer["implant_weight"]
    with pytest.raises(ConfigurationError, match="start has 'soon'"):
        connector.water_requirement("implant_1", "soon", end)
    with pytest.raises(ConfigurationError, match=r"days end \(.*\) before they begin"):
        connector.water_requirement("implant_1", end, start)


def test_an_answer_without_records_is_an_error(connector, sandbox):
    with FaultProxy(sandbox.url) as proxy:
        behind = Connector.setup(proxy.url, "jose", "jose-demo", make_default=False)
        proxy.fault("answer", path="/water-requirement/jo006", body={"records": None})
        with pytest.raises(ProtocolError, match="without records"):
            behind.water_requirement("jo006", *DAYS)


def test_the_datasets_of_a_session(connector, raw):
    (dataset,) = raw.list("datasets")
    name = dataset["session"].rpartition("/")[2]
    session = connector.search(id=name).iloc[0]
    for given in (name, session):
        datasets = connector.datasets(given)
        assert datasets["name"].to_list() == [dataset["name"]]
        assert str(datasets.dtypes["file_size"]) == "Int64"
    without = connector.datasets(connector.search(subject="ea04", details=False).iloc[0])
    assert without.empty
    assert dtypes(without) == dtypes(datasets)
    with pytest.raises(ConfigurationError, match="is not a session"):
        connector.datasets("ea04")
    with pytest.raises(ConfigurationError, match="is not a session") as caught:
        connector.datasets(connector.search(subject="ea04", details=False))
    assert len(str(caught.value)) < 200


# several animals at once


@pytest.fixture
def asked(connector, sandbox):
    with FaultProxy(sandbox.url) as proxy:
        connector = Connector.setup(proxy.url, "jose", "jose-demo", make_default=True)
        connector.endpoints()
        proxy.forget_requests()
        yield connector, proxy


def test_weights_of_several_animals_are_those_of_each_in_one_request(asked):
    connector, proxy = asked
    several = connector.weights(["ea04", "jo006", "implant_1"])
    in_lab_time = [
        "/labs",
        "/subjects",
        "/weighings",
    ]  # the zones of labs, the labs of animals, the clock of the server
    assert sorted(request.path for request in proxy.requests) == sorted(["/subjects", "/weighings", *in_lab_time])
    assert several["date_time"].is_monotonic_decreasing
    each = pd.concat([connector.weights(name) for name in ("ea04", "jo006", "implant_1")])
    assert sorted(several["id"]) == sorted(each["id"])
    assert set(several["subject"]) == {"ea04", "jo006", "implant_1"}
    proxy.forget_requests()
    water = connector.water(["ea04", "jo006"])
    assert sorted(water["id"]) == sorted(connector.water("jo006")["id"])


def test_animals_may_be_named_by_rows_columns_and_frames(connector):
    subjects = connector.subject(["ea04", "jo006"])
    assert subjects["nickname"].to_list() == ["ea04", "jo006"]
    expected = connector.weights(["ea04", "jo006"])
    for named in (
        subjects,
        subjects["nickname"],
        subjects["id"],
        subjects["nickname"].to_numpy(),
        list(subjects["id"]),
    ):
        assert connector.weights(named).equals(expected)
    one = connector.weights("ea04")
    session = connector.search(subject="ea04", limit=1, details=False).iloc[0]
    for row in (subjects.iloc[0], session, one.iloc[0], dict(session)):
        assert connector.weights(row).equals(one)
    sessions = connector.search(subject=["ea04", "jo006"], details=False)
    assert connector.weights(sessions).equals(expected)
    assert connector.weights([]).empty
    with pytest.raises(ConfigurationError, match="None is not a subject"):
        connector.weights(None)


def test_the_row_of_a_namesake_means_that_animal(connector):
    with pytest.warns(AlyxWarning, match="Several animals"):
        both = connector.subject("jo001")
    for _, row in both.iterrows():
        assert connector.subject(row)["id"].to_list() == [row["id"]]
    session = connector.search(subject="jo001", limit=1, details=False).iloc[0]
    assert session.lab == "champalimaud"
    assert len(connector.weights(session)) == 3


def test_percentage_and_minimum_are_the_servers_for_the_day_of_each_weighing(connector, raw):
    weights = connector.weights(["jo006", "implant_1"], percentage=True)
    assert dtypes(weights) == {**WEIGHTS, "percentage_weight": "Float64", "min_weight": "Float64"}
    assert set(weights["subject"]) == {"jo006", "implant_1"}
    for row in weights.itertuples():
        day = f"{row.date_time:%Y-%m-%d}"
        answer = raw.get(("water-requirement", row.subject), {"start_date": day, "end_date": day})
        (record,) = answer["records"]
        assert (row.percentage_weight, row.min_weight) == (record["percentage_weight"], record["min_weight"])
    assert weights["percentage_weight"].notna().all()


def test_a_server_that_does_not_tell_percentages_is_said_once(asked):
    connector, proxy = asked
    for name in ("ea04", "jo006", "implant_1", "jo002", "jo003"):
        proxy.fault("answer", path=f"/water-requirement/{name}", status=500, body={"detail": "no luck"})
    with pytest.warns(AlyxWarning) as caught:
        weights = connector.weights(["ea04", "jo006", "implant_1", "jo002", "jo003"], percentage=True)
    assert len(caught) == 1
    assert "does not tell expected and minimum weights of these animals" in str(caught[0].message)
    assert weights.attrs["notes"] == [str(caught[0].message)]
    assert weights["percentage_weight"].isna().all()
    assert len(weights) > 5
    proxy.fault("answer", path="/water-requirement/jo006", status=500, body={"detail": "no luck"})
    with pytest.warns(AlyxWarning, match=r"of 1 of 2 animals \(jo006\)"):
        weights = connector.weights(["ea04", "jo006"], percentage=True)
    assert set(weights["subject"][weights["percentage_weight"].isna()]) == {"jo006"}


def test_the_water_requirement_of_several_animals_is_counted(connector):
    told = []
    days = {"jo006": DAYS, "implant_1": DAYS}
    fetch_requirements(connector._client, days, cancel=CancelToken(), report=told.append)
    assert [(progress.done, progress.total) for progress in told] == [(0, 2), (1, 2), (2, 2)]
    assert told[0].message == f"Water requirement of 2 animals from {connector.url}."
    assert (told[0].left_s, told[2].left_s) == (None, 0)


def test_the_water_requirement_of_several_animals(connector):
    several = connector.water_requirement(["jo006", "implant_1"], *DAYS)
    assert several.columns[0] == "subject"
    assert several["subject"].to_list() == ["implant_1"] * 3 + ["jo006"] * 3
    one = connector.water_requirement("jo006", *DAYS)
    assert several[several["subject"] == "jo006"].drop(columns="subject").equals(one)
    assert several.attrs["implant_weight"]["jo006"] == one.attrs["implant_weight"]
    assert connector.water_requirement([], *DAYS).columns.to_list() == several.columns.to_list()
