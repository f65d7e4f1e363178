"""What the dialog *Register on Alyx* shows of a session and one of its animals, in words; no Qt."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from alyx_connector.zones.moments import lab_zone
from pybpod_alyx_module.animals.alyx_subject import server_name
from pybpod_alyx_module.gui.words import cell
from pybpod_alyx_module.lab_time import lab_span
from pybpod_alyx_module.outbox.items import State
from pybpod_alyx_module.sessions.advice import advise

if TYPE_CHECKING:
    from pybpod_alyx_module.rig_settings import RigSettings
    from pybpod_alyx_module.sessions.prepared_session import Choice, PreparedSession

_FORMAT = "%Y-%m-%d %H:%M:%S"


@dataclass(frozen=True)
class SessionSummary:
    """Nothing of it depends on what is typed: it is made when a session was read or checked, or an animal chosen."""

    #: As whom it is written, and where.
    user: str
    #: Empty where nobody chose yet.
    animal: str
    #: Protocol, number, trials, times.
    facts: str
    #: Why it cannot be registered as it is: a sentence each.
    blocking: tuple[str, ...]
    #: What else the person should read: a sentence each.
    notes: tuple[str, ...]


def summarise(
    prepared: PreparedSession, choice: Choice | None, settings: RigSettings, *, chosen: bool
) -> SessionSummary:
    """Put a session into words.

    ``choice``: None where a person has yet to say which animal was on the rig.
    ``chosen``: whether a person said it.
    """
    if choice is None:
        return SessionSummary(_user(prepared.choices), "", _facts_without_animal(prepared), (_which(prepared),), ())
    advice = advise(prepared, choice, settings, chosen=chosen)
    notes = (*_earlier(choice), *(advice.notes if prepared.checked_on_alyx else ()))
    return SessionSummary(_user((choice,)), choice.animal.nickname, _facts(prepared, choice), advice.blocking, notes)


def _user(choices: tuple[Choice, ...]) -> str:
    accounts = {(choice.username, choice.server) for choice in choices}
    if len(accounts) != 1:
        return "on Alyx"
    ((username, server),) = accounts
    return f"as {username} at {server_name(server)}" if username else "nobody is connected to Alyx"


def _which(prepared: PreparedSession) -> str:
    if not prepared.choices:
        return "The session lists no subject that is linked to Alyx. Sync the project first."
    names = ", ".join(choice.animal.nickname for choice in prepared.choices)
    return f"The session lists {names}. Say which one was on the rig."


def _trials(prepared: PreparedSession) -> str:
    count = prepared.file.n_trials
    return "1 trial" if count == 1 else f"{count} trials"


def _facts_without_animal(prepared: PreparedSession) -> str:
    file = prepared.file
    span = f"{file.started:{_FORMAT}} to {file.end:%H:%M:%S} (the rig's clock)"
    return f"{cell(file.protocol)} · {span} · {_trials(prepared)}"


def _facts(prepared: PreparedSession, choice: Choice) -> str:
    file = prepared.file
    start, end = lab_span(file.started, file.end, lab_zone(choice.lab_timezone))
    until = f"{end:%H:%M:%S}" if end.date() == start.date() else f"{end:{_FORMAT}}"
    zone = f"lab time, {choice.lab_timezone}" if choice.lab_timezone else "the rig's clock"
    record = choice.earlier.record if choice.earlier is not None else None
    number = "next of that day" if record is None else str(record.get("number"))
    return (
        f"Task protocol {cell(file.protocol)} · number: {number} · {_trials(prepared)}\n"
        f"{start:{_FORMAT}} to {until} ({zone}) · lab {cell(choice.animal.lab or 'not known')}"
    )


def _earlier(choice: Choice) -> tuple[str, ...]:
    earlier = choice.earlier
    if earlier is None:
        return ()
    water = " Update leaves its water as it is: correct that on Alyx, or while it waits in the Alyx outbox."
    if earlier.session_id is not None:
        where = f"This session is already on Alyx ({earlier.session_id}). Update changes that record."
    elif earlier.item is not None and earlier.item.state in {State.SENDING, State.UNSURE}:
        where = "This session was sent, but Alyx has not confirmed it yet. Update is sent after it, as a change of it."
    else:
        where = "This session waits in the Alyx outbox. Update changes what will be sent."
    return (f"{where}{water if earlier.water else ''}",)
