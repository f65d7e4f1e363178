"""What a second search costs, and that it shows what the server has."""

from __future__ import annotations

import datetime as dt
import sqlite3
from contextlib import closing

import pytest

from alyx_connector import Cancelled, CancelToken, ConfigurationError, Connector
from tests.system.connector.cached_lab import PASSWORD, age, counted, told


def test_the_same_search_again_asks_for_its_list_and_what_changed(cached):
    connector, lab, first = cached
    again = connector.search(subject="ea04")
    assert again.equals(first)
    assert lab.asked() == (2, [])
    assert Connector().search(subject="ea04").equals(first), "also by another program"
    assert lab.asked() == (2, [])


def test_several_requests_of_one_search_cost_their_lists_and_one_more(cached):
    connector, lab, _ = cached
    protocols = ["whisker", "wait"]
    first = connector.search(task_protocol=protocols)
    known = (first["subject"] == "ea04").sum()
    assert len(lab.asked()[1]) == len(first) - known, "those of ea04 were there"
    assert connector.search(task_protocol=protocols[::-1]).equals(first)
    assert lab.asked() == (3, [])


def test_several_animals_cost_one_list_and_one_more(cached):
    connector, lab, _ = cached
    first = connector.search(subject=["ea04", "jo006"])
    assert len(lab.asked()[1]) == len(first) - 25, "those of ea04 were there"
    assert connector.search(subject=["jo006", "ea04"]).equals(first)
    assert lab.asked() == (2, [])


def test_another_search_has_the_details_of_the_same_sessions(cached):
    connector, lab, first = cached
    chosen = first["id"].iloc[[3, 8]]
    assert connector.search(id=chosen).equals(first.loc[chosen])
    assert lab.asked() == (2, [])
    assert connector.search(django="auto_datetime__gte,2020-01-01T00:00:00", subject="ea04").equals(first)
    assert lab.asked() == (2, [])


def test_a_session_that_changed_is_fetched_again_alone(cached):
    connector, lab, first = cached
    name = first["id"].iloc[7]
    lab.change(name, narrative="changed")
    again = connector.search(subject="ea04")
    assert again.loc[name, "narrative"] == "changed"
    assert again.drop(index=name).equals(first.drop(index=name))
    assert lab.asked() == (2, [name])
    lab.change(name, narrative="changed again")
    assert connector.search(subject="ea04").loc[name, "narrative"] == "changed again"
    assert lab.asked()[1] == [name], "at once, in the same second"


def test_a_session_that_is_gone_is_gone_and_a_new_one_is_there(cached):
    connector, lab, first = cached
    name = lab.create(narrative="new")
    try:
        assert connector.search(subject="ea04").loc[name, "narrative"] == "new"
        assert lab.asked() == (2, [name])
    finally:
        lab.delete(name)
    assert connector.search(subject="ea04").equals(first)
    assert lab.asked() == (2, [])


def test_list_columns_are_those_of_the_list(cached):
    connector, lab, first = cached
    name = first["id"].iloc[0]
    try:
        lab.change(name, task_protocol="other_1.0.0")
        again = connector.search(subject="ea04")
        assert again.loc[name, "task_protocol"] == "other_1.0.0"
    finally:
        lab.change(name, task_protocol=first["task_protocol"].iloc[0])


def test_refresh_fetches_all_anew(cached):
    connector, lab, first = cached
    assert connector.search(subject="ea04", refresh=True).equals(first)
    assert lab.asked() == (1, sorted(first["id"]))
    with pytest.raises(ConfigurationError, match="both offline and refreshed"):
        connector.search(subject="ea04", refresh=True, offline=True)


def test_an_answer_needs_no_date(cached):
    connector, lab, first = cached
    rows = lab.http.get(lab.url, params={"subject": "ea04", "limit": 1000}, timeout=30).json()
    lab.proxy.fault("answer", path="/sessions", body=rows)
    assert connector.search(subject="ea04")["narrative"].equals(first["narrative"])
    assert lab.asked() == (2, [])


@pytest.mark.parametrize("seconds", [[-20], [20], [960], [7200], [-7200], [0, 3600, 0]])
def test_a_proxy_that_dates_answers_wrongly_hides_no_change(cached, seconds):
    connector, lab, first = cached
    name = first["id"].iloc[7]
    for number, off in enumerate([*seconds, *seconds[-1:]]):
        lab.proxy.misdate(dt.timedelta(seconds=off))
        lab.change(name, narrative=f"{off} s, change {number}")
        found = connector.search(subject="ea04").loc[name, "narrative"]
        assert found == f"{off} s, change {number}"
        lab.asked()


def test_a_server_whose_clock_was_set_back_hides_no_change(cached):
    connector, lab, first = cached
    name = first["id"].iloc[7]
    lab.change(name, narrative="before")
    assert connector.search(subject="ea04").loc[name, "narrative"] == "before"
    lab.change(name, narrative="after")
    lab.date(name, "2026-01-15 11:00:00.000001")
    assert connector.search(subject="ea04").loc[name, "narrative"] == "after"


def test_where_the_server_cannot_say_what_changed_all_is_fetched(cached):
    connector, lab, first = cached
    lab.proxy.fault("alter", path="/sessions", change=lambda page: page)  # the list itself
    lab.proxy.fault("answer", path="/sessions", status=500, body={"detail": "no such luck"})
    assert connector.search(subject="ea04").equals(first)
    assert lab.asked() == (2, sorted(first["id"]))


def test_details_that_do_not_say_when_they_changed_are_fetched_again(cached):
    connector, lab, _ = cached
    first = connector.search("subjects", nickname=["ea04", "jo006"], details=True)
    assert connector.search("subjects", nickname=["ea04", "jo006"], details=True).equals(first)
    assert lab.proxy.count(path="/subjects/ea04") == 2


def test_one_of_300_that_fails_is_the_only_one_asked_for_next(home, tmp_path_factory):
    from tests.sandbox_server import SandboxServer

    data = tmp_path_factory.mktemp("many")
    with SandboxServer("--throttle", "off", "--subjects", "5", "--sessions", "300", "--data", str(data)) as server:
        server.data = data
        age(server)
        with counted(server) as (connector, lab):
            listed = connector.search(details=False)
            broken = listed["id"].iloc[123]
            lab.proxy.fault("answer", path=f"/sessions/{broken}", status=500, body={"detail": "no such luck"})
            with told(f"1 of {len(listed)} sessions have no details"):
                first = connector.search()
            assert first["detail_error"].dropna().index.to_list() == [broken]
            lab.asked()
            again = connector.search()
            assert again["detail_error"].isna().all()
            assert again.drop(index=broken).equals(first.drop(index=broken))
            assert lab.asked() == (2, [broken])
            count_changes_between_pages(connector, lab, again)


def count_changes_between_pages(connector, lab, known):
    def shorter(page):
        return {**page, "count": page["count"] + 1}

    lab.proxy.fault("alter", path="/sessions", change=shorter)
    assert connector.search().equals(known), "the list was read again"
    lists, details = lab.asked()
    assert lists > 2
    assert details == []


@pytest.mark.parametrize("how", ["cancel", "ctrl-c"])
def test_a_search_that_was_stopped_goes_on_where_it_stopped(aged, home, how):
    age(aged)
    with counted(aged) as (connector, lab):
        listed = connector.search(subject="ea04", details=False)
        for late in listed["id"].iloc[12:]:
            lab.proxy.fault("hold", path=f"/sessions/{late}")
        cancel = CancelToken()

        def report(progress):
            if progress.stage == "details" and progress.done == 12:
                if how == "ctrl-c":
                    raise KeyboardInterrupt
                cancel.cancel()

        with pytest.raises((Cancelled, KeyboardInterrupt), match="12 of 25 have their details"):
            connector.search(subject="ea04", cancel=cancel, report=report)
        lab.proxy.release()
        lab.asked()
        assert connector.search(subject="ea04")["detail_error"].isna().all()
        assert lab.asked() == (2, sorted(listed["id"].iloc[12:]))


def test_a_search_that_was_throttled_half_way_goes_on_there(aged, home):
    age(aged)
    with counted(aged) as (connector, lab):
        listed = connector.search(subject="ea04", details=False)
        late = listed["id"].iloc[[12, 20]]
        throttled = {"status": 429, "headers": {"Retry-After": "100000"}, "body": {"detail": "Request was throttled."}}
        for name in late:
            lab.proxy.fault("answer", path=f"/sessions/{name}", **throttled)
        with told("2 of 25 sessions have no details"):
            sessions = connector.search(subject="ea04")
        assert "is limiting this user's requests" in sessions.loc[late.iloc[0], "detail_error"]
        lab.asked()
        assert connector.search(subject="ea04")["detail_error"].isna().all()
        assert lab.asked() == (2, sorted(late))


def test_what_one_user_fetched_another_does_not_see(cached):
    connector, lab, first = cached
    ana = Connector.setup(url=connector.url, username="ana", password="ana-demo", make_default=False)
    assert ana.cache.path != connector.cache.path
    with pytest.raises(ConfigurationError, match="not in the cache"):
        ana.search(subject="ea04", offline=True)
    assert len(ana.search(subject="ea04")) == 25
    assert sorted(first["id"]) == lab.asked()[1]


def test_the_bound_and_no_cache_at_all(cached, monkeypatch):
    connector, lab, first = cached
    assert 0 < connector.cache.size < 1_000_000
    connector.cache.clear()
    with pytest.raises(ConfigurationError, match="not in the cache"):
        connector.search(subject="ea04", offline=True)
    monkeypatch.setenv("ALYX_CONNECTOR_CACHE_MB", "0")
    without = Connector(connector.url, "jose")
    without.cache.clear()
    for _ in range(2):
        assert without.search(subject="ea04").equals(first)
        assert lab.asked() == (1, sorted(first["id"]))
    monkeypatch.setenv("ALYX_CONNECTOR_CACHE_MB", "much")
    with pytest.raises(ConfigurationError, match="not a whole number of MB"):
        Connector(connector.url, "jose")


def test_forget_removes_the_cache_too(cached):
    connector, _, _ = cached
    files = {path.name for path in connector.cache.path.parent.iterdir() if "records" in path.name}
    assert connector.cache.path.name in files
    Connector.forget(connector.url, "jose")
    assert connector.cache.size == 0
    assert not connector.cache.path.exists()


def test_what_is_kept_is_for_its_owner_alone(cached):
    connector, _, _ = cached
    with closing(sqlite3.connect(connector.cache.path)) as reader:
        reader.execute("SELECT count(*) FROM kept").fetchone()
        files = list(connector.cache.path.parent.iterdir())
        assert any(path.name.endswith("-wal") for path in files)
        assert {path.stat().st_mode & 0o777 for path in files} == {0o600}
    assert connector.cache.path.parent.stat().st_mode & 0o777 == 0o700
    assert PASSWORD.encode() not in connector.cache.path.read_bytes()
