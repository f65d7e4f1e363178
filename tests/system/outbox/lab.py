"""What the tests of the outbox need of a lab: its animals on the server, by id, and what of ours is on them."""

from __future__ import annotations

import datetime as dt
import sqlite3
from contextlib import closing
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any
from uuid import UUID, uuid4
from zoneinfo import ZoneInfo

from alyx_connector import AlyxClient
from alyx_connector.zones.server_offsets import remember_offset
from pybpod_alyx_module.outbox.items import Draft, Kind

if TYPE_CHECKING:
    from pathlib import Path


@dataclass(frozen=True)
class Animal:
    id: str
    nickname: str
    lab: str


class Lab:
    """A server behind a proxy, and one user of it; a sandbox whose folder is known also at one moment, past its API."""

    def __init__(self, sandbox: Any, proxy_url: str, token: str) -> None:
        self.url = proxy_url
        self.username = sandbox.username
        self.token = token
        self.direct = AlyxClient(sandbox.url, username=sandbox.username, token=token)
        self._sandbox = sandbox
        first = self.direct.get("subjects", {"responsible_user": self.username, "limit": 1})["results"][0]
        self.lab = str(first["lab"])

    @property
    def zone(self) -> ZoneInfo:
        """Its time zone."""
        return ZoneInfo(self.direct.get(("labs", self.lab))["timezone"])

    def know_its_clock(self) -> None:
        """Have its offset seen all the time: UTC, that of a sandbox which is not told another zone."""
        seen, now = dt.datetime(2026, 11, 1, tzinfo=dt.timezone.utc), dt.datetime.now(dt.timezone.utc)
        while seen < now + dt.timedelta(days=40):
            remember_offset(self.url, dt.timedelta(0), seen)
            seen += dt.timedelta(days=20)

    def animal(self, nickname: str, **fields: Any) -> Animal:
        row = self.direct.post("subjects", {"nickname": nickname, "lab": self.lab, **fields})
        found = self.direct.list("subjects", {"django": f"lab__name,{row['lab']}", "nickname": nickname})
        return Animal(found[0]["id"], nickname, row["lab"])

    def rename(self, animal: Animal, nickname: str) -> None:
        self._write(("UPDATE alyx_sandbox_subject SET nickname = ? WHERE id = ?", (nickname, UUID(animal.id).hex)))

    def swap(self, one: Animal, other: Animal) -> None:
        """Give each the name of the other, at one moment."""
        names = [self.nickname(one), self.nickname(other)]
        change = "UPDATE alyx_sandbox_subject SET nickname = ? WHERE id = ?"
        hexes = [UUID(animal.id).hex for animal in (one, other)]
        self._write((change, ("-", hexes[0])), (change, (names[0], hexes[1])), (change, (names[1], hexes[0])))

    def direct_delete(self, animal: Animal) -> None:
        """Take an animal off the server, as an administrator may."""
        self._write(("UPDATE alyx_sandbox_subject SET id = ? WHERE id = ?", (uuid4().hex, UUID(animal.id).hex)))

    def nickname(self, animal: Animal) -> str:
        return str(self.direct.list("subjects", {"django": f"pk,{animal.id}"})[0]["nickname"])

    def records(self, route: str, animal: Animal) -> list[dict[str, Any]]:
        """What is on an animal, whatever its name."""
        return self.direct.list(route, {"django": f"subject__pk,{animal.id}"})

    def weighing(self, animal: Animal, weight: float = 24.5, when: str = "2026-11-21T12:00:00", **more: Any) -> Draft:
        return self.draft(Kind.WEIGHING, animal, {"weight": weight, "date_time": when}, **more)

    def water(self, animal: Animal, amount: float = 0.5, when: str = "2026-11-21T13:00:00", **more: Any) -> Draft:
        return self.draft(Kind.WATER, animal, {"water_administered": amount, "date_time": when}, **more)

    def session(self, animal: Animal, start: str = "2026-11-21T10:00:00", **values: Any) -> Draft:
        return self.draft(Kind.SESSION, animal, {"start_time": start, "task_protocol": "wait_task", **values})

    def draft(self, kind: Kind, animal: Animal, values: dict[str, Any], **more: Any) -> Draft:
        known = {"server": self.url, "username": self.username}
        return Draft(kind=kind, subject_id=animal.id, subject_name=animal.nickname, values=values, **{**known, **more})

    def _write(self, *statements: tuple[str, tuple[Any, ...]]) -> None:
        database: Path = self._sandbox.data / "alyx.sqlite3"
        with closing(sqlite3.connect(database, timeout=30, isolation_level=None)) as connection:
            connection.execute("BEGIN IMMEDIATE")
            for statement, values in statements:
                assert connection.execute(statement, values).rowcount == 1
            connection.execute("COMMIT")
