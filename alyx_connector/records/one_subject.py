"""The one animal that is meant: the server takes nothing but nicknames, and fails where two animals share one."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from alyx_connector.errors import ConfigurationError
from alyx_connector.ids import canonical_id, is_id
from alyx_connector.remedy import Remedy, RemedyKind

if TYPE_CHECKING:
    from alyx_connector.http.client import AlyxClient

__all__ = ["find_subject", "refuse_namesakes"]


def find_subject(client: AlyxClient, subject: str) -> dict[str, Any]:
    """Find an animal by its nickname or id, if it is the only one of its nickname."""
    nickname = subject
    if is_id(subject):
        found = client.list("subjects", {"django": f"pk,{canonical_id(subject)}"})
        nickname = str(found[0]["nickname"]) if found else ""
    rows = refuse_namesakes(client, nickname) if nickname.strip() else []
    if not rows:
        raise ConfigurationError(
            f"There is no subject {subject!r} at {client.url} that you may see.",
            hint=Remedy(RemedyKind.LIST_SUBJECTS),
            setting="subject",
        )
    return rows[0]


def refuse_namesakes(client: AlyxClient, nickname: str) -> list[dict[str, Any]]:
    """List the animals of a nickname; an error if there are several."""
    rows = client.list("subjects", {"nickname": nickname})
    if len(rows) > 1:
        labs = ", ".join(sorted(str(row.get("lab")) for row in rows))
        raise ConfigurationError(
            f"Several animals are called {nickname} (labs: {labs}), and {client.url} cannot tell them apart.",
            hint="Give them different nicknames on Alyx.",
            setting="subject",
        )
    return rows
