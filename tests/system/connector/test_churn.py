"""Rows come and go on a real server while a list is read: the result is complete, or it is an error."""

from __future__ import annotations

import random

import pytest
import requests

from alyx_connector import AlyxClient, ProtocolError
from tests.fault_proxy import FaultProxy
from tests.sandbox_server import SandboxServer


class Lab:
    """Creates and deletes sessions past the client, and knows which were there throughout."""

    def __init__(self, url, token):
        self.url = f"{url}/sessions"
        self.http = requests.Session()
        self.http.headers["Authorization"] = f"Token {token}"
        self.present = self.ids()

    def ids(self):
        answer = self.http.get(self.url, params={"limit": 1000}, timeout=30).json()
        assert answer["count"] == len(answer["results"])
        return [row["id"] for row in answer["results"]]

    def create(self, year=None):
        start = f"{year or random.randrange(2010, 2030)}-01-01T00:00:00"
        answer = self.http.post(self.url, json={"subject": "ea04", "start_time": start}, timeout=30)
        answer.raise_for_status()
        self.present.append(answer.json()["id"])

    def delete(self, gone=None):
        gone = gone or random.choice(self.present)
        self.present.remove(gone)
        self.http.delete(f"{self.url}/{gone}", timeout=30).raise_for_status()


@pytest.fixture(scope="module")
def lab():
    options = ["--throttle", "off", "--subjects", "5", "--sessions", "60"]
    with SandboxServer(*options) as server, FaultProxy(server.url) as proxy, AlyxClient(proxy.url) as client:
        token = client.login(server.username, server.password)
        yield Lab(server.url, token), proxy, client


def edited_list(lab, edits):
    """List the sessions with these edits before the pages; return what was listed, and what was there throughout."""
    records, proxy, client = lab
    throughout = set(records.present)
    waiting = list(edits)

    def edit(seen):
        if waiting:
            waiting.pop(0)()
            throughout.intersection_update(records.present)

    proxy.before(edit)
    try:
        listed = [row["id"] for row in client.list("sessions", page_size=9)]
    finally:
        proxy.before(None)
    return listed, throughout


@pytest.mark.parametrize("seed", range(6))
def test_a_list_under_churn_is_complete_or_an_error(lab, seed):
    records = lab[0]
    random.seed(seed)
    edits = [random.choice([records.create, records.delete, lambda: None]) for _ in range(random.randrange(4, 14))]
    listed, throughout = edited_list(lab, edits)
    assert throughout <= set(listed)
    assert len(set(listed)) == len(listed)


def test_one_row_gone_and_one_new_at_the_same_count_is_noticed(lab):
    records, proxy, _ = lab

    ids = records.ids()
    count = len(ids)

    def swap():
        records.delete(ids[0])
        records.create(year=1990)  # sessions are listed from the newest to the oldest

    proxy.forget_requests()
    listed, throughout = edited_list(lab, [lambda: None, lambda: None, swap])
    assert len(listed) == count
    assert throughout <= set(listed)
    assert proxy.count(path="/sessions") > (count - 1) / 8 + 1, "it was read again"


def test_a_list_that_never_stays_is_an_error(lab):
    records = lab[0]
    with pytest.raises(ProtocolError, match="changed each of the 4 times"):
        edited_list(lab, [records.create] * 200)
