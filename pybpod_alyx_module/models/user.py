"""What PyBpod looks up as ``models.user``: a damaged file of one user does not keep the whole project from opening."""

from __future__ import annotations

import logging
import os
from pathlib import Path
from typing import TYPE_CHECKING, Any

from pybpod_alyx_module.host.subject_file import is_damaged, keep_damaged
from pybpod_alyx_module.read_settings import read_settings

if TYPE_CHECKING:
    from pybpod_alyx_module.models.host_types import PyBpodUser
else:
    PyBpodUser = object

logger = logging.getLogger(__name__)


class User(PyBpodUser):
    """Mixed into every user of a PyBpod project."""

    # Where the file is that PyBpod could not read, until a save.
    _damaged: Path | None = None

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
