"""The Alyx session that is made of a session file."""

from __future__ import annotations

import json
import time
from datetime import datetime, timedelta, timezone
from decimal import Decimal
from typing import TYPE_CHECKING
from zoneinfo import ZoneInfo

import pytest

from alyx_connector._version import __version__
from pybpod_alyx_module.outbox.items import COMPUTER_TIME
from pybpod_alyx_module.rig_settings import SessionSettings
from pybpod_alyx_module.sessions.alyx_session import (
    LONGEST_TEXT,
    MOST_ITEMS,
    json_value,
    make_session_draft,
    number_or_text,
)
from pybpod_alyx_module.sessions.on_rig import Animal
from pybpod_alyx_module.sessions.run_settings import RunSettings, read_run_settings
from pybpod_alyx_module.sessions.session_csv import Variable
from tests.rig_sessions import RUN_SETTINGS, at, session

if TYPE_CHECKING:
    from pathlib import Path

ANIMAL = Animal("1368afed-5fc8-405e-b314-ea8f6f429575", "ea04", "haisslab", ("Own", "Other"), "jose", True)
SETTINGS = SessionSettings(location="rig_1", procedures=("Behavior training/tasks",))
PARIS = ZoneInfo("Europe/Paris")


def make(file=None, animal=ANIMAL, settings=SETTINGS, **options):
    options = {"host": "rigpc", "lab_timezone": "Europe/Paris", "rig_zone": PARIS} | options
    return make_session_draft(session() if file is None else file, animal, "jose", settings, **options)


def test_every_field():
    file = session()
    draft = make(file, narrative="ran well", run=RunSettings({"reward_ml": 0, "block": 3}, "22"))
    assert (draft.subject_id, draft.subject_name) == (ANIMAL.id, "ea04")
    values = dict(draft.values)
    ours = values.pop("json")
    assert values == {
        "users": ["jose"],
        "lab": "haisslab",
        "location": "rig_1",
        "projects": ["Own", "Other"],
        "procedures": ["Behavior training/tasks"],
        "type": "Experiment",
        "task_protocol": "wait_task",
        "number": None,
        "start_time": "2026-11-21T10:00:00",
        "end_time": "2026-11-21T11:00:00",
        "n_trials": 3,
        "narrative": "ran well",
    }
    assert ours == {
        "pybpod": {
            "project": "Mice",
            "experiment": "Exp",
            "setup": "Set",
            "board": "box1",
            "serial_port": "/dev/ttyFAKE",
            "session": "20261121-110000",
            "session_uuid": file.uuid,
            "file": "finished.csv",
            "host": "rigpc",
            "sha256": file.sha256,
            "size": file.size,
            "versions": {
                "software": "PyBpod API v1.8.2",
                "pybpod-api": "1.8.2",
                "pybpod-gui-plugin-alyx": __version__,
                "firmware": "22",
            },
            "variables": {"reward_ml": 0.009000000000000001, "label": "a;b|c", "block": 3},
        }
    }
    assert draft.origin["session_uuid"] == file.uuid


@pytest.mark.parametrize(("set_to", "sent"), [(None, ["Own", "Other"]), ((), []), (("Set",), ["Set"])])
def test_projects_of_the_setting_else_of_the_subject(set_to, sent):
    assert make(settings=SessionSettings(projects=set_to)).values["projects"] == sent


class TestTimes:
    def times(self, **options):
        values = make(**options).values
        return values["start_time"], values["end_time"]

    def test_the_labs_time_is_sent(self):
        assert self.times(lab_timezone="America/New_York") == ("2026-11-21T04:00:00", "2026-11-21T05:00:00")

    def test_summer_and_winter(self):
        file = session(started=at("2026-10-24 23:00"), ended=at("2026-10-25 05:00"))
        assert self.times(file=file, rig_zone=timezone.utc) == ("2026-10-25T01:00:00", "2026-10-25T06:00:00")

    @pytest.mark.parametrize("zone", [None, "", "Mars/Base", "../../etc/passwd", "Europe", "\0"])
    def test_the_rigs_own_with_its_offset_where_the_labs_zone_is_not_known(self, zone):
        times = self.times(lab_timezone=zone, rig_zone=ZoneInfo("Asia/Tokyo"))
        assert times == ("2026-11-21T10:00:00+09:00", "2026-11-21T11:00:00+09:00")
        assert COMPUTER_TIME.items() <= make(lab_timezone=zone).origin.items()
        assert not COMPUTER_TIME.items() & make(lab_timezone="Asia/Tokyo").origin.items()

    def test_the_clock_was_put_back_meanwhile(self):
        file = session(started=at("2026-10-25 02:50"), ended=at("2026-10-25 02:20"))
        assert self.times(file=file, lab_timezone="UTC") == ("2026-10-25T00:50:00", "2026-10-25T01:20:00")

    def test_the_zone_of_this_computer(self, monkeypatch):
        monkeypatch.setenv("TZ", "Asia/Tokyo")
        time.tzset()
        try:
            assert self.times(rig_zone=None)[0] == "2026-11-21T02:00:00"
        finally:
            monkeypatch.undo()
            time.tzset()

    def test_a_killed_protocol_ends_with_its_last_row(self):
        file = session(ended=None, last_time=at("2026-11-21 10:40:00.000005"))
        assert self.times(file=file)[1] == "2026-11-21T10:40:00.000005"


class TestWhatTheVariablesHold:
    @pytest.mark.parametrize(
        ("value", "sent"),
        [
            (float("nan"), "nan"),
            (float("-inf"), "-inf"),
            (b"\0\xff", "b'\\x00\\xff'"),
            ("a\0b\ud800", "a\ufffdb\ufffd"),
            (2**53, 2**53),
            (2**53 + 1, "9007199254740993"),
            ((1, [2, {3: {4}}]), [1, [2, {"3": "{4}"}]]),
            (True, True),
            ("x" * 2000, "x" * LONGEST_TEXT + "… (2000 characters)"),
        ],
    )
    def test_value(self, value, sent):
        assert json_value(value) == sent
        draft = make(run=RunSettings({"v": value}))
        assert draft.values["json"]["pybpod"]["variables"]["v"] == sent
        json.dumps(dict(draft.values), allow_nan=False).encode()

    def test_whole_numbers_that_python_refuses_to_write(self):
        draft = make(run=RunSettings({"v": 10**5000, "w": {10**5000: [10**5000]}}))
        sent = draft.values["json"]["pybpod"]["variables"]
        assert isinstance(sent["v"], str)
        assert len(json.dumps(sent, allow_nan=False)) < 4 * LONGEST_TEXT

    def test_no_more_than_can_be_looked_at(self):
        file = session(variables={f"v{n}": Variable(reported=str(n)) for n in range(1000)})
        assert len(make(file).values["json"]["pybpod"]["variables"]) == MOST_ITEMS

    def test_no_end_of_depth(self):
        deep: list = []
        for _ in range(5000):
            deep = [deep]
        json.dumps(json_value(deep))

    @pytest.mark.parametrize(
        ("text", "value"),
        [
            ("3", 3),
            ("0.5", 0.5),
            ("007", "007"),
            ("1e3", "1e3"),
            ("nan", "nan"),
            ("1_000", "1_000"),
            (" 3", " 3"),
            ("9" * 5000, "9" * 5000),
        ],
    )
    def test_numbers_as_numbers(self, text, value):
        assert number_or_text(text) == value
        assert type(number_or_text(text)) is type(value)

    def test_a_text_that_looks_like_a_number_stays_what_it_was_set_to(self):
        file = session(variables={"tag": Variable("5", None, "5"), "n": Variable("5", "6", "5")})
        sent = make(file, run=RunSettings({"tag": "5", "n": "5"})).values["json"]["pybpod"]["variables"]
        assert sent == {"tag": "5", "n": 6}

    def test_text_that_postgresql_refuses(self):
        draft = make(session(protocol="p\0" * 2000, project="\ud83d"), narrative="a\0b")
        assert draft.values["narrative"] == "a\ufffdb"
        assert len(draft.values["task_protocol"]) == 1023
        assert draft.values["json"]["pybpod"]["project"] == "\ufffd"


class TestUpdate:
    def test_what_others_wrote_stays(self):
        draft = make(settings=SessionSettings(type=None, projects=()))
        sent = draft.update_values({"qc": [1], "pybpod": {"outbox_key": "old", "narrative": 1}}, "old")
        assert not {"number", "users", "projects", "procedures", "location", "type", "narrative"} & set(sent)
        assert sent["json"] == {"qc": [1], "pybpod": {**draft.values["json"]["pybpod"], "outbox_key": "old"}}
        assert sent["n_trials"] == 3
        assert "outbox_key" not in draft.values["json"]["pybpod"]

    def test_no_trials_are_sent(self):
        assert make(session(n_trials=0)).update_values(None, "k")["n_trials"] == 0

    @pytest.mark.parametrize("other", [["a"], '{"a": 1}', 5])
    def test_json_that_is_no_object_is_kept_beside(self, other):
        assert make().update_values(other, "k")["json"]["before_pybpod"] == other

    def test_a_narrative_that_was_typed_is_sent(self):
        assert make(narrative="new").update_values(None, "k")["narrative"] == "new"


def test_its_water():
    assert make().water_values(Decimal("0.85"), "Water") == {
        "water_administered": 0.85,
        "water_type": "Water",
        "date_time": "2026-11-21T11:00:00+01:00",
        "adlib": False,
    }


class TestRunSettings:
    def read(self, folder: Path, text: str | bytes) -> RunSettings:
        folder.joinpath("user_settings.py").write_bytes(text if isinstance(text, bytes) else text.encode())
        return read_run_settings(folder)

    def test_as_pybpod_writes_them(self, tmp_path):
        found = self.read(tmp_path, RUN_SETTINGS)
        assert found.variables == {"reward_ml": 0, "label": "a;b|c", "block": 3}
        assert found.firmware == "22"

    def test_nothing_is_executed(self, tmp_path):
        trap = tmp_path / "trap"
        text = f"PYBPOD_VARSNAMES = ['a', 'b', 'missing', 5]\na = open({str(trap)!r}, 'w')\nb = 2\n"
        assert self.read(tmp_path, text).variables == {"b": 2}
        assert not trap.exists()

    @pytest.mark.parametrize("text", ["x = 'it's'", "\0", b"\xff\xfe", "", "PYBPOD_VARSNAMES = 5", "x = " + "(" * 5000])
    def test_unusable_is_as_if_there_were_none(self, tmp_path, text):
        assert self.read(tmp_path, text) == RunSettings()

    def test_none(self, tmp_path):
        assert read_run_settings(tmp_path / "gone") == RunSettings()


def test_a_session_of_two_days_is_one_span():
    file = session(started=at("2026-11-21 23:30"), ended=at("2026-11-22 00:30"))
    values = make(file, lab_timezone="Asia/Tokyo").values
    start, end = (datetime.fromisoformat(values[name]) for name in ("start_time", "end_time"))
    assert end - start == timedelta(hours=1)
