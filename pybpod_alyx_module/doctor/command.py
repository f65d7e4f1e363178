"""``pybpod-alyx doctor``: what may be wrong on this computer, on the command line; without Qt and without a display."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING

from alyx_connector.cli.main import FAILED, INTERRUPTED, OK
from alyx_connector.progress import CancelToken
from pybpod_alyx_module.doctor.examine import Here, examine
from pybpod_alyx_module.doctor.report import as_json, is_well, lines_of, summary
from pybpod_alyx_module.doctor.settings import find_user_settings

if TYPE_CHECKING:
    import argparse
    from collections.abc import Callable

    Say = Callable[[str], None]


def add_doctor_command(commands: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """Add ``doctor`` to the commands.

    ``commands``: of the program's parser.
    """
    doctor = commands.add_parser(
        "doctor",
        help="check PyBpod, settings, servers, outbox and logins",
        description="Check what the plugin needs: PyBpod, user_settings.py, servers, logins, outbox, folders. Run it "
        "in the folder in which PyBpod is started. It changes nothing, and shows no password.",
        epilog="Exit codes: 0 nothing is wrong, 1 something is.",
    )
    doctor.add_argument("--json", action="store_true", help="write the list as JSON")


def run_doctor_command(options: argparse.Namespace, say: Say) -> int:
    """Run the command."""
    _let_settings_count()
    checks, group = [], ""
    try:
        for check in examine(Here(), CancelToken()):
            checks.append(check)
            if options.json:
                continue
            if check.group != group:
                say(f"{'' if not group else chr(10)}{check.group}")
                group = check.group
            for line in lines_of(check):
                say(line)
    except KeyboardInterrupt:
        print("pybpod-alyx doctor: stopped.", file=sys.stderr)
        return INTERRUPTED
    say(as_json(checks) if options.json else f"\n{summary(checks)}")
    return OK if is_well(checks) else FAILED


def _let_settings_count() -> None:
    # as PyBpod's start does, where it is installed
    settings = find_user_settings()
    if not settings.names:
        return
    try:
        from confapp import conf
    except ModuleNotFoundError:
        return
    conf += sys.modules["user_settings"]
