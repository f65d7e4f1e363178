"""The sandbox and a real Alyx with the same lab, asked the same: only what is listed differs, and all of it does.

The real one is that of `ALYX_TEST_URL`, an Alyx with the demo lab whose clock is that of the lab, UTC.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

import pytest

from tests.contract.alyx_under_test import AlyxUnderTest, given_server
from tests.contract.differential import questions, writes
from tests.contract.differential.asking import UUID, Pair
from tests.contract.differential.differences import fitting, patterns
from tests.servers import start_sandbox

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from tests.contract.differential.asking import Step


@pytest.fixture(scope="module")
def pair() -> Iterator[Pair]:
    """A new sandbox, and the server of `ALYX_TEST_URL` if it holds the same lab and tests may write to it."""
    given = given_server()
    if given is None:
        pytest.skip("no real Alyx to compare with: set ALYX_TEST_URL, ALYX_TEST_USER and ALYX_TEST_PASSWORD")
    alyx = AlyxUnderTest(*given)
    if alyx.is_local:
        pytest.skip("the server of ALYX_TEST_URL is an Alyx-Local, which the sandbox is not like")
    if not alyx.may_write:
        pytest.skip("the server of ALYX_TEST_URL is not on this machine, and ALYX_TEST_WRITE is not 1")
    with start_sandbox() as server:
        sandbox = AlyxUnderTest(server.url, server.username, server.password)
        if {row["id"] for row in sandbox.subjects} != {row["id"] for row in alyx.subjects}:
            pytest.skip("the server of ALYX_TEST_URL does not hold the demo lab")
        yield Pair(sandbox, alyx, frozenset(_ids(sandbox) & _ids(alyx)))


def _ids(server: AlyxUnderTest) -> set[str]:
    return {found for path in questions.LISTS for found in re.findall(UUID, str(server.rows(path)))}


def _check(pair: Pair, steps: Iterable[Step]) -> None:
    asked = list(steps)
    found = pair.differences(asked)
    listed = {pattern: fitting(pattern, {str(step) for step in asked}) for pattern in patterns()}
    unlisted = {request: how for request, how in found.items() if not any(request in one for one in listed.values())}
    assert not unlisted
    gone = [pattern for pattern, requests in listed.items() if requests and not requests & found.keys()]
    assert not gone


@pytest.mark.parametrize("path", questions.LISTS)
def test_reading(pair: Pair, path: str) -> None:
    filters = {name for server in (pair.sandbox, pair.alyx) for name in questions.filters_of(server, path)}
    _check(pair, questions.about(path, sorted(filters), pair.sandbox.rows(path)))


@pytest.mark.parametrize("name", writes.SERIES)
def test_writing(pair: Pair, name: str) -> None:
    _check(pair, writes.SERIES[name])


def test_every_listed_difference_is_asked_for() -> None:
    written = {str(step) for steps in writes.SERIES.values() for step in steps}
    for pattern in patterns():
        path, _, name = pattern.removeprefix("GET ").partition("?")
        if pattern.startswith("GET "):
            assert path in questions.LISTS
            assert name
        else:
            assert fitting(pattern, written)
