"""The one adapter between a sync and PyBpod's objects."""

from __future__ import annotations

from contextlib import ExitStack
from typing import TYPE_CHECKING, Any, Final

from alyx_connector.ids import canonical_id
from pybpod_alyx_module.errors import SyncError
from pybpod_alyx_module.host.alyx_user import CONNECTION, alyx_user
from pybpod_alyx_module.host.menus import take_entries, with_children
from pybpod_alyx_module.sync.details import COMPARED, Details
from pybpod_alyx_module.sync.names import fold, unusable
from pybpod_alyx_module.sync.snapshot import LocalSubject

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from pybpod_alyx_module.sync.audit import Row

#: Why a subject cannot be removed now.
RUNNING: Final = "it is in a running session"


#: Key of PyBpod's file formats that lists the uuids of other entities.
_REFERENCES: Final = "__EXTERNAL-REF__"


class HostProject:
    """A PyBpod project as a sync sees it: fulfils `pybpod_alyx_module.sync.apply.ProjectPort`.

    Belongs to the GUI thread, as everything of PyBpod does.

    ``waiting``: takes the server and the Alyx id of an animal; says why it must stay in the project, empty if it
    need not.
    ``unregistered``: looks through the project's sessions; returns what takes a subject and tells how many of its
    sessions still are to become sessions on Alyx.
    """

    def __init__(
        self,
        project: Any,
        waiting: Callable[[str | None, str], str],
        unregistered: Callable[[], Callable[[Any], int]] | None = None,
    ) -> None:
        self._project = project
        self._waiting = waiting
        self._unregistered = unregistered
        # What it returned last: for each of hundreds of subjects it would take too long to look again.
        self._sessions_of: Callable[[Any], int] | None = None
        # Subjects by key as they were found last; see _known.
        self._by_key: dict[str, Any] = {}

    @property
    def closed(self) -> bool:
        """Whether the project was closed: nothing of it may be changed any more."""
        return bool(self._project.is_closed)

    def subjects(self) -> tuple[LocalSubject, ...]:
        """Return the project's subjects as they are now.

        Returns: in the project's order; empty when there are none.
        """
        running = self._running()
        return tuple(self._freeze(subject, running) for subject in self._project.subjects)

    def names(self) -> dict[str, str]:
        """Return the name of each subject by its key.

        Returns: as they are now, in the project's order.
        """
        return {subject.alyx_key: subject.name for subject in self._project.subjects}

    def read(self, key: str) -> LocalSubject | None:
        """Return one subject as it is now, None if it is no longer in the project."""
        subject = self._known(key)
        return None if subject is None else self._freeze(subject, self._running())

    def add(self, name: str, alyx_id: str, record: Mapping[str, Any]) -> Callable[[], None]:
        """Add a subject; opens no window and leaves the tree's selection.

        Parameters
        ----------
        name : str
            Its PyBpod name.
        alyx_id : str
            Its Alyx id, which becomes its PyBpod ``uuid4``.
        record : mapping
            The keys of its file that come from Alyx.

        Returns
        -------
        callable
            Takes the subject out again.

        Raises
        ------
        SyncError
            The project was closed.
        """
        from pybpodgui_plugin.models.subject import Subject  # composed by PyBpod once all plugins are known

        self._check_open()
        count = len(self._project.subjects)
        try:
            subject = Subject(self._project)
            subject.uuid4 = str(alyx_id)
            subject.name = name
            subject.alyx = {**record, "alyx_id": str(alyx_id)}
        except BaseException:
            for half in self._project.subjects[count:]:
                self._take_out(half)
            raise

        def undo() -> None:
            self._take_out(subject)

        return undo

    def update(self, key: str, name: str, record: Mapping[str, Any]) -> Callable[[], None]:
        """Set keys of a subject's record, and its name; everything else of it stays.

        Parameters
        ----------
        key : str
            Its key.
        name : str
            Its PyBpod name from now on.
        record : mapping
            The keys to set.

        Returns
        -------
        callable
            Restores name and record.

        Raises
        ------
        SyncError
            The subject is no longer in the project, or the project was closed.
        """
        subject = self._find(key)
        before = subject.name, subject.alyx

        def undo() -> None:
            with ExitStack() as steps:  # each of them, even if one fails
                steps.callback(setattr, subject, "alyx", before[1])
                steps.callback(self._rename, subject, before[0])

        try:
            subject.alyx = {**(before[1] or {}), **record}
            self._rename(subject, name)
        except BaseException:
            undo()
            raise
        return undo

    def remove(self, key: str) -> Callable[[], None]:
        """Take a subject out of the project, its setups and its menus; its folder moves when the project is saved.

        Parameters
        ----------
        key : str
            Its key.

        Returns
        -------
        callable
            Puts it back at its places.

        Raises
        ------
        SyncError
            A session with it runs, something of it waits in the outbox, it is no longer in the project, or the project
            was closed.
        """
        subject, project = self._find(key), self._project
        self._sessions_of = None  # a session may have ended a moment ago
        hold = self._hold(subject, self._running())
        if hold:
            raise SyncError(
                f"Subject {subject.name!r} cannot be removed: {hold}.", hint="Sync again when that is over."
            )
        put_back = self._take_out(subject)
        project.removed_by_sync.append(subject)

        def undo() -> None:
            put_back()
            if subject in project.removed_by_sync:  # a save in between moved its folder; the next one moves it back
                project.removed_by_sync.remove(subject)

        return undo

    def note(self, rows: Sequence[Row]) -> None:
        """Keep what a sync changed; the next save adds it to the project's table of syncs."""
        self._project.unsaved_syncs.extend(rows)

    def log_in_user(self, username: str) -> bool:
        """Make an Alyx user the PyBpod user: found by name, else added, and logged in.

        Parameters
        ----------
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

        self._check_open()
        reason = unusable(username.replace("@", "-"))
        if reason:
            raise SyncError(
                f"PyBpod cannot take the Alyx user {username!r} as one of its users: "
                f"{reason.replace('the nickname', 'the name')}.",
                hint="Connect as another user.",
            )
        project = self._project
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

    def log_out_user(self, username: str) -> None:
        """Take an Alyx user off the PyBpod project, where that user is logged in to it; the user stays listed."""
        project = self._project
        if not self.closed and alyx_user(project) == username:
            project._loggeduser = None  # its setter takes no None
            project.name = project.name  # PyBpod shows the user behind the name

    def _check_open(self) -> None:
        if self.closed:
            raise SyncError("The PyBpod project was closed.", hint="Open it, then sync again.")

    def _find(self, key: str) -> Any:
        self._check_open()
        subject = self._known(key)
        if subject is None:
            raise SyncError("A subject left the project while it was synced.", hint="Sync again.")
        return subject

    def _known(self, key: str) -> Any:
        # a look at all subjects for each of hundreds would be noticed
        subject = self._by_key.get(key)
        if subject is None or subject not in self._project.subjects:
            self._by_key = {subject.alyx_key: subject for subject in self._project.subjects}
            subject = self._by_key.get(key)
        return subject

    def _freeze(self, subject: Any, running: set[int]) -> LocalSubject:
        record = subject.alyx
        hold = self._hold(subject, running)
        if record is None:
            return LocalSubject(subject.alyx_key, subject.name, hold=hold)
        return LocalSubject(
            key=subject.alyx_key,
            name=subject.name,
            alyx_id=_known_id(record["alyx_id"]),
            server=_text(record.get("alyx_server")),
            url=_text(record.get("url")),
            details=Details.of(record, COMPARED),
            hold=hold,
        )

    def _setups(self) -> list[Any]:
        return [setup for experiment in self._project.experiments for setup in experiment.setups]

    def _running(self) -> set[int]:
        return {
            id(subject)
            for setup in self._setups()
            if setup.status == setup.STATUS_RUNNING_TASK
            for subject in setup.subjects
        }

    def _hold(self, subject: Any, running: set[int]) -> str:
        if id(subject) in running:
            return RUNNING
        # even if it was taken off the setup's list while the session runs
        if any(session.is_running for session in subject._sessions):
            return RUNNING
        record = subject.alyx
        if record is None:
            return ""
        waiting = self._waiting(_text(record.get("alyx_server")), _known_id(record["alyx_id"]))
        if waiting or self._unregistered is None:
            return waiting
        if self._sessions_of is None:
            self._sessions_of = self._unregistered()
        count = self._sessions_of(subject)
        sessions = "a session that is" if count == 1 else f"{count} sessions that are"
        return f"it has {sessions} not on Alyx: kept until they are registered" if count else ""

    def _rename(self, subject: Any, name: str) -> None:
        if subject.name == name:
            return
        subject.name = name
        for setup in self._setups():
            if subject in setup.subjects:
                _refresh(setup)

    def _take_out(self, subject: Any) -> Callable[[], None]:
        # What PyBpod's own removal does, and what it forgets: setups, menu entries, the details shown.
        project, tree, node = self._project, self._project.tree, subject.node
        parent = project.subjects_node
        position, index, expanded = project.subjects.index(subject), parent.indexOfChild(node), node.isExpanded()
        nodes = with_children(node)
        current = tree.currentItem()
        was_current = any(item is current for item in nodes)
        if was_current:  # else Qt picks a neighbour and PyBpod opens it
            tree.setCurrentItem(parent)
        entries = take_entries(tree, nodes)
        chosen = subject.setup
        lists = [(setup, list(setup.subjects)) for setup in self._setups() if subject in setup.subjects]
        references = [_drop_reference(setup, subject) for setup, _listed in lists]

        details = project.mainwindow.details
        was_shown = details.value is subject

        def put_in_place() -> None:
            if subject not in project.subjects:
                project.subjects.insert(position, subject)
            if parent.indexOfChild(node) < 0:
                parent.insertChild(index, node)
            node.setExpanded(expanded)
            tree._items.update(entries)

        def put_into(setup: Any, listed: list[Any], restore: Callable[[], None]) -> None:
            setup.subjects[:] = listed
            restore()
            _refresh(setup)

        def show_again() -> None:
            if was_shown:
                details.value = subject
            if was_current and tree.currentItem() is parent:
                tree.setCurrentItem(current)

        def put_back() -> None:
            with ExitStack() as steps:  # last first, each of them, even if one fails
                steps.callback(show_again)
                steps.callback(setattr, subject, "setup", chosen)
                for (setup, listed), restore in zip(lists, references, strict=True):
                    steps.callback(put_into, setup, listed, restore)
                steps.callback(put_in_place)

        try:
            subject.remove(True)
            for setup, _listed in lists:
                while subject in setup.subjects:
                    setup -= subject  # PyBpod's way to say it; the setup stays the same object
            subject.setup = None
            if was_shown:
                details.value = None
        except BaseException:
            put_back()
            raise
        return put_back


def _refresh(setup: Any) -> None:
    setup._subjects_list.value = [[subject.name] for subject in setup.subjects]


def _drop_reference(setup: Any, subject: Any) -> Callable[[], None]:
    references = (setup.data or {}).get(_REFERENCES)
    if not isinstance(references, list) or str(subject.uuid4) not in references:
        return lambda: None
    before = list(references)
    references[:] = [reference for reference in references if reference != str(subject.uuid4)]

    def restore() -> None:
        references[:] = before

    return restore


def _text(value: Any) -> str | None:
    return value if isinstance(value, str) else None


def _known_id(alyx_id: str) -> str:
    return canonical_id(alyx_id) or alyx_id
