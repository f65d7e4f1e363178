"""user_settings.py: which file was read, which settings of the plugin are in it, and what is wrong with them."""

from __future__ import annotations

import difflib
import traceback
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import TYPE_CHECKING, Any, Final

from alyx_connector.nearest import did_you_mean
from pybpod_alyx_module import defaults
from pybpod_alyx_module.doctor.check import Check, State
from pybpod_alyx_module.host.user_settings import import_user_settings
from pybpod_alyx_module.read_settings import read_rig_settings, read_settings

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

GROUP: Final = "Settings"

#: What PyBpod's list of plugins must name.
NEEDED_PLUGINS: Final = ("pybpodgui_plugin", "pybpod_alyx_module")

_PREFIX: Final = "ALYX_PLUGIN_"
_KNOWN: Final = tuple(name for name in vars(defaults) if name.startswith(_PREFIX))
_HIDDEN: Final = "ALYX_PLUGIN_PASSWORD"
#: How alike a name without the prefix is to a setting before it is taken for one.
_ALIKE: Final = 0.85
#: Characters of a value that are shown.
_LONGEST: Final = 200


@dataclass(frozen=True)
class UserSettings:
    """What the user's file holds."""

    #: The file; empty where none was found.
    file: str = ""
    names: Mapping[str, Any] = field(default_factory=lambda: MappingProxyType({}))
    #: Why it cannot be read; empty where it can. Never what stands in it: that may be a password.
    problem: str = ""

    @property
    def plugins(self) -> tuple[str, ...]:
        """PyBpod's list of plugins."""
        listed = self.names.get("GENERIC_EDITOR_PLUGINS_LIST", ())
        return tuple(map(str, listed)) if isinstance(listed, list | tuple) else ()


def find_user_settings() -> UserSettings:
    """Read the user's file as PyBpod does, or take what this PyBpod read; never raises."""
    try:
        module = import_user_settings()
    except BaseException as error:  # the file may do anything, also end the program
        if isinstance(error, KeyboardInterrupt):
            raise
        file, line = _where(error)
        at = f"in line {line}" if line else "when it is read"
        return UserSettings(file, problem=f"it fails {at} ({type(error).__name__})")
    if module is None:
        return UserSettings()
    return UserSettings(str(getattr(module, "__file__", None) or ""), MappingProxyType(vars(module)))


def _where(error: BaseException) -> tuple[str, int]:
    # Not the error's own text, nor the line: it may repeat a password that lacks its quotes.
    if isinstance(error, SyntaxError) and error.filename:
        return str(error.filename), error.lineno or 0
    frames = [frame for frame in traceback.extract_tb(error.__traceback__) if "user_settings" in frame.filename]
    return (frames[-1].filename, frames[-1].lineno or 0) if frames else ("user_settings.py", 0)


def check_settings(settings: UserSettings) -> Iterator[Check]:
    """Look at the file, at its list of plugins, and at each setting of this plugin."""
    if settings.problem:
        advice = "Correct that line, in an editor or in the window that PyBpod shows then, and start PyBpod again."
        found = f"{settings.file} cannot be used: {settings.problem}."
        yield Check(GROUP, "user_settings.py", State.WRONG, found, advice)
        return
    if not settings.names:
        found = "There is no user_settings.py, neither in this folder nor in the home folder."
        advice = "Run this in the folder in which PyBpod is started, or write one: see docs/rig-setup.md."
        yield Check(GROUP, "user_settings.py", State.WRONG, found, advice)
        return
    yield Check(GROUP, "user_settings.py", State.OK, f"{settings.file or 'It'} was read.")
    yield _list_of_plugins(settings)
    yield from _misspelt(settings)
    problems = (*read_settings().problems, *read_rig_settings().problems)
    for problem in problems:
        yield Check(GROUP, problem.setting, State.WRONG, problem.text)
    wrong = {problem.setting for problem in problems}
    yield _values(settings, wrong)
    if settings.names.get(_HIDDEN) and _HIDDEN not in wrong:
        found = "The file holds a password that everybody can read who can read the file, or a backup of it."
        advice = "Set it to None; connect once with Remember me instead."
        yield Check(GROUP, _HIDDEN, State.WARNING, found, advice)


def _list_of_plugins(settings: UserSettings) -> Check:
    missing = [name for name in NEEDED_PLUGINS if name not in settings.plugins]
    if not missing:
        return Check(GROUP, "List of plugins", State.OK, f"{', '.join(settings.plugins)}.")
    found = f"GENERIC_EDITOR_PLUGINS_LIST does not name {' and '.join(missing)}."
    return Check(GROUP, "List of plugins", State.WRONG, found, "Add what is missing, and start PyBpod again.")


def _misspelt(settings: UserSettings) -> Iterator[Check]:
    for name in settings.names:
        if name in _KNOWN or name.startswith("_"):
            continue
        alike = difflib.get_close_matches(name.upper(), _KNOWN, n=1, cutoff=_ALIKE)
        if name.upper().startswith("ALYX") or alike:
            found = f"There is no setting of this name, and it does nothing.{did_you_mean(name, alike or _KNOWN)}"
            advice = "Correct the name, or take it out; docs/rig-setup.md lists all settings."
            yield Check(GROUP, name, State.WRONG, found, advice)


def _values(settings: UserSettings, wrong: set[str]) -> Check:
    shown = []
    for name in _KNOWN:
        if name in settings.names and name not in wrong:
            value = settings.names[name]
            text = "(set, not shown)" if name == _HIDDEN and value else repr(value)
            shown.append(f"{name} = {text[:_LONGEST]}")
    return Check(GROUP, "Settings of the plugin", State.OK, "\n".join(shown) or "None is set: the defaults count.")
