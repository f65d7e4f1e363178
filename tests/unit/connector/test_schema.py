"""What a real Alyx says of its own lists, read; and filters refused by it."""

from __future__ import annotations

import datetime as dt
import json
import uuid
from pathlib import Path

import pytest

from alyx_connector.errors import ConfigurationError
from alyx_connector.frames.columns import Kind, known_layout
from alyx_connector.schema.description import parse_schema, schema_from_dict, schema_to_dict
from alyx_connector.search.filter_check import check_filters, filter_rows, find_endpoint
from alyx_connector.search.filters import plain_filters

EXCERPT = json.loads((Path(__file__).parents[2] / "fixtures/openapi_excerpt.json").read_text(encoding="utf-8"))
SCHEMA = parse_schema(EXCERPT)


def check(endpoint, **filters):
    check_filters(plain_filters(filters), endpoint, SCHEMA.endpoints[endpoint], "http://alyx.example")


def test_the_lists_and_by_what_their_records_are_known():
    assert {name: one.detail_by for name, one in SCHEMA.endpoints.items()} == {
        "sessions": "id",
        "subjects": "nickname",
        "weighings": "id",
        "insertions": "id",
        "labs": "name",
        "water-type": "name",
    }


def test_paging_is_no_filter():
    assert not [one for one in SCHEMA.endpoints.values() if {"limit", "offset"} & set(one.filters)]


@pytest.mark.parametrize(
    ("endpoint", "name", "match", "words"),
    [
        ("sessions", "subject", "exact, but for case", "a nickname or an id"),
        ("sessions", "task_protocol", "part of a word", "text"),
        ("sessions", "users", "all", "text"),
        ("sessions", "number", "exact", "a whole number"),
        ("sessions", "performance_gte", "at least", "a number"),
        ("sessions", "dataset_qc_lte", "at most", "text"),
        ("sessions", "start_time", "exact", "a time"),
        ("subjects", "alive", "exact", "True or False"),
        ("subjects", "projects", "any", "an id (UUID)"),
        ("subjects", "sex", "exact", "one of F, M, U"),
        ("subjects", "birth_date", "exact", "a day"),
        ("insertions", "project", "part of a word", "text"),
        ("insertions", "tag", "part of a word", "text"),
    ],
)
def test_what_a_filter_takes_and_how_it_compares(endpoint, name, match, words):
    row = next(row for row in filter_rows(SCHEMA.endpoints[endpoint]) if row["filter"] == name)
    assert (row["match"], row["takes"]) == (match, words)


def test_the_descriptions_are_the_servers():
    filters = SCHEMA.endpoints["sessions"].filters
    assert filters["lab"].description == "lab name (exact)"
    assert filters["performance_lte"].description == "percentage of successful trials gte/lte"
    assert "CRITICAL, ERROR, WARNING, NOT_SET, PASS" in filters["qc"].description
    assert filters["django"].description.endswith("in the project names")


def test_the_columns_of_lists_that_are_not_known_beforehand_come_from_the_schema():
    insertions = SCHEMA.endpoints["insertions"].layout
    kinds = {column.name: column.kind for column in (*insertions.listed, *insertions.detailed)}
    assert next(iter(kinds)) == "id"
    assert kinds["json"] is Kind.JSON
    assert kinds["auto_datetime"] is Kind.TIME
    assert kinds["serial"] is Kind.TEXT
    assert "chronic_insertion" in kinds
    assert SCHEMA.endpoints["labs"].layout.detailed == (), "the list tells everything"
    assert SCHEMA.endpoints["water-type"].layout.detailed == (), "its detail is a list"
    assert SCHEMA.endpoints["sessions"].layout == known_layout("sessions")


def test_the_known_columns_are_those_of_the_schema():
    schemas = EXCERPT["components"]["schemas"]
    for endpoint, row, record in [
        ("sessions", "SessionList", "SessionDetail"),
        ("subjects", "SubjectList", "SubjectDetail"),
    ]:
        layout = known_layout(endpoint)
        listed = {column.name for column in layout.listed}
        assert set(schemas[row]["properties"]) <= listed
        assert listed | {column.name for column in layout.detailed} == set(schemas[record]["properties"])


def test_a_schema_survives_being_kept():
    assert schema_from_dict(json.loads(json.dumps(schema_to_dict(SCHEMA)))) == SCHEMA


@pytest.mark.parametrize("document", [None, [], {}, {"paths": None}, {"paths": {}}, {"paths": {"/a": {}}}, "<html>"])
def test_what_is_no_schema_is_refused(document):
    with pytest.raises(ValueError, match="description of an API"):
        parse_schema(document)


@pytest.mark.parametrize(
    ("endpoint", "name", "meant"),
    [
        ("subjects", "respnsible_user", "responsible_user"),
        ("sessions", "protocol", "task_protocol"),
        ("sessions", "user", "users"),
        ("sessions", "date", "date_range"),
        ("sessions", "Subject", "subject"),
        ("weighings", "nicknames", "nickname"),
    ],
)
def test_an_unknown_filter_is_refused_with_the_nearest_names(endpoint, name, meant):
    with pytest.raises(
        ConfigurationError, match=f"{endpoint} at .* cannot be filtered by {name}: .*return everything"
    ) as caught:
        check(endpoint, **{name: "x"})
    assert meant in str(caught.value).partition("Did you mean")[2]
    assert f'connector.filters("{endpoint}")' in caught.value.hint


@pytest.mark.parametrize("name", ["lab", "users", "date_range", "location"])
def test_what_the_schema_names_but_the_server_cannot_answer_is_refused_and_never_proposed(name):
    assert name in SCHEMA.endpoints["weighings"].filters
    with pytest.raises(ConfigurationError, match=r"cannot answer it\. Use "):
        check("weighings", **{name: "x"})
    check_filters({name: "x"}, "weighings", None, "http://alyx.example")  # known of servers that describe it
    with pytest.raises(ConfigurationError) as caught:
        check("weighings", **{name[:-1]: "x"})
    assert name not in str(caught.value).partition("Did you mean")[2].replace("?", "").split()


@pytest.mark.parametrize(
    ("endpoint", "name", "value"),
    [
        ("subjects", "alive", 1),
        ("subjects", "alive", "yes"),
        ("subjects", "alive", [True, 0]),
        ("subjects", "birth_date", "soon"),
        ("subjects", "sex", "male"),
        ("subjects", "species", "Laboratory mouse"),
        ("sessions", "number", "first"),
        ("sessions", "number", 1.5),
        ("sessions", "number", True),
        ("sessions", "start_time", 2024),
        ("sessions", "performance_gte", "good"),
        ("sessions", "parent_session", 5),
    ],
)
def test_a_value_of_the_wrong_kind_is_refused(endpoint, name, value):
    with pytest.raises(ConfigurationError, match=f"The filter {name} of {endpoint} takes "):
        check(endpoint, **{name: value})


def test_names_with_commas_are_several_names():
    with pytest.raises(ConfigurationError, match="takes one name") as caught:
        check("sessions", subject="ea04, jo001")
    assert "subject=['ea04', 'jo001']" in caught.value.hint


def test_what_the_server_understands_is_let_through():
    check(
        "sessions",
        subject=["ea04"],
        number=[1, "2", 3.0],
        start_time=dt.date(2024, 1, 1),
        date_range=("2024-01-01", None),
        id=[uuid.uuid4()],
        json={"a": 1},
        users="a,b",
        performance_gte="70.5",
        parent_session=str(uuid.uuid4()),
    )
    check("subjects", alive=True, sex=["M", "F"], birth_date="2024-01-01")
    check_filters({"whatever": 1}, "sessions", None, "http://alyx.example")


def test_ids_need_a_list_that_can_be_asked_for_ids():
    with pytest.raises(ConfigurationError, match=r"water-type at .* cannot be filtered by id.*no filters"):
        check("water-type", id=str(uuid.uuid4()))


def test_an_unknown_list_is_refused_with_the_nearest_names():
    with pytest.raises(ConfigurationError, match=r"has no list session\..* Did you mean sessions"):
        find_endpoint(SCHEMA, "session", "http://alyx.example")
    with pytest.raises(ConfigurationError) as caught:
        find_endpoint(SCHEMA, "xyz", "http://alyx.example")
    assert "mean" not in str(caught.value)
