"""The servers of the fixture `each_server`: both sandboxes, the real Alyx-Local, and that of `ALYX_TEST_URL`."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any, Final, NamedTuple

import pytest

from tests.alyx_local.server import AlyxLocalServer, missing
from tests.contract.alyx_under_test import api_root, given_server
from tests.contract.facts import ALYX, ALYX_LOCAL, SANDBOX, SANDBOX_LOCAL, difference
from tests.sandbox_server import SandboxServer

GIVEN: Final = "given"
_CONTRACT: Final = Path(__file__).parent / "contract"


class Server(NamedTuple):
    """A server of the tests, and its main user."""

    name: str
    url: str
    username: str
    password: str


def names(chosen: list[str], test: Path) -> list[str]:
    """Return the servers to test on; none chosen means all that this machine can have.

    Then the sandbox that answers like Alyx-Local is asked for facts only: our programs run on the real one.
    """
    is_fact = _CONTRACT in test.parents
    there = [SANDBOX, *([SANDBOX_LOCAL] if is_fact or chosen else [])]
    there += [*([] if without_alyx_local() else [ALYX_LOCAL]), *([GIVEN] if given_server() else [])]
    return [name for name in there if not chosen or name in chosen]


def without_alyx_local() -> str | None:
    """Return why nothing is tested on Alyx-Local; None where it is. In CI it always is, and its tests fail."""
    lack = None if os.environ.get("CI") == "true" else missing()
    return lack and f"Alyx-Local: nothing was tested on it, {lack}"


def start_alyx_local() -> AlyxLocalServer:
    """Start one; where this machine cannot, the test is skipped."""
    if reason := without_alyx_local():
        pytest.skip(reason)
    if lack := missing():
        pytest.fail(f"Alyx-Local does not start here: {lack}")
    return AlyxLocalServer()


def start_sandbox(name: str = SANDBOX) -> SandboxServer:
    """Start one of the two sandboxes, without a throttle."""
    return SandboxServer("--throttle", "off", "--like", ALYX if name == SANDBOX else ALYX_LOCAL)


def mark_differences(items: list[pytest.Item]) -> None:
    """Expect to fail what does not hold on the server of a test; one that passes all the same is red."""
    for item in items:
        parameters: dict[str, Any] = getattr(getattr(item, "callspec", None), "params", {})
        if "each_server" in parameters:
            found = difference(fact(item), kind_of(parameters["each_server"]))
            if found is not None:
                item.add_marker(pytest.mark.xfail(reason=found.reason, strict=True, run=not found.is_long))


def fact(item: pytest.Item) -> str:
    """Return the name of a test without the server that it runs on: ``test_lists.py::test_pages[first]``."""
    name, _, case = item.name.partition("[")
    case = case.removesuffix("]").removeprefix(item.callspec.params["each_server"]).removeprefix("-")
    return f"{item.path.name}::{name}" + (f"[{case}]" if case else "")


def kind_of(server: str) -> str:
    """Return whose facts a server is held to; the one of `ALYX_TEST_URL` is known by where its API is."""
    given = given_server()
    if server != GIVEN or given is None:
        return server
    return ALYX if api_root(given.url) == given.url else ALYX_LOCAL
