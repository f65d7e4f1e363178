"""The names that may have been meant by one that does not exist."""

from __future__ import annotations

import difflib
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable

__all__ = ["did_you_mean"]


def did_you_mean(name: str, names: Iterable[str]) -> str:
    """Ask whether one of the names nearest to this one was meant.

    Returns: a sentence with a space before it; empty if none is near.
    """
    known = {one.casefold(): one for one in names}
    typed = name.casefold()
    alike = difflib.get_close_matches(typed, known, n=3, cutoff=0.6)
    within = [one for one in known if len(typed) > 2 and (typed in one or one in typed)]
    meant = [known[one] for one in dict.fromkeys([*alike, *within])][:4]
    return f" Did you mean {' or '.join(meant)}?" if meant else ""
