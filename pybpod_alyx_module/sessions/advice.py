"""What a person is told and offered before a session is registered; pure. No Qt."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any, Final

from pybpod_alyx_module.sessions.concerns import Concern, ConcernKind, concerns
from pybpod_alyx_module.sessions.register import Order
from pybpod_alyx_module.sessions.water_earned import WaterEarned, water_earned

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping
    from decimal import Decimal

    from pybpod_alyx_module.rig_settings import RigSettings, SessionSettings
    from pybpod_alyx_module.sessions.prepare import Choice, Prepared

#: What need not be told before a session that is registered without a question: it changes nothing that is decided.
HARMLESS: Final = frozenset({ConcernKind.CLOCKS, ConcernKind.OVER_MIDNIGHT, ConcernKind.NOT_ASKED})


#: The settings that a session depends on; a wrong one of another kind is told elsewhere.
_SETTINGS: Final = tuple(
    f"ALYX_PLUGIN_{name} "
    for name in (
        "REGISTER_SESSIONS", "LOCATION", "PROJECTS", "PROCEDURES", "SESSION_TYPE", "TEST_SUBJECTS", "WATER_VARIABLE",
        "WATER_UNIT",
    )
)  # fmt: skip


@dataclass(frozen=True)
class Advice:
    """What is told about a session and one of its animals."""

    #: Why it cannot be registered as it is: a sentence each.
    blocking: tuple[str, ...] = ()
    #: What else speaks against it, or should be known.
    told: tuple[str, ...] = ()
    #: Whether something of it should be read by a person before the session is registered.
    asks: bool = False


@dataclass(frozen=True)
class Fields:
    """What the fields start with."""

    location: str = ""
    projects: str = ""
    procedures: str = ""
    type: str = ""
    narrative: str = ""


def advise(prepared: Prepared, choice: Choice, settings: RigSettings, *, chosen: bool) -> Advice:
    """Say what speaks against registering a session for an animal.

    Returns: what blocks, and what is only told.
    """
    known = choice.known
    found = [
        concern
        for concern in concerns(
            prepared.file,
            choice.animal,
            choice.username,
            settings.sessions,
            on_rig=choice.on_rig,
            chosen=chosen or known is not None,
            lab_timezone=choice.lab_timezone,
            same_day=choice.same_day,
            allowed_users=choice.allowed_users,
            session_id=known.session_id if known is not None else None,
        )
        if not _said_otherwise(concern, choice)
    ]
    blocking = [concern.text for concern in found if concern.blocks]
    if not choice.server:
        blocking.append(
            f"The file of {choice.subject.name} does not name its Alyx server. Right-click the project, choose Sync "
            "to Alyx, and sync."
        )
    elif not choice.username:
        blocking.append(
            f"Nobody was connected to {choice.server} from here yet. Right-click the project, choose Sync to Alyx, "
            "connect, then press Check again."
        )
    if known is not None and known.waits_elsewhere:
        blocking.append(
            f"This session waits in the Alyx outbox of the computer {known.host}: change it there, or wait until it "
            "was sent from there and press Check again."
        )
    elsewhere = [other.animal.nickname for other in prepared.choices if other.known is not None and other is not choice]
    twice = [
        f"This session was registered for {name} already. To register it for {choice.animal.nickname}, too, would put "
        "its trials on both."
        for name in elsewhere
        if known is None
    ]
    untold = [] if choice.lab_timezone is not None else [_untold_zone(prepared, choice)]
    problems = [problem for problem in settings.problems if problem.startswith(_SETTINGS)]
    told = [
        *twice,
        *untold,
        *(concern.text for concern in found if not concern.blocks),
        *choice.not_checked,
        *problems,
    ]
    asks = bool(blocking or twice or untold or problems) or any(concern.kind not in HARMLESS for concern in found)
    return Advice(tuple(blocking), tuple(told), asks)


def earned(prepared: Prepared, choice: Choice, settings: RigSettings) -> WaterEarned:
    """Say how much water is to be recorded with a session.

    Returns: empty where no variable is set, or the water was recorded already.
    """
    if choice.known is not None and choice.known.water:
        return WaterEarned()
    return water_earned(prepared.file, settings.sessions, killed=prepared.recorded.killed)


def fields_of(choice: Choice, settings: SessionSettings) -> Fields:
    """Say what the fields start with: the earlier registration, else the settings, else the animal."""
    known = choice.known
    before: Mapping[str, Any] | None = None
    if known is not None:
        before = known.record if known.record is not None else (known.item.values if known.item is not None else None)
    if before is not None:
        return Fields(
            str(before.get("location") or ""),
            ", ".join(map(str, before.get("projects") or ())),
            ", ".join(map(str, before.get("procedures") or ())),
            str(before.get("type") or ""),
            str(before.get("narrative") or ""),
        )
    projects = choice.animal.projects if settings.projects is None else settings.projects
    return Fields(settings.location or "", ", ".join(projects), ", ".join(settings.procedures), settings.type or "")


def with_fields(settings: SessionSettings, fields: Fields) -> SessionSettings:
    """Put what stands in the fields into the settings of one session."""
    return replace(
        settings,
        location=fields.location.strip() or None,
        projects=_names(fields.projects),
        procedures=_names(fields.procedures),
        type=fields.type.strip() or None,
    )


def plain_order(prepared: Prepared, settings: RigSettings) -> Order | None:
    """Make the order of a session as it is, where no person has to answer anything.

    Returns: None where it was registered before, more than one animal comes into question, something blocks it, or
    the amount of water is not certain.
    ``prepared``: the session; Alyx was asked, as far as it could be.
    """
    choice = prepared.default
    if choice is None or choice.known is not None or advise(prepared, choice, settings, chosen=False).blocking:
        return None
    water = earned(prepared, choice, settings)
    if water.ask:
        return None
    fields = with_fields(settings.sessions, fields_of(choice, settings.sessions))
    return Order(prepared, choice, fields, water=water.amount or None, water_type=choice.water_type)


def without_asking(prepared: Prepared, settings: RigSettings) -> Order | None:
    """Make the order of a session about which nothing has to be told either.

    Returns: None where a person has something to say or to read.
    ``prepared``: the session; Alyx was asked, as far as it could be.
    """
    order = plain_order(prepared, settings)
    if order is None or advise(prepared, order.choice, settings, chosen=False).asks:
        return None
    return order


def number_text(amount: Decimal) -> str:
    """Return an amount of water as a field shows it."""
    return f"{amount:f}"


def _said_otherwise(concern: Concern, choice: Choice) -> bool:
    # of a zone that was never told it is not known that Alyx has none; where the record is ours, it is no second one
    return (concern.kind is ConcernKind.CLOCKS and choice.lab_timezone is None) or (
        choice.known is not None
        and choice.known.session_id is not None
        and concern.kind in {ConcernKind.SAME_SESSION, ConcernKind.NOT_ASKED, ConcernKind.SECOND_SESSION}
    )


def _untold_zone(prepared: Prepared, choice: Choice) -> str:
    return (
        f"The time zone of the lab {choice.animal.lab or 'of this animal'} was never told from here: the times are "
        f"sent as this rig's clock showed them, {prepared.file.started:%Y-%m-%d %H:%M}. Where the lab's clock differs, "
        "register it when Alyx can be asked."
    )


def _names(text: str) -> tuple[str, ...]:
    parts: Iterable[str] = (part.strip() for part in text.split(","))
    return tuple(dict.fromkeys(part for part in parts if part))
