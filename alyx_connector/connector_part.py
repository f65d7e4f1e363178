"""What the parts of `Connector` ask of it."""

from __future__ import annotations

from abc import ABC, abstractmethod
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Sequence
    from contextlib import AbstractContextManager

    import pandas as pd

    from alyx_connector.frames.layouts import Column
    from alyx_connector.http.client import AlyxClient

__all__ = ["ConnectorPart"]


class ConnectorPart(ABC):
    """A part of `Connector`."""

    _client: AlyxClient

    @abstractmethod
    def _explained(self) -> AbstractContextManager[None]:
        """Make errors say what to do."""

    @abstractmethod
    def _table(
        self, endpoint: str, rows: Sequence[dict[str, Any]], columns: Sequence[Column], notes: list[str], details: bool
    ) -> pd.DataFrame:
        """Make the frame, and warn of what is told."""
