"""Reads the settings of one run, which PyBpod writes beside the session's CSV; nothing in them is executed."""

from __future__ import annotations

import ast
from dataclasses import dataclass, field
from pathlib import Path
from types import MappingProxyType
from typing import TYPE_CHECKING, Any, Final

if TYPE_CHECKING:
    import os
    from collections.abc import Mapping

#: PyBpod writes some 2 kB; descriptions of subjects may make it longer.
_LARGEST: Final = 10_000_000


@dataclass(frozen=True)
class RunSettings:
    """The settings of one run; empty where there is no such file, or Python cannot parse it."""

    #: The task variables, as numbers and texts.
    variables: Mapping[str, Any] = field(default_factory=dict, hash=False)
    #: The Bpod firmware that this PyBpod works with: with any other it refuses to start a protocol.
    firmware: str | None = None


def read_run_settings(folder: str | os.PathLike[str]) -> RunSettings:
    """Read the settings of a session's run.

    Returns: what they hold; what cannot be read is left out, as a session can be registered without.
    """
    try:
        file = Path(folder, "user_settings.py")
        if file.stat().st_size > _LARGEST:
            return RunSettings()
        tree = ast.parse(file.read_bytes())
    except (OSError, SyntaxError, ValueError, RecursionError, MemoryError):
        return RunSettings()
    assigned: dict[str, Any] = {}
    for statement in tree.body:
        match statement:
            case ast.Assign(targets=[ast.Name(id=name)], value=value):
                try:
                    assigned[name] = ast.literal_eval(value)
                except (ValueError, TypeError, SyntaxError, RecursionError, MemoryError):
                    continue
    names = assigned.get("PYBPOD_VARSNAMES")
    firmware = assigned.get("TARGET_BPOD_FIRMWARE_VERSION")
    return RunSettings(
        MappingProxyType(
            {
                name: assigned[name]
                for name in (names if isinstance(names, list) else [])
                if isinstance(name, str) and name in assigned
            }
        ),
        str(firmware) if isinstance(firmware, str | int) and str(firmware) else None,
    )
