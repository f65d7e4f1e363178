"""What the mixins use of PyBpod's classes, for the type checker alone: PyBpod has no types."""

from __future__ import annotations

from typing import Any


class PyBpodSubject:
    """The part of PyBpod's subject that the mixin relies on."""

    name: str
    uuid4: Any
    project: Any
    data: Any
    node: Any
    tree: Any
    _name: Any
    _sessions: list[Any]

    def __init__(self, project: Any) -> None: ...

    @property
    def path(self) -> str:
        """Folder of the subject; PyBpod writes ``<name>.json`` into it."""
        raise NotImplementedError

    def save(self) -> Any:
        """Write the subject's file."""
        raise NotImplementedError

    def load(self, path: str) -> None:
        """Read the subject's file; a damaged one is told in a box, not raised."""
        ...

    def collect_data(self, data: dict[str, Any]) -> dict[str, Any]:
        """Put in what makes the project unsaved when it changes."""
        raise NotImplementedError

    def toJSON(self) -> str:  # noqa: N802
        """Return the subject for the settings file of a run."""
        raise NotImplementedError

    def remove(self, silent: bool = False) -> None:
        """Take the subject out of the project, after a question."""
        ...

    def update_ui(self, sessionrunning: bool = False) -> None:
        """Show whether a session runs."""
        ...

    def warning(self, msg: str, title: str | None = None) -> None:
        """Show a message box."""
        ...


class PyBpodProject:
    """The part of PyBpod's project that the mixin relies on."""

    name: str
    path: str | None
    data_hash: str | None
    node: Any
    tree: Any
    mainwindow: Any
    subjects: list[Any]
    experiments: list[Any]

    def create_treenode(self, tree: Any) -> Any:
        """Make the project's node and its menu."""
        raise NotImplementedError

    def save(self, project_path: str | None = None) -> None:
        """Write the project; without any path ask for one."""
        ...

    def is_saved(self) -> bool:
        """Tell whether the project is as it was saved or loaded; may raise."""
        raise NotImplementedError

    def save_as(self) -> None:
        """Ask for a folder and save there."""
        ...

    def close(self, silent: bool = False) -> None:
        """Take the project off the tree, after a question."""
        ...

    def info(self, msg: str, title: str | None = None) -> None:
        """Show a message box."""
        ...

    def warning(self, msg: str, title: str | None = None) -> None:
        """Show a message box."""
        ...

    def question(self, msg: str, title: str | None = None) -> str | None:
        """Ask in a message box: "yes", "no", or None where it was closed."""
        raise NotImplementedError


class PyBpodProjects:
    """The part of PyBpod's list of projects that the mixin relies on."""

    projects: list[Any]
    mainwindow: Any

    def __init__(self, *args: Any) -> None: ...

    def register_on_main_menu(self, mainmenu: list[dict[str, list[Any]]]) -> None:
        """Put entries into the menus of the main window."""
        ...

    def open_project(self, project_path: str | None = None) -> Any:
        """Open a project; without a path ask for one. What it could not open stays in the tree."""
        raise NotImplementedError

    def warning(self, msg: str, title: str | None = None) -> None:
        """Show a message box."""
        ...


class PyBpodSession:
    """The part of PyBpod's session that the mixin relies on."""

    name: str
    uuid4: Any
    setup: Any
    project: Any
    node: Any
    tree: Any
    running: bool
    is_running: bool
    subjects_nodes: dict[int, Any]

    def create_treenode(self, tree: Any) -> Any:
        """Make the session's node and its menu."""
        ...

    def load(self, path: str) -> None:
        """Read what the session's file says at its beginning."""
        ...

    def show(self) -> None:
        """Show the session's details: it was selected."""
        ...

    def update_ui(self) -> None:
        """Show whether the session runs."""
        ...

    def remove(self) -> None:
        """Take the session out of the project, after a question."""
        ...


class PyBpodBoard:
    """The part of PyBpod's board that the mixin relies on."""

    proc: Any
    _running_session: Any

    def kill_task(self) -> None:
        """Tell the protocol to end at once."""
        ...

    def end_run_task_handler(self) -> None:
        """Take the session back from a protocol whose process ended."""
        ...


class PyBpodSetup:
    """The part of PyBpod's setup that the mixin relies on."""

    STATUS_READY: int
    STATUS_RUNNING_TASK: int
    status: int
    name: str
    board: Any
    task: Any
    detached: bool
    subjects: list[Any]
    experiment: Any
    project: Any
    mainwindow: Any
    _run_task_btn: Any

    def run_task(self) -> None:
        """Make a session and start the protocol, if PyBpod has nothing against it."""
        ...

    def _run_task(self) -> None: ...

    def can_run_task(self) -> bool:
        """Say what is missing for a run, in a box."""
        raise NotImplementedError

    def update_ui(self) -> None:
        """Show whether the setup runs."""
        ...

    def remove(self) -> None:
        """Take the setup out of its experiment, after a question."""
        ...

    def alert(self, msg: str, title: str | None = None) -> None:
        """Show a message box."""
        ...
