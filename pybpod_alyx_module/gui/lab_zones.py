"""The time zones of labs as Alyx last told them: lab time is needed where Alyx cannot be asked, too. No Qt."""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING, Any, Final

from alyx_connector.errors import ConfigurationError
from alyx_connector.private_file import JsonFile, home_folder

if TYPE_CHECKING:
    from collections.abc import Mapping

logger = logging.getLogger(__name__)

#: In the folder of `alyx_connector.private_file.home_folder`.
FILE_NAME: Final = "lab_zones.json"


def last_zone(server: str, lab: str | None) -> str | None:
    """Return the time zone of a lab as it was last told.

    Parameters
    ----------
    server : str
        Address of the server.
    lab : str or None
        Name of the lab.

    Returns
    -------
    str or None
        None where it was never told from here.
    """
    try:
        zone = _file().read().get(server, {}).get(lab)
    except ConfigurationError as error:
        logger.warning("%s", error)
        return None
    return zone if isinstance(zone, str) else None


def remember_zones(server: str, zones: Mapping[str, str]) -> None:
    """Keep the time zones of a server's labs.

    Parameters
    ----------
    server : str
        Address of the server.
    zones : mapping
        Time zone by name of the lab; they take the place of what was kept.
    """
    try:
        _file().change(lambda content: content.update({server: dict(zones)}))
    except ConfigurationError as error:
        logger.warning("%s", error)


def _file() -> JsonFile:
    return JsonFile(home_folder() / FILE_NAME, _check)


def _check(content: Any) -> None:
    if not all(isinstance(zones, dict) for zones in content.values()):
        raise TypeError("no zones")
