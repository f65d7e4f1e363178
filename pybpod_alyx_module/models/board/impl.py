"""The board mixin: lets the session know that its protocol ended, however it ended."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pybpod_alyx_module.models.host_types import PyBpodBoard
else:
    PyBpodBoard = object


class Board(PyBpodBoard):
    """Mixed into every PyBpod board."""

    def kill_task(self) -> None:
        """Kill the protocol as PyBpod does, and note that what its file says last may not be all."""
        session = getattr(self, "_running_session", None)
        if session is not None:
            session.alyx_broken_off = True
        super().kill_task()

    def end_run_task_handler(self) -> None:
        """End the run as PyBpod does, then let the session be registered on Alyx.

        PyBpod calls this once the process is gone; while it reads what is left of a run it may call it twice.
        """
        session = self._running_session
        try:
            super().end_run_task_handler()
        finally:
            session.alyx_ended(self.proc.poll())
