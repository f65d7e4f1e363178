"""The Alyx under test: the sandbox, or a real one where `ALYX_TEST_URL` and its user and password are set."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tests.contract.alyx_under_test import AlyxUnderTest, given_server
from tests.sandbox_server import SandboxServer

if TYPE_CHECKING:
    from collections.abc import Iterator


@pytest.fixture(scope="session")
def alyx() -> Iterator[AlyxUnderTest]:
    """The server that these tests talk to; never the shared sandbox, because they write."""
    given = given_server()
    if given is not None:
        yield AlyxUnderTest(*given)
        return
    with SandboxServer("--throttle", "off") as server:
        yield AlyxUnderTest(server.url, server.username, server.password)


@pytest.fixture(scope="session")
def writable(alyx: AlyxUnderTest) -> AlyxUnderTest:
    """The server, where tests may write to it."""
    if not alyx.may_write:
        pytest.skip("this server is not on this machine: set ALYX_TEST_WRITE=1 to let tests write to it")
    return alyx


@pytest.fixture
def subject(writable: AlyxUnderTest) -> Iterator[str]:
    """The nickname of a new subject of the user, deleted at the end with all that hangs on it."""
    with writable.new_subject() as name:
        yield name
