"""What the analyst's Connector writes, beside what the server then holds."""

from __future__ import annotations

import datetime as dt
from typing import TYPE_CHECKING, Any

import pytest

from alyx_connector import (
    AlyxWarning,
    ConfigurationError,
    ConflictError,
    Connector,
    InvalidDataError,
    RowsNotMadeError,
)
from tests.contract.alyx_under_test import on_the_clock

if TYPE_CHECKING:
    import pandas as pd

    from tests.contract.alyx_under_test import AlyxUnderTest, Animal

WHEN = dt.datetime(2026, 11, 20, 10)  # noqa: DTZ001 - lab time


@pytest.fixture
def writer(writable: AlyxUnderTest, connector: Connector) -> Connector:
    """The Connector that may write."""
    return Connector(connector.url, connector.username, write=True)


@pytest.fixture
def session(writer: Connector, subject: Animal) -> pd.Series:
    """A session of a new subject."""
    return writer.create(
        "sessions",
        subject=subject.nickname,
        number=1,
        start_time=WHEN,
        narrative="new",
        json={"rig": "r1", "qc": {"a": 1}},
    )


def _stored(writable: AlyxUnderTest, session: pd.Series) -> dict[str, Any]:
    # The lab of the animal is in the zone of the server, where that keeps one.
    return on_the_clock(writable.get(f"/sessions/{session.id}"))


def test_a_new_session_is_stored_and_given_back_as_a_row_of_a_search(
    writable: AlyxUnderTest, writer: Connector, session: pd.Series, subject: Animal
) -> None:
    stored = _stored(writable, session)
    assert (stored["subject"], stored["number"], stored["narrative"]) == (subject.nickname, 1, "new")
    assert (stored["start_time"], stored["json"]) == (WHEN.isoformat(), {"rig": "r1", "qc": {"a": 1}})
    found = writer.search(id=session.id).iloc[0]
    assert set(session.index) <= set(found.index)
    for name in ("id", "subject", "start_time", "number", "lab", "task_protocol", "narrative", "json", "qc", "users"):
        assert session[name] == found[name]


def test_what_is_updated_and_nothing_else_changes(
    writable: AlyxUnderTest, writer: Connector, session: pd.Series
) -> None:
    before = _stored(writable, session)
    changed = writer.update("sessions", session, narrative="left port sticky", n_trials=340, end_time=WHEN)
    after = _stored(writable, session)
    assert (after["narrative"], after["n_trials"], after["end_time"]) == ("left port sticky", 340, WHEN.isoformat())
    assert (changed.narrative, changed.n_trials) == ("left port sticky", 340)
    touched = {"narrative", "n_trials", "end_time", "auto_datetime"}
    assert {name: after[name] for name in after if name not in touched} == {
        name: before[name] for name in before if name not in touched
    }


@pytest.mark.parametrize("field", ["json", "extended_qc"])
def test_json_is_merged(writable: AlyxUnderTest, writer: Connector, session: pd.Series, field: str) -> None:
    writer.update_json("sessions", session.id, {"qc": {"noise": -3}, "rig": None, "days": [1, 2]}, field=field)
    before = {"rig": "r1", "qc": {"a": 1}} if field == "json" else {"qc": {}}
    stored = writable.get(f"/sessions/{session.id}")[field]
    assert stored == {"rig": None, "qc": {**before["qc"], "noise": -3}, "days": [1, 2]}


def test_what_somebody_else_wrote_meanwhile_is_told_and_kept(
    writable: AlyxUnderTest, writer: Connector, session: pd.Series
) -> None:
    answer = writable.ask("PATCH", f"/sessions/{session.id}", json={"json": {"rig": "r2"}})
    assert answer.status_code == 200
    with pytest.raises(ConflictError) as caught:
        writer.update_json("sessions", session, {"qc": {"noise": 3}}, since=session)
    assert "json.rig" in caught.value.changed
    assert writable.get(f"/sessions/{session.id}")["json"] == {"rig": "r2"}


def test_weights_and_water_are_created_by_nickname_and_by_id(
    writable: AlyxUnderTest, writer: Connector, subject: Animal
) -> None:
    writer.create("weighings", subject=subject.nickname, weight=24.5, date_time=WHEN)
    writer.create("weighings", subject=subject.id, weight=24.1, date_time=WHEN + dt.timedelta(days=1))
    writer.create("water-administrations", subject=subject.nickname, water_administered=0.8, date_time=WHEN)
    assert writer.weights(subject.nickname)["weight"].to_list() == [24.1, 24.5]
    assert writer.water(subject.nickname)["water_administered"].to_list() == [0.8]


def test_an_unknown_name_is_refused_before_anything_is_sent(
    writable: AlyxUnderTest, writer: Connector, session: pd.Series
) -> None:
    with pytest.raises(ConfigurationError, match="narrative"):
        writer.update("sessions", session, narative="x")
    assert _stored(writable, session)["auto_datetime"] == session.auto_datetime.isoformat()


def test_a_number_that_is_taken_is_refused_with_the_next(writable: AlyxUnderTest, writer: Connector) -> None:
    with writable.new_subject() as animal:
        fields = {"subject": animal.nickname, "start_time": WHEN, "force": True}
        first, second = (writer.create("sessions", **fields, number=number) for number in (1, 2))
        with pytest.raises(InvalidDataError, match=r"has a session 1 of .* 3 is free") as caught:
            writer.create("sessions", **fields, number=1)
        assert caught.value.fields == {"number": ["1 is taken"]}
        with pytest.raises(InvalidDataError, match=r"has a session 1 of .* 2 is free"):
            writer.update("sessions", second, number=1)
        assert writer.create("sessions", **fields).number == 3
        numbers = [row["number"] for row in writable.rows("/sessions", subject=animal.nickname)]
        assert (first.number, sorted(numbers)) == (1, [1, 2, 3])


def test_sessions_may_share_a_number(writable: AlyxUnderTest, writer: Connector) -> None:
    with writable.new_subject() as animal:
        for _ in range(2):
            assert writer.create("sessions", subject=animal.nickname, start_time=WHEN, number=1, force=True).number == 1
        assert len(writable.rows("/sessions", subject=animal.nickname)) == 2


def test_what_a_server_reads_in_the_narrative_is_said_and_stays(writer: Connector, subject: Animal) -> None:
    fields = {"subject": subject.nickname, "start_time": WHEN, "number": 1}
    with pytest.warns(AlyxWarning) as caught:
        session = writer.create("sessions", **fields, narrative="- C2: right", json={"rig": "r1"})
    assert session.json == {"rig": "r1", "whisker_stims": {"Stimulus right": {"1": "C2"}}}
    assert "The server added json.whisker_stims." in [str(one.message) for one in caught]
    changed = writer.update_json("sessions", session, {"a": 1}, since=session)
    assert changed.json == {**session.json, "a": 1}


def test_a_narrative_changes_nothing_else(writer: Connector, subject: Animal) -> None:
    fields = {"subject": subject.nickname, "start_time": WHEN, "number": 1}
    assert writer.create("sessions", **fields, narrative="- C2: right", json={"rig": "r1"}).json == {"rig": "r1"}


def test_a_weight_is_judged_by_the_days_before_alone(writer: Connector, subject: Animal) -> None:
    animal = subject.nickname
    for days, grams in ((-5, 40.0), (5, 40.0), (-3, 24.0)):
        writer.create("weighings", subject=animal, weight=grams, date_time=WHEN + dt.timedelta(days=days), force=True)
    assert writer.create("weighings", subject=animal, weight=24.5, date_time=WHEN).weight == 24.5
    with pytest.raises(ConfigurationError, match=r"10 % off the 24(\.0)? g"):
        writer.create("weighings", subject=animal, weight=26.5, date_time=WHEN)


@pytest.mark.parametrize("hour", [0, 12, 23])
def test_a_second_identical_weight_is_refused_at_any_hour(writer: Connector, subject: Animal, hour: int) -> None:
    weighing = {"subject": subject.nickname, "weight": 24.5, "date_time": WHEN.replace(hour=hour, minute=30)}
    writer.create("weighings", **weighing)
    with pytest.raises(ConfigurationError, match="has one of these weighings"):
        writer.create("weighings", **weighing)


def _weighings(animal: Animal) -> list[dict[str, Any]]:
    days = (WHEN + dt.timedelta(days=days) for days in range(-3, 1))
    named = (animal.nickname, animal.id, animal.key, animal.nickname)
    return [{"subject": name, "weight": 24.5, "date_time": day} for name, day in zip(named, days, strict=True)]


def test_many_weights_are_shown_made_and_made_once(writer: Connector, subject: Animal) -> None:
    rows = _weighings(subject)
    shown = writer.create_many("weighings", rows, dry_run=True)
    assert shown.outcome.to_list() == ["not sent"] * 4
    assert set(shown.subject_id) == {subject.id}
    assert set(shown.subject) == {subject.key}
    assert writer.weights(subject.nickname).empty
    made = writer.create_many("weighings", [*rows[:2], *rows[3:]])
    again = writer.create_many("weighings", rows)
    assert (made.outcome.to_list(), again.outcome.to_list()) == (
        ["made"] * 3,
        ["there already", "there already", "made", "there already"],
    )
    weights = writer.weights(subject.nickname)
    assert weights.date_time.to_list() == [row["date_time"] for row in reversed(rows)]
    assert set(weights.id) == set(again.id)


def test_a_bad_row_stops_all_of_them(writer: Connector, subject: Animal) -> None:
    rows = _weighings(subject)
    bad = [{**rows[0], "weight": 2450}, {**rows[0], "subject": f"{subject.nickname}x"}, rows[1], rows[1]]
    with pytest.raises(RowsNotMadeError, match=r"3 of 4 rows") as caught:
        writer.create_many("weighings", bad)
    for words in ("Row 0: 2450 g is outside", "Row 1: There is no subject", "Row 3: It is the same as row 2"):
        assert words in caught.value.message
    assert writer.weights(subject.nickname).empty


def test_what_a_server_refuses_ends_it_and_the_same_rows_go_on(writer: Connector, subject: Animal) -> None:
    rows = _weighings(subject)
    with pytest.raises(RowsNotMadeError, match="Row 2 of these weighings was not made") as caught:
        writer.create_many("weighings", [*rows[:2], {**rows[2], "user": "nobody"}, *rows[3:]])
    assert caught.value.outcomes.outcome.to_list() == ["made", "made", "not sent", "not sent"]
    assert isinstance(caught.value.__cause__, InvalidDataError)
    again = writer.create_many("weighings", rows)
    assert again.outcome.to_list() == ["there already", "there already", "made", "made"]


def test_many_sessions_and_water_are_made_once(writer: Connector, subject: Animal) -> None:
    starts = [WHEN.replace(hour=hour, minute=30) for hour in (0, 10, 23)]
    rows = [{"subject": subject.nickname, "start_time": start} for start in starts]
    sessions = writer.create_many("sessions", rows)
    assert writer.create_many("sessions", rows).id.to_list() == sessions.id.to_list()
    assert sorted(writer.search(subject=subject.nickname).start_time) == starts
    water = [
        {"subject": subject.nickname, "date_time": start, "water_administered": 0.5, "session": session}
        for start, session in zip(starts, sessions.id, strict=True)
    ]
    for expected in ("made", "there already"):
        assert writer.create_many("water-administrations", water).outcome.to_list() == [expected] * 3
    assert set(writer.water(subject.nickname).session) == set(sessions.id)
