"""Logs out of Alyx whoever left the rig: after some minutes without key or mouse, while nothing runs."""

from __future__ import annotations

import time
from functools import partial
from typing import TYPE_CHECKING, Final

from AnyQt.QtCore import QEvent, QObject, QTimer
from AnyQt.QtWidgets import QApplication

from pybpod_alyx_module.gui.guard import override, show_error, slot
from pybpod_alyx_module.gui.running_outbox import running_outbox
from pybpod_alyx_module.gui.sync.log_out_window import open_log_out_window
from pybpod_alyx_module.gui.sync.project_login import logged_out_words
from pybpod_alyx_module.gui.task import start_task

if TYPE_CHECKING:
    from collections.abc import Callable

    from AnyQt.QtWidgets import QWidget

#: What a person does.
_TOUCHES: Final = frozenset(
    {QEvent.KeyPress, QEvent.MouseButtonPress, QEvent.MouseMove, QEvent.Wheel, QEvent.TouchBegin, QEvent.TabletPress}
)

#: How often to look whether it is time, in milliseconds.
LOOK_MS: Final = 5000


class IdleLogOut(QObject):
    """Logs out who connected in this PyBpod, or said who they are; what was typed stays in its windows.

    ``minutes``: after how many of them.
    ``is_running``: tells whether a protocol runs: the minutes count from its end.
    ``clock``: seconds.
    """

    def __init__(
        self,
        minutes: float,
        is_running: Callable[[], bool],
        window: QWidget,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        super().__init__(window)
        self._minutes, self._is_running, self._window, self._clock = minutes, is_running, window, clock
        #: When somebody last touched PyBpod.
        self._touched = clock()
        self._timer = QTimer(self, interval=LOOK_MS)
        self._timer.timeout.connect(self.look)
        self._timer.start()
        QApplication.instance().installEventFilter(self)

    @override
    def eventFilter(self, watched: QObject, event: QEvent) -> bool:  # noqa: N802 - Qt's name
        """Take note of keys and mouse; nothing is filtered."""
        if event.type() in _TOUCHES:
            self._touched = self._clock()
        return False

    @slot
    def look(self) -> None:
        """Log out if it is time."""
        if self._is_running():
            self._touched = self._clock()
        if self._clock() - self._touched < self._minutes * 60:
            return
        for server, username in running_outbox().logins.logged_in_here():
            task = running_outbox().log_out(server, username)
            start_task(task, succeeded=partial(self._tell, server, username), failed=show_error)

    @slot
    def _tell(self, server: str, username: str) -> None:
        why = f"Nobody used keyboard or mouse in PyBpod for {self._minutes:g} min."
        open_log_out_window(self._window).tell(f"{why} {logged_out_words(server, username)}")
