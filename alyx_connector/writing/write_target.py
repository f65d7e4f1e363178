"""What is written to: a record, or the list that a new one goes to."""

from __future__ import annotations

from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING

from alyx_connector.errors import AlyxError, ProtocolError, ServerFaultError, TransportError
from alyx_connector.frames.columns import UNKNOWN, Column, known_layout
from alyx_connector.remedy import Remedy, RemedyKind

if TYPE_CHECKING:
    from collections.abc import Iterator

    from alyx_connector.schema.description import Endpoint

__all__ = ["WriteTarget", "may_have_stored"]


def may_have_stored(error: AlyxError) -> bool:
    """Tell whether a write that ended so may have been stored all the same."""
    is_lost = isinstance(error, TransportError | ServerFaultError | ProtocolError)
    return is_lost and getattr(error, "maybe_processed", True)


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

    def look(self, kind: RemedyKind, subject: str = "") -> Remedy:
        """Say how to look at what is on the server.

        ``subject``: of a new record.
        """
        if self.by_id:
            return Remedy(kind, endpoint=self.endpoint, name="id", values=(self.name,))
        if subject:
            return Remedy(kind, endpoint=self.endpoint, name="subject", values=(subject,))
        return Remedy(kind, endpoint=self.endpoint)

    @contextmanager
    def may_be_stored(self, subject: str = "") -> Iterator[None]:
        """Make a write whose answer is lost say how to look."""
        try:
            yield
        except AlyxError as error:
            if may_have_stored(error):
                error.remedy = self.look(RemedyKind.LOOK_BEFORE_SENDING_AGAIN, subject)
            raise
