"""What is shown where the server is not asked, or cannot be."""

from __future__ import annotations

import datetime as dt
import json
import sqlite3
from contextlib import closing

import pytest

from alyx_connector import ConfigurationError, Connector, LoginRequiredError, ServerFaultError, UnreachableError
from tests.system.connector.cached_lab import told

LISTED_AGO = dt.timedelta(days=3, hours=1)


def without_notes(frame):
    return {name: value for name, value in frame.attrs.items() if name != "notes"}


def later(connector, by):
    """Make all that is kept older."""
    with closing(sqlite3.connect(connector.cache.path)) as database, database:
        for rowid, fetched in database.execute("SELECT rowid, fetched FROM kept").fetchall():
            moved = dt.datetime.fromisoformat(fetched) - by
            database.execute("UPDATE kept SET fetched = ? WHERE rowid = ?", [moved.isoformat(), rowid])


def test_offline_gives_what_was_last_found_and_asks_nothing(cached):
    connector, lab, first = cached
    with told("was not asked. These are the sessions as listed", "are from the cache, the oldest fetched at 20"):
        known = Connector(connector.url, "jose").search(subject="ea04", offline=True)
    assert known.equals(first)
    assert without_notes(known) == without_notes(first), "retrieved is when the list was read"
    assert len(known.attrs["notes"]) == 2
    assert lab.proxy.count() == 0


def test_offline_says_how_old_it_is(cached):
    connector, _, first = cached
    later(connector, LISTED_AGO)
    with told("listed 3 days ago, at 20", "the oldest fetched at 20"):
        known = connector.search(subject="ea04", offline=True)
    listed = dt.datetime.fromisoformat(known.attrs["retrieved"])
    assert listed == dt.datetime.fromisoformat(first.attrs["retrieved"]) - LISTED_AGO


def test_offline_a_search_without_details_shares_the_list_of_one_with_them(cached):
    connector, lab, first = cached
    with told("was not asked"):
        known = connector.search(subject="ea04", offline=True, details=False)
    assert known.equals(first[known.columns])
    connector.search(subject="jo006", details=False)
    lab.asked()
    with told("was not asked", "sessions have no details: they are not in the cache"):
        known = connector.search(subject="jo006", offline=True)
    assert known["detail_error"].str.contains("Not in the cache").all()
    assert lab.proxy.count() == 0


def test_offline_a_search_never_done_says_what_to_do(cached):
    connector, lab, _ = cached
    with pytest.raises(ConfigurationError, match=r"not in the cache.*Search once without offline=True"):
        connector.search(subject="jo001", offline=True)
    with pytest.raises(ConfigurationError, match=r"cannot be filtered by subjct.* Did you mean subject"):
        connector.search(subjct="ea04", offline=True)
    assert connector.search(subject=[], offline=True).empty
    assert lab.proxy.count() == 0


def test_offline_the_subjects_of_a_search_with_details(cached):
    connector, lab, _ = cached
    first = connector.search("subjects", nickname=["ea04", "jo006"], details=True)
    lab.asked()
    with told("was not asked", "are from the cache"):
        known = connector.search("subjects", nickname=["jo006", "ea04"], details=True, offline=True)
    assert known.equals(first)
    assert lab.proxy.count() == 0


def test_a_server_that_is_away_gives_what_was_last_found(cached, home):
    connector, lab, first = cached
    later(connector, LISTED_AGO)
    schema = next((home / "cache").glob("schema-*.json"))
    kept = json.loads(schema.read_text(encoding="utf-8"))
    schema.write_text(json.dumps({**kept, "time": 0}), encoding="utf-8")
    lab.proxy.close()
    connector = Connector(connector.url, "jose")
    with told(connector.url, "the oldest fetched at 20") as caught:
        known = connector.search(subject="ea04")
    assert "listed 3 days ago" in str(caught[0].message)
    assert known.equals(first)
    with pytest.raises(UnreachableError):
        connector.search(subject="jo001")
    with pytest.raises(UnreachableError):
        connector.search(subject="ea04", refresh=True)


@pytest.mark.usefixtures("quick_retries")
def test_a_server_that_is_being_restarted_counts_as_away(cached):
    connector, lab, first = cached
    lab.proxy.fault("answer", times=99, path="/sessions", status=503, body=b"later")
    with told("These are the sessions as listed", "the oldest fetched at 20"):
        assert connector.search(subject="ea04").equals(first)


def test_an_error_of_the_server_is_an_error(cached):
    connector, lab, _ = cached
    lab.proxy.fault("answer", path="/sessions", status=500, body={"detail": "no such luck"})
    with pytest.raises(ServerFaultError, match="no such luck"):
        connector.search(subject="ea04")


@pytest.mark.parametrize("after", [0, 1])
def test_a_revoked_token_is_an_error_whenever_it_is_noticed(cached, after):
    connector, lab, _ = cached
    for _ in range(after):
        lab.proxy.fault("alter", path="/sessions", change=lambda page: page)
    lab.proxy.fault("answer", path="/sessions", status=403, body={"detail": "Invalid token."})
    with pytest.raises(LoginRequiredError, match=r"Connector\.setup\("):
        connector.search(subject="ea04")


@pytest.mark.usefixtures("quick_retries")
def test_details_that_could_not_be_checked_are_shown_and_told(cached):
    connector, lab, first = cached
    lab.proxy.fault("alter", path="/sessions", change=lambda page: page)
    lab.proxy.fault("drop", path="/sessions", times=99)
    with told("25 of 25 sessions have details from the cache"):
        assert connector.search(subject="ea04").equals(first)


@pytest.mark.usefixtures("quick_retries")
def test_a_session_that_changed_is_not_shown_as_it_was(cached):
    connector, lab, first = cached
    name = first["id"].iloc[7]
    lab.change(name, narrative="changed")
    lab.proxy.fault("drop", path=f"/sessions/{name}", times=99)
    with told("1 of 25 sessions have no details"):
        again = connector.search(subject="ea04")
    assert again["narrative"].isna()[name]
    assert again["detail_error"].notna()[name]


@pytest.mark.usefixtures("quick_retries")
def test_details_without_a_time_of_change_stand_in_where_the_server_goes_away(cached):
    connector, lab, _ = cached
    first = connector.search("subjects", nickname=["ea04", "jo006"], details=True)
    lab.proxy.fault("drop", path="/subjects/ea04", times=99)
    with told("1 of 2 subjects have details from the cache"):
        assert connector.search("subjects", nickname=["ea04", "jo006"], details=True).equals(first)
