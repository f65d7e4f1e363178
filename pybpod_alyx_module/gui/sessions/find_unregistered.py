"""Which sessions of a setup or a project are not registered, in the order in which they began."""

from __future__ import annotations

import re
from collections import deque
from typing import TYPE_CHECKING, Any, Final, TypeAlias

from AnyQt.QtCore import QObject, QTimer, Signal

from pybpod_alyx_module.errors import RigError
from pybpod_alyx_module.gui.guard import slot
from pybpod_alyx_module.gui.task import Task, start_task
from pybpod_alyx_module.gui.time_slice import TimeSlice
from pybpod_alyx_module.sessions.pybpod_session import csv_of, is_unregistered, linked_subjects, marks_of
from pybpod_alyx_module.sessions.session_csv import read_start

if TYPE_CHECKING:
    from collections.abc import Iterable
    from datetime import datetime
    from pathlib import Path

    from alyx_connector.progress import CancelToken, Report

    #: When a session began, or why its file does not tell.
    Start: TypeAlias = datetime | RigError

#: The time in the name that PyBpod gives a session.
_NAMED: Final = re.compile(r"\d{8}-\d{6}")


class UnregisteredSessions(QObject):
    """Looks through PyBpod's sessions in slices between its events, then reads the beginnings of their files.

    Exactly one of `found` and `failed` is sent, unless it is cancelled.
    """

    #: The PyBpod sessions, each with its `Start`; the newest first.
    found = Signal(object)
    #: Why they could not be found (the exception).
    failed = Signal(object)

    def __init__(self, owner: Any, parent: QObject) -> None:
        super().__init__(parent)
        self._marks = marks_of(linked_subjects(getattr(owner, "project", owner)))
        self._left = deque(_sessions(owner))
        self._files: list[tuple[Any, str, Path]] = []
        self._task: Task | None = None
        self._timer = QTimer(self, interval=0)
        self._timer.timeout.connect(self._look)
        self._timer.start()

    @property
    def busy(self) -> bool:
        """Whether it still looks."""
        return self._timer.isActive() or (self._task is not None and not self._task.settled)

    def cancel(self) -> None:
        """Look no further."""
        self._timer.stop()
        if self._task is not None:
            self._task.cancel()

    @slot
    def _look(self) -> None:
        turn = TimeSlice()
        while self._left and not turn.is_over:
            session = self._left.popleft()
            if is_unregistered(session, self._marks):
                self._files.append((session, session.name, csv_of(session)))
        if self._left:
            return
        self._timer.stop()
        files = self._files

        def work(report: Report, cancel: CancelToken) -> list[tuple[Any, Start]]:
            del report
            return newest_first(files, cancel)

        self._task = Task(work, "alyx-session-starts")
        start_task(self._task, succeeded=self.found, failed=self.failed)


def newest_first(files: Iterable[tuple[Any, str, Path]], cancel: CancelToken) -> list[tuple[Any, Start]]:
    """Read when sessions began: PyBpod itself does not know it of those of earlier days.

    Returns: what was given for each, and its start; the newest first.
    ``files``: anything that tells a session, its name in PyBpod, and its file.
    """
    found = []
    for session, name, file in files:
        cancel.raise_if_cancelled()
        start = _start(file)
        found.append((_place(name, start), session, start))
    found.sort(key=lambda one: one[0], reverse=True)
    return [(session, start) for _place, session, start in found]


def _sessions(owner: Any) -> list[Any]:
    if hasattr(owner, "experiments"):
        return [one for experiment in owner.experiments for setup in experiment.setups for one in setup.sessions]
    return list(owner.sessions)


def _start(file: Path) -> Start:
    try:
        return read_start(file)
    except RigError as error:
        return error


def _place(name: str, start: Start) -> tuple[str, str]:
    # by its start; where the file does not tell it, by the time that PyBpod gave it as a name
    if not isinstance(start, RigError):
        return f"{start:%Y%m%d-%H%M%S}", name
    named = _NAMED.search(name)
    return named[0] if named else "", name
