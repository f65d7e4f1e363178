"""An outbox, a sender with a clock that the test sets, and a sandbox behind a fault proxy."""

from __future__ import annotations

import itertools
from typing import TYPE_CHECKING

import pytest

from alyx_connector import AlyxClient
from pybpod_alyx_module.outbox.back_off import Pauses
from pybpod_alyx_module.outbox.outbox import Outbox
from pybpod_alyx_module.outbox.sender import Sender
from tests.fault_proxy import FaultProxy
from tests.sandbox_server import SandboxServer
from tests.system.outbox.lab import Lab

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from tests.system.outbox.lab import Animal

LIFE_S = 300.0
_NUMBERS = itertools.count(1)


class Clock:
    """A monotonic clock that only the test moves."""

    def __init__(self) -> None:
        self.now = 1000.0

    def __call__(self) -> float:
        return self.now

    def pass_by(self, seconds: float) -> None:
        self.now += seconds


class Accounts:
    """Who is logged in where, as the sender asks for it."""

    def __init__(self) -> None:
        self.clients: dict[tuple[str, str], AlyxClient] = {}
        self.asked: list[tuple[str, str]] = []

    def __call__(self, server: str, username: str) -> AlyxClient | None:
        self.asked.append((server, username))
        return self.clients.get((server, username))

    def log_in(self, server: str, username: str, token: str) -> AlyxClient:
        self.clients[server, username] = client = AlyxClient(server, username=username, token=token)
        return client


@pytest.fixture(scope="session")
def alyx(tmp_path_factory: pytest.TempPathFactory) -> Iterator[SandboxServer]:
    data = tmp_path_factory.mktemp("alyx")
    with SandboxServer("--throttle", "off", "--data", str(data)) as server:
        server.data = data
        yield server


@pytest.fixture(scope="module")
def token(alyx: SandboxServer) -> str:
    with AlyxClient(alyx.url) as client:
        return client.login(alyx.username, alyx.password)


@pytest.fixture
def proxy(alyx: SandboxServer) -> Iterator[FaultProxy]:
    with FaultProxy(alyx.url) as proxy:
        yield proxy


@pytest.fixture(autouse=True)
def home(tmp_path_factory: pytest.TempPathFactory, monkeypatch: pytest.MonkeyPatch) -> None:
    """What is kept of a server goes by its address, and another proxy may have had this port."""
    monkeypatch.setenv("ALYX_CONNECTOR_HOME", str(tmp_path_factory.mktemp("home")))


@pytest.fixture
def lab(alyx: SandboxServer, proxy: FaultProxy, token: str, home: None) -> Iterator[Lab]:
    lab = Lab(alyx, proxy.url, token)
    lab.know_its_clock()
    yield lab
    lab.direct.close()


@pytest.fixture
def animal(lab: Lab) -> Animal:
    return lab.animal(f"outbox_{next(_NUMBERS)}")


@pytest.fixture
def other(lab: Lab) -> Animal:
    return lab.animal(f"outbox_{next(_NUMBERS)}")


@pytest.fixture
def outbox(tmp_path) -> Iterator[Outbox]:
    outbox = Outbox(tmp_path / "outbox.sqlite")
    yield outbox
    outbox.close()


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def accounts(lab: Lab, proxy: FaultProxy) -> Iterator[Accounts]:
    accounts = Accounts()
    accounts.log_in(lab.url, lab.username, lab.token).find_server()
    proxy.forget_requests()
    yield accounts
    for client in accounts.clients.values():
        client.close()


@pytest.fixture
def make_sender(outbox: Outbox, accounts: Accounts, clock: Clock) -> Iterator[Callable[..., Sender]]:
    senders = []

    def make(**options) -> Sender:
        sender = Sender(outbox, accounts, **{"life_s": LIFE_S, "clock": clock, **options})
        senders.append(sender)
        return sender

    yield make
    for sender in senders:
        sender.stop()


@pytest.fixture
def sender(make_sender: Callable[..., Sender], clock: Clock) -> Sender:
    return make_sender(pauses=Pauses(clock))
