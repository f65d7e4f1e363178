"""Days in the forms that people type, and those that could be read in two ways."""

from __future__ import annotations

import datetime as dt
import json
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from alyx_connector import ConfigurationError
from alyx_connector.schema.description import parse_schema
from alyx_connector.search.days import checked_day, days_of, with_days
from alyx_connector.search.filters import plain_filters

EXCERPT = Path(__file__).parents[2] / "fixtures/openapi_excerpt.json"


@pytest.mark.parametrize(
    "typed",
    [
        "2024-09-01",
        " 2024-9-1 ",
        "2024/09/01",
        "2024.9.1",
        "20240901",
        20240901,
        "1 Sep 2024",
        "01 september 2024",
        "1. Sept. 2024",
        "1-Sep-2024",
        "1st Sep 2024",
        "Sep 1, 2024",
        "September 1 2024",
        "2024-09-01T23:30",
        "2024-09-01 23:30:00",
        dt.date(2024, 9, 1),
        dt.datetime.fromisoformat("2024-09-01T23:30"),
        pd.Timestamp("2024-09-01 23:30"),
        np.datetime64("2024-09-01"),
        np.datetime64("2024-09-01T23:30"),
    ],
    ids=str,
)
def test_a_day_in_any_form(typed):
    value = plain_filters({"date_range": typed})["date_range"]
    assert days_of("date_range", value) == ("2024-09-01", "2024-09-01")
    assert checked_day("start", value) == checked_day("end", value, last=True) == "2024-09-01"


@pytest.mark.parametrize(
    ("typed", "first", "last"),
    [
        ("2024-02", "2024-02-01", "2024-02-29"),
        ("2024/2", "2024-02-01", "2024-02-29"),
        ("Feb 2024", "2024-02-01", "2024-02-29"),
        ("2024", "2024-01-01", "2024-12-31"),
        (2024, "2024-01-01", "2024-12-31"),
        (("2024-02", "2024-03"), "2024-02-01", "2024-03-31"),
        (["2023", None], "2023-01-01", None),
        ((None, 2024), None, "2024-12-31"),
        ("2024-01,2024-02", "2024-01-01", "2024-02-29"),
    ],
    ids=str,
)
def test_months_and_years_are_from_their_first_day_to_their_last(typed, first, last):
    assert days_of("date_range", typed) == (first, last)


@pytest.mark.parametrize("typed", ["1/9/2024", "13.9.2024", "01-09-24", "9/13/2024"])
def test_what_could_be_the_day_or_the_month_first_is_refused_with_the_forms_that_work(typed):
    with pytest.raises(ConfigurationError, match="could be the day or the month first") as caught:
        days_of("date_range", (typed, None))
    assert '"2024-01-31"' in caught.value.hint
    assert '"31 Jan 2024"' in caught.value.hint
    with pytest.raises(ConfigurationError, match="could be the day or the month first"):
        days_of("date_range", typed)


@pytest.mark.parametrize(
    "typed",
    ["soon", "2024-02-30", "2024-13", "31 Foo 2024", "2024-9/1", 5, 20241301, True, 2024.5, pd.NaT, "", "24-09-01x"],
)
def test_what_is_no_day_is_refused(typed):
    with pytest.raises(ConfigurationError):
        checked_day("start", typed)


def test_filters_that_are_days_are_written_as_the_server_does():
    subjects = parse_schema(json.loads(EXCERPT.read_text(encoding="utf-8"))).endpoints["subjects"]
    wanted = {"birth_date": ["1 Sep 2024", "2024-9-2", "2024-09"], "nickname": "20240901"}
    assert with_days(wanted, subjects) == {
        "birth_date": ["2024-09-01", "2024-09-02", "2024-09"],
        "nickname": "20240901",
    }
    assert with_days(wanted, None) == wanted
