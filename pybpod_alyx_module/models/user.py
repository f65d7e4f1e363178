"""What PyBpod looks up as ``models.user``: the link to an Alyx user, kept in the user's file.

A damaged file of one user does not keep the whole project from opening.
"""

from __future__ import annotations

import logging
import os
from pathlib import Path
from typing import TYPE_CHECKING, Any

from AnyQt.QtGui import QIcon
from confapp import conf

from pybpod_alyx_module.gui.words import plain_tip
from pybpod_alyx_module.host.subject_file import is_damaged, keep_damaged
from pybpod_alyx_module.models.fresh_content import fresh_content
from pybpod_alyx_module.models.subject.badge import alyx_icon
from pybpod_alyx_module.read_settings import read_settings

if TYPE_CHECKING:
    from pybpod_alyx_module.models.host_types import PyBpodUser
else:
    PyBpodUser = object

logger = logging.getLogger(__name__)

#: Key of the user's file that holds the link.
LINK = "alyx"


class User(PyBpodUser):
    """Mixed into every user of a PyBpod project."""

    # Where the file is that PyBpod could not read, until a save.
    _damaged: Path | None = None

    @property
    def alyx_link(self) -> tuple[str, str] | None:
        """Server and name of the Alyx user that this user is linked to; None for a user of PyBpod alone."""
        link = self.data.get(LINK) if isinstance(self.data, dict) else None
        if not isinstance(link, dict):
            return None
        server, username = link.get("server"), link.get("username")
        return (server, username) if isinstance(server, str) and isinstance(username, str) else None

    @alyx_link.setter
    def alyx_link(self, link: tuple[str, str]) -> None:
        if not self.data:  # never loaded: PyBpod would make fresh content at each save, without the link
            text = "This file contains information about a user used on PyBpod GUI."
            self.data = fresh_content(self.uuid4, text)
        self.data[LINK] = {"server": link[0], "username": link[1]}
        self._show_link()

    def collect_data(self, data: dict[str, Any]) -> dict[str, Any]:
        """Add what makes the project unsaved when it changes: the link."""
        data = super().collect_data(data)
        if self.alyx_link is not None:
            data[LINK] = list(self.alyx_link)
        return data

    def _show_link(self) -> None:
        link = self.alyx_link
        self.node.setIcon(0, alyx_icon(conf.PERSON_SMALL_ICON) if link else QIcon(conf.PERSON_SMALL_ICON))
        self.node.setToolTip(0, plain_tip(f"Alyx user {link[1]} of {link[0]}") if link else "")

    def load(self, path: str) -> None:
        """Read the user's file; one that cannot be read is told, and the user gets a new identity."""
        file = Path(path, f"{os.path.basename(path)}.json")
        mends = read_settings().mends_pybpod
        try:
            super().load(path)
            damaged = mends and is_damaged(file)  # PyBpod takes some for an empty one and says nothing
        except Exception:
            if not mends:
                raise
            logger.warning("PyBpod cannot read a user", exc_info=True)
            damaged = True
        if not damaged:
            self._show_link()
            return
        self.data = None  # it may hold what is no user's
        self._damaged = file
        logger.error("%s is damaged or missing; a save will keep it beside", file)
        self.warning(
            f"The file {file} is damaged or missing: the user gets a new identity. When the project is saved the "
            "damaged file is kept beside it; to repair it first, close the project without saving.",
            "Damaged user file",
        )

    def save(self) -> Any:
        """Write the user's file, after a damaged one was copied beside it.

        Returns: what PyBpod's save returns.
        """
        kept = None
        if self._damaged is not None and self.name:
            folder = Path(str(self.path))  # another than that of the file where the user was renamed
            folder.mkdir(parents=True, exist_ok=True)
            kept = keep_damaged(self._damaged, folder)
            self._damaged = None
        result = super().save()
        if kept is not None:
            self.project.save_notes.append(f"The damaged file of user {self.name!r} was kept as {kept}.")
        return result
