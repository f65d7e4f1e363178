"""What Alyx answered last about a person's animals, kept on this computer for when it cannot be reached."""

from __future__ import annotations

import datetime as dt
import hashlib
import logging
from dataclasses import asdict
from typing import TYPE_CHECKING, Any, Final

from alyx_connector.errors import ConfigurationError
from alyx_connector.private_file import JsonFile, home_folder
from pybpod_alyx_module.animals.today.answers import AnimalRows, Answers

if TYPE_CHECKING:
    from pathlib import Path

__all__ = ["keep_answers", "read_kept"]

LOG = logging.getLogger(__name__)

#: Below the folder of `alyx_connector.private_file.home_folder`.
FOLDER: Final = "today"


def keep_answers(answers: Answers) -> None:
    """Keep them in the place of those before; what cannot be written is not kept, and logged."""

    def write(content: dict[str, Any]) -> None:
        content.clear()
        content.update(asdict(answers), asked=answers.asked.isoformat())

    try:
        JsonFile(_path(answers.server, answers.username), _check).change(write)
    except ConfigurationError as error:
        LOG.warning("%s", error)


def read_kept(server: str, username: str) -> Answers | None:
    """Read what was answered to a user last; None where nothing is kept, or it cannot be read."""
    try:
        content = JsonFile(_path(server, username), _check).read()
    except ConfigurationError as error:
        LOG.warning("%s", error)
        return None
    kept = _answers(content) if content else None
    return kept if kept is not None and (kept.server, kept.username) == (server, username) else None


def _answers(content: dict[str, Any]) -> Answers:
    animals = [
        AnimalRows(one.pop("subject"), **{name: tuple(rows) for name, rows in one.items()})
        for one in map(dict, content["animals"])
    ]
    return Answers(
        content["server"],
        content["username"],
        dt.datetime.fromisoformat(content["asked"]),
        tuple(animals),
        dict(content["zones"]),
        None if content["labs"] is None else dict(content["labs"]),
        dict(content["trials"]),
        tuple(content["notes"]),
        are_kept=True,
    )


def _check(content: Any) -> None:
    if not content:
        return
    try:
        kept = _answers(content)
        names = [animal.subject[field] for animal in kept.animals for field in ("id", "nickname", "responsible_user")]
    except KeyError as error:
        raise ValueError(f"no {error}") from None
    if not all(isinstance(name, str) for name in (kept.server, kept.username, *names)):
        raise TypeError("not names")


def _path(server: str, username: str) -> Path:
    digest = hashlib.sha256(f"{server}\n{username}".encode()).hexdigest()[:32]
    return home_folder() / FOLDER / f"{digest}.json"
