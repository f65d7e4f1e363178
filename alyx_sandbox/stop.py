"""How a process of the sandbox learns that it shall stop."""

from __future__ import annotations

import _thread
import os
import signal
import threading
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from types import FrameType

STOP_SIGNALS = (signal.SIGTERM, signal.SIGINT)


class StopSignal:
    """Whether this process was told to stop, by SIGTERM or SIGINT.

    The exception that a signal raises can come where Python drops it, as in a finalizer: `requested` stays true.
    """

    def __init__(self) -> None:
        self.requested = False
        for number in STOP_SIGNALS:
            signal.signal(number, self._stop)

    def _stop(self, number: int, frame: FrameType | None) -> None:
        # Once only, so that a second signal does not cut the cleaning up short.
        if not self.requested:
            self.requested = True
            raise SystemExit(0)


def stop_when_stdin_ends() -> None:
    """Stop this process when its standard input ends, as that of a child does when its parent is gone."""

    def watch() -> None:
        # Not through sys.stdin: Python aborts if a thread holds its lock at the end.
        while os.read(0, 1024):
            pass
        if os.name == "posix":
            os.kill(os.getpid(), signal.SIGTERM)
        else:
            _thread.interrupt_main()

    threading.Thread(target=watch, name="stdin", daemon=True).start()
