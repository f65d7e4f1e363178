"""An item as a record on Alyx: its route, its fields, and how it is recognised there. Pure."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING, Any

from alyx_connector.ids import canonical_id
from alyx_connector.writing.record_fields import merged
from alyx_connector.zones.moments import read_time, same_time
from pybpod_alyx_module.outbox.drafts import NUMBER_OF, TIMES
from pybpod_alyx_module.outbox.items import Kind

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping

    from alyx_connector.schema.dialect import Dialect
    from pybpod_alyx_module.outbox.items import Item

#: Where each kind is written.
ROUTES = {
    Kind.SESSION: "sessions",
    Kind.SESSION_UPDATE: "sessions",
    Kind.SESSION_MOVE: "sessions",
    Kind.WATER_MOVE: "water-administrations",
    Kind.WEIGHING: "weighings",
    Kind.WATER: "water-administrations",
    Kind.NOTE: "notes",
}
#: Where the key of a session or note stands in its ``json``.
KEY_IN_JSON = ("pybpod", "outbox_key")
#: Where the ``json`` of a session holds the UUID that PyBpod gave it.
UUID_IN_JSON = ("pybpod", "session_uuid")
_QUARTER = timedelta(minutes=15)
#: Between the clocks of two zones.
_MOST_APART = timedelta(hours=27)
_SETS = frozenset({"users", "projects", "procedures"})
#: What may hold more than was sent: keys of other programs, and what a server makes of a narrative.
_MAY_HOLD_MORE = frozenset({"json"})


def payload(item: Item, subject: str, session_id: str | None) -> dict[str, Any]:
    """Return what is sent to create the record of an item.

    Returns: the fields; a session without ``number`` where the values have none.
    ``subject``: by what the server names the subject now.
    ``session_id``: id on Alyx of the session that it follows.
    """
    fields = {**item.values, "subject": subject}
    if item.kind is Kind.SESSION:
        fields["json"] = merged(fields.get("json") or {}, {KEY_IN_JSON[0]: {KEY_IN_JSON[1]: item.key}})
        fields.setdefault("users", [item.username])
        if fields.get("number") is None:
            fields.pop("number", None)
        return fields
    fields["user"] = item.username
    if item.kind is Kind.NOTE:
        about = {"content_type": "subjects.subject", "object_id": item.subject_id}
        return {**item.values, **about, "user": item.username, "json": {KEY_IN_JSON[0]: {KEY_IN_JSON[1]: item.key}}}
    if item.kind is Kind.WATER and session_id is not None:
        fields["session"] = session_id
    return fields


def record_id(record: Any) -> str | None:
    """Return the id of a record.

    Returns: a UUID, from its ``id``, or from its ``url`` where it has no id; None if it has neither.
    """
    if not isinstance(record, dict):
        return None
    return canonical_id(record.get("id") or str(record.get("url", "")).rstrip("/").rpartition("/")[2])


def key_of(record: Mapping[str, Any]) -> Any:
    """Return the key of the item that a record on Alyx was made of; None if it was not made by an outbox."""
    return _in_json(record, KEY_IN_JSON)


def uuid_in(session: Mapping[str, Any]) -> str | None:
    """Return the UUID that PyBpod gave a session; None if there is none."""
    return canonical_id(_in_json(session, UUID_IN_JSON))


def _in_json(session: Mapping[str, Any], names: tuple[str, ...]) -> Any:
    found: Any = session.get("json")
    for name in names:
        found = found.get(name) if isinstance(found, dict) else None
    return found


def has_time(item: Item, record: Mapping[str, Any]) -> bool:
    """Tell whether a weighing or water administration on Alyx has exactly the time of an item, on whatever clock.

    Clocks of two zones differ by quarters of an hour: the rest of the time, which no other item has, is the same.
    """
    times = [read_time(text) for text in (item.values["date_time"], record.get("date_time"))]
    if times[0] is None or times[1] is None:
        return False
    if all(time.tzinfo is not None for time in times if time is not None):
        return times[0] == times[1]
    apart = times[0].replace(tzinfo=None) - times[1].replace(tzinfo=None)
    return not apart % _QUARTER and abs(apart) <= _MOST_APART


def is_ours(item: Item, record: Mapping[str, Any]) -> bool:
    """Tell whether a record on Alyx was made of an item, whatever the animal it is on."""
    if item.kind in {Kind.SESSION, Kind.NOTE}:
        return bool(key_of(record) == item.key)
    return has_time(item, record) and record.get("user") == item.username


def has_our_amount(item: Item, record: Mapping[str, Any]) -> bool:
    """Tell whether a record that is ours has the number of the item, too."""
    if item.kind not in NUMBER_OF:
        return True
    name = NUMBER_OF[item.kind][0]
    return _same(name, item.values[name], record.get(name))


def differences(sent: Mapping[str, Any], got: Mapping[str, Any]) -> list[str]:
    """Say which fields of a record differ from what was sent.

    Returns: ``field: value instead of value`` each; empty if there is none.
    ``sent``: the fields; ``subject`` is not compared: it was looked up by id.
    ``got``: what the server answered; fields that it does not show are not compared.
    """
    return [
        f"{name}: {got[name]!r} instead of {value!r}"
        for name, value in sent.items()
        if name != "subject" and name in got and not _same(name, value, got[name])
    ]


def with_sentence(narrative: str, sentence: str) -> str:
    """Add a sentence to the narrative of a session as a line of its own, once."""
    return narrative if sentence in narrative else f"{narrative.rstrip()}\n{sentence}".strip()


def fields_of_move(item: Item, old: Mapping[str, Any], taken: Collection[int]) -> dict[str, Any]:
    """Return what changes of a session with its subject; the same, however often it is sent.

    ``old``: the session as it is on Alyx.
    ``taken``: the numbers of the other sessions of that day, of the subject that it is given to.
    """
    values, number, free = item.values, old.get("number"), old.get("json") or {}
    line = f"Moved from {values['from_name']} to {item.subject_name} by {item.username}. {values['sentence']}".rstrip()
    narrative = str(old.get("narrative") or "")
    fields: dict[str, Any] = {
        # a line for each move, also where an earlier one was between the same animals
        "narrative": narrative if moved_by(item, old) else f"{narrative.rstrip()}\n{line}".strip(),
        "number": 1 + max(taken, default=0) + item.faults if number in taken or item.faults else number,
        "lab": values.get("lab"),
    }
    if isinstance(free, dict):
        moved = {"from": values["from_name"], "to": item.subject_name, "by": item.username, "key": item.key}
        earlier = [one for one in _moves_of(old) if one.get("key") != item.key]
        fields["json"] = {**free, KEY_IN_JSON[0]: {**(free.get(KEY_IN_JSON[0]) or {}), "moved": [*earlier, moved]}}
    return {name: value for name, value in fields.items() if value is not None}


def moved_by(item: Item, session: Mapping[str, Any]) -> bool:
    """Tell whether a session on Alyx says that this very move changed it."""
    return any(one.get("key") == item.key for one in _moves_of(session))


def _moves_of(session: Mapping[str, Any]) -> list[dict[str, Any]]:
    found = _in_json(session, (KEY_IN_JSON[0], "moved"))
    return [one for one in found if isinstance(one, dict)] if isinstance(found, list) else []


def is_named_by(item: Item, subject: Mapping[str, Any], dialect: Dialect) -> str:
    """Return by what the server takes the subject of an item: sessions take the nickname everywhere.

    ``subject``: its row.
    """
    of_session = ROUTES[item.kind] == "sessions"
    return str(subject["nickname"]) if of_session else dialect.subject_name(subject)


def holds(record: Any, wanted: Any) -> bool:
    """Tell whether a JSON value holds another one: objects may have more keys."""
    if isinstance(wanted, dict):
        return isinstance(record, dict) and all(
            name in record and holds(record[name], value) for name, value in wanted.items()
        )
    return bool(record == wanted)


def _same(name: str, sent: Any, got: Any) -> bool:
    if name in TIMES and isinstance(sent, str) and isinstance(got, str):
        return same_time(sent, got)
    if name in _MAY_HOLD_MORE:
        return holds(got or {}, sent or {})
    if name in _SETS and isinstance(sent, list) and isinstance(got, list):
        return sorted(map(str, sent)) == sorted(map(str, got))
    if isinstance(sent, str) and isinstance(got, str):
        return sent.strip() == got.strip()  # as the server strips it
    if isinstance(sent, int | float) and isinstance(got, int | float):
        return abs(sent - got) <= 1e-9 * max(1.0, abs(sent))
    return bool(sent == got) or (sent in (None, "") and got in (None, ""))
