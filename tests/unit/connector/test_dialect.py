"""In what servers differ, read from their own descriptions."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from alyx_connector.errors import ConfigurationError
from alyx_connector.schema.description import parse_schema, schema_from_dict, schema_to_dict
from alyx_connector.schema.dialect import Dialect
from alyx_connector.search.filter_check import check_filters, filter_rows

FIXTURES = Path(__file__).parents[2] / "fixtures"
ALYX = parse_schema(json.loads((FIXTURES / "openapi_excerpt.json").read_text(encoding="utf-8")))
ALYX_LOCAL = parse_schema(json.loads((FIXTURES / "openapi_alyx_local_excerpt.json").read_text(encoding="utf-8")))


def names(columns):
    return [column.name for column in columns]


def test_alyx_is_what_is_taken_for_granted():
    assert ALYX.dialect == Dialect()
    assert (ALYX.dialect.subject_key, ALYX.dialect.qc_is_number, ALYX.dialect.tells_allowed_users) == (
        "nickname",
        False,
        True,
    )


def test_alyx_local_names_subjects_by_name_and_has_numbers_for_qc():
    words = ((0, "NOT_SET"), (10, "PASS"), (30, "WARNING"), (40, "FAIL"), (50, "CRITICAL"))
    assert ALYX_LOCAL.dialect == Dialect("name", words, True, True, False, False)
    row = {"nickname": "ea04", "name": "haisslab__ea04"}
    assert ALYX_LOCAL.dialect.subject_name(row) == "haisslab__ea04"
    assert ALYX.dialect.subject_name(row) == "ea04"
    addressed = {**row, "url": "http://alyx.example/api/subjects/haisslab__ea%2004"}
    assert ALYX.dialect.subject_name(addressed) == "haisslab__ea 04", "whatever the server said of itself"


def test_qc_is_a_word_for_people_and_what_the_server_takes_for_it():
    for dialect, taken in ((ALYX_LOCAL.dialect, 40), (ALYX.dialect, "FAIL")):
        assert [dialect.qc_word(value) for value in (40, "FAIL")] == ["FAIL", "FAIL"]
        assert [dialect.qc_to_send(value) for value in ("FAIL", "fail", 40)] == [taken] * 3
        for unknown in (35, True, "GOOD", None, 1.5):
            assert dialect.qc_word(unknown) is unknown
            assert dialect.qc_to_send(unknown) is None


@pytest.mark.parametrize("schema", [ALYX, ALYX_LOCAL])
def test_the_filter_of_qc_takes_its_words_alone(schema):
    sessions = schema.endpoints["sessions"]
    row = next(row for row in filter_rows(sessions) if row["filter"] == "qc")
    assert row["takes"] == "one of NOT_SET, PASS, WARNING, FAIL, CRITICAL"
    check_filters({"qc": ["PASS", "fail"]}, "sessions", sessions, "http://alyx.example")
    for wrong in ("GOOD", 10, "PASS,FAIL", "~PASS"):
        with pytest.raises(ConfigurationError, match="NOT_SET, PASS, WARNING, FAIL, CRITICAL"):
            check_filters({"qc": wrong}, "sessions", sessions, "http://alyx.example")


def test_a_session_is_addressed_by_its_id_although_its_name_is_described_first():
    paths = list(json.loads((FIXTURES / "openapi_alyx_local_excerpt.json").read_text())["paths"])
    assert paths.index("/api/sessions/{name}") < paths.index("/api/sessions/{id}")
    assert ALYX_LOCAL.endpoints["sessions"].detail_by == "id"
    assert ALYX_LOCAL.endpoints["subjects"].detail_by == "name"


def test_what_the_list_does_not_tell_is_a_column_of_the_details():
    layout = ALYX_LOCAL.endpoints["sessions"].layout
    assert names(layout.listed)[:5] == ["id", "subject", "start_time", "number", "projects"]
    assert {"name", "users", "procedures"} <= set(names(layout.listed))
    assert names(layout.detailed)[:2] == ["lab", "task_protocol"]
    assert "field_of_view" not in names((*layout.listed, *layout.detailed))
    assert len(set(names((*layout.listed, *layout.detailed)))) == len((*layout.listed, *layout.detailed))


def test_it_survives_being_kept():
    for schema in (ALYX, ALYX_LOCAL):
        assert schema_from_dict(json.loads(json.dumps(schema_to_dict(schema)))) == schema


def test_filters_compare_as_this_server_does_and_those_it_cannot_answer_say_what_to_use():
    def of_sessions(schema):
        return {row["filter"]: row for row in filter_rows(schema.endpoints["sessions"])}

    alyx, alyx_local = of_sessions(ALYX), of_sessions(ALYX_LOCAL)
    assert [alyx[name]["match"] for name in ("users", "subject")] == ["all", "exact, but for case"]
    assert [alyx_local[name]["match"] for name in ("users", "subject")] == ["any", "exact"]
    assert (alyx["dataset_types"]["usable"], alyx["dataset_types"]["instead"]) == (True, None)
    assert not alyx_local["dataset_types"]["usable"]
    assert "dataset_type__name" in alyx_local["dataset_types"]["instead"]
    check_filters({"dataset_types": "trials.table"}, "sessions", ALYX.endpoints["sessions"], "http://alyx.example")
    with pytest.raises(ConfigurationError, match=r"cannot answer it.*dataset_type__name"):
        check_filters({"dataset_types": "x"}, "sessions", ALYX_LOCAL.endpoints["sessions"], "http://alyx.example")


@pytest.mark.parametrize(("schema", "why"), [(ALYX, "cannot answer it"), (ALYX_LOCAL, "would ignore it")])
def test_weighings_of_a_lab_are_asked_for_in_the_way_that_there_is(schema, why):
    with pytest.raises(ConfigurationError, match=rf"{why}.*subject__lab__name"):
        check_filters({"lab": "haisslab"}, "weighings", schema.endpoints["weighings"], "http://alyx.example")
