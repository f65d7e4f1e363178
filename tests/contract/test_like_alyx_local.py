"""The sandbox that answers like Alyx-Local, beside a real one: same answers."""

from __future__ import annotations

import json
import re
from itertools import groupby
from typing import TYPE_CHECKING, Any
from urllib.parse import urlencode

import pytest
import requests

from tests.contract.alyx_under_test import AlyxUnderTest, given_server
from tests.contract.like_alyx_local import DIFFERENCES, FREE, ORDERED, READS, SCHEMA_DIFFERENCES, WRITES, Write
from tests.contract.shapes import HEADERS, OF_ALYX_LOCAL
from tests.sandbox_server import SandboxServer

if TYPE_CHECKING:
    from collections.abc import Iterator

_UUID = re.compile(r"[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}")
_CHOICES = re.compile(r"Choices are: [\w, ]+")
_NOW = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{6}[+Z:\d]*")


@pytest.fixture(scope="module")
def like() -> Iterator[AlyxUnderTest]:
    """The sandbox that answers like Alyx-Local."""
    with SandboxServer("--like", "alyx-local") as server:
        yield AlyxUnderTest(server.url, server.username, server.password)


@pytest.fixture(scope="module")
def real(request: pytest.FixtureRequest) -> AlyxUnderTest:
    """A real Alyx-Local with the demo lab: that of `ALYX_TEST_URL`, if it is one, else one that is started."""
    given = given_server()
    if given is not None:
        server = AlyxUnderTest(*given)
        if server.is_local and server.may_write:
            return server
    running = request.getfixturevalue("alyx_local")
    running.reset()  # tests before may have left labs
    return AlyxUnderTest(running.url, running.username, running.password)


def _comparable(server: AlyxUnderTest, path: str, body: Any) -> Any:
    """Return an answer without what two servers cannot have in common."""
    text = json.dumps(body).replace(server.url, "")
    for pattern, word in ((_UUID, "<id>"), (_NOW, "<now>"), (_CHOICES, "Choices are: <its fields>")):
        text = pattern.sub(word, text)
    return _sorted(json.loads(text), keeps_order=path in ORDERED)


def _sorted(value: Any, keeps_order: bool) -> Any:
    if isinstance(value, dict):
        return {
            key: "<free>" if key in FREE else _sorted(item, keeps_order and key == "results")
            for key, item in value.items()
        }
    if isinstance(value, list):
        items = [_sorted(item, keeps_order=False) for item in value]
        # What begins at the same time comes in any order.
        runs = [list(run) for _, run in groupby(items, _start)] if keeps_order else [items]
        return [item for run in runs for item in sorted(run, key=lambda item: json.dumps(item))]
    return value


def _start(row: dict[str, Any]) -> Any:
    return row.get("start_time", row["name"])


def _answer(server: AlyxUnderTest, method: str, path: str, **options: Any) -> dict[str, Any]:
    answer = server.ask(method, path, **options)
    found: dict[str, Any] = {"status": answer.status_code, **{name: answer.headers.get(name) for name in HEADERS}}
    if answer.headers.get("Content-Type") == "application/json":
        found["body"] = _comparable(server, path, answer.json())
    return found


def _check(name: str, ours: Any, theirs: Any) -> None:
    if name in DIFFERENCES:
        assert ours != theirs, f"no difference any more: {name}"
    else:
        assert ours == theirs


@pytest.mark.parametrize(("path", "params"), READS, ids=[f"{path}?{urlencode(params)}" for path, params in READS])
def test_a_read_is_answered_alike(like: AlyxUnderTest, real: AlyxUnderTest, path: str, params: dict[str, Any]) -> None:
    ours, theirs = (_answer(server, "GET", path, params=params) for server in (like, real))
    _check(f"{path}?{urlencode(params)}".rstrip("?"), ours, theirs)


@pytest.mark.parametrize("name", WRITES)
def test_writes_are_answered_alike(like: AlyxUnderTest, real: AlyxUnderTest, name: str) -> None:
    ours, theirs = (_write_all(server, WRITES[name]) for server in (like, real))
    assert len(ours) == len(theirs)
    for place, write in enumerate(WRITES[name]):
        _check(f"{name} {place}", [write, ours[place]], [write, theirs[place]])


def _write_all(server: AlyxUnderTest, writes: list[Write]) -> list[Any]:
    nickname = "like_1"
    answer = server.ask("POST", "/subjects", json={"nickname": nickname, "lab": "haisslab"})
    assert answer.status_code == 201, answer.text
    words = {
        "nickname": nickname,
        "NICKNAME": nickname.upper(),
        "name": f"haisslab__{nickname}",
        "id": answer.json()["id"],
    }
    answers = []
    try:
        for write in writes:
            path, body = _filled(write.path, words), _filled(write.body, words)
            if write.method == "POST":
                made = server.ask(write.method, path, json=body)
                where = made.json().get("url", "") if made.status_code == 201 else ""
                if where:
                    words.update(last=where.removeprefix(server.root), last_id=where.rpartition("/")[2])
                answers.append([made.status_code, _comparable(server, path, made.json())])
            else:
                found = _answer(server, write.method, path, json=body)
                answers.append(found)
    finally:
        removed = server.ask("DELETE", f"/subjects/{words['name']}")
        assert removed.status_code == 204, removed.text
    return answers


def _filled(value: Any, words: dict[str, str]) -> Any:
    if isinstance(value, str):
        return re.sub(r"\{(\w+)\}", lambda found: words[found[1]], value)
    if isinstance(value, list):
        return [_filled(item, words) for item in value]
    if isinstance(value, dict):
        return {key: _filled(item, words) for key, item in value.items()}
    return value


def test_it_describes_itself_alike(like: AlyxUnderTest, real: AlyxUnderTest) -> None:
    ours, theirs = (_described(server) for server in (like, real))
    assert ours["info"] == theirs["info"]
    assert [path for path in theirs["paths"] if path in ours["paths"]] == list(ours["paths"])
    for path, operations in ours["paths"].items():
        known = theirs["paths"][path]
        assert list(operations) == list(known), path
        for method, operation in operations.items():
            assert operation["operationId"] == known[method]["operationId"]
            assert _names(operation) <= _names(known[method]), (path, method)
    words = ours["components"]["schemas"], theirs["components"]["schemas"]
    assert words[0]["QcEnum"] == words[1]["QcEnum"]
    assert set(words[0]) <= set(words[1])
    for name in set(words[0]) - SCHEMA_DIFFERENCES.keys():
        assert list(words[0][name].get("properties", {})) == list(words[1][name].get("properties", {})), name


def _described(server: AlyxUnderTest) -> dict[str, Any]:
    answer = requests.get(f"{server.url}/api/schema", params={"format": "json"}, timeout=60)
    described: dict[str, Any] = answer.json()
    return described


def _names(operation: dict[str, Any]) -> set[str]:
    return {parameter["name"] for parameter in operation.get("parameters", [])}


def test_names_numbers_and_times_are_those_of_the_recordings(like: AlyxUnderTest) -> None:
    recorded = {name: one["response"]["body"] for name, one in OF_ALYX_LOCAL.read().items()}
    rows = recorded["sessions_list"]["results"]
    keys = ("name", "subject", "start_time", "number")
    ours = [{key: row[key] for key in keys} for row in like.rows("/sessions", subject="ea04")[: len(rows)]]
    assert ours == [{key: row[key] for key in keys} for row in rows]
    session = recorded["session_detail"]
    assert like.get(f"/sessions/{session['name']}")["qc"] == session["qc"]
    subject = recorded["subject_detail"]
    detail = like.get(f"/subjects/{subject['name']}")
    assert [row["subject"] for row in detail["weighings"]] == [subject["name"]] * len(detail["weighings"])
