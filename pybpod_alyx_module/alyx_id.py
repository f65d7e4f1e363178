"""The id of a record on Alyx: a UUID."""

from __future__ import annotations

from typing import Any
from uuid import UUID


def canonical_id(value: Any) -> str | None:
    """Return an id as Alyx writes it: in small letters, with hyphens; None for what is not a UUID."""
    try:
        return str(UUID(value)) if isinstance(value, str) else None
    except ValueError:
        return None
