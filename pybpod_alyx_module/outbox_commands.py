"""``pybpod-alyx outbox``: what waits to be written to Alyx, on the command line."""

from __future__ import annotations

import json
import sys
from typing import TYPE_CHECKING

from alyx_connector.errors import AlyxError
from alyx_connector.frames.text import visible
from pybpod_alyx_module.outbox.export import write_csv
from pybpod_alyx_module.outbox.items import OPEN, State, WaitsFor
from pybpod_alyx_module.outbox.outbox import Outbox
from pybpod_alyx_module.outbox.words import count_words, describe, state_words, why

if TYPE_CHECKING:
    import argparse
    from collections.abc import Callable

    from pybpod_alyx_module.outbox.items import Item

    Say = Callable[[str], None]

OK, FAILED, USAGE = 0, 1, 2


def add_outbox_commands(commands: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """Add ``outbox list | retry | export`` to the commands.

    ``commands``: of the program's parser.
    """
    outbox = commands.add_parser(
        "outbox",
        help="what this machine still has to write to Alyx",
        description="Sessions, weights and water on their way to Alyx. An open PyBpod sends them, not these commands.",
    )
    actions = outbox.add_subparsers(dest="action", title="commands", required=True)
    listed = actions.add_parser("list", help="show what still has to reach Alyx")
    listed.add_argument("--all", action="store_true", help="also what has been sent or discarded")
    retry = actions.add_parser("retry", help="have an item sent again for which action is needed")
    which = retry.add_mutually_exclusive_group(required=True)
    which.add_argument("key", nargs="?", metavar="KEY", help="its key, or the beginning of it, from the list")
    which.add_argument("--all", action="store_true", help="all items for which action is needed")
    export = actions.add_parser("export", help="write all items, also the sent ones, as CSV")
    export.add_argument("file", metavar="FILE", help="the file to write, which it replaces; - for standard output")


def run_outbox_command(options: argparse.Namespace, say: Say) -> int:
    """Run one of the commands."""
    outbox: Outbox | None = None
    try:
        outbox = Outbox()
        for note in outbox.notes:
            print(f"pybpod-alyx outbox: {note}", file=sys.stderr)
        if options.action == "list":
            return _list(outbox, options.all, say)
        if options.action == "retry":
            return _retry(outbox, None if options.all else options.key, say)
        return _export(outbox, options.file, say)
    except AlyxError as error:
        print(f"pybpod-alyx outbox {options.action}: {error}", file=sys.stderr)
        return FAILED
    finally:
        if outbox is not None:
            outbox.close()


def _list(outbox: Outbox, everything: bool, say: Say) -> int:
    items = outbox.settled_items(None if everything else OPEN)
    for item in items:
        say("\t".join(visible(text) for text in _line(item)))
    if sys.stdout.isatty():
        number = sum(item.state in OPEN for item in items)
        needing = sum(item.needs_person for item in items)
        say(f"{count_words(number - needing, needing) or 'Nothing waits'} ({outbox.path})")
    return OK


def _line(item: Item) -> tuple[str, ...]:
    recorded = item.created.astimezone().strftime("%Y-%m-%d %H:%M")
    return (item.key, state_words(item), recorded, describe(item), item.username, item.server, why(item))


def _retry(outbox: Outbox, key: str | None, say: Say) -> int:
    if key is None:
        chosen = list(outbox.items((State.PARKED,)))
    else:
        chosen = [item for item in outbox.items() if item.key.startswith(key.lower())] if key else []
        if len(chosen) != 1:
            found = "no item has that key" if not chosen else f"{len(chosen)} items have keys that begin with it"
            print(f"pybpod-alyx outbox retry {key}: {found}; see pybpod-alyx outbox list --all", file=sys.stderr)
            return USAGE
    for item in chosen:
        if outbox.retry(item.key).waits_for is WaitsFor.USER:
            say(f"{describe(item)}: press Retry in the Alyx outbox of PyBpod, which asks who recorded it.")
            continue
        say(f"{describe(item)}: an open PyBpod that is connected to {item.server} as {item.username} will send it.")
    if not chosen:
        say("There is nothing to retry.")
    return OK


def _export(outbox: Outbox, name: str, say: Say) -> int:
    if name == "-":
        write_csv(outbox.settled_items(), sys.stdout)
        return OK
    say(f"{outbox.export(name)} items written to {json.dumps(name, ensure_ascii=False)}.")
    return OK
