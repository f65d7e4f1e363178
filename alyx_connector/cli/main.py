"""The command ``alyx-connector``."""

from __future__ import annotations

import argparse
import sys
import warnings
from typing import TYPE_CHECKING, Any, TextIO

from alyx_connector._version import DISTRIBUTION, __version__
from alyx_connector.cli.words import hint_of, note_of
from alyx_connector.errors import AlyxError, ConfigurationError, CredentialsError, PermissionDeniedError, TransportError
from alyx_connector.frames.text import visible
from alyx_connector.warning import AlyxWarning

if TYPE_CHECKING:
    from collections.abc import Sequence

__all__ = ["main"]

PROGRAM = "alyx-connector"
OK, FAILED, USAGE, LOGIN, UNREACHABLE, INTERRUPTED, PIPE_CLOSED = 0, 1, 2, 3, 4, 130, 141
FORMATS = ("table", "csv", "json", "parquet")
_FILTER_HELP = (
    "Every filter of the list is an option: --subject ea04, --task-protocol habituation. Given again it means any of "
    "these. true and false are Python's; json and extended-qc take JSON: --extended-qc '{\"pass\": true}'. A filter "
    "named like an option of this command is written --filter user=jose."
)


def main(arguments: Sequence[str] | None = None) -> int:
    """Run a command.

    Returns: exit code: 0 ok, 1 failed or only a part arrived, 2 wrong usage, 3 login, 4 unreachable, 130 stopped by
    Ctrl-C, 141 the reader of the output went away.
    ``arguments``: the words after the program's name; by default those of the process.
    """
    words = list(sys.argv[1:] if arguments is None else arguments)
    try:
        options = _parser(words).parse_args(words)
        if options.command is None:
            _parser([]).print_help(sys.stderr)
            return USAGE
        from alyx_connector.cli.commands import COMMANDS

        with warnings.catch_warnings():
            warnings.simplefilter("always", AlyxWarning)
            warnings.showwarning = _show_warning
            return FAILED if COMMANDS[options.command](options) else OK
    except BrokenPipeError:
        return PIPE_CLOSED
    except KeyboardInterrupt as stopped:
        _complain(str(stopped) or "Stopped.")
        return INTERRUPTED
    except AlyxError as error:
        _complain(error.message, hint_of(error))
        return exit_code(error)


def exit_code(error: AlyxError) -> int:
    """Return the exit code of an error."""
    if isinstance(error, ConfigurationError):
        return USAGE
    if isinstance(error, CredentialsError) and not isinstance(error, PermissionDeniedError):
        return LOGIN
    return UNREACHABLE if isinstance(error, TransportError) else FAILED


def _complain(message: str, hint: str = "") -> None:
    lines = [f"{PROGRAM}: {message}", *([f"  {hint}"] if hint else [])]
    _to_stderr("\n".join(visible(line) for line in lines))


def _show_warning(
    message: Warning | str,
    category: type[Warning],
    filename: str,
    lineno: int,
    file: TextIO | None = None,
    line: str | None = None,
) -> None:
    if isinstance(message, AlyxWarning):
        _to_stderr(visible(f"Note: {note_of(message)}"))


def _to_stderr(text: str) -> None:
    if sys.stderr is not None:
        print(text, file=sys.stderr, flush=True)


def _parser(words: Sequence[str]) -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog=PROGRAM, description="Alyx on the command line.", allow_abbrev=False)
    parser.add_argument("--version", action="version", version=f"%(prog)s {__version__} ({DISTRIBUTION})")
    commands = parser.add_subparsers(dest="command", title="commands", metavar="COMMAND")

    login = commands.add_parser("login", help="log in to a server and keep the account", allow_abbrev=False)
    login.description = "Log in to a server. Asks for what is not given; the token is kept, the password is not."
    login.add_argument("url", nargs="?", metavar="URL", help="server, for example alyx.mylab.org")
    login.add_argument("--user", help="user on Alyx")
    secret = login.add_mutually_exclusive_group()
    secret.add_argument("--password-stdin", action="store_true", help="read the password from standard input")
    secret.add_argument("--token-stdin", action="store_true", help="read a token from standard input instead")
    login.add_argument(
        "--default",
        action=argparse.BooleanOptionalAction,
        help="whether this server and user are meant where none are named",
    )

    logout = commands.add_parser("logout", help="remove an account from this computer", allow_abbrev=False)
    _add_account(logout)

    accounts = commands.add_parser("accounts", help="list the accounts that are set up", allow_abbrev=False)
    _add_output(accounts)

    search = commands.add_parser(
        "search",
        help="list sessions, subjects, … that match filters",
        description="List the records that match every filter.",
        usage="%(prog)s [ENDPOINT] [--FILTER VALUE ...] [options]",
        epilog=_FILTER_HELP,
        allow_abbrev=False,
    )
    search.add_argument("endpoint", nargs="?", default="sessions", metavar="ENDPOINT", help="what (default: sessions)")
    search.add_argument("--since", metavar="DAY", help="from this day on: 2024-01-31")
    search.add_argument("--until", metavar="DAY", help="up to this day, included")
    search.add_argument("--filter", dest="pairs", action="append", default=[], metavar="NAME=VALUE", help="a filter")
    search.add_argument(
        "--details",
        action=argparse.BooleanOptionalAction,
        help="whether to fetch what the list does not tell (default: of sessions, which takes longer)",
    )
    search.add_argument("--limit", type=_rows, metavar="N", help="the first N rows; of sessions the newest")
    search.add_argument("--partial", action="store_true", help="Ctrl-C during the details shows what has arrived")
    search.add_argument(
        "--expand", action="append", default=[], metavar="FIELD", help="json or extended_qc: nested values as columns"
    )
    _add_output(search)
    _add_source(search)
    if words[:1] == ["search"]:
        _add_filters(search, words[1:])

    get = commands.add_parser("get", help="one whole record", allow_abbrev=False)
    get.description = "Show one record with all of its fields."
    get.add_argument("endpoint", metavar="ENDPOINT", help="for example sessions")
    get.add_argument("id", metavar="ID", help="its id, or its name where the server knows it by name")
    get.add_argument("--format", choices=("table", "json"), default="table", help="(default: table)")
    _add_source(get)

    endpoints = commands.add_parser("endpoints", help="list what can be searched", allow_abbrev=False)
    _add_output(endpoints)
    _add_account(endpoints)

    filters = commands.add_parser("filters", help="list the filters of a list", allow_abbrev=False)
    filters.add_argument("endpoint", nargs="?", default="sessions", metavar="ENDPOINT", help="(default: sessions)")
    _add_output(filters)
    _add_account(filters)
    return parser


def _rows(text: str) -> int:
    if not text.isdecimal() or int(text) < 1:
        raise argparse.ArgumentTypeError(f"{text!r} is not a whole number from 1")
    return int(text)


def _add_account(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--url", help="server (default: the default one)")
    parser.add_argument("--user", help="user (default: the default one of the server)")


def _add_source(parser: argparse.ArgumentParser) -> None:
    _add_account(parser)
    fresh = parser.add_mutually_exclusive_group()
    fresh.add_argument("--refresh", action="store_true", help="fetch all details again")
    fresh.add_argument("--offline", action="store_true", help="the last known rows; asks no server")


def _add_output(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "--format", choices=FORMATS, help="(default: what the name of the output file ends with, else table)"
    )
    parser.add_argument("--output", metavar="FILE", help="write to this file, whole or not at all")
    parser.add_argument("--columns", metavar="A,B,C", help="the columns to show, in order; all for all of them")


class _Filter(argparse.Action):
    """Collects the values of one filter."""

    def __call__(
        self,
        parser: argparse.ArgumentParser,
        options: argparse.Namespace,
        value: Any,
        option: str | None = None,
    ) -> None:
        """Add a value."""
        options.filters.setdefault(self.dest, []).append(value)


def _add_filters(search: argparse.ArgumentParser, words: Sequence[str]) -> None:
    # Which filters there are only the server knows: every other option is one.
    search.set_defaults(filters={})
    for word in words:
        if word == "--":
            break
        option = word.partition("=")[0]
        name = option.removeprefix("--").replace("-", "_")
        if option.startswith("--") and name.isidentifier():
            try:
                search.add_argument(
                    option, dest=name, action=_Filter, default=argparse.SUPPRESS, help=argparse.SUPPRESS
                )
            except argparse.ArgumentError:
                continue  # an option of our own, or the same filter once more
