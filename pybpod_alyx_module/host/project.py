"""The one adapter between a sync and PyBpod's objects."""

from __future__ import annotations

import json
from contextlib import ExitStack
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from alyx_connector.ids import canonical_id
from pybpod_alyx_module.errors import SyncError
from pybpod_alyx_module.host.places import place_of, put_in, setups_of, show_names, take_out
from pybpod_alyx_module.host.running import is_anything_running
from pybpod_alyx_module.host.subject_record import beneath
from pybpod_alyx_module.host.tree_order import sort_subjects
from pybpod_alyx_module.sync.details import COMPARED, Details
from pybpod_alyx_module.sync.plan import SubjectCopy
from pybpod_alyx_module.sync.snapshot import LocalSubject

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from pybpod_alyx_module.sync.audit import Row
    from pybpod_alyx_module.sync.last_sync import LastSync
    from pybpod_alyx_module.sync.plan import Change, Former, Place

#: Why a subject cannot be removed now.
RUNNING: Final = "it is in a running session"


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
                take_out(self._project, half)
            raise

        def undo() -> None:
            take_out(self._project, subject)

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
        put_back = take_out(self._project, subject)
        project.removed_by_sync.append(subject)

        def undo() -> None:
            put_back()
            if subject in project.removed_by_sync:  # a save in between moved its folder; the next one moves it back
                project.removed_by_sync.remove(subject)

        return undo

    def copy_of(self, key: str) -> SubjectCopy:
        """Return what the project holds of a subject, exactly."""
        subject = self._find(key)
        if subject.is_alyx:
            return SubjectCopy(subject.name, json.dumps(subject.alyx))
        return SubjectCopy(subject.name, None, json.dumps(beneath(subject.data)))

    def place_of(self, key: str) -> Place:
        """Return where a subject is in the project."""
        return place_of(self._project, self._find(key))

    def use(self, key: str) -> str:
        """Say why an undo leaves a subject that a sync added: a setup, a session, or something that waits."""
        subject = self._find(key)
        setups = [setup.name for setup in setups_of(self._project) if subject in setup.subjects]
        count = len(subject._sessions)
        words = [
            self._hold(subject, self._running()),
            f"it is in the setup{'' if len(setups) == 1 else 's'} {', '.join(setups)}" if setups else "",
            f"it has {count} session{'' if count == 1 else 's'}" if count else "",
        ]
        return "; ".join(filter(None, words))

    def put_back(self, key: str, former: Former) -> Callable[[], None]:
        """Give a subject its former name, and its former values of some keys of its record; the link, too.

        Parameters
        ----------
        key : str
            Its key.
        former : Former
            What it was.

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
        name, restore = subject.name, subject.alyx_put_back(former)

        def undo() -> None:
            with ExitStack() as steps:  # each of them, even if one fails
                steps.callback(restore)
                steps.callback(self._rename, subject, name)

        try:
            self._rename(subject, former.name)
        except BaseException:
            undo()
            raise
        return undo

    def bring_back(self, change: Change) -> Callable[[], None]:
        """Take a subject into the project again that a sync removed; the next save moves its folder back.

        Parameters
        ----------
        change : Change
            The removal.

        Returns
        -------
        callable
            Takes it out again; its folder stays where it is.

        Raises
        ------
        SyncError
            The project was closed.
        """
        self._check_open()
        self._sessions_of = None
        return put_in(self._project, change)

    def note(self, rows: Sequence[Row], last: LastSync) -> None:
        """Keep what a sync changed; the next save adds it to the project's table of syncs.

        ``last``: what an undo needs; the next save keeps it.
        """
        self._project.unsaved_syncs.extend(rows)
        self._project.unsaved_last_sync = last
        sort_subjects(self._project)

    @property
    def folder(self) -> Path | None:
        """Where the project is saved; None where it never was."""
        return None if self._project.path is None else Path(self._project.path)

    @property
    def unsaved_syncs(self) -> tuple[Row, ...]:
        """What syncs changed since the last save."""
        return tuple(self._project.unsaved_syncs)

    @property
    def unsaved_last_sync(self) -> LastSync | None:
        """What an undo needs, where that is not what the project's folder holds."""
        found: LastSync | None = self._project.unsaved_last_sync
        return found

    @property
    def setups(self) -> frozenset[str]:
        """The uuid4 of each setup."""
        return frozenset(str(setup.uuid4) for setup in setups_of(self._project))

    @property
    def is_running(self) -> bool:
        """Whether a session runs."""
        return is_anything_running([self._project])

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

    def _running(self) -> set[int]:
        return {
            id(subject)
            for setup in setups_of(self._project)
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
        for setup in setups_of(self._project):
            if subject in setup.subjects:
                show_names(setup)


def _text(value: Any) -> str | None:
    return value if isinstance(value, str) else None


def _known_id(alyx_id: str) -> str:
    return canonical_id(alyx_id) or alyx_id
