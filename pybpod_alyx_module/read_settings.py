"""The ``ALYX_PLUGIN_*`` settings, checked and typed: the one place that reads PyBpod's configuration."""

from __future__ import annotations

import math
from dataclasses import dataclass, field
from decimal import Decimal
from types import MappingProxyType
from typing import TYPE_CHECKING, Any, Final

from alyx_connector.errors import ConfigurationError
from pybpod_alyx_module import defaults
from pybpod_alyx_module.name_lists import split_names
from pybpod_alyx_module.rig_settings import (
    CHECKS,
    LEVELS,
    REGISTER,
    WATER_VALUES,
    RigSettings,
    SessionSettings,
    SettingProblem,
)
from pybpod_alyx_module.scale.line import compiled_pattern
from pybpod_alyx_module.scale.reader import ScaleSettings, is_command

if TYPE_CHECKING:
    from collections.abc import Sequence

#: What the predecessor wrote where no address was set.
PLACEHOLDER: Final = "URL TO ALYX"


#: What `PluginSettings.review` may be.
REVIEW: Final = ("needed", "always")

#: Millilitres in one of each unit of water, case-folded: that makes a Greek letter of the micro sign.
ML_PER_UNIT: Final = MappingProxyType(
    {"ml": Decimal(1), "ul": Decimal("0.001"), "\N{GREEK SMALL LETTER MU}l": Decimal("0.001")}
)

_LIST: Final = "a list of names in quotes, such as ['one', 'another'], or None"


@dataclass(frozen=True)
class PluginSettings:
    """What the user set for the plugin; empty strings where nothing was set."""

    address: str = ""
    username: str = ""
    #: Clear text from user_settings.py; never shown.
    password: str = field(default="", repr=False)
    #: Minutes without key or mouse after which who is logged in is logged out; None: never.
    idle_minutes: float | None = None
    #: Whether faults of PyBpod itself are mended.
    mends_pybpod: bool = True
    #: When the plan of a sync is shown first: one of `REVIEW`.
    review: str = "needed"
    #: What cannot be used.
    problems: tuple[SettingProblem, ...] = ()


def read_settings() -> PluginSettings:
    """Read the settings as they are now.

    Returns: the settings; one that cannot be used counts as not set and is named in ``problems``.
    """
    problems: list[SettingProblem] = []
    address = _text("ALYX_PLUGIN_ADDRESS", problems).strip()
    return PluginSettings(
        address="" if address == PLACEHOLDER else address,
        username=_text("ALYX_PLUGIN_USERNAME", problems).strip(),
        password=_text("ALYX_PLUGIN_PASSWORD", problems),
        idle_minutes=_minutes("ALYX_PLUGIN_IDLE_LOGOUT_MINUTES", problems),
        mends_pybpod=_flag("ALYX_PLUGIN_MEND_PYBPOD", problems),
        review=_one_of("ALYX_PLUGIN_REVIEW_SYNC", REVIEW, problems),
        problems=tuple(problems),
    )


def read_rig_settings() -> RigSettings:
    """Read the settings of sessions, weights, the scale and the checks as they are now.

    Returns: the settings; for one that cannot be used the default counts, and it is named in ``problems``. Where the
    list of test subjects cannot be used, no session is registered without being asked about.
    """
    problems: list[SettingProblem] = []
    test_subjects = _names("ALYX_PLUGIN_TEST_SUBJECTS", problems) or ()
    register = _one_of("ALYX_PLUGIN_REGISTER_SESSIONS", REGISTER, problems)
    if problems and register == "always":
        register = "ask"
    variable = _optional("ALYX_PLUGIN_WATER_VARIABLE", problems)
    sessions = SessionSettings(
        register=register,
        location=_optional("ALYX_PLUGIN_LOCATION", problems),
        projects=_names("ALYX_PLUGIN_PROJECTS", problems),
        procedures=_names("ALYX_PLUGIN_PROCEDURES", problems) or (),
        type=_optional("ALYX_PLUGIN_SESSION_TYPE", problems),
        test_subjects=test_subjects,
        water_variable=variable,
        ml_per_unit=_unit("ALYX_PLUGIN_WATER_UNIT", variable, problems),
        water_values=_one_of("ALYX_PLUGIN_WATER_VALUES", WATER_VALUES, problems),
        water_type=_optional("ALYX_PLUGIN_WATER_TYPE", problems),
    )
    return RigSettings(
        sessions=sessions,
        weight_change_percent=_percent("ALYX_PLUGIN_WEIGHT_CHANGE_PERCENT", problems),
        scale=_scale(problems),
        checks=MappingProxyType({check: _one_of(name, LEVELS, problems) for check, name in CHECKS.items()}),
        problems=tuple(problems),
    )


def _text(name: str, problems: list[SettingProblem]) -> str:
    value = _configured(name)
    if value is None:
        return ""
    if isinstance(value, str):
        return value
    wanted = f"text in quotes or None, not {type(value).__name__}"
    problems.append(_problem(name, wanted, "it is ignored"))
    return ""


def _minutes(name: str, problems: list[SettingProblem]) -> float | None:
    value = _configured(name)
    is_number = isinstance(value, int | float) and not isinstance(value, bool)
    if value is None or (is_number and 0 < value < math.inf):
        return None if value is None else float(value)
    problems.append(_problem(name, "a number of minutes above 0, or None", "nobody is logged out by itself"))
    return None


def _flag(name: str, problems: list[SettingProblem]) -> bool:
    value = _configured(name)
    return value if isinstance(value, bool) else bool(_default(name, "True or False", problems))


def _optional(name: str, problems: list[SettingProblem]) -> str | None:
    value = _configured(name)
    if not isinstance(value, str | None):
        value = _default(name, "text in quotes or None", problems)
    return (value or "").strip() or None


def _one_of(name: str, words: Sequence[str], problems: list[SettingProblem]) -> str:
    value = _configured(name)
    if isinstance(value, str) and value.strip().lower() in words:
        return value.strip().lower()
    return str(_default(name, " or ".join(f"'{word}'" for word in words), problems))


def _names(name: str, problems: list[SettingProblem]) -> tuple[str, ...] | None:
    value = _configured(name)
    if value is None:
        return None
    if isinstance(value, str):
        value = split_names(value)
    if not isinstance(value, list | tuple | set | frozenset):
        default = _default(name, _LIST, problems)
        return None if default is None else tuple(default)
    if not all(isinstance(item, str) for item in value):
        problems.append(_problem(name, _LIST, "what is not in quotes is left out"))
    return tuple(dict.fromkeys(item.strip() for item in value if isinstance(item, str) and item.strip()))


def _unit(name: str, variable: str | None, problems: list[SettingProblem]) -> Decimal | None:
    value = _configured(name)
    if value is None:
        if variable is not None:
            wanted = "'mL' or 'uL', because ALYX_PLUGIN_WATER_VARIABLE is set"
            problems.append(_problem(name, wanted, "without it no amount of water is taken from a session"))
        return None
    unit = value.strip().casefold() if isinstance(value, str) else ""
    if unit in ML_PER_UNIT:
        return ML_PER_UNIT[unit]
    _default(name, "'mL' or 'uL'", problems)
    return None


def _percent(name: str, problems: list[SettingProblem]) -> Decimal:
    value = _configured(name)
    if isinstance(value, int | float) and not isinstance(value, bool) and 0 < value <= 100:
        return Decimal(str(value))
    return Decimal(_default(name, "a number above 0 and up to 100", problems))


def _scale(problems: list[SettingProblem]) -> ScaleSettings | None:
    port = _optional("ALYX_PLUGIN_SCALE_PORT", problems)
    baud = _baud("ALYX_PLUGIN_SCALE_BAUD", problems)
    pattern = _pattern("ALYX_PLUGIN_SCALE_PATTERN", problems)
    ask = _command("ALYX_PLUGIN_SCALE_ASK", problems)
    return None if port is None else ScaleSettings(port, baud, pattern, ask)


def _baud(name: str, problems: list[SettingProblem]) -> int:
    value = _configured(name)
    if isinstance(value, int) and not isinstance(value, bool) and value > 0:
        return value
    return int(_default(name, "a whole number, such as 9600", problems))


def _command(name: str, problems: list[SettingProblem]) -> str | bytes | None:
    value = _configured(name)
    if value is None or is_command(value):
        return value  # type: ignore[no-any-return]
    _default(name, "a command from the manual of your scale, such as 'SI' or 'IP', or None", problems)
    return None


def _pattern(name: str, problems: list[SettingProblem]) -> str | None:
    value = _configured(name)
    if value is None:
        return None
    try:
        if isinstance(value, str):
            return compiled_pattern(value).pattern
    except (ConfigurationError, RecursionError, OverflowError):
        pass
    wanted = "a regular expression in quotes with the number in round brackets, such as r'([0-9.]+) *g', or None"
    _default(name, wanted, problems)
    return None


def _default(name: str, wanted: str, problems: list[SettingProblem]) -> Any:
    default = getattr(defaults, name)
    shown = "nothing" if default in (None, []) else repr(default)
    problems.append(_problem(name, wanted, f"{shown} counts instead"))
    return default


def _problem(name: str, wanted: str, meanwhile: str) -> SettingProblem:
    text = f"{name} in user_settings.py must be {wanted}: {meanwhile}. Correct it and start PyBpod again."
    return SettingProblem(name, text)


def _configured(name: str) -> Any:
    default = getattr(defaults, name)
    try:
        from confapp import conf
    except ModuleNotFoundError:  # no PyBpod here
        return default
    return getattr(conf, name, default)
