"""The outbox at the Alyx under test: all arrives, lost answers are found by key and time, swapped names are seen."""

from __future__ import annotations

import datetime as dt
import uuid
from typing import TYPE_CHECKING
from zoneinfo import ZoneInfo

import pytest

from alyx_connector import AlyxClient
from alyx_connector.zones.moments import read_time
from pybpod_alyx_module.outbox.items import Draft, Kind, State
from pybpod_alyx_module.outbox.outbox import Outbox
from pybpod_alyx_module.outbox.sender import Sender
from pybpod_alyx_module.outbox.states import Event
from tests.fault_proxy import FaultProxy

if TYPE_CHECKING:
    from collections.abc import Iterator

    from pybpod_alyx_module.outbox.items import Item
    from tests.contract.alyx_under_test import AlyxUnderTest


class Rig:
    """An outbox for one new subject of the user, its sender, and a proxy before the server."""

    def __init__(self, alyx: AlyxUnderTest, proxy: FaultProxy, outbox: Outbox, lab: str = "") -> None:
        self.alyx, self.proxy, self.outbox = alyx, proxy, outbox
        self.now = 0.0
        self.nickname = f"contract_{uuid.uuid4().hex[:12]}"
        answer = alyx.ask("POST", "/subjects", json={"nickname": self.nickname, "lab": lab or alyx.subject["lab"]})
        assert answer.status_code == 201, answer.text
        self.id = alyx.rows("/subjects", nickname=self.nickname)[0]["id"]
        token = str(alyx.session.headers["Authorization"]).removeprefix("Token ")
        self.client = AlyxClient(proxy.url, username=alyx.user, token=token)
        self.sender = Sender(outbox, lambda *_: self.client, clock=lambda: self.now)

    def add(self, kind: Kind, values: dict[str, object], follows: str | None = None) -> str:
        draft = Draft(kind, self.proxy.url, self.alyx.user, self.id, self.nickname, values, follows)
        return self.outbox.add(draft).key

    def send(self) -> None:
        self.sender.wake()
        assert self.sender.run_once()
        self.now += 300

    def rows(self, route: str) -> list[dict[str, object]]:
        return self.alyx.rows(route, django=f"subject__pk,{self.id}")

    def close(self) -> None:
        self.sender.stop()
        self.client.close()
        assert self.alyx.ask("DELETE", f"/subjects/{self.alyx.key_of(self.id)}").status_code == 204


@pytest.fixture
def rig(writable: AlyxUnderTest, tmp_path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Rig]:
    # What is kept of a server goes by its address, and another proxy may have had this port.
    monkeypatch.setenv("ALYX_CONNECTOR_HOME", str(tmp_path))
    with FaultProxy(writable.url) as proxy:
        rig = Rig(writable, proxy, Outbox(tmp_path / "outbox.sqlite"))
        yield rig
        rig.close()


def add_all(rig: Rig) -> None:
    session = rig.add(
        Kind.SESSION,
        {"start_time": "2026-11-20T10:00:00", "task_protocol": "wait_task", "n_trials": 312, "json": {"a": {"b": 1}}},
    )
    rig.add(Kind.WATER, {"water_administered": 0.85, "date_time": "2026-11-20T10:30:00"}, session)
    rig.add(Kind.WEIGHING, {"weight": 22.4, "date_time": "2026-11-20T09:00:00"})
    rig.add(Kind.SESSION_UPDATE, {"n_trials": 320, "json": {"a": {"c": [2]}}}, session)


def check_all(rig: Rig) -> None:
    items = rig.outbox.items()
    assert [(item.state, item.reason) for item in items] == [(State.SENT, "")] * 4
    [session] = rig.rows("/sessions")
    detail = rig.alyx.get(f"/sessions/{session['id']}")
    assert (detail["number"], detail["n_trials"], detail["users"]) == (1, 320, [rig.alyx.user])
    assert detail["json"] == {"a": {"b": 1, "c": [2]}, "pybpod": {"outbox_key": items[0].key}}
    [water] = rig.rows("/water-administrations")
    assert (water["session"], water["water_administered"]) == (session["id"], 0.85)
    [weighing] = rig.rows("/weighings")
    assert (weighing["weight"], weighing["user"]) == (22.4, rig.alyx.user)


def test_all_kinds_arrive(rig: Rig) -> None:
    add_all(rig)
    rig.send()
    check_all(rig)


#: Where the computer is that records: its own clock counts where it does not know the zone of the lab.
RECORDED = {"in the lab": None, "in Tokyo": ZoneInfo("Asia/Tokyo")}


@pytest.mark.parametrize("zone", ["Pacific/Kiritimati", "America/Los_Angeles"])
@pytest.mark.parametrize("fault", ["", "drop-after"])
@pytest.mark.parametrize("recorded", ["by an older program", *RECORDED])
def test_a_time_arrives_as_that_moment_and_counts_for_the_labs_day(
    writable: AlyxUnderTest, tmp_path, monkeypatch: pytest.MonkeyPatch, zone: str, fault: str, recorded: str
) -> None:
    monkeypatch.setenv("ALYX_CONNECTOR_HOME", str(tmp_path))
    lab = f"zone{uuid.uuid4().hex[:8]}"
    assert writable.ask("POST", "/labs", json={"name": lab, "timezone": zone}).status_code == 201
    with FaultProxy(writable.url) as proxy:
        rig = Rig(writable, proxy, Outbox(tmp_path / "outbox.sqlite"), lab)
        now = dt.datetime.now(ZoneInfo(zone)).replace(microsecond=0)
        naive = now.replace(tzinfo=None).isoformat()
        time = now.astimezone(RECORDED[recorded]).isoformat() if recorded in RECORDED else naive
        if recorded == "in the lab":
            time = now.isoformat()
        rig.add(Kind.WEIGHING, {"weight": 22.4, "date_time": time})
        rig.add(Kind.WATER, {"water_administered": 0.5, "date_time": time})
        of_session = time if recorded == "in Tokyo" else naive
        rig.add(Kind.SESSION, {"start_time": of_session, "end_time": of_session, "n_trials": 3})
        if fault:
            proxy.fault(fault, method="POST", times=3)
        for _ in range(6):
            rig.send()
        assert [(item.state, item.reason) for item in rig.outbox.items()] == [(State.SENT, "")] * 3
        for route in ("/weighings", "/water-administrations"):
            [row] = rig.rows(route)
            microseconds = dt.datetime.fromisoformat(str(row["date_time"])).microsecond
            exact = now.replace(microsecond=microseconds).astimezone(dt.timezone.utc).isoformat()
            found = writable.rows(route, django=f"date_time,{exact},subject__pk,{rig.id}")
            assert found == [row]
        [session] = rig.rows("/sessions")
        start = read_time(session["start_time"])
        assert start is not None
        assert start == (now if start.tzinfo else now.replace(tzinfo=None))
        if not writable.is_local:  # which counts by the day in UTC
            day = now.date().isoformat()
            [counted] = writable.get(f"/water-requirement/{rig.nickname}", start_date=day, end_date=day)["records"]
            assert (counted["weighing_at"], counted["given_water_total"]) == (22.4, 0.5)
        rig.close()


def test_water_of_the_evening_of_the_day_of_death_arrives(
    writable: AlyxUnderTest, tmp_path, monkeypatch: pytest.MonkeyPatch
) -> None:
    if writable.is_local:
        pytest.skip("it is sent the moment")
    monkeypatch.setenv("ALYX_CONNECTOR_HOME", str(tmp_path))
    lab = f"zone{uuid.uuid4().hex[:8]}"
    assert writable.ask("POST", "/labs", json={"name": lab, "timezone": "Pacific/Honolulu"}).status_code == 201
    yesterday = dt.datetime.now(ZoneInfo("Pacific/Honolulu")) - dt.timedelta(days=1)
    evening = yesterday.replace(hour=23, minute=40, second=0, microsecond=0)  # after midnight on the server's clock
    with FaultProxy(writable.url) as proxy:
        rig = Rig(writable, proxy, Outbox(tmp_path / "outbox.sqlite"), lab)
        died = {"death_date": evening.date().isoformat()}
        assert writable.ask("PATCH", f"/subjects/{rig.nickname}", json=died).status_code == 200
        rig.add(Kind.WATER, {"water_administered": 0.5, "date_time": evening.isoformat()})
        rig.send()
        assert [(item.state, item.reason) for item in rig.outbox.items()] == [(State.SENT, "")]
        [row] = rig.rows("/water-administrations")
        assert str(row["date_time"])[:19] == evening.isoformat()[:19]
        rig.close()


def test_weights_arrive_although_the_server_does_not_describe_itself(rig: Rig) -> None:
    rig.proxy.fault("answer", status=404, body=b"<html>", path="/api/schema", times=9)
    rig.add(Kind.WEIGHING, {"weight": 22.4, "date_time": "2026-11-20T09:00:00"})
    rig.send()
    assert [(item.state, item.reason) for item in rig.outbox.items()] == [(State.SENT, "")]


@pytest.mark.parametrize("fault", ["drop", "drop-after"])
def test_lost_answers_are_found_by_key_and_by_time(rig: Rig, fault: str) -> None:
    add_all(rig)
    for method in ("POST", "PATCH"):
        rig.proxy.fault(fault, method=method, times=3 if method == "POST" else 1)
    for _ in range(10):
        rig.send()
    check_all(rig)


@pytest.mark.parametrize("fault", ["", "drop", "drop-after"])
def test_records_that_are_given_to_another_animal_are_on_it_once(rig: Rig, writable: AlyxUnderTest, fault: str) -> None:
    add_all(rig)
    rig.send()
    session, water, weight = rig.outbox.items()[:3]
    other = Rig(writable, rig.proxy, rig.outbox)
    other.add(Kind.SESSION, {"start_time": "2026-11-20T11:00:00"})  # it has number 1 of that day
    other.send()
    moved = {"from_id": rig.id, "from_name": rig.nickname}

    def draft(kind: Kind, record: Item, **values: str) -> Draft:
        of_record = {"id": record.server_id, **moved, **values}
        return Draft(kind, rig.proxy.url, writable.user, other.id, other.nickname, of_record)

    text = f"Session moved from {rig.nickname} to {other.nickname}."
    notes = [
        Draft(Kind.NOTE, rig.proxy.url, writable.user, one.id, one.nickname, {"text": text}, 0) for one in (rig, other)
    ]
    drafts = [draft(Kind.SESSION_MOVE, session, sentence=""), draft(Kind.WATER_MOVE, water), *notes]
    events = {session.key: Event.GIVE, water.key: Event.GIVE, weight.key: Event.REMAKE}
    if fault:
        for method, times in {"PATCH": 2, "DELETE": 1, "POST": 3}.items():
            rig.proxy.fault(fault, method=method, times=times)
    rig.outbox.give((other.id, other.nickname), drafts, events)
    for _ in range(10):
        rig.send()
    assert [(item.state, item.reason) for item in rig.outbox.items()] == [(State.SENT, "")] * 9
    for one in (rig, other):
        [note] = writable.rows("/notes", django=f"object_id,{one.id}")
        assert (note["text"], note["user"], note["content_type"]) == (text, writable.user, "subjects.subject")
    routes = ("/sessions", "/water-administrations", "/weighings")
    assert [len(rig.rows(route)) for route in routes] == [0, 0, 0]
    assert [len(other.rows(route)) for route in routes] == [2, 1, 1]
    assert sorted(row["number"] for row in other.rows("/sessions")) == [1, 2]
    [row] = [row for row in other.rows("/sessions") if row["id"] == session.server_id]
    detail = writable.ask("GET", f"/sessions/{row['id']}").json()
    line = f"Moved from {rig.nickname} to {other.nickname} by {writable.user}."
    assert (detail["subject"], detail["narrative"]) == (other.nickname, line)
    [(was, now)] = [(one["from"], one["to"]) for one in detail["json"]["pybpod"]["moved"]]
    assert (was, now, detail["json"]["a"]["b"]) == (rig.nickname, other.nickname, 1)
    other.close()


@pytest.mark.parametrize(
    ("kind", "route", "values"),
    [
        (Kind.SESSION, "/sessions", {"start_time": "2026-11-20T10:00:00"}),
        (Kind.WEIGHING, "/weighings", {"weight": 22.4, "date_time": "2026-11-20T09:00:00"}),
        (Kind.WATER, "/water-administrations", {"water_administered": 1, "date_time": "2026-11-20T09:00:00"}),
    ],
)
def test_a_swap_of_names_in_between_is_seen_and_taken_back(
    rig: Rig, writable: AlyxUnderTest, kind: Kind, route: str, values: dict[str, object]
) -> None:
    other = f"{rig.nickname}_2"
    assert (
        writable.ask("POST", "/subjects", json={"nickname": other, "lab": writable.subject["lab"]}).status_code == 201
    )
    other_id = writable.rows("/subjects", nickname=other)[0]["id"]
    swaps = iter([True])

    def swap(seen: object) -> None:
        if getattr(seen, "method", "") == "POST" and next(swaps, False):
            for changed, new in ((rig.id, f"{other}_x"), (other_id, rig.nickname), (rig.id, other)):
                answer = writable.ask("PATCH", f"/subjects/{writable.key_of(changed)}", json={"nickname": new})
                assert answer.status_code == 200

    rig.proxy.before(swap)
    rig.add(kind, values)
    rig.send()
    try:
        assert [item.state for item in rig.outbox.items()] == [State.SENT]
        assert len(rig.rows(route)) == 1
        assert writable.rows(route, django=f"subject__pk,{other_id}") == []
        assert rig.proxy.count("DELETE") == 1
    finally:
        assert writable.ask("DELETE", f"/subjects/{writable.key_of(other_id)}").status_code == 204
