"""The Alyx under test: the sandbox, or a real one where `ALYX_TEST_URL` and its user and password are set."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from alyx_connector import Connector
from tests.contract.alyx_under_test import AlyxUnderTest, given_server
from tests.contract.json_values import MISSING, VALUES
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


@pytest.fixture(scope="module")
def valued(writable: AlyxUnderTest) -> Iterator[str]:
    """The nickname of a subject with a session for each of `VALUES`: its number is the place in there."""
    with writable.new_subject() as name:
        for number, value in enumerate(VALUES):
            held = {} if value is MISSING else {"v": value}
            body = {"subject": name, "number": number, "json": held, "extended_qc": held}
            assert writable.ask("POST", "/sessions", json=body).status_code == 201
        yield name


@pytest.fixture(scope="module")
def connector(alyx: AlyxUnderTest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Connector]:
    """A Connector to the server, with the token of its user."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("ALYX_CONNECTOR_HOME", str(tmp_path_factory.mktemp("home")))
        patch.setenv("ALYX_TOKEN_STORE", "file")
        token = str(alyx.session.headers["Authorization"]).removeprefix("Token ")
        yield Connector.setup(alyx.url, alyx.user, token=token, make_default=True)
