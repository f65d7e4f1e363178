"""Labs in other zones than the server: the times that are typed, and those that are read, are of the lab's clock."""

from __future__ import annotations

import datetime as dt
import itertools
import uuid
from typing import TYPE_CHECKING, NamedTuple
from zoneinfo import ZoneInfo

import pandas as pd
import pytest

from alyx_connector import Connector
from alyx_connector.zones.moments import read_time

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tests.contract.alyx_under_test import AlyxUnderTest

#: On both sides of any server, with and without summer time.
ZONES = ("Europe/Paris", "Europe/Lisbon", "Pacific/Kiritimati", "America/Los_Angeles")
#: What the lab's clock shows, and what it shows where that hour is left out in spring.
TIMES = (
    "2026-01-15T12:00:00",
    "2026-07-15T12:00:00",
    "2026-01-16T00:30:00",
    "2026-07-16T23:40:00",
    "2026-03-29T02:30:00",
    "2026-10-25T02:30:00",
)


class Lab(NamedTuple):
    """A lab with a subject."""

    zone: ZoneInfo
    subject: str


@pytest.fixture(scope="module", params=ZONES)
def lab(writable: AlyxUnderTest, request: pytest.FixtureRequest) -> Iterator[Lab]:
    """A new lab of that zone, with an animal."""
    name = f"zone{uuid.uuid4().hex[:8]}"
    answer = writable.ask("POST", "/labs", json={"name": name, "timezone": request.param})
    assert answer.status_code == 201, answer.text
    with writable.new_subject(lab=name) as animal:
        yield Lab(ZoneInfo(request.param), animal.nickname)


@pytest.fixture(scope="module")
def writer(connector: Connector, lab: Lab) -> Connector:
    """A Connector that has not yet asked which labs there are."""
    return Connector(connector.url, connector.username, write=True)


def _shown(time: str, lab: Lab, *, keeps_zones: bool) -> pd.Timestamp:
    # An hour that the lab's clock leaves out is a moment an hour later where moments are kept.
    typed = dt.datetime.fromisoformat(time)
    if keeps_zones:
        moment = typed.replace(tzinfo=lab.zone).astimezone(dt.timezone.utc)
        typed = moment.astimezone(lab.zone).replace(tzinfo=None)
    return pd.Timestamp(typed)


@pytest.mark.parametrize(
    ("endpoint", "time"),
    [("water-administrations", TIMES[0]), *itertools.product(("sessions", "weighings"), TIMES)],
)
def test_a_time_of_the_lab_comes_back_as_the_labs_clock_showed_it(
    writable: AlyxUnderTest, writer: Connector, lab: Lab, endpoint: str, time: str
) -> None:
    field = "start_time" if endpoint == "sessions" else "date_time"
    more = {"sessions": {"number": 1 + TIMES.index(time)}, "weighings": {"weight": 24.5}}
    values = more.get(endpoint, {"water_administered": 0.5})
    made = writer.create(endpoint, subject=lab.subject, **{field: dt.datetime.fromisoformat(time)}, **values)
    stored = writable.rows(f"/{endpoint}", django=f"pk,{made.id}")[0][field]
    moment = read_time(stored)
    assert moment is not None
    shown = _shown(time, lab, keeps_zones=moment.tzinfo is not None)
    assert made[field] == shown
    if moment.tzinfo is not None:
        typed = dt.datetime.fromisoformat(time).replace(tzinfo=lab.zone)
        assert moment == typed.astimezone(dt.timezone.utc)
    listed = writer.search(endpoint, id=made.id, details=False)
    assert listed[field].to_list() == [shown]
    assert not any("time zone" in note for note in listed.attrs["notes"])
    if endpoint != "sessions":
        read = writer.weights if endpoint == "weighings" else writer.water
        assert shown in read(lab.subject)[field].to_list()


def test_rows_that_are_sent_again_are_recognized(writer: Connector, lab: Lab) -> None:
    times = [
        f"2026-{day}T{hour}" for day in ("02-10", "03-29", "08-10", "10-25") for hour in ("00:15", "02:45", "23:45")
    ]
    rows = [{"subject": lab.subject, "weight": 24.5, "date_time": time} for time in times]
    shown = writer.create_many("weighings", rows, dry_run=True)
    made = writer.create_many("weighings", rows)
    assert shown.date_time.to_list() == made.date_time.to_list()
    again = writer.create_many("weighings", rows)
    assert again.outcome.to_list() == ["there already"] * len(rows)
    assert again.id.to_list() == made.id.to_list()
    offsets = {time: read_time(sent).utcoffset() for time, sent in zip(times, shown.date_time, strict=True)}
    if any(offsets.values()):
        typed = {time: dt.datetime.fromisoformat(time).replace(tzinfo=lab.zone) for time in times}
        assert offsets == {time: clock.utcoffset() for time, clock in typed.items()}


def test_a_session_that_is_changed_keeps_the_labs_time(writer: Connector, lab: Lab) -> None:
    made = writer.create("sessions", subject=lab.subject, number=20, start_time=dt.datetime(2026, 1, 20, 0, 30))  # noqa: DTZ001
    changed = writer.update("sessions", made, end_time=dt.datetime(2026, 1, 20, 1, 15))  # noqa: DTZ001
    assert [changed.start_time, changed.end_time] == [
        pd.Timestamp("2026-01-20 00:30"),
        pd.Timestamp("2026-01-20 01:15"),
    ]
    assert writer.search(id=made.id).iloc[0].end_time == pd.Timestamp("2026-01-20 01:15")


@pytest.mark.parametrize(("number", "clock"), [(21, (0, 30)), (22, (23, 40))])
def test_days_are_those_of_the_lab(writer: Connector, lab: Lab, number: int, clock: tuple[int, int]) -> None:
    start = dt.datetime(2026, 2, 10, *clock)  # noqa: DTZ001
    made = writer.create("sessions", subject=lab.subject, number=number, start_time=start)
    for first, last, is_there in (
        ("2026-02-10", "2026-02-10", True),
        ("2026-02-10", None, True),
        (None, "2026-02-10", True),
        ("2026-02-09", "2026-02-09", False),
        ("2026-02-11", None, False),
    ):
        found = writer.search(subject=lab.subject, date_range=(first, last), details=False)
        assert (made.id in found["id"].to_list()) is is_there, (first, last)
    assert writer.session(f"{lab.subject}/2026-02-10/{number}").id == made.id


def test_sessions_of_namesakes_are_on_the_clock_of_their_own_labs(alyx: AlyxUnderTest, connector: Connector) -> None:
    listed = connector.search(subject=alyx.namesake, details=False)
    detailed = connector.search(subject=alyx.namesake, details=True)
    assert not any("time zone" in note for note in listed.attrs["notes"])
    assert listed.start_time.to_dict() == detailed.start_time.to_dict()
