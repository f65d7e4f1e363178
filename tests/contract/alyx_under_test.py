"""An Alyx server as the contract tests see it: requests to it, and what there is in its lab to ask for."""

from __future__ import annotations

import os
import re
import uuid
from collections import Counter
from contextlib import contextmanager
from functools import cached_property
from itertools import islice
from typing import TYPE_CHECKING, Any, NamedTuple, TypeVar
from urllib.parse import urlsplit

import pytest
import requests

if TYPE_CHECKING:
    from collections.abc import Iterator

_HERE = {"127.0.0.1", "localhost", "::1"}
_TIMEOUT = 60
#: More rows in one answer no server gives.
_PAGE = 1000
_TIME = re.compile(r"^(\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(?:\.\d+)?)(?:Z|[+-]\d\d:\d\d)$")
_NAMES = ("ALYX_TEST_URL", "ALYX_TEST_USER", "ALYX_TEST_PASSWORD")
Row = TypeVar("Row")


class Given(NamedTuple):
    """A server that the environment names, and a user there."""

    url: str
    username: str
    password: str


def given_server() -> Given | None:
    """Return the real Alyx to test against; None where none is named."""
    values = [os.environ.get(name) for name in _NAMES]
    url, user, password = values
    if url and user and password:
        return Given(url.rstrip("/").removesuffix("/api"), user, password)
    if any(values):
        pytest.fail(f"set all of {', '.join(_NAMES)}, or none of them")
    return None


class Animal(NamedTuple):
    """A subject, and what a server calls it: `key` in addresses, weighings and water, `nickname` in sessions."""

    id: str
    nickname: str
    key: str


class AlyxUnderTest:
    """A server, a user who is logged in, and the rows that tests ask for.

    `url` is its address, `root` that of its API. Rows that a lab need not have are found, not assumed: a test that
    needs one is skipped where there is none.
    """

    def __init__(self, url: str, user: str, password: str) -> None:
        self.url = url
        self.root = api_root(url)
        #: Whether its API is Alyx-Local's.
        self.is_local = self.root != url
        self.user = user
        self.password = password
        self.may_write = urlsplit(self.url).hostname in _HERE or os.environ.get("ALYX_TEST_WRITE") == "1"
        self.session = requests.Session()
        self.session.headers["Accept"] = "application/json"
        answer = self.ask("POST", "/auth-token", data={"username": user, "password": password})
        assert answer.status_code == 200, f"{user} cannot log in at {self.url}: {answer.status_code}"
        self.session.headers["Authorization"] = f"Token {answer.json()['token']}"

    def ask(self, method: str, path: str, **options: Any) -> requests.Response:
        """Return the answer to a request; redirects are not followed."""
        return self.session.request(method, self.root + path, allow_redirects=False, timeout=_TIMEOUT, **options)

    def anonymous(self, method: str, path: str, **options: Any) -> requests.Response:
        """Return the answer to a request without the user's token."""
        return requests.request(method, self.root + path, allow_redirects=False, timeout=_TIMEOUT, **options)

    def get(self, path: str, **params: Any) -> Any:
        """Return the body of a good answer."""
        answer = self.ask("GET", path, params=params)
        assert answer.status_code == 200, f"{answer.url}: {answer.status_code} {answer.text[:300]}"
        return answer.json()

    def rows(self, path: str, **params: Any) -> list[dict[str, Any]]:
        """Return the rows of a list, page by page."""
        page = self.get(path, limit=_PAGE, **params)
        rows: list[dict[str, Any]] = page["results"]
        while page["next"]:
            page = self.get(path, limit=_PAGE, offset=len(rows), **params)
            rows += page["results"]
        return rows

    @contextmanager
    def new_subject(self, lab: str = "") -> Iterator[Animal]:
        """Give a new subject of the user, deleted at the end with all that hangs on it.

        ``lab``: that of `subject` if left out.
        """
        name = f"contract_{uuid.uuid4().hex[:12]}"
        answer = self.ask("POST", "/subjects", json={"nickname": name, "lab": lab or self.subject["lab"]})
        assert answer.status_code == 201, answer.text
        [row] = self.rows("/subjects", nickname=name)
        try:
            yield Animal(row["id"], name, self.key(row))
        finally:
            # Also where a test fails, as it is expected to on some servers.
            assert self.ask("DELETE", f"/subjects/{self.key_of(row['id'])}").status_code == 204

    def key_of(self, subject_id: str) -> str:
        """Return the `key` that a subject has now."""
        [row] = self.rows("/subjects", django=f"pk,{subject_id}")
        return self.key(row)

    def pairs(self, parts: list[str]) -> str:
        """Return what must hold in `json=`, as this server wants it; each is ``key,number`` or ``key,text``."""
        if self.is_local:
            return ";".join(parts)
        # Words of Python: a negative number, one with an exponent and an empty text need brackets.
        return ",".join(re.sub(r',(-.*|.*e\d+|"")$', r",(\1)", part) for part in parts)

    @staticmethod
    def key(row: dict[str, Any]) -> str:
        """Return what the server calls a subject of `/subjects` in addresses, weighings and water."""
        return str(row.get("name", row["nickname"]))

    @cached_property
    def subjects(self) -> list[dict[str, Any]]:
        """Subjects of all users."""
        return self.rows("/subjects")

    @cached_property
    def unique(self) -> list[dict[str, Any]]:
        """Those of them whose nickname no other subject has."""
        times = Counter(row["nickname"].lower() for row in self.subjects)
        return [row for row in self.subjects if times[row["nickname"].lower()] == 1]

    @cached_property
    def subject(self) -> dict[str, Any]:
        """A subject of the user with sessions, the only one of its nickname."""
        own = (row for row in self.unique if row["responsible_user"] == self.user)
        with_sessions = (row for row in own if self.get("/sessions", subject=row["nickname"], limit=1)["count"])
        return found(list(islice(with_sessions, 1)), f"a subject of {self.user} with sessions")

    @property
    def dead(self) -> dict[str, Any]:
        """A subject that is not alive."""
        return found([row for row in self.unique if not row["alive"]], "a subject that is not alive")

    @property
    def restricted(self) -> dict[str, Any]:
        """A living subject under water restriction."""
        names = [row["nickname"] for row in self.rows("/subjects", water_restricted="True")]
        return found([row for row in self.unique if row["nickname"] in names], "a water-restricted subject")

    @property
    def namesake(self) -> str:
        """A nickname that exactly two subjects have."""
        times: Counter[str] = Counter(row["nickname"] for row in self.subjects)
        return found([name for name, count in times.items() if count == 2], "two subjects of one nickname")

    @property
    def session_row(self) -> dict[str, Any]:
        """A session of `subject`."""
        return found(self.rows("/sessions", subject=self.subject["nickname"]), "a session")


def on_the_clock(record: dict[str, Any]) -> dict[str, Any]:
    """Return a record whose times are those on the clock of the server, without their offset."""
    return {name: _TIME.sub(r"\1", value) if isinstance(value, str) else value for name, value in record.items()}


def api_root(url: str) -> str:
    """Return where the API of a server is: at its address, or below ``/api`` there."""
    answer = requests.get(f"{url}/auth-token", allow_redirects=False, timeout=_TIMEOUT)
    return url if answer.status_code == 405 else f"{url}/api"


def found(rows: list[Row], what: str) -> Row:
    """Return the first of what was looked for, or skip the test."""
    if not rows:
        pytest.skip(f"the lab of this server has no such thing: {what}")
    return rows[0]
