"""Alyx's fields and their values in words, for the windows. No Qt."""

from __future__ import annotations

import html
import json
import re
from datetime import datetime, timedelta, timezone
from typing import TYPE_CHECKING, Any, Final

from pybpod_alyx_module.sync.details import MISSING

if TYPE_CHECKING:
    from collections.abc import Callable

    from pybpod_alyx_module.sync.plan import Difference

#: What the windows call a field: the words of the predecessor's window, with units.
LABELS: Final[dict[str, str]] = {
    "nickname": "Nickname",
    "alyx_id": "ID",
    "responsible_user": "Responsible user",
    "birth_date": "Birth date",
    "age_weeks": "Age (weeks)",
    "death_date": "Death date",
    "species": "Species",
    "sex": "Sex",
    "litter": "Litter",
    "strain": "Strain",
    "source": "Source",
    "line": "Line",
    "projects": "Projects",
    "lab": "Lab",
    "genotype": "Genotype",
    "description": "Description",
    "alive": "Alive",
    "json": "JSON",
    "reference_weight": "Reference weight (g)",
    "last_water_restriction": "Last water restriction",
    "expected_water": "Expected water (mL)",
    "remaining_water": "Remaining water (mL)",
    "url": "Address on Alyx",
    "session_projects": "Projects of its sessions",
}

#: Between the lines of a text that has to fit on one.
NEW_LINE: Final = " ⏎ "

#: Characters of a value that a window shows; laying out hundreds of thousands without a space takes Qt seconds.
LONGEST_VALUE: Final = 5_000

#: Characters of a value or a reason that a cell of a table holds; the window cuts it to the column's width.
LONGEST_CELL: Final = 500

#: Characters of a name that a button shows in full.
LONGEST_ON_BUTTON: Final = 24

#: Characters of a word, such as an address, that a message repeats in full.
LONGEST_WORD: Final = 300


def label(field: str) -> str:
    """Return what the windows call a field."""
    return LABELS.get(field, field)


def is_blank(value: Any) -> bool:
    """Tell whether a value has no text of its own, so that `words` speaks about it.

    Returns: True for missing, null, and empty texts, lists and objects; False for ``0`` and ``False``.
    ``value``: JSON value or ``MISSING``.
    """
    return value is MISSING or value is None or (isinstance(value, str | list | dict) and not value)


def words(value: Any, *, indent: int | None = 2) -> str:
    """Return a value as a person reads it, in full.

    Returns: texts as they are, lists of texts with commas, yes and no, other values as JSON; *(missing)*, *(none)*
    and *(empty)* for what has no text: three different things.
    ``value``: JSON value or ``MISSING``.
    ``indent``: how far to indent the parts of an object, in characters; None writes it on one line.
    """
    if value is MISSING:
        return "(missing)"
    if value is None:
        return "(none)"
    if is_blank(value):
        return "(empty)"
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, str):
        return value
    if isinstance(value, list) and all(isinstance(item, str) for item in value):
        return ", ".join(value)
    return json.dumps(value, ensure_ascii=False, indent=indent)


def one_line(text: str) -> str:
    """Return a text for a cell of a table."""
    return NEW_LINE.join(line.strip() for line in text.splitlines()) if text.strip() else text


def cell(text: str) -> str:
    """Return as much of a text as a cell of a table takes."""
    line = one_line(text)
    return line if len(line) <= LONGEST_CELL else f"{line[:LONGEST_CELL]}…"


def html_tip(text: str) -> str:
    """Return a tooltip that shows a text as it is, its long lines broken."""
    return f"<qt><p style='white-space:pre-wrap'>{html.escape(text)}</p></qt>"


def plain_tip(text: str) -> str:
    """Return a tooltip that shows a text as it is: Qt takes one that looks like HTML for HTML, pictures and all."""
    return html_tip(text) if "<" in text else text


def excerpt(text: str, how: str) -> str:
    """Return as much of a value as a window shows.

    ``how``: how to get at the whole of it, to go after a semicolon.
    """
    if len(text) <= LONGEST_VALUE:
        return text
    return f"{text[:LONGEST_VALUE]}… ({len(text)} characters in all; {how})"


def word_filter(typed: str) -> Callable[[str], bool]:
    """Return what tells whether a text has each of the words that were typed into a filter, in capitals or not."""
    words = typed.casefold().split()
    return lambda text: all(word in text.casefold() for word in words)


def short_name(name: str) -> str:
    """Return as much of a name as a button shows."""
    return name if len(name) <= LONGEST_ON_BUTTON else f"{name[: LONGEST_ON_BUTTON // 2]}…{name[-10:]}"


def without_long_words(text: str) -> str:
    """Return a message whose very long words are cut."""
    return re.sub(rf"\S{{{LONGEST_WORD + 1},}}", lambda word: f"{word[0][:100]}… ({len(word[0])} characters)", text)


def brief(text: str) -> str:
    """Return as much of an error's sentence as people read: it may repeat what was typed.

    Returns: the text without very long words, with its middle left out where it is very long all the same.
    """
    text = without_long_words(text)
    return text if len(text) <= LONGEST_CELL * 2 else f"{text[:LONGEST_CELL]} … {text[-LONGEST_CELL:]}"


def says_nothing(difference: Difference) -> bool:
    """Tell whether a difference is only that the project lacks a field that has no value on Alyx either.

    ``difference``: one field in which the project and Alyx differ.
    """
    return difference.local is MISSING and difference.remote is None


def change(difference: Difference) -> str:
    """Say what happened to a field, and what a merge does with it.

    ``difference``: one field in which the project and Alyx differ.
    """
    here, there = not _absent(difference.local), not _absent(difference.remote)
    if difference.field == "nickname":
        what = "renamed on Alyx"
    elif here and there:
        what = "changed"
    elif there:
        what = "added on Alyx"
    elif here:
        what = "value removed on Alyx"
    else:
        what = "new, without a value"
    return f"{what}; Merge fills it in" if difference.fillable else f"{what}; Merge keeps the project's"


def _absent(value: Any) -> bool:
    return value is MISSING or value is None


def when(timestamp: Any, now: datetime | None = None) -> str | None:
    """Say when something was, in local time and as an age.

    Returns: for example ``"2026-11-20 11:21 (3 hours ago)"``, None if there is no such time.
    ``timestamp``: ISO 8601 time with an offset, as a sync writes it.
    ``now``: the moment to count from, with a time zone; the present by default.
    """
    try:
        moment = datetime.fromisoformat(timestamp)
        age = (now or datetime.now(timezone.utc)) - moment
        return f"{moment.astimezone():%Y-%m-%d %H:%M} ({_age(age)})"
    except (TypeError, ValueError, OverflowError, OSError):
        return None


def _age(age: timedelta) -> str:
    minutes = int(age.total_seconds() // 60)
    if minutes < -1:
        return "in the future: this computer's clock may be wrong"
    if minutes < 1:
        return "just now"
    for unit, size in (("day", 24 * 60), ("hour", 60), ("minute", 1)):
        if minutes >= size:
            count = minutes // size
            return f"{count} {unit}{'' if count == 1 else 's'} ago"
    raise AssertionError(minutes)  # the loop ends with minutes
