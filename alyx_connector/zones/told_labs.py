"""Of which labs a person was told that the server's clock is not theirs: once for each server and lab."""

from __future__ import annotations

import logging
from typing import Any, Final

from alyx_connector.errors import ConfigurationError
from alyx_connector.private_file import JsonFile, home_folder

__all__ = ["TOLD_FILE", "is_first_time"]

LOG = logging.getLogger(__name__)

#: In the folder of `alyx_connector.private_file.home_folder`.
TOLD_FILE: Final = "told_labs.json"


def is_first_time(server: str, lab: str) -> bool:
    """Tell whether nobody was told yet, and take note that somebody is told now."""
    first = True  # also where that cannot be noted

    def note(content: dict[str, Any]) -> None:
        nonlocal first
        told = content.setdefault(server, [])
        first = lab not in told
        if first:
            told.append(lab)

    try:
        JsonFile(home_folder() / TOLD_FILE, _check).change(note)
    except ConfigurationError as error:
        LOG.warning("%s", error)
    return first


def _check(content: Any) -> None:
    if not all(isinstance(labs, list) for labs in content.values()):
        raise TypeError("not lists of labs")
