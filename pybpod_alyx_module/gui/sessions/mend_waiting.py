"""Corrects what waits with a wrong name of a setting, once the setting was corrected and PyBpod started again."""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING, Final

from AnyQt.QtCore import QObject, QTimer

from alyx_connector.errors import AlyxError
from alyx_connector.progress import Cancelled
from pybpod_alyx_module.deadline import cancel_after
from pybpod_alyx_module.gui.guard import slot
from pybpod_alyx_module.gui.task import Task, start_task
from pybpod_alyx_module.names.alyx_names import fetch_names, last_names
from pybpod_alyx_module.names.mend import mend_names, names_set
from pybpod_alyx_module.read_settings import read_rig_settings

if TYPE_CHECKING:
    from alyx_connector.progress import CancelToken, Report
    from pybpod_alyx_module.gui.running_outbox import RunningOutbox
    from pybpod_alyx_module.names.alyx_names import AlyxNames
    from pybpod_alyx_module.names.mend import Mended

logger = logging.getLogger(__name__)

#: How long Alyx may take to tell its names, in seconds.
_PATIENCE_S: Final = 10.0

#: How long after one look what happens in the outbox makes no other, in milliseconds.
PAUSE_MS: Final = 60_000


class NameMender(QObject):
    """Looks when PyBpod starts, and again at what happens, until nothing is undecided.

    ``parent``: keeps it.
    """

    def __init__(self, running: RunningOutbox, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._running = running
        self._settings = read_rig_settings().sessions
        self._task: Task | None = None
        self._done = False
        self._pause = QTimer(self, interval=PAUSE_MS, singleShot=True)
        self._pause.timeout.connect(self._look)
        running.changed.connect(self._look)
        running.users_changed.connect(self._look_at_once)

    @slot
    def _look_at_once(self) -> None:
        self._pause.stop()
        self._look()

    @slot
    def _look(self) -> None:
        is_looking = self._task is not None and not self._task.settled
        if is_looking or self._pause.isActive() or self._done or not self._running.counts.open:
            return
        running, settings = self._running, self._settings

        def work(report: Report, cancel: CancelToken) -> Mended:
            del report

            def names_of(server: str, username: str) -> AlyxNames:
                try:
                    with cancel_after(_PATIENCE_S, cancel) as stop:
                        return fetch_names(running.client(server, username), names_set(settings), stop)
                except (AlyxError, Cancelled) as error:
                    logger.debug("names of %s: %s", server, error)
                return last_names(server)

            return mend_names(running.open(), settings, names_of)

        self._task = start_task(Task(work, "alyx-mend-names"), succeeded=self._on_mended)

    @slot
    def _on_mended(self, mended: Mended) -> None:
        self._done = not mended.undecided
        if mended.undecided:
            self._pause.start()
        for item in mended.items:
            logger.info("A name in item %s of the Alyx outbox was corrected, as the settings say now", item.key)
        if mended.items:
            self._running.wake()
