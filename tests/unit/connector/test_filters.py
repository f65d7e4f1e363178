"""Filters in Python values, as they go over the wire."""

from __future__ import annotations

import datetime as dt
import uuid

import numpy as np
import pandas as pd
import pytest

from alyx_connector.errors import ConfigurationError
from alyx_connector.search.filters import IDS_IN_A_REQUEST, make_requests, plain_filters

NAIVE = dt.datetime(2024, 1, 3, 10)  # noqa: DTZ001 - naive on purpose: lab time
ONE, OTHER = str(uuid.UUID(int=1)), str(uuid.UUID(int=2))


def requests_of(filters):
    return make_requests(plain_filters(filters))


@pytest.mark.parametrize(
    ("filters", "sent"),
    [
        ({}, {}),
        ({"subject": "ea04"}, {"subject": "ea04"}),
        ({"number": 1, "alive": True, "stock": False}, {"number": "1", "alive": "True", "stock": "False"}),
        ({"number": np.int64(3), "alive": np.bool_(True)}, {"number": "3", "alive": "True"}),
        ({"performance_gte": 1e-5}, {"performance_gte": "0.00001"}),
        ({"start_time": NAIVE}, {"start_time": "2024-01-03T10:00:00"}),
        ({"start_time": pd.Timestamp("2024-01-03 10:00")}, {"start_time": "2024-01-03T10:00:00"}),
        ({"birth_date": dt.date(2024, 1, 3)}, {"birth_date": "2024-01-03"}),
        ({"parent_session": uuid.UUID(ONE)}, {"parent_session": ONE}),
        ({"date_range": ("2024-01-01", "2024-01-31")}, {"date_range": "2024-01-01,2024-01-31"}),
        ({"date_range": "2024-01-01,2024-01-31"}, {"date_range": "2024-01-01,2024-01-31"}),
        ({"date_range": [dt.date(2024, 1, 1), NAIVE]}, {"date_range": "2024-01-01,2024-01-03"}),
        ({"date_range": dt.date(2024, 1, 1)}, {"date_range": "2024-01-01,2024-01-01"}),
        ({"date_range": ("2024-01-01", None)}, {"django": "start_time__date__gte,2024-01-01"}),
        ({"date_range": (None, "2024-01-01")}, {"django": "start_time__date__lte,2024-01-01"}),
        ({"extended_qc": {"pass": True, "noise_uV": 5}}, {"django": "extended_qc__pass,True,extended_qc__noise_uV,5"}),
        (
            {"json": {"whisker_stims": {"n": 2.5}, "note": "late"}},
            {"django": "json__whisker_stims__n,2.5,json__note,late"},
        ),
        ({"json": {"a": {"b": {"c": 1}, "d": 2}}}, {"django": "json__a__b__c,1,json__a__d,2"}),
        ({"json": {"a": {1: {"b": 0.5}}}}, {"django": "json__a__1__b,0.5"}),
        ({"json": {"missing": None}}, {"django": "json__missing__isnull,True"}),
        ({"json": {"there__not": None, "a": 1}}, {"django": "json__there__isnull,False,json__a,1"}),
        ({"json": {"a__not": "x", "b": {"not": -1}}}, {"django": "~json__a,x,~json__b,(-1)"}),
        ({"json": {"a__in": [1, -2, "001", None]}}, {"django": "json__a__in,[1,-2,'001',None]"}),
        ({"json": {"a": np.array([1, 2])}}, {"django": "json__a,[1,2]"}),
        ({"json": {"a": 2**60}}, {"django": f"json__a,({2**60})"}),
        (
            {"json": {"a": 1}, "extended_qc": "b,2", "django": "number,1"},
            {"django": "json__a,1,number,1", "extended_qc": "b,2"},
        ),
        ({"json": "a,1"}, {"json": "a,1"}),
        ({"id": ONE}, {"django": f"pk,{ONE}"}),
        ({"id": [ONE, OTHER, ONE.upper()]}, {"django": f"pk__in,['{ONE}','{OTHER}']"}),
        (
            {"django": "number,1", "date_range": (None, "2024-01-01"), "id": ONE},
            {"django": f"number,1,start_time__date__lte,2024-01-01,pk,{ONE}"},
        ),
        (
            {"django": {"start_time__gte": NAIVE, "number__gt": -1}},
            {"django": "start_time__gte,2024-01-03T10:00:00,number__gt,(-1)"},
        ),
    ],
)
def test_what_is_sent(filters, sent):
    assert requests_of(filters) == [sent]


@pytest.mark.parametrize(
    ("value", "sent"),
    [
        (-5, "(-5)"),
        (np.int64(-5), "(-5)"),
        (-2.5e-7, "(-0.00000025)"),
        ("001", "('001')"),
        ("1.5", "('1.5')"),
        ("²", "('²')"),
        ("True", "('True')"),
        ("none", "('none')"),
        ("left, then right", "('left, then right')"),
        ("it's late, stop", '("it\'s late, stop")'),
        ("", "('')"),
        (" late ", "(' late ')"),
        ("it's late", "it's late"),
        ("-5", "-5"),
        ("2024-01-01", "2024-01-01"),
        (False, "False"),
    ],
)
@pytest.mark.parametrize(("name", "key"), [("json", "json__a"), ("extended_qc", "extended_qc__a"), ("django", "a")])
def test_a_value_in_pairs_is_what_the_server_reads_as_that_value(name, key, value, sent):
    assert requests_of({name: {"a": value}}) == [{"django": f"{key},{sent}"}]


@pytest.mark.parametrize(
    ("wanted", "sent"),
    [
        ({"a__lt": 5}, "a__lt,5,a__gte,(-1e308)"),
        ({"a__gte": -5}, "a__gte,(-5),a__lte,(1e308)"),
        ({"a": {"b__lte": 0.5}}, "a__b__lte,0.5,a__b__gte,(-1e308)"),
        ({"a__gt": 1, "a__lt": 5}, "a__gt,1,a__lt,5"),
        ({"a__gt": 1, "b__lt": 5}, "a__gt,1,b__lt,5,a__lte,(1e308),b__gte,(-1e308)"),
        ({"a__lt": "m"}, "a__lt,m,a__gte,('')"),
        ({"a__gte": dt.date(2024, 1, 1)}, "a__gte,2024-01-01,a__lt,(-1e308)"),
        ({"a__gt": False}, "a__gt,False"),
    ],
)
def test_a_comparison_in_json_is_among_values_of_one_kind(wanted, sent):
    for field in ("extended_qc", "json"):
        lookups = ",".join(f"{field}__{part}" if place % 2 == 0 else part for place, part in enumerate(sent.split(",")))
        assert requests_of({field: wanted}) == [{"django": lookups}]


def test_a_comparison_of_a_field_of_its_own_is_sent_as_it_is():
    assert requests_of({"django": {"number__lt": 5}}) == [{"django": "number__lt,5"}]


@pytest.mark.parametrize("values", [["a", "b", "a"], ("a", "b"), np.array(["a", "b"]), pd.Series(["a", "b"])])
def test_several_values_are_a_request_each(values):
    assert requests_of({"lab": "x", "subject": values}) == [
        {"lab": "x", "subject": "a"},
        {"lab": "x", "subject": "b"},
    ]


def test_several_values_of_several_filters_are_every_combination():
    sent = requests_of({"subject": ["a", "b"], "qc": ["PASS", "FAIL"]})
    assert [tuple(params.values()) for params in sent] == [("a", "PASS"), ("a", "FAIL"), ("b", "PASS"), ("b", "FAIL")]


@pytest.mark.parametrize("name", ["subject", "id", "django", "json"])
def test_none_of_several_values_is_no_request(name):
    assert requests_of({"lab": "x", name: []}) == []


def test_many_ids_are_as_few_requests_as_an_address_allows():
    ids = [str(uuid.UUID(int=number)) for number in range(2 * IDS_IN_A_REQUEST + 1)]
    sent = [params["django"] for params in requests_of({"id": ids})]
    assert [text.count("'") // 2 for text in sent] == [IDS_IN_A_REQUEST, IDS_IN_A_REQUEST, 0]
    assert all(one in "".join(sent) for one in ids)
    assert max(map(len, sent)) < 4094


@pytest.mark.parametrize(
    "filters",
    [
        {"subject": None},
        {"subject": " "},
        {"subject": ["a", None]},
        {"subject": float("nan")},
        {"subject": pd.NA},
        {"number": pd.Series([1, None], dtype="Int64")},
        {"subject": np.array([["a", "b"]])},
        {"subject": pd.DataFrame({"subject": ["a", "b"]})},
        {"subject": b"a"},
        {"subject": {"a": 1}},
        {"subject": object()},
        {"start_time": dt.datetime(2024, 1, 1, tzinfo=dt.timezone.utc)},
        {"start_time": pd.NaT},
        {"date_range": "2024-01-01,"},
        {"date_range": "1/9/2024"},
        {"date_range": (None, None)},
        {"date_range": ("2024-02-01", "2024-01-01")},
        {"date_range": ("soon", None)},
        {"date_range": ("2024-02-30", None)},
        {"date_range": ("2024-01-01", "2024-01-02", "2024-01-03")},
        {"date_range": None},
        {"date_range": (pd.Timestamp("2024-01-01 23:30", tz="UTC"), None)},
        {"id": "ea04"},
        {"id": 5},
        {"id": f"{ONE}'],__import__('os')"},
        {"json": {}},
        {"json": {"a": {}}},
        {"json": {"a,b": 1}},
        {"json": {"a": "['x']"}},
        {"json": {"a": "x)"}},
        {"json": {"a": "x, \\"}},
        {"json": {"a": "x\ny"}},
        {"json": {"a": 'it\'s "late", stop'}},
        {"json": {"a": float("nan")}},
        {"json": {"a": {"b": 1}, "a__b": 2}},
        {"json": {"a": [{"b": 1}]}},
        {"json": {"a": ["x]"]}},
        {"json": {"a": [float("nan")]}},
        {"json": {"a__in": []}},
        {"json": {True: 1}},
        {"json": {1: 1}},
        {"json": {"1__lt": 1}},
        {"json": {"lt": 5}},
        {"json": {"a__isnull": 1}},
        {"json": {"a__lt__not": 5}},
        {"json": {"a": 1, "a__not": {"b": 2}, "a__not__b": 3}},
    ],
)
def test_what_the_server_would_misunderstand_is_refused_and_named(filters):
    name = next(iter(filters))
    with pytest.raises(ConfigurationError, match=f"The filter {name} ") as caught:
        requests_of(filters)
    assert caught.value.hint
    assert caught.value.setting == name


def test_a_refused_value_is_quoted_as_it_was_given_but_not_at_length():
    with pytest.raises(ConfigurationError, match="date_range has 'last week'"):
        requests_of({"date_range": "last week"})
    with pytest.raises(ConfigurationError, match="cannot be DataFrame") as caught:
        requests_of({"subject": pd.DataFrame({"subject": ["ea04"] * 1000})})
    assert len(str(caught.value)) < 300
    assert "\n" not in str(caught.value)
