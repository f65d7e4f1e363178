"""The face of the outbox: what it takes, keeps and refuses."""

from __future__ import annotations

import codecs
import csv
import io
import stat
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import datetime

import pytest

from pybpod_alyx_module.errors import OutboxError
from pybpod_alyx_module.outbox.export import COLUMNS
from pybpod_alyx_module.outbox.items import OPEN, Draft, Kind, State
from pybpod_alyx_module.outbox.outbox import Outbox

ID = "1368afed-5fc8-405e-b314-ea8f6f429575"
WEIGHING = Draft(
    kind=Kind.WEIGHING,
    server="alyx.example",
    username="jose",
    subject_id=ID.upper(),
    subject_name="ea04",
    values={"weight": 24.5, "date_time": "2026-11-21T12:00:00"},
    origin={"session": "x"},
)
SESSION = replace(WEIGHING, kind=Kind.SESSION, values={"start_time": "2026-11-21T12:00:00"})
WATER = replace(WEIGHING, kind=Kind.WATER, values={"water_administered": 1, "date_time": "2026-11-21T12:00:00"})


@pytest.fixture
def outbox(tmp_path):
    outbox = Outbox(tmp_path / "home" / "outbox.sqlite")
    yield outbox
    outbox.close()


def test_what_is_added_is_kept_as_it_was_given(outbox):
    item = outbox.add(WEIGHING)
    assert (item.state, item.server, item.subject_id, item.number) == (State.WAITING, "https://alyx.example", ID, 1)
    assert (item.username, item.subject_name, item.origin) == ("jose", "ea04", {"session": "x"})
    assert item.created.utcoffset().total_seconds() == 0
    assert outbox.items() == (item,) == Outbox(outbox.path).items()
    assert outbox.item(item.key) == item


def test_the_usual_file_is_in_the_home_folder(monkeypatch, tmp_path):
    monkeypatch.setenv("ALYX_CONNECTOR_HOME", str(tmp_path / "x"))
    assert Outbox().path == tmp_path / "x" / "outbox.sqlite"


def test_the_file_is_private(outbox):
    outbox.add(WEIGHING)
    assert stat.S_IMODE(outbox.path.parent.stat().st_mode) == 0o700
    files = list(outbox.path.parent.iterdir())
    assert {stat.S_IMODE(path.stat().st_mode) for path in files} == {0o600}
    for path in files:
        if "sqlite" in path.suffix:
            path.chmod(0o644)
    assert Outbox(outbox.path).items() == outbox.items()
    assert {path.name: stat.S_IMODE(path.stat().st_mode) for path in files} == {path.name: 0o600 for path in files}


def test_equal_times_become_different_in_the_microseconds(outbox):
    times = [outbox.add(WEIGHING).values["date_time"] for _ in range(50)]
    assert len(set(times)) == 50
    assert {time[:19] for time in times} == {"2026-11-21T12:00:00"}
    assert all(datetime.fromisoformat(time).microsecond for time in times)


def test_a_time_keeps_its_offset(outbox):
    item = outbox.add(replace(WEIGHING, values={"weight": 20, "date_time": "2026-11-21T12:00:00+01:00"}))
    assert item.values["date_time"][:20] == "2026-11-21T12:00:00."
    assert item.values["date_time"][26:] == "+01:00"
    assert outbox.item(item.key) == item


def test_the_same_moment_on_two_clocks_gets_different_microseconds(outbox, monkeypatch):
    keys = iter(["00000000-0000-0000-0000-000000000001", f"{999_999 + 1:032x}"])
    monkeypatch.setattr("pybpod_alyx_module.outbox.drafts.uuid4", lambda: next(keys))
    for time, sure in (("12:00:00+01:00", "12:00:00.000002+01:00"), ("20:00:00+09:00", "20:00:00.000003+09:00")):
        item = outbox.add(replace(WEIGHING, values={"weight": 20, "date_time": f"2026-11-21T{time}"}))
        assert item.values["date_time"] == f"2026-11-21T{sure}"


def test_two_keys_with_the_same_microseconds_get_different_ones(outbox, monkeypatch):
    keys = iter(["00000000-0000-0000-0000-000000000001", f"{999_999 + 1:032x}"])
    monkeypatch.setattr("pybpod_alyx_module.outbox.drafts.uuid4", lambda: next(keys))
    assert [outbox.add(WEIGHING).values["date_time"][-6:] for _ in range(2)] == ["000002", "000003"]


def test_an_edit_keeps_the_microseconds_of_the_item(outbox):
    item = outbox.add(WEIGHING)
    values = {"weight": 20, "date_time": "2026-11-21T13:00:00"}
    edited = outbox.edit(item.key, values)
    assert edited.values["date_time"] == item.values["date_time"].replace("T12", "T13")
    assert edited.values["weight"] == 20


BAD = {
    "no subject": (replace(WEIGHING, subject_id="ea04"), "not a valid Alyx id"),
    "no user": (replace(WEIGHING, username=" "), "needs a user"),
    "no server": (replace(WEIGHING, server=""), "address"),
    "no time": (replace(WEIGHING, values={"weight": 20}), "no date_time"),
    "null time": (replace(WEIGHING, values={"weight": 20, "date_time": None}), "date_time of the weighing is None"),
    "bad time": (replace(WEIGHING, values={"weight": 20, "date_time": "today"}), "'today'"),
    "no weight": (replace(WEIGHING, values={"date_time": "2026-11-21T12:00:00"}), "not a number of g"),
    "true": (replace(WATER, values={**WATER.values, "water_administered": True}), "not a number of mL"),
    "text": (replace(WEIGHING, values={**WEIGHING.values, "weight": "24"}), "not a number of g"),
    "infinite": (replace(WEIGHING, values={**WEIGHING.values, "weight": float("inf")}), "cannot be stored"),
    "no json": (replace(WEIGHING, values={**WEIGHING.values, "x": object()}), "cannot be stored"),
    "a subject": (replace(WEIGHING, values={**WEIGHING.values, "subject": "b"}), "contain a subject"),
    "a user": (replace(WEIGHING, values={**WEIGHING.values, "user": "b"}), "contain a user"),
    "json list": (replace(SESSION, values={**SESSION.values, "json": [1]}), "not a JSON object"),
    "pybpod text": (replace(SESSION, values={**SESSION.values, "json": {"pybpod": "x"}}), "not a JSON object"),
    "no start": (replace(SESSION, values={}), "no start_time"),
    "no session": (replace(SESSION, kind=Kind.SESSION_UPDATE, values={"n_trials": 1}), "not a valid Alyx id"),
    "bad session": (replace(WATER, values={**WATER.values, "session": "x"}), "not a valid Alyx id"),
    "follows nothing": (replace(WATER, follows="nothing"), "has no item"),
}


@pytest.mark.parametrize("name", BAD)
def test_what_makes_no_sense_is_refused_and_not_kept(outbox, name):
    draft, words = BAD[name]
    with pytest.raises(OutboxError, match=words) as refusal:
        outbox.add(draft)
    assert refusal.value.hint
    assert outbox.items() == ()


def test_water_follows_a_session_of_its_own_animal_only(outbox):
    session = outbox.add(SESSION)
    weighing = outbox.add(WEIGHING)
    outbox.add(replace(WATER, follows=session.key))
    for draft in (replace(WATER, follows=weighing.key), replace(WATER, follows=session.key, subject_id=ID[:-1] + "6")):
        with pytest.raises(OutboxError, match="not a session of this subject"):
            outbox.add(draft)


def test_a_session_follows_nothing(outbox):
    # So what is followed never waits for a third, and the order of an animal holds with two of them.
    first = outbox.add(SESSION)
    with pytest.raises(OutboxError, match="A session cannot follow another item"):
        outbox.add(replace(SESSION, follows=first.key))
    assert outbox.items() == (first,)


def test_what_is_added_together_is_there_together_or_not_at_all(outbox):
    session, water = outbox.add_all(SESSION, replace(WATER, follows=0))
    assert (water.follows, water.number) == (session.key, session.number + 1)
    for refused in (replace(WATER, values={}), replace(WATER, follows="x"), replace(WATER, subject_id=ID[:-1] + "6")):
        with pytest.raises(OutboxError):
            outbox.add_all(SESSION, replace(refused, follows=refused.follows or 0))
    assert outbox.items() == (session, water)


def test_a_session_of_pybpod_and_its_water_are_added_once(outbox):
    session = replace(SESSION, origin={"session_uuid": "u"})
    item, water = outbox.add_all(session, replace(WATER, origin=session.origin, follows=0))
    with pytest.raises(OutboxError, match="This session of ea04 is already in the outbox"):
        outbox.add(session)
    with pytest.raises(OutboxError, match="The water of this session of ea04 is already in the outbox"):
        outbox.add(replace(WATER, origin=session.origin, follows=item.key))
    assert outbox.items() == (item, water)
    outbox.add(replace(session, subject_id=ID[:-1] + "6"))  # two animals on the rig, by explicit choice
    outbox.add(replace(session, origin={"session_uuid": "v"}))
    outbox.discard(item.key)
    outbox.add(session)


def test_a_refused_edit_changes_nothing(outbox):
    item = outbox.add(WEIGHING)
    with pytest.raises(OutboxError):
        outbox.edit(item.key, {"weight": "x"})
    assert outbox.item(item.key) == item


def test_what_is_not_there_is_told(outbox):
    for call in (outbox.item, outbox.retry, outbox.discard):
        with pytest.raises(OutboxError, match=r"outbox\.sqlite has no item nokey"):
            call("nokey")


def test_items_by_state_and_subject_and_counts(outbox):
    first, second = outbox.add(WEIGHING), outbox.add(replace(WEIGHING, subject_id=ID[:-1] + "6"))
    outbox.discard(second.key)
    assert outbox.items((State.WAITING,)) == (first,)
    assert [item.key for item in outbox.items(subject=second.subject_id)] == [second.key]
    assert outbox.items(()) == ()
    assert outbox.items(OPEN) == (first,)
    assert (outbox.items(OPEN, ID), outbox.items(OPEN, second.subject_id)) == ((first,), ())


def test_changed_tells_of_writes_by_anybody_once(outbox):
    assert outbox.changed()
    assert not outbox.changed()
    outbox.add(WEIGHING)
    assert outbox.changed()
    assert not outbox.changed()
    Outbox(outbox.path).add(WEIGHING)
    assert outbox.changed()
    outbox.items()
    assert not outbox.changed()


def test_threads_share_an_outbox(outbox):
    with ThreadPoolExecutor(8) as pool:
        keys = {item.key for item in pool.map(lambda _: outbox.add(WEIGHING), range(40))}
    assert {item.key for item in outbox.items()} == keys
    assert [item.number for item in outbox.items()] == list(range(1, 41))


def test_the_export_holds_everything_and_no_formula(outbox, tmp_path):
    outbox.add(replace(WEIGHING, subject_name="=HYPERLINK(1)", username="@jose"))
    outbox.add(SESSION)
    path = tmp_path / "outbox.csv"
    assert outbox.export(path) == 2
    assert path.read_bytes().startswith(codecs.BOM_UTF8)  # Excel reads names right
    rows = list(csv.DictReader(io.StringIO(path.read_text(encoding="utf-8-sig"))))
    assert tuple(rows[0]) == COLUMNS
    assert (rows[0]["subject"], rows[0]["user"], rows[0]["value"], rows[0]["unit"]) == (
        "'=HYPERLINK(1)",
        "'@jose",
        "24.5",
        "g",
    )
    assert (rows[1]["kind"], rows[1]["time"], rows[1]["value"]) == ("session", "2026-11-21T12:00:00", "")
