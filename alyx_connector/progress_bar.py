"""A line of progress for whoever sits at a terminal or a notebook."""

from __future__ import annotations

import shutil
import sys
import time
from typing import TYPE_CHECKING, TextIO

if TYPE_CHECKING:
    from types import TracebackType

    from alyx_connector.progress import Progress

__all__ = ["ProgressBar", "in_notebook"]

_WIDTH = 20
_LONGEST = 110
#: Seconds between two drawings, and before the first: what is quick needs no bar.
_PAUSE_S = 0.1
_FIRST_S = 0.5


def in_notebook() -> bool:
    """Tell whether this is a kernel of Jupyter.

    Returns
    -------
    bool
        False in a terminal, that of IPython included.
    """
    ipython = sys.modules.get("IPython")
    shell = ipython.get_ipython() if ipython is not None else None
    return getattr(shell, "kernel", None) is not None


class ProgressBar:
    """Draws progress on one line and wipes it out at the end.

    Used as a context manager; it takes `Progress` as a `Report` does. Where nobody sits it draws nothing.

    Parameters
    ----------
    stream : TextIO, optional
        Where to draw; standard error if left out, where that is a terminal or a notebook.
    """

    def __init__(self, stream: TextIO | None = None) -> None:
        error = sys.stderr
        seen = error is not None and (in_notebook() or error.isatty())
        self._stream = stream if stream is not None else (error if seen else None)
        self._next = time.monotonic() + _FIRST_S
        self._drawn = 0

    def __call__(self, progress: Progress) -> None:
        """Draw how far the work has come."""
        if self._stream is None or (time.monotonic() < self._next and progress.stage != "wait"):
            return
        self._next = time.monotonic() + _PAUSE_S
        counted = ""
        if progress.total:
            filled = min(_WIDTH, _WIDTH * progress.done // progress.total)
            counted = f"[{'#' * filled}{'.' * (_WIDTH - filled)}] {progress.done}/{progress.total} "
        line = (counted + (progress.message or progress.stage))[: self._room()]
        self._stream.write("\r" + line.ljust(self._drawn))
        self._stream.flush()
        self._drawn = len(line)

    def _room(self) -> int:
        # A line that goes on in the next one could not be wiped out.
        if self._stream is None or not self._stream.isatty():
            return _LONGEST
        return min(_LONGEST, shutil.get_terminal_size().columns - 1)

    def __enter__(self) -> ProgressBar:
        """Return the bar itself."""  # noqa: DOC201
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        """Wipe the line out."""
        if self._stream is not None and self._drawn:
            self._stream.write("\r" + " " * self._drawn + "\r")
            self._stream.flush()
