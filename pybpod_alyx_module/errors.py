"""The errors of what a rig reads and keeps."""

from __future__ import annotations

from alyx_connector.errors import AlyxError


class RigError(AlyxError):
    """A file or device of the rig is unusable; the message names it, the hint says what to do."""


class OutboxError(AlyxError):
    """The outbox cannot be opened or written, or does not allow a change; what it holds is as it was."""


class SyncError(AlyxError):
    """A plan could not be applied; the project is as it was before."""


class OpenElsewhereError(SyncError):
    """A PyBpod has the project open."""


class NotTakenBackError(SyncError):
    """A plan could not be applied, and not every change of it could be taken back."""


class MaybeMadeError(AlyxError):
    """No answer tells whether Alyx made a new animal."""
