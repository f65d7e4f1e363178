"""How much water an animal earned in a session, as its protocol counted."""

from __future__ import annotations

import math
from dataclasses import dataclass
from decimal import ROUND_HALF_EVEN, Decimal, InvalidOperation
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from pybpod_alyx_module.rig_settings import SessionSettings
    from pybpod_alyx_module.sessions.session_csv import SessionFile, Variable

#: More than this in one session is taken for a wrong unit, mL: a thirsty rat drinks some 30 mL a day.
MOST_ML: Final = Decimal(50)

#: Below what any valve gives, mL: what is left of a sum of floating point numbers.
_NOISE: Final = Decimal("0.0001")
#: A total below this for each trial is doubted, mL: one reward of 0.002 in 20 trials.
_LEAST_A_TRIAL: Final = Decimal("0.0001")
#: The same where the value never rose, so that nothing shows that it is a total.
_LEAST_UNLESS_RISING: Final = Decimal("0.001")
#: More than this is not one reward, mL.
_MOST_A_REWARD: Final = Decimal("0.2")
#: In fewer trials an animal may earn nothing, or hardly anything.
_MANY_TRIALS: Final = 10
#: So many values that rise each time are a total, not sizes of rewards.
_MANY_RISING: Final = 3

_SETTING: Final = "ALYX_PLUGIN_WATER_VALUES"


@dataclass(frozen=True)
class Reading:
    """One way to understand the values of the variable."""

    #: mL.
    amount: Decimal
    #: What the amount is, for the button that takes it.
    label: str


@dataclass(frozen=True)
class WaterEarned:
    """How much water was earned, as a session file says; all in mL."""

    #: Certain; 0 where none was earned. None where a person must say it, or no variable is set.
    amount: Decimal | None = None
    #: What to suggest where a person must say it, the likelier first; empty where there is nothing to suggest.
    offers: tuple[Reading, ...] = ()
    #: Where the amount comes from, or why a person must say it.
    why: str = ""

    @property
    def ask(self) -> bool:
        """Whether a person must say the amount."""
        return self.amount is None and bool(self.why)


def water_earned(file: SessionFile, settings: SessionSettings, *, killed: bool | None = None) -> WaterEarned:
    """Take the amount of water from the variable that the settings name, as they say what its values are.

    Returns: empty where no variable is set. A person must say the amount where the protocol was killed, and where the
    variable is missing, not a number, negative or beyond `MOST_ML`, or the values do not look like what they are set
    to be: a total that became smaller, never rose or is too low for the trials, rewards that rise each time.
    ``killed``: whether Kill was pressed. None where nobody saw it, as of an old session: then a person must say the
    amount where the last trial was broken off, by Stop or by Kill.
    """
    name = settings.water_variable
    if name is None:
        return WaterEarned()
    factor = settings.ml_per_unit
    if factor is None:
        return WaterEarned(why="ALYX_PLUGIN_WATER_UNIT is not set. Type how much water the animal got.")
    variable = file.variables.get(name)
    if variable is None:
        return WaterEarned(why=f"The session has no variable {name} (ALYX_PLUGIN_WATER_VARIABLE).")
    stopped_short = file.killed or (file.interrupted if killed is None else killed)
    return _judged(_Values(name, variable, factor, file.n_trials), settings.water_values, stopped_short)


@dataclass(frozen=True)
class _Values:
    # The values of the variable, and the ways to understand them.

    name: str
    variable: Variable
    factor: Decimal
    n_trials: int

    def in_ml(self, number: Decimal | float) -> Decimal | None:
        # None where it is beyond all measure
        return _ml(Decimal(str(number)), self.factor) if math.isfinite(number) else None

    def total(self, number: Decimal) -> Reading | None:
        return _reading(self.in_ml(number), "the total")

    def summed(self) -> Reading | None:
        times = self.variable.times
        return _reading(self.in_ml(self.variable.sum), "1 reward" if times == 1 else f"the sum of {times} rewards")

    def each(self, number: Decimal) -> Reading | None:
        # a size that was reported once is that of each trial
        if self.variable.times > 1:
            return self.summed()
        size = self.in_ml(number)
        if not size or size > _MOST_A_REWARD or not self.n_trials:
            return None
        return _reading(self.in_ml(number * self.n_trials), f"{_trials(self.n_trials)} of {size:f} mL")


def _judged(values: _Values, meaning: str, stopped_short: bool) -> WaterEarned:
    name, variable = values.name, values.variable
    number = _number(variable.value)
    if number is None:
        return WaterEarned(why=f"The last value of {name} is not a number: {variable.value[:50]!r}.")
    if number < 0:
        return WaterEarned(why=f"The last value of {name} is negative: {number}.")
    is_sum = meaning == "reward" and variable.times > 0
    reading = values.summed() if is_sum else values.total(number)
    if reading is None:
        what, amount = ("sum", Decimal(str(variable.sum))) if is_sum else ("last value", number)
        last = values.total(number)
        return WaterEarned(
            offers=() if last is None else (last,),
            why=f"The {what} of {name} means {amount * values.factor:.4g} mL, more than an animal drinks in a session. "
            f"Check the unit (ALYX_PLUGIN_WATER_UNIT){f' and {_SETTING}' if is_sum else ''}.",
        )
    doubt = _doubt(values, meaning, number, reading.amount)
    other = doubt.other if doubt is not None and doubt.other != reading else None
    offers = (reading,) if other is None else (other, reading)
    if stopped_short:
        cut = f"The protocol was broken off. It last reported {reading.amount:f} mL as {name}; the animal may have got"
        return WaterEarned(offers=offers, why=f"{cut} more.{f' {doubt.text}' if doubt is not None else ''}")
    if doubt is not None:
        return WaterEarned(offers=offers, why=doubt.text)
    source = f"{reading.label} ({name})" if is_sum else f"the last value of {name}"
    return WaterEarned(reading.amount, why=f"{reading.amount:f} mL, {source}.")


@dataclass(frozen=True)
class _Doubt:
    # why the values may not be what they are set to be, and how else to understand them

    text: str
    other: Reading | None = None


def _doubt(values: _Values, meaning: str, number: Decimal, amount: Decimal) -> _Doubt | None:
    variable, each = values.variable, values.each(number)
    if each is None:
        question = ""
    elif meaning == "reward":
        question = " Did the animal get one in each trial?"
    else:
        question = f" Is that the size of one reward? Then set {_SETTING} to 'reward'."
    of_trials = f"{amount:f} mL for {_trials(values.n_trials)}"
    if not variable.changed:
        if not amount and values.n_trials < _MANY_TRIALS:
            return None
        text = f"The protocol never reported {values.name}, which was set to {amount:f} mL before the session."
        return _Doubt(f"{text}{question}", each)
    if meaning == "total" and variable.fell:
        text = f"{values.name} became smaller during the session, so it is not the total. Its last value is"
        return _Doubt(f"{text} {amount:f} mL. If each value is one reward, set {_SETTING} to 'reward'.", each)
    if not amount:
        return None
    if variable.times and values.n_trials and not variable.trial:
        return _Doubt(f"{values.name} was reported only before the first trial: {of_trials}.{question}", each)
    if meaning == "reward":
        return _doubt_of_rewards(values, number, amount, f"{values.name} is {of_trials}.{question}")
    return _doubt_of_a_total(values, meaning, amount, question, each)


def _doubt_of_rewards(values: _Values, number: Decimal, amount: Decimal, little: str) -> _Doubt | None:
    variable = values.variable
    if variable.times >= _MANY_RISING and variable.rises == variable.times - 1:
        total = values.total(number)
        up_to = "" if total is None else f", up to {total.amount:f} mL"
        text = f"{values.name} rose each time{up_to}. Is that the total so far? Then set {_SETTING} to 'total'."
        return _Doubt(text, total)
    if values.n_trials >= _MANY_TRIALS and amount < values.n_trials * _LEAST_A_TRIAL:
        return _Doubt(little, values.each(number))
    return None


def _doubt_of_a_total(
    values: _Values, meaning: str, amount: Decimal, question: str, each: Reading | None
) -> _Doubt | None:
    name, variable, trials = values.name, values.variable, values.n_trials
    of_trials = f"{amount:f} mL for {_trials(trials)}"
    early = 0 < variable.trial < trials
    if meaning == "end" and early:
        text = f"{name} was last reported after {_trials(variable.trial)} of {trials}, not at the end: {amount:f} mL."
        return _Doubt(text) if variable.rises else _Doubt(f"{text}{question}", each)
    if variable.rises:
        little = trials >= _MANY_TRIALS and amount < trials * _LEAST_A_TRIAL
        unit = "Check the unit (ALYX_PLUGIN_WATER_UNIT)."
        return _Doubt(f"{name} is {of_trials}, which is very little. {unit}") if little else None
    if trials >= _MANY_TRIALS and amount < trials * _LEAST_UNLESS_RISING:
        return _Doubt(f"{name} is {of_trials}.{question}", each)
    if meaning == "total" and (variable.times > 1 or early):
        question = question or f" If it is the total, reported at the end, set {_SETTING} to 'end'."
        return _Doubt(f"{name} never rose: {of_trials}.{question}", each)
    return None


def _reading(amount: Decimal | None, label: str) -> Reading | None:
    return None if amount is None or not 0 <= amount <= MOST_ML else Reading(amount, label)


def _trials(count: int) -> str:
    return "1 trial" if count == 1 else f"{count} trials"


def _number(text: str) -> Decimal | None:
    try:
        number = Decimal(text.strip())
    except InvalidOperation:
        return None
    return number if number.is_finite() else None


def _ml(number: Decimal, factor: Decimal) -> Decimal | None:
    try:
        return (number * factor).quantize(_NOISE, ROUND_HALF_EVEN).normalize() + 0
    except ArithmeticError:  # too large a number
        return None
