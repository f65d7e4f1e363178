"""What a sync has of a PyBpod project. No Qt: the command line makes it, too."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING, Any

from pybpod_alyx_module.host.project import HostProject
from pybpod_alyx_module.read_settings import read_rig_settings
from pybpod_alyx_module.sessions.pybpod_session import unregistered_of

if TYPE_CHECKING:
    from collections.abc import Callable


def port_of(project: Any, hold: Callable[[str | None, str], str]) -> HostProject:
    """Return what a sync has of a PyBpod project, with why an animal must stay: made anew for each sync.

    ``hold``: says why one must stay of which something waits in the outbox, see `Outlook.hold`.
    """
    rule = read_rig_settings().sessions
    unregistered = None if rule.register == "never" else partial(unregistered_of, project, rule.is_test_subject)
    return HostProject(project, hold, unregistered)
