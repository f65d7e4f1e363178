"""The order in which people read names: m2 before m10, capitals or not."""

from __future__ import annotations

import re


def natural(name: str) -> list[tuple[int, int, str]]:
    """Return what a name is sorted by: the numbers in it count as numbers."""
    return [
        (0, int(part), "") if part.isdecimal() else (1, 0, part) for part in re.findall(r"\d+|\D+", name.casefold())
    ]
