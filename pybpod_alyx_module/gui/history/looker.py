"""Asks Alyx about the animal of a window: when it opens, when it is told to, and when something reached Alyx."""

from __future__ import annotations

import time
from functools import partial
from typing import TYPE_CHECKING, Any, Final

from AnyQt.QtCore import QObject, Signal

from alyx_connector.errors import AlyxError
from pybpod_alyx_module.animals.alyx_subject import alyx_subject_of
from pybpod_alyx_module.animals.history.look import Look, fetch_details_for, fetch_look, known_look
from pybpod_alyx_module.animals.overview import unsent_items
from pybpod_alyx_module.gui.guard import slot
from pybpod_alyx_module.gui.messages import describe
from pybpod_alyx_module.gui.running_outbox import running_outbox
from pybpod_alyx_module.gui.task import Task, start_task

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from alyx_connector.progress import CancelToken, Report
    from pybpod_alyx_module.animals.alyx_subject import AlyxSubject
    from pybpod_alyx_module.host.pybpod_objects import Subject
    from pybpod_alyx_module.outbox.items import Item

__all__ = ["Looker"]

#: After how many seconds Alyx is asked again without a press.
_STALE_S: Final = 900.0


class Looker(QObject):
    """Looks at one animal, in tasks."""

    #: `look` or `problem` is another one.
    looked = Signal()
    #: It asks Alyx, or does so no longer.
    asking_changed = Signal()

    def __init__(self, subject: Subject, parent: QObject) -> None:
        super().__init__(parent)
        self._subject = subject
        self._outbox = running_outbox()
        self._tasks: dict[str, Task] = {}
        self._ended = False
        self._asked_at = time.monotonic()
        #: What was seen last; None before.
        self.look: Look | None = None
        #: Why nothing can be asked, a sentence; empty if it can.
        self.problem = ""
        self._outbox.changed.connect(self._on_outbox)
        self._outbox.users_changed.connect(self.ask)

    @property
    def is_asking(self) -> bool:
        """Whether Alyx is being asked."""
        return "look" in self._tasks

    @property
    def is_stale(self) -> bool:
        """Whether it was long ago that Alyx was asked."""
        return not self.is_asking and time.monotonic() - self._asked_at > _STALE_S

    @slot
    def ask(self) -> None:
        """Ask Alyx and the outbox, once more where they are being asked."""
        animal = self._animal()
        if animal is None:
            return
        outbox, self._asked_at = self._outbox, time.monotonic()
        if self.look is None and (known := known_look(animal)) is not None:
            self.look = known
            self.looked.emit()

        def work(_report: Any, cancel: CancelToken) -> Look:
            return fetch_look(outbox, animal, cancel=cancel)

        self._start("look", Task(work, "alyx-history"), self._on_look, self._on_failed)
        self.asking_changed.emit()

    def ask_details(self, session_ids: Sequence[str], arrived: Callable[..., Any], failed: Callable[..., Any]) -> None:
        """Ask for the details of sessions, in the place of those that are being asked for.

        ``arrived``, ``failed``: slots, for what `fetch_details_for` returns, and for the exception.
        """
        animal, outbox = self._animal(), self._outbox
        if animal is None:
            return

        def work(report: Report, cancel: CancelToken) -> Any:
            return fetch_details_for(outbox, animal, session_ids, cancel=cancel, report=report)

        self._start("details", Task(work, "alyx-session-details"), arrived, failed)

    def stop(self) -> None:
        """Ask no more."""
        if self._ended:
            return
        self._ended = True
        for task in tuple(self._tasks.values()):
            task.cancel()
        self._outbox.changed.disconnect(self._on_outbox)
        self._outbox.users_changed.disconnect(self.ask)

    def _animal(self) -> AlyxSubject | None:
        if self._ended:
            return None
        try:
            return alyx_subject_of(self._subject)
        except AlyxError as error:
            self.problem = describe(error).text
            self.looked.emit()
            return None

    def _start(self, name: str, task: Task, succeeded: Callable[..., Any], failed: Callable[..., Any]) -> None:
        if name in self._tasks:
            self._tasks.pop(name).cancel()
        self._tasks[name] = task
        task.finished.connect(partial(self._on_ended, name, task))
        start_task(task, succeeded=succeeded, failed=failed)

    @slot
    def _on_ended(self, name: str, task: Task) -> None:
        if self._tasks.get(name) is task:
            del self._tasks[name]
            if name == "look":
                self.asking_changed.emit()

    @slot
    def _on_look(self, look: Look) -> None:
        self.look, self.problem = look, ""
        self.looked.emit()

    @slot
    def _on_failed(self, error: BaseException) -> None:
        self.problem = describe(error).text
        self.looked.emit()

    @slot
    def _on_outbox(self) -> None:
        animal = self._animal() if self.look is not None else None
        if animal is None or "outbox" in self._tasks:
            return
        read = self._outbox.read(lambda opened: unsent_items(opened, animal), name="alyx-history-outbox")
        self._start("outbox", read, self._on_unsent, self._on_failed)

    @slot
    def _on_unsent(self, items: tuple[Item, ...]) -> None:
        # what is no longer there may have reached Alyx
        if self.look is not None and items != self.look.unsent:
            self.ask()
