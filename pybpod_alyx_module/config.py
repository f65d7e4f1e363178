"""The ``ALYX_PLUGIN_*`` settings, checked and typed: the one place that reads PyBpod's configuration."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any, Final

from pybpod_alyx_module import settings

#: What the predecessor wrote where no address was set.
PLACEHOLDER: Final = "URL TO ALYX"


@dataclass(frozen=True)
class PluginSettings:
    """What the user set for the plugin; empty strings where nothing was set."""

    address: str = ""
    username: str = ""
    #: Clear text from user_settings.py; never shown.
    password: str = field(default="", repr=False)
    #: A sentence for each setting that cannot be used, naming it.
    problems: tuple[str, ...] = ()


def read_settings() -> PluginSettings:
    """Read the settings as they are now.

    Returns
    -------
    PluginSettings
        The settings; one that is neither None nor text counts as not set and is named in ``problems``.
    """
    problems: list[str] = []
    address = _text("ALYX_PLUGIN_ADDRESS", problems).strip()
    return PluginSettings(
        address="" if address == PLACEHOLDER else address,
        username=_text("ALYX_PLUGIN_USERNAME", problems).strip(),
        password=_text("ALYX_PLUGIN_PASSWORD", problems),
        problems=tuple(problems),
    )


def _text(name: str, problems: list[str]) -> str:
    value = _configured(name)
    if value is None:
        return ""
    if isinstance(value, str):
        return value
    problems.append(
        f"{name} in user_settings.py must be text in quotes or None, not {type(value).__name__}: it is ignored. "
        "Correct it and start PyBpod again."
    )
    return ""


def _configured(name: str) -> Any:
    default = getattr(settings, name)
    try:
        from confapp import conf
    except ModuleNotFoundError:  # no PyBpod here
        return default
    return getattr(conf, name, default)
