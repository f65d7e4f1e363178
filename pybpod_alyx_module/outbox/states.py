"""How an item's state changes: pure, and the only place where it does.

::

                 claim                arrive
      waiting ──────────► sending ──────────────────► sent
       ▲  ▲ │ postpone,      │  │ lose, abandon         ▲
       │  │ │ misplace ◄─────┤  ▼                       │ arrive
       │  │ │ (withdraw)     │ unsure ──────────────────┘
       │  │ │                │  │ miss, misplace: waiting
       │  │ │ park           │  │ differ: parked
       │  │ └────► parked ◄──┴──┘
       │  └─ retry, edit ─┘
      add            discard: from waiting, parked and, when asked for, unsure

What is held, see `Draft`, is added as *parked*.

Only a look on Alyx leads from *unsure* to *waiting*, and an unsure item never changes its values: the look needs them.
"""

from __future__ import annotations

from dataclasses import replace
from enum import Enum
from typing import TYPE_CHECKING, Any, NoReturn

from pybpod_alyx_module.errors import OutboxError
from pybpod_alyx_module.outbox.items import MOVES as RECORD_MOVES
from pybpod_alyx_module.outbox.items import UNCLAIMED, Kind, State, WaitsFor
from pybpod_alyx_module.outbox.words import describe, refusal, unclaimed_words

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping
    from datetime import datetime

    from pybpod_alyx_module.outbox.items import Item


#: How often the server may fail with an item (status 500) before a person has to look at it.
FAULT_LIMIT = 3


class Event(Enum):
    """What happened to an item, or what a person wants done with it."""

    #: The sender is about to send it.
    CLAIM = "claim"
    #: It could not be sent now, or not looked for; nothing was written.
    POSTPONE = "postpone"
    #: It was sent, and it is not known whether it arrived, or where.
    LOSE = "lose"
    #: It was being sent by a sender that is gone.
    ABANDON = "abandon"
    #: It is on Alyx, on the right animal.
    ARRIVE = "arrive"
    #: It was looked for and is not on Alyx.
    MISS = "miss"
    #: It is on Alyx, on another animal.
    MISPLACE = "misplace"
    #: The record on the other animal is gone.
    WITHDRAW = "withdraw"
    #: It is on Alyx, but not as it was sent.
    DIFFER = "differ"
    #: It cannot be sent as it is; nothing of it is on Alyx.
    PARK = "park"
    #: A person gives its record, which is on Alyx, to another animal; another item changes the record.
    GIVE = "give"
    #: The same for a record that cannot be changed: it is withdrawn, and made anew.
    REMAKE = "remake"
    #: A person gives up what was to give its record to another animal: the record stays where it is.
    GIVE_BACK = "give_back"
    #: A person gives it to another animal before anything of it was sent.
    REASSIGN = "reassign"
    #: The server has no place for it, and nothing depends on it.
    GIVE_UP = "give_up"
    #: A person wants it sent again.
    RETRY = "retry"
    #: A person corrected it.
    EDIT = "edit"
    #: A person gives it up.
    DISCARD = "discard"


#: What a person may want, and what is said where it is refused.
_WISHES = {Event.RETRY: "retried", Event.EDIT: "edited", Event.DISCARD: "discarded"}

_WAITING, _SENDING, _SENT = State.WAITING, State.SENDING, State.SENT
_UNSURE, _PARKED, _DISCARDED = State.UNSURE, State.PARKED, State.DISCARDED

#: Which state follows; what is not here does not happen.
MOVES: dict[tuple[State, Event], State] = {
    (_WAITING, Event.CLAIM): _SENDING,
    (_WAITING, Event.POSTPONE): _WAITING,
    (_WAITING, Event.WITHDRAW): _WAITING,
    (_WAITING, Event.PARK): _PARKED,
    (_WAITING, Event.RETRY): _WAITING,
    (_WAITING, Event.EDIT): _WAITING,
    (_WAITING, Event.DISCARD): _DISCARDED,
    (_SENDING, Event.POSTPONE): _WAITING,
    (_SENDING, Event.LOSE): _UNSURE,
    (_SENDING, Event.ABANDON): _UNSURE,
    (_SENDING, Event.ARRIVE): _SENT,
    (_SENDING, Event.MISPLACE): _WAITING,
    (_SENDING, Event.DIFFER): _PARKED,
    (_SENDING, Event.PARK): _PARKED,
    (_UNSURE, Event.POSTPONE): _UNSURE,
    (_UNSURE, Event.LOSE): _UNSURE,
    (_UNSURE, Event.ARRIVE): _SENT,
    (_UNSURE, Event.MISS): _WAITING,
    (_UNSURE, Event.MISPLACE): _WAITING,
    (_UNSURE, Event.DIFFER): _PARKED,
    (_UNSURE, Event.DISCARD): _DISCARDED,
    (_SENT, Event.GIVE): _SENT,
    (_SENT, Event.REMAKE): _WAITING,
    (_SENT, Event.GIVE_BACK): _SENT,
    (_WAITING, Event.GIVE_BACK): _SENT,
    (_PARKED, Event.GIVE_BACK): _SENT,
    (_WAITING, Event.REASSIGN): _WAITING,
    (_PARKED, Event.REASSIGN): _WAITING,
    (_WAITING, Event.GIVE_UP): _DISCARDED,
    (_SENDING, Event.GIVE_UP): _DISCARDED,
    (_PARKED, Event.RETRY): _WAITING,
    (_PARKED, Event.EDIT): _WAITING,
    (_PARKED, Event.DISCARD): _DISCARDED,
}


def allowed(item: Item) -> frozenset[Event]:
    """Return what a person may do with an item now, of ``RETRY``, ``EDIT`` and ``DISCARD``.

    Where `leaves_a_record`, the person has to know it before discarding.
    """
    events = {event for event in _WISHES if (item.state, event) in MOVES}
    if item.server_id is not None or item.misplaced is not None or item.kind in RECORD_MOVES:
        events.discard(Event.EDIT)
    return frozenset(events)


def why_not(item: Item, wish: Event) -> str:
    """Say why a person may not do something with an item now, and what to do instead; empty if it is `allowed`."""
    return "" if wish in allowed(item) else " ".join(refusal(item)).rstrip()


def leaves_a_record(item: Item) -> bool:
    """Tell whether something of an item is on Alyx, or may be, and stays there if the item is discarded."""
    return item.state is State.UNSURE or item.server_id is not None or item.misplaced is not None


def move(
    item: Item,
    event: Event,
    *,
    reason: str = "",
    hint: str = "",
    waits_for: WaitsFor = WaitsFor.NOTHING,
    server_id: str | None = None,
    fault: bool = False,
    now: datetime | None = None,
    values: Mapping[str, Any] | None = None,
    even_if_unsure: bool = False,
    subject: tuple[str, str] | None = None,
    follows: str | None = None,
    sent_as: str | None = None,
) -> Item:
    """Return an item as it is after an event.

    ``waits_for``: what it waits for, for ``POSTPONE``, and whether it is its user, for ``PARK``; otherwise its new
    state tells.
    ``server_id``: id of the record on Alyx, for ``ARRIVE``, ``MISPLACE``, ``DIFFER`` and, where it is known,
    ``LOSE``.
    ``fault``: whether the server failed with this item (status 500): after `FAULT_LIMIT` of them it is parked.
    ``now``: when, UTC, for ``ARRIVE`` and ``GIVE_BACK``.
    ``values``: the new values, for ``EDIT`` and ``REASSIGN``.
    ``even_if_unsure``: for ``DISCARD``: whether the person knows that it may stay on Alyx.
    ``subject``: id and name of the animal, for ``GIVE``, ``REMAKE``, ``GIVE_BACK`` and ``REASSIGN``.
    ``follows``: key of the item that has to be on Alyx before, for ``REMAKE``.
    ``sent_as``: under which time the server is about to be sent it, for ``CLAIM``; None for one without.
    """
    state = MOVES.get((item.state, event))
    if state is None or (event in _WISHES and event not in allowed(item)):
        _refuse(item, event)
    faults = item.faults + fault
    if event in {Event.MISS, Event.POSTPONE} and state is _WAITING and faults >= FAULT_LIMIT:
        # After a look that found nothing, what the server said when it failed is what helps.
        words = item.reason if event is Event.MISS else reason
        state, reason = _PARKED, f"{words} Tried {faults} times."
        hint = "Correct it, or retry when the server works again."
    changed = replace(
        item,
        state=state,
        reason=reason.strip(),
        hint=hint,
        waits_for=_waits_for(state, event, waits_for),
        faults=faults,
        server_id=None,
        revision=item.revision + 1,
    )
    match event:
        case Event.CLAIM:
            if item.misplaced is not None:
                _refuse(item, event)
            new = () if sent_as is None or sent_as in item.sent_as else (sent_as,)
            return replace(changed, attempts=item.attempts + 1, sent_as=(*item.sent_as, *new), reason="", hint="")
        case Event.ARRIVE:
            return replace(changed, server_id=server_id, sent_at=now, faults=0)
        case Event.LOSE | Event.DIFFER:
            return replace(changed, server_id=server_id)
        case Event.POSTPONE:
            return replace(changed, server_id=item.server_id)
        case Event.GIVE | Event.REMAKE if subject is not None:
            given = replace(changed, subject_id=subject[0], subject_name=subject[1])
            if event is Event.GIVE:
                return replace(given, server_id=item.server_id)
            origin = {**item.origin, "moved_from": item.subject_name}
            why = f"It is withdrawn from {item.subject_name} first, then recorded for {subject[1]}."
            given = replace(given, misplaced=item.server_id, sent_at=None, origin=origin, reason=why)
            return replace(given, follows=follows or item.follows)
        case Event.GIVE_BACK if subject is not None:
            back = replace(changed, subject_id=subject[0], subject_name=subject[1], misplaced=None)
            if item.misplaced is None:
                return replace(back, server_id=item.server_id)
            origin = {name: value for name, value in item.origin.items() if name != "moved_from"}
            return replace(back, server_id=item.misplaced, sent_at=now, origin=origin, follows=None)
        case Event.REASSIGN if subject is not None:
            given = replace(changed, subject_id=subject[0], subject_name=subject[1], faults=0, sent_as=())
            return given if values is None else replace(given, values=values)
        case Event.MISPLACE:
            return replace(changed, misplaced=server_id)
        case Event.WITHDRAW:
            return replace(changed, misplaced=None)
        case Event.RETRY if item.server_id is not None:
            return replace(changed, state=_UNSURE, server_id=item.server_id, faults=0)
        case Event.RETRY:
            return replace(changed, faults=0)
        case Event.EDIT:
            return replace(changed, faults=0, sent_as=(), values=item.values if values is None else values)
        case Event.DISCARD:
            if leaves_a_record(item) and not even_if_unsure:
                _refuse(item, event)
            return replace(changed, server_id=item.server_id, reason=item.reason, hint="")
    return changed


def held_for_its_user(item: Item, why: str) -> Item:
    """Return an item as it waits for a person to say who recorded it.

    ``why``: why that is asked; empty where it need not be. What nobody said they recorded waits all the same.
    """
    if why and item.number == 0:  # new: it is of whoever says so, also after a restart
        item = replace(item, origin={**item.origin, UNCLAIMED: True})
    if item.origin.get(UNCLAIMED):
        why = why or unclaimed_words(item)
    if not why or item.state is not State.WAITING:
        return item
    return move(
        item, Event.PARK, reason=why, hint="Retry it in Alyx outbox to be asked again.", waits_for=WaitsFor.USER
    )


def claimed(item: Item, username: str) -> Item:
    """Return a parked item as it is once this user said who they are: theirs, if it was nobody's yet."""
    origin, values = dict(item.origin), dict(item.values)
    if origin.pop(UNCLAIMED, False):
        if values.get("users") == [item.username]:  # a session's
            values["users"] = [username]
        item = replace(item, username=username, values=values, origin=origin, revision=item.revision + 1)
    return move(item, Event.RETRY) if item.waits_for is WaitsFor.USER else item


def _waits_for(state: State, event: Event, postponed_for: WaitsFor) -> WaitsFor:
    if state is _PARKED:
        return WaitsFor.USER if postponed_for is WaitsFor.USER else WaitsFor.PERSON
    if event is Event.POSTPONE:
        return postponed_for
    return WaitsFor.PAUSE if state is _UNSURE else WaitsFor.NOTHING


def _refuse(item: Item, event: Event) -> NoReturn:
    reason, hint = refusal(item, discarding=event is Event.DISCARD)
    wish = _WISHES.get(event, f"changed by “{event.value}”")
    raise OutboxError(f"{describe(item)} ({item.key}) cannot be {wish}. {reason}", hint=hint)


def in_line(items: Iterable[Item], sent_sessions: Mapping[str, str | None]) -> list[Item]:
    """Return items with what holds each of them up, see `Item.behind`.

    An item that is waiting, being sent or unsure holds up the later ones of its animal; if it waits for a login, of
    other users only what truly follows it: what belongs to it, and changes of the record that it changes. A parked one
    holds up only what belongs to it, and that holds up nobody; nor does a note.

    ``items``: all that still have to reach Alyx, as they are kept, in the order in which they were added.
    ``sent_sessions``: ids on Alyx of the sessions that others follow, by key.
    """
    found: dict[str, Item] = {}
    lines: dict[tuple[str, str], list[Item]] = {}
    for item in _in_order(items):
        line = lines.setdefault(item.animal, [])
        holder, parked = None, False
        if item.state is not State.PARKED:
            session = found.get(item.follows or "")
            parked = item.state is State.WAITING and session is not None and session.state is State.PARKED
            holder = session if parked else _first_before(item, line, sent_sessions)
            if holder is None and item.state is State.WAITING:
                holder = session  # of another animal: a note tells of a move on both pages
        placed = item if holder is None else replace(item, behind=holder.behind or holder)
        found[item.key] = placed
        if item.state is not State.PARKED and not parked and item.kind is not Kind.NOTE:
            line.append(placed)
    return list(found.values())


def _in_order(items: Iterable[Item]) -> list[Item]:
    # As they were added, but what came to follow a later one (a weight goes with a session that is moved) after that.
    by_key = {item.key: item for item in items}

    def place(item: Item) -> tuple[int, bool, int]:
        first = by_key.get(item.follows or "")
        is_later = first is not None and first.number > item.number
        return (first.number if first is not None and is_later else item.number), is_later, item.number

    return sorted(by_key.values(), key=place)


def _first_before(item: Item, line: Iterable[Item], sent_sessions: Mapping[str, str | None]) -> Item | None:
    changed = _changed_record(item, sent_sessions)
    for earlier in line:
        first = earlier.behind or earlier
        if not first.wants_login or first.username == item.username:
            return earlier
        if earlier.key == item.follows or (changed and changed == _changed_record(earlier, sent_sessions)):
            return earlier
    return None


def _changed_record(item: Item, sent_sessions: Mapping[str, str | None]) -> str | None:
    # By its id on Alyx, or, while the session has none, by the key of that.
    if item.kind is Kind.SESSION_UPDATE and item.values.get("id") is None:
        return sent_sessions.get(item.follows or "") or item.follows
    return item.values.get("id")


def stays_behind(item: Item, first: Item) -> bool:
    """Tell whether an item cannot be sent any more because the session that it follows was given up.

    A weight that is given to another animal goes with a session, but does not need it.
    """
    return first.state is State.DISCARDED and item.state is State.WAITING and item.kind is not Kind.WEIGHING


def heads(items: Iterable[Item]) -> list[Item]:
    """Return the items that nothing holds up, of items that are `in_line`."""
    return [item for item in items if item.state is not State.PARKED and item.behind is None]
