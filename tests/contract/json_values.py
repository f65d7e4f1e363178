"""Values that JSON can hold, for filters to find."""

from __future__ import annotations


#: What stands below "v" in a session each; MISSING: nothing does.
class _Missing:
    def __repr__(self) -> str:
        return "MISSING"  # the names of tests must be the same in every process


MISSING = _Missing()
VALUES = (
    *(-7, -5, -3.5, 0, 1, 4, 1e-7),
    *("-5", "001", "1", "True", "None", "a, b", "a", "2024-01-01"),
    *(None, MISSING, True, [1, 2], {"w": -1}),
)
NUMBERS = [value for value in VALUES if isinstance(value, int | float) and not isinstance(value, bool)]
TEXTS = [value for value in VALUES if isinstance(value, str)]
