"""Where a server's clock or a lab's zone was guessed: by how much the times sent were off lab time, kept on the disk.

What was sent by a guess is looked for by it once the clock is known: else it would be sent again.
"""

from __future__ import annotations

import datetime as dt
import logging
from typing import Any, Final

from alyx_connector.errors import ConfigurationError
from alyx_connector.private_file import JsonFile, home_folder

__all__ = ["GUESSED_FILE", "guessed_times", "remember_guess"]

LOG = logging.getLogger(__name__)

#: In the folder of `alyx_connector.private_file.home_folder`.
GUESSED_FILE: Final = "guessed_times.json"


def remember_guess(server: str, lab: str, lab_time: dt.datetime, sent: dt.datetime) -> None:
    """Take note that a time of a lab is sent as this; both naive."""
    shift = int((sent - lab_time).total_seconds())

    def note(content: dict[str, Any]) -> None:
        shifts = content.setdefault(server, {}).setdefault(_month(lab, lab_time), [])
        if shift not in shifts:
            shifts.append(shift)

    if sent in guessed_times(server, lab, lab_time):
        return
    try:
        _file().change(note)
    except ConfigurationError as error:
        LOG.warning("%s", error)


def guessed_times(server: str, lab: str, lab_time: dt.datetime) -> tuple[dt.datetime, ...]:
    """Return as what a time of a lab may have been sent by a guess, naive as it is; empty where nothing was guessed."""
    try:
        shifts = _file().read().get(server, {}).get(_month(lab, lab_time), [])
    except ConfigurationError as error:
        LOG.warning("%s", error)
        return ()
    return tuple(lab_time + dt.timedelta(seconds=shift) for shift in shifts)


def _month(lab: str, time: dt.datetime) -> str:
    return f"{time:%Y-%m} {lab}"


def _file() -> JsonFile:
    return JsonFile(home_folder() / GUESSED_FILE, _check)


def _check(content: Any) -> None:
    for months in content.values():
        for shifts in months.values():
            for shift in shifts:
                dt.timedelta(seconds=shift)
