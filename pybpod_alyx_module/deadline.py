"""Work that is cancelled when its time is up."""

from __future__ import annotations

import threading
from contextlib import contextmanager
from typing import TYPE_CHECKING

from alyx_connector.progress import CancelToken

if TYPE_CHECKING:
    from collections.abc import Iterator


@contextmanager
def cancel_after(seconds: float, cancel: CancelToken) -> Iterator[CancelToken]:
    """Give a token that is cancelled after some seconds, or with ``cancel``; it holds until the block ends."""
    token = CancelToken(parent=cancel)
    timer = threading.Timer(seconds, token.cancel)
    timer.daemon = True
    timer.start()
    try:
        yield token
    finally:
        timer.cancel()
        token.detach()
