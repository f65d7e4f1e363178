"""How much water an animal earned in a session, as its protocol counted."""

from __future__ import annotations

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


@dataclass(frozen=True)
class WaterEarned:
    """How much water was earned, as a session file says; all in mL."""

    #: Certain; 0 where none was earned. None where a person must say it, or no variable is set.
    amount: Decimal | None = None
    #: What to suggest where a person must say it; None where there is nothing to suggest.
    offer: Decimal | None = None
    #: Where the amount comes from, or why a person must say it: a sentence.
    why: str = ""

    @property
    def ask(self) -> bool:
        """Whether a person must say the amount."""
        return self.amount is None and bool(self.why)


def water_earned(file: SessionFile, settings: SessionSettings, *, killed: bool | None = None) -> WaterEarned:
    """Take the amount of water from the variable that the settings name: its last value is the session's total.

    Returns: empty where no variable is set. A person must say the amount where the protocol was killed, and where the
    variable is missing, not a number or negative, was never reported, became smaller (it is not the total) or is
    beyond `MOST_ML`.
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
    return _judged(name, variable, factor, stopped_short)


def _judged(name: str, variable: Variable, factor: Decimal, stopped_short: bool) -> WaterEarned:
    number = _number(variable.value)
    if number is None:
        return WaterEarned(why=f"The last value of {name} is not a number: {variable.value[:50]!r}.")
    if number < 0:
        return WaterEarned(why=f"The last value of {name} is negative: {number}.")
    amount = _ml(number * factor)
    if amount is None or amount > MOST_ML:
        return WaterEarned(
            why=f"The last value of {name} means {number * factor:.4g} mL, more than an animal drinks in a session. "
            "Check the unit (ALYX_PLUGIN_WATER_UNIT)."
        )
    if stopped_short:
        return WaterEarned(
            offer=amount,
            why=f"The protocol was broken off. It last reported {amount} mL as {name}; the animal may have got more.",
        )
    if variable.fell:
        return WaterEarned(
            offer=amount,
            why=f"{name} became smaller during the session, so it is not the total. Its last value is {amount} mL.",
        )
    if not variable.changed and amount > 0:
        return WaterEarned(
            offer=amount,
            why=f"The protocol never reported {name}, which was set to {amount} mL before the session.",
        )
    return WaterEarned(amount=amount, why=f"{amount} mL, the last value of {name}.")


def _number(text: str) -> Decimal | None:
    try:
        number = Decimal(text.strip())
    except InvalidOperation:
        return None
    return number if number.is_finite() else None


def _ml(amount: Decimal) -> Decimal | None:
    try:
        return amount.quantize(_NOISE, ROUND_HALF_EVEN).normalize() + 0
    except InvalidOperation:  # too large a number
        return None
