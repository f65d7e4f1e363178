"""The board mixin: a run's settings that Python can read, and a session that knows that its protocol ended."""

from __future__ import annotations

import locale
import os
from pathlib import Path
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from pybpod_alyx_module.models.host_types import PyBpodBoard
else:
    PyBpodBoard = object


#: What PyBpod expects of a protocol's output; Python writes the code page on Windows.
_OUTPUT: Final = "PYTHONIOENCODING"


class Board(PyBpodBoard):
    """Mixed into every PyBpod board."""

    def start_run_task_handler(self) -> None:
        """Begin as PyBpod does, just before it starts the protocol.

        On Windows it wrote the run's settings in the code page; the protocol's Python reads them as UTF-8.
        """
        code_page = locale.getpreferredencoding(False)
        if code_page.lower().replace("-", "") != "utf8":
            settings = Path(self._running_session.path, "user_settings.py")
            settings.write_bytes(settings.read_bytes().decode(code_page).encode("utf-8"))
            os.environ.setdefault(_OUTPUT, "utf-8")
        super().start_run_task_handler()

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
