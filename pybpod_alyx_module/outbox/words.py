"""What the outbox holds, in words: the only place that names its states and says what an item is."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from pybpod_alyx_module.outbox.items import COMPUTER_TIME, CORRECTED, MOVES, Kind, State, WaitsFor

if TYPE_CHECKING:
    from collections.abc import Iterable
    from datetime import datetime

    from pybpod_alyx_module.outbox.items import Item

_STATES: Final = {
    State.WAITING: "waiting",
    State.SENDING: "being sent",
    State.SENT: "sent",
    State.UNSURE: "may be on Alyx",
    State.PARKED: "action needed",
    State.DISCARDED: "discarded",
}

_NAMES: Final = {
    Kind.SESSION: "session",
    Kind.SESSION_UPDATE: "change of a session",
    Kind.SESSION_MOVE: "move of a session",
    Kind.WATER_MOVE: "move of water",
    Kind.WEIGHING: "weight",
    Kind.WATER: "water",
    Kind.NOTE: "note",
}

#: Why a person cannot do something with an item in that state, and what to do instead.
_REFUSALS: Final = {
    State.SENDING: ("It is being sent.", "Try again in a moment."),
    State.SENT: ("It has been sent.", "Change it on Alyx."),
    State.DISCARDED: ("It has been discarded.", "Record it again."),
    State.UNSURE: ("It may already be on Alyx; it cannot be changed until that has been checked.", "Wait until then."),
}


#: What becomes of a record whose move is given up.
_NOT_MOVED: Final = {
    Kind.SESSION_MOVE: (
        "If you discard it, the session is not moved to {1}. On Alyx it stays with {0}, with its water and the weights "
        "that were to go with it. The move stays listed under “Sent” as discarded."
    ),
    Kind.WATER_MOVE: (
        "If you discard it, the water is not moved to {1}. On Alyx it stays with {0}. The move stays listed under "
        "“Sent” as discarded."
    ),
}

#: Why it is not known whether an item arrived that was being sent.
ENDED: Final = "PyBpod ended while it was being sent."
_COMPUTER: Final = (
    "this computer's: the time zone of the lab was not known. Correct the time if it is not what you meant."
)


def state_words(item: Item) -> str:
    """Say where an item stands."""
    if item.state is State.PARKED and item.waits_for is WaitsFor.USER:
        return "say who"
    return "log in to send" if item.wants_login else _STATES[item.state]


def unclaimed_words(item: Item) -> str:
    """Say that it is not known who recorded an item."""
    return f"Nobody has said yet whether {item.username} recorded it."


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
        case Kind.SESSION_MOVE | Kind.WATER_MOVE:
            what = "Session" if item.kind is Kind.SESSION_MOVE else "Water"
            return f"{what} moved from {values.get('from_name')}"
        case Kind.NOTE:
            return f"Note: {values.get('text')}"
    return "Changes to a session"


def time_words(item: Item) -> str:
    """Say when what an item writes happened.

    Returns: lab time to the minute; empty where it has none.
    """
    moment = item.values.get("date_time") or item.values.get("start_time") or ""
    return str(moment).replace("T", " ")[: len("2026-11-21 12:00")]


def is_computer_time(item: Item) -> bool:
    """Tell whether an item has the time of this computer, because the zone of the lab was not known."""
    return COMPUTER_TIME.items() <= item.origin.items()


def local_time(moment: datetime | None) -> str:
    """Say when something was, in this computer's time.

    Returns: to the minute; empty for none.
    ``moment``: with a time zone.
    """
    return "" if moment is None else f"{moment.astimezone():%Y-%m-%d %H:%M}"


def reason_words(item: Item) -> str:
    """Say why an item is not on Alyx yet: what it waits behind, or what went wrong last; empty where nothing did."""
    return _reason_and_hint(item)[0]


def why(item: Item) -> str:
    """Say why an item is not on Alyx yet, and what to do.

    Returns: whole sentences; empty where it is sent next, or was sent.
    """
    return " ".join(part for part in _reason_and_hint(item) if part)


def _reason_and_hint(item: Item) -> tuple[str, str]:
    first = item.behind
    # What keeps it whatever is before it: a login of its own user; a pause of their server.
    paused = WaitsFor.PAUSE is item.waits_for and first is not None and first.waits_for is WaitsFor.PAUSE
    if first is None or item.wants_login or (paused and first.state is State.WAITING):
        return item.reason, item.hint
    own = "the move of its session" if first.kind is Kind.SESSION_MOVE else "its session"
    name = own if first.key == item.follows else f"the {_name_beside(first, item)}"
    if first.state is State.PARKED:
        return f"It waits for {name}, which needs action.", f"Correct, retry or discard {name}."
    if first.wants_login:
        return f"It waits behind {name}, which needs a login of {first.username}.", login_hint(first)
    if first.state is State.UNSURE:
        return f"It waits behind {name}, which may already be on Alyx; that is checked first.", ""
    if first.state is State.SENDING:
        return f"It waits behind {name}, which is being sent.", ""
    if first.waits_for is WaitsFor.PAUSE:
        return f"It waits behind {name}, which could not be sent yet and will be tried again.", ""
    return f"It waits behind {name}, which is sent first.", ""


def login_hint(item: Item) -> str:
    """Say who has to log in where before an item is sent."""
    return f"Log in to {item.server} as {item.username}; then it will be sent."


def look_hint(life_s: float) -> str:
    """Say what becomes of an item without an answer, once its request cannot arrive any more."""
    after = f"{life_s / 60:.0f} min" if life_s >= 60 else f"{life_s:g} s"
    return f"It will be looked for on Alyx after {after} and sent again if it is not there."


def _name_beside(first: Item, item: Item) -> str:
    # Of the same animal: what it is, with its time of day, or its day where that is another.
    moment, day = time_words(first), time_words(item)[: len("2026-11-21")]
    when = moment.removeprefix(day).strip()
    return f"{_NAMES[first.kind]}{f' of {when}' if when else ''}"


def whole(item: Item) -> str:
    """Say all that a person may want to know about an item."""
    times = f"{item.attempts} time{'' if item.attempts == 1 else 's'}"
    facts = {
        "What": f"{value_words(item)}, {time_words(item)}".rstrip(", "),
        "Clock": _COMPUTER if is_computer_time(item) else "",
        "Subject": f"{item.subject_name} ({item.subject_id})",
        "User": f"{item.username} at {item.server}",
        "State": state_words(item),
        "Recorded": f"{local_time(item.created)} on {item.rig}",
        "Sent": local_time(item.sent_at) or (times if item.attempts else "not yet"),
        "On Alyx": item.server_id or "",
        "On another animal": item.misplaced or "",
        "Corrected": " ".join(item.origin.get(CORRECTED, ())),
        "Narrative": str(item.values.get("narrative") or ""),
    }
    lines = [f"{name}: {text}" for name, text in facts.items() if text]
    return "\n".join(([why(item), ""] if why(item) else []) + lines)


def refusal(item: Item, *, discarding: bool = False) -> tuple[str, str]:
    """Say why something cannot be done with an item as it is, and what to do instead; a sentence each.

    ``discarding``: whether it was to be discarded without a word about what would stay on Alyx.
    """
    if item.state in _REFUSALS:
        return _REFUSALS[item.state]
    if item.misplaced is not None and discarding:
        return (
            f"It left a record on another animal ({item.misplaced}), which would stay there.",
            "Retry it, so that the record is withdrawn; or delete that record on Alyx first.",
        )
    if item.misplaced is not None:
        return f"It left a record on another animal ({item.misplaced}), which has to be withdrawn first.", "Retry it."
    if item.server_id is not None:
        return (
            f"It is already on Alyx, but not as it was sent ({item.server_id}).",
            "Correct the record on Alyx, then retry; or discard it here, which leaves the record on Alyx.",
        )
    return f"Its state is “{state_words(item)}”.", ""


def discard_words(item: Item, followers: Iterable[Item] = ()) -> str:
    """Say what is lost by discarding an item."""
    what, moment = value_words(item), time_words(item)
    if item.kind in MOVES and item.server_id is None and item.state is not State.UNSURE:
        return _NOT_MOVED[item.kind].format(item.values["from_name"], item.subject_name)
    text = (
        f"If you discard it, {item.subject_name}'s {what[0].lower()}{what[1:]}{f' ({moment})' if moment else ''} will "
        f"not be sent to {item.server}. It stays listed under “Sent” as discarded."
    )
    if item.misplaced is not None:
        text += f" Its record on another animal ({item.misplaced}) stays there: delete that record on Alyx."
    elif item.server_id is not None:
        text += f" It is already on Alyx, though not as it was sent ({item.server_id}), and stays there."
    elif item.state is State.UNSURE:
        text += " It was sent, but no answer came: it may already be on Alyx, and would stay there. Look on Alyx."
    waiting = [value_words(other) for other in followers]
    if waiting:
        text += f" What belongs to it will wait until you decide about it: {', '.join(waiting)}."
    return text


def count_words(waiting: int, needing: int) -> str:
    """Say how much waits, and how much of it needs a person.

    Returns: for example ``"3 waiting, 1 needs action"``; empty for nothing.
    """
    parts = [f"{waiting} waiting"] if waiting else []
    if needing:
        parts.append(f"{needing} need{'s' if needing == 1 else ''} action")
    return ", ".join(parts)


def describe(item: Item) -> str:
    """Say in a few words what an item is.

    Returns: for example ``"Weight 24.5 g, ea04, 2026-11-21 12:00"``.
    """
    return ", ".join(part for part in (value_words(item), item.subject_name, time_words(item)) if part)


def logged(item: Item) -> str:
    """Say in a line of the log what an item is and where it stands; without texts that a person wrote."""
    what = f"{_NAMES[item.kind]} {item.key} of {item.subject_name} ({item.subject_id})"
    return f"{what}, {item.username} at {item.server}: {state_words(item)}. {reason_words(item)}".rstrip()
