"""The errors of a sync."""

from __future__ import annotations

from alyx_connector.errors import AlyxError


class SyncError(AlyxError):
    """A plan could not be applied; the project is as it was before."""


class NotTakenBackError(SyncError):
    """A plan could not be applied, and not every change of it could be taken back."""
