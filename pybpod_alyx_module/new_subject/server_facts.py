"""What a server takes of a new animal, and what may be chosen for it."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Final

from alyx_connector.schema.description import Field
from alyx_connector.schema.source import SchemaSource

if TYPE_CHECKING:
    from collections.abc import Mapping

    from alyx_connector.http.client import AlyxClient
    from alyx_connector.progress import CancelToken

#: The fields that a person fills in, in their order.
FIELDS: Final = (
    "nickname",
    "lab",
    "responsible_user",
    "sex",
    "birth_date",
    "species",
    "strain",
    "line",
    "source",
    "description",
)
#: Those of which the server has a list without telling it: what other animals of the user have is offered.
IN_USE: Final = ("species", "strain", "line", "source")
#: So many of the user's animals are looked at for that.
_ANIMALS: Final = 100


@dataclass(frozen=True)
class ServerFacts:
    """What one server said."""

    server: str
    #: Who asks.
    username: str
    #: Those of `FIELDS` that the server has.
    fields: Mapping[str, Field] = field(hash=False)
    #: Names of all labs, those of the user first.
    labs: tuple[str, ...] = ()
    #: Names of all users.
    users: tuple[str, ...] = ()
    #: What the user's animals have as `IN_USE`.
    in_use: Mapping[str, tuple[str, ...]] = field(default_factory=dict, hash=False)


def fetch_facts(client: AlyxClient, username: str, cancel: CancelToken) -> ServerFacts:
    """Ask a server what it takes and what may be chosen; an `AlyxError` where it does not answer."""
    schema = SchemaSource(client).schema(cancel=cancel, tell=lambda _: None)
    described = schema.endpoints.get("subjects") if schema else None
    known = {one.name: one for one in described.created if not one.read_only} if described else {}
    fields = {name: known.get(name, Field(name, "", False)) for name in FIELDS if name in known or not known}
    user = client.get(("users", username), cancel=cancel)
    own = _texts(user.get("lab") or ())
    labs = _texts(row.get("name") for row in client.list("labs", cancel=cancel))
    users = _texts(row.get("username") for row in client.list("users", cancel=cancel))
    page = client.get("subjects", {"responsible_user": username, "limit": _ANIMALS}, cancel=cancel)
    rows = page.get("results", ())
    return ServerFacts(
        client.url,
        username,
        fields,
        tuple(dict.fromkeys([*(lab for lab in own if lab in labs), *labs])),
        users,
        {name: tuple(sorted(set(_texts(row.get(name) for row in rows)))) for name in IN_USE},
    )


def _texts(values: Any) -> tuple[str, ...]:
    return tuple(value for value in values if isinstance(value, str) and value)
