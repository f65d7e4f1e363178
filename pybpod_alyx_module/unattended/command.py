"""``pybpod-alyx sync``: what *Get Subjects* does, on the command line and for a rig's night job."""

from __future__ import annotations

import argparse
import contextlib
import json
import os
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from alyx_connector.cli.main import FAILED, INTERRUPTED, OK, USAGE, exit_code
from alyx_connector.cli.words import hint_of
from alyx_connector.errors import AlyxError
from alyx_connector.frames.text import visible
from alyx_connector.progress import CancelToken
from pybpod_alyx_module.gui.sync.summary import summary
from pybpod_alyx_module.sync.apply import Result
from pybpod_alyx_module.sync.details import MISSING
from pybpod_alyx_module.sync.plan import Action, SyncPlan
from pybpod_alyx_module.sync.scope import Scope
from pybpod_alyx_module.unattended.pybpod import UnattendedPyBpod, read_user_settings
from pybpod_alyx_module.unattended.sync import UnattendedSync, log_in, refuse_if_open

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from alyx_connector.http.client import AlyxClient

    Say = Callable[[str], None]

#: Exit codes beside those of alyx-connector: the project changed, or would have; the plan holds conflicts.
CHANGED, CONFLICTS = 10, 11

#: What changes a project so that a person would notice.
_CHANGES: Final = (Action.ADD, Action.MERGE, Action.OVERRIDE, Action.REMOVE)

_EPILOG: Final = (
    "Exit codes: 0 all was up to date, 10 the project changed (with --dry-run: would change), 11 the plan holds "
    "conflicts, 1 failed, 2 wrong usage, 3 login, 4 server unreachable. After 1 to 4 the project is as it was."
)


def add_sync_command(commands: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """Add ``sync`` to the commands.

    ``commands``: of the program's parser.
    """
    sync = commands.add_parser(
        "sync",
        help="bring the subjects of a PyBpod project up to date, without a window",
        description="Bring the subjects of a PyBpod project that is not open up to date with Alyx, and save it.",
        epilog=_EPILOG,
    )
    sync.add_argument("project", type=Path, metavar="PROJECT", help="the project's folder")
    sync.add_argument("--dry-run", action="store_true", help="only show what it would do")
    policy = sync.add_mutually_exclusive_group()
    for action, what in (
        (Action.OVERRIDE, "subjects that differ take all details from Alyx, also a new name"),
        (Action.MERGE, "subjects that differ take from Alyx only what they lack"),
        (Action.KEEP, "subjects that differ stay as they are (default)"),
    ):
        policy.add_argument(f"--{action.value}", dest="policy", action="store_const", const=action, help=what)
    sync.set_defaults(policy=Action.KEEP)
    sync.add_argument(
        "--scope",
        type=_scope,
        metavar="SCOPE",
        help="mine, handled, known, lab=NAME or project=NAME (an Alyx project); default: as chosen in the Sync window, "
        "where nobody is added of a scope of which you choose whom to add",
    )
    sync.add_argument("--yes", action="store_true", help="do not ask before the project is changed")
    sync.add_argument("--json", action="store_true", help="write the whole plan and its results as JSON")
    sync.add_argument("--url", default="", help="server (default: that of user_settings.py, else the last one)")
    sync.add_argument("--user", default="", help="user on Alyx (default: that of user_settings.py, else the last one)")


def run_sync_command(options: argparse.Namespace, say: Say) -> int:
    """Run the command."""
    try:
        with contextlib.redirect_stdout(sys.stderr):  # PyBpod prints
            return _Command(options, say).run()
    except AlyxError as error:
        _complain(error.message, hint_of(error))
        return exit_code(error)
    except KeyboardInterrupt:
        _complain("Stopped.")
        return INTERRUPTED
    except Exception as error:  # noqa: BLE001 - of PyBpod, for example a damaged project
        _complain(
            f"{options.project}: {type(error).__name__}: {error}", "Open the project in PyBpod, which shows more."
        )
        return FAILED


def _scope(text: str) -> Scope:
    kind, _, name = text.partition("=")
    scope = Scope.of({"kind": kind, "name": name})
    if (scope.kind.value, scope.name) != (kind, name):
        raise argparse.ArgumentTypeError(f"{text!r} is not mine, handled, known, lab=NAME or project=NAME")
    return scope


class _Command:
    def __init__(self, options: argparse.Namespace, say: Say) -> None:
        self.options = options
        self.say = say
        self.folder: Path = Path(os.path.abspath(options.project))

    def run(self) -> int:
        if not (self.folder / f"{self.folder.name}.json").is_file():
            _complain(f"{self.folder} is not the folder of a PyBpod project: {self.folder.name}.json is not in it.")
            return USAGE
        refuse_if_open(self.folder)
        cancel = CancelToken()
        read_user_settings()
        client = log_in(self.options.url, self.options.user, cancel)
        pybpod = UnattendedPyBpod(_complain)
        project = pybpod.open_project(self.folder)
        sync = UnattendedSync(project, self.folder)
        try:
            refuse_if_open(self.folder, project.alyx_open_mark)
            plan = sync.plan(client, self.options.scope, self.options.policy, cancel)
            return self._go_on(sync, plan, client)
        finally:
            sync.close()
            client.close()

    def _go_on(self, sync: UnattendedSync, plan: SyncPlan, client: AlyxClient) -> int:
        expected = tuple(Result(entry, applied=True) for entry in plan.entries)
        if self.options.dry_run:
            self._show(expected, plan, client, saved=False)
            return exit_code_of(expected)
        if _changes(expected) and not self.options.yes:
            if not sys.stdin.isatty():
                _complain(f"{_words(expected)}\n\nNothing was changed: nobody can be asked here.", "Give --yes.")
                return USAGE
            _complain(f"{_words(expected)}\n\nChange the project {self.folder.name} so? [y/N]")
            if input().strip().lower() not in {"y", "yes"}:
                _complain("Nothing was changed.")
                return OK
        results = sync.carry_out(plan, client.username or "")
        self._show(results, plan, client, saved=True)
        return exit_code_of(results)

    def _show(self, results: Sequence[Result], plan: SyncPlan, client: AlyxClient, *, saved: bool) -> None:
        if not self.options.json:
            head = "" if saved else "Nothing was changed. A sync would do this: "
            self.say("\n".join(map(visible, f"{head}{_words(results)}".splitlines())))
            return
        shown = {
            "project": str(self.folder),
            "server": plan.server,
            "user": client.username,
            "saved": saved,
            "entries": [_entry(result) for result in results],
        }
        self.say(json.dumps(shown, ensure_ascii=False, indent=2))


def _entry(result: Result) -> dict[str, Any]:
    entry = result.entry
    differences = []
    for found in entry.differences:
        local = {} if found.local is MISSING else {"project": found.local}
        differences.append({"field": found.field, **local, "alyx": found.remote})
    return {
        "name": entry.name,
        "alyx_id": entry.remote.alyx_id if entry.remote is not None else entry.local and entry.local.alyx_id,
        "action": entry.action.value,
        "applied": result.applied,
        "why": "; ".join(filter(None, (entry.reason, result.message))),
        "differences": differences,
    }


def _words(results: Sequence[Result]) -> str:
    return summary(results) if results else "There is nothing to sync."


def _changes(results: Sequence[Result]) -> bool:
    return any(result.applied and result.entry.action in _CHANGES for result in results)


def exit_code_of(results: Sequence[Result]) -> int:
    """Return the exit code of a sync that was carried out, or of a plan as if it was."""
    if any(result.entry.action is Action.CONFLICT for result in results):
        return CONFLICTS
    return CHANGED if _changes(results) else OK


def _complain(message: str, hint: str = "") -> None:
    lines = [*f"pybpod-alyx sync: {message}".splitlines(), *([f"  {hint}"] if hint else [])]
    print("\n".join(map(visible, lines)), file=sys.stderr, flush=True)
