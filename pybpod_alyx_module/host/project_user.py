"""An Alyx user logged in to a PyBpod project, and off it."""

from __future__ import annotations

from typing import Any

from pybpod_alyx_module.errors import SyncError
from pybpod_alyx_module.host.alyx_user import CONNECTION, alyx_user
from pybpod_alyx_module.sync.names import fold, unusable


def log_in_user(project: Any, username: str) -> bool:
    """Make an Alyx user the PyBpod user: found by name, else added, and logged in.

    Parameters
    ----------
    project : Project
        Of PyBpod.
    username : str
        The Alyx user.

    Returns
    -------
    bool
        True where this made a saved project unsaved, so that PyBpod refuses to run.

    Raises
    ------
    SyncError
        PyBpod cannot take the name, or the project was closed.
    """
    from pybpodgui_plugin.models.user import User  # composed by PyBpod once all plugins are known

    if project.is_closed:
        raise SyncError("The PyBpod project was closed.", hint="Open it, then connect again.")
    reason = unusable(username.replace("@", "-"))
    if reason:
        raise SyncError(
            f"PyBpod cannot take the Alyx user {username!r} as one of its users: "
            f"{reason.replace('the nickname', 'the name')}.",
            hint="Connect as another user.",
        )
    was_saved = project.is_saved()
    alike = [user for user in project.users if fold(user.name) == fold(username)]
    user = next((user for user in alike if user.name == username), alike[0] if alike else None)
    if user is None:
        user = User(project)
        user.name = username
    user.connection = CONNECTION
    user.alyx_username = username  # PyBpod's name of the user may differ from it by case
    project.loggeduser = user
    return bool(was_saved and not project.is_saved())


def log_out_user(project: Any, username: str) -> None:
    """Take an Alyx user off the PyBpod project, where that user is logged in to it; the user stays listed."""
    if not project.is_closed and alyx_user(project) == username:
        project._loggeduser = None  # its setter takes no None
        project.name = project.name  # PyBpod shows the user behind the name
