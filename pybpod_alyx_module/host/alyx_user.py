"""Which Alyx user is logged in to a PyBpod project."""

from __future__ import annotations

from typing import Any, Final

#: PyBpod's word for where a logged user comes from: ``project (jose@ALYX)``.
CONNECTION: Final = "ALYX"


def alyx_user(project: Any) -> str:
    """Return the Alyx user who is logged in to a PyBpod project, for the GUI thread.

    Returns: empty where nobody is logged in, or a user of PyBpod alone.
    """
    user = project.loggeduser
    if user is None or user.connection != CONNECTION:
        return ""
    return str(getattr(user, "alyx_username", user.name))
