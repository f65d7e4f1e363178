"""The analyst's Connector on the server under test: every method, every form of filter, beside the server's answers."""

from __future__ import annotations

import datetime as dt
import warnings
from typing import TYPE_CHECKING, Any

import pandas as pd
import pytest

from alyx_connector import AlyxWarning, ConfigurationError, ServerFaultError
from alyx_connector.frames.columns import DETAIL_ERROR, WATER_REQUIREMENT, Kind, in_reading_order, known_layout
from alyx_connector.schema.dialect import Dialect
from alyx_connector.zones.moments import lab_zone, on_lab_clock
from tests.contract.alyx_under_test import found, on_the_clock
from tests.contract.json_values import MISSING, NUMBERS, TEXTS, VALUES

if TYPE_CHECKING:
    from alyx_connector import Connector
    from tests.contract.alyx_under_test import AlyxUnderTest

DTYPES = {
    Kind.TEXT: "string",
    Kind.COUNT: "Int64",
    Kind.NUMBER: "Float64",
    Kind.FLAG: "boolean",
    Kind.TIME: "datetime64[ns]",
    Kind.QC: "category",
    Kind.JSON: "object",
    Kind.NESTED: "object",
}


@pytest.fixture(scope="module")
def details(alyx: AlyxUnderTest, connector: Connector) -> pd.DataFrame:
    """The sessions of `AlyxUnderTest.subject`, with details."""
    return connector.search(subject=alyx.subject["nickname"])


def _expected(endpoint: str, *, detailed: bool) -> dict[str, str]:
    layout = known_layout(endpoint)
    assert layout is not None
    read, last = in_reading_order(endpoint, (*layout.listed, *(layout.detailed if detailed else ())))
    columns = (*read, *last, *((DETAIL_ERROR,) if detailed else ()))
    return {column.name: DTYPES[column.kind] for column in columns}


def _dtypes(frame: pd.DataFrame) -> dict[str, str]:
    return {name: str(dtype) for name, dtype in frame.dtypes.items()}


def _ids(rows: list[dict[str, Any]]) -> list[Any]:
    return sorted(row.get("id") or row["url"].rpartition("/")[2] for row in rows)


# columns and dtypes


@pytest.mark.parametrize("detailed", [True, False])
def test_sessions_have_the_known_columns_and_nothing_else(
    alyx: AlyxUnderTest, connector: Connector, detailed: bool
) -> None:
    name = alyx.subject["nickname"]
    sessions = connector.search(subject=name, details=detailed)
    empty = connector.search(subject=name, id="00000000-0000-0000-0000-000000000000", details=detailed)
    assert list(_dtypes(sessions).items()) == list(_expected("sessions", detailed=detailed).items())
    assert empty.empty
    assert list(_dtypes(empty).items()) == list(_dtypes(sessions).items())
    assert sessions.index.to_list() == sessions["id"].to_list()
    assert sessions["start_time"].is_monotonic_decreasing
    assert _ids(alyx.rows("/sessions", subject=name)) == sorted(sessions["id"])


@pytest.mark.parametrize("endpoint", ["subjects", "weighings", "water-administrations", "datasets"])
def test_other_lists_have_the_known_columns_and_nothing_else(
    alyx: AlyxUnderTest, connector: Connector, endpoint: str
) -> None:
    some = found(alyx.rows(f"/{endpoint}"), f"a row of {endpoint}")
    name = some.get("id") or some["url"].rpartition("/")[2]
    frame = connector.search(endpoint, id=name, details=True)
    assert frame["id"].to_list() == [name]
    expected = _expected(endpoint, detailed=True)
    assert [column for column in _dtypes(frame) if column != "detail_error"] == [
        column for column in expected if column != "detail_error"
    ]
    assert all(dtype == expected[column] for column, dtype in _dtypes(frame).items())


def test_details_are_those_of_the_server(alyx: AlyxUnderTest, details: pd.DataFrame) -> None:
    session = details.iloc[0]
    detail = alyx.get(f"/sessions/{session.id}")
    assert session.detail_error is pd.NA or pd.isna(session.detail_error)
    for name in ("narrative", "task_protocol", "users", "projects", "procedures", "lab"):
        assert session[name] == detail[name]
    assert session.qc == Dialect().qc_word(detail["qc"])
    zone = lab_zone(alyx.get(f"/labs/{detail['lab']}")["timezone"])
    assert zone is not None
    assert session.start_time == pd.Timestamp(on_lab_clock(detail["start_time"], zone))
    assert session.auto_datetime == pd.Timestamp(on_the_clock(detail)["auto_datetime"])
    assert all(value is None or isinstance(value, dict | list | str) for value in details["json"])
    assert all(value is None or isinstance(value, dict | list | str) for value in details["extended_qc"])


def test_nested_values_become_columns(connector: Connector, details: pd.DataFrame) -> None:
    held = [session for session in details.itertuples() if isinstance(session.json, dict) and session.json]
    session = found(held, "a session with json")
    expanded = connector.search(id=session.id, expand=["json", "extended_qc"])
    assert any(column.startswith("json.") for column in expanded)
    assert expanded.columns[-1] == "detail_error"


def test_columns_that_only_details_have_are_named_where_details_are_left_out(
    alyx: AlyxUnderTest, connector: Connector
) -> None:
    name = alyx.subject["nickname"]
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        listed = connector.search(subject=name, details=False)
    lacking = [column for column in ("lab", "task_protocol") if column not in listed]
    words = f"lists sessions without {' and '.join(lacking)}: only details have them. Leave out details=False."
    assert [words in note for note in listed.attrs["notes"]] == [True] * bool(lacking)
    assert [str(one.message) for one in caught] == listed.attrs["notes"]
    whole = connector.search(subject=name, limit=1)
    assert {"lab", "task_protocol"} <= set(whole.columns)
    for other in (whole, connector.subject(name), connector.weights(name), connector.datasets(whole.iloc[0])):
        assert not any("lists" in note for note in other.attrs["notes"])


# filters


def test_a_nickname_matches_whatever_its_case(alyx: AlyxUnderTest, connector: Connector, details: pd.DataFrame) -> None:
    name = alyx.subject["nickname"]
    assert sorted(connector.search(subject=name.upper(), details=False)["id"]) == sorted(details["id"])
    assert sorted(connector.search(nickname=name, details=False)["id"]) == sorted(details["id"])


def test_a_list_is_any_of_these_in_the_order_of_the_server(alyx: AlyxUnderTest, connector: Connector) -> None:
    names = sorted({row["subject"] for row in alyx.rows("/sessions")} & {row["nickname"] for row in alyx.unique})[:3]
    found(names, "sessions")
    together = connector.search(subject=[*names, "nobody-here"], details=False)
    assert sorted(together["id"]) == sorted(
        name for one in names for name in connector.search(subject=one, details=False)["id"]
    )
    assert together["start_time"].is_monotonic_decreasing
    assert connector.search(subject=[], details=False).empty


def test_ids_one_and_many(alyx: AlyxUnderTest, connector: Connector) -> None:
    rows = alyx.rows("/sessions")[:100]
    names = [row["id"] for row in rows]
    assert connector.search(id=names[0], details=False)["id"].to_list() == names[:1]
    assert sorted(connector.search(id=names, details=False)["id"]) == sorted(names)


def test_days_and_open_ends(alyx: AlyxUnderTest, connector: Connector, details: pd.DataFrame) -> None:
    name = alyx.subject["nickname"]
    days = details["start_time"].dt.date
    middle = days.sort_values().iloc[len(days) // 2]
    for first, last in [(middle, None), (None, middle), (middle, middle), (str(middle), dt.date(2100, 1, 1))]:
        inside = days.ge(middle if first else dt.date(1, 1, 1)) & days.le(
            middle if str(last) == str(middle) else dt.date(9999, 1, 1)
        )
        sessions = connector.search(subject=name, date_range=(first, last), details=False)
        assert sorted(sessions["id"]) == sorted(details["id"][inside])
    assert sorted(connector.search(subject=name, date_range=middle, details=False)["id"]) == sorted(
        details["id"][days.eq(middle)]
    )


@pytest.mark.parametrize("name", ["qc", "number", "n_trials", "narrative", "task_protocol", "location", "lab"])
def test_a_value_of_a_session_finds_the_sessions_that_have_it(
    alyx: AlyxUnderTest, connector: Connector, details: pd.DataFrame, name: str
) -> None:
    values = details[name].dropna()
    value = found(values[values.astype(str).ne("")].to_list(), f"a session with {name}")
    sessions = connector.search(subject=alyx.subject["nickname"], details=False, **{name: value})
    same = (
        details[name].str.contains(value, case=False, regex=False)
        if isinstance(value, str)
        else details[name].eq(value)
    )
    assert sorted(sessions["id"]) == sorted(details["id"][same.fillna(False)])


@pytest.mark.parametrize("name", ["users", "projects", "procedures"])
def test_a_name_in_a_list_of_a_session_finds_the_sessions_that_have_it(
    alyx: AlyxUnderTest, connector: Connector, details: pd.DataFrame, name: str
) -> None:
    value = found([one for several in details[name] for one in several], f"a session with {name}")
    sessions = connector.search(subject=alyx.subject["nickname"], details=False, **{name: value})
    assert sorted(sessions["id"]) == sorted(details["id"][[value in several for several in details[name]]])


def test_lookups_of_django(alyx: AlyxUnderTest, connector: Connector, details: pd.DataFrame) -> None:
    name = alyx.subject["nickname"]
    number = int(found(details["number"].dropna().to_list(), "a session with a number"))
    among = {"subject": name, "details": False}
    for wanted in (
        f"number,{number}",
        {"number": number},
        [{"number": number}, {"number": -1}],
        {"number__in": "[-1]"},
    ):
        if wanted == {"number__in": "[-1]"}:
            with pytest.raises(ConfigurationError, match="brackets"):
                connector.search(django=wanted, **among)
            continue
        sessions = connector.search(django=wanted, **among)
        assert sorted(sessions["id"]) == sorted(details["id"][details["number"].eq(number).fillna(False)])
    others = connector.search(django={"~number": number}, **among)
    assert sorted(others["id"]) == sorted(details["id"][~details["number"].eq(number).fillna(False)])
    assert len(connector.search(django={"number__gt": -1}, **among)) == details["number"].notna().sum()
    with pytest.raises(ConfigurationError, match="brackets"):
        connector.search(django={"number__in": "[1]"}, **among)
    missing = connector.search(django={"end_time": None}, **among)
    assert sorted(missing["id"]) == sorted(details["id"][details["end_time"].isna()])


@pytest.mark.parametrize(
    ("wanted", "expected"),
    [
        *(({"v": value}, [value]) for value in VALUES if isinstance(value, str | float | int)),
        ({"v": None}, [MISSING]),
        ({"v__isnull": False}, [value for value in VALUES if value is not MISSING]),
        ({"v": {"w": -1}}, [{"w": -1}]),
        ({"v__lt": 0}, [value for value in NUMBERS if value < 0]),
        ({"v__lte": -5}, [value for value in NUMBERS if value <= -5]),
        ({"v__gt": -5}, [value for value in NUMBERS if value > -5]),
        ({"v__gte": 1e-7}, [value for value in NUMBERS if value >= 1e-7]),
        ({"v__gte": -5, "v__lt": 1}, [value for value in NUMBERS if -5 <= value < 1]),
        ({"v__gte": "2024"}, [value for value in TEXTS if value >= "2024"]),
        ({"v__lt": dt.date(2024, 1, 2)}, [value for value in TEXTS if value < "2024-01-02"]),
        ({"v__icontains": "A"}, ["a, b", "a"]),
        ([{"v": 1}, {"v": "1"}], [1, "1"]),
        ("v,1", [1]),
    ],
    ids=repr,
)
@pytest.mark.parametrize("field", ["json", "extended_qc"])
def test_what_must_hold_in_json(
    connector: Connector, valued: str, field: str, wanted: Any, expected: list[Any]
) -> None:
    sessions = connector.search(subject=valued, details=False, **{field: wanted})
    among = [repr(VALUES[number]) for number in sessions["number"]]
    assert sorted(among) == sorted(map(repr, expected))


def test_subjects_by_their_filters(alyx: AlyxUnderTest, connector: Connector) -> None:
    def search(**filters: Any) -> list[str]:
        return sorted(connector.search("subjects", details=False, **filters)["id"])

    def having(**values: Any) -> list[str]:
        return sorted(row["id"] for row in rows if all(row[name] == value for name, value in values.items()))

    one, rows = alyx.subject, alyx.rows("/subjects")
    assert search(responsible_user=alyx.user, alive=True) == having(responsible_user=alyx.user, alive=True)
    assert search(lab=one["lab"]) == having(lab=one["lab"])
    assert search(alive=False) == having(alive=False)
    assert search(sex=["M", "F"]) == sorted(having(sex="M") + having(sex="F"))
    assert search(nickname=[one["nickname"], "nobody-here"]) == [one["id"]]
    assert set(search(stock=True)) | set(search(stock=False)) == {row["id"] for row in rows}
    assert set(search(water_restricted=True)) <= set(having(alive=True))


# records of one animal


def test_weights_and_water_are_those_of_the_server(alyx: AlyxUnderTest, connector: Connector) -> None:
    weighed = {row["subject"] for row in alyx.rows("/weighings")} & {row["nickname"] for row in alyx.unique}
    name = found(sorted(weighed), "a subject with weighings")
    weights = connector.weights(name)
    rows = alyx.rows("/weighings", nickname=name)
    assert sorted(weights["id"]) == _ids(rows)
    assert sorted(weights["weight"]) == sorted(row["weight"] for row in rows)
    assert weights["date_time"].is_monotonic_decreasing
    water = connector.water(name)
    rows = alyx.rows("/water-administrations", nickname=name)
    assert sorted(water["id"]) == _ids(rows)
    assert _dtypes(water) == _expected("water-administrations", detailed=False)


def test_the_water_requirement_is_the_servers(alyx: AlyxUnderTest, connector: Connector) -> None:
    name = alyx.restricted["nickname"]
    last = dt.date.today()  # noqa: DTZ011 - some days; whose does not matter
    first = last - dt.timedelta(days=6)
    days = connector.water_requirement(name, first, last)
    answer = alyx.get(f"/water-requirement/{name}", start_date=first.isoformat(), end_date=last.isoformat())
    assert _dtypes(days) == {column.name: DTYPES[column.kind] for column in WATER_REQUIREMENT if column.name != "id"}
    assert len(days) == 7
    for column in ("weight", "expected_weight", "min_weight", "percentage_weight", "expected_water", "excess_water"):
        assert days[column].to_list() == [record[column] for record in answer["records"]]
    assert days.attrs["reference_weight_pct"] == answer["reference_weight_pct"]


def test_namesakes_are_told(alyx: AlyxUnderTest, connector: Connector) -> None:
    name = alyx.namesake
    with pytest.warns(AlyxWarning, match=f"Several animals are called {name}"):
        assert len(connector.subject(name)) == 2
    one = next(row for row in alyx.subjects if row["nickname"] == name)
    assert connector.subject(one["id"])["lab"].to_list() == [one["lab"]]


def test_a_server_that_tells_no_water_requirement_says_what_to_ask_instead(
    alyx: AlyxUnderTest, connector: Connector
) -> None:
    name = alyx.restricted["nickname"]
    with pytest.raises(ServerFaultError, match=r"does not tell what .* weighed and drank") as caught:
        connector.water_requirement(name, "2024-01-01", "2024-01-02")
    assert "connector.subject(" in caught.value.hint


def test_the_water_requirement_of_namesakes_is_refused(alyx: AlyxUnderTest, connector: Connector) -> None:
    with pytest.raises(ConfigurationError, match="cannot tell them apart"), pytest.warns(AlyxWarning):
        connector.water_requirement(alyx.namesake, "2024-01-01", "2024-01-02")


def test_the_datasets_of_a_session(alyx: AlyxUnderTest, connector: Connector) -> None:
    dataset = found([row for row in alyx.rows("/datasets") if row["session"]], "a dataset of a session")
    # Its id at the end of an address, or what Alyx-Local calls it: subject, day and number.
    name = dataset["session"].rpartition("/")[2] if "://" in dataset["session"] else dataset["session"]
    datasets = connector.datasets(name)
    assert sorted(datasets["id"]) == _ids(alyx.rows("/datasets", session=connector.session(name).id))
    assert dataset["name"] in datasets["name"].to_list()


# what can be asked


def test_endpoints_and_filters_are_the_servers(connector: Connector) -> None:
    endpoints = connector.endpoints().set_index("endpoint")
    assert {"sessions", "subjects", "weighings", "water-administrations", "datasets", "labs"} <= set(endpoints.index)
    filters = connector.filters("sessions").set_index("filter")
    assert sorted(filters.index) == sorted(endpoints.loc["sessions", "filters"])
    assert filters["match"]["task_protocol"] == "part of a word"
    weighings = connector.filters("weighings").set_index("filter")
    assert weighings["usable"]["nickname"]
    for name in ("lab", "users", "date_range"):
        assert name not in weighings.index or not weighings["usable"][name]
        with pytest.raises(ConfigurationError, match="Use django="):
            connector.search("weighings", **{name: "x"})


def test_how_filters_compare_is_told(alyx: AlyxUnderTest, connector: Connector, details: pd.DataFrame) -> None:
    match = connector.filters("sessions").set_index("filter")["match"]
    name = alyx.subject["nickname"]
    assert match["subject"] == ("exact, but for case" if alyx.rows("/sessions", subject=name.upper()) else "exact")
    one = found([users[0] for users in details["users"] if len(users) == 1], "a session with one user")
    of_both = connector.search(subject=name, users=f"{one},nobody-here", details=False)
    assert match["users"] == ("all" if of_both.empty else "any")
    assert of_both["id"].is_unique


def test_what_is_called_usable_is_answered(alyx: AlyxUnderTest, connector: Connector) -> None:
    filters = connector.filters("sessions").set_index("filter")
    answer = alyx.ask("GET", "/sessions", params={"dataset_types": "trials.table"})
    assert filters["usable"]["dataset_types"] == (answer.status_code == 200)
    with_table = connector.search(django={"data_dataset_session_related__dataset_type__name": "trials.table"})
    assert len(with_table)


def test_every_list_can_be_searched(alyx: AlyxUnderTest, connector: Connector) -> None:
    for endpoint in connector.endpoints()["endpoint"]:
        answer = alyx.ask("GET", f"/{endpoint}", params={"limit": 1})
        if answer.status_code == 500:
            with pytest.raises(ServerFaultError):
                connector.search(endpoint, details=False)
        # One page is enough: some lists of a big lab are long.
        elif answer.json().get("count", 0) < 1000:
            frame = connector.search(endpoint, details=False)
            assert frame.attrs["endpoint"] == endpoint


def test_an_unknown_filter_is_refused_with_the_nearest(connector: Connector) -> None:
    with pytest.raises(ConfigurationError, match=r"sessions at .* cannot be filtered by subjct.*Did you mean subject"):
        connector.search(subjct="ea04")
