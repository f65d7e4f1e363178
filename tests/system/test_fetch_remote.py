"""What a sync fetches from a real server process: complete, by id where the list does not tell, in few requests."""

from __future__ import annotations

import pytest

from alyx_connector.errors import ProtocolError
from alyx_connector.http.client import AlyxClient
from alyx_connector.progress import Cancelled, CancelToken
from pybpod_alyx_module.sync.fetch import fetch_remote
from pybpod_alyx_module.sync.snapshot import LocalSubject
from tests.fault_proxy import FaultProxy
from tests.sandbox_server import SandboxServer


@pytest.fixture
def client(sandbox):
    with AlyxClient(sandbox.url) as client:
        client.login(sandbox.username, sandbox.password)
        yield client


def linked(row, server):
    return LocalSubject(row["id"], row["nickname"], row["id"], server)


def test_the_list_holds_the_living_and_the_dead(client, sandbox):
    remote = fetch_remote(client, sandbox.username, [])
    assert (remote.server, remote.username, remote.looked_up) == (sandbox.url, "jose", ())
    by_name = {subject.nickname: subject for subject in remote.listed}
    assert by_name["ea04"].alive
    assert not by_name["jo007"].alive
    assert by_name["future_cull"].alive
    assert by_name["future_cull"].death_date is not None


def test_subjects_of_the_project_that_the_list_lacks_are_looked_up_by_id(client, sandbox):
    others = client.list("subjects", {"responsible_user": "ana"})
    gone = LocalSubject("k", "gone", "00000000-0000-4000-8000-000000000000", sandbox.url)
    odd = LocalSubject("k2", "odd", "not'an],id", sandbox.url)
    local = [*(linked(row, sandbox.url) for row in others), gone, odd, LocalSubject("k3", "local only")]
    remote = fetch_remote(client, sandbox.username, local)
    assert {subject.alyx_id for subject in remote.looked_up} == {row["id"] for row in others}
    assert {subject.responsible_user for subject in remote.looked_up} == {"ana"}


def test_subjects_that_the_list_holds_are_not_looked_up(client, sandbox):
    rows = client.list("subjects", {"responsible_user": sandbox.username})
    remote = fetch_remote(client, sandbox.username, [linked(row, sandbox.url) for row in rows])
    assert remote.looked_up == ()


def test_a_user_without_subjects_has_an_empty_list(client):
    assert fetch_remote(client, "nobody-here", []).listed == ()


def test_a_server_that_does_not_filter_is_refused(sandbox):
    def everybody(page):
        page["results"][0]["responsible_user"] = "somebody"
        return page

    with FaultProxy(sandbox.url) as proxy, AlyxClient(proxy.url) as client:
        client.login(sandbox.username, sandbox.password)
        proxy.fault("alter", times=1, path="/subjects", change=everybody)
        with pytest.raises(ProtocolError, match=r"subjects of jose and also sent others"):
            fetch_remote(client, sandbox.username, [])


def test_a_cancelled_fetch_raises(client, sandbox):
    cancel = CancelToken()
    cancel.cancel()
    with pytest.raises(Cancelled):
        fetch_remote(client, sandbox.username, [], cancel=cancel)


def test_more_ids_than_one_request_takes_come_in_several():
    with SandboxServer("--subjects", "200", "--throttle", "off") as server, AlyxClient(server.url) as client:
        client.login(server.username, server.password)
        rows = client.list("subjects", {"responsible_user": server.username})
        local = [linked(row, server.url) for row in rows]
        remote = fetch_remote(client, "ana", local)
        assert len(rows) > 200
        assert {subject.alyx_id for subject in remote.looked_up} == {row["id"] for row in rows}


def test_alyx_local_tells_who_is_alive_and_looks_up_by_id(alyx_local):
    with AlyxClient(alyx_local.url) as client:
        client.login(alyx_local.username, alyx_local.password)
        others = client.list("subjects", {"responsible_user": "ana"})
        remote = fetch_remote(client, alyx_local.username, [linked(row, client.url) for row in others])
    by_name = {subject.nickname: subject for subject in remote.listed}
    assert by_name["ea04"].alive
    assert not by_name["future_cull"].alive  # a death date to come counts there at once
    assert {subject.alyx_id for subject in remote.looked_up} == {row["id"] for row in others}
    assert len(others) == 3
