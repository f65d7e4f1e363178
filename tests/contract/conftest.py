"""The server under test, and what the tests make on it."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from alyx_connector import Connector
from tests.contract.alyx_under_test import AlyxUnderTest, Animal
from tests.contract.json_values import MISSING, VALUES

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tests.servers import Server


@pytest.fixture(scope="session")
def alyx(each_server: Server) -> AlyxUnderTest:
    """The server that these tests talk to, each in turn."""
    alyx = AlyxUnderTest(each_server.url, each_server.username, each_server.password)
    assert alyx.subjects, "read before any test adds one of its own"
    return alyx


@pytest.fixture(scope="session")
def writable(alyx: AlyxUnderTest) -> AlyxUnderTest:
    """The server, where tests may write to it."""
    if not alyx.may_write:
        pytest.skip("this server is not on this machine: set ALYX_TEST_WRITE=1 to let tests write to it")
    return alyx


@pytest.fixture
def subject(writable: AlyxUnderTest) -> Iterator[Animal]:
    """A new subject of the user, deleted at the end with all that hangs on it."""
    with writable.new_subject() as animal:
        yield animal


@pytest.fixture(scope="module")
def valued(writable: AlyxUnderTest) -> Iterator[str]:
    """The nickname of a subject with a session for each of `VALUES`: its number is the place in there."""
    with writable.new_subject() as animal:
        name = animal.nickname
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
