"""What the Tab key offers in a call of a `Connector`, by what stands before the cursor."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from alyx_connector.schema.completions import known_lists, offer
from alyx_connector.schema.description import parse_schema

EXCERPT = json.loads((Path(__file__).parents[2] / "fixtures/openapi_excerpt.json").read_text(encoding="utf-8"))
LISTS = {
    "sessions": {"subject": (), "subject_name": (), "qc": ("FAIL", "PASS")},
    "subjects": {"nickname": (), "alive": ()},
    "water-type": {},
    "water-administrations": {},
}


def offered(typed):
    found = offer(typed, {"connector": LISTS}.get)
    return found.begun, list(found.words)


@pytest.mark.parametrize(
    ("typed", "begun", "words"),
    [
        ('connector.search("', "", list(LISTS)),
        ("x = connector.search('sub", "sub", ["subjects"]),
        ('connector.search(endpoint="water-a', "water-a", ["water-administrations"]),
        ('connector.filters( "se', "se", ["sessions"]),
        ('connector.create("', "", list(LISTS)),
        ("connector.search(", "", ["subject=", "subject_name=", "qc="]),
        ("connector.search(subject_", "subject_", ["subject_name="]),
        ("connector.search('subjects', ", "", ["nickname=", "alive="]),
        ("connector.search(endpoint='subjects', al", "al", ["alive="]),
        ("connector.search('subjects',\n    nickname=['a', 'b'],\n    ", "", ["alive="]),
        ("connector.search(subject=f(1, ')'), json={'a': (1,)}, q", "q", ["qc="]),
        ("connector.search(qc='", "", ["FAIL", "PASS"]),
        ('len(connector.search(qc="P', "P", ["PASS"]),
        ("connector.search(subject='(it''s', # a (comment), '\n", "", ["subject_name=", "qc="]),
        ("connector.search(name, ", "", []),
        ("connector.search(subject='", "", []),
        ("connector.search('sessions', 'sub", "sub", []),
        ("connector.search(subject=", "", []),
        ("connector.search(subject == su", "", []),
        ("connector.search(subject=[", "", []),
        ("connector.search(x)", "", []),
        ("connector.filters('sessions', ", "", []),
        ("connector.weights('", "", []),
        ("other.search('", "", []),
        ("my.connector.search('", "", []),
        ("f(connector, 'sess", "", []),
        ("connector.search", "", []),
        ('"""connector.search("', "", []),
        ("", "", []),
    ],
)
def test_what_is_offered(typed, begun, words):
    assert offered(typed) == (begun, words)


def test_the_lists_are_those_of_the_server_where_it_has_said_so():
    schema = parse_schema(EXCERPT)
    lists = known_lists(schema)
    assert set(lists) == set(schema.endpoints)
    assert "PASS" in lists["sessions"]["qc"]
    assert "lab" not in lists["weighings"], "the server would answer it with an error"


def test_before_that_they_are_those_of_known_servers():
    lists = known_lists(None)
    assert {"sessions", "subjects", "water-administrations"} <= set(lists)
    assert {"subject", "nickname", "date_range"} <= set(lists["sessions"])
    assert "PASS" in lists["sessions"]["qc"]
