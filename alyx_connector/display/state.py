"""What there is to show of work that goes on."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from alyx_connector.progress import Progress

__all__ = ["State"]


@dataclass(frozen=True)
class State:
    """How far the work has come, and what it waits for meanwhile."""

    #: What is being done; one sentence.
    sentence: str = ""
    #: Units done.
    done: int = 0
    #: Units there are; 0 where that is not known.
    total: int = 0
    #: Seconds that the rest will take; None where that is not known.
    left_s: float | None = None
    #: Why nothing arrives at the moment; empty otherwise.
    wait: str = ""

    def after(self, progress: Progress, listing: str) -> State:
        """Say what there is to show after some progress.

        ``listing``: what to call a list, which does not say what it lists.
        """
        if progress.stage == "wait":
            return replace(self, wait=progress.message)
        sentence = progress.message or (listing if progress.stage == "list" else "")
        if progress.total is not None and progress.total > 1:
            return State(sentence, progress.done, progress.total, progress.left_s)
        # A single request, which may be one of those that are counted.
        return State(sentence) if sentence else replace(self, wait="")

    @property
    def numbers(self) -> str:
        """How many of how many, and how long the rest will take, as far as that is known; may be empty."""
        count = f"{self.done}/{self.total}" if self.total else ""
        if self.left_s is None or self.done >= self.total:
            return count
        left = f"{self.left_s:.0f} s" if self.left_s < 90 else f"{self.left_s / 60:.0f} min"
        return f"{count}, about {left} left"

    @property
    def line(self) -> str:
        """All of it as one line."""
        return " ".join(part for part in (self.numbers and f"{self.numbers}:", self.sentence, self.wait) if part)
