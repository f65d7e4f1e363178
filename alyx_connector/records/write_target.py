"""What is written to: a record, or the list that a new one goes to."""

from __future__ import annotations

from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING

from alyx_connector.errors import ProtocolError, ServerFaultError, TransportError
from alyx_connector.frames.layouts import UNKNOWN, Column, known_layout

if TYPE_CHECKING:
    from collections.abc import Iterator

    from alyx_connector.search.schema import Endpoint

__all__ = ["WriteTarget"]


@dataclass(frozen=True)
class WriteTarget:
    """What is written to."""

    #: The list: ``sessions``.
    endpoint: str
    #: What the server says of it; None if it does not describe itself.
    described: Endpoint | None
    #: Where the record is, as the client takes it; the list itself for a new one.
    route: tuple[str, ...]
    #: By what the record is known; empty for a new one.
    name: str = ""
    #: Whether that is its id, which the server then repeats.
    by_id: bool = False

    def __str__(self) -> str:
        """Return list and record, for people."""
        return f"{self.endpoint} {self.name}".strip()

    @property
    def columns(self) -> tuple[Column, ...]:
        """The columns of its record, those of the list first."""
        layout = self.described.layout if self.described else known_layout(self.endpoint) or UNKNOWN
        return (*layout.listed, *layout.detailed)

    def look(self, subject: str = "") -> str:
        """Say how to look at what is on the server."""
        if self.by_id:
            return f'connector.search("{self.endpoint}", id="{self.name}")'
        if subject and self.endpoint in {"weighings", "water-administrations"}:
            return f'connector.{"weights" if self.endpoint == "weighings" else "water"}("{subject}")'
        of_subject = f', subject="{subject}"' if subject else ""
        return f'connector.search("{self.endpoint}"{of_subject})'

    @contextmanager
    def may_be_stored(self, subject: str = "") -> Iterator[None]:
        """Make a write whose answer is lost say how to look."""
        try:
            yield
        except (TransportError, ServerFaultError, ProtocolError) as error:
            if getattr(error, "maybe_processed", True):
                error.hint = (
                    f"It may have been stored all the same. Look before you send it again: {self.look(subject)}."
                )
            raise
