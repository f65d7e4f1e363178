"""What a rig and a lab manager write, and that it is taken away again."""

from __future__ import annotations

import uuid
from typing import TYPE_CHECKING

import pytest

from tests.contract.test_recorded_answers import check_answer

if TYPE_CHECKING:
    import requests

    from tests.contract.alyx_under_test import AlyxUnderTest


def _location(answer: requests.Response, alyx: AlyxUnderTest) -> str:
    assert answer.headers["Location"] == answer.json()["url"]
    path = answer.headers["Location"].removeprefix(alyx.url)
    assert path.startswith("/")
    return path


def test_a_new_subject_belongs_to_its_user_and_is_a_mouse(writable: AlyxUnderTest, subject: str) -> None:
    detail = writable.get(f"/subjects/{subject}")
    assert (detail["responsible_user"], detail["species"], detail["sex"], detail["alive"]) == (
        writable.user,
        "Laboratory mouse",
        "U",
        True,
    )


def test_a_session_is_created_found_changed_and_deleted(writable: AlyxUnderTest, subject: str) -> None:
    key = str(uuid.uuid4())
    body = {
        "subject": subject,
        "users": [writable.user],
        "task_protocol": "wait_task",
        "number": 1,
        "start_time": "2026-11-20T10:00:00",
        "end_time": "2026-11-20T10:45:30",
        "n_trials": 312,
        "narrative": "ran well",
        "json": {"pybpod_session": key},
    }
    created = writable.ask("POST", "/sessions", json=body)
    check_answer("session_create", created)
    assert {name: created.json()[name] for name in body} == body
    path = _location(created, writable)
    rows = writable.rows("/sessions", django=f"json__pybpod_session,{key}")
    assert [row["id"] for row in rows] == [created.json()["id"]]
    patched = writable.ask("PATCH", path, json={"n_trials": 320})
    check_answer("session_patch", patched)
    assert patched.json()["n_trials"] == 320
    assert patched.json()["auto_datetime"] > created.json()["auto_datetime"]
    deleted = writable.ask("DELETE", path)
    check_answer("session_delete", deleted)
    check_answer("session_not_found", writable.ask("GET", path))


def test_a_session_needs_a_subject_only(writable: AlyxUnderTest, subject: str) -> None:
    created = writable.ask("POST", "/sessions", json={"subject": subject})
    check_answer("session_missing_fields", created)
    assert created.json()["users"] == [writable.user]
    assert created.json()["lab"] == writable.subject["lab"]


def test_the_same_session_can_be_stored_twice(writable: AlyxUnderTest, subject: str) -> None:
    for _ in range(2):
        body = {"subject": subject, "start_time": "2026-11-20T10:00:00", "number": 1}
        assert writable.ask("POST", "/sessions", json=body).status_code == 201
    assert writable.get("/sessions", subject=subject)["count"] == 2


def test_a_weighing_is_created_and_deleted(writable: AlyxUnderTest, subject: str) -> None:
    body = {"subject": subject, "weight": 22.4, "user": writable.user, "date_time": "2026-11-20T09:00:00"}
    created = writable.ask("POST", "/weighings", json=body)
    check_answer("weighing_create", created)
    assert {name: created.json()[name] for name in body} == body
    path = _location(created, writable)
    assert writable.get(f"/subjects/{subject}")["weighings"] == [created.json()]
    assert writable.ask("DELETE", path).status_code == 204
    assert writable.get("/weighings", nickname=subject)["count"] == 0


def test_an_offset_is_converted_to_utc_and_dropped(writable: AlyxUnderTest, subject: str) -> None:
    body = {"subject": subject, "weight": 22.4, "date_time": "2026-11-20T09:00:00+01:00"}
    assert writable.ask("POST", "/weighings", json=body).json()["date_time"] == "2026-11-20T08:00:00"


def test_water_is_a_reward_in_a_session_and_a_supplement_without(writable: AlyxUnderTest, subject: str) -> None:
    session = writable.ask("POST", "/sessions", json={"subject": subject}).json()
    body = {
        "subject": subject,
        "water_administered": 0.5,
        "water_type": "Water",
        "user": writable.user,
        "date_time": "2026-11-20T12:00:00",
    }
    supplement = writable.ask("POST", "/water-administrations", json=body)
    check_answer("water_create", supplement)
    assert supplement.json()["session"] is None
    reward = writable.ask(
        "POST", "/water-administrations", json={**body, "water_administered": 1.25, "session": session["id"]}
    )
    check_answer("water_create_in_session", reward)
    answer = writable.get(f"/water-requirement/{subject}", start_date="2026-11-20", end_date="2026-11-20")
    record = answer["records"][0]
    assert (record["given_water_reward"], record["given_water_supplement"], record["given_water_total"]) == (
        1.25,
        0.5,
        1.75,
    )
    related = writable.get(f"/sessions/{session['id']}")["wateradmin_session_related"]
    assert [(one["water_type"], one["water_administered"]) for one in related] == [("Water", 1.25)]


def test_water_after_death_is_a_500_that_stores_nothing(writable: AlyxUnderTest, subject: str) -> None:
    assert writable.ask("PATCH", f"/subjects/{subject}", json={"death_date": "2026-01-01"}).status_code == 200
    body = {"subject": subject, "water_administered": 1.0, "date_time": "2026-11-20T12:00:00"}
    answer = writable.ask("POST", "/water-administrations", json=body)
    assert (answer.status_code, answer.json()["detail"]) == (500, "Water administration date after death date")
    assert writable.get("/water-administrations", nickname=subject)["count"] == 0


def test_a_weighing_without_a_time_is_a_500_that_stores_it(writable: AlyxUnderTest, subject: str) -> None:
    answer = writable.ask("POST", "/weighings", json={"subject": subject, "weight": 20.0, "date_time": None})
    assert (answer.status_code, answer.json()["detail"]) == (500, "")
    rows = writable.rows("/weighings", nickname=subject)
    assert [row["weight"] for row in rows] == [20.0]


def test_details_of_a_subject_can_be_changed(writable: AlyxUnderTest, subject: str) -> None:
    changes = {"description": 'it\'s "new"\n\\ ü 猫', "birth_date": "2026-01-01", "sex": "F", "json": {"a": [1, None]}}
    patched = writable.ask("PATCH", f"/subjects/{subject}", json=changes)
    assert patched.status_code == 200
    assert {name: patched.json()[name] for name in changes} == changes
    died = writable.ask("PATCH", f"/subjects/{subject}", json={"death_date": "2026-02-01"}).json()
    assert (died["alive"], died["age_weeks"]) == (False, 4)


def test_a_renamed_subject_keeps_its_id_and_remembers_its_name(writable: AlyxUnderTest, subject: str) -> None:
    before = writable.get(f"/subjects/{subject}")
    renamed = writable.ask("PATCH", f"/subjects/{subject}", json={"nickname": f"{subject}_b"})
    try:
        assert renamed.json()["id"] == before["id"]
        assert writable.ask("GET", f"/subjects/{subject}").status_code == 404
        after = writable.get(f"/subjects/{subject}_b")
        assert [entry["value"] for entry in after["json"]["history"]["nickname"]] == [subject]
    finally:
        writable.ask("PATCH", f"/subjects/{subject}_b", json={"nickname": subject})


@pytest.mark.parametrize(
    ("changes", "field"),
    [
        ({"nickname": "no good!"}, "nickname"),
        ({"nickname": ""}, "nickname"),
        ({"responsible_user": "nobody-here"}, "responsible_user"),
        ({"responsible_user": None}, "responsible_user"),
        ({"lab": "nope"}, "lab"),
        ({"sex": "X"}, "sex"),
        ({"birth_date": "x"}, "birth_date"),
    ],
)
def test_invalid_details_name_the_field(
    writable: AlyxUnderTest, subject: str, changes: dict[str, object], field: str
) -> None:
    answer = writable.ask("PATCH", f"/subjects/{subject}", json=changes)
    assert answer.status_code == 400
    assert set(answer.json()) == {field, "status_code"}


def test_a_nickname_is_unique_in_its_lab_and_for_its_user(writable: AlyxUnderTest, subject: str) -> None:
    answer = writable.ask("POST", "/subjects", json={"nickname": subject, "lab": writable.subject["lab"]})
    assert answer.status_code == 400
    assert answer.json()["non_field_errors"] == [
        "The fields nickname, lab must make a unique set.",
        "The fields nickname, responsible_user must make a unique set.",
    ]
