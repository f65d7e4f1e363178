"""What stands below a key of JSON, compared as PostgreSQL compares it: SQLite itself takes ``"true"`` for true."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from django.db.backends.signals import connection_created
from django.db.models.fields.json import JSONField, KeyTransform
from django.db.models.lookups import Lookup

if TYPE_CHECKING:
    from collections.abc import Callable

_ABSENT: Any = object()


class _BelowKey(Lookup):
    can_use_none_as_rhs = True

    def get_prep_lookup(self) -> Any:
        return self.rhs

    def as_sql(self, compiler: Any, connection: Any) -> tuple[str, list[Any]]:
        document, params, keys = self.lhs.preprocess_lhs(compiler, connection)
        wanted = list(self.rhs) if isinstance(self.rhs, tuple) else self.rhs
        return f"BELOW_KEY({document}, %s, %s, %s)", [*params, json.dumps(keys), self.lookup_name, json.dumps(wanted)]


class _Contains(_BelowKey):
    # In the whole, below no key.
    lookup_name = "contains"

    def as_sql(self, compiler: Any, connection: Any) -> tuple[str, list[Any]]:
        document, params = self.process_lhs(compiler, connection)
        return f"BELOW_KEY({document}, %s, %s, %s)", [*params, "[]", self.lookup_name, json.dumps(self.rhs)]


def compare_like_postgresql() -> None:
    """Let filters compare what stands in JSON as PostgreSQL does."""
    for name in _HOLDS:
        KeyTransform.register_lookup(type(f"_{name}", (_BelowKey,), {"lookup_name": name}))
    JSONField.register_lookup(_Contains)
    connection_created.connect(_add_function)


def _add_function(sender: Any, connection: Any, **_: Any) -> None:
    if connection.vendor == "sqlite":
        connection.connection.create_function("BELOW_KEY", 4, _below_key, deterministic=True)


def _below_key(document: str | None, keys: str, lookup: str, wanted: str) -> bool | None:
    # NULL where nothing stands there: whoever excludes what matches does not get such rows either.
    found = _at(_ABSENT if document is None else json.loads(document), json.loads(keys))
    if lookup == "isnull":
        return (found is _ABSENT) is json.loads(wanted)
    return None if found is _ABSENT else _HOLDS[lookup](found, json.loads(wanted))


def _at(found: Any, keys: list[str]) -> Any:
    # A key alone that is a number is a place in a list, among others also a key.
    for key in keys:
        place = int(key) if key.isdecimal() else None
        if isinstance(found, list) and place is not None and place < len(found):
            found = found[place]
        elif isinstance(found, dict) and key in found and (place is None or len(keys) > 1):
            found = found[key]
        else:
            return _ABSENT
    return found


def _sort_key(value: Any) -> tuple[Any, ...]:
    # Null comes before all texts, these before all numbers, these before True and False, lists and objects.
    if value is None:
        return (0,)
    if isinstance(value, str):
        return (1, value)
    if isinstance(value, bool):
        return (3, value)
    if isinstance(value, int | float):
        return (2, value)
    if isinstance(value, list):
        return (4, len(value), [_sort_key(one) for one in value])
    return (5, len(value), sorted((key, _sort_key(one)) for key, one in value.items()))


def _same(one: Any, other: Any) -> bool:
    return _sort_key(one) == _sort_key(other)


def _contains(one: Any, other: Any, *, top: bool = True) -> bool:
    if isinstance(one, dict) and isinstance(other, dict):
        return all(key in one and _contains(one[key], value, top=False) for key, value in other.items())
    if isinstance(one, list) and isinstance(other, list):
        return all(any(_contains(held, value, top=False) for held in one) for value in other)
    if isinstance(one, list) and top and not isinstance(other, dict):
        return any(_same(held, other) for held in one)
    return _same(one, other)


_HOLDS: dict[str, Callable[[Any, Any], bool]] = {
    "exact": _same,
    "in": lambda found, wanted: any(_same(found, one) for one in wanted),
    "contains": _contains,
    "isnull": lambda found, wanted: False,
    "lt": lambda found, wanted: _sort_key(found) < _sort_key(wanted),
    "lte": lambda found, wanted: _sort_key(found) <= _sort_key(wanted),
    "gt": lambda found, wanted: _sort_key(found) > _sort_key(wanted),
    "gte": lambda found, wanted: _sort_key(found) >= _sort_key(wanted),
    "range": lambda found, wanted: _sort_key(wanted[0]) <= _sort_key(found) <= _sort_key(wanted[1]),
}
