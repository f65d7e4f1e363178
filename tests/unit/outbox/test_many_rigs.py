"""300 rigs of one user come back after an outage: the server's throttle is shared, and nobody waits for ever."""

from __future__ import annotations

import heapq
import random
from collections import Counter, deque
from types import SimpleNamespace

import pytest

from pybpod_alyx_module.outbox import back_off
from pybpod_alyx_module.outbox.back_off import Pauses
from pybpod_alyx_module.outbox.outcomes import Scope

RIGS, ITEMS = 300, 5
#: What one item asks of the server, as the sender does: who the animal is, the record, where it went.
REQUESTS = 6
#: Alyx's own throttle, a user's: so many in a minute.
RATE, MINUTE_S = 550, 60.0
OUTAGE_S = 7200.0


class Throttle:
    """Alyx's throttle: the last minute's requests count, those that it refused do not."""

    def __init__(self):
        self._taken = deque()
        self.refused = 0

    def wait_s(self, now):
        while self._taken and self._taken[0] <= now - MINUTE_S:
            self._taken.popleft()
        if len(self._taken) < RATE:
            self._taken.append(now)
            return None
        self.refused += 1
        return float(int(self._taken[0] + MINUTE_S - now) + 1)  # whole seconds, as Retry-After has them


@pytest.mark.parametrize("seed", [1, 2])
def test_all_arrive_and_none_waits_more_than_its_share(monkeypatch, seed):
    chance = random.Random(seed)
    monkeypatch.setattr(back_off, "_CHANCE", chance)
    now = 0.0
    throttle = Throttle()
    item = SimpleNamespace(server="https://alyx.example", account=("https://alyx.example", "rig"), key="x")
    rigs = [Pauses(lambda: now) for _ in range(RIGS)]
    left = [ITEMS] * RIGS
    done_at = {}
    came = Counter()  # by second, once the server was back
    queue = [(chance.uniform(0, 1), rig) for rig in range(RIGS)]  # the outage begins for all at once
    heapq.heapify(queue)
    while queue:
        now, rig = heapq.heappop(queue)
        took = 0.0
        if now < OUTAGE_S:
            pause = rigs[rig].hold(item, Scope.SERVER, None)
            heapq.heappush(queue, (now + pause, rig))
            continue
        came[int(now)] += 1
        for _ in range(REQUESTS):
            wait = throttle.wait_s(now + took)
            took += 0.05
            if wait is not None:
                heapq.heappush(queue, (now + took + rigs[rig].hold(item, Scope.ACCOUNT, wait), rig))
                break
        else:
            rigs[rig].went_well(item)
            left[rig] -= 1
            if left[rig]:
                heapq.heappush(queue, (now + took, rig))
            else:
                done_at[rig] = now + took - OUTAGE_S
    assert len(done_at) == RIGS
    assert max(done_at.values()) < 1.4 * RIGS * ITEMS * REQUESTS / RATE * MINUTE_S  # the least that the throttle allows
    assert max(came.values()) < RIGS / 5  # never all at once: the server says the same Retry-After to many
    assert throttle.refused < RIGS * ITEMS * REQUESTS / 2
