"""What the windows may read of PyBpod's objects: this, and what the plugin itself adds to them as ``alyx_…``.

The type checker and tests/unit/test_pybpod_attributes.py hold them to it. What more is needed is read in `host` or
`models`.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Protocol

if TYPE_CHECKING:
    from collections.abc import Callable


class Project(Protocol):
    """A PyBpod project."""

    name: str
    subjects: list[Any]
    experiments: list[Any]
    mainwindow: Any
    #: Server and user of the Alyx user who is logged in to it; added by the plugin.
    alyx_account: tuple[str, str] | None
    #: Which subjects a sync gets, see `pybpod_alyx_module.sync.scope.Scope.as_record`; added by the plugin.
    alyx_scope: dict[str, Any] | None
    alyx_window: Any
    alyx_today_window: Any
    alyx_weigh_window: Any
    alyx_syncs_window: Any
    alyx_users_window: Any

    def is_saved(self) -> bool:
        """Tell whether a save would change nothing on disk."""

    @property
    def is_closed(self) -> bool:
        """Whether the project was taken off PyBpod's tree; added by the plugin."""


class Experiment(Protocol):
    """An experiment of a PyBpod project."""

    setups: list[Any]


class Setup(Protocol):
    """A setup of an experiment."""

    name: str
    project: Any
    subjects: list[Any]
    sessions: list[Any]
    mainwindow: Any


class Subject(Protocol):
    """A subject of a PyBpod project, linked to Alyx or not."""

    name: str
    project: Any
    mainwindow: Any
    alyx_key: str
    alyx_details_window: Any
    #: Its record, see `pybpod_alyx_module.host.subject_record`; None for one that is not linked. Added by the plugin.
    alyx: dict[str, Any] | None

    @property
    def is_alyx(self) -> bool:
        """Whether the subject is linked to one on Alyx; added by the plugin."""

    @property
    def alyx_jobs(self) -> tuple[tuple[str, Callable[[], None]], ...]:
        """What can be done with it, by what a menu or a button calls it; added by the plugin."""

    def alyx_note_weight(self, note: Any) -> None:
        """Keep what was seen of the last weight, and show it in the tree; added by the plugin."""


class Session(Protocol):
    """A session of a setup."""

    name: str
    project: Any
    mainwindow: Any
    started: Any
    is_running: bool
