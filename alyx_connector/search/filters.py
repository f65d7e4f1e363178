"""Filters in Python values, made into the requests that the server understands."""

from __future__ import annotations

import datetime as dt
import itertools
import math
import re
import uuid
from collections.abc import Iterable, Mapping
from decimal import Decimal
from textwrap import shorten
from typing import TYPE_CHECKING, Any

from alyx_connector.errors import ConfigurationError
from alyx_connector.ids import canonical_id
from alyx_connector.search.days import days_of

if TYPE_CHECKING:
    from alyx_connector.remedy import Remedy

__all__ = ["IDS_IN_A_REQUEST", "PAIRS", "is_many", "make_requests", "plain_filters", "plain_value"]

#: As many ids as an address of 4094 characters can hold.
IDS_IN_A_REQUEST = 80
#: Filters that are pairs of a key and a value.
PAIRS = frozenset({"django", "json", "extended_qc"})
#: What has a meaning of its own in pairs: the server splits at commas and evaluates what stands in brackets, as Python.
_SPECIAL = re.compile(r"[,\[\]()]")
#: A text that, in quotes and brackets, is evaluated to itself, whatever else is in the pairs.
_QUOTABLE = re.compile(r"[^\\\[\]()\x00-\x1f\x7f]*")
_WORDS = frozenset({"true", "false", "none"})
#: Comparisons that go by an order.
_ORDERED = frozenset({"lt", "lte", "gt", "gte"})
#: What the server takes for a comparison where a key of the JSON is meant.
_OPERATORS = _ORDERED | {"not", "isnull", "contains", "in", "exact", "range"}
#: Beyond it a number that stands without brackets is rounded.
_EXACT_INTEGER = 2**53
#: Below and above all numbers, and below all texts, where the server compares what stands in JSON.
_LEAST_NUMBER, _GREATEST_NUMBER, _LEAST_TEXT = "(-1e308)", "(1e308)", "('')"


def is_many(value: Any) -> bool:
    """Tell whether a value is several values.

    ``value``: a list, a set, an array, a column of a frame, or one value.
    """
    return (
        isinstance(value, Iterable) and not isinstance(value, str | bytes | Mapping) and getattr(value, "ndim", 1) == 1
    )


def plain_filters(filters: Mapping[str, Any]) -> dict[str, Any]:
    """Make several values into a list, and scalars of NumPy into what Python has for them.

    Returns: what `make_requests` takes.
    """
    return {
        name: [plain_value(one) for one in value] if is_many(value) else plain_value(value)
        for name, value in filters.items()
    }


def make_requests(filters: Mapping[str, Any], further: Iterable[list[str]] = ()) -> list[dict[str, str]]:
    """Make the requests that together return the rows that match every filter.

    Returns: filters of each request, as text; empty where a list of values is empty: nothing is any of these.
    ``filters``: as `plain_filters` returns them.
    ``further``: lists of lookups; of each list, any must match.
    """
    alternatives = [[("django", text) for text in lookups] for lookups in further]
    for name, value in filters.items():
        if name == "id":
            alternatives.append([("django", text) for text in _ids(value)])
        elif name == "date_range":
            first, last = days_of(name, value)
            if first and last:
                alternatives.append([(name, f"{first},{last}")])
            else:
                alternatives.append([("django", f"start_time__date__{'gte' if first else 'lte'},{first or last}")])
        else:
            alternatives.append(list(dict.fromkeys(_filter(name, one) for one in _listed(value))))
    return [_request(chosen) for chosen in itertools.product(*alternatives)]


def _filter(name: str, value: Any) -> tuple[str, str]:
    if name in PAIRS and isinstance(value, Mapping):
        return "django", _pairs(name, value)
    return name, _text(name, value)


def _request(chosen: Iterable[tuple[str, str]]) -> dict[str, str]:
    request: dict[str, str] = {}
    for name, text in chosen:
        # Each filter can be sent only once; lookups of django= are and-ed by the server.
        request[name] = f"{request[name]},{text}" if name == "django" and name in request else text
    return request


def plain_value(value: Any) -> Any:
    """Make a scalar of NumPy into what Python has for it."""
    return value.item() if hasattr(value, "item") and getattr(value, "ndim", None) == 0 else value


def _listed(value: Any) -> list[Any]:
    return value if isinstance(value, list) else [value]


def _refuse(name: str, why: str, hint: str | Remedy) -> ConfigurationError:
    return ConfigurationError(f"The filter {name} {why}.", hint=hint, setting=name)


def _text(name: str, value: Any) -> str:
    if isinstance(value, str) and value.strip():
        return value
    if isinstance(value, bool | uuid.UUID):
        return str(value)
    if isinstance(value, int | float) and math.isfinite(value):
        return format(Decimal(repr(value)), "f")
    if isinstance(value, dt.datetime) and not _is_missing(value):
        if value.tzinfo is not None:
            raise _refuse(
                name, "is a time with a time zone", "Alyx keeps lab time: give the naive local time of the lab."
            )
        return value.isoformat()
    if isinstance(value, dt.date) and not _is_missing(value):
        return value.isoformat()
    if value is None or isinstance(value, str) or _is_missing(value):
        raise _refuse(
            name, "is empty: the server would ignore it and return everything", "Leave it out, or give it a value."
        )
    raise _refuse(
        name,
        f"cannot be {type(value).__name__} {shorten(repr(value), 60, placeholder=' …')}",
        "Give text, a finite number, True or False, a date, or a list of these.",
    )


def _is_missing(value: Any) -> bool:
    # NaN and NaT differ from themselves; whether pandas' NA does, it refuses to say.
    try:
        return bool(value != value)
    except TypeError:
        return True
    except ValueError:  # an array of several
        return False


def _pairs(name: str, wanted: Mapping[str, Any]) -> str:
    # Lookups of django=, which every server reads alike: {"noise_uV__lt": 5} of extended_qc is
    # extended_qc__noise_uV__lt,5. How they read json= and extended_qc= differs.
    above = "" if name == "django" else f"{name}__"
    values = _lookups(name, wanted, above)
    if not values:
        raise _refuse(name, "is empty: the server would ignore it and return everything", "Leave it out.")
    texts = {key: _pair_value(name, key, value) for key, value in values.items()}
    if name != "django":
        for key, value in values.items():
            texts.update(_other_end(key, value, values))
    return ",".join(f"{key},{text}" for key, text in texts.items())


def _lookups(name: str, wanted: Mapping[Any, Any], above: str) -> dict[str, Any]:
    found: dict[str, Any] = {}
    for given, value in wanted.items():
        key = str(given) if type(given) is int else given
        if not isinstance(key, str) or not key.strip() or _SPECIAL.search(key):
            raise _refuse(name, f"has the key {given!r}", "A key is text without commas and brackets, or a number.")
        if above == f"{name}__" and key.partition("__")[0] in _OPERATORS:
            raise _refuse(
                name,
                f"has the key {key!r}, which the server takes for a comparison",
                "Name the key that is to be compared first, for example noise_uV__lt.",
            )
        if isinstance(value, Mapping):
            inside = _lookups(name, value, f"{above}{key}__")
            if not inside:
                raise _refuse(name, f"has nothing below {key}", "Leave it out.")
        else:
            lookup, meant = _lookup_of(name, f"{above}{key}", plain_value(value))
            inside = {lookup: meant}
        for one in inside.keys() & found.keys():
            raise _refuse(name, f"has {one} twice", "Give it once.")
        found.update(inside)
    return found


def _lookup_of(name: str, key: str, value: Any) -> tuple[str, Any]:
    # What is asked for, and of which value: ~ in front excludes what matches.
    compared, _, operator = key.rpartition("__")
    path = (compared if operator in _OPERATORS else key).removeprefix(f"{name}__")
    if name != "django" and path.isdecimal():
        raise _refuse(
            name,
            f"has only the key {path}, a number, which the server takes for a place in a list",
            "Select after the search.",
        )
    if name == "django" or operator not in {"not", "isnull"} or not compared:
        return (f"{key}__isnull", True) if value is None else (key, value)
    if operator == "isnull":
        if not isinstance(value, bool):
            raise _refuse(name, f"has {key} with {value!r}", "It takes True or False.")
        return key, value
    if value is None:
        return f"{compared}__isnull", False
    if compared.rpartition("__")[2] in _ORDERED:
        raise _refuse(
            name, f"has {key}, a comparison that is turned round", "Ask for the other comparison: gte instead of lt."
        )
    return f"~{compared}", value


def _other_end(key: str, value: Any, values: Mapping[str, Any]) -> dict[str, str]:
    # In JSON the server puts null before all texts, these before all numbers, these before True, False, lists and
    # objects: less than 5 are also null and "none". The other end keeps a comparison to values of one kind.
    compared, _, operator = key.rpartition("__")
    number = _is_number(value)
    if isinstance(value, bool) or operator not in _ORDERED:
        return {}
    if any(f"{compared}__{other}" in values for other in (("gt", "gte") if operator[0] == "l" else ("lt", "lte"))):
        return {}
    if operator[0] == "l":
        return {f"{compared}__gte": _LEAST_NUMBER if number else _LEAST_TEXT}
    return {f"{compared}__lte": _GREATEST_NUMBER} if number else {f"{compared}__lt": _LEAST_NUMBER}


def _is_number(value: Any) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool)


def _pair_value(name: str, key: str, value: Any) -> str:
    # The server takes what looks like a number or a word of Python for that, but not -5. It evaluates what stands in
    # brackets: (-5) is a number and ('001') a text.
    if is_many(value):
        if not len(value) and key.endswith("__in"):
            raise _refuse(name, f"has {key} with no values: nothing is any of these", "Give it a value.")
        return f"[{','.join(_literal(name, key, plain_value(one)) for one in value)}]"
    if _is_number(value):
        text = _literal(name, key, value)
        return f"({text})" if text.startswith("-") or abs(value) > _EXACT_INTEGER else text
    if not isinstance(value, str):
        return _text(name, value)
    return value if _reads_as_text(value) else f"({_literal(name, key, value)})"


def _literal(name: str, key: str, value: Any) -> str:
    # What the server evaluates to the value.
    if value is None:
        return "None"
    if not isinstance(value, str):
        return _text(name, value) if isinstance(value, bool | int | float) else _literal(name, key, _text(name, value))
    quote = '"' if "'" in value else "'"
    if quote in value or not _QUOTABLE.fullmatch(value):
        raise _refuse(
            name,
            f"has brackets, a backslash, a line break or both kinds of quotes in the value of {key}",
            "The server cannot be asked for that: select after the search.",
        )
    return f"{quote}{value}{quote}"


def _reads_as_text(value: str) -> bool:
    read_otherwise = value.replace(".", "", 1).isdigit() or value.lower() in _WORDS or _SPECIAL.search(value)
    return not read_otherwise and value.isprintable() and value == value.strip() != ""


def _ids(value: Any) -> list[str]:
    # One lookup for each request.
    ids = dict.fromkeys(_uuid(one) for one in _listed(value))
    several = list(ids)
    chunks = [several[start : start + IDS_IN_A_REQUEST] for start in range(0, len(several), IDS_IN_A_REQUEST)]
    return [_lookup(chunk) for chunk in chunks]


def _lookup(ids: list[str]) -> str:
    quoted = ",".join(f"'{one}'" for one in ids)
    return f"pk,{ids[0]}" if len(ids) == 1 else f"pk__in,[{quoted}]"


def _uuid(value: Any) -> str:
    canonical = canonical_id(value)
    if canonical is None:
        raise _refuse("id", f"has {value!r}, which is not a valid id of Alyx", "An id is a UUID, 36 characters.")
    return canonical
