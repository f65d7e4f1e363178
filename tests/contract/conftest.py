"""The Alyx under test: the sandbox, or a real one where `ALYX_TEST_URL` and its user and password are set."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

import pytest

from tests.contract.alyx_under_test import AlyxUnderTest
from tests.sandbox_server import SandboxServer

if TYPE_CHECKING:
    from collections.abc import Iterator

_NAMES = ("ALYX_TEST_URL", "ALYX_TEST_USER", "ALYX_TEST_PASSWORD")


@pytest.fixture(scope="session")
def alyx() -> Iterator[AlyxUnderTest]:
    """The server that these tests talk to; never the shared sandbox, because they write."""
    url, user, password = (os.environ.get(name) for name in _NAMES)
    if url and user and password:
        yield AlyxUnderTest(url, user, password)
        return
    if url or user or password:
        pytest.fail(f"set all of {', '.join(_NAMES)}, or none of them")
    with SandboxServer("--throttle", "off") as server:
        yield AlyxUnderTest(server.url, server.username, server.password)


@pytest.fixture
def writable(alyx: AlyxUnderTest) -> AlyxUnderTest:
    """The server, where tests may write to it."""
    if not alyx.may_write:
        pytest.skip("this server is not on this machine: set ALYX_TEST_WRITE=1 to let tests write to it")
    return alyx
