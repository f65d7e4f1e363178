"""What was typed of a new animal, checked before anything is sent. Pure."""

from __future__ import annotations

import datetime as dt
import re
from typing import TYPE_CHECKING, Final

from pybpod_alyx_module.sync.names import fold, unusable

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping

    from alyx_connector.schema.description import Field
    from pybpod_alyx_module.new_subject.server_facts import ServerFacts

#: Fields without which no animal is made, whatever the server asks for.
_ALWAYS: Final = ("nickname", "lab", "responsible_user")
#: A field in the words of a form.
WORDS: Final = {
    "nickname": "nickname",
    "lab": "lab",
    "responsible_user": "responsible user",
    "sex": "sex",
    "birth_date": "birth date",
    "species": "species",
    "strain": "strain",
    "line": "line",
    "source": "source",
    "description": "description",
}


def problems(values: Mapping[str, str], facts: ServerFacts, taken: Collection[str], today: dt.date) -> dict[str, str]:
    """Say what cannot be sent as it was typed.

    Returns: by field; empty where all can.
    ``values``: what was typed, by field; empty where nothing was.
    ``taken``: names of the project's other subjects.
    """
    found = {name: _of_the_server(name, values.get(name, ""), described) for name, described in facts.fields.items()}
    nickname, lab, user = (values.get(name, "") for name in _ALWAYS)
    if nickname:
        found["nickname"] = _unusable(nickname) or _taken(nickname, taken) or found.get("nickname", "")
    if lab and facts.labs and lab not in facts.labs:
        found["lab"] = f"There is no lab {lab} on Alyx: choose one from the list."
    if user and facts.users and user not in facts.users:
        found["responsible_user"] = f"There is no user {user} on Alyx: choose one from the list."
    if birth := values.get("birth_date", ""):
        found["birth_date"] = _not_a_birth(birth, today)
    for name in _ALWAYS:
        if not values.get(name):
            found[name] = f"The {WORDS[name]} is missing."
    return {name: sentence for name, sentence in found.items() if sentence}


def filled(values: Mapping[str, str], facts: ServerFacts) -> dict[str, str]:
    """Return what is sent: what was typed into the fields that the server has."""
    return {name: values[name] for name in facts.fields if values.get(name)}


def _of_the_server(name: str, text: str, described: Field) -> str:
    if not text:
        return f"The {WORDS[name]} is missing." if described.required else ""
    if described.longest and len(text) > described.longest:
        return f"Alyx takes {described.longest} characters at most; these are {len(text)}."
    if not _matches(described.pattern, text):
        refused = sorted({one for one in text if not _matches(described.pattern, one)})
        signs = " ".join("space" if one == " " else one for one in refused)
        return f"Alyx does not take this in a {WORDS[name]}: {signs}" if refused else f"Alyx does not take {text}."
    return ""


def _matches(pattern: str, text: str) -> bool:
    try:
        return not pattern or re.search(pattern, text) is not None
    except re.error:
        return True  # the server judges it


def _unusable(nickname: str) -> str:
    reason = unusable(nickname)
    return f"{reason[:1].upper()}{reason[1:]}." if reason else ""


def _taken(nickname: str, taken: Collection[str]) -> str:
    other = next((name for name in taken if fold(name) == fold(nickname)), "")
    return f"This PyBpod project already has a subject {other}." if other else ""


def _not_a_birth(text: str, today: dt.date) -> str:
    try:
        day = dt.date.fromisoformat(text)
    except ValueError:
        return "Type the birth date as year-month-day, for example 2026-03-01."
    return "The birth date is in the future." if day > today else ""
