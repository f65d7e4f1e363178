"""Filters checked against what the sandbox says of itself, asked for once a day."""

from __future__ import annotations

import json
import time

import pytest

from alyx_connector import AlyxWarning, ConfigurationError, Connector
from alyx_connector.zones.moments import MOMENTS
from tests.fault_proxy import FaultProxy
from tests.strict_warnings import strict_warnings

SCHEMA = "/api/schema"


@pytest.fixture
def home(tmp_path, monkeypatch):
    monkeypatch.setenv("ALYX_CONNECTOR_HOME", str(tmp_path))
    monkeypatch.setenv("ALYX_TOKEN_STORE", "file")
    return tmp_path


@pytest.fixture
def proxy(home, sandbox):
    with FaultProxy(sandbox.url) as proxy:
        Connector.setup(proxy.url, "jose", "jose-demo", make_default=True)
        proxy.forget_requests()
        yield proxy


def test_an_unknown_filter_is_refused_before_the_list_is_asked_for(proxy):
    with pytest.raises(ConfigurationError, match=r"sessions at .* cannot be filtered by subjet.*Did you mean subject"):
        Connector().search(subjet="ea04")
    with pytest.raises(ConfigurationError, match="alive of subjects takes True or False"):
        Connector().search("subjects", alive=1)
    with pytest.raises(ConfigurationError, match="Did you mean sessions"):
        Connector().search("session")
    with pytest.raises(ConfigurationError, match="not a valid name of a list"):
        Connector().search("sessions?limit=1")
    assert {seen.path for seen in proxy.requests} <= {SCHEMA, "/auth-token"}
    assert proxy.count(path=SCHEMA) == 1, "kept on disk for the next Connector"


def test_the_schema_is_asked_for_again_after_a_day_and_if_it_was_damaged(proxy, home):
    Connector().filters("sessions")
    (kept,) = (home / "cache").glob("schema-*.json")
    content = json.loads(kept.read_text(encoding="utf-8"))
    Connector().filters("sessions")
    assert proxy.count(path=SCHEMA) == 1
    for age in (25 * 3600, -60):
        kept.write_text(json.dumps({**content, "time": time.time() - age}), encoding="utf-8")
        Connector().filters("sessions")
    assert proxy.count(path=SCHEMA) == 3
    for damage in ("{", "[]", json.dumps({**content, "schema": {}}), json.dumps({"version": 1})):
        kept.write_text(damage, encoding="utf-8")
        assert "subject" in Connector().filters("sessions")["filter"].to_list()
    assert proxy.count(path=SCHEMA) == 7


@pytest.mark.parametrize(
    "answer",
    [
        {"status": 404, "body": b"<html>Not Found</html>", "headers": {"Content-Type": "text/html"}},
        {"status": 500, "body": {"detail": "no such luck"}},
        {"status": 200, "body": {"paths": {}}},
        {"status": 200, "body": []},
    ],
)
def test_where_the_server_has_no_schema_it_warns_instead(proxy, answer):
    proxy.fault("answer", path=SCHEMA, times=99, **answer)
    connector = Connector()
    with pytest.warns(AlyxWarning, match="names of filters cannot be checked"):
        sessions = connector.search(subject="ea04", details=False)
    assert len(sessions) == 25
    with pytest.warns(AlyxWarning, match="does not describe"):
        assert connector.filters("sessions").empty
    with pytest.warns(AlyxWarning, match="does not describe"):
        assert connector.endpoints().empty
    assert proxy.count(path=SCHEMA) == 1, "asked once"


def test_a_disk_that_cannot_keep_the_schema_does_not_matter(proxy, home):
    (home / "cache").write_text("in the way", encoding="utf-8")
    with pytest.warns(AlyxWarning, match=r"cache .* cannot be used"):
        assert len(Connector().search(subject="ea04", details=False)) == 25


def test_lists_and_filters_as_frames(proxy):
    connector = Connector()
    endpoints = connector.endpoints()
    said = endpoints.set_index("endpoint")
    assert said.loc[["sessions", "subjects", "weighings"], "details"].to_list() == [True, False, False]
    assert said.loc["subjects", "details_add"] == ["weighings", "water_administrations"]
    assert said.loc["weighings", "details_add"] == []
    assert {"sessions", "subjects", "weighings", "datasets", "water-administrations"} <= set(endpoints["endpoint"])
    assert "subject" in endpoints.set_index("endpoint").loc["sessions", "filters"]
    filters = connector.filters("weighings").set_index("filter")
    assert not filters.loc["lab", "usable"]
    assert "django" in filters.loc["lab", "instead"]
    assert filters.loc["nickname", "usable"]
    assert {str(dtype) for dtype in filters.dtypes} == {"string", "boolean"}
    with pytest.raises(ConfigurationError, match="has no list"):
        connector.filters("weighing")


def test_every_list_can_be_searched_with_and_without_details(proxy):
    connector = Connector()
    connector.search("labs")
    with strict_warnings():
        for endpoint in connector.endpoints()["endpoint"]:
            if endpoint in {"sessions", "subjects"}:
                continue
            proxy.forget_requests()
            frame = connector.search(endpoint, details=True)
            assert frame.columns[-3 if "url" in frame else -2] == "id"
            assert frame["id"].notna().all() == (endpoint != "water-restriction"), endpoint
            assert frame.index.is_unique
            # The labs of the animals, and the clock of the server, are asked for to show lab time.
            own = [seen for seen in proxy.requests if seen.path == f"/{endpoint}" and "django" not in seen.query]
            others = proxy.count() - len(own)
            assert len(own) == 1, f"{endpoint}: its list tells everything"
            assert (others > 0) == (endpoint in MOMENTS), endpoint
        assert connector.search("labs")["name"].to_list() == connector.search("labs", details=False)["name"].to_list()
