"""What an error means for an item, and by what a record is known again."""

from __future__ import annotations

from dataclasses import replace

import pytest

from alyx_connector import errors
from pybpod_alyx_module.outbox.alyx_records import differences, has_our_amount, is_ours, payload, record_id
from pybpod_alyx_module.outbox.items import Kind
from pybpod_alyx_module.outbox.outcomes import Scope, outcome_of_reading, outcome_of_writing
from pybpod_alyx_module.outbox.states import Event
from tests.unit.outbox.test_states import ITEM

#: Error, event and scope where a record was to be written, event and scope where nothing was.
MEANING = [
    (errors.LoginRequiredError("x"), Event.POSTPONE, Scope.LOGIN, Event.POSTPONE, Scope.LOGIN),
    (errors.PermissionDeniedError("x"), Event.PARK, Scope.NONE, Event.PARK, Scope.NONE),
    (errors.InvalidDataError("x", status=400), Event.PARK, Scope.NONE, Event.PARK, Scope.NONE),
    (errors.RateLimitedError("x", status=429), Event.POSTPONE, Scope.ACCOUNT, Event.POSTPONE, Scope.ACCOUNT),
    (errors.NotFoundError("x", status=404), Event.PARK, Scope.NONE, Event.POSTPONE, Scope.SERVER),
    (errors.ResponseError("x", status=413), Event.PARK, Scope.NONE, Event.POSTPONE, Scope.SERVER),
    (errors.ResponseError("x", status=408), Event.LOSE, Scope.SERVER, Event.POSTPONE, Scope.SERVER),
    (errors.ServerFaultError("x", status=500), Event.LOSE, Scope.NONE, Event.POSTPONE, Scope.ITEM),
    (errors.ServerFaultError("x", status=502), Event.LOSE, Scope.SERVER, Event.POSTPONE, Scope.SERVER),
    (errors.ServerFaultError("x", status=503), Event.LOSE, Scope.SERVER, Event.POSTPONE, Scope.SERVER),
    (errors.ServerFaultError("x", status=504), Event.LOSE, Scope.SERVER, Event.POSTPONE, Scope.SERVER),
    (errors.UnreachableError("x"), Event.POSTPONE, Scope.SERVER, Event.POSTPONE, Scope.SERVER),
    (errors.UnreachableError("x", maybe_processed=True), Event.LOSE, Scope.SERVER, Event.POSTPONE, Scope.SERVER),
    (errors.RequestTimeoutError("x", maybe_processed=True), Event.LOSE, Scope.SERVER, Event.POSTPONE, Scope.SERVER),
    (errors.CertificateError("x"), Event.POSTPONE, Scope.SERVER, Event.POSTPONE, Scope.SERVER),
    (errors.ProtocolError("x"), Event.LOSE, Scope.SERVER, Event.POSTPONE, Scope.SERVER),
    (errors.NotAlyxError("x"), Event.LOSE, Scope.SERVER, Event.POSTPONE, Scope.SERVER),
    (errors.ConfigurationError("x"), Event.POSTPONE, Scope.SERVER, Event.POSTPONE, Scope.SERVER),
]


@pytest.mark.parametrize("row", MEANING, ids=lambda row: f"{type(row[0]).__name__} {getattr(row[0], 'status', '')}")
def test_what_an_error_means(row):
    error, writing, scope, reading, reading_scope = row
    wrote, read = outcome_of_writing(error), outcome_of_reading(error)
    assert (wrote.event, wrote.scope) == (writing, scope)
    assert (read.event, read.scope) == (reading, reading_scope)
    assert wrote.reason == read.reason == "x"


def test_only_a_500_counts_as_a_fault_of_the_item():
    assert outcome_of_writing(errors.ServerFaultError("x", status=500)).fault
    assert not outcome_of_writing(errors.ServerFaultError("x", status=503)).fault
    assert not outcome_of_writing(errors.UnreachableError("x", maybe_processed=True)).fault


def test_a_weighing_is_known_by_exact_time_and_user():
    row = {"date_time": "2026-11-21T12:00:00.000001", "user": "jose", "weight": 24.5}
    assert is_ours(ITEM, row)
    assert is_ours(ITEM, {**row, "date_time": "2026-11-21T12:00:00.000001+01:00"})  # as Alyx-Local answers
    assert not is_ours(ITEM, {**row, "date_time": "2026-11-21T12:00:00"})
    assert not is_ours(ITEM, {**row, "user": "ana"})
    assert has_our_amount(ITEM, row)
    assert not has_our_amount(ITEM, {**row, "weight": 24.6})


def test_a_session_is_known_by_its_key():
    session = replace(ITEM, kind=Kind.SESSION, values={"start_time": "2026-11-21T12:00:00", "json": {"a": 1}})
    sent = payload(session, "ea04", None)
    assert sent["json"] == {"a": 1, "pybpod": {"outbox_key": ITEM.key}}
    assert is_ours(session, sent)
    for other in (None, [], "x", {"pybpod": None}, {"pybpod": {"outbox_key": "x"}}):
        assert not is_ours(session, {**sent, "json": other})


@pytest.mark.parametrize(
    ("sent", "got"),
    [
        ({"subject": "a"}, {"subject": "b"}),
        ({"narrative": " x "}, {"narrative": "x"}),
        ({"users": ["a", "b"]}, {"users": ["b", "a"]}),
        ({"start_time": "2026-11-21T12:00:00"}, {"start_time": "2026-11-21T12:00:00+01:00"}),
        ({"type": None}, {"type": ""}),
        ({"weight": 24}, {"weight": 24.0}),
        ({"unknown": 1}, {}),
    ],
)
def test_what_the_server_writes_otherwise_is_no_difference(sent, got):
    assert differences(sent, got) == []


@pytest.mark.parametrize(
    ("sent", "got"),
    [
        ({"weight": 24.5}, {"weight": 24.4}),
        ({"users": ["a"]}, {"users": ["a", "b"]}),
        ({"start_time": "2026-11-21T12:00:00"}, {"start_time": None}),
        ({"end_time": None}, {"end_time": "2026-11-21T12:00:00"}),
        ({"session": None}, {"session": "x"}),
        ({"narrative": "x"}, {"narrative": "y"}),
    ],
)
def test_differences_name_the_field(sent, got):
    [difference] = differences(sent, got)
    assert difference.startswith(f"{next(iter(sent))}: ")


def test_the_id_of_a_record_comes_from_its_url_where_it_has_none():
    known = "1368afed-5fc8-405e-b314-ea8f6f429575"
    assert record_id({"url": f"http://x/api/weighings/{known}"}) == known
    assert record_id({"id": known, "url": "http://x/sessions/y"}) == known
    for nothing in (None, [], {}, {"url": "http://x/weighings/1"}):
        assert record_id(nothing) is None
