"""Every recorded request, asked again: the answer has the recorded status, headers, keys and types."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import pytest
import requests

from tests.contract.alyx_under_test import AlyxUnderTest
from tests.contract.shapes import HEADERS, OF_ALYX, OF_ALYX_LOCAL, PAGE_KEYS, Recorded, fits, shape_of

_SHAPES = {recorded: json.loads(recorded.shapes.read_text(encoding="utf-8")) for recorded in (OF_ALYX, OF_ALYX_LOCAL)}
_NOBODY = "00000000-0000-0000-0000-000000000000"

Asking = Callable[[AlyxUnderTest], requests.Response]


def _get(path: str, **params: Any) -> Asking:
    return lambda alyx: alyx.ask("GET", path, params=params)


def _of_user(path: str, **params: Any) -> Asking:
    return lambda alyx: alyx.ask("GET", path, params={"responsible_user": alyx.user, **params})


def _of_subject(path: str, **params: Any) -> Asking:
    return lambda alyx: alyx.ask("GET", path, params={"subject": alyx.subject["nickname"], **params})


def _by_user(path: str, more: str = "") -> Asking:
    return lambda alyx: alyx.ask(
        "GET", path, params={"django": f"subject__responsible_user__username,{alyx.user}{more}", "limit": 3}
    )


def _water(pick: Callable[[AlyxUnderTest], str]) -> Asking:
    def ask(alyx: AlyxUnderTest) -> requests.Response:
        params = {"start_date": "2026-11-01", "end_date": "2026-11-07"}
        return alyx.ask("GET", f"/water-requirement/{pick(alyx)}", params=params)

    return ask


def _ids(alyx: AlyxUnderTest) -> requests.Response:
    ids = [row["id"] for row in alyx.unique[:3]]
    return alyx.ask("GET", "/subjects", params={"django": f"pk__in,{ids}".replace(" ", "")})


#: How to ask for what was recorded, in a lab that is another one than that of the recordings.
READS: dict[str, Asking] = {
    "auth_get_not_allowed": lambda alyx: alyx.anonymous("GET", "/auth-token"),
    "auth_missing_field": lambda alyx: alyx.anonymous("POST", "/auth-token", data={"username": alyx.user}),
    "auth_ok": lambda alyx: alyx.anonymous(
        "POST", "/auth-token", data={"username": alyx.user, "password": alyx.password}
    ),
    "auth_trailing_slash": lambda alyx: alyx.anonymous("POST", "/auth-token/", data={"username": alyx.user}),
    "auth_wrong_password": lambda alyx: alyx.anonymous(
        "POST", "/auth-token", data={"username": alyx.user, "password": "not " + alyx.password}
    ),
    "dataset_types": _get("/dataset-types"),
    "datasets": _get("/datasets"),
    "invalid_token": lambda alyx: alyx.anonymous("GET", "/subjects", headers={"Authorization": f"Token {'0' * 40}"}),
    "labs": _get("/labs"),
    "locations": _get("/locations"),
    "no_credentials": lambda alyx: alyx.anonymous("GET", "/subjects"),
    "procedures": _get("/procedures"),
    "projects": _get("/projects"),
    "root": lambda alyx: alyx.session.get(f"{alyx.url}/", allow_redirects=False),
    "session_bad_uuid": _get("/sessions/abc"),
    "session_detail": lambda alyx: alyx.ask("GET", f"/sessions/{alyx.session_row['id']}"),
    "session_find_by_json": _get("/sessions", django="json__pybpod_session,8c6c9f4e-1c67-4b3f-93c9-1b8f6f0f3a01"),
    "session_not_found": _get(f"/sessions/{_NOBODY}"),
    "sessions_bad_date": _get("/sessions", date_range="garbage"),
    "sessions_changed_since": _get("/sessions", django="auto_datetime__gte,2020-01-01T00:00:00", limit=1),
    "sessions_date_range": _of_subject("/sessions", date_range="2024-01-01,2024-01-02", limit=2),
    "sessions_extended_qc": _of_subject("/sessions", extended_qc="pass,False,noise_uV__lt,15", limit=2),
    "sessions_json": _get("/sessions", json="rig,rig_1", limit=1),
    "sessions_list": _of_subject("/sessions"),
    "sessions_number": _of_subject("/sessions", number=1, limit=2),
    "sessions_open_date_range": _get("/sessions", date_range="2024-01-01,", limit=1),
    "sessions_qc": _get("/sessions", qc="PASS", limit=1),
    "sessions_since": _of_subject("/sessions", django="start_time__date__gte,2024-01-02", limit=1),
    "sessions_subject_list": _get("/sessions", subject="ea04,jo079", limit=1),
    "sessions_task_protocol": _of_subject("/sessions", task_protocol="wait", limit=2),
    "sessions_unknown_filter": _get("/sessions", nonsense="1", limit=1),
    "subject_by_uuid_route": lambda alyx: alyx.ask("GET", f"/subjects/{alyx.subject['id']}"),
    "subject_detail": lambda alyx: alyx.ask("GET", f"/subjects/{alyx.key(alyx.subject)}"),
    "subject_detail_dead": lambda alyx: alyx.ask("GET", f"/subjects/{alyx.key(alyx.dead)}"),
    "subject_detail_implant_1": lambda alyx: alyx.ask("GET", f"/subjects/{alyx.key(alyx.restricted)}"),
    "subject_duplicate_nickname": lambda alyx: alyx.ask("GET", f"/subjects/{alyx.namesake}"),
    "subject_not_found": _get("/subjects/does-not-exist"),
    "subjects_alive_1": _of_user("/subjects", alive="1", limit=1),
    "subjects_alive_false": _of_user("/subjects", alive="False"),
    "subjects_alive_true": _of_user("/subjects", alive="True"),
    "subjects_bad_django_filter": _get("/subjects", django="nope,1"),
    "subjects_by_id": lambda alyx: alyx.ask("GET", "/subjects", params={"django": f"pk,{alyx.subject['id']}"}),
    "subjects_by_nickname_filter": lambda alyx: alyx.ask("GET", "/subjects", params={"nickname": alyx.namesake}),
    "subjects_by_several_ids": _ids,
    "subjects_delegated": _of_user("/subjects", limit=2),
    "subjects_lab_project": lambda alyx: alyx.ask("GET", "/subjects", params={"lab": alyx.subject["lab"]}),
    "subjects_limit_0": _of_user("/subjects", limit=0),
    "subjects_limit_over_max": _of_user("/subjects", limit=5000, offset=0),
    "subjects_none": _get("/subjects", responsible_user="nobody-here"),
    "subjects_offset": _of_user("/subjects", limit=2, offset=3),
    "subjects_page1": _of_user("/subjects"),
    "subjects_stock": _get("/subjects", stock="True", limit=2),
    "subjects_water_restricted": _of_user("/subjects", water_restricted="True", limit=2),
    "unknown_route": _get("/no-such-endpoint"),
    "user_detail": lambda alyx: alyx.ask("GET", f"/users/{alyx.user}"),
    "user_with_allowed_users": lambda alyx: alyx.ask("GET", f"/users/{alyx.rows('/users')[-1]['username']}"),
    "users": _get("/users"),
    "water_administrations_bulk": _by_user("/water-administrations"),
    "water_requirement": _water(lambda alyx: alyx.key(alyx.restricted)),
    "water_requirement_implant_1": _water(lambda alyx: alyx.key(alyx.subject)),
    "water_requirement_nolimit_1": _water(lambda alyx: alyx.key(alyx.dead)),
    "water_restricted_subjects": _get("/water-restricted-subjects", limit=2),
    "water_restrictions": lambda alyx: alyx.ask(
        "GET", "/water-restriction", params={"subject": alyx.restricted["nickname"]}
    ),
    "water_types": _get("/water-type"),
    "weighings_bulk": _by_user("/weighings"),
    "weighings_by_nickname": lambda alyx: alyx.ask(
        "GET", "/weighings", params={"nickname": alyx.restricted["nickname"], "limit": 2}
    ),
    "weighings_lab_filter": _get("/weighings", lab="champalimaud", limit=1),
    "weighings_since": _by_user("/weighings", ",date_time__gte,2020-01-01T00:00:00"),
}


def _post(path: str, **body: Any) -> Asking:
    def ask(alyx: AlyxUnderTest) -> requests.Response:
        subject = body.get("subject") or (alyx.subject["nickname"] if path == "/sessions" else alyx.key(alyx.subject))
        return alyx.ask("POST", path, json={**body, "subject": subject})

    return ask


#: Writes that the server refuses.
REFUSED_WRITES: dict[str, Asking] = {
    "session_unknown_project": _post("/sessions", projects=["nope"], task_protocol="x"),
    "water_bad_type": _post("/water-administrations", water_administered=0.85, water_type="Lemonade"),
    "weighing_ambiguous_subject": lambda alyx: alyx.ask(
        "POST", "/weighings", json={"subject": alyx.namesake, "weight": 20.0}
    ),
    "weighing_negative": _post("/weighings", weight=-3),
    "weighing_unknown_subject": _post("/weighings", subject="ghost", weight=20),
}

#: Recorded, and asked for elsewhere: what is stored in `test_writes`, the throttle and a public user in the tests of
#: the sandbox's process (another server's should be left alone), and z-scores, which the sandbox has not.
ELSEWHERE = {
    "public_user_write",
    "session_create",
    "session_delete",
    "session_missing_fields",
    "session_patch",
    "subject_detail_implant_z",
    "throttled",
    "water_create",
    "water_create_in_session",
    "water_requirement_implant_z",
    "weighing_create",
}
#: What Alyx-Local has not: z-scores, a throttle, weighings by a nickname that two subjects have.
ONLY_ALYX = {"subject_detail_implant_z", "throttled", "water_requirement_implant_z", "weighing_ambiguous_subject"}


#: Not recorded on Alyx-Local, but its answer is there like another.
LIKE_ANOTHER = {
    "subject_duplicate_nickname": "subject_by_nickname_route",
    "subject_not_found": "subject_by_nickname_route",
    "subjects_delegated": "subjects_page1",
    "subjects_limit_0": "subjects_page1",
    "subjects_limit_over_max": "subjects_page1",
    "water_requirement_implant_1": "water_requirement",
    "water_requirement_nolimit_1": "water_requirement",
}


def check_answer(alyx: AlyxUnderTest, name: str, answer: requests.Response) -> None:
    """Fail where an answer is not like the recorded one of this name."""
    check_recorded(OF_ALYX_LOCAL if alyx.is_local else OF_ALYX, name, answer)


def check_recorded(recorded: Recorded, name: str, answer: requests.Response) -> None:
    """Fail where an answer is not like the recorded one of this name."""
    shapes = _SHAPES[recorded]
    if name not in shapes["answers"]:
        name = LIKE_ANOTHER[name]
    expected = shapes["answers"][name]
    where = f"{answer.request.method} {answer.url}"
    assert answer.status_code == expected["status"], f"{where}: {answer.text[:300]}"
    assert {key: answer.headers.get(key) for key in HEADERS} == expected["headers"], where
    if "text" in expected:
        assert answer.text == expected["text"], where
    elif "error" in expected:
        _check_error(expected["error"], answer.json(), where)
    elif "page of" in expected:
        body = answer.json()
        assert list(body) == PAGE_KEYS, where
        assert shape_of([body["count"]]) == ["number"], where
        assert shape_of([body["next"], body["previous"]])[0] in {"null", "string", "null|string"}, where
        kind = shapes["kinds"].get(expected["page of"])
        assert not (kind and fits([kind], body["results"], where))
    else:
        assert not fits(shapes["kinds"][expected["body"]], answer.json(), where)


def _check_error(expected: dict[str, Any], body: Any, where: str) -> None:
    # Which fields a table has besides those of the contract is its own affair.
    choices = ". Choices are:"
    detail = expected.get("detail", "")
    if choices in detail:
        assert body["detail"].partition(choices)[0] == detail.partition(choices)[0], where
        body, expected = {**body, "detail": ""}, {**expected, "detail": ""}
    assert body == expected, where


@pytest.mark.parametrize("recorded", _SHAPES, ids=["alyx", "alyx-local"])
def test_shapes_are_those_of_the_recordings(recorded: Recorded) -> None:
    assert recorded.derive() == _SHAPES[recorded]


def test_every_recording_is_asked_for() -> None:
    names = set(READS) | set(REFUSED_WRITES) | ELSEWHERE
    assert names == set(OF_ALYX.read())
    assert set(OF_ALYX_LOCAL.read()) == names - set(LIKE_ANOTHER) - ONLY_ALYX | set(LIKE_ANOTHER.values())


@pytest.mark.parametrize("name", READS)
def test_reading(alyx: AlyxUnderTest, name: str) -> None:
    check_answer(alyx, name, READS[name](alyx))


@pytest.mark.parametrize("name", REFUSED_WRITES)
def test_refused_write(writable: AlyxUnderTest, name: str) -> None:
    check_answer(writable, name, REFUSED_WRITES[name](writable))
