"""What the stub says that `Connector.search` takes, beside `known_filters.json` and what servers say."""

from __future__ import annotations

import inspect
import json

from alyx_connector import Connector
from alyx_connector.schema.completions import known_lists
from tests.search_signatures import KNOWN, STUB, stub


def test_the_stub_was_made_from_the_known_filters():
    made = stub(json.loads(KNOWN.read_text(encoding="utf-8")))
    assert STUB.read_text(encoding="utf-8") == made, "run python -m tests.search_signatures"


def test_at_run_time_any_filter_can_be_given():
    *_, last = inspect.signature(Connector.search).parameters.values()
    assert last.kind is inspect.Parameter.VAR_KEYWORD


def test_it_has_the_lists_and_filters_of_the_server(each_server, tmp_path, monkeypatch):
    monkeypatch.setenv("ALYX_CONNECTOR_HOME", str(tmp_path))
    monkeypatch.setenv("ALYX_TOKEN_STORE", "file")
    connector = Connector.setup(each_server.url, each_server.username, each_server.password, make_default=True)
    known = known_lists(None)
    said = {row.endpoint: set(row.filters) for row in connector.endpoints().itertuples()}
    assert len(said) >= 8
    assert {name: filters - set(known.get(name, ())) for name, filters in said.items() if filters} == {
        name: set() for name, filters in said.items() if filters
    }
    assert set(said) <= set(known)
