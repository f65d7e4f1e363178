"""Labs in other zones than the server: the times that are typed, and those that are read, are of the lab's clock.

What is weighed and drunk counts for the day of the lab.
"""

from __future__ import annotations

import datetime as dt
import json
import uuid
from collections import Counter
from pathlib import Path
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
#: As Alyx 3.6.1 counted: zone of the server, zone of the lab, lab time, what is right to send, the day that counts.
CASES = json.loads((Path(__file__).parents[1] / "fixtures" / "days.json").read_text())
AMOUNT = 0.1
VALUES = {"weighings": {"weight": 24.5}, "water-administrations": {"water_administered": AMOUNT}}


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


@pytest.mark.parametrize("time", TIMES)
def test_the_time_of_a_session_comes_back_as_the_labs_clock_showed_it(
    writable: AlyxUnderTest, writer: Connector, lab: Lab, time: str
) -> None:
    start = dt.datetime.fromisoformat(time)
    made = writer.create("sessions", subject=lab.subject, start_time=start, number=1 + TIMES.index(time))
    stored = writable.rows("/sessions", django=f"pk,{made.id}")[0]["start_time"]
    moment = read_time(stored)
    assert moment is not None
    shown = _shown(time, lab, keeps_zones=moment.tzinfo is not None)
    assert made.start_time == shown
    if moment.tzinfo is not None:
        assert moment == start.replace(tzinfo=lab.zone).astimezone(dt.timezone.utc)
    listed = writer.search("sessions", id=made.id, details=False)
    assert listed.start_time.to_list() == [shown]
    assert not any("time zone" in note for note in listed.attrs["notes"])


@pytest.fixture(scope="module")
def clock_told(writable: AlyxUnderTest) -> Iterator[None]:
    """A row in each month of the cases: it tells the clock that the server had then, summer time or not."""
    with writable.new_subject() as animal:
        for month in sorted({time[:7] for _, _, time, _, _ in CASES}):
            body = {"subject": animal.key, "weight": 24.5, "date_time": f"{month}-20T12:00:00"}
            assert writable.ask("POST", "/weighings", json=body).status_code == 201
        yield


@pytest.mark.parametrize("zone", sorted({zone for _, zone, _, _, _ in CASES}))
@pytest.mark.parametrize("endpoint", VALUES)
@pytest.mark.usefixtures("clock_told")
def test_a_weight_and_water_count_for_the_day_of_the_lab(
    writable: AlyxUnderTest, connector: Connector, endpoint: str, zone: str
) -> None:
    name = f"days{uuid.uuid4().hex[:8]}"
    assert writable.ask("POST", "/labs", json={"name": name, "timezone": zone}).status_code == 201
    times = list(dict.fromkeys(time for _, of_lab, time, _, _ in CASES if of_lab == zone))
    days = Counter(day for _, of_lab, _, _, day in CASES if of_lab == zone)
    servers = sorted({server for server, _, _, _, _ in CASES})
    rights = {
        server: [right for time in times for at, of, on, right, _ in CASES if (at, of, on) == (server, zone, time)]
        for server in servers
    }
    with writable.new_subject(lab=name) as animal:
        writer = Connector(connector.url, connector.username, write=True)
        rows = [{"subject": animal.nickname, "date_time": time, **VALUES[endpoint]} for time in times]
        made = writer.create_many(endpoint, rows)
        assert made.outcome.to_list() == ["made"] * len(times)
        moments = [dt.datetime.fromisoformat(time).replace(tzinfo=ZoneInfo(zone)) for time in times]
        stored = {
            row["url"].rpartition("/")[2]: row["date_time"]
            for row in writable.rows(f"/{endpoint}", nickname=animal.nickname)
        }
        sent = [stored[one] for one in made["id"]]
        if all(time.endswith("Z") or "+" in time for time in sent):
            assert [read_time(time) for time in sent] == [moment.astimezone(dt.timezone.utc) for moment in moments]
        else:
            assert sent in rights.values()
            assert sent == made.date_time.to_list()
        read = (writer.weights if endpoint == "weighings" else writer.water)(animal.nickname)
        in_lab = [
            moment.astimezone(dt.timezone.utc).astimezone(ZoneInfo(zone)).replace(tzinfo=None) for moment in moments
        ]
        assert read.loc[made["id"], "date_time"].to_list() == [pd.Timestamp(time) for time in in_lab]
        again = writer.create_many(endpoint, rows)
        assert again.outcome.to_list() == ["there already"] * len(times)
        if not writable.is_local:
            counted = writer.water_requirement(animal.nickname, min(days), max(days))
            if endpoint == "weighings":
                assert set(counted.weighing_at.dropna().index.strftime("%Y-%m-%d")) == set(days)
            else:
                given = counted.given_water_total[counted.given_water_total > 0]
                each = {day: count // len(servers) for day, count in days.items()}
                assert dict(zip(given.index.strftime("%Y-%m-%d"), given.round(6), strict=True)) == {
                    day: pytest.approx(AMOUNT * count) for day, count in each.items()
                }


@pytest.mark.parametrize("endpoint", VALUES)
def test_one_that_is_made_is_shown_in_lab_time(writer: Connector, lab: Lab, endpoint: str) -> None:
    now = dt.datetime.now(lab.zone).replace(tzinfo=None, microsecond=0)
    made = writer.create(endpoint, subject=lab.subject, date_time=now, **VALUES[endpoint])
    assert made.date_time == pd.Timestamp(now)
    assert writer.search(endpoint, id=made.id).date_time.to_list() == [pd.Timestamp(now)]


def test_water_that_is_changed_keeps_the_labs_time(writable: AlyxUnderTest, writer: Connector, lab: Lab) -> None:
    now = dt.datetime.now(lab.zone).replace(tzinfo=None, microsecond=0)
    made = writer.create("water-administrations", subject=lab.subject, date_time=now, water_administered=0.2)
    earlier = now - dt.timedelta(hours=1)
    changed = writer.update("water-administrations", made, date_time=earlier)
    assert changed.date_time == pd.Timestamp(earlier)
    moment = earlier.replace(tzinfo=lab.zone).astimezone(dt.timezone.utc).isoformat()
    assert len(writable.rows("/water-administrations", django=f"pk,{made.id},date_time,{moment}")) == 1


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
