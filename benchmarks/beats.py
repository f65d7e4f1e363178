"""How long the GUI thread was busy without a pause, and with whose code: ours, PyBpod's, Qt's, or Python's own.

Python's is its collection of garbage: it looks at all that PyBpod and its libraries hold, whoever it was that made one
object more.
"""

from __future__ import annotations

import gc
import sys
import threading
import time
from collections import Counter
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final

from AnyQt.QtCore import QTimer

if TYPE_CHECKING:
    from collections.abc import Callable, Generator
    from types import FrameType

    #: Runs to its next wait; goes on when what it yielded is true.
    Steps = Generator[Callable[[], object], None, None]

__all__ = ["BLOCK_MS", "OWNERS", "Beats", "Step"]

#: What a person does not notice yet, in milliseconds: the goal of every step.
BLOCK_MS: Final = 20.0

OURS, PYBPOD, QT, PYTHON = OWNERS = ("ours", "PyBpod's", "Qt's", "Python's")

#: Of whom a line of code is, by a part of its file's path.
_PARTS: Final = {
    "pybpod_alyx_module": OURS,
    "alyx_connector": OURS,
    "pybpodgui_plugin": PYBPOD,
    "pybpodgui_api": PYBPOD,
    "pyforms": PYBPOD,
    "sca": PYBPOD,
}

#: How long the thread is busy before somebody looks at it, and how often then, in seconds.
_LATE_S, _LOOK_S = 0.004, 0.001


@dataclass
class Step:
    """What was measured while one thing was done."""

    name: str
    #: The longest time without a pause, in milliseconds of the GUI thread's processor time, and whose code had it.
    longest: dict[str, float] = field(default_factory=lambda: dict.fromkeys(OWNERS, 0.0))
    #: How often ours took longer than `BLOCK_MS`.
    blocks: int = 0
    #: All of its processor time, in milliseconds.
    busy: float = 0.0


class Beats:
    """Runs steps on the event loop and measures each turn of the loop.

    ``ended``: called with the exception that ended the steps, None if nothing did.
    """

    def __init__(self, steps: Steps, ended: Callable[[BaseException | None], None]) -> None:
        self.steps: list[Step] = []
        self._generator, self._ended = steps, ended
        self._waits: Callable[[], object] = lambda: True
        self._thread = threading.get_ident()
        self._seen: Counter[str] = Counter()
        self._beat = time.perf_counter()
        self._cpu = time.thread_time()
        # Processor time, in seconds: when garbage began to be collected, and what that took in this turn.
        self._collecting = self._collected = 0.0
        gc.callbacks.append(self._on_garbage)
        self._timer = QTimer(interval=1)
        self._timer.timeout.connect(self._on_beat)
        threading.Thread(target=self._look, daemon=True).start()

    def start(self) -> None:
        """Begin."""
        sys.setswitchinterval(_LOOK_S)
        self._timer.start()

    def begin(self, name: str) -> None:
        """Count what follows for a step."""
        self._pause()
        self.steps.append(Step(name))

    def _on_beat(self) -> None:
        self._pause()
        try:
            if self._waits():
                self._forget()  # what the waiting took
                self._waits = next(self._generator)
                self._pause()
        except StopIteration:
            self._end(None)
        except Exception as error:  # noqa: BLE001 - it is told at the end, in words of the program
            self._end(error)
        self._forget()

    def _end(self, error: BaseException | None) -> None:
        self._timer.stop()
        self._ended(error)

    def _pause(self) -> None:
        # A turn of the loop is over: who had which part of it?
        spent = (time.thread_time() - self._cpu) * 1000
        if self.steps:
            step, seen = self.steps[-1], self._seen
            looks = seen.total()
            collected = self._collected * 1000
            coded = spent - collected
            shares = {owner: coded * seen[owner] / looks for owner in OWNERS} if looks else {OURS: coded}
            shares[PYTHON] = collected
            for owner, share in shares.items():
                step.longest[owner] = max(step.longest[owner], share)
            step.blocks += shares[OURS] > BLOCK_MS
            step.busy += spent
        self._forget()

    def _forget(self) -> None:
        self._seen = Counter()
        self._collected = 0.0
        self._cpu, self._beat = time.thread_time(), time.perf_counter()

    def _on_garbage(self, phase: str, _info: dict[str, int]) -> None:
        if threading.get_ident() == self._thread:
            if phase == "start":
                self._collecting = time.thread_time()
            else:
                self._collected += time.thread_time() - self._collecting

    def _look(self) -> None:
        while True:
            time.sleep(_LOOK_S)
            if time.perf_counter() - self._beat > _LATE_S:
                self._seen[_owner(sys._current_frames().get(self._thread))] += 1


def _owner(frame: FrameType | None) -> str:
    while frame is not None:
        path = frame.f_code.co_filename.replace("\\", "/").split("/")
        for part, owner in _PARTS.items():
            if any(name.startswith(part) for name in path):
                return owner
        if path[-2:-1] == ["benchmarks"]:
            return QT
        frame = frame.f_back
    return QT
