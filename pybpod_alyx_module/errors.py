"""The errors of what a rig reads and keeps."""

from __future__ import annotations

from alyx_connector.errors import AlyxError


class RigError(AlyxError):
    """A file or device of the rig is unusable; the message names it, the hint says what to do."""
