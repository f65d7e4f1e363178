"""A sandbox whose records last changed long ago, and a Connector that asks it through a proxy that counts."""

from __future__ import annotations

import sqlite3
from contextlib import closing, contextmanager

import pytest
import requests

from alyx_connector import AlyxWarning, Connector
from tests.fault_proxy import FaultProxy
from tests.strict_warnings import strict_warnings

PASSWORD = "jose-demo"
LONG_AGO = "2026-01-15 12:00:00"


def age(server):
    """Make all sessions last changed long ago: the sandbox dates all that it loads at its start."""
    with closing(sqlite3.connect(server.data / "alyx.sqlite3", timeout=30)) as database, database:
        database.execute("UPDATE alyx_sandbox_session SET auto_datetime = ?", [LONG_AGO])


class Lab:
    """The sandbox, past the Connector."""

    def __init__(self, server, proxy):
        self.url = f"{server.url}/sessions"
        self.proxy = proxy
        self._data = server.data
        self.http = requests.Session()
        answer = requests.post(f"{server.url}/auth-token", {"username": "jose", "password": PASSWORD}, timeout=30)
        self.http.headers["Authorization"] = f"Token {answer.json()['token']}"

    def change(self, name, **fields):
        self.http.patch(f"{self.url}/{name}", json=fields, timeout=30).raise_for_status()

    def date(self, name, changed):
        """Make a session last changed at a time."""
        with closing(sqlite3.connect(self._data / "alyx.sqlite3", timeout=30)) as database, database:
            updated = database.execute(
                "UPDATE alyx_sandbox_session SET auto_datetime = ? WHERE id = ?", [changed, name.replace("-", "")]
            )
            assert updated.rowcount == 1

    def create(self, **fields):
        answer = self.http.post(self.url, json={"subject": "ea04", "start_time": "2024-06-01T00:00:00", **fields})
        answer.raise_for_status()
        return answer.json()["id"]

    def delete(self, name):
        self.http.delete(f"{self.url}/{name}", timeout=30).raise_for_status()

    def asked(self):
        """What was asked since the last time: lists, and the records whose details were."""
        seen = [one.path for one in self.proxy.requests]
        self.proxy.forget_requests()
        details = sorted(path.rpartition("/")[2] for path in seen if path.startswith("/sessions/"))
        return seen.count("/sessions"), details


@contextmanager
def told(*words):
    """What is told in a warning, and nothing else."""
    with pytest.warns(AlyxWarning) as caught:
        yield caught
    sentences = [str(warning.message) for warning in caught]
    assert len(sentences) == len(words), sentences
    assert all(word in sentence for word, sentence in zip(words, sentences, strict=True)), sentences


@contextmanager
def counted(server):
    """A Connector, and the lab that it asks through a proxy that counts from 0."""
    with FaultProxy(server.url) as proxy, strict_warnings():
        connector = Connector.setup(url=proxy.url, username="jose", password=PASSWORD, make_default=True)
        connector.search("labs", details=False)  # finds the server, and reads its schema
        proxy.forget_requests()
        yield connector, Lab(server, proxy)
        connector.close()
