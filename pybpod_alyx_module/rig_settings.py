"""What a rig is set to: sessions, weights, scale and checks, as values. `read_settings` reads them."""

from __future__ import annotations

from dataclasses import dataclass, field
from decimal import Decimal
from types import MappingProxyType
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Mapping

    from pybpod_alyx_module.scale.reader import ScaleSettings

#: What `SessionSettings.register` may be.
REGISTER: Final = ("ask", "always", "never")


#: What `SessionSettings.water_values` may be.
WATER_VALUES: Final = ("total", "reward", "end")


#: What each check before Run may do.
LEVELS: Final = ("off", "warn", "block")


#: The checks before Run, and the setting of each.
CHECKS: Final = MappingProxyType(
    {
        "alive": "ALYX_PLUGIN_CHECK_ALIVE",
        "may_handle": "ALYX_PLUGIN_CHECK_MAY_HANDLE",
        "to_be_culled": "ALYX_PLUGIN_CHECK_TO_BE_CULLED",
        "run_today": "ALYX_PLUGIN_CHECK_RUN_TODAY",
        "weighed_today": "ALYX_PLUGIN_CHECK_WEIGHED_TODAY",
        "min_weight": "ALYX_PLUGIN_CHECK_MIN_WEIGHT",
        "water": "ALYX_PLUGIN_CHECK_WATER",
        "several": "ALYX_PLUGIN_CHECK_ONE_ANIMAL",
    }
)


@dataclass(frozen=True)
class SettingProblem:
    """A setting that cannot be used."""

    #: Its name: decides which window shows it.
    setting: str
    #: For people: its name, what to write, and what counts instead.
    text: str


@dataclass(frozen=True)
class SessionSettings:
    """How sessions are registered on Alyx."""

    #: One of `REGISTER`.
    register: str = "ask"
    location: str | None = None
    #: None: the subject's own.
    projects: tuple[str, ...] | None = None
    procedures: tuple[str, ...] = ()
    #: Alyx's free text for the kind of session; None leaves it empty.
    type: str | None = "Experiment"
    #: Nicknames of which nothing is ever sent; see `is_test_subject`.
    test_subjects: tuple[str, ...] = ()
    water_variable: str | None = None
    #: Factor from the variable's unit to mL, None if no unit is set.
    ml_per_unit: Decimal | None = None
    #: What the variable's values are: one of `WATER_VALUES`.
    water_values: str = "total"
    #: Alyx's type of the water that the rig gives; None: that of the subject's restriction.
    water_type: str | None = None

    def is_test_subject(self, nickname: str) -> bool:
        """Tell whether nothing of this subject is to be sent.

        Returns: True where it is among ``test_subjects``, written in small or capital letters.
        """
        return nickname.strip().casefold() in {name.casefold() for name in self.test_subjects}


@dataclass(frozen=True)
class RigSettings:
    """What was set for a rig that writes to Alyx."""

    sessions: SessionSettings = SessionSettings()
    #: By how many percent a weight may differ from those of the last three days before the dialog asks about it.
    weight_change_percent: Decimal = Decimal(10)
    #: None: there is no scale.
    scale: ScaleSettings | None = None
    #: What each of `CHECKS` does before Run: one of `LEVELS`.
    checks: Mapping[str, str] = field(default_factory=lambda: dict.fromkeys(CHECKS, "warn"), hash=False)
    #: What cannot be used.
    problems: tuple[SettingProblem, ...] = ()
