"""A sandbox with the lab of the rig, a fault proxy before it, and a client of that proxy."""

from __future__ import annotations

import datetime as dt
from typing import TYPE_CHECKING

import pytest

from alyx_connector.http.client import AlyxClient
from tests.fault_proxy import FaultProxy
from tests.sandbox_server import SandboxServer
from tests.system.animals.rig_lab import write_lab

if TYPE_CHECKING:
    from collections.abc import Iterator


@pytest.fixture(scope="session")
def rig_alyx(tmp_path_factory: pytest.TempPathFactory) -> Iterator[SandboxServer]:
    """A sandbox of our own, in which ``watered`` got water today: 0.5 mL in a session, 0.4 mL out of it."""
    lab = write_lab(tmp_path_factory.mktemp("lab"))
    with SandboxServer("--throttle", "off", "--lab", str(lab)) as server, AlyxClient(server.url) as client:
        client.login(server.username, server.password)
        midnight = f"{dt.datetime.now(dt.timezone.utc).date()}T00:00:"
        session = {"subject": "watered", "start_time": midnight + "01", "task_protocol": "wait_task", "number": 1}
        run = client.post("sessions", session)
        water = {"subject": "watered", "water_type": "Water"}
        client.post(
            "water-administrations",
            {**water, "water_administered": 0.5, "date_time": midnight + "02", "session": run["id"]},
        )
        client.post("water-administrations", {**water, "water_administered": 0.4, "date_time": midnight + "03"})
        yield server


@pytest.fixture
def proxy(rig_alyx: SandboxServer) -> Iterator[FaultProxy]:
    with FaultProxy(rig_alyx.url) as proxy:
        yield proxy


@pytest.fixture
def client(proxy: FaultProxy, rig_alyx: SandboxServer) -> Iterator[AlyxClient]:
    """A client behind the proxy that has found its server; the proxy counts from 0."""
    with AlyxClient(proxy.url) as client:
        client.login(rig_alyx.username, rig_alyx.password)
        proxy.forget_requests()
        yield client
