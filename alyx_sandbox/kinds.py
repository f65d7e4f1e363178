"""The kinds of server that the sandbox can stand in for."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Final


@dataclass(frozen=True)
class Kind:
    """In what a server differs before its first request; all else is in the routes that `urls` names."""

    #: As `--like` calls it.
    name: str
    #: What it is called in a sentence.
    title: str
    #: Where its API is below its address.
    root: str
    #: The module of its routes.
    urls: str
    #: The packages with its tables, besides those of Alyx.
    apps: tuple[str, ...]
    #: Whether it keeps the offsets of times: else times are those of the server's clock.
    keeps_offsets: bool
    #: The zone of the server's clock; empty: that of the lab file.
    time_zone: str
    #: Such as ``550/minute``; None: no throttle.
    throttle: str | None
    #: The most rows that a page can have; None: as many as are asked for.
    page_limit: int | None
    #: The function that completes a lab, which it is given, after it was stored; empty: none.
    completes_lab: str
    #: How its schema is made.
    schema: dict[str, Any]
    #: Whether a person with a browser gets pages from it.
    renders_pages: bool


ALYX: Final = Kind(
    name="alyx",
    title="Alyx",
    root="/",
    urls="alyx_sandbox.urls",
    apps=(),
    keeps_offsets=False,
    time_zone="",
    throttle="550/minute",
    page_limit=1000,
    completes_lab="",
    schema={},
    renders_pages=True,
)
ALYX_LOCAL: Final = Kind(
    name="alyx-local",
    title="Alyx-Local",
    root="/api/",
    urls="alyx_sandbox.alyx_local.urls",
    apps=("alyx_sandbox.alyx_local",),
    keeps_offsets=True,
    time_zone="Europe/Paris",
    throttle=None,
    page_limit=None,
    completes_lab="alyx_sandbox.alyx_local.lab.complete",
    schema={
        "TITLE": "alyx-api",
        "DESCRIPTION": "Alyx neurophysiological database",
        "VERSION": "1.0.0",
        "SCHEMA_PATH_PREFIX": "/api",
        "SERVE_INCLUDE_SCHEMA": False,
    },
    renders_pages=False,
)
KINDS: Final = {kind.name: kind for kind in (ALYX, ALYX_LOCAL)}
