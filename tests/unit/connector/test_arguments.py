"""What callers give is checked before anything is sent."""

from __future__ import annotations

import datetime

import pytest

from alyx_connector import AlyxClient, ConfigurationError, InvalidDataError, Timeouts
from alyx_connector.http.arguments import checked_params, endpoint_path, json_body, user_agent_of

TOKEN = "0123456789abcdef0123456789abcdef01234567"


@pytest.mark.parametrize(
    ("endpoint", "path"),
    [
        ("subjects", "subjects"),
        ("/subjects", "subjects"),
        ("subjects/ea04", "subjects/ea04"),
        (("subjects", "a b/c?d#é"), "subjects/a%20b%2Fc%3Fd%23%C3%A9"),
        (["water-type", "Water 15% Sucrose"], "water-type/Water%2015%25%20Sucrose"),
    ],
)
def test_an_endpoint_becomes_a_path(endpoint, path):
    assert endpoint_path(endpoint) == path


@pytest.mark.parametrize(
    "endpoint",
    [
        "",
        " ",
        "/",
        "//",
        "subjects/",
        "subjects//x",
        "subjects/ ",
        "../admin",
        "subjects/..",
        "subjects/./x",
        "subjects?alive=True",
        "subjects#x",
        "http://evil.example/subjects",
        "a\\b",
        None,
        3,
        b"subjects",
        (),
        ("subjects", ""),
        ("subjects", None),
        ("subjects", " "),
        ("subjects", ".."),
        ("subjects", "\ud800"),
    ],
)
def test_an_empty_or_strange_endpoint_is_refused(endpoint):
    with pytest.raises(ConfigurationError) as caught:
        endpoint_path(endpoint)
    assert caught.value.setting == "endpoint"
    assert caught.value.hint


def test_filters():
    day = datetime.date(2024, 1, 2)
    given = {"lab": "x", "alive": True, "limit": 3, "django": "a,b", "day": day, "subject": ["a", "b"]}
    before = dict(given)
    assert checked_params(given) == [
        ("lab", "x"),
        ("alive", "True"),
        ("limit", "3"),
        ("django", "a,b"),
        ("day", "2024-01-02"),
        ("subject", "a"),
        ("subject", "b"),
    ]
    assert given == before
    assert checked_params(None) == checked_params({}) == []
    assert checked_params({"n": 0, "flag": False}) == [("n", "0"), ("flag", "False")]


@pytest.mark.parametrize(
    "params",
    [
        {"lab": None},
        {"lab": ""},
        {"lab": " "},
        {"lab": []},
        {"lab": ["x", None]},
        {"": "x"},
        {None: "x"},
        {3: "x"},
        "lab=x",
    ],
)
def test_a_filter_that_would_filter_nothing_is_refused(params):
    with pytest.raises(ConfigurationError) as caught:
        checked_params(params)
    assert caught.value.setting == "params"


@pytest.mark.parametrize("data", [{"weight": float("nan")}, {"weight": {1, 2}}, {"x": object()}, {(1, 2): 3}])
def test_data_that_json_cannot_express_are_refused_unsent(data):
    with pytest.raises(InvalidDataError, match="weighings at https://lab") as caught:
        json_body(data, "weighings", "https://lab.org")
    assert caught.value.status is None
    assert caught.value.__context__ is None


@pytest.mark.parametrize("token", ["", " ", TOKEN + "\n", "a b", "tökén", "\x00", 5])
def test_a_token_that_is_none_is_refused_and_not_repeated(token):
    with pytest.raises(ConfigurationError) as caught:
        AlyxClient("lab.org", token=token)
    assert caught.value.setting == "token"
    assert str(token).strip() not in str(caught.value).split() or not str(token).strip()


@pytest.mark.parametrize("limits", [{"connect": 0}, {"read": -1}, {"operation": float("inf")}, {"read": None}])
def test_timeouts_are_finite(limits):
    with pytest.raises(ConfigurationError, match=next(iter(limits))):
        Timeouts(**limits)


@pytest.mark.parametrize("concurrency", [0, -1, 1.5, True, "8"])
def test_concurrency_is_a_number_from_1(concurrency):
    with pytest.raises(ConfigurationError) as caught:
        AlyxClient("lab.org", concurrency=concurrency)
    assert caught.value.setting == "concurrency"


def test_the_user_agent_names_program_and_version():
    assert user_agent_of("alyx-connector").startswith("alyx-connector/2.")
    assert user_agent_of("pybpod-alyx").startswith("pybpod-alyx/2.")
    assert user_agent_of("rig/1.2").startswith("rig/1.2 alyx-connector/2.")
    for unusable in ("", "a\nb", "é", None):
        with pytest.raises(ConfigurationError):
            user_agent_of(unusable)


def test_neither_repr_nor_str_shows_the_token():
    client = AlyxClient("lab.org", username="jose", token=TOKEN)
    assert TOKEN not in f"{client!r} {client} {client._login!r}"
    assert "https://lab.org" in repr(client)
    assert "jose" in repr(client)
