"""The error of the outbox."""

from __future__ import annotations

from alyx_connector.errors import AlyxError


class OutboxError(AlyxError):
    """The outbox cannot be opened or written, or does not allow what was asked of it; what it holds is as it was."""
