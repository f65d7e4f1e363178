"""Ids of Alyx: UUIDs of 36 characters."""

from __future__ import annotations

import uuid
from typing import Any

__all__ = ["canonical_id", "is_id"]


def canonical_id(value: Any) -> str | None:
    """Return a UUID, or a text of one in any spelling, as Alyx writes it; None if it is neither."""
    try:
        return str(value if isinstance(value, uuid.UUID) else uuid.UUID(value))
    except (ValueError, AttributeError, TypeError):
        return None


def is_id(text: Any) -> bool:
    """Tell whether a text is an id of Alyx: a UUID of 36 characters, in capitals or not."""
    return isinstance(text, str) and canonical_id(text) == text.lower()
