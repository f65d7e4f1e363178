"""Progress where nobody watches: a record now and then."""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from alyx_connector.display.state import State

__all__ = ["InLog"]

LOG = logging.getLogger(__name__)


class InLog:
    """Logs how far the work has come: at the beginning, now and then, and at the end."""

    #: Seconds between two records.
    pause_s = 10.0
    #: Whether it shows at once that the work waits: a server that throttles may make each request wait.
    shows_waits = False

    def __init__(self) -> None:
        self._last: State | None = None

    def show(self, state: State) -> None:
        """Log it."""
        self._last = state
        LOG.info("%s", state.line)

    def end(self, state: State) -> None:
        """Log how far it came."""
        if state != self._last:
            self.show(state)
