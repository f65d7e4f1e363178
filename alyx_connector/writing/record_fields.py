"""Fields of a record on their way to the server: names and values checked, JSON merged, the answer compared."""

from __future__ import annotations

import datetime as dt
import json
import math
import re
import uuid
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from alyx_connector.address import last_part
from alyx_connector.errors import ConfigurationError
from alyx_connector.frames.columns import KIND_OF_FIELD, Kind
from alyx_connector.frames.tables import read_json
from alyx_connector.nearest import did_you_mean
from alyx_connector.schema.description import Field
from alyx_connector.search.filters import plain_value
from alyx_connector.zones.moments import read_time, same_time

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from alyx_connector.schema.dialect import Dialect

__all__ = [
    "JSON_FIELDS",
    "changed_paths",
    "check_names",
    "checked_qc",
    "fields_of",
    "json_holds",
    "json_or_text",
    "merged",
    "not_as_sent",
    "same_json",
    "sendable",
]

#: Fields that hold a JSON object.
JSON_FIELDS = tuple(name for name, kind in KIND_OF_FIELD.items() if kind is Kind.JSON)
#: The time of a weighing or of water: Alyx stores null, and cannot list the animals of that lab any more.
_NEVER_NULL = frozenset({"date_time"})
_LEFT_OUT = "Give a time of the lab, or leave it out: then it is now."
#: What the server sets, where it does not describe its fields.
_READ_ONLY = frozenset({"id", "url", "auto_datetime"})
_OFFSET = re.compile(r"\d\d:\d\d\S*(?:[Zz]|[+-]\d\d:?\d\d)\s*$")
_LAB_TIME = "Alyx would convert it to UTC: give the naive local time of the lab."
_NUMBERS = frozenset({Kind.NUMBER, Kind.COUNT})
_MIDNIGHT = "T00:00:00"


def fields_of(record: Iterable[str]) -> tuple[Field, ...]:
    """Say what fields a record has, where the server does not describe them."""
    return tuple(
        Field(name, "date-time" if KIND_OF_FIELD.get(name) is Kind.TIME else "", name in _READ_ONLY) for name in record
    )


def check_names(names: Iterable[str], known: Sequence[Field], endpoint: str, url: str) -> None:
    """Refuse fields that the server would ignore."""
    read_only = {field.name: field.read_only for field in known}
    writable = [name for name in read_only if not read_only[name]]
    for name in names:
        if name in writable:
            continue
        if name in read_only:
            raise ConfigurationError(
                f"{url} sets {name} of {endpoint} itself and would ignore what is sent.",
                hint="Leave it out.",
                setting=name,
            )
        raise ConfigurationError(
            f"{endpoint} at {url} have no field {name}: the server would ignore it.{did_you_mean(name, writable)}",
            hint=f"There are: {', '.join(writable)}.",
            setting=name,
        )


def sendable(name: str, value: Any, kind: str = "") -> Any:
    """Make a value of Python, NumPy or pandas into plain JSON.

    ``value``: text, a number, True or False, a naive datetime, a date, an id, a dict, a list, a set, an array, a
    column of a frame. None, NaT and pandas' NA become null.
    ``kind``: ``date`` or ``date-time`` where the server keeps a day or a time.
    """
    try:
        sent = _plain(name, value)
    except RecursionError:
        raise _refuse(name, "is nested too deep, or holds itself", "Give something flatter.") from None
    if sent is None and name in _NEVER_NULL:
        raise _refuse(name, "is missing: Alyx would fail with every list of this animal's lab", _LEFT_OUT)
    if not isinstance(sent, str):
        return sent
    if kind == "date-time":
        if _OFFSET.search(sent):
            raise _refuse(name, f"is a time with an offset, {sent!r}", _LAB_TIME)
        if read_time(sent) is None:
            raise _refuse(name, f"is {sent!r}, which is not a time", "Give it like 2024-03-01 09:30, or as a datetime.")
    if KIND_OF_FIELD.get(name) in _NUMBERS and not _is_number(sent):
        raise _refuse(name, f"is {sent!r}, which is not a number", "Give a number, with a point: 24.5.")
    return sent.removesuffix(_MIDNIGHT) if kind == "date" else sent  # a day of a frame


def _is_number(text: str) -> bool:
    try:
        return math.isfinite(float(text))
    except ValueError:
        return False


def _refuse(name: str, why: str, hint: str) -> ConfigurationError:
    return ConfigurationError(f"The field {name} {why}.", hint=hint, setting=name)


def _plain(name: str, value: Any) -> Any:
    if type(value).__name__ in {"NaTType", "NAType"}:
        return None
    if isinstance(value, Mapping):
        return {_key(name, key): _plain(f"{name}.{key}", nested) for key, nested in value.items()}
    several = isinstance(value, list | tuple | set | frozenset)
    if several or (getattr(value, "ndim", 0) > 0 and hasattr(value, "tolist")):
        return [_plain(f"{name}[{place}]", nested) for place, nested in enumerate(value)]
    if getattr(getattr(value, "dtype", None), "kind", "") == "M":  # finer than microseconds, item() is a number
        value = value.item() if isinstance(value.item(), dt.date | None) else value.astype("datetime64[us]").item()
    value = plain_value(value)
    if isinstance(value, dt.datetime):
        if value.tzinfo is not None:
            raise _refuse(name, "is a time with a time zone", _LAB_TIME)
        return dt.datetime.combine(value.date(), value.time()).isoformat()
    if isinstance(value, dt.date):
        return value.isoformat()
    if isinstance(value, float) and not math.isfinite(value):
        raise _refuse(name, f"is {value}, which no record can hold", "Give a finite number, or None.")
    if isinstance(value, str):
        return _text(name, value)
    if isinstance(value, uuid.UUID):
        return str(value)
    if value is None or isinstance(value, bool | int | float):
        return value
    raise _refuse(
        name,
        f"cannot be {type(value).__name__}",
        "Give text, a finite number, True or False, None, a date, a naive datetime, a list or a dict.",
    )


def _key(name: str, key: Any) -> str:
    if not isinstance(key, str):
        raise _refuse(name, f"has the key {key!r}", "Keys are text: the server would make text of it.")
    return _text(name, key)


def _text(name: str, text: str) -> str:
    try:
        text.encode()
    except UnicodeEncodeError:
        broken = True
    else:
        broken = "\0" in text
    if broken:
        raise _refuse(name, "holds a character that the server cannot store (NUL, or half of one)", "Take it out.")
    return str(text)


def checked_qc(value: Any, dialect: Dialect) -> Any:
    """Make a ``qc`` into what the server takes, or refuse it; None stays None."""
    sent = dialect.qc_to_send(value)
    if sent is None and value is not None:
        words = ", ".join(word for _, word in dialect.qc_words)
        raise _refuse("qc", f"cannot be {value!r}", f"It takes one of {words}.")
    return sent


def merged(current: Mapping[str, Any], changes: Mapping[str, Any]) -> dict[str, Any]:
    """Merge changes into a JSON object: objects merge, everything else replaces.

    Returns: a new object with all of its keys, in their order, new ones last; the arguments stay as they are.
    ``changes``: what is to stand in it. None is a value as any other: it becomes null.
    """
    result = dict(current)
    for key, value in changes.items():
        if isinstance(value, Mapping):
            below = result.get(key)
            result[key] = merged(below if isinstance(below, Mapping) else {}, value)
        else:
            result[key] = value
    return result


def changed_paths(name: str, before: Any, after: Any) -> list[str]:
    """Say where two values of a field differ.

    Returns: for example ``json.qc.noise``; empty if they are equal.
    """
    if isinstance(before, dict) and isinstance(after, dict):
        absent = object()
        keys = dict.fromkeys([*before, *after])
        return [
            path
            for key in keys
            for path in changed_paths(f"{name}.{key}", before.get(key, absent), after.get(key, absent))
        ]
    return [] if same_json(before, after) else [name]


def same_json(one: Any, other: Any) -> bool:
    """Tell whether two values are the same in JSON, where True is not 1.

    Returns: whatever the order of keys.
    """
    return one == other and json.dumps(one, sort_keys=True) == json.dumps(other, sort_keys=True)


def json_or_text(value: Any) -> Any:
    """Read a text that holds JSON; what cannot be read stays what it is."""
    try:
        return read_json(value)
    except ValueError:
        return value


def json_holds(stored: Any, sent: Any) -> bool:
    """Tell whether an object of JSON has all that was sent, and perhaps more, as where a server reads the narrative."""
    both = isinstance(stored, dict) and isinstance(sent, dict)
    return both and same_json(merged(stored, sent), stored)


def not_as_sent(sent: Mapping[str, Any], answer: Mapping[str, Any]) -> list[str]:
    """Tell which fields the server did not store as they were sent.

    Returns: a sentence each; empty if all of them were.
    """
    told = []
    for name, value in sent.items():
        if name not in answer:
            told.append(f"The server did not say what it stored as {name}.")
        elif name in JSON_FIELDS and json_holds(answer[name], value):
            told += [f"The server added {path}." for path in changed_paths(name, value, answer[name])]
        elif not _same(value, answer[name]):
            told.append(f"{name} was sent as {_shown(value)} and stored as {_shown(answer[name])}.")
    return told


def _shown(value: Any) -> str:
    text = repr(value)
    return text if len(text) <= 80 else f"{text[:79]}…"


def _same(sent: Any, stored: Any) -> bool:
    if sent == stored:
        return True
    if isinstance(sent, list) and isinstance(stored, list):  # of related records, in an order of the server's
        return sorted(map(repr, sent)) == sorted(map(repr, stored))
    if not isinstance(sent, str):
        return False
    if isinstance(stored, int | float):
        try:
            return float(sent) == stored
        except ValueError:
            return False
    if isinstance(stored, str) and "://" in stored:  # a related record: the server names itself in its own way
        return last_part(stored) == (last_part(sent) if "/" in sent else sent)
    return isinstance(stored, str) and same_time(sent, stored)
