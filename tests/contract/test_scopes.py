"""The subjects of each scope of *Get Subjects* are those that a look at all subjects finds."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from alyx_connector.http.client import AlyxClient
from pybpod_alyx_module.animals.handled_animals import list_owners
from pybpod_alyx_module.errors import SyncError
from pybpod_alyx_module.sync.fetch import fetch_remote
from pybpod_alyx_module.sync.scope import Kind, Scope
from pybpod_alyx_module.sync.snapshot import LocalSubject

if TYPE_CHECKING:
    from tests.contract.alyx_under_test import AlyxUnderTest


@pytest.fixture
def client(alyx: AlyxUnderTest):
    token = str(alyx.session.headers["Authorization"]).removeprefix("Token ")
    with AlyxClient(alyx.url, username=alyx.user, token=token) as client:
        yield client


def listed(client: AlyxClient, alyx: AlyxUnderTest, scope: Scope, local=()) -> set[str]:
    found = fetch_remote(client, alyx.user, local, scope, list_owners)
    assert found.scope == scope
    return {subject.alyx_id for subject in found.listed}


def ids(rows) -> set[str]:
    return {row["id"] for row in rows}


def test_each_scope_lists_its_subjects(client, alyx):
    every = alyx.rows("/subjects")
    lab = next(row["lab"] for row in every if row["lab"])
    assert listed(client, alyx, Scope(Kind.LAB, lab)) == ids(row for row in every if row["lab"] == lab)
    mine = listed(client, alyx, Scope())
    assert mine == ids(row for row in every if row["responsible_user"] == alyx.user)
    thirsty = listed(client, alyx, Scope(Kind.LAB, lab, water_restricted=True))
    assert thirsty == ids(row for row in alyx.rows("/subjects", water_restricted="True") if row["lab"] == lab)
    stock = ids(alyx.rows("/subjects", stock="True"))
    assert (
        listed(client, alyx, Scope(Kind.LAB, lab, without_stock=True))
        == listed(client, alyx, Scope(Kind.LAB, lab)) - stock
    )


def test_those_that_the_user_may_handle_are_listed(client, alyx):
    owners = {alyx.user} | {row["username"] for row in alyx.rows("/users") if alyx.user in row["allowed_users"]}
    handled = listed(client, alyx, Scope(Kind.HANDLED))
    assert handled == ids(row for row in alyx.rows("/subjects") if row["responsible_user"] in owners)


def test_where_users_do_not_say_whom_they_allow_the_sync_says_so(client, alyx):
    with pytest.raises(SyncError, match="does not tell whose animals") as caught:
        listed(client, alyx, Scope(Kind.HANDLED))
    assert "lab" in str(caught.value.hint)


def test_an_alyx_project_lists_its_subjects(client, alyx):
    names = {name for row in alyx.rows("/subjects") for name in row.get("projects") or ()}
    for name in sorted(names)[:3]:
        expected = ids(row for row in alyx.rows("/subjects") if name in (row.get("projects") or ()))
        assert listed(client, alyx, Scope(Kind.PROJECT, name)) == expected


def test_those_of_the_pybpod_project_are_looked_up_and_no_others(client, alyx):
    rows = alyx.rows("/subjects")[:3]
    local = [LocalSubject(row["id"], row["nickname"], row["id"], client.url) for row in rows]
    assert listed(client, alyx, Scope(Kind.KNOWN), local) == ids(rows)
    assert listed(client, alyx, Scope(Kind.KNOWN)) == set()
