"""The checks before Run: what speaks against running these subjects now. Pure."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from pybpod_alyx_module.animals.weight import limit_of, limit_text, no_limit_reason
from pybpod_alyx_module.numbers import plain, shown
from pybpod_alyx_module.rig_settings import CHECKS, LEVELS

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping, Sequence

    from pybpod_alyx_module.animals.subject_state import SubjectState

__all__ = ["NOTE", "Finding", "run_checks"]

#: The level of what is only shown.
NOTE: Final = "note"
_WARN: Final = "warn"


@dataclass(frozen=True)
class Finding:
    """One thing to show before Run."""

    #: One of `CHECKS`.
    check: str
    #: ``"note"``, ``"warn"`` or ``"block"``.
    level: str
    #: Nickname; empty for what is about all of them.
    subject: str
    #: For people; names the subject.
    sentence: str
    #: False where the check has no answer: nothing is known to be wrong.
    checked: bool = True
    #: Alyx id of the animal that was not weighed today: a weight settles it. Empty for anything else.
    to_weigh: str = ""


class _MissingPart(Exception):  # noqa: N818 - not an error: a part of the state did not arrive
    # Names the part of the state that is missing.
    pass


def run_checks(states: Sequence[SubjectState], policy: Mapping[str, str]) -> tuple[Finding, ...]:
    """Check the subjects of a setup before it runs.

    A check whose answer did not arrive never blocks, not even where it is set to ``"block"``: a rig must be able to
    run without its network. It is reported as a warning: one for each reason, under the first of its checks. What a
    server tells of no animal is a note, once for all of them.

    Parameters
    ----------
    states : sequence of SubjectState
        The Alyx subjects of the setup.
    policy : mapping
        ``"off"``, ``"warn"`` or ``"block"`` for each of `CHECKS`; ``"warn"`` for those that it does not name.

    Returns
    -------
    tuple of Finding
        Empty where there is nothing to show.

    Raises
    ------
    ValueError
        If the policy names another check or level.
    """
    for check, level in policy.items():
        if check not in CHECKS or level not in LEVELS:
            raise ValueError(f"no such check or level: {check} = {level!r}")
    levels = {check: policy.get(check, _WARN) for check in CHECKS}
    found: list[Finding] = []
    for state in states:
        found += _of_one(state, levels)
    if len(states) > 1 and levels["several"] != "off":
        names = ", ".join(state.name for state in states)
        sentence = f"This setup has {len(states)} Alyx subjects: {names}. Trials and water go to one of them only."
        found.append(Finding("several", levels["several"], "", sentence))
    return tuple(dict.fromkeys(found))


def _of_one(state: SubjectState, levels: Mapping[str, str]) -> Iterator[Finding]:
    if state.found is False:
        wanted = [level for check in _EACH if (level := levels[check]) != "off"]
        if wanted:
            sentence = f"{state.name} is no longer on Alyx, or you may not see it: nothing about it was checked."
            yield Finding("alive", levels["alive"] if levels["alive"] != "off" else _WARN, state.name, sentence)
        return
    unknown: dict[str, list[str]] = {}
    for check, look in _EACH.items():
        if levels[check] == "off":
            continue
        try:
            sentences = list(look(state))
        except _MissingPart as missing:
            why = state.not_checked.get(str(missing), "Alyx gave no answer.")
            if str(missing) in state.untold:
                yield Finding(check, NOTE, "", why, checked=False)
            else:
                unknown.setdefault(why, []).append(check)
            continue
        to_weigh = state.subject_id if check == "weighed_today" else ""
        for is_note, sentence in sentences:
            level = NOTE if is_note else levels[check]
            yield Finding(check, level, state.name, sentence, to_weigh=to_weigh)
    for why, checks in unknown.items():
        what = " and ".join(_ASKS[check] for check in checks)
        blocks = any(levels[check] == "block" for check in checks)
        never = " This check is set to block, but an unanswered check never blocks a run." if blocks else ""
        yield Finding(
            checks[0], _WARN, state.name, f"{state.name}: could not check {what}. {why}{never}", checked=False
        )


def _alive(state: SubjectState) -> Iterator[tuple[bool, str]]:
    if state.alive is None:
        raise _MissingPart("subject")
    if not state.alive:
        died = f"death date {state.death_date}" if state.death_date else "no death date"
        yield False, f"{state.name} is not alive on Alyx ({died})."


def _may_handle(state: SubjectState) -> Iterator[tuple[bool, str]]:
    if state.may_handle is None:
        raise _MissingPart("handling")
    if not state.may_handle:
        owner = state.responsible_user
        yield False, f"{owner} is responsible for {state.name} and does not let you handle it."


def _culled(state: SubjectState) -> Iterator[tuple[bool, str]]:
    if state.to_be_culled is None:
        raise _MissingPart("culled")
    if state.to_be_culled:
        yield False, f"Alyx lists {state.name} as to be culled."


def _run_today(state: SubjectState) -> Iterator[tuple[bool, str]]:
    if state.sessions_today is None:
        raise _MissingPart("sessions")
    if state.sessions_today:
        seen = [
            f"{one.start_time:%H:%M}" + (f" ({one.task_protocol})" if one.task_protocol else "")
            for one in state.sessions_today
        ]
        count = "a session" if len(seen) == 1 else f"{len(seen)} sessions"
        yield False, f"{state.name} already has {count} today on Alyx: {', '.join(seen)}."


def _weighed_today(state: SubjectState) -> Iterator[tuple[bool, str]]:
    if state.weighed_today is None:
        raise _MissingPart("weighings" if "requirement" in state.untold else "requirement")
    if not state.weighed_today:
        last = state.last_weight
        when = f" (last weight {shown(last.grams)} g on {last.when:%Y-%m-%d})" if last and last.when else ""
        yield False, f"{state.name} has not been weighed today{when}."


def _min_weight(state: SubjectState) -> Iterator[tuple[bool, str]]:
    if state.requirement is None:
        raise _MissingPart("requirement")
    today, limit = state.requirement.today, limit_of(state.requirement)
    of_when = "today" if today.weighing_at is not None else "when it was last weighed, before today"
    if limit is None:
        yield True, f"{state.name}, minimum weight: {no_limit_reason(state.requirement)}."
    elif not today.weight:
        yield False, f"{state.name} has no weight on Alyx to compare with its minimum of {plain(limit)} g."
    elif today.weight < limit:
        yield (
            False,
            f"{state.name} is below its minimum weight: {plain(today.weight)} g {of_when}, "
            f"minimum {limit_text(limit, today.weight)} g.",
        )


def _water(state: SubjectState) -> Iterator[tuple[bool, str]]:
    if state.water is None:
        raise _MissingPart("requirement")
    if not state.water.needs_water:
        return
    if state.water.weight_known:
        day = f" {state.water_day_note}" if state.water_day_note else ""
        yield False, f"{state.name} still needs {state.water.remaining} mL of water today.{day}"
    else:
        yield False, f"{state.name} is water-restricted, but Alyx has no weight to compute its water from."


_EACH: Final[dict[str, Callable[[SubjectState], Iterator[tuple[bool, str]]]]] = {
    "alive": _alive,
    "may_handle": _may_handle,
    "to_be_culled": _culled,
    "run_today": _run_today,
    "weighed_today": _weighed_today,
    "min_weight": _min_weight,
    "water": _water,
}
_ASKS: Final = {
    "alive": "whether it is alive",
    "may_handle": "whether you may handle it",
    "to_be_culled": "whether it is to be culled",
    "run_today": "whether it ran today",
    "weighed_today": "whether it was weighed today",
    "min_weight": "whether it is below its minimum weight",
    "water": "what water it still needs",
}
