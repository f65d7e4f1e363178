"""Whether somebody else changed a record: since it was looked at, or at this moment; our own writes are known."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from alyx_connector.errors import ConfigurationError, ConflictError
from alyx_connector.writing.record_fields import changed_paths, json_or_text, same_json
from alyx_connector.zones.moments import same_time

if TYPE_CHECKING:
    from collections.abc import Mapping

    from alyx_connector.writing.write_target import WriteTarget

__all__ = ["Changes"]

_AGAIN = "Look at what the record holds now, then call again: the record is read again."


@dataclass(frozen=True)
class _Write:
    #: The record as it was just before; None if it was not read.
    before: Mapping[str, Any] | None
    #: As the server stored it.
    after: Mapping[str, Any]


class Changes:
    """What one `Connector` wrote, and what others did meanwhile; ``url``: the server."""

    def __init__(self, url: str) -> None:
        self._url = url
        self._writes: dict[tuple[str, str], list[_Write]] = {}

    def wrote(self, target: WriteTarget, before: Mapping[str, Any] | None, after: Mapping[str, Any]) -> None:
        """Take note of a write of ours."""
        self._writes.setdefault((target.endpoint, target.name), []).append(_Write(before, after))

    def check_since(self, target: WriteTarget, record: Mapping[str, Any], since: Any, field: str) -> None:
        """Refuse where somebody else changed a field, or the record, after a row of it was fetched."""
        if not hasattr(since, "get") or field not in since or since.get("id", target.name) != target.name:
            raise ConfigurationError(
                f"since is not a row of {target} with its {field}.",
                hint="Give the row of a search with details, or what update_json returned.",
                setting="since",
            )
        then, now = (json_or_text(value) for value in (since[field], record.get(field)))
        changed = changed_paths(field, then, now)
        written, seen = record.get("auto_datetime"), since.get("auto_datetime")
        if written and seen is not None and not same_time(getattr(seen, "isoformat", seen.__str__)(), str(written)):
            changed.append("auto_datetime")
        if changed and not self._is_ours(target, record, field, then):
            raise self._conflict(target, "since you looked", changed)

    def check_unchanged(
        self, target: WriteTarget, before: Mapping[str, Any], again: Mapping[str, Any], field: str
    ) -> None:
        """Refuse where somebody else changed a field, or the record, between two readings."""
        if not any(changed_paths(name, before.get(name), again.get(name)) for name in (field, "auto_datetime")):
            return
        names = dict.fromkeys([field, *before, *again])
        raise self._conflict(
            target,
            "at this moment",
            [path for name in names for path in changed_paths(name, before.get(name), again.get(name))],
        )

    def _is_ours(self, target: WriteTarget, record: Mapping[str, Any], field: str, then: Any) -> bool:
        # The last write is ours, and our writes lead from what the field was to what it is.
        writes = self._writes.get((target.endpoint, target.name), [])
        last = writes[-1].after.get("auto_datetime") if writes else None
        if not last or not same_time(str(last), str(record.get("auto_datetime"))):
            return False
        value = then
        for write in writes:
            if write.before is not None and same_json(value, json_or_text(write.before.get(field))):
                value = json_or_text(write.after.get(field))
        return same_json(value, json_or_text(record.get(field)))

    def _conflict(self, target: WriteTarget, when: str, changed: list[str]) -> ConflictError:
        return ConflictError(
            f"Somebody else changed {target} at {self._url} {when}: {', '.join(changed[:8])}"
            f"{', …' if len(changed) > 8 else ''}. Nothing was written.",
            hint=_AGAIN,
            changed=changed,
        )
