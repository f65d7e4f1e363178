"""Lab files: what a wrong one is told, and the numbers that come of a right one."""

from __future__ import annotations

import json
from datetime import date, timedelta
from typing import TYPE_CHECKING, Any

import pytest
import requests

from alyx_sandbox.lab_checks import LabFileError
from alyx_sandbox.lab_file import read_lab
from tests.contract.shapes import OF_ALYX
from tests.sandbox_server import SandboxServer
from tests.system.test_sandbox_process import _run

if TYPE_CHECKING:
    from pathlib import Path

_TIMEOUT = 60
_SMALL = {"users": [{"username": "jose", "password": "x", "labs": ["lab"]}], "labs": [{"name": "lab"}]}

_ID = "0b7c9f4e-1c67-4b3f-93c9-1b8f6f0f3a01"
_SESSION = {"start_time": "2024-01-01T10:00:00"}
_UNKNOWN = {"dataset_types": [{"name": "unknown"}]}
_FILE = {"name": "x.npy", "dataset_type": "unknown", "collection": "alf"}


def _animal(nickname: str, **more: Any) -> dict[str, Any]:
    return {"nickname": nickname, "lab": "lab", "responsible_user": "jose", **more}


def _write(folder: Path, content: Any) -> Path:
    path = folder / "lab.json"
    path.write_text(content if isinstance(content, str) else json.dumps(content), encoding="utf-8")
    return path


@pytest.mark.parametrize(
    ("content", "reason"),
    [
        ("{", "is not JSON"),
        ([], "at the top: [] is not an object"),
        ({}, "at the top: 'users' is missing"),
        ({**_SMALL, "users": []}, "at users: the list is empty"),
        ({**_SMALL, "subject": []}, "at the top: unknown key 'subject'"),
        ({**_SMALL, "users": [{"username": "jose"}]}, "at users[0]: 'password' is missing"),
        ({**_SMALL, "labs": [{"name": 3}]}, "at labs[0].name: 3 is not a text"),
        ({**_SMALL, "labs": [{"name": "lab"}, {"name": "lab"}]}, "at labs[1].name: 'lab' is there twice"),
        ({**_SMALL, "labs": [{"name": "lab", "reference_weight_pct": 85}]}, "85 is not between 0 and 1"),
        ({**_SMALL, "labs": [{"name": "lab", "zscore_weight_pct": 0.8}]}, "cannot judge weights by z-score"),
        ({**_SMALL, "main_user": "ana"}, "at main_user: no user 'ana' in this file; there are jose"),
        (
            {**_SMALL, "subjects": [{"nickname": "a", "lab": "lab", "responsible_user": "ana"}]},
            "at subjects[0].responsible_user: no user 'ana'",
        ),
        (
            {
                **_SMALL,
                "subjects": [
                    {
                        "nickname": "a",
                        "lab": "lab",
                        "responsible_user": "jose",
                        "weighings": [{"date_time": "yesterday", "weight": 20}],
                    }
                ],
            },
            "at subjects[0].weighings[0].date_time: 'yesterday' is not a day",
        ),
        (
            {**_SMALL, "subjects": [{"nickname": "a", "lab": "lab", "responsible_user": "jose"}] * 2},
            "at subjects[1].nickname: 'a' is there twice for the lab 'lab'",
        ),
        (
            {**_SMALL, "lines": [{"name": "one", "nickname": "a"}, {"name": "two", "nickname": "a"}]},
            "at lines[1].nickname: 'a' is there twice",
        ),
        (
            {**_SMALL, "dataset_types": [{"name": name, "filename_pattern": "*a*"} for name in "ab"]},
            "at dataset_types[1].filename_pattern: '*a*' is there twice",
        ),
        ({**_SMALL, "subjects": [_animal("a", id=_ID), _animal("b", id=_ID)]}, f"at subjects[1].id: '{_ID}'"),
        (
            {**_SMALL, "subjects": [_animal(name, sessions=[{**_SESSION, "id": _ID}]) for name in "ab"]},
            f"at subjects[1].sessions[0].id: '{_ID}' is there twice",
        ),
        (
            {**_SMALL, **_UNKNOWN, "subjects": [_animal("a", sessions=[{**_SESSION, "datasets": [_FILE, _FILE]}])]},
            "at subjects[0].sessions[0].datasets[1].name: 'alf/x.npy' is there twice",
        ),
    ],
)
def test_a_wrong_lab_file_is_told_with_the_place(content: Any, reason: str, tmp_path: Path) -> None:
    path = _write(tmp_path, content)
    with pytest.raises(LabFileError) as error:
        read_lab(path)
    assert str(path) in str(error.value)
    assert reason in str(error.value)


def test_a_wrong_lab_file_ends_the_sandbox_with_a_line(tmp_path: Path) -> None:
    ended = _run("--lab", str(_write(tmp_path, {})))
    assert (ended.returncode, ended.stdout) == (1, "")
    assert ended.stderr.count("\n") == 1
    assert "'users' is missing" in ended.stderr


def test_days_can_be_relative(tmp_path: Path) -> None:
    subject = {"nickname": "a", "lab": "lab", "responsible_user": "jose", "birth_date": "today-30"}
    lab = read_lab(_write(tmp_path, {**_SMALL, "subjects": [{**subject, "death_date": "today+2"}]}))
    born, dies = (lab["subjects"][0][key] for key in ("birth_date", "death_date"))
    assert dies - born == timedelta(days=32)
    assert isinstance(born, date)


def test_the_demo_lab_has_the_awkward_cases() -> None:
    lab = read_lab(None)
    subjects = {(subject["lab"], subject["nickname"]): subject for subject in lab["subjects"]}
    ea04 = subjects["haisslab", "ea04"]
    assert len(ea04["sessions"]) == 25
    assert {type(session["json"]) for session in ea04["sessions"]} == {dict, list, str, type(None)}
    assert {type(session["extended_qc"]) for session in ea04["sessions"]} == {dict, str, type(None)}
    assert [lab_name for lab_name, name in subjects if name == "jo001"] == ["champalimaud", "cortexlab"]
    alive = [
        one
        for one in lab["subjects"]
        if one["responsible_user"] == "jose" and not (one["death_date"] and one["death_date"] <= date.today())  # noqa: DTZ011
    ]
    assert len(alive) == 10
    assert any(one["death_date"] for one in alive)
    assert any(one["birth_date"] is None for one in alive)
    assert any(one["surgeries"] and one["weighings"] for one in alive)
    assert any(one["genotype"] and one["line"] for one in alive)
    assert any({"'", '"', "\\", "\n"} <= set(one["description"]) for one in alive)


def _recorded_subject(name: str, lab: str, implant: float, recording: dict[str, Any]) -> dict[str, Any]:
    """Return a subject of which a server that is right must answer what was recorded."""
    weighings, water = [], []
    for record in recording["response"]["body"]["records"]:
        noted_at = f"{record['date']}T10:00:00"
        if record["weighing_at"] is not None:
            weighings.append({"date_time": noted_at, "weight": record["weighing_at"]})
        if record["given_water_supplement"]:
            water.append({"date_time": noted_at, "water_administered": record["given_water_supplement"]})
    return {
        "nickname": name,
        "lab": lab,
        "responsible_user": "jose",
        "surgeries": [{"start_time": "2026-10-01T10:00:00", "implant_weight": implant}] if implant else [],
        "water_restrictions": [{"start_time": "2026-10-21T09:24:01", "reference_weight": 25.0}],
        "weighings": weighings,
        "water_administrations": water,
    }


@pytest.fixture(scope="module")
def recorded_lab(tmp_path_factory: pytest.TempPathFactory) -> Any:
    """A sandbox with the subjects whose water requirement was recorded."""
    recordings = OF_ALYX.read()
    lab = {
        "users": [{"username": "jose", "password": "jose-demo"}],
        "labs": [
            {"name": "champalimaud", "timezone": "Europe/Lisbon", "reference_weight_pct": 0.85},
            {"name": "haisslab", "timezone": "Europe/Paris"},
        ],
        "subjects": [
            _recorded_subject("an003", "champalimaud", 0, recordings["water_requirement"]),
            _recorded_subject("implant_1", "champalimaud", 3.0, recordings["water_requirement_implant_1"]),
            _recorded_subject("nolimit_1", "haisslab", 0, recordings["water_requirement_nolimit_1"]),
        ],
    }
    with SandboxServer("--lab", str(_write(tmp_path_factory.mktemp("lab"), lab))) as server:
        yield server


@pytest.mark.parametrize("name", ["water_requirement", "water_requirement_implant_1", "water_requirement_nolimit_1"])
def test_water_requirements_are_the_recorded_ones_to_the_last_digit(recorded_lab: SandboxServer, name: str) -> None:
    recording = OF_ALYX.read()[name]
    request = recording["request"]
    login = {"username": recorded_lab.username, "password": recorded_lab.password}
    token = requests.post(f"{recorded_lab.url}/auth-token", data=login, timeout=_TIMEOUT).json()["token"]
    answer = requests.get(
        recorded_lab.url + request["path"],
        params=request["params"],
        headers={"Authorization": f"Token {token}"},
        timeout=_TIMEOUT,
    )
    assert answer.json() == recording["response"]["body"]
