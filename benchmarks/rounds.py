"""Several contenders, measured in turn, round by round."""

from __future__ import annotations

import gc
import statistics
import time
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

__all__ = ["Timing", "alternate"]


@dataclass
class Timing:
    """How long a contender took."""

    #: Wall clock of each round, in seconds.
    seconds: list[float] = field(default_factory=list)
    #: Processor time of this process in each round, in seconds.
    processor: list[float] = field(default_factory=list)

    @property
    def best(self) -> float:
        """The quickest round, in seconds."""
        return min(self.seconds)

    @property
    def median(self) -> float:
        """The middle round, in seconds."""
        return statistics.median(self.seconds)

    def measure(self, work: Callable[[], Any]) -> Any:
        """Do something and add how long it took."""
        gc.collect()
        wall, processor = time.perf_counter(), time.process_time()
        result = work()
        self.seconds.append(time.perf_counter() - wall)
        self.processor.append(time.process_time() - processor)
        return result


def alternate(
    contenders: Mapping[str, Callable[[], Any]],
    rounds: int,
    expected: int,
    before: Callable[[str], None] | None = None,
) -> dict[str, Timing]:
    """Measure contenders in turn; who begins changes from round to round.

    ``contenders``: what each does, by its name; returns its rows. ``before``: takes the name of the one whose turn it
    is; its time is not counted.
    """
    timings = {name: Timing() for name in contenders}
    names = list(contenders)
    for number in range(rounds):
        first = number % len(names)
        for name in names[first:] + names[:first]:
            if before is not None:
                before(name)
            rows = timings[name].measure(contenders[name])
            if len(rows) != expected:
                raise RuntimeError(f"{name} returned {len(rows)} rows, not {expected}")
    return timings
