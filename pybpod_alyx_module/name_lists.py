"""Several names of Alyx in one text: with the one separator that settings, dialogs and the outbox share."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Iterable

#: Between two names. Names on Alyx may hold commas.
SEPARATOR: Final = ";"

#: What a field for several names says while it is empty.
HOW_TO_WRITE: Final = "names, with ; between them"


def split_names(text: str) -> tuple[str, ...]:
    """Return the names in a text, each once."""
    return tuple(dict.fromkeys(part.strip() for part in text.split(SEPARATOR) if part.strip()))


def join_names(names: Iterable[object]) -> str:
    """Return names as one text, which `split_names` takes apart again."""
    return f"{SEPARATOR} ".join(str(name) for name in names)
