"""What to do about an error or a note, in the words of the command line."""

from __future__ import annotations

import shlex
from typing import TYPE_CHECKING

from alyx_connector.remedy import Remedy, RemedyKind

if TYPE_CHECKING:
    from collections.abc import Callable

    from alyx_connector.errors import AlyxError
    from alyx_connector.warning import AlyxWarning

__all__ = ["COMMAND_WORDS", "filter_on_the_command_line", "hint_of", "note_of", "on_the_command_line"]


def hint_of(error: AlyxError) -> str:
    """Say what to do about an error; empty where nothing useful can be said."""
    return on_the_command_line(error.remedy) if error.remedy else error.hint


def note_of(warning: AlyxWarning) -> str:
    """Say what a warning says."""
    remedy = [on_the_command_line(warning.remedy)] if warning.remedy else []
    return " ".join([warning.sentence, *remedy])


def on_the_command_line(remedy: Remedy) -> str:
    """Say what to do in commands and options."""
    return COMMAND_WORDS[remedy.kind](remedy)


def filter_on_the_command_line(remedy: Remedy) -> str:
    """Name the filter of a `RemedyKind.USE_DJANGO` or `RemedyKind.USE_FILTER_OF` as an option."""
    if remedy.kind is RemedyKind.USE_DJANGO:
        return f"--django {shlex.quote(f'{remedy.name},{remedy.values[0]}')}"
    return f"{_option(remedy.name)} of {remedy.endpoint}"


def _option(name: str) -> str:
    return "--" + name.replace("_", "-")


def _login(remedy: Remedy) -> str:
    words = [remedy.url, *(["--user", remedy.username] if remedy.username else [])] if remedy.url else []
    return shlex.join(["alyx-connector", "login", *words])


def _account(remedy: Remedy) -> str:
    return shlex.join(["--url", remedy.url])


def _search(remedy: Remedy) -> str:
    if remedy.name == "id":
        return shlex.join(["alyx-connector", "get", remedy.endpoint, remedy.values[0]])
    words = [_option(remedy.name), remedy.values[0]] if remedy.name else []
    return shlex.join(["alyx-connector", "search", remedy.endpoint, *words])


#: What each kind is on the command line: a sentence, without a full stop after a command, which would be pasted along.
COMMAND_WORDS: dict[RemedyKind, Callable[[Remedy], str]] = {
    RemedyKind.SET_UP: lambda remedy: f"Set it up: {_login(remedy)}",
    RemedyKind.LOG_IN: lambda remedy: f"Log in again: {_login(remedy)}",
    RemedyKind.LOG_IN_ANEW: lambda remedy: f"Log in again: {_login(remedy)}",
    RemedyKind.LOG_IN_UNASKED: lambda remedy: (
        "Pass everything: alyx-connector login URL --user USER --password-stdin < FILE, or --token-stdin."
    ),
    RemedyKind.CHOOSE_SERVER: lambda remedy: f"Say which: {_account(remedy)}",
    RemedyKind.CHOOSE_USER: lambda remedy: f"Say which: {_account(remedy)} --user USER",
    RemedyKind.CHOOSE_DEFAULT: lambda remedy: (
        "Say which: --url URL, or make one the default: alyx-connector login --default"
    ),
    RemedyKind.ALLOW_WRITING: lambda remedy: "This command only reads.",
    RemedyKind.LIST_ENDPOINTS: lambda remedy: "alyx-connector endpoints lists all of them.",
    RemedyKind.LIST_FILTERS: lambda remedy: (
        f"{shlex.join(['alyx-connector', 'filters', remedy.endpoint])} lists all of them."
    ),
    RemedyKind.LIST_FILTER_VALUES: lambda remedy: (
        f"{shlex.join(['alyx-connector', 'filters', remedy.endpoint])} says what each of them takes."
    ),
    RemedyKind.LIST_SUBJECTS: lambda remedy: "alyx-connector search subjects lists them.",
    RemedyKind.USE_DJANGO: lambda remedy: f"Use {filter_on_the_command_line(remedy)}",
    RemedyKind.USE_FILTER_OF: lambda remedy: f"Use {filter_on_the_command_line(remedy)}.",
    RemedyKind.CHECK_FILTERS: lambda remedy: (
        "Check the filters, above all --django; if they are right, tell whoever runs the server."
    ),
    RemedyKind.GIVE_LIST: lambda remedy: (
        "Give " + " ".join(f"{_option(remedy.name)} {shlex.quote(value)}" for value in remedy.values)
    ),
    RemedyKind.GIVE_DAYS: lambda remedy: "Give --since and --until, or one of them: days, months or years.",
    RemedyKind.ADD_LAB: lambda remedy: "Add --lab to tell them apart.",
    RemedyKind.FETCH_DETAILS: lambda remedy: "Leave out --no-details.",
    RemedyKind.SEARCH_ONLINE: lambda remedy: "Search once without --offline, with the same filters.",
    RemedyKind.LEAVE_OUT: lambda remedy: "Leave it out.",
    RemedyKind.REFRESH: lambda remedy: "Use --refresh, which fetches all details again.",
    RemedyKind.STAY_OFFLINE: lambda remedy: "Use --offline, which asks nothing of the server, or leave it out.",
    RemedyKind.LIST_COMPLETELY: lambda remedy: "Leave them out: a list is always read as a whole.",
    RemedyKind.GIVE_RECORD: lambda remedy: "Give its id.",
    RemedyKind.GIVE_SESSION: lambda remedy: "Give its id, or subject, day and number: ea04/2024-01-01/001",
    RemedyKind.ASK_SUBJECT: lambda remedy: f"alyx-connector get subjects {remedy.values[0]} has the numbers of now.",
    RemedyKind.FORCE: lambda remedy: "This command only reads.",
    RemedyKind.SEND_AGAIN: lambda remedy: "This command only reads.",
    RemedyKind.SEND_REST: lambda remedy: "This command only reads.",
    RemedyKind.MERGE_JSON: lambda remedy: "This command only reads.",
    RemedyKind.LOOK: lambda remedy: f"Look at it: {_search(remedy)}",
    RemedyKind.LOOK_BEFORE_SENDING_AGAIN: lambda remedy: (
        f"It may have been stored all the same. Look before you send it again: {_search(remedy)}"
    ),
}
