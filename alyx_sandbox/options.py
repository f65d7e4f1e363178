"""The command line of the sandbox."""

from __future__ import annotations

import argparse
import os
import re
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

#: The throttle of Alyx.
DEFAULT_THROTTLE = "550/minute"
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
    #: ``/`` as Alyx serves, ``/api/`` as Alyx-Local.
    api_root: str
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
        default=DEFAULT_THROTTLE,
        metavar="RATE",
        help=f"requests of a user in a second, minute, hour or day, or off (default: {DEFAULT_THROTTLE})",
    )
    parser.add_argument("--latency", type=_count(0), default=0, metavar="MS", help="ms that a request takes at least")
    parser.add_argument("--subjects", type=_count(0), default=0, metavar="N", help="add N made-up subjects")
    parser.add_argument("--sessions", type=_count(0), default=0, metavar="N", help="add N made-up sessions")
    parser.add_argument(
        "--api-root", type=_root, default="/", metavar="PATH", help="/api/ serves as Alyx-Local does (default: /)"
    )
    parser.add_argument("--stop-with-stdin", action="store_true", help="stop when standard input ends")
    found = parser.parse_args(arguments)
    if found.workers > 1 and os.name != "posix":
        parser.error("--workers: more than one worker is not supported on Windows; leave it out")
    if found.sessions and not found.subjects:
        parser.error("--sessions needs --subjects: made-up sessions belong to made-up subjects")
    return Options(
        port=found.port,
        data=found.data,
        lab=found.lab,
        workers=found.workers,
        throttle=found.throttle,
        latency=found.latency / 1000,
        subjects=found.subjects,
        sessions=found.sessions,
        api_root=found.api_root,
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
        raise argparse.ArgumentTypeError(f"{text!r} is not a rate such as {DEFAULT_THROTTLE}, nor off")
    return text


def _root(text: str) -> str:
    if not re.fullmatch(r"/(?:[\w-]+/)*", text):
        raise argparse.ArgumentTypeError(f"{text!r} is not a path such as /api/ with a slash at both ends")
    return text
