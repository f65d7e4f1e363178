"""The command line of the sandbox."""

from __future__ import annotations

import argparse
import os
import re
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING
from zoneinfo import ZoneInfo

from alyx_sandbox.kinds import ALYX, KINDS, Kind

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

DEMO_LAB = ("alyx_sandbox", "demo_lab.json")


@dataclass(frozen=True)
class Options:
    """What the command line asks for."""

    #: 0: any free port.
    port: int
    #: Folder of the database; None: a temporary one, removed at the end.
    data: Path | None
    #: None: the demo lab that is installed with the sandbox.
    lab: Path | None
    #: Processes that answer.
    workers: int
    #: Such as ``550/minute``; None: no throttle.
    throttle: str | None
    #: Seconds that each request takes at least.
    latency: float
    #: Made-up subjects besides those of the lab.
    subjects: int
    #: Made-up sessions besides those of the lab.
    sessions: int
    #: What the sandbox stands in for.
    kind: Kind
    #: The zone of the server's clock; empty: that of the lab file.
    time_zone: str
    #: Stop when standard input ends, which it does when the program that started the sandbox is gone.
    stop_with_stdin: bool


def parse_options(arguments: Sequence[str] | None = None) -> Options:
    """Return what a command line asks for.

    ``arguments``: the words after the program's name; default: those of this process.
    """
    parser = argparse.ArgumentParser(prog="python -m alyx_sandbox", description=__doc__)
    parser.description = "A stand-in Alyx server on this machine, for trying things out."
    parser.add_argument("--port", type=_port, default=8000, help="port on 127.0.0.1; 0: any free one (default: 8000)")
    parser.add_argument(
        "--data",
        type=Path,
        metavar="DIR",
        help="keep the database here, or serve the one that is there (default: a folder removed at the end)",
    )
    parser.add_argument("--lab", type=Path, metavar="FILE", help="the lab to serve (default: the demo lab)")
    parser.add_argument("--workers", type=_count(1), default=1, metavar="N", help="processes (default: 1)")
    parser.add_argument(
        "--throttle",
        type=_throttle,
        default=argparse.SUPPRESS,
        metavar="RATE",
        help=f"requests of a user in a second, minute, hour or day, or off (default: {ALYX.throttle}; Alyx-Local: off)",
    )
    parser.add_argument("--latency", type=_count(0), default=0, metavar="MS", help="ms that a request takes at least")
    parser.add_argument("--subjects", type=_count(0), default=0, metavar="N", help="add N made-up subjects")
    parser.add_argument("--sessions", type=_count(0), default=0, metavar="N", help="add N made-up sessions")
    parser.add_argument(
        "--like", choices=KINDS, default=ALYX.name, help=f"answer as this server (default: {ALYX.name})"
    )
    parser.add_argument(
        "--time-zone",
        type=_time_zone,
        metavar="ZONE",
        help="zone of the server's clock (default: that of the lab file; Alyx-Local: Europe/Paris)",
    )
    parser.add_argument("--stop-with-stdin", action="store_true", help="stop when standard input ends")
    found = parser.parse_args(arguments)
    if found.workers > 1 and os.name != "posix":
        parser.error("--workers: more than one worker is not supported on Windows; leave it out")
    if found.sessions and not found.subjects:
        parser.error("--sessions needs --subjects: made-up sessions belong to made-up subjects")
    kind = KINDS[found.like]
    return Options(
        port=found.port,
        data=found.data,
        lab=found.lab,
        workers=found.workers,
        throttle=getattr(found, "throttle", kind.throttle),
        latency=found.latency / 1000,
        subjects=found.subjects,
        sessions=found.sessions,
        kind=kind,
        time_zone=found.time_zone or kind.time_zone,
        stop_with_stdin=found.stop_with_stdin,
    )


def _count(least: int) -> Callable[[str], int]:
    def count(text: str) -> int:
        if not text.isdecimal() or int(text) < least:
            raise argparse.ArgumentTypeError(f"{text!r} is not a whole number from {least} on")
        return int(text)

    return count


def _port(text: str) -> int:
    if not text.isdecimal() or int(text) > 65535:
        raise argparse.ArgumentTypeError(f"{text!r} is not a port: 0 to 65535")
    return int(text)


def _throttle(text: str) -> str | None:
    if text == "off":
        return None
    if not re.fullmatch(r"[1-9]\d*/(second|minute|hour|day)", text):
        raise argparse.ArgumentTypeError(f"{text!r} is not a rate such as {ALYX.throttle}, nor off")
    return text


def _time_zone(text: str) -> str:
    try:
        ZoneInfo(text)
    except (KeyError, ValueError, OSError) as error:
        raise argparse.ArgumentTypeError(f"{text!r} is not a time zone such as Europe/Lisbon") from error
    return text
