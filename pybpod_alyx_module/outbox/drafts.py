"""What may go into the outbox: drafts and corrected values are checked before they are stored."""

from __future__ import annotations

import json
import math
import socket
from datetime import datetime, timezone
from typing import TYPE_CHECKING, Any
from uuid import UUID, uuid4

from alyx_connector.address import parse_address
from alyx_connector.errors import ConfigurationError
from alyx_connector.ids import canonical_id
from alyx_connector.zones.moments import read_time
from pybpod_alyx_module.errors import OutboxError
from pybpod_alyx_module.outbox.items import MOVES, Item, Kind, State, WaitsFor

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from pybpod_alyx_module.outbox.items import Draft

#: Fields that hold a time of the lab.
TIMES = ("date_time", "start_time", "end_time")
#: The time that each kind must have.
TIME_OF = {Kind.SESSION: "start_time", Kind.WEIGHING: "date_time", Kind.WATER: "date_time"}
#: The number that each kind must have, and its unit.
NUMBER_OF = {Kind.WEIGHING: ("weight", "g"), Kind.WATER: ("water_administered", "mL")}
#: Fields that are added when an item is sent.
OURS = {
    Kind.SESSION: {"subject"},
    Kind.SESSION_UPDATE: {"subject"},
    Kind.SESSION_MOVE: {"subject"},
    Kind.WATER_MOVE: {"subject"},
    Kind.WEIGHING: {"subject", "user"},
    Kind.WATER: {"subject", "user"},
    Kind.NOTE: {"subject", "user"},
}
#: What can be done with an item that is held.
HELD_HINT = "Retry it to send it as it is, edit it, or discard it."
_RECORD_HINT = "Correct it and record it again."


def new_items(drafts: Sequence[Draft]) -> list[Item]:
    """Return the items of drafts that are added together, or raise OutboxError."""
    keys = [str(uuid4()) for _ in drafts]
    return [
        new_item(draft, key, keys[draft.follows] if isinstance(draft.follows, int) else draft.follows)
        for draft, key in zip(drafts, keys, strict=True)
    ]


def new_item(draft: Draft, key: str, follows: str | None) -> Item:
    """Return the item of a draft, or raise OutboxError, which says what is wrong with it.

    ``follows``: key of the item that it follows.
    """
    if not draft.username.strip():
        raise OutboxError("An item of the outbox needs a user who sends it.", hint="Connect to Alyx first.")
    return Item(
        number=0,
        key=key,
        kind=draft.kind,
        server=checked_server(draft.server),
        username=draft.username,
        subject_id=checked_id(draft.subject_id, draft.subject_name),
        subject_name=draft.subject_name,
        values=checked_values(draft.kind, draft.values, follows),
        follows=follows,
        created=datetime.now(timezone.utc),
        rig=socket.gethostname(),
        origin=dict(draft.origin),
        state=State.PARKED if draft.held else State.WAITING,
        reason=draft.held,
        hint=HELD_HINT if draft.held else "",
        waits_for=WaitsFor.PERSON if draft.held else WaitsFor.NOTHING,
    )


def checked_server(server: str) -> str:
    """Return the address of a server as the outbox keeps it, ``scheme://host[:port][/prefix]``.

    Raises OutboxError if it is not an address.
    """
    try:
        return parse_address(server).url
    except ConfigurationError as error:
        raise OutboxError(error.message, hint=error.hint) from error


def checked_id(text: Any, what: str) -> str:
    """Return an id as Alyx writes it."""
    found = canonical_id(text)
    if found is None:
        raise OutboxError(f"The id of {what}, {text!r}, is not a valid Alyx id.", hint=_RECORD_HINT)
    return found


def checked_values(kind: Kind, values: Mapping[str, Any], follows: str | None) -> dict[str, Any]:
    """Return the values of an item, or say what is wrong with them."""
    what = kind.value.replace("_", " ")
    try:
        plain: dict[str, Any] = json.loads(json.dumps(dict(values), allow_nan=False))
    except (TypeError, ValueError, RecursionError) as error:
        raise OutboxError(
            f"The values of the {what} cannot be stored: {error}.",
            hint="Only text, finite numbers, lists and the like can be sent.",
        ) from None
    for name in OURS[kind] & set(plain):
        raise OutboxError(
            f"The values of the {what} contain a {name}, which is added when it is sent.", hint="Leave it out."
        )
    for name in TIMES:
        if name in plain and (plain[name] is not None or name == TIME_OF.get(kind)):
            _check_time(plain[name], name, what)
    needed = TIME_OF.get(kind)
    if needed is not None and needed not in plain:
        raise OutboxError(f"The {what} has no {needed}.", hint=_RECORD_HINT)
    if kind in NUMBER_OF:
        name, unit = NUMBER_OF[kind]
        number = plain.get(name)
        if not isinstance(number, int | float) or isinstance(number, bool) or not math.isfinite(number):
            raise OutboxError(f"The {name} of the {what} is {number!r}, not a number of {unit}.", hint=_RECORD_HINT)
    _check_json(plain, what)
    if kind in MOVES:
        plain["id"] = checked_id(plain.get("id"), "the record to be moved")
        plain["from_id"] = checked_id(plain.get("from_id"), "the animal that has it")
    if kind is Kind.SESSION_UPDATE and follows is None:
        plain["id"] = checked_id(plain.get("id"), "the session to be changed")
    if kind is Kind.WATER and plain.get("session") is not None:
        plain["session"] = checked_id(plain["session"], "the session of the water")
    return plain


def exact_time(moment: str, key: str, turn: int = 0) -> str:
    """Give a time microseconds by which it is found again among all times of that second.

    Returns: the same second, ISO; never without microseconds, with its offset if it had one.
    ``moment``: ISO.
    ``key``: key of the item: the microseconds are made of it, so that they stay when the item is corrected.
    ``turn``: other microseconds for each number, where another item has these.
    """
    microsecond = 1 + (UUID(key).int + turn) % 999_999
    return datetime.fromisoformat(moment).replace(microsecond=microsecond).isoformat()


def _check_time(text: Any, name: str, what: str) -> None:
    if not isinstance(text, str) or read_time(text) is None:
        raise OutboxError(
            f"The {name} of the {what} is {text!r}, not a time such as 2026-11-21T12:00:00+01:00.", hint=_RECORD_HINT
        )


def _check_json(plain: Mapping[str, Any], what: str) -> None:
    free = plain.get("json")
    if free is None:
        return
    if not isinstance(free, dict) or not isinstance(free.get("pybpod", {}), dict):
        raise OutboxError(
            f"The json of the {what}, or 'pybpod' in it, is not a JSON object.", hint="Give an object, or leave it out."
        )
