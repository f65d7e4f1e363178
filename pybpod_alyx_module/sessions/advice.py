"""What a person reads before a session is registered, and what the fields start with; pure. No Qt."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any, Final

from pybpod_alyx_module.animals.water import PLAIN_WATER
from pybpod_alyx_module.name_lists import join_names, split_names
from pybpod_alyx_module.names.mend import names_set
from pybpod_alyx_module.sessions.concerns import Concern, ConcernKind, concerns
from pybpod_alyx_module.sessions.register import RegistrationRequest
from pybpod_alyx_module.sessions.water_earned import WaterEarned, water_earned

if TYPE_CHECKING:
    from collections.abc import Mapping
    from decimal import Decimal

    from pybpod_alyx_module.rig_settings import RigSettings, SessionSettings
    from pybpod_alyx_module.sessions.prepared_session import Choice, PreparedSession

#: What nobody needs to read before a session is registered without the dialog: it changes nothing that is decided.
HARMLESS: Final = frozenset({ConcernKind.CLOCKS, ConcernKind.OVER_MIDNIGHT, ConcernKind.NOT_CHECKED})


#: The settings that a session depends on; the check before Run reports wrong ones of other kinds.
_SETTINGS: Final = frozenset(
    f"ALYX_PLUGIN_{name}"
    for name in (
        "REGISTER_SESSIONS", "LOCATION", "PROJECTS", "PROCEDURES", "SESSION_TYPE", "TEST_SUBJECTS", "WATER_VARIABLE",
        "WATER_UNIT", "WATER_VALUES", "WATER_TYPE",
    )
)  # fmt: skip


@dataclass(frozen=True)
class Advice:
    """What speaks against registering a session for one of its animals, or should be read before."""

    #: Why it cannot be registered as it is: a sentence each.
    blocking: tuple[str, ...] = ()
    #: What else speaks against it, or should be read.
    notes: tuple[str, ...] = ()
    #: Whether a person should read it before the session is registered.
    needs_person: bool = False


@dataclass(frozen=True)
class Fields:
    """What the fields start with."""

    location: str = ""
    projects: str = ""
    procedures: str = ""
    type: str = ""
    narrative: str = ""


def advise(prepared: PreparedSession, choice: Choice, settings: RigSettings, *, chosen: bool) -> Advice:
    """Say what speaks against registering a session for an animal."""
    earlier = choice.earlier
    found = [
        concern
        for concern in concerns(
            prepared.file,
            choice.animal,
            choice.username,
            settings.sessions,
            on_rig=choice.on_rig,
            chosen=chosen or earlier is not None,
            lab_timezone=choice.lab_timezone,
            same_day=choice.same_day,
            allowed_users=choice.allowed_users,
            clock_ahead=choice.clock_ahead,
            session_id=earlier.session_id if earlier is not None else None,
        )
        if not _is_covered(concern, choice)
    ]
    blocking = [concern.text for concern in found if concern.blocks]
    if not choice.server:
        blocking.append(
            f"{choice.subject.name}'s file does not name its Alyx server. Right-click the project, choose Sync to "
            "Alyx, and get the subjects."
        )
    elif not choice.username:
        blocking.append(
            f"Nobody has connected to {choice.server} from this computer. Right-click the project, choose Sync to "
            "Alyx, connect, then press Check again."
        )
    if earlier is not None and earlier.waits_elsewhere:
        blocking.append(
            f"This session waits in the Alyx outbox of the computer {earlier.host}. Change it there; or wait until it "
            "has been sent from there, then press Check again."
        )
    others = [other.animal.nickname for other in prepared.choices if other.earlier is not None and other is not choice]
    blocking += [
        f"This session is registered for {name}. If it was {choice.animal.nickname}, choose Move to another animal… in "
        "the session's menu, once it is on Alyx."
        for name in others
        if earlier is None
    ]
    without_zone = [] if choice.lab_timezone is not None else [_no_zone(prepared, choice)]
    problems = [problem.text for problem in settings.problems if problem.setting in _SETTINGS]
    water_type = _about_the_water_type(water_to_record(prepared, choice, settings), choice, settings.sessions)
    unknown = [] if blocking else _unknown_names(choice, settings.sessions)
    notes = [
        *unknown,
        *([water_type] if water_type else []),
        *without_zone,
        *(concern.text for concern in found if not concern.blocks),
        *choice.not_checked,
        *problems,
    ]
    needs_person = bool(blocking or without_zone or problems or water_type or unknown) or any(
        concern.kind not in HARMLESS for concern in found
    )
    return Advice(tuple(blocking), tuple(notes), needs_person)


def water_to_record(prepared: PreparedSession, choice: Choice, settings: RigSettings) -> WaterEarned:
    """Say how much water is to be recorded with a session.

    Returns: empty where no variable is set, or the water was recorded already.
    """
    if choice.earlier is not None and choice.earlier.water:
        return WaterEarned()
    return water_earned(prepared.file, settings.sessions, killed=prepared.recorded.killed)


def water_type_to_record(choice: Choice, settings: SessionSettings) -> str:
    """Say which type of water the rig gives: the setting's, else that of the animal's restriction; may be empty."""
    return settings.water_type or choice.water_type


def _about_the_water_type(water: WaterEarned, choice: Choice, settings: SessionSettings) -> str:
    # what is wrong or not certain of the type; empty where nothing is
    if not water.ask and not water.amount:
        return ""
    chosen = settings.water_type
    if chosen is None and choice.water_type not in {"", PLAIN_WATER}:
        return (
            f"{choice.water_type} is the type of water of {choice.animal.nickname}'s water restriction. If the rig "
            "gives another one, choose it; the setting ALYX_PLUGIN_WATER_TYPE does so for all sessions."
        )
    complaint = "" if chosen is None else choice.names.complaint("water_type", [chosen])
    return complaint and f"{complaint} (ALYX_PLUGIN_WATER_TYPE)"


def _unknown_names(choice: Choice, settings: SessionSettings) -> list[str]:
    # which names that the fields start with Alyx does not have, and what may have been meant
    complaints = []
    for name, values in _names(initial_fields(choice, settings)).items():
        complaint = choice.names.complaint(name, values)
        if complaint:
            from_setting = choice.earlier is None and getattr(settings, name)
            complaints.append(f"{complaint} (ALYX_PLUGIN_{name.upper()})" if from_setting else complaint)
    return complaints


def _names(fields: Fields) -> dict[str, tuple[str, ...]]:
    location = fields.location.strip()
    return {
        "location": (location,) if location else (),
        "projects": split_names(fields.projects),
        "procedures": split_names(fields.procedures),
    }


def initial_fields(choice: Choice, settings: SessionSettings) -> Fields:
    """Say what the fields start with: the earlier registration, else the settings, else the animal."""
    earlier = choice.earlier
    before: Mapping[str, Any] | None = None
    if earlier is not None and earlier.record is not None:
        before = earlier.record
    elif earlier is not None and earlier.item is not None:
        before = earlier.item.values
    if before is not None:
        return Fields(
            str(before.get("location") or ""),
            join_names(before.get("projects") or ()),
            join_names(before.get("procedures") or ()),
            str(before.get("type") or ""),
            str(before.get("narrative") or ""),
        )
    projects = choice.animal.projects if settings.projects is None else settings.projects
    return Fields(settings.location or "", join_names(projects), join_names(settings.procedures), settings.type or "")


def with_fields(settings: SessionSettings, fields: Fields) -> SessionSettings:
    """Put what stands in the fields into the settings of one session."""
    names = _names(fields)
    return replace(
        settings,
        location=fields.location.strip() or None,
        projects=names["projects"],
        procedures=names["procedures"],
        type=fields.type.strip() or None,
    )


def default_request(
    prepared: PreparedSession, settings: RigSettings, chosen: Choice | None = None
) -> RegistrationRequest | None:
    """Make the request to register a session as it is, where no person has to answer anything.

    Returns: None where it was registered before, more than one animal comes into question, something blocks it, Alyx
    does not have one of the names, or the amount of water is not certain.
    ``prepared``: the session; checked on Alyx, as far as Alyx answered.
    ``chosen``: the animal, where a person said which it was.
    """
    choice = chosen or prepared.default
    if choice is None or choice.earlier is not None:
        return None
    if advise(prepared, choice, settings, chosen=chosen is not None).blocking:
        return None
    water = water_to_record(prepared, choice, settings)
    if water.ask:
        return None
    starting = initial_fields(choice, settings.sessions)
    if any(choice.names.refused(name, values) for name, values in _names(starting).items()):
        return None
    fields = with_fields(settings.sessions, starting)
    water_type = water_type_to_record(choice, settings.sessions)
    return RegistrationRequest(
        prepared,
        choice,
        fields,
        water=water.amount or None,
        water_type=water_type,
        from_settings=names_set(settings.sessions),
    )


def unattended_request(prepared: PreparedSession, settings: RigSettings) -> RegistrationRequest | None:
    """Make the request to register a session about which nobody has to read anything, either.

    Returns: None where a person has something to answer or to read.
    ``prepared``: the session; checked on Alyx, as far as Alyx answered.
    """
    request = default_request(prepared, settings)
    if request is None or advise(prepared, request.choice, settings, chosen=False).needs_person:
        return None
    return request


def number_text(amount: Decimal) -> str:
    """Return an amount of water as a field shows it."""
    return f"{amount:f}"


def _is_covered(concern: Concern, choice: Choice) -> bool:
    # where this computer never learned the zone, Alyx may have one; where the record is ours, it is not a second one
    return (concern.kind is ConcernKind.CLOCKS and choice.lab_timezone is None) or (
        choice.earlier is not None
        and choice.earlier.session_id is not None
        and concern.kind in {ConcernKind.SAME_SESSION, ConcernKind.NOT_CHECKED, ConcernKind.SECOND_SESSION}
    )


def _no_zone(prepared: PreparedSession, choice: Choice) -> str:
    return (
        f"This computer does not know the time zone of the lab {choice.animal.lab or 'of this animal'}: the times are "
        f"sent as this rig's clock showed them, {prepared.file.started:%Y-%m-%d %H:%M}. If the lab's clock differs, "
        "register the session when Alyx can be reached."
    )
