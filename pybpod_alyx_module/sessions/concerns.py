"""What speaks against registering a session, each as a kind and a sentence; pure."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime, timedelta
from enum import Enum
from typing import TYPE_CHECKING, Any, Final

from alyx_connector.zones.moments import lab_zone
from pybpod_alyx_module.lab_time import lab_span, zone_difference

if TYPE_CHECKING:
    from collections.abc import Collection, Iterator, Mapping, Sequence
    from datetime import tzinfo

    from pybpod_alyx_module.rig_settings import SessionSettings
    from pybpod_alyx_module.sessions.on_rig import Animal, OnRig
    from pybpod_alyx_module.sessions.session_csv import SessionFile

#: Shorter sessions are a concern.
SHORT: Final = timedelta(minutes=2)
#: No session lasts longer, but by a clock that was set meanwhile.
_LONG: Final = timedelta(days=1)
#: By how much two clocks may differ that nobody has set.
CLOCKS_APART: Final = timedelta(minutes=5)


class ConcernKind(Enum):
    """What a concern is about."""

    TEST_SUBJECT = "test subject"
    WHICH_ANIMAL = "which animal"
    NOT_ALIVE = "not alive"
    NOT_PERMITTED = "not permitted"
    OTHER_USER = "other user"
    SAME_SESSION = "same session"
    SECOND_SESSION = "second session"
    NOT_CHECKED = "not checked"
    OVER_MIDNIGHT = "over midnight"
    CLOCKS = "clocks"
    CLOCK_SET_BACK = "clock set back"
    LONG = "long"
    FUTURE = "future"
    RIG_CLOCK = "rig clock"
    LIFETIME = "lifetime"
    NO_TRIALS = "no trials"
    SHORT = "short"
    KILLED = "killed"


@dataclass(frozen=True)
class Concern:
    """One thing that speaks against registering a session as it is."""

    kind: ConcernKind
    #: A sentence for people.
    text: str
    #: Whether it cannot be registered as it is.
    blocks: bool = False


def concerns(
    file: SessionFile,
    animal: Animal,
    username: str,
    settings: SessionSettings,
    *,
    on_rig: OnRig | None = None,
    chosen: bool = False,
    lab_timezone: str | None = None,
    rig_zone: tzinfo | None = None,
    same_day: Sequence[Mapping[str, Any]] | None = None,
    allowed_users: Collection[str] | None = None,
    session_id: str | None = None,
    clock_ahead: timedelta | None = None,
    now: datetime | None = None,
) -> tuple[Concern, ...]:
    """List what speaks against registering a session as it is.

    Returns: those that block first; empty where nothing speaks against it.
    ``lab_timezone``: ``timezone`` of the animal's lab on Alyx.
    ``rig_zone``: None for the zone that this computer is set to.
    ``same_day``: rows of ``GET /sessions`` for this animal and the lab day of the session; None where Alyx did not
    answer.
    ``allowed_users``: whom the responsible user allows to handle the subjects (``GET /users/<name>``); None where Alyx
    did not answer.
    ``session_id``: Alyx id of the session's own record, where that is updated.
    ``clock_ahead``: how far this computer's clock is ahead of the server's; None where that is not known.
    ``now``: by this computer's clock, naive; left out, it is now.
    """
    found = [
        *_about_the_animal(animal, settings, on_rig, chosen),
        *_about_users(file, animal, username, allowed_users),
        *_about_the_day(file, animal, same_day, session_id, lab_timezone, rig_zone),
        *_about_clocks(file, animal, lab_timezone, rig_zone),
        *_about_the_rigs_clock(file, animal, now or datetime.now(), clock_ahead),  # noqa: DTZ005 - as the file's
        *_about_the_run(file, settings),
    ]
    return tuple(found)


def _about_the_animal(
    animal: Animal, settings: SessionSettings, on_rig: OnRig | None, chosen: bool
) -> Iterator[Concern]:
    name = animal.nickname
    here = [one.subject.name for one in on_rig.candidates if one.subject.alyx_id == animal.id] if on_rig else []
    if any(settings.is_test_subject(one) for one in (name, *here)):
        yield Concern(
            ConcernKind.TEST_SUBJECT,
            f"{name} is a test subject (ALYX_PLUGIN_TEST_SUBJECTS): nothing about it is sent to Alyx.",
            blocks=True,
        )
    if on_rig is not None:
        yield from _about_the_choice(animal, on_rig, chosen)
    if animal.alive is False:
        when = f" (death date {animal.death_date})" if animal.death_date else ""
        yield Concern(ConcernKind.NOT_ALIVE, f"{name} is not alive on Alyx{when}.")


def _about_the_choice(animal: Animal, on_rig: OnRig, chosen: bool) -> Iterator[Concern]:
    names = [candidate.subject.name for candidate in on_rig.candidates]
    others = ", ".join(other.name for other in on_rig.others)
    listed = on_rig.lists(animal.id)
    if not listed and (names or chosen):
        what = ", ".join(filter(None, (*names, others))) or "no animal"
        text = f"The session file names {what}, not {animal.nickname}. Both are noted in the narrative."
    elif (chosen and listed) or on_rig.default is not None:
        return
    elif len(names) > 1:
        text = f"The session lists more than one Alyx subject: {', '.join(names)}. Say which one was on the rig."
    elif names and others:
        text = (
            f"Beside {names[0]} the session lists {others}, which is not linked to this Alyx server. Say which animal "
            "was on the rig."
        )
    elif names:
        text = (
            f"The session file identifies {names[0]} by name only; another animal may have that name now. Say whether "
            "it was on the rig."
        )
    elif others:
        text = f"The session lists only {others}, not linked to this Alyx server. Say which animal was on the rig."
    else:
        text = "The session lists no subject. Say which animal was on the rig."
    yield Concern(ConcernKind.WHICH_ANIMAL, text, blocks=not chosen)


def _about_users(
    file: SessionFile, animal: Animal, username: str, allowed_users: Collection[str] | None
) -> Iterator[Concern]:
    owner = animal.responsible_user
    if owner is not None and owner != username and username not in (allowed_users or ()):
        permission = (
            f"who does not allow {username} to handle their subjects"
            if allowed_users is not None
            else f"and whether {username} may handle their subjects is not known"
        )
        yield Concern(
            ConcernKind.NOT_PERMITTED,
            f"The responsible user of {animal.nickname} is {owner}, {permission}. Alyx may refuse the session.",
        )
    creator = file.creator
    if creator is not None and creator.connection == "ALYX" and creator.name.casefold() != username.casefold():
        yield Concern(
            ConcernKind.OTHER_USER,
            f"{creator.name} recorded the session; on Alyx it would be recorded under {username}, who is logged in "
            "now.",
        )


def _about_the_day(
    file: SessionFile,
    animal: Animal,
    same_day: Sequence[Mapping[str, Any]] | None,
    session_id: str | None,
    lab_timezone: str | None,
    rig_zone: tzinfo | None,
) -> Iterator[Concern]:
    start, end = lab_span(file.started, file.end, lab_zone(lab_timezone), rig_zone)
    if same_day is None:
        yield Concern(
            ConcernKind.NOT_CHECKED,
            f"Alyx did not answer whether {animal.nickname} has other sessions on {_day(start.date())}.",
        )
    others = [row for row in same_day or () if row.get("id") != session_id]
    twins = [row for row in others if str(row.get("start_time"))[:19] == start.isoformat()[:19]]
    if twins:
        yield Concern(
            ConcernKind.SAME_SESSION,
            f"{animal.nickname} has a session on Alyx that started at exactly this time, {start:%Y-%m-%d %H:%M:%S}: "
            "this session seems to be there already.",
        )
    elif others:
        listed = ", ".join(_row(row) for row in others)
        yield Concern(
            ConcernKind.SECOND_SESSION,
            f"{animal.nickname} already has {'a session' if len(others) == 1 else f'{len(others)} sessions'} on "
            f"{_day(start.date())} on Alyx: {listed}.",
        )
    if end.date() != start.date() and timedelta() <= file.duration <= _LONG:
        yield Concern(
            ConcernKind.OVER_MIDNIGHT,
            f"The session ran past midnight in lab time, from {start:%Y-%m-%d %H:%M} to {end:%Y-%m-%d %H:%M}: it "
            f"counts for {_day(start.date())}, its water for {_day(end.date())}.",
        )


def _about_clocks(
    file: SessionFile, animal: Animal, lab_timezone: str | None, rig_zone: tzinfo | None
) -> Iterator[Concern]:
    zone = lab_zone(lab_timezone)
    lab = f"the lab {animal.lab}" if animal.lab else "the animal's lab"
    if zone is None:
        problem = (
            f"Alyx gives {lab_timezone!r} as the time zone of {lab}, which is not a valid time zone"
            if lab_timezone
            else f"Alyx has no time zone for {lab}"
        )
        yield Concern(
            ConcernKind.CLOCKS,
            f"{problem}: the times are sent as this rig's clock showed them, {file.started:%Y-%m-%d %H:%M}.",
        )
    else:
        ahead = zone_difference(file.started, zone, rig_zone)
        if ahead:
            side = "ahead of" if ahead > timedelta() else "behind"
            yield Concern(
                ConcernKind.CLOCKS,
                f"The clock of {lab} ({lab_timezone}) is {_length(abs(ahead))} {side} this rig's: the start is sent in "
                f"lab time, {file.started + ahead:%Y-%m-%d %H:%M}, where the rig's clock showed "
                f"{file.started:%Y-%m-%d %H:%M}.",
            )
    if file.duration < timedelta():
        yield Concern(
            ConcernKind.CLOCK_SET_BACK,
            f"By the rig's clock the session ended {_length(-file.duration)} before it started: the clock has been put "
            "back meanwhile.",
        )


def _about_the_rigs_clock(
    file: SessionFile, animal: Animal, now: datetime, clock_ahead: timedelta | None
) -> Iterator[Concern]:
    check = "Check the rig's clock; correct the times on Alyx if you register the session as it is."
    if clock_ahead is not None and abs(clock_ahead) > CLOCKS_APART:
        side = "ahead of" if clock_ahead > timedelta() else "behind"
        yield Concern(
            ConcernKind.RIG_CLOCK,
            f"The clock of this computer is {_length(abs(clock_ahead))} {side} the Alyx server's: the start of the "
            f"session, {file.started:%Y-%m-%d %H:%M}, may be as far off. {check}",
        )
    if file.duration > _LONG:
        yield Concern(
            ConcernKind.LONG,
            f"By the rig's clock the session lasted from {file.started:%Y-%m-%d %H:%M} to {file.end:%Y-%m-%d %H:%M}, "
            f"more than a day. {check}",
        )
    for what, time in (("started", file.started), ("ended", file.end)):
        if time > now + CLOCKS_APART:
            yield Concern(
                ConcernKind.FUTURE,
                f"By its file the session {what} at {time:%Y-%m-%d %H:%M}, but it is {now:%Y-%m-%d %H:%M} now. {check}",
            )
            break
    day, name = file.started.date().isoformat(), animal.nickname
    if animal.birth_date and day < animal.birth_date:
        text = f"By its file the session was on {day}, before {name} was born ({animal.birth_date} on Alyx)"
        yield Concern(ConcernKind.LIFETIME, f"{text}. {check}")
    if animal.death_date and day > animal.death_date:
        text = f"By its file the session was on {day}, after {name} died ({animal.death_date} on Alyx)"
        yield Concern(ConcernKind.LIFETIME, f"{text}. {check}")


def _about_the_run(file: SessionFile, settings: SessionSettings) -> Iterator[Concern]:
    if file.n_trials == 0:
        begun = f"; {file.n_begun} began but did not end" if file.n_begun else ""
        yield Concern(ConcernKind.NO_TRIALS, f"The session has no trials{begun}.")
    if timedelta() <= file.duration < SHORT:
        yield Concern(
            ConcernKind.SHORT, f"The session took {file.duration.total_seconds():.0f} s, which is under two minutes."
        )
    if file.killed:
        water = "" if settings.water_variable is None else " Type how much water it gave."
        yield Concern(
            ConcernKind.KILLED,
            "The protocol did not end by itself, so the time of the last row in its file counts as the end, "
            f"{file.last_time:%Y-%m-%d %H:%M:%S}.{water}",
        )


def _row(row: Mapping[str, Any]) -> str:
    number = row.get("number")
    named = "" if number is None else f"number {number}"
    parts = (named, str(row.get("start_time") or "")[11:16], str(row.get("task_protocol") or ""))
    return " ".join(part for part in parts if part) or "one without a time"


def _day(day: date) -> str:
    return day.isoformat()


def _length(span: timedelta) -> str:
    if span >= 2 * _LONG:
        return f"{span.days} days"
    minutes = round(span.total_seconds() / 60)
    hours, rest = divmod(minutes, 60)
    return " ".join(part for part in (f"{hours} h" if hours else "", f"{rest} min" if rest else "") if part) or "0 min"
