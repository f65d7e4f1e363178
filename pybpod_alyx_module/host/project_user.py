"""An Alyx user logged in to a PyBpod project, and off it; Alyx users among the users of the project."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

from pybpod_alyx_module.errors import SyncError
from pybpod_alyx_module.host.alyx_user import CONNECTION, alyx_user
from pybpod_alyx_module.sync.names import fold, unusable
from pybpod_alyx_module.sync.servers import same_server

if TYPE_CHECKING:
    from collections.abc import Iterable


class Standing(NamedTuple):
    """What an Alyx user is, or can be, in a PyBpod project."""

    #: Whether the user can be added, or linked.
    can_add: bool
    #: Why not, or what else adding does; empty where there is nothing to say.
    note: str
    #: The PyBpod user of that name that adding links; None where adding makes one.
    namesake: Any = None


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
    reason = _unusable(username)
    if reason:
        raise SyncError(
            f"PyBpod cannot take the Alyx user {username!r} as one of its users: {reason}.",
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


def standing_of(project: Any, server: str, username: str) -> Standing:
    """Say what an Alyx user is in a PyBpod project, or would become."""
    linked = [
        user
        for user in project.users
        if user.alyx_link and user.alyx_link[1] == username and same_server(user.alyx_link[0], server)
    ]
    if linked:
        name = linked[0].name
        return Standing(False, "in this project" if name == username else f"in this project as {name}")
    reason = _unusable(username)
    if reason:
        return Standing(False, f"PyBpod cannot take it: {reason}")
    alike = sorted((user for user in project.users if fold(user.name) == fold(username)), key=lambda user: user.name)
    free = [user for user in alike if user.alyx_link is None]
    if free:
        namesake = next((user for user in free if user.name == username), free[0])
        return Standing(True, f"links the PyBpod user {namesake.name}", namesake)
    if alike:
        of_server, alyx_name = alike[0].alyx_link
        return Standing(False, f"the name is taken: {alike[0].name} is the Alyx user {alyx_name} of {of_server}")
    return Standing(True, "")


def add_alyx_users(project: Any, server: str, usernames: Iterable[str]) -> tuple[int, int, tuple[str, ...]]:
    """Make Alyx users users of a PyBpod project, which is unsaved afterwards; a user of that name is linked.

    Returns: how many were added and how many linked; and why others were not, a sentence for each.

    Raises SyncError if the project was closed.
    """
    from pybpodgui_plugin.models.user import User  # composed by PyBpod once all plugins are known

    if project.is_closed:
        raise SyncError("The PyBpod project was closed.", hint="Open it again.")
    added = linked = 0
    left = []
    for username in usernames:
        standing = standing_of(project, server, username)
        user = standing.namesake
        if not standing.can_add:
            left.append(f"{username}: {standing.note}.")
            continue
        if user is None:
            user = User(project)
            user.name = username
            added += 1
        else:
            linked += 1
        user.alyx_link = server, username
    return added, linked, tuple(left)


def _unusable(username: str) -> str:
    return unusable(username.replace("@", "-")).replace("the nickname", "the name")
