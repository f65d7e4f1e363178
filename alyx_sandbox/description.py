"""What the server says of itself."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, ClassVar

from drf_spectacular.generators import SchemaGenerator

if TYPE_CHECKING:
    from rest_framework.request import Request


class Description(SchemaGenerator):
    """The schema: it is the same for all, so it is made once."""

    _made: ClassVar[dict[str, Any]] = {}

    def get_schema(self, request: Request | None = None, public: bool = False) -> dict[str, Any]:
        """Return the schema."""
        if not self._made:
            self._made.update(super().get_schema(request, public))  # type: ignore[no-untyped-call]
        return self._made
