"""Many records made at once on a sandbox, by a Connector that may write."""

from __future__ import annotations

import datetime as dt
import json
import pickle
import uuid

import pandas as pd
import pytest

from alyx_connector import (
    AlyxWarning,
    ConfigurationError,
    Connector,
    InvalidDataError,
    PermissionDeniedError,
    RowsNotMadeError,
    ServerFaultError,
    UnreachableError,
)
from alyx_connector.remedy import RemedyKind
from alyx_connector.writing import times_to_send
from alyx_connector.zones.server_offsets import remember_offset

WHEN = dt.datetime(2024, 3, 1, 9, 30)  # noqa: DTZ001 - lab time


@pytest.fixture
def animals(client):
    """The nicknames of three mice of the test's own."""
    names = [f"mouse_{uuid.uuid4().hex[:12]}" for _ in range(3)]
    for name in names:
        client.post("subjects", {"nickname": name, "lab": "haisslab", "species": "Laboratory mouse"})
    return names


@pytest.fixture
def sheet(animals, proxy):
    """Weighings of these on four days; the proxy counts from 0."""
    rows = [
        {"subject": name, "weight": 20.5 + day / 10, "date_time": WHEN + dt.timedelta(days=day)}
        for day in range(4)
        for name in animals
    ]
    proxy.forget_requests()
    return pd.DataFrame(rows)


def posts(proxy):
    return [json.loads(seen.body) for seen in proxy.requests if seen.method == "POST"]


def fail_post(proxy, number, fault, **options):
    """Have only that POST fail, counted from 1."""
    proxy.choose(lambda seen: (fault, options) if seen.method == "POST" and proxy.count("POST") == number else None)


def weights(client, animals):
    return sorted(row["weight"] for name in animals for row in client.list("weighings", {"nickname": name}))


def test_animals_are_looked_up_together_and_rows_sent_in_order(writer, proxy, client, animals, sheet):
    made = writer.create_many("weighings", sheet)
    assert proxy.count("GET") <= 15, "the animals, what they have, whether the server keeps zones, and its clock"
    assert proxy.count("GET", "/admin/login/") == proxy.count("GET", "/labs") == 1
    assert [(sent["subject"], sent["weight"]) for sent in posts(proxy)] == list(
        zip(sheet.subject, sheet.weight, strict=True)
    )
    assert made.outcome.to_list() == ["made"] * 12
    assert made.index.equals(sheet.index)
    proxy.forget_requests()
    writer.create_many("weighings", sheet)
    assert sorted(seen.path for seen in proxy.requests) == ["/subjects", "/weighings"]
    assert sorted(made.id) == sorted(writer.weights(animals).id)
    assert made.reason.isna().all()
    ids = {row["nickname"]: row["id"] for name in animals for row in client.list("subjects", {"nickname": name})}
    assert made.subject_id.to_list() == [ids[name] for name in sheet.subject]


def test_a_dry_run_sends_nothing_and_shows_what_would_be_sent(writer, proxy, client, animals, sheet):
    shown = Connector().create_many("weighings", sheet, dry_run=True)
    assert (proxy.count("POST"), weights(client, animals)) == (0, [])
    assert shown.outcome.to_list() == ["not sent"] * 12
    assert shown.id.isna().all()
    assert shown.date_time[0] == "2024-03-01T08:30:00", "the server is in UTC, the lab in Paris"
    assert shown.columns.to_list() == ["outcome", "reason", "id", "subject_id", "subject", "weight", "date_time"]
    assert shown.attrs["endpoint"] == "weighings"
    one = Connector().create("weighings", **sheet.iloc[0], dry_run=True)
    assert one.to_dict() == shown.iloc[0].drop(["outcome", "reason", "id"]).to_dict()
    with pytest.raises(ConfigurationError, match=r"only reads: create_many\(\) is off"):
        Connector().create_many("weighings", sheet)
    session = writer.search(subject="ea04", limit=1).iloc[0]
    changed = Connector().update("sessions", session, narrative="x", end_time=WHEN, dry_run=True)
    assert (changed.name, changed.to_dict()) == (session.id, {"narrative": "x", "end_time": "2024-03-01T09:30:00"})
    with pytest.raises(ConfigurationError, match="Did you mean narrative"):
        Connector().update("sessions", session, narative="x", dry_run=True)
    assert proxy.count("POST") == proxy.count("PATCH") == 0


def test_after_a_lost_answer_each_row_is_accounted_for_and_the_same_call_goes_on(writer, proxy, client, animals, sheet):
    fail_post(proxy, 5, "drop-after")
    with pytest.raises(RowsNotMadeError, match=r"Row 4 of these weighings was not made.*7 not sent, 4 made") as caught:
        writer.create_many("weighings", sheet)
    told = caught.value.outcomes
    assert told.outcome.to_list() == ["made"] * 4 + ["may be made"] + ["not sent"] * 7
    assert told.id.notna().to_list() == [True] * 4 + [False] * 8
    assert told.reason.notna().to_list() == [False] * 4 + [True] + [False] * 7
    assert isinstance(caught.value.__cause__, UnreachableError)
    assert caught.value.remedy.kind is RemedyKind.SEND_AGAIN
    assert pickle.loads(pickle.dumps(caught.value)).outcomes.equals(told)
    assert proxy.count("POST") == 5
    proxy.choose(None)
    again = writer.create_many("weighings", sheet)
    assert again.outcome.to_list() == ["there already"] * 5 + ["made"] * 7
    assert again.id.notna().all()
    assert weights(client, animals) == sorted(sheet.weight)


def test_what_was_sent_by_a_guess_of_the_clock_is_not_made_again(writer, proxy, client, animals, sheet, monkeypatch):
    remember_offset(writer.url, dt.timedelta(hours=1))
    monkeypatch.setattr(times_to_send, "seen_offset", lambda _client, _moment: None)
    fail_post(proxy, 5, "drop-after")
    with pytest.warns(AlyxWarning, match="an hour off"), pytest.raises(RowsNotMadeError):
        writer.create_many("weighings", sheet)
    proxy.choose(None)
    monkeypatch.setattr(times_to_send, "seen_offset", lambda _client, _moment: dt.timedelta(0))  # now it is known
    made = writer.create_many("weighings", sheet)
    assert made.outcome.to_list() == ["there already"] * 5 + ["made"] * 7
    assert weights(client, animals) == sorted(sheet.weight)


@pytest.mark.parametrize(
    ("status", "cause", "outcome"),
    [
        (400, InvalidDataError, "not sent"),
        (403, PermissionDeniedError, "not sent"),
        (500, ServerFaultError, "may be made"),
    ],
)
def test_nothing_is_sent_after_a_refusal(writer, proxy, client, animals, sheet, status, cause, outcome):
    body = {"weight": ["no"]} if status == 400 else {"detail": "no"}
    fail_post(proxy, 2, "answer", status=status, body=body)
    with pytest.raises(RowsNotMadeError) as caught:
        writer.create_many("weighings", sheet)
    assert caught.value.outcomes.outcome.to_list() == ["made", outcome, *["not sent"] * 10]
    assert isinstance(caught.value.__cause__, cause)
    assert (proxy.count("POST"), len(weights(client, animals))) == (2, 1)


def test_each_bad_row_is_named_with_its_reason_and_none_is_sent(writer, proxy, animals):
    first, second, third = animals
    rows = [
        {"subject": first, "weight": 2450, "date_time": WHEN},
        {"subject": "nobody", "weight": 20, "date_time": WHEN},
        {"subject": first, "wieght": 20, "date_time": WHEN},
        {"subject": first, "weight": "24,5", "date_time": WHEN},
        {"subject": first, "weight": 24.5, "date_time": "1/3/2024 9:30"},
        {"subject": "jo001", "weight": 24.5, "date_time": WHEN},
        {"subject": 1, "weight": 24.5, "date_time": WHEN},
        {"subject": second, "date_time": WHEN},
        {"subject": second, "weight": 24.5},
        {"subject": third, "weight": 24.5, "date_time": WHEN},
        {"subject": third, "weight": 24.5, "date_time": WHEN},
        {"subject": third, "weight": 29.4, "date_time": WHEN + dt.timedelta(days=1)},
        {"weight": 24.5, "date_time": WHEN},
    ]
    proxy.forget_requests()
    with pytest.raises(RowsNotMadeError) as caught:
        writer.create_many("weighings", rows)
    lines = caught.value.message.splitlines()
    assert lines[0].startswith("12 of 13 rows cannot become weighings at http://127.0.0.1")
    for row, words in {
        "Row 0": "2450 g is outside",
        "Row 1": "no subject 'nobody'",
        "Row 2": "Did you mean weight?",
        "Row 3": "'24,5', which is not a number",
        "Row 4": "'1/3/2024 9:30', which is not a time",
        "Row 5": "Several animals are called jo001",
        "Row 6": "1 is not a subject",
        "Row 7": "There is no weight.",
        "Row 8": "There is no date_time.",
        "Row 10": "same as row 9",
        "Row 11": "20 % off the 24.5 g",
        "Row 12": "There is no subject.",
    }.items():
        assert any(line.startswith(f"{row}: ") and words in line for line in lines), row
    assert caught.value.outcomes.reason.isna().to_list() == [place == 9 for place in range(13)]
    assert proxy.count("POST") == 0
    assert "force=True" in lines[1], "where there are several remedies, each stands beside its row"


def test_rows_with_one_reason_are_named_together_as_the_frame_calls_them(writer, proxy, sheet):
    late = sheet.rename(columns={"weight": "wieght"}).iloc[2:]
    with pytest.raises(
        RowsNotMadeError, match=r"Rows 2 to 11: weighings at .* have no field wieght.*There are: "
    ) as caught:
        writer.create_many("weighings", late)
    assert caught.value.outcomes.index.equals(late.index)
    heavy = sheet.assign(weight=[2450.0, 2460.0, *sheet.weight[2:]])
    with pytest.raises(RowsNotMadeError, match=r"Row 1: 2460.*If it is right, add force=True") as caught:
        writer.create_many("weighings", pd.concat([heavy, heavy.iloc[:0]]))
    assert caught.value.remedy.kind is RemedyKind.FORCE
    assert proxy.count("POST") == 0


def test_doubtful_weights_are_made_by_force_but_never_twice(writer, client, animals):
    rows = [{"subject": animals[0], "weight": grams, "date_time": WHEN} for grams in (24.5, 90.0)]
    for expected in ("made", "there already"):
        assert writer.create_many("weighings", rows, force=True).outcome.to_list() == [expected] * 2
    assert weights(client, animals) == [24.5, 90.0]
    # What is there is not judged again.
    assert writer.create_many("weighings", rows).outcome.to_list() == ["there already"] * 2


def test_empty_cells_are_left_out_and_whole_numbers_stay_whole(writer, proxy, animals):
    frame = pd.DataFrame(
        {
            "subject": animals[:2],
            "start_time": [pd.Timestamp(WHEN), pd.Timestamp("2024-03-02 09:30")],
            "end_time": [pd.NaT, pd.Timestamp("2024-03-02 10:30")],
            "number": [float("nan"), 2],
            "narrative": [None, "left port sticky"],
            "json": [{"rig": "r1"}, None],
        },
        index=["mon", "tue"],
    )
    proxy.forget_requests()
    made = writer.create_many("sessions", frame)
    assert posts(proxy) == [
        {"subject": animals[0], "start_time": "2024-03-01T09:30:00", "json": {"rig": "r1"}},
        {
            "subject": animals[1],
            "start_time": "2024-03-02T09:30:00",
            "end_time": "2024-03-02T10:30:00",
            "number": 2,
            "narrative": "left port sticky",
        },
    ]
    assert proxy.count("GET") == 3
    assert made.index.to_list() == ["mon", "tue"]
    water = [{"subject": animals[0], "date_time": WHEN, "water_administered": 0.5, "session": made.loc["mon"]}]
    assert writer.create_many("water-administrations", water).session.to_list() == [made.id["mon"]]


def test_animals_may_be_named_by_id(writer, client, animals):
    (row,) = client.list("subjects", {"nickname": animals[0]})
    rows = [{"subject": one, "weight": 24.5, "date_time": WHEN} for one in (uuid.UUID(row["id"]), animals[1])]
    assert writer.create_many("weighings", rows).subject.to_list() == animals[:2]
    with pytest.raises(RowsNotMadeError, match="no subject"):
        writer.create_many("weighings", [*rows, {**rows[0], "subject": "it's (1), really"}])
    twin = client.list("subjects", {"nickname": "jo001"})[0]
    with pytest.raises(RowsNotMadeError, match="Give them different nicknames"):
        writer.create_many("weighings", [{**rows[0], "subject": twin["id"]}])


def test_what_a_server_stored_otherwise_is_told_by_rows(writer, proxy, sheet):
    proxy.fault("alter", method="POST", times=3, change=lambda row: {**row, "weight": 1})
    with pytest.warns(AlyxWarning, match=r"^Rows? .*weight was sent as 20\.5 and stored as 1") as caught:
        made = writer.create_many("weighings", sheet.iloc[:3])
    assert [str(one.message) for one in caught] == made.attrs["notes"]
    assert made.attrs["notes"] == ["Rows 0 to 2: weight was sent as 20.5 and stored as 1."]


def test_of_other_lists_the_rest_is_to_be_sent(writer, proxy, client):
    names = [f"procedure {uuid.uuid4().hex[:8]}" for _ in range(3)]
    rows = [{"name": name} for name in names]
    fail_post(proxy, 2, "drop-after")
    with pytest.raises(RowsNotMadeError) as caught:
        writer.create_many("procedures", rows)
    assert caught.value.remedy.kind is RemedyKind.SEND_REST
    told = caught.value.outcomes
    assert told.outcome.to_list() == ["made", "may be made", "not sent"]
    proxy.choose(None)
    writer.create_many("procedures", [row for row, one in zip(rows, told.outcome, strict=True) if one == "not sent"])
    assert [row["name"] for row in client.list("procedures") if row["name"] in names] == names


def test_what_is_not_rows_is_refused_and_no_rows_are_nothing(writer, proxy, sheet):
    for rows in ({"subject": "ea04"}, "ea04", [1], sheet["subject"]):
        with pytest.raises(ConfigurationError, match="rows cannot be"):
            writer.create_many("weighings", rows)
    with pytest.raises(ConfigurationError, match="Several columns have one name: weight"):
        writer.create_many("weighings", pd.concat([sheet, sheet[["weight"]]], axis=1))
    with pytest.raises(ConfigurationError, match="Did you mean weighings"):
        writer.create_many("weighing", sheet)
    assert writer.create_many("weighings", sheet.iloc[:0]).columns.to_list() == ["outcome", "reason", "id"]
    assert proxy.count("POST") == 0


def test_many_animals_of_labs_in_several_zones_are_shown_in_lab_time(writer, proxy, client):
    names = [f"mouse_{uuid.uuid4().hex[:12]}" for _ in range(14)]
    for place, name in enumerate(names):
        client.post("subjects", {"nickname": name, "lab": "haisslab" if place % 2 else "champalimaud"})
    writer.create_many("weighings", [{"subject": name, "weight": 24.5, "date_time": WHEN} for name in names])
    stored = {row["date_time"] for name in names for row in client.list("weighings", {"nickname": name})}
    assert stored == {"2024-03-01T08:30:00", "2024-03-01T09:30:00"}, "Paris and Lisbon, on the server's clock"
    proxy.forget_requests()
    shown = writer.weights(names)
    assert shown.date_time.to_list() == [pd.Timestamp(WHEN)] * len(names)
    assert proxy.count(path="/subjects") == 1, "how many animals there are: their rows take Alyx long"
