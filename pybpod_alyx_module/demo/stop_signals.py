"""Being told to stop: as KeyboardInterrupt, once, and not while a program is being started that must be ended, too."""

from __future__ import annotations

import signal
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any, Final

if TYPE_CHECKING:
    from collections.abc import Iterator
    from types import FrameType

#: By which a program is told to stop: Ctrl-C, a service, the end of a terminal.
_NAMES: Final = ("SIGINT", "SIGTERM", "SIGHUP", "SIGBREAK")


class StopSignals:
    """While it is entered, the first such signal raises KeyboardInterrupt; those that follow do nothing."""

    def __init__(self) -> None:
        self._before: dict[int, Any] = {}
        self._is_held = False
        self._is_told = False

    def __enter__(self) -> StopSignals:
        """Take the signals."""
        for number in (getattr(signal, name) for name in _NAMES if hasattr(signal, name)):
            self._before[number] = signal.signal(number, self._on_signal)
        return self

    def __exit__(self, *_error: object) -> None:
        """Give them back."""
        for number, handler in self._before.items():
            signal.signal(number, handler)

    @contextmanager
    def held(self) -> Iterator[None]:
        """Put the interrupt off to the end of the block."""
        self._is_held = True
        try:
            yield
        finally:
            self._is_held = False
            if self._is_told:
                raise KeyboardInterrupt

    def _on_signal(self, _number: int, _frame: FrameType | None) -> None:
        if self._is_told:
            return
        self._is_told = True
        if not self._is_held:
            raise KeyboardInterrupt
