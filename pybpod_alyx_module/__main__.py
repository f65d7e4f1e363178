"""The command ``pybpod-alyx``."""

from __future__ import annotations

import argparse
import contextlib
import os
import sys
from pathlib import Path
from typing import TYPE_CHECKING

from alyx_connector._version import DISTRIBUTION, __version__
from alyx_connector.errors import AlyxError
from pybpod_alyx_module.doctor.command import add_doctor_command, run_doctor_command
from pybpod_alyx_module.outbox_commands import add_outbox_commands, run_outbox_command
from pybpod_alyx_module.unattended.command import add_sync_command, run_sync_command

if TYPE_CHECKING:
    from collections.abc import Sequence

OK, FAILED, USAGE = 0, 1, 2


def main(arguments: Sequence[str] | None = None) -> int:
    """Run a command.

    ``arguments``: the words after the program's name; by default those of the process.
    """
    parser = argparse.ArgumentParser(prog="pybpod-alyx", description="Alyx in PyBpod.")
    parser.add_argument("--version", action="version", version=f"%(prog)s {__version__} ({DISTRIBUTION})")
    commands = parser.add_subparsers(dest="command", title="commands")
    demo = commands.add_parser(
        "demo",
        help="see the subjects of a demo lab arrive in PyBpod",
        description="Start a sandbox Alyx server, a scratch project and PyBpod with the plugin, pointed at it.",
    )
    demo.add_argument("--offscreen", action="store_true", help="press the buttons itself and write screenshots")
    demo.add_argument(
        "--output", type=Path, metavar="DIR", help="folder for the screenshots (default: a temporary one)"
    )
    add_outbox_commands(commands)
    add_sync_command(commands)
    add_doctor_command(commands)
    options = parser.parse_args(arguments)
    if options.command is None:
        parser.print_help(sys.stderr)
        return USAGE
    if options.command == "outbox":
        return run_outbox_command(options, lambda line: print(line, flush=True))
    output = sys.stdout  # PyBpod, or user_settings.py, may print, and must not print into it
    if options.command == "sync":
        return run_sync_command(options, lambda text: print(text, file=output, flush=True))
    if options.command == "doctor":
        with contextlib.redirect_stdout(sys.stderr):
            return run_doctor_command(options, lambda text: print(text, file=output, flush=True))
    return _demo(options)


def _demo(options: argparse.Namespace) -> int:
    from pybpod_alyx_module.demo.launch import has_display, missing_parts, run_demo

    missing = missing_parts()
    if missing:
        print("The demo needs what is not installed here:", *missing, sep="\n  ", file=sys.stderr)
        return FAILED
    offscreen = options.offscreen or not has_display(os.environ, sys.platform)
    try:
        return run_demo(offscreen=offscreen, output=options.output, say=lambda line: print(line, flush=True))
    except (AlyxError, OSError, RuntimeError, LookupError) as error:
        print(f"pybpod-alyx demo: {error}", file=sys.stderr)
        return FAILED
    except KeyboardInterrupt:
        return OK


if __name__ == "__main__":
    sys.exit(main())
