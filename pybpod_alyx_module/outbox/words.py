"""What the outbox holds, in words; no Qt."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from pybpod_alyx_module.outbox.drafts import NUMBER_OF
from pybpod_alyx_module.outbox.items import Kind, State

if TYPE_CHECKING:
    from collections.abc import Iterable
    from datetime import datetime

    from pybpod_alyx_module.outbox.items import Item

#: What a state is called where nothing more is known.
STATES: Final = {
    State.WAITING: "waiting",
    State.SENDING: "being sent",
    State.SENT: "sent",
    State.UNSURE: "may be on Alyx",
    State.PARKED: "needs you",
    State.DISCARDED: "discarded",
}

LOGIN_WANTED: Final = "needs you: log in"


@dataclass(frozen=True)
class Choices:
    """What a person can do with an item: for each, why not, or an empty text where it can be done."""

    retry: str
    edit: str
    discard: str


def state_words(item: Item) -> str:
    """Say where an item stands."""
    return LOGIN_WANTED if item.wants_login else STATES[item.state]


def value_words(item: Item) -> str:
    """Say what an item writes to Alyx.

    Returns: with unit, for example ``"Weight 24.5 g"``.
    """
    values = item.values
    match item.kind:
        case Kind.WEIGHING:
            return f"Weight {values.get('weight')} g"
        case Kind.WATER:
            kind = f", {values['water_type']}" if values.get("water_type") else ""
            return f"Water {values.get('water_administered')} mL{kind}{' (ad lib)' if values.get('adlib') else ''}"
        case Kind.SESSION:
            return f"Session {values.get('task_protocol') or ''}".rstrip()
    return "Changes of a session"


def time_words(item: Item) -> str:
    """Say when what an item writes happened.

    Returns: lab time to the minute; empty where it has none.
    """
    moment = item.values.get("date_time") or item.values.get("start_time") or ""
    return str(moment).replace("T", " ")[: len("2026-11-21 12:00")]


def local_time(moment: datetime | None) -> str:
    """Say when something was, in this computer's time.

    Returns: to the minute; empty for none.
    ``moment``: with a time zone.
    """
    return "" if moment is None else f"{moment.astimezone():%Y-%m-%d %H:%M}"


def why(item: Item) -> str:
    """Say why an item is not on Alyx yet, and what to do.

    Returns: whole sentences; empty where nothing went wrong.
    """
    return " ".join(part for part in (item.reason, item.hint) if part)


def whole(item: Item) -> str:
    """Say all that a person may want to know about an item."""
    times = f"{item.attempts} time{'' if item.attempts == 1 else 's'}"
    facts = {
        "What": f"{value_words(item)}, {time_words(item)}".rstrip(", "),
        "Subject": f"{item.subject_name} ({item.subject_id})",
        "User": f"{item.username} at {item.server}",
        "State": state_words(item),
        "Recorded": f"{local_time(item.created)} on {item.rig}",
        "Sent": local_time(item.sent_at) or (times if item.attempts else "not yet"),
        "On Alyx": item.server_id or "",
        "On another animal": item.misplaced or "",
        "Narrative": str(item.values.get("narrative") or ""),
    }
    lines = [f"{name}: {text}" for name, text in facts.items() if text]
    return "\n".join(([why(item), ""] if why(item) else []) + lines)


def choices(item: Item) -> Choices:
    """Say what a person can do with an item.

    Returns: reasons, empty where it can be done.
    """
    done = {
        State.SENDING: "It is being sent at this moment.",
        State.SENT: "It was sent: change it on Alyx.",
        State.DISCARDED: "It was discarded: record it anew.",
    }.get(item.state, "")
    if done:
        return Choices(done, done, done)
    if item.state is State.UNSURE:
        reason = (
            "It was sent, but no answer came: it may be on Alyx. It is looked for there first, which needs it as it is."
        )
        return Choices(reason, reason, "")
    edit = ""
    if item.misplaced is not None:
        edit = "It left a record on another animal, which has to be withdrawn first: retry it."
    elif item.server_id is not None:
        edit = "It is on Alyx already, but not as it was sent: correct the record there, then retry."
    return Choices("", edit, "")


def discard_words(item: Item, followers: Iterable[Item] = ()) -> str:
    """Say what is lost by discarding an item."""
    moment = time_words(item)
    text = (
        f"{value_words(item)}{f' of {moment}' if moment else ''} of {item.subject_name} is not sent to {item.server} "
        "then. It stays listed under “Sent” as discarded."
    )
    if item.misplaced is not None:
        text += f" A record of it is on another animal ({item.misplaced}) and stays there: delete it on Alyx."
    elif item.server_id is not None:
        text += f" It is on Alyx already, though not as it was sent ({item.server_id}), and stays there."
    elif item.state is State.UNSURE:
        text += " It was sent, but no answer came: it may be on Alyx already, and stays there then. Look there."
    waiting = [value_words(other) for other in followers]
    if waiting:
        text += f" What belongs to it is not sent either, until you look at it: {', '.join(waiting)}."
    return text


def count_words(waiting: int, needing: int) -> str:
    """Say how much waits.

    Returns: for example ``"3 waiting, 1 needs you"``; empty for nothing.
    """
    parts = [f"{waiting} waiting"] if waiting else []
    if needing:
        parts.append(f"{needing} need{'s' if needing == 1 else ''} you")
    return ", ".join(parts)


def describe(item: Item) -> str:
    """Say in a few words what an item is.

    Returns: for example ``weighing of ea04: 24.5 g``.
    """
    what = f"{item.kind.value.replace('_', ' ')} of {item.subject_name}"
    if item.kind in NUMBER_OF:
        name, unit = NUMBER_OF[item.kind]
        return f"{what}: {item.values[name]:g} {unit}"
    started = item.values.get("start_time")
    return f"{what}: {started[:16].replace('T', ' ')}" if isinstance(started, str) else what
