"""Where the sandbox answers otherwise than a real Alyx holding the same lab, and why it may."""

from __future__ import annotations

import re
from typing import Final, NamedTuple


class Difference(NamedTuple):
    """Requests that the two answer otherwise, for one reason; ``*`` stands for anything."""

    reason: str
    requests: tuple[str, ...]


DIFFERENCES: Final[tuple[Difference, ...]] = (
    Difference(
        "Alyx lets everybody who is logged in ask whose stored password begins how: the sandbox does not",
        ("GET /users?password=*",),
    ),
    Difference(
        "null where the database wants a text: Alyx fails, with the words of PostgreSQL; the sandbox refuses it",
        ('PATCH /datasets/{dataset} {"collection": null}',),
    ),
)


def patterns() -> list[str]:
    """Return all requests of `DIFFERENCES`."""
    return [pattern for one in DIFFERENCES for pattern in one.requests]


def fitting(pattern: str, requests: set[str]) -> set[str]:
    """Return those of some requests that a pattern stands for."""
    return {one for one in requests if re.fullmatch(re.escape(pattern).replace(r"\*", ".*"), one)}
