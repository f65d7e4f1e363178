"""The one category of warnings of this package."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, TypeAlias

from alyx_connector.remedy import in_python

if TYPE_CHECKING:
    from alyx_connector.remedy import Remedy

__all__ = ["AlyxWarning", "Note", "Tell"]


class AlyxWarning(UserWarning):
    """What a user should know of a result that is no error, for example that an offset was dropped."""

    def __init__(self, sentence: str = "", remedy: Remedy | None = None) -> None:
        super().__init__(sentence)
        #: What to do about it, where that is a call; None where the sentence says all.
        self.remedy = remedy

    @property
    def sentence(self) -> str:
        """What the user should know, without the remedy."""
        return str(self.args[0]) if self.args else ""

    def __str__(self) -> str:
        """Return what the user should know, and what to do about it in words of Python."""
        return f"{self.sentence} {in_python(self.remedy)}" if self.remedy else self.sentence


#: What will be warned of: a sentence, or one with a remedy.
Note: TypeAlias = str | AlyxWarning
#: Takes what the user should read.
Tell: TypeAlias = Callable[[Note], None]
