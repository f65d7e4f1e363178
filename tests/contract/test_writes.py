"""What a rig and a lab manager write, and that it is taken away again."""

from __future__ import annotations

import datetime as dt
import uuid
from typing import TYPE_CHECKING

import pytest

from tests.contract.alyx_under_test import on_the_clock
from tests.contract.test_recorded_answers import check_answer

if TYPE_CHECKING:
    import requests

    from tests.contract.alyx_under_test import AlyxUnderTest, Animal


def _location(answer: requests.Response, alyx: AlyxUnderTest) -> str:
    assert answer.headers["Location"] == answer.json()["url"]
    path = answer.headers["Location"].removeprefix(alyx.root)
    assert path.startswith("/")
    return path


def test_a_new_subject_belongs_to_its_user_and_is_alive(writable: AlyxUnderTest, subject: Animal) -> None:
    detail = writable.get(f"/subjects/{subject.key}")
    assert (detail["responsible_user"], detail["sex"], detail["alive"]) == (writable.user, "U", True)


def test_a_new_subject_is_a_laboratory_mouse(writable: AlyxUnderTest, subject: Animal) -> None:
    assert writable.get(f"/subjects/{subject.key}")["species"] == "Laboratory mouse"


def test_a_new_subject_is_a_mus_musculus(writable: AlyxUnderTest, subject: Animal) -> None:
    assert writable.get(f"/subjects/{subject.key}")["species"] == "Mus musculus"


def test_a_session_is_created_found_changed_and_deleted(writable: AlyxUnderTest, subject: Animal) -> None:
    key = str(uuid.uuid4())
    body = {
        "subject": subject.nickname,
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
    check_answer(writable, "session_create", created)
    assert {name: on_the_clock(created.json())[name] for name in body} == body
    path = _location(created, writable)
    rows = writable.rows("/sessions", django=f"json__pybpod_session,{key}")
    assert [row["id"] for row in rows] == [created.json()["id"]]
    patched = writable.ask("PATCH", path, json={"n_trials": 320})
    check_answer(writable, "session_patch", patched)
    assert patched.json()["n_trials"] == 320
    assert patched.json()["auto_datetime"] > created.json()["auto_datetime"]
    deleted = writable.ask("DELETE", path)
    check_answer(writable, "session_delete", deleted)
    check_answer(writable, "session_not_found", writable.ask("GET", path))


def test_a_session_needs_a_subject_only(writable: AlyxUnderTest, subject: Animal) -> None:
    created = writable.ask("POST", "/sessions", json={"subject": subject.nickname})
    check_answer(writable, "session_missing_fields", created)
    assert created.json()["users"] == [writable.user]
    assert created.json()["lab"] == writable.subject["lab"]


def test_the_same_session_can_be_stored_twice(writable: AlyxUnderTest, subject: Animal) -> None:
    for _ in range(2):
        body = {"subject": subject.nickname, "start_time": "2026-11-20T10:00:00", "number": 1}
        assert writable.ask("POST", "/sessions", json=body).status_code == 201
    assert writable.get("/sessions", subject=subject.nickname)["count"] == 2


def test_subject_day_and_number_are_one_session_only(writable: AlyxUnderTest, subject: Animal) -> None:
    bodies = [
        {"subject": subject.nickname, "start_time": f"2026-11-20T{hour}:00:00", "number": 1} for hour in ("10", "14")
    ]
    answers = [writable.ask("POST", "/sessions", json=body) for body in bodies]
    assert [answer.status_code for answer in answers] == [201, 500]
    assert "same subject, date" in answers[1].json()["detail"]
    assert writable.get("/sessions", subject=subject.nickname)["count"] == 1


def test_a_session_without_a_number_has_none(writable: AlyxUnderTest, subject: Animal) -> None:
    assert writable.ask("POST", "/sessions", json={"subject": subject.nickname}).json()["number"] is None


def test_a_session_without_a_number_takes_the_next(writable: AlyxUnderTest, subject: Animal) -> None:
    bodies = [{"subject": subject.nickname, "start_time": f"2026-11-20T{hour}:00:00"} for hour in ("10", "14")]
    assert [writable.ask("POST", "/sessions", json=body).json()["number"] for body in bodies] == [1, 2]


def test_a_weighing_is_created_and_deleted(writable: AlyxUnderTest, subject: Animal) -> None:
    body = {"subject": subject.key, "weight": 22.4, "user": writable.user, "date_time": "2026-11-20T09:00:00"}
    created = writable.ask("POST", "/weighings", json=body)
    check_answer(writable, "weighing_create", created)
    assert {name: on_the_clock(created.json())[name] for name in body} == body
    path = _location(created, writable)
    assert writable.get(f"/subjects/{subject.key}")["weighings"] == [created.json()]
    assert writable.ask("DELETE", path).status_code == 204
    assert writable.get("/weighings", nickname=subject.nickname)["count"] == 0


def _stored_time(alyx: AlyxUnderTest, subject: Animal, time: str) -> str:
    body = {"subject": subject.key, "weight": 22.4, "date_time": time}
    return str(alyx.ask("POST", "/weighings", json=body).json()["date_time"])


def test_a_time_is_given_back_as_it_was_sent(writable: AlyxUnderTest, subject: Animal) -> None:
    for time in ("2026-11-20T09:00:00", "2026-07-20T09:00:00", "2026-03-29T02:30:00"):
        assert _stored_time(writable, subject, time) == time


def test_a_time_is_given_back_with_the_offset_of_the_servers_zone(writable: AlyxUnderTest, subject: Animal) -> None:
    for time in ("2026-11-20T09:00:00", "2026-07-20T09:00:00"):
        stored = dt.datetime.fromisoformat(_stored_time(writable, subject, time))
        assert stored.replace(tzinfo=None).isoformat() == time
        assert stored.tzinfo is not None


def test_an_offset_is_converted_to_utc_and_dropped(writable: AlyxUnderTest, subject: Animal) -> None:
    assert _stored_time(writable, subject, "2026-11-20T09:00:00+01:00") == "2026-11-20T08:00:00"


def test_an_offset_is_kept_as_a_moment(writable: AlyxUnderTest, subject: Animal) -> None:
    sent = "2026-11-20T09:00:00-05:00"
    stored = dt.datetime.fromisoformat(_stored_time(writable, subject, sent))
    assert stored.tzinfo is not None
    assert stored == dt.datetime.fromisoformat(sent)


def test_water_is_a_reward_in_a_session_and_a_supplement_without(writable: AlyxUnderTest, subject: Animal) -> None:
    session = writable.ask("POST", "/sessions", json={"subject": subject.nickname}).json()
    body = {
        "subject": subject.key,
        "water_administered": 0.5,
        "water_type": "Water",
        "user": writable.user,
        "date_time": "2026-11-20T12:00:00",
    }
    supplement = writable.ask("POST", "/water-administrations", json=body)
    check_answer(writable, "water_create", supplement)
    assert supplement.json()["session"] is None
    reward = writable.ask(
        "POST", "/water-administrations", json={**body, "water_administered": 1.25, "session": session["id"]}
    )
    check_answer(writable, "water_create_in_session", reward)
    related = writable.get(f"/sessions/{session['id']}")["wateradmin_session_related"]
    assert [(one["water_type"], one["water_administered"]) for one in related] == [("Water", 1.25)]


def test_rewards_and_supplements_are_told_by_the_water_requirement(writable: AlyxUnderTest, subject: Animal) -> None:
    session = writable.ask("POST", "/sessions", json={"subject": subject.nickname}).json()
    body = {"subject": subject.key, "water_type": "Water", "date_time": "2026-11-20T12:00:00"}
    for more in ({"water_administered": 0.5}, {"water_administered": 1.25, "session": session["id"]}):
        assert writable.ask("POST", "/water-administrations", json=body | more).status_code == 201
    answer = writable.get(f"/water-requirement/{subject.key}", start_date="2026-11-20", end_date="2026-11-20")
    record = answer["records"][0]
    assert (record["given_water_reward"], record["given_water_supplement"], record["given_water_total"]) == (
        1.25,
        0.5,
        1.75,
    )


def test_water_after_death_is_a_500_that_stores_nothing(writable: AlyxUnderTest, subject: Animal) -> None:
    assert writable.ask("PATCH", f"/subjects/{subject.key}", json={"death_date": "2026-01-01"}).status_code == 200
    body = {"subject": subject.key, "water_administered": 1.0, "date_time": "2026-11-20T12:00:00"}
    answer = writable.ask("POST", "/water-administrations", json=body)
    assert (answer.status_code, answer.json()["detail"]) == (500, "Water administration date after death date")
    assert writable.get("/water-administrations", nickname=subject.nickname)["count"] == 0


def test_water_after_death_is_taken(writable: AlyxUnderTest, subject: Animal) -> None:
    assert writable.ask("PATCH", f"/subjects/{subject.key}", json={"death_date": "2026-01-01"}).status_code == 200
    body = {"subject": subject.key, "water_administered": 1.0, "date_time": "2026-11-20T12:00:00"}
    assert writable.ask("POST", "/water-administrations", json=body).status_code == 201
    assert writable.get("/water-administrations", nickname=subject.nickname)["count"] == 1


def test_a_weighing_without_a_time_is_a_500_that_stores_it(writable: AlyxUnderTest, subject: Animal) -> None:
    answer = writable.ask("POST", "/weighings", json={"subject": subject.key, "weight": 20.0, "date_time": None})
    rows = writable.rows("/weighings", nickname=subject.nickname)
    for row in rows:  # with it lists of subjects are a 500
        assert writable.ask("DELETE", row["url"].removeprefix(writable.root)).status_code == 204
    assert (answer.status_code, answer.json()["detail"]) == (500, "")
    assert [row["weight"] for row in rows] == [20.0]


def test_details_of_a_subject_can_be_changed(writable: AlyxUnderTest, subject: Animal) -> None:
    changes = {"description": 'it\'s "new"\n\\ ü 猫', "birth_date": "2026-01-01", "sex": "F"}
    patched = writable.ask("PATCH", f"/subjects/{subject.key}", json=changes)
    assert patched.status_code == 200
    assert {name: patched.json()[name] for name in changes} == changes
    died = writable.ask("PATCH", f"/subjects/{subject.key}", json={"death_date": "2026-02-01"}).json()
    assert (died["alive"], died["age_weeks"]) == (False, 4)


def test_a_subject_holds_json(writable: AlyxUnderTest, subject: Animal) -> None:
    patched = writable.ask("PATCH", f"/subjects/{subject.key}", json={"json": {"a": [1, None]}})
    assert patched.json()["json"] == {"a": [1, None]}


def test_a_renamed_subject_keeps_its_id(writable: AlyxUnderTest, subject: Animal) -> None:
    renamed = writable.ask("PATCH", f"/subjects/{subject.key}", json={"nickname": f"{subject.nickname}_b"})
    assert renamed.json()["id"] == subject.id
    assert writable.ask("GET", f"/subjects/{subject.key}").status_code == 404
    assert writable.get(f"/subjects/{writable.key_of(subject.id)}")["nickname"] == f"{subject.nickname}_b"


def test_a_renamed_subject_remembers_its_name(writable: AlyxUnderTest, subject: Animal) -> None:
    writable.ask("PATCH", f"/subjects/{subject.key}", json={"nickname": f"{subject.nickname}_b"})
    after = writable.get(f"/subjects/{writable.key_of(subject.id)}")
    assert [entry["value"] for entry in after["json"]["history"]["nickname"]] == [subject.nickname]


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
    writable: AlyxUnderTest, subject: Animal, changes: dict[str, object], field: str
) -> None:
    answer = writable.ask("PATCH", f"/subjects/{subject.key}", json=changes)
    assert answer.status_code == 400
    assert set(answer.json()) == {field, "status_code"}


def test_a_nickname_is_unique_in_its_lab_and_for_its_user(writable: AlyxUnderTest, subject: Animal) -> None:
    answer = writable.ask("POST", "/subjects", json={"nickname": subject.nickname, "lab": writable.subject["lab"]})
    assert answer.status_code == 400
    assert answer.json()["non_field_errors"] == [
        "The fields nickname, lab must make a unique set.",
        "The fields nickname, responsible_user must make a unique set.",
    ]


def test_a_whole_number_beyond_those_of_the_database_is_refused(writable: AlyxUnderTest, subject: Animal) -> None:
    answer = writable.ask("POST", "/sessions", json={"subject": subject.nickname, "number": 1, "n_trials": 2**31})
    assert answer.status_code == 400
    assert "2147483647" in answer.json()["n_trials"][0]


def test_a_dataset_answers_to_a_change_with_all_fields(writable: AlyxUnderTest, subject: Animal) -> None:
    session = writable.ask("POST", "/sessions", json={"subject": subject.nickname, "number": 1}).json()
    body = {"session": session["url"], "name": "a.b.npy", "dataset_type": "unknown", "data_format": "unknown"}
    made = writable.ask("POST", "/datasets", json=body).json()
    name = made["url"].rpartition("/")[2]
    changed = writable.ask("PATCH", f"/datasets/{name}", json={"file_size": 3}).json()
    assert changed["file_size"] == 3
    assert changed.keys() == made.keys() == writable.get(f"/datasets/{name}").keys()
    [held] = writable.ask("PATCH", f"/sessions/{session['id']}", json={"narrative": "x"}).json()[
        "data_dataset_session_related"
    ]
    assert held["data_url"] is None
    assert writable.ask("DELETE", f"/datasets/{name}").status_code == 204


def test_a_dataset_finds_its_session_and_becomes_the_default_one(writable: AlyxUnderTest, subject: Animal) -> None:
    session = {"subject": subject.nickname, "number": 1, "start_time": "2024-05-06T09:30:00"}
    made = writable.ask("POST", "/sessions", json=session).json()
    of_session = {"subject": subject.nickname, "date": "2024-05-06", "number": 1}
    body = {**of_session, "name": "a.b.npy", "dataset_type": "unknown", "data_format": "unknown"}
    answers = [writable.ask("POST", "/datasets", json=body) for _ in range(2)]
    assert [answer.status_code for answer in answers] == [201, 201]
    assert [answer.json()["session"] for answer in answers] == [made["url"]] * 2
    rows = {row["url"]: row["default_dataset"] for row in writable.rows("/datasets", subject=subject.nickname)}
    assert [rows[answer.json()["url"]] for answer in answers] == [False, True]
    for lost in ({"number": 2}, {"date": "2024-05-07"}):
        assert writable.ask("POST", "/datasets", json={**body, **lost}).status_code == 500


def test_a_lab_takes_its_subjects_along(writable: AlyxUnderTest) -> None:
    lab, name = (f"contract_{uuid.uuid4().hex[:12]}" for _ in range(2))
    assert writable.ask("POST", "/labs", json={"name": lab, "timezone": "UTC"}).status_code == 201
    assert writable.ask("POST", "/subjects", json={"nickname": name, "lab": lab}).status_code == 201
    assert writable.ask("DELETE", f"/labs/{lab}").status_code == 204
    assert writable.rows("/subjects", nickname=name) == []
