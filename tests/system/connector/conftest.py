"""A sandbox that these tests may write to, a fault proxy before it, and a client of that proxy."""

from __future__ import annotations

import pytest

from alyx_connector import AlyxClient, Connector
from alyx_connector.zones import day_note
from tests.fault_proxy import FaultProxy
from tests.sandbox_server import SandboxServer
from tests.strict_warnings import strict_warnings
from tests.system.connector.cached_lab import age, counted


@pytest.fixture(scope="session")
def writable(tmp_path_factory):
    """A sandbox of our own; its database is ``lab.data``."""
    data = tmp_path_factory.mktemp("alyx")
    with SandboxServer("--throttle", "off", "--data", str(data)) as server:
        server.data = data
        yield server


@pytest.fixture(scope="session")
def aged(tmp_path_factory):
    """A sandbox of the tests of the cache, whose sessions the tests of writing do not touch."""
    data = tmp_path_factory.mktemp("aged-alyx")
    with SandboxServer("--throttle", "off", "--data", str(data)) as server:
        server.data = data
        yield server


@pytest.fixture(scope="session")
def token(writable):
    with AlyxClient(writable.url) as client:
        return client.login(writable.username, writable.password)


@pytest.fixture
def proxy(writable):
    with FaultProxy(writable.url) as proxy:
        yield proxy


@pytest.fixture
def client(proxy, writable, token):
    """A client behind the proxy that has found its server; the proxy counts from 0."""
    with AlyxClient(proxy.url, username=writable.username, token=token) as client:
        client.find_server()
        proxy.forget_requests()
        yield client


@pytest.fixture(autouse=True)
def told(monkeypatch):
    """That the server's clock is not the labs' was told before each test."""
    monkeypatch.setattr(day_note, "is_first_time", lambda server, lab: False)


@pytest.fixture
def strict_home(tmp_path, monkeypatch):
    """A computer on which nothing was set up, and no warning goes unseen."""
    monkeypatch.setenv("ALYX_CONNECTOR_HOME", str(tmp_path))
    monkeypatch.setenv("ALYX_TOKEN_STORE", "file")
    with strict_warnings():
        yield tmp_path


@pytest.fixture
def writer(strict_home, proxy):
    """A Connector that may write, behind the proxy, which counts from 0; the schema is kept."""
    Connector.setup(proxy.url, "jose", "jose-demo", make_default=True)
    writer = Connector(write=True)
    writer.endpoints()
    proxy.forget_requests()
    return writer


@pytest.fixture
def home(tmp_path, monkeypatch):
    """A computer on which nothing was set up."""
    monkeypatch.setenv("ALYX_CONNECTOR_HOME", str(tmp_path / "home"))
    monkeypatch.setenv("ALYX_TOKEN_STORE", "file")
    return tmp_path / "home"


@pytest.fixture
def cached(aged, home):
    """A Connector that searched the 25 sessions of ea04 once, what it found, and the lab."""
    age(aged)
    with counted(aged) as (connector, lab):
        first = connector.search(subject="ea04")
        lab.asked()
        yield connector, lab, first
