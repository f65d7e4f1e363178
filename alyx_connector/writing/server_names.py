"""What a record is sent with that servers name in ways of their own: its subject, its session, its qc."""

from __future__ import annotations

import uuid
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from alyx_connector.errors import ConfigurationError
from alyx_connector.records.one_session import is_reference, session_id
from alyx_connector.records.one_subject import find_subject
from alyx_connector.writing.record_fields import checked_qc, sendable

if TYPE_CHECKING:
    from collections.abc import Mapping

    from alyx_connector.http.client import AlyxClient
    from alyx_connector.schema.dialect import Dialect

__all__ = ["NOTHING_LOOKED_UP", "LookedUp", "server_names"]


@dataclass(frozen=True)
class LookedUp:
    """What was asked once for many records."""

    #: Animals by what names them, or why that is none.
    animals: Mapping[str, dict[str, Any] | ConfigurationError] = field(default_factory=dict)
    #: Whether the server keeps zones; None if that was not asked.
    keeps_zones: bool | None = None


NOTHING_LOOKED_UP = LookedUp()


def server_names(
    client: AlyxClient,
    endpoint: str,
    fields: Mapping[str, Any],
    dialect: Dialect,
    animals: Mapping[str, dict[str, Any] | ConfigurationError],
) -> tuple[dict[str, Any], dict[str, Any]]:
    """Name what the server has another name for than people.

    Returns: those of the fields, as the server takes them, and the row of the subject; empty without a subject.
    ``animals``: those that were looked up already.
    """
    named: dict[str, Any] = {}
    animal: dict[str, Any] = {}
    subject, session = fields.get("subject"), fields.get("session")
    if isinstance(subject, str | uuid.UUID):
        # Sessions name an animal by its nickname, whatever the server names it by elsewhere.
        by_nickname = endpoint == "sessions"
        known = animals.get(str(subject))
        if isinstance(known, ConfigurationError):
            raise known
        animal = known or find_subject(client, str(subject), dialect, by_nickname=by_nickname)
        named["subject"] = str(animal["nickname"]) if by_nickname else dialect.subject_name(animal)
    if endpoint == "water-administrations" and (hasattr(session, "get") or is_reference(session)):
        named["session"] = session_id(client, session, dialect)
    if "qc" in fields:
        named["qc"] = checked_qc(sendable("qc", fields["qc"]), dialect)
    return named, animal
