"""What PyBpod looks up as ``models.projects``: the mixin for the list of projects."""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pybpod_alyx_module.models.host_types import HostProjects
else:
    HostProjects = object

logger = logging.getLogger(__name__)


class Projects(HostProjects):
    """Mixed into PyBpod's list of projects."""

    def _option_open_project(self) -> None:
        """Open the project that the user chooses; one that cannot be opened is closed, and no other.

        PyBpod closes all projects then, unsaved changes and all, and saved those at the exit at best: a closed project
        writes nothing now.
        """
        before = {id(project) for project in self.projects}
        try:
            self.open_project()
        except Exception as error:
            logger.warning("A project could not be opened", exc_info=True)
            for project in self.projects:
                if id(project) not in before:
                    project.close(silent=True)
            self.warning(str(error), "Invalid project path")
