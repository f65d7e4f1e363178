"""Makes what a protocol's variables hold fit for a JSON column of PostgreSQL."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any, Final

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping

#: How much of a text, a list or a set of variables is kept.
LONGEST_TEXT: Final = 1000
MOST_ITEMS: Final = 200
DEEPEST: Final = 5

#: Beyond this, programs that read JSON round whole numbers.
_LARGEST_WHOLE: Final = 2**53


def clean_text(text: str, longest: int | None = None) -> str:
    """Take out what PostgreSQL refuses in a text: NUL, and halves of surrogate pairs.

    Parameters
    ----------
    text : str
        Any text.
    longest : int, optional
        How many characters to keep; None for all.

    Returns
    -------
    str
        The text, each refused character replaced by U+FFFD; where it was cut, it says how long it was.
    """
    if longest is not None and len(text) > longest:
        text = f"{text[:longest]}… ({len(text)} characters)"
    return "".join("\ufffd" if char == "\0" or "\ud800" <= char <= "\udfff" else char for char in text)


def json_value(value: Any, depth: int = 0) -> Any:
    """Make a value that JSON and PostgreSQL can hold.

    Parameters
    ----------
    value : object
        Anything.
    depth : int
        How deep it lies within another.

    Returns
    -------
    object
        None, a truth value, a finite number, a text, or a list or dict of such. What is no such thing (NaN, bytes, a
        whole number that others would round, what lies too deep) is a text; long ones are cut.
    """
    if value is None or isinstance(value, bool):
        return value
    if isinstance(value, int):
        return value if abs(value) <= _LARGEST_WHOLE else clean_text(_written(value), LONGEST_TEXT)
    if isinstance(value, float):
        return value if math.isfinite(value) else str(value)
    if isinstance(value, str):
        return clean_text(value, LONGEST_TEXT)
    if depth < DEEPEST and isinstance(value, list | tuple):
        return [json_value(item, depth + 1) for item in value[:MOST_ITEMS]]
    if depth < DEEPEST and isinstance(value, dict):
        return json_object(value.items(), depth + 1)
    return clean_text(_written(value), LONGEST_TEXT)


def json_object(items: Iterable[tuple[Any, Any]], depth: int = 0) -> dict[str, Any]:
    """Make an object of JSON.

    Parameters
    ----------
    items : iterable of pairs
        Names and values.
    depth : int
        How deep it lies.

    Returns
    -------
    dict
        The first `MOST_ITEMS`, made by `json_value`.
    """
    found: dict[str, Any] = {}
    for name, value in items:
        if len(found) == MOST_ITEMS:
            break
        found[clean_text(_written(name, str), LONGEST_TEXT)] = json_value(value, depth)
    return found


def number_or_text(text: str) -> Any:
    """Read a value as a session file has it.

    Parameters
    ----------
    text : str
        As written.

    Returns
    -------
    int, float or str
        A number where the text is the usual way to write that very number, else the text.
    """
    for kind in (int, float):
        try:
            number = kind(text)
        except ValueError:  # Python also refuses whole numbers of thousands of digits
            continue
        if str(number) == text and math.isfinite(number):
            return number
    return text


def task_variables(reported: Mapping[str, str], set_before: Mapping[str, Any]) -> dict[str, Any]:
    """Put together the task variables of a session.

    Parameters
    ----------
    reported : mapping
        The last value of each variable in the session file, as text.
    set_before : mapping
        The variables of the run's settings.

    Returns
    -------
    dict
        JSON values by name. A variable that was not changed keeps the type of its setting.
    """
    values: dict[str, Any] = dict(set_before)
    for name, text in reported.items():
        if name not in set_before or _written(set_before[name], str) != text:
            values[name] = number_or_text(text)
    return json_object(values.items())


def _written(value: Any, write: Callable[[Any], str] = repr) -> str:
    try:
        return write(value)
    except (ValueError, RecursionError):  # a whole number of thousands of digits in it, or no end of depth
        return f"({type(value).__name__}, too large to write)"
