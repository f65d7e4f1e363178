"""What the card at the top of *Alyx details* says: a few facts of an animal now. No Qt."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from pybpod_alyx_module.animals.alyx_subject import server_name
from pybpod_alyx_module.animals.subject_state import not_alive
from pybpod_alyx_module.animals.water import UNIT
from pybpod_alyx_module.animals.weight import NO_LIMIT, TOO_LIGHT, minimum_text
from pybpod_alyx_module.gui.history.axes import day_text
from pybpod_alyx_module.gui.words import when
from pybpod_alyx_module.numbers import plain, rounded_down, rounded_up, shown

if TYPE_CHECKING:
    import datetime as dt

    from pybpod_alyx_module.animals.alyx_subject import AlyxSubject
    from pybpod_alyx_module.animals.history.animal_history import AnimalHistory
    from pybpod_alyx_module.animals.history.animal_now import AnimalNow
    from pybpod_alyx_module.animals.history.look import Look
    from pybpod_alyx_module.animals.weight import Level

__all__ = ["CAPTIONS", "Fact", "facts_of", "note_lines", "shown_meanwhile"]

#: What each fact is called.
CAPTIONS: Final = ("Weight", "Of expected", "Water today", "Water restriction", "Sessions today", "Not on Alyx yet")
#: Stands where nothing is known.
UNKNOWN: Final = "–"  # noqa: RUF001 - a dash is meant
#: How many sentences about what waits are written out.
_WRITTEN: Final = 3


@dataclass(frozen=True)
class Fact:
    """One thing that the card says."""

    caption: str
    value: str
    detail: str = ""
    #: How a weight is judged: its colour.
    level: Level | None = None


def facts_of(history: AnimalHistory | None, now: AnimalNow | None, waiting: int) -> tuple[Fact, ...]:
    """Say how an animal is, in the order of `CAPTIONS`.

    ``history``, ``now``: None where Alyx has told nothing.
    ``waiting``: how many items of the animal are in the outbox.
    """
    outbox = ("", "nothing") if not waiting else ("see Alyx outbox", str(waiting))
    if history is None or now is None:
        found = [("", UNKNOWN)] * (len(CAPTIONS) - 1)
        return tuple(
            Fact(caption, value, detail) for caption, (detail, value) in zip(CAPTIONS, [*found, outbox], strict=True)
        )
    value, detail = _percentage(history, now)
    last = history.sessions[0].start_time.date() if history.sessions else None
    return (
        _weight(history, now),
        Fact(CAPTIONS[1], value, detail, now.level),
        _water(now),
        _restriction(history),
        Fact(CAPTIONS[4], str(now.sessions), "" if now.sessions or last is None else f"the last on {day_text(last)}"),
        Fact(CAPTIONS[5], outbox[1], outbox[0]),
    )


def _weight(history: AnimalHistory, now: AnimalNow) -> Fact:
    weight = now.weight
    if weight is None:
        return Fact(CAPTIONS[0], UNKNOWN, "not weighed yet")
    if weight.when is None:
        return Fact(CAPTIONS[0], f"{plain(weight.grams)} g", f"before {day_text(history.days[0].date)}")
    waits = ", not on Alyx yet" if weight in now.unsent_weights else ""
    if now.weighed_today:
        return Fact(CAPTIONS[0], f"{plain(weight.grams)} g", f"today at {weight.when:%H:%M}{waits}")
    on = f"{day_text(weight.when.date())}, {weight.when:%H:%M}"
    return Fact(CAPTIONS[0], f"{plain(weight.grams)} g", f"{on}{waits}; not weighed today")


def _percentage(history: AnimalHistory, now: AnimalNow) -> tuple[str, str]:
    today, weight = history.today, now.weight
    if weight is None:
        return UNKNOWN, ""
    if not today.restricted:
        return UNKNOWN, "judged only under restriction"
    light = TOO_LIGHT.get(now.level, "") if now.level is not None else ""
    if today.limit is not None:
        detail = minimum_text(weight.grams, today.limit)
    elif history.not_judged:
        detail = "cannot be judged: see the plot"
    else:
        detail = NO_LIMIT if history.shares is not None and not _judges(history) else "no minimum on Alyx"
    value = UNKNOWN if now.percentage is None else f"{shown(now.percentage)} %"
    return value, f"{light}: {detail}" if light else detail


def _judges(history: AnimalHistory) -> bool:
    return history.shares is not None and bool(history.shares.reference or history.shares.zscore)


def _water(now: AnimalNow) -> Fact:
    water = now.water
    given = f"{rounded_down(water.given, UNIT)} mL"
    if not water.restricted:
        return Fact(CAPTIONS[2], "ad lib", f"{given} given")
    if not water.weight_known:
        return Fact(CAPTIONS[2], f"{given} given", "need unknown: no weight on Alyx")
    needed = f"{given} of {rounded_up(water.expected, UNIT)} mL given"
    if water.remaining:
        return Fact(CAPTIONS[2], f"{water.remaining} mL left", needed)
    return Fact(CAPTIONS[2], "nothing left", f"{needed}, {water.excess} mL more" if water.excess else needed)


def _restriction(history: AnimalHistory) -> Fact:
    running, ended = history.running, history.ended
    if running is not None:
        since = "running" if running.start is None else f"since {day_text(running.start.date())}"
        days = 0 if running.start is None else (history.today.date - running.start.date()).days
        lasted = f"{days} day{'' if days == 1 else 's'}" if running.start is not None else ""
        return Fact(CAPTIONS[3], since, ", ".join(part for part in (lasted, running.water_type) if part))
    if ended is not None and ended.end is not None:
        return Fact(CAPTIONS[3], "none", f"ended on {day_text(ended.end.date())}")
    return Fact(CAPTIONS[3], "none")


def note_lines(animal: AlyxSubject | None, look: Look, now: AnimalNow | None, known_weight: str) -> tuple[str, ...]:
    """Say where the card is from and as of when, and what one must know of it, without the problem of the look.

    ``known_weight``: what the project's copy says of the last weight; empty if nothing.
    """
    lines: list[str] = []
    history = look.history
    if look.problem:
        if history is not None:
            lines += shown_meanwhile(look)
        elif animal is not None:
            copy = ". ".join(part for part in (animal.copy.sentence, known_weight) if part)
            lines.append(f"{copy}." if copy else "")
    elif look.asked_at is not None and animal is not None:
        lines.append(f"As of {_clock(look.asked_at)}, from {server_name(animal.server)} as {look.username}.")
    if history is not None:
        if animal is not None and history.name != animal.name:
            lines.append(f"On Alyx it is called {history.name}: a sync offers to rename {animal.name} here.")
        if not history.alive:
            lines.append(not_alive(history.name, history.death_date))
        lines += history.notes
    unsent = now.unsent if now is not None else ()
    more = len(unsent) - _WRITTEN
    lines += [*unsent[:_WRITTEN], f"And {more} more that are not on Alyx yet." if more > 0 else ""]
    return tuple(line for line in lines if line)


def shown_meanwhile(look: Look | None) -> tuple[str, ...]:
    """Say of when that is what is shown while Alyx does not answer; empty where nothing is shown."""
    if look is None or look.history is None or look.asked_at is None:
        return ()
    return (f"Shown is what Alyx said at {when(look.asked_at.isoformat())}.",)


def _clock(moment: dt.datetime) -> str:
    return f"{moment.astimezone():%H:%M}"
