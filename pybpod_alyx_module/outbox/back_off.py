"""What has to wait before it is tried again, by a clock that nobody sets."""

from __future__ import annotations

import random
from typing import TYPE_CHECKING, Any

from pybpod_alyx_module.outbox.outcomes import Scope

if TYPE_CHECKING:
    from collections.abc import Callable

    from pybpod_alyx_module.outbox.items import Item

_CHANCE = random.SystemRandom()


class Pauses:
    """Backs off: each failure of a server, an account or an item doubles its pause.

    ``clock``: monotonic clock, in seconds.
    ``shortest_s``, ``longest_s``: the first pause, and the longest, in seconds.
    """

    def __init__(self, clock: Callable[[], float], shortest_s: float = 1.0, longest_s: float = 300.0) -> None:
        self._clock = clock
        self._limits = (shortest_s, longest_s)
        self._ends: dict[tuple[Any, ...], float] = {}
        self._failures: dict[tuple[Any, ...], int] = {}

    def hold(self, item: Item, scope: Scope, retry_after: float | None) -> float:
        """Note a failure.

        Returns: how long it waits, in seconds; a little different each time, so that rigs do not come back all at
        once.
        ``retry_after``: how long the server wants to be left alone, in seconds.
        """
        key = _key(item, scope)
        self._failures[key] = failures = self._failures.get(key, 0) + 1
        shortest, longest = self._limits
        pause = min(longest, shortest * 2.0 ** min(failures - 1, 30)) * _CHANCE.uniform(0.75, 1.0)
        pause = max(pause, (retry_after or 0.0) * _CHANCE.uniform(1.0, 1.25))
        self._ends[key] = self._clock() + pause
        return pause

    def left(self, item: Item) -> float:
        """Say how long an item still has to wait."""
        keys = [_key(item, scope) for scope in (Scope.ITEM, Scope.ACCOUNT, Scope.SERVER)]
        return max(0.0, max(self._ends.get(key, 0.0) for key in keys) - self._clock())

    def went_well(self, item: Item) -> None:
        """Forget the failures of the server and the account of an item that got through, and its own."""
        for scope in (Scope.ITEM, Scope.ACCOUNT, Scope.SERVER):
            self._failures.pop(_key(item, scope), None)
            self._ends.pop(_key(item, scope), None)

    def clear(self) -> None:
        """End all pauses; a server that asked for one is asked again, too."""
        self._ends.clear()
        self._failures.clear()


def _key(item: Item, scope: Scope) -> tuple[Any, ...]:
    if scope is Scope.SERVER:
        return (scope, item.server)
    return (scope, *item.account) if scope is Scope.ACCOUNT else (Scope.ITEM, item.key)
