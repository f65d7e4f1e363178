"""The same question to two servers that hold the same lab, and their answers without what must differ."""

from __future__ import annotations

import json
import re
from itertools import groupby
from typing import TYPE_CHECKING, Any, Final, NamedTuple
from urllib.parse import parse_qsl, urlencode

if TYPE_CHECKING:
    from collections.abc import Iterable

    from tests.contract.alyx_under_test import AlyxUnderTest

#: When a row was made or written.
OF_NOW: Final = {"auto_datetime", "created_datetime", "date_joined", "last_login", "last_updated"}
UUID: Final = re.compile(r"[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}")
#: By what the rows of a list are ordered; the others come in no order of their own, and neither do rows alike in that.
_ORDER: Final = {
    "/dataset-types": ("name",),
    "/sessions": ("start_time",),
    "/subjects": ("nickname", "birth_date"),
    "/users": ("username",),
    "/water-restriction": ("end_time", "start_time"),
}
#: Lists of names in a row, which come in no order either.
_SETS: Final = {
    "allowed_users",
    "genotype",
    "lab",
    "labs",
    "procedures",
    "projects",
    "session_projects",
    "subjects_responsible",
    "users",
}


class Step(NamedTuple):
    """A request. Names in braces in the path and in the body stand for the ids that earlier answers gave."""

    method: str
    path: str
    body: dict[str, Any] | None = None
    #: Under which name the id in the answer is kept.
    keep: str = ""

    def __str__(self) -> str:
        """Return how a difference names it."""
        return f"{self.method} {self.path}" + ("" if self.body is None else f" {json.dumps(self.body)}")


def get(path: str, **params: Any) -> Step:
    """Return a question for rows."""
    return Step("GET", f"{path}?{urlencode(params, safe=',[]():;')}" if params else path)


class Pair(NamedTuple):
    """The sandbox, a real Alyx, and the ids that are the same on both."""

    sandbox: AlyxUnderTest
    alyx: AlyxUnderTest
    known: frozenset[str]

    def differences(self, steps: Iterable[Step]) -> dict[str, str]:
        """Return how the answers to a series of requests differ, by request."""
        found = {}
        ids: dict[str, tuple[str, str]] = {}
        for step in steps:
            answers = [
                self._ask(server, step, {name: kept[place] for name, kept in ids.items()})
                for place, server in enumerate((self.sandbox, self.alyx))
            ]
            if step.keep:
                ids[step.keep] = (_id(answers[0][1]), _id(answers[1][1]))
            said = [self._comparable(step, *answer) for answer in answers]
            if said[0] != said[1]:
                found[str(step)] = f"sandbox {_apart(*said)}"
        return found

    def _ask(self, server: AlyxUnderTest, step: Step, ids: dict[str, str]) -> tuple[int, Any]:
        path, body = step.path, json.dumps(step.body)
        for name, value in ids.items():
            path, body = path.replace(f"{{{name}}}", value), body.replace(f"{{{name}}}", value)
        route, _, query = path.partition("?")
        sent = {} if step.body is None else {"json": json.loads(body.replace("{address}", server.url))}
        answer = server.ask(step.method, route, params=parse_qsl(query, keep_blank_values=True), **sent)
        is_json = "json" in answer.headers.get("Content-Type", "")
        text = answer.text.replace(server.url, "<address>")
        return answer.status_code, json.loads(text) if is_json else bool(text)

    def _comparable(self, step: Step, status: int, body: Any) -> Any:
        said = self._same(body)
        if isinstance(said, dict) and "results" in said:
            order = _ORDER.get(step.path.partition("?")[0], ())
            alike = groupby(said["results"], key=lambda row: [row[name] for name in order])
            said["results"] = [row for _, rows in alike for row in sorted(rows, key=json.dumps)]
        return {"status": status, "body": said}

    def _same(self, value: Any, key: str = "") -> Any:
        if isinstance(value, dict):
            return {name: self._same(held, name) for name, held in value.items()}
        if isinstance(value, list):
            held = [self._same(one) for one in value]
            return sorted(held, key=str) if key in _SETS else held
        if isinstance(value, float):
            return round(value, 9)
        if not isinstance(value, str):
            return value
        if key in OF_NOW or (key in {"date_time", "start_time"} and "." in value):
            return "<now>"
        # Which fields a table has besides those that the sandbox needs is its own affair.
        value = re.sub(r"(Choices are:).*", r"\1 …", value)
        return UUID.sub(lambda found: found[0] if found[0] in self.known else "<id>", value)


def _id(body: Any) -> str:
    found = UUID.findall(str(body.get("id") or body.get("url"))) if isinstance(body, dict) else []
    return found[0] if found else "no-id"


def _apart(one: Any, other: Any, where: str = "") -> str:
    # The first place where two answers differ.
    if isinstance(one, dict) and isinstance(other, dict) and one.keys() == other.keys():
        return next(_apart(one[name], other[name], f"{where}.{name}") for name in one if one[name] != other[name])
    if isinstance(one, list) and isinstance(other, list) and len(one) == len(other):
        return next(
            _apart(*pair, f"{where}[{at}]")
            for at, pair in enumerate(zip(one, other, strict=True))
            if pair[0] != pair[1]
        )
    return f"{where.lstrip('.')}: {_short(one)}, alyx: {_short(other)}"


def _short(value: Any) -> str:
    text = json.dumps(value, ensure_ascii=False)
    return text if len(text) < 300 else f"{text[:300]}…"
