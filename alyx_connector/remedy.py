"""What to do about an error, as data, and in words of Python; command line and windows have words of their own."""

from __future__ import annotations

import json
from dataclasses import dataclass
from enum import Enum
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Callable

__all__ = ["PYTHON_WORDS", "Remedy", "RemedyKind", "filter_in_python", "in_python"]


class RemedyKind(Enum):
    """What kind of step it is, and which fields of the `Remedy` it uses."""

    #: Set up an account that is not set up yet: ``url`` and ``username``, each empty where it is not known.
    SET_UP = "set up"
    #: Log in again as ``username`` at ``url``: the token is missing or was revoked.
    LOG_IN = "log in"
    #: Log in with a password: the server does not accept the token; who asked knows server and user.
    LOG_IN_ANEW = "log in anew"
    #: Answer all the questions of the login in advance, because nobody can be asked.
    LOG_IN_UNASKED = "log in unasked"
    #: Name the server, for example ``url``.
    CHOOSE_SERVER = "choose server"
    #: Name the user at ``url``.
    CHOOSE_USER = "choose user"
    #: Name the server, or make one the default.
    CHOOSE_DEFAULT = "choose default"
    #: Allow ``username`` at ``url`` to write.
    ALLOW_WRITING = "allow writing"
    #: Look at the lists of the server.
    LIST_ENDPOINTS = "list endpoints"
    #: Look at the filters of ``endpoint``.
    LIST_FILTERS = "list filters"
    #: Look at what the filters of ``endpoint`` take.
    LIST_FILTER_VALUES = "list filter values"
    #: Look at the subjects.
    LIST_SUBJECTS = "list subjects"
    #: Use the lookup ``name`` of Alyx's database, with the value ``values[0]``.
    USE_DJANGO = "use django"
    #: Use the filter ``name`` of ``endpoint``.
    USE_FILTER_OF = "use filter of"
    #: Look at the filters that were given, the lookups of Alyx's database first.
    CHECK_FILTERS = "check filters"
    #: Give several values, ``values``, of the filter ``name``.
    GIVE_LIST = "give list"
    #: Give the first and the last day.
    GIVE_DAYS = "give days"
    #: Name the lab.
    ADD_LAB = "add lab"
    #: Search with details.
    FETCH_DETAILS = "fetch details"
    #: Search once while the server can be asked.
    SEARCH_ONLINE = "search online"
    #: Leave it out.
    LEAVE_OUT = "leave out"
    #: Have all details fetched again.
    REFRESH = "refresh"
    #: Have nothing asked of the server.
    STAY_OFFLINE = "stay offline"
    #: Leave out what selects a page: a list is read as a whole.
    LIST_COMPLETELY = "list completely"
    #: Name the record by its id.
    GIVE_RECORD = "give record"
    #: Name the session by its id, or by subject, day and number.
    GIVE_SESSION = "give session"
    #: Ask for what is known of the animal ``values[0]`` elsewhere: today's numbers, weighings, water.
    ASK_SUBJECT = "ask subject"
    #: Say that a doubtful record is meant.
    FORCE = "force"
    #: Send the same rows again: those of ``endpoint`` that arrived are recognized.
    SEND_AGAIN = "send again"
    #: Send the rows that did not arrive: those of ``endpoint`` that did are not recognized.
    SEND_REST = "send rest"
    #: Merge into the JSON ``name`` of a record of ``endpoint``, instead of replacing it.
    MERGE_JSON = "merge json"
    #: Look at the records of ``endpoint``; where ``name`` is given, at those whose ``name`` is ``values[0]``.
    LOOK = "look"
    #: As `LOOK`, before the same is sent again.
    LOOK_BEFORE_SENDING_AGAIN = "look before sending again"


@dataclass(frozen=True)
class Remedy:
    """What to do about an error, or about something that a warning says."""

    #: What kind of step it is.
    kind: RemedyKind
    #: Server; empty where none is meant, or it is not known.
    url: str = ""
    #: User; empty where none is meant, or it is not known.
    username: str = ""
    #: List of Alyx, for example ``sessions``.
    endpoint: str = ""
    #: Name of a filter, a field or a lookup.
    name: str = ""
    #: Values for it.
    values: tuple[str, ...] = ()


def in_python(remedy: Remedy) -> str:
    """Say what to do in calls of Python."""
    return PYTHON_WORDS[remedy.kind](remedy)


def filter_in_python(remedy: Remedy) -> str:
    """Name the filter of a `RemedyKind.USE_DJANGO` or `RemedyKind.USE_FILTER_OF`, in Python."""
    if remedy.kind is RemedyKind.USE_DJANGO:
        return f'django={{"{remedy.name}": "{remedy.values[0]}"}}'
    return f"{remedy.name}= of {remedy.endpoint}"


def _call(function: str, *arguments: str, **named: Any) -> str:
    given = [*arguments, *(f"{name}={_literal(value)}" for name, value in named.items())]
    return f"{function}({', '.join(given)})"


def _literal(value: Any) -> str:
    return json.dumps(value, ensure_ascii=False) if isinstance(value, str) else repr(value)


def _setup(remedy: Remedy) -> str:
    return _call("Connector.setup", url=remedy.url or "…", username=remedy.username or "…")


def _look(remedy: Remedy) -> str:
    searches = {"weighings": "connector.weights", "water-administrations": "connector.water"}
    if remedy.name == "subject" and remedy.endpoint in searches:
        return _call(searches[remedy.endpoint], _literal(remedy.values[0]))
    named = {remedy.name: remedy.values[0]} if remedy.name else {}
    return _call("connector.search", _literal(remedy.endpoint), **named)


#: What each kind is in Python, as a sentence.
PYTHON_WORDS: dict[RemedyKind, Callable[[Remedy], str]] = {
    RemedyKind.SET_UP: lambda remedy: f"Set it up: {_setup(remedy)}.",
    RemedyKind.LOG_IN: lambda remedy: f"Log in again: {_setup(remedy)}.",
    RemedyKind.LOG_IN_ANEW: lambda remedy: "Log in with your password.",
    RemedyKind.LOG_IN_UNASKED: lambda remedy: (
        "Pass everything: "
        'Connector.setup(url="…", username="…", password="…", make_default=True), or token= instead of password=.'
    ),
    RemedyKind.CHOOSE_SERVER: lambda remedy: f"Say which: {_call('Connector', url=remedy.url)}.",
    RemedyKind.CHOOSE_USER: lambda remedy: f"Say which: {_call('Connector', url=remedy.url, username='…')}.",
    RemedyKind.CHOOSE_DEFAULT: lambda remedy: (
        f"Say which: {_call('Connector', url='…')}, or make one the default: "
        f"{_call('Connector.setup', url='…', make_default=True)}."
    ),
    RemedyKind.ALLOW_WRITING: lambda remedy: (
        f"{_call('Connector', url=remedy.url, username=remedy.username, write=True)} writes."
    ),
    RemedyKind.LIST_ENDPOINTS: lambda remedy: "connector.endpoints() lists all of them.",
    RemedyKind.LIST_FILTERS: lambda remedy: (
        f"{_call('connector.filters', _literal(remedy.endpoint))} lists all of them."
    ),
    RemedyKind.LIST_FILTER_VALUES: lambda remedy: (
        f"{_call('connector.filters', _literal(remedy.endpoint))} says what each of them takes."
    ),
    RemedyKind.LIST_SUBJECTS: lambda remedy: 'connector.search("subjects") lists them.',
    RemedyKind.USE_DJANGO: lambda remedy: f"Use {filter_in_python(remedy)}.",
    RemedyKind.USE_FILTER_OF: lambda remedy: f"Use {filter_in_python(remedy)}.",
    RemedyKind.CHECK_FILTERS: lambda remedy: (
        "Check the filters, above all django=; if they are right, tell whoever runs the server."
    ),
    RemedyKind.GIVE_LIST: lambda remedy: f"Give a list: {remedy.name}={list(remedy.values)!r}.",
    RemedyKind.GIVE_DAYS: lambda remedy: (
        'Give the first and the last day, ("2024-01-01", None) has no end; or a month, "2024-01", or a year.'
    ),
    RemedyKind.ADD_LAB: lambda remedy: "Add lab= to tell them apart.",
    RemedyKind.FETCH_DETAILS: lambda remedy: "Leave out details=False.",
    RemedyKind.SEARCH_ONLINE: lambda remedy: "Search once without offline=True, with the same filters.",
    RemedyKind.LEAVE_OUT: lambda remedy: "Leave it out.",
    RemedyKind.REFRESH: lambda remedy: "Use refresh=True, which fetches all details again.",
    RemedyKind.STAY_OFFLINE: lambda remedy: "Use offline=True, which asks nothing of the server, or leave it out.",
    RemedyKind.LIST_COMPLETELY: lambda remedy: "Use page_size, or get() for one page.",
    RemedyKind.GIVE_RECORD: lambda remedy: "Give its id, or its row: sessions.iloc[3].",
    RemedyKind.GIVE_SESSION: lambda remedy: (
        'Give its id, its row (sessions.iloc[3]), or subject, day and number: "ea04/2024-01-01/001".'
    ),
    RemedyKind.ASK_SUBJECT: lambda remedy: (
        f"{_call('connector.subject', _literal(remedy.values[0]))} has reference weight, expected and remaining water "
        f"of now; {_call('connector.weights', _literal(remedy.values[0]))} and "
        f"{_call('connector.water', _literal(remedy.values[0]))} have what was measured and given."
    ),
    RemedyKind.FORCE: lambda remedy: "If it is right, add force=True.",
    RemedyKind.SEND_AGAIN: lambda remedy: (
        "Mend what is wrong, then call create_many again with the same rows: what arrived is not made a second time. "
        "error.outcomes says what became of each row."
    ),
    RemedyKind.SEND_REST: lambda remedy: (
        "error.outcomes says what became of each row: mend what is wrong, then call create_many again with those that "
        "were not sent, and look for the one that may be made."
    ),
    RemedyKind.MERGE_JSON: lambda remedy: (
        f"Use {_call('update_json', _literal(remedy.endpoint), 'id', '{…}', field=remedy.name)}, which merges."
    ),
    RemedyKind.LOOK: lambda remedy: f"Look at it: {_look(remedy)}.",
    RemedyKind.LOOK_BEFORE_SENDING_AGAIN: lambda remedy: (
        f"It may have been stored all the same. Look before you send it again: {_look(remedy)}."
    ),
}
