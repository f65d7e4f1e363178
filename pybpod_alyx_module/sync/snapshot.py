"""What the planner looks at: the subjects of a PyBpod project and those of an Alyx server, frozen."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from alyx_connector.errors import ProtocolError
from alyx_connector.ids import canonical_id
from pybpod_alyx_module.sync.details import COMPARED, VOLATILE, Details
from pybpod_alyx_module.sync.scope import USUAL, Scope

if TYPE_CHECKING:
    from collections.abc import Mapping


@dataclass(frozen=True)
class LocalSubject:
    """A subject of a PyBpod project at one moment."""

    #: Names the subject within its project; given out by the project, of no meaning outside.
    key: str
    #: The PyBpod name, which is also the name of its folder.
    name: str
    #: The Alyx id of a linked subject, else None.
    alyx_id: str | None = None
    #: Address of the Alyx server that the id belongs to; None in files of the predecessor, which did not write it.
    server: str | None = None
    #: The saved Alyx url; names the server where ``server`` is None.
    url: str | None = None
    #: The saved copy of the compared details; empty for a subject that is not linked.
    details: Details = field(default_factory=Details)
    #: Why it cannot be removed now ("it is in a running session"); empty when it can.
    hold: str = ""


@dataclass(frozen=True)
class RemoteSubject:
    """A subject as an Alyx server describes it."""

    #: The identity on that server.
    alyx_id: str
    nickname: str
    #: As computed by the server: a death date in the future is alive.
    alive: bool
    #: ISO date or None.
    death_date: str | None
    lab: str | None
    responsible_user: str | None
    #: The compared details.
    details: Details
    #: What changes by itself.
    volatile: Details

    @classmethod
    def from_row(cls, row: Mapping[str, Any], server: str) -> RemoteSubject:
        """Check a row of ``GET /subjects`` and freeze it.

        ``server``: address of the server, for the message of an error.
        """
        alyx_id, nickname, alive = canonical_id(row.get("id")), row.get("nickname"), row.get("alive")
        if alyx_id is None:
            raise ProtocolError(f"{server} sent a subject without a usable id, nickname or alive.")
        if not isinstance(nickname, str) or not isinstance(alive, bool):
            raise ProtocolError(f"{server} sent a subject ({alyx_id}) without a usable nickname or alive.")
        return cls(
            alyx_id=alyx_id,
            nickname=nickname,
            alive=alive,
            death_date=row.get("death_date"),
            lab=row.get("lab"),
            responsible_user=row.get("responsible_user"),
            details=Details.of(row, COMPARED),
            volatile=Details.of(row, VOLATILE),
        )


@dataclass(frozen=True)
class RemoteSnapshot:
    """What a server said, complete: the subjects in scope, living and dead, and those looked up by id."""

    #: Address of the server, as `AlyxClient.url` writes it.
    server: str
    #: Who asked.
    username: str
    #: The subjects in scope, in the server's order.
    listed: tuple[RemoteSubject, ...] = ()
    #: Subjects of the project that the scope did not list, looked up by id.
    looked_up: tuple[RemoteSubject, ...] = ()
    #: Whose subjects were listed.
    scope: Scope = USUAL
