"""Fixtures of all tests: servers, and a guard that keeps every test on this machine."""

from __future__ import annotations

import ipaddress
import os
import socket
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

import pytest

from alyx_connector.http import retry
from tests import servers
from tests.contract.alyx_under_test import given_server
from tests.contract.facts import ALYX_LOCAL, SANDBOX, SANDBOX_LOCAL
from tests.servers import GIVEN, Server

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tests.alyx_local.server import AlyxLocalServer
    from tests.sandbox_server import SandboxServer

#: Files of few and long tests: they begin first, so that no worker is left alone with one at the end.
_LONG = ("test_hours.py", "test_crashes.py", "test_register_run.py", "test_run_check.py", "test_sync_window.py")
#: Which fixture starts a server of `each_server`.
_FIXTURES = {SANDBOX: "written_sandbox", SANDBOX_LOCAL: "written_sandbox_local", ALYX_LOCAL: "alyx_local"}
_NOT_LOOPBACK = "a test tried to reach {}: tests talk to this machine only"


def pytest_addoption(parser: pytest.Parser) -> None:
    """Let a run choose its servers."""
    parser.addoption(
        "--server",
        action="append",
        choices=[SANDBOX, SANDBOX_LOCAL, ALYX_LOCAL, GIVEN],
        default=[],
        help="test on this one only",
    )


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    """Run what asks for `each_server` on each."""
    if "each_server" in metafunc.fixturenames:
        chosen = servers.names(metafunc.config.getoption("--server"), metafunc.definition.path)
        metafunc.parametrize("each_server", chosen, indirect=True, scope="session")


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Put the long files first, the others stay in their order; and mark what does not hold on a server."""
    items.sort(key=lambda item: _LONG.index(item.path.name) if item.path.name in _LONG else len(_LONG))
    servers.mark_differences(items)


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    """Say in one line what this machine cannot test."""
    if reason := servers.without_alyx_local():
        terminalreporter.write_line(f"SKIPPED {reason}")


@pytest.fixture(scope="session")
def sandbox() -> Iterator[SandboxServer]:
    """A sandbox with the demo lab that all tests of a run share: leave it as it was."""
    with servers.start_sandbox() as server:
        yield server


@pytest.fixture(scope="session")
def written_sandbox() -> Iterator[SandboxServer]:
    """A sandbox that the tests of `each_server` write to."""
    with servers.start_sandbox() as server:
        yield server


@pytest.fixture(scope="session")
def written_sandbox_local() -> Iterator[SandboxServer]:
    """As `written_sandbox`, one that answers like Alyx-Local."""
    with servers.start_sandbox(SANDBOX_LOCAL) as server:
        yield server


@pytest.fixture(scope="session")
def alyx_local() -> Iterator[AlyxLocalServer]:
    """The real Alyx-Local with the demo lab, this worker's own: leave it as it was, or `reset` it."""
    with servers.start_alyx_local() as server:
        yield server


@pytest.fixture(scope="session")
def each_server(request: pytest.FixtureRequest) -> Server:
    """Each of the servers with the demo lab, or the lab of `ALYX_TEST_URL`: leave it as it was."""
    if request.param == GIVEN:
        given = given_server()
        assert given is not None
        return Server(GIVEN, *given)
    running = request.getfixturevalue(_FIXTURES[request.param])
    return Server(request.param, running.url, running.username, running.password)


@pytest.fixture(scope="module")
def fresh_server(each_server: Server, request: pytest.FixtureRequest) -> Iterator[Server]:
    """As `each_server`, for tests that leave on it what they wrote."""
    if each_server.name in {SANDBOX, SANDBOX_LOCAL}:
        with servers.start_sandbox(each_server.name) as own:
            yield Server(each_server.name, own.url, own.username, own.password)
        return
    yield each_server
    if each_server.name == ALYX_LOCAL:
        request.getfixturevalue("alyx_local").reset()


@pytest.fixture
def quick_retries(monkeypatch: pytest.MonkeyPatch) -> None:
    """Give up on a server that stays away as soon as all tries failed, without the seconds between them."""
    monkeypatch.setattr(retry, "_READS", retry._READS.new(backoff_factor=0.01))


@pytest.fixture(scope="session", autouse=True)
def loopback_only() -> Iterator[None]:
    """Refuse connections and look-ups of names that leave this machine."""
    patch = pytest.MonkeyPatch()
    real_connect, real_connect_ex, real_look_up = socket.socket.connect, socket.socket.connect_ex, socket.getaddrinfo
    allowed = {urlsplit(os.environ.get("ALYX_TEST_URL", "")).hostname}

    def check(host: Any) -> None:
        if not _is_here(host) and host not in allowed:
            raise RuntimeError(_NOT_LOOPBACK.format(host))

    def connect(self: socket.socket, address: Any) -> None:
        if self.family in {socket.AF_INET, socket.AF_INET6}:
            check(address[0])
        real_connect(self, address)

    def connect_ex(self: socket.socket, address: Any) -> int:
        if self.family in {socket.AF_INET, socket.AF_INET6}:
            check(address[0])
        return real_connect_ex(self, address)

    def look_up(host: Any, *args: Any, **kwargs: Any) -> Any:
        if host is not None and str(host).endswith(".invalid"):
            # What a name server says of a name that cannot exist, without asking one.
            raise socket.gaierror(socket.EAI_NONAME, "Name or service not known")
        check(host)
        return real_look_up(host, *args, **kwargs)

    patch.setattr(socket.socket, "connect", connect)
    patch.setattr(socket.socket, "connect_ex", connect_ex)
    patch.setattr(socket, "getaddrinfo", look_up)
    yield
    patch.undo()


def _is_here(host: Any) -> bool:
    if isinstance(host, bytes):
        host = host.decode()
    if host in {None, "", "localhost"}:
        return True
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False
