"""How far a search has come, shown to whoever waits for it; in the end nothing of it is left."""

from __future__ import annotations

import sys
import time
from typing import TYPE_CHECKING, Protocol

from alyx_connector.display.in_log import InLog
from alyx_connector.display.in_notebook import InNotebook, in_notebook
from alyx_connector.display.in_terminal import InTerminal
from alyx_connector.display.state import State

if TYPE_CHECKING:
    from types import TracebackType

    from alyx_connector.progress import Progress

__all__ = ["ShownProgress"]

#: Seconds before anything is shown: what is quick needs no bar.
_FIRST_S = 0.5


class _Display(Protocol):
    @property
    def pause_s(self) -> float: ...
    @property
    def shows_waits(self) -> bool: ...
    def show(self, state: State) -> None: ...
    def end(self, state: State) -> None: ...


class ShownProgress:
    """Shows progress in the terminal on standard error, in the notebook, or else in the log.

    Used as a context manager; it takes `Progress` as a `Report` does.

    ``listing``: what to call a list while it is read; one sentence.
    """

    def __init__(self, listing: str = "") -> None:
        self._listing = listing
        self._state = State()
        self._display: _Display | None = None
        self._next = time.monotonic() + _FIRST_S

    def __call__(self, progress: Progress) -> None:
        """Show how far the work has come, unless something was shown just now."""
        before, self._state = self._state, self._state.after(progress, self._listing)
        waits = bool(self._state.wait) and not before.wait
        if time.monotonic() < self._next and not (waits and (self._display is None or self._display.shows_waits)):
            return
        if self._state.line:
            if self._display is None:
                self._display = _display()
            self._next = time.monotonic() + self._display.pause_s
            self._display.show(self._state)

    def __enter__(self) -> ShownProgress:
        """Return itself."""
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        """Take away what is shown."""
        if self._display is not None:
            self._display.end(self._state)


def _display() -> _Display:
    if in_notebook():
        return InNotebook()
    stream = sys.stderr
    if stream is not None and not stream.closed and stream.isatty():
        from rich.console import Console

        console = Console(file=stream, force_jupyter=False)
        if console.is_terminal and not console.is_dumb_terminal:
            return InTerminal(console)
    return InLog()
