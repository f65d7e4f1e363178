"""How long long work in the GUI thread may go on before the thread looks at its events again."""

from __future__ import annotations

import time
from typing import Final

#: Seconds: nobody notices so little.
_SLICE_S: Final = 0.01


class TimeSlice:
    """The time until the events are looked at again; it begins when it is made."""

    def __init__(self) -> None:
        self._end = time.perf_counter() + _SLICE_S

    @property
    def is_over(self) -> bool:
        """Whether the events have to be looked at."""
        return time.perf_counter() >= self._end
