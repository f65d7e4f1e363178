"""Weights, water and datasets as frames, beside what the server answers."""

from __future__ import annotations

import uuid
import warnings

import pandas as pd
import pytest

from alyx_connector import AlyxClient, AlyxWarning, ConfigurationError, Connector, ProtocolError
from tests.fault_proxy import FaultProxy

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
    with warnings.catch_warnings():
        warnings.simplefilter("error")
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
    with pytest.warns(AlyxWarning, match="Several animals are called jo001"):
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
