"""What an outbox holds: frozen values."""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import Enum
from typing import TYPE_CHECKING, Any, Final

if TYPE_CHECKING:
    from collections.abc import Mapping
    from datetime import datetime


class Kind(str, Enum):
    """What is written to Alyx."""

    #: A new session: ``POST /sessions``.
    SESSION = "session"
    #: Fields of a session that is there: ``PATCH /sessions/<id>``.
    SESSION_UPDATE = "session_update"
    #: A session that is there, for another animal: ``PATCH /sessions/<id>``.
    SESSION_MOVE = "session_move"
    #: A water administration that is there, for another animal: ``PATCH /water-administrations/<id>``.
    WATER_MOVE = "water_move"
    #: A new weighing: ``POST /weighings``.
    WEIGHING = "weighing"
    #: A new water administration: ``POST /water-administrations``.
    WATER = "water"
    #: A new note on the page of an animal: ``POST /notes``.
    NOTE = "note"


#: What gives a record to another animal.
MOVES: Final = frozenset({Kind.SESSION_MOVE, Kind.WATER_MOVE})


class State(str, Enum):
    """Where an item stands."""

    #: To be sent; nothing of it is on Alyx.
    WAITING = "waiting"
    #: Being sent.
    SENDING = "sending"
    #: On Alyx, on the right animal.
    SENT = "sent"
    #: Sent, but no answer came: it may be on Alyx or not.
    UNSURE = "unsure"
    #: A person has to look at it: the server refused it, or it cannot be sent as it is.
    PARKED = "parked"
    #: Given up by a person; stays listed.
    DISCARDED = "discarded"


class WaitsFor(str, Enum):
    """What an item waits for before it gets any further."""

    #: Its turn, or nothing at all.
    NOTHING = ""
    #: Its user, who has to log in.
    LOGIN = "login"
    #: The session that it follows, which is parked: only in files of earlier programs, now `Item.behind` tells.
    SESSION = "session"
    #: The end of a pause: its own, or that of its server or account; or of the life of a request without an answer.
    PAUSE = "pause"
    #: A person, who has to correct, retry or discard it.
    PERSON = "person"
    #: A person, who has to say who recorded it.
    USER = "user"


#: In the `origin` of what was recorded while the zone of its lab was not known: its time is this computer's.
COMPUTER_TIME: Final = {"clock": "computer"}

#: In the `origin` of what was recorded before anybody said who is at the rig; taken out when somebody says so.
UNCLAIMED: Final = "unclaimed"

#: In the `origin` of what was corrected without a person: what became what, and when; a sentence each.
CORRECTED: Final = "corrected"

#: States of what still has to reach Alyx.
OPEN = (State.WAITING, State.SENDING, State.UNSURE, State.PARKED)


@dataclass(frozen=True)
class Draft:
    """What is to be written to Alyx, before it is in the outbox.

    ``values`` are the fields as Alyx takes them, without ``subject`` and, for weighings and water, without ``user``:
    both are added when it is sent. Times are lab time with its offset, ISO: they are made what the server takes when
    they are sent. One without an offset is lab time as well, read by the zone that the lab has when it is sent.

    - session: see ``POST /sessions``. Without ``number`` it becomes the next of that day for that subject, without
      ``users`` it is that of `username`.
    - session_update: the fields to change; ``json`` is merged into what the session has, nothing in it is lost. The
      session is the one that `follows` names, else ``id`` in the values: its id on Alyx.
    - session_move, water_move: ``id`` of the record on Alyx, ``from_id`` and ``from_name`` of the animal that has it;
      with a session ``lab``, and ``sentence``: what its narrative says besides who moved it; may be empty.
    - weighing: ``weight`` (g), ``date_time``.
    - note: ``text``. It follows the move of a session that it tells of, which may be of the other animal.
    - water: ``water_administered`` (mL), ``date_time``, and where wanted ``water_type``, ``adlib``, ``session``. With
      `follows` the session is that of the item it follows.
    """

    #: What it is.
    kind: Kind
    #: Address of the server.
    server: str
    #: Who sends it: it is never sent as somebody else.
    username: str
    #: Id (UUID) of the subject on Alyx.
    subject_id: str
    #: Nickname when it was recorded: for people only.
    subject_name: str
    #: The fields, see above; JSON.
    values: Mapping[str, Any]
    #: Key of the item that must be on Alyx before: the session that water was given in, or that is changed. A number is
    #: the place of that session among what is added together with this, from 0.
    follows: str | int | None = None
    #: Why a person has to say so before it is sent; empty to send it.
    held: str = ""
    #: Where it comes from, for example project and session of PyBpod; JSON, not sent.
    origin: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True)
class Item:
    """What is in the outbox."""

    #: The order in which items were added.
    number: int
    #: UUID, made when it was added. That of a session stands in its ``json`` on Alyx.
    key: str
    kind: Kind
    server: str
    username: str
    subject_id: str
    subject_name: str
    #: See `Draft`; a ``date_time`` has microseconds that no other item has.
    values: Mapping[str, Any]
    follows: str | None
    #: When it was added, UTC.
    created: datetime
    #: Name of this computer.
    rig: str
    origin: Mapping[str, Any]
    state: State = State.WAITING
    #: Why it is in that state, a sentence; may be empty.
    reason: str = ""
    #: What to do next; may be empty.
    hint: str = ""
    #: What it waits for: decides what windows offer. `reason` and `hint` only say it to a person.
    waits_for: WaitsFor = WaitsFor.NOTHING
    #: How often it was sent.
    attempts: int = 0
    #: How often in a row the server failed with it (status 500).
    faults: int = 0
    #: Id of the record on Alyx; also while it still has to be compared, or differs from the item.
    server_id: str | None = None
    #: When it was known to be on Alyx, UTC.
    sent_at: datetime | None = None
    #: Id of a record of ours that is on another animal and has to be withdrawn first.
    misplaced: str | None = None
    #: The times under which it was ever sent, as the server was sent them: under these it is looked for.
    sent_as: tuple[str, ...] = ()
    #: Counts the changes of this item.
    revision: int = 0
    #: The item that holds it up, which gets further by itself or by a person; None where nothing does. Worked out when
    #: it is read, see `outbox.states.in_line`, never kept.
    behind: Item | None = None

    @property
    def account(self) -> tuple[str, str]:
        """Server and user."""
        return self.server, self.username

    @property
    def animal(self) -> tuple[str, str]:
        """Server and id of the subject."""
        return self.server, self.subject_id

    @property
    def wants_login(self) -> bool:
        """Whether it waits until its user logs in."""
        return self.waits_for is WaitsFor.LOGIN and self.state in {State.WAITING, State.UNSURE}

    @property
    def needs_person(self) -> bool:
        """Whether it gets no further without a person."""
        return self.state is State.PARKED or self.wants_login


@dataclass(frozen=True)
class Counts:
    """How many items still have to reach Alyx."""

    waiting: int = 0
    sending: int = 0
    unsure: int = 0
    parked: int = 0

    @property
    def open(self) -> int:
        """All of them."""
        return self.waiting + self.sending + self.unsure + self.parked
