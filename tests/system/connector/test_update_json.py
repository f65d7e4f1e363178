"""Changes merged into the JSON of a session, while others change it too."""

from __future__ import annotations

import multiprocessing
import re
from concurrent.futures import ThreadPoolExecutor

import pandas as pd
import pytest

from alyx_connector import (
    AlyxClient,
    ConfigurationError,
    ConflictError,
    Connector,
    InvalidDataError,
    ProtocolError,
    UnreachableError,
)

BEFORE = {"rig": "rig_1", "qc": {"noise": 1, "list": [1, 2]}, "none": None}


@pytest.fixture
def direct(writer, writable, token):
    """Somebody else, who does not go through the proxy."""
    with AlyxClient(writable.url, username="jose", token=token) as client:
        yield client


@pytest.fixture
def session(direct, proxy):
    made = direct.post("sessions", {"subject": "ea04", "start_time": "2024-03-02T09:00:00", "json": BEFORE})
    proxy.forget_requests()
    return made["id"]


def stored(direct, session, field="json"):
    return direct.get(("sessions", session))[field]


def at_read(proxy, session, number, change):
    """Have something changed right before the record is read for that time."""
    reads = []

    def before(seen):
        if (seen.method, seen.path) == ("GET", f"/sessions/{session}"):
            reads.append(seen)
            if len(reads) == number:
                change()

    proxy.before(before)


def test_objects_merge_and_all_other_keys_survive(writer, proxy, direct, session):
    row = writer.update_json("sessions", session, {"qc": {"noise": 3, "list": [3]}, "new": {"deep": {"er": None}}})
    after = {"rig": "rig_1", "qc": {"noise": 3, "list": [3]}, "none": None, "new": {"deep": {"er": None}}}
    assert row.json == stored(direct, session) == after
    assert isinstance(row, pd.Series)
    assert [seen.method for seen in proxy.requests if session in seen.path] == ["GET", "GET", "PATCH"]


def test_what_stands_there_already_is_not_written_again(writer, proxy, direct, session):
    when = stored(direct, session, "auto_datetime")
    assert writer.update_json("sessions", session, {"qc": {"noise": 1}, "none": None}).json == BEFORE
    assert proxy.count("PATCH") == 0
    assert stored(direct, session, "auto_datetime") == when
    assert writer.update_json("sessions", session, {"qc": {"noise": True}}).json["qc"]["noise"] is True
    assert stored(direct, session)["qc"]["noise"] is True, "1 and True are two things"


@pytest.mark.parametrize("value", [None, "", "  ", "null"])
def test_an_empty_field_begins_as_an_object(writer, direct, session, value):
    direct.patch(("sessions", session), {"extended_qc": value})
    row = writer.update_json("sessions", session, {"pass": True}, field="extended_qc")
    assert row.extended_qc == stored(direct, session, "extended_qc") == {"pass": True}
    assert row.json == BEFORE


def test_a_text_that_holds_json_is_read(writer, direct, session):
    direct.patch(("sessions", session), {"json": '{"rig": "rig_1", "qc": {"pass": true}}'})
    row = writer.update_json("sessions", session, {"qc": {"noise": 3}})
    assert row.json == stored(direct, session) == {"rig": "rig_1", "qc": {"pass": True, "noise": 3}}


@pytest.mark.parametrize(("value", "words"), [([1, 2], "is a list"), ("ran well", "is neither"), (3, "is neither")])
def test_what_is_no_object_is_left_alone(writer, proxy, direct, session, value, words):
    direct.patch(("sessions", session), {"json": value})
    with pytest.raises(InvalidDataError, match=f"{words}.*Nothing was written") as caught:
        writer.update_json("sessions", session, {"qc": 1})
    assert list(caught.value.fields) == ["json"]
    assert proxy.count("PATCH") == 0
    assert stored(direct, session) == value


@pytest.mark.parametrize(
    ("theirs", "changed"),
    [
        ({"json": {**BEFORE, "qc": {"noise": 2, "list": [1, 2]}, "theirs": 1}}, ["json.qc.noise", "json.theirs"]),
        ({"json": None}, ["json"]),
        ({"narrative": "theirs"}, ["narrative"]),
    ],
)
def test_a_change_by_somebody_else_between_the_reads_is_told_and_kept(writer, proxy, direct, session, theirs, changed):
    at_read(proxy, session, 2, lambda: direct.patch(("sessions", session), theirs))
    with pytest.raises(
        ConflictError, match=r"Somebody else changed sessions.*Nothing was written.*call again"
    ) as caught:
        writer.update_json("sessions", session, {"mine": 1})
    assert caught.value.changed == [*changed, "auto_datetime"]
    assert all(name in str(caught.value) for name in changed)
    assert proxy.count("PATCH") == 0
    kept = direct.get(("sessions", session))
    assert {name: kept[name] for name in theirs} == theirs
    merged = writer.update_json("sessions", session, {"mine": 1}).json
    assert merged == {**(kept["json"] or {}), "mine": 1}, "called again it merges with theirs"


def test_since_covers_the_time_since_the_search(writer, proxy, direct, session):
    row = writer.search(id=session).iloc[0]
    assert writer.update_json("sessions", session, {"mine": 1}, since=row).json == {**BEFORE, "mine": 1}
    direct.patch(("sessions", session), {"json": {**BEFORE, "mine": 5}})
    proxy.forget_requests()
    with pytest.raises(
        ConflictError, match=r"since you looked: json\.mine, auto_datetime\. Nothing was written"
    ) as caught:
        writer.update_json("sessions", session, {"mine": 2}, since=row)
    assert caught.value.changed == ["json.mine", "auto_datetime"]
    assert proxy.count("PATCH") == 0
    row = writer.search(id=session).iloc[0]
    direct.patch(("sessions", session), {"narrative": "theirs"})
    with pytest.raises(ConflictError) as caught:
        writer.update_json("sessions", session, {"mine": 2}, since=row)
    assert caught.value.changed == ["auto_datetime"]
    row = writer.search(id=session).iloc[0]
    for number in (3, 4):
        row = writer.update_json("sessions", row, {"mine": number}, since=row)
    assert stored(direct, session) == {**BEFORE, "mine": 4}


def test_what_we_wrote_ourselves_is_not_somebody_elses(writer, direct, session):
    row = writer.search(id=session).iloc[0]
    writer.update("sessions", session, narrative="ours")
    for number in (1, 2, 3):
        writer.update_json("sessions", session, {"mine": number}, since=row)
        writer.update("sessions", session, number=number)
    assert stored(direct, session) == {**BEFORE, "mine": 3}
    direct.patch(("sessions", session), {"json": {**BEFORE, "mine": 9}})
    writer.update("sessions", session, narrative="ours again")
    with pytest.raises(ConflictError, match=r"json\.mine"):
        writer.update_json("sessions", session, {"mine": 4}, since=row)
    assert stored(direct, session) == {**BEFORE, "mine": 9}


def test_since_must_be_a_row_of_this_record_that_tells_the_field(writer, proxy, session):
    listed = writer.search(id=session, details=False).iloc[0]
    other = writer.search(subject="jo006").iloc[-1]
    for row in (listed, other, session, {"id": session}):
        with pytest.raises(ConfigurationError, match=f"since is not a row of sessions {session} with its json"):
            writer.update_json("sessions", session, {"mine": 1}, since=row)
    assert proxy.count("PATCH") == 0


@pytest.mark.parametrize(
    ("changes", "more", "words"),
    [
        ({}, {}, "a dict that is not empty"),
        ([("qc", 1)], {}, "a dict that is not empty"),
        ({"qc": {"noise": float("nan")}}, {}, "json.qc.noise is nan"),
        ({1: 2}, {}, "has the key 1"),
        ({"qc": 1}, {"field": "narrative"}, "'narrative' is not a field that holds JSON.*json, extended_qc"),
    ],
)
def test_what_cannot_be_merged_is_refused_before_anything_is_sent(writer, proxy, session, changes, more, words):
    proxy.forget_requests()
    with pytest.raises(ConfigurationError, match=words):
        writer.update_json("sessions", session, changes, **more)
    assert proxy.requests == []


def test_a_record_without_that_field_is_refused(writer, proxy):
    with pytest.raises(ConfigurationError, match=r"subjects at .* have no field extended_qc"):
        writer.update_json("subjects", "ea04", {"qc": 1}, field="extended_qc")
    assert writer.update_json("subjects", "ea04", {"implant": "A"}).json["implant"] == "A"


def test_an_answer_that_holds_something_else_is_told(writer, proxy, direct, session):
    proxy.fault("alter", method="PATCH", change=lambda row: {**row, "json": {"mine": 2}})
    with pytest.raises(ProtocolError, match=r'stored something else as json.*connector\.search\("sessions", id='):
        writer.update_json("sessions", session, {"mine": 1})


def test_a_write_whose_answer_is_lost_is_sent_once(writer, proxy, direct, session):
    proxy.fault("drop-after", method="PATCH")
    look = re.escape(f'connector.search("sessions", id="{session}")')
    with pytest.raises(UnreachableError, match=f"may have been stored all the same.*{look}"):
        writer.update_json("sessions", session, {"mine": 1})
    assert proxy.count("PATCH") == 1
    assert stored(direct, session) == {**BEFORE, "mine": 1}
    assert writer.update_json("sessions", session, {"mine": 1}).json == {**BEFORE, "mine": 1}
    assert proxy.count("PATCH") == 1, "it stands there already"


def write_key(url, session, key):
    return Connector(url, "jose", write=True).update_json("sessions", session, {"by": {key: 1}}).id


def test_programs_that_write_one_after_another_keep_each_others_keys(writer, writable, direct, session):
    Connector.setup(writable.url, "jose", "jose-demo", make_default=False)
    keys = ["a", "b"]
    for key in keys:
        process = multiprocessing.get_context("spawn").Process(target=write_key, args=(writable.url, session, key))
        process.start()
        process.join(60)
        assert process.exitcode == 0
    assert stored(direct, session) == {**BEFORE, "by": dict.fromkeys(keys, 1)}


def test_of_two_that_write_at_once_the_later_is_told(writer, proxy, direct, session):
    # The other reads, merges and writes between our two reads.
    Connector.setup(proxy.url, "jose", "jose-demo", make_default=True)
    done = []

    def other():
        with ThreadPoolExecutor(1) as pool:
            done.append(pool.submit(write_key, proxy.url, session, "other").result(60))

    at_read(proxy, session, 2, other)
    with pytest.raises(ConflictError) as caught:
        writer.update_json("sessions", session, {"by": {"mine": 1}})
    assert caught.value.changed == ["json.by", "auto_datetime"]
    proxy.before(None)
    writer.update_json("sessions", session, {"by": {"mine": 1}})
    assert done == [session]
    assert stored(direct, session) == {**BEFORE, "by": {"other": 1, "mine": 1}}
