"""Rows as ``GET /subjects`` answers them, for tests of the sync: the shape is that of the recordings."""

from __future__ import annotations

from typing import Any
from uuid import UUID, uuid5

from pybpod_alyx_module.sync.snapshot import RemoteSnapshot, RemoteSubject

SERVER = "http://127.0.0.1:8000"
_SPACE = UUID("6d1c1c3e-5e8b-4c9e-9d2a-0a6f2f2b7a11")


def alyx_id(name: str) -> str:
    return str(uuid5(_SPACE, name))


def row(nickname: str, **changed: Any) -> dict[str, Any]:
    """A complete row; the id follows from ``who``, by default the nickname."""
    who = changed.pop("who", nickname)
    return {
        "nickname": nickname,
        "url": f"{SERVER}/subjects/{nickname}",
        "id": alyx_id(who),
        "responsible_user": "jose",
        "birth_date": "2026-03-28",
        "age_weeks": 33,
        "death_date": None,
        "species": "Laboratory mouse",
        "sex": "M",
        "litter": None,
        "strain": "BALB/c",
        "source": "Allen Institute",
        "line": None,
        "projects": ["brainwide"],
        "session_projects": [],
        "lab": "champalimaud",
        "genotype": ["Ai32 +/-"],
        "description": "",
        "alive": True,
        "reference_weight": 25.0,
        "last_water_restriction": None,
        "expected_water": 0.9,
        "remaining_water": 0.4,
        "json": None,
        **changed,
    }


def remote(nickname: str, **changed: Any) -> RemoteSubject:
    return RemoteSubject.from_row(row(nickname, **changed), SERVER)


def record(nickname: str, **changed: Any) -> dict[str, Any]:
    """What the project's copy of that row holds after a sync; a value of ``...`` leaves the key out."""
    who = changed.pop("who", nickname)
    server = changed.pop("server", SERVER)
    saved = row(nickname, who=who)
    saved |= {"alyx_id": saved.pop("id"), "alyx_server": server, "alyx_synced_at": "2026-11-19T10:00:00+00:00"}
    return {key: value for key, value in {**saved, **changed}.items() if value is not ...}


def listing(*subjects: RemoteSubject, looked_up: tuple[RemoteSubject, ...] = ()) -> RemoteSnapshot:
    return RemoteSnapshot(SERVER, "jose", subjects, looked_up)
