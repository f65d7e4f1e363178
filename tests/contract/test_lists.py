"""Pages, filters and orders of the lists."""

from __future__ import annotations

import datetime as dt
from urllib.parse import parse_qsl, urlsplit

import pytest

from tests.contract.alyx_under_test import AlyxUnderTest, Animal, found


def _ids(rows: list[dict[str, object]]) -> list[object]:
    return [row["id"] for row in rows]


def test_next_leads_through_all_rows_once(alyx: AlyxUnderTest) -> None:
    page = alyx.get("/subjects", limit=max(4, len(alyx.subjects) // 10))
    seen = _ids(page["results"])
    while page["next"]:
        assert page["next"].startswith(f"{alyx.root}/subjects?")
        page = alyx.get("/subjects", **dict(parse_qsl(urlsplit(page["next"]).query)))
        seen += _ids(page["results"])
    assert seen == _ids(alyx.rows("/subjects"))
    assert len(seen) == page["count"]


def test_next_and_previous_have_their_parameters_sorted_and_keep_the_filters(alyx: AlyxUnderTest) -> None:
    page = alyx.get("/subjects", nonsense="ä,b", limit=1, offset=2)
    start = f"{alyx.root}/subjects?limit=1&nonsense=%C3%A4%2Cb"
    assert page["next"] == start + "&offset=3"
    assert page["previous"] == start + "&offset=1"


def test_limit_0_and_nonsense_are_the_default(alyx: AlyxUnderTest) -> None:
    default = alyx.get("/subjects")
    for limit in ("0", "-1", "many"):
        assert _ids(alyx.get("/subjects", limit=limit)["results"]) == _ids(default["results"])


def test_an_offset_behind_the_end_gives_no_rows_and_the_count(alyx: AlyxUnderTest) -> None:
    count = alyx.get("/subjects", limit=1)["count"]
    page = alyx.get("/subjects", offset=count)
    assert (page["count"], page["next"], page["results"]) == (count, None, [])


def test_subjects_are_ordered_by_nickname_capitals_first(alyx: AlyxUnderTest) -> None:
    names = [row["nickname"] for row in alyx.subjects]
    assert names == sorted(names)


def test_sessions_are_ordered_newest_first(alyx: AlyxUnderTest) -> None:
    times = [row["start_time"] for row in alyx.rows("/sessions")]
    assert times == sorted(times, reverse=True)


def test_unknown_filters_and_alive_1_are_ignored(alyx: AlyxUnderTest) -> None:
    count = alyx.get("/subjects", limit=1)["count"]
    assert alyx.get("/subjects", limit=1, nonsense="x")["count"] == count
    assert alyx.get("/subjects", limit=1, alive="1")["count"] == count
    assert alyx.get("/subjects", limit=1, alive="0")["count"] == count


def test_alive_parts_the_subjects(alyx: AlyxUnderTest) -> None:
    alive = alyx.rows("/subjects", alive="True")
    dead = alyx.rows("/subjects", alive="False")
    assert all(row["alive"] for row in alive)
    assert not any(row["alive"] for row in dead)
    assert sorted(map(str, _ids(alive + dead))) == sorted(map(str, _ids(alyx.subjects)))


def _doomed(alyx: AlyxUnderTest) -> dict[str, object]:
    today = dt.datetime.now(dt.timezone.utc).date().isoformat()
    rows = [row for row in alyx.subjects if row["death_date"] and row["death_date"][:10] > today]
    return found(rows, "a death date in the future")


def test_a_death_date_in_the_future_is_alive(alyx: AlyxUnderTest) -> None:
    assert _doomed(alyx)["alive"] is True
    assert _doomed(alyx)["id"] in _ids(alyx.rows("/subjects", alive="True"))


def test_a_death_date_in_the_future_is_dead(alyx: AlyxUnderTest) -> None:
    assert _doomed(alyx)["alive"] is False
    assert _doomed(alyx)["id"] in _ids(alyx.rows("/subjects", alive="False"))


def test_stock_parts_the_subjects(alyx: AlyxUnderTest) -> None:
    stock, others = (
        {row["responsible_user"] for row in alyx.rows("/subjects", stock=one)} for one in ("True", "False")
    )
    assert not stock & others
    assert stock | others == {row["responsible_user"] for row in alyx.subjects}


def test_users_say_who_manages_the_stock(alyx: AlyxUnderTest) -> None:
    managers = {row["username"] for row in alyx.rows("/users") if row["is_stock_manager"]}
    assert {row["responsible_user"] for row in alyx.rows("/subjects", stock="True")} <= managers


def test_ids_in_brackets_give_these_subjects(alyx: AlyxUnderTest) -> None:
    wanted = _ids(alyx.subjects[:5])
    value = "pk__in,[" + ",".join(f"'{one}'" for one in wanted) + "]"
    assert sorted(map(str, _ids(alyx.rows("/subjects", django=value)))) == sorted(map(str, wanted))


def test_a_tilde_excludes(alyx: AlyxUnderTest) -> None:
    lab = alyx.subject["lab"]
    inside = alyx.get("/subjects", limit=1, django=f"lab__name,{lab}")["count"]
    outside = alyx.get("/subjects", limit=1, django=f"~lab__name,{lab}")["count"]
    assert inside + outside == alyx.get("/subjects", limit=1)["count"]
    assert inside


@pytest.mark.parametrize(
    ("path", "params", "status"),
    [
        ("/subjects", {"django": "pk,abc"}, 500),
        ("/subjects", {"django": "pk"}, 500),
        ("/subjects", {"django": "sex,M,sex,F"}, 500),
        ("/subjects", {"django": "pk__in,[abc]"}, 500),
        ("/subjects", {"birth_date": "abc"}, 400),
        ("/sessions", {"qc": "nope"}, 500),
        ("/sessions", {"number": "x"}, 400),
        ("/water-requirement/does-not-exist", {}, 500),
        ("/water-requirement/does-not-exist", {"start_date": "x"}, 500),
    ],
)
def test_what_cannot_be_asked_is_json_with_its_status(
    alyx: AlyxUnderTest, path: str, params: dict[str, str], status: int
) -> None:
    _check_refused(alyx, path, params, status)


def _check_refused(alyx: AlyxUnderTest, path: str, params: dict[str, str], status: int) -> None:
    answer = alyx.ask("GET", path, params=params)
    assert answer.status_code == status
    assert answer.json()["status_code"] == status
    assert ("detail" in answer.json()) == (status == 500)


def test_an_odd_extended_qc_is_a_500(alyx: AlyxUnderTest) -> None:
    _check_refused(alyx, "/sessions", {"extended_qc": "odd"}, 500)


def test_an_odd_extended_qc_is_a_400(alyx: AlyxUnderTest) -> None:
    answer = alyx.ask("GET", "/sessions", params={"extended_qc": "odd"})
    assert (answer.status_code, answer.json()["status_code"]) == (400, 400)


@pytest.mark.parametrize("name", ["users", "date_range"])
def test_weighings_cannot_be_filtered_by_what_is_listed_as_a_filter(alyx: AlyxUnderTest, name: str) -> None:
    _check_refused(alyx, "/weighings", {name: "2024-01-01,2024-01-02"}, 500)


@pytest.mark.parametrize("name", ["users", "date_range", "lab"])
def test_weighings_have_no_such_filter(alyx: AlyxUnderTest, name: str) -> None:
    count = alyx.get("/weighings", limit=1)["count"]
    assert alyx.get("/weighings", limit=1, **{name: "2024-01-01,2024-01-02"})["count"] == count


def _sessions(alyx: AlyxUnderTest, **filters: str) -> int:
    return int(alyx.get("/sessions", limit=1, **filters)["count"])


def test_subject_filters_of_sessions_ignore_case_and_take_no_list(alyx: AlyxUnderTest) -> None:
    name = alyx.subject["nickname"]
    count = _sessions(alyx, subject=name)
    assert count
    assert _sessions(alyx, subject=name.upper()) == count
    assert _sessions(alyx, nickname=name) == count
    assert _sessions(alyx, subject=f"{name},{name}") == 0


def test_subject_of_sessions_is_exact_and_takes_a_list(alyx: AlyxUnderTest) -> None:
    name = alyx.subject["nickname"]
    count = _sessions(alyx, subject=name)
    assert count
    assert _sessions(alyx, subject=name.swapcase()) == 0
    assert _sessions(alyx, subject=f"{name},nobody-here") == count
    assert _sessions(alyx, subject=f"~{name}") == _sessions(alyx) - count
    assert _sessions(alyx, nickname=name) == _sessions(alyx)


def test_users_of_sessions_must_all_be_there(alyx: AlyxUnderTest) -> None:
    rows = alyx.rows("/sessions", users=alyx.user)
    first = alyx.get(f"/sessions/{found(rows, 'a session of the user')['id']}")
    assert alyx.user in first["users"]
    assert _sessions(alyx, users=f"{alyx.user},nobody-here") == 0


def test_any_of_the_users_of_sessions_is_enough(alyx: AlyxUnderTest) -> None:
    rows = alyx.rows("/sessions", users=alyx.user)
    found(rows, "a session of the user")
    assert _sessions(alyx, users=f"{alyx.user},nobody-here") == len(rows)


def test_a_date_range_has_both_its_days(alyx: AlyxUnderTest) -> None:
    day = alyx.session_row["start_time"][:10]
    rows = alyx.rows("/sessions", date_range=f"{day},{day}")
    assert alyx.session_row["id"] in _ids(rows)
    assert {row["start_time"][:10] for row in rows} == {day}


def test_a_request_line_of_more_than_4094_characters_is_refused(alyx: AlyxUnderTest) -> None:
    answer = alyx.ask("GET", "/subjects?description=" + "a" * 4100)
    # Gunicorn before 23 says 400; either way it is an HTML page.
    assert answer.status_code in {400, 414}
    assert answer.headers["Content-Type"].startswith("text/html")
    assert alyx.ask("GET", "/subjects?description=" + "a" * 4000).status_code == 200


def test_genotypes_are_texts_in_the_list_and_objects_in_the_detail(alyx: AlyxUnderTest) -> None:
    row = found([row for row in alyx.unique if row["genotype"]], "a subject with a genotype")
    detail = alyx.get(f"/subjects/{alyx.key(row)}")
    symbols = ["-/-", "+/-", "+/+", "+"]
    assert {f"{gene['allele']} {symbols[gene['zygosity']]}" for gene in detail["genotype"]} >= set(row["genotype"])


def test_the_detail_repeats_the_row(alyx: AlyxUnderTest) -> None:
    detail = alyx.get(f"/subjects/{alyx.key(alyx.subject)}")
    row = alyx.subject
    changing = {"genotype", "weighings", "water_administrations", "expected_water", "remaining_water"}
    assert {key: row[key] for key in row if key not in changing} == {
        key: detail[key] for key in detail if key not in changing
    }


@pytest.mark.parametrize(
    ("path", "filters"),
    [
        ("/datasets", {"tags": "nonsense"}),
        ("/datasets", {"md5": "nonsense"}),
        ("/labs", {"repositories": "nonsense"}),
        ("/subjects", {"protocol_number": "9"}),
        ("/subjects", {"request": "nonsense"}),
    ],
)
def test_a_filter_refuses_what_cannot_be(alyx: AlyxUnderTest, path: str, filters: dict[str, str]) -> None:
    answer = alyx.ask("GET", path, params=filters)
    assert answer.status_code == 400
    assert list(answer.json()) == [*filters, "status_code"]


def test_a_filter_takes_a_time_with_an_offset_as_a_moment(alyx: AlyxUnderTest) -> None:
    count = alyx.get("/sessions", limit=1)["count"]
    after, before = (
        alyx.get("/sessions", limit=1, django=f"start_time__{word},2024-01-01T10:00:00+01:00")["count"]
        for word in ("gte", "lt")
    )
    assert after + before + alyx.get("/sessions", limit=1, django="start_time__isnull,True")["count"] == count


def test_a_whole_json_can_be_asked_for_what_it_contains(alyx: AlyxUnderTest) -> None:
    assert alyx.get("/sessions", limit=1, django="json__contains,no such text")["count"] == 0


def test_a_session_is_found_by_the_very_time_of_its_last_change_until_it_changes_again(
    writable: AlyxUnderTest, subject: Animal
) -> None:
    name = writable.ask("POST", "/sessions", json={"subject": subject.nickname}).json()["id"]

    def changed() -> str:
        patched = writable.ask("PATCH", f"/sessions/{name}", json={"narrative": "changed"})
        return str(patched.json()["auto_datetime"])

    def last_changed_at(times: list[str]) -> list[object]:
        return _ids(writable.get("/sessions", django=f"auto_datetime__in,{times!r}".replace(" ", ""))["results"])

    before, now = changed(), changed()
    others = [f"2020-01-01T00:00:{second:02}.000001{now[26:]}" for second in range(60)]
    assert last_changed_at([*others, now]) == [name]
    assert last_changed_at([*others, before]) == []
