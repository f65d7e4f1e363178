"""What became of the sessions that were registered: follows those that wait until the outbox has sent them."""

from __future__ import annotations

import logging
import socket
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any

from AnyQt.QtCore import QObject, Signal

from pybpod_alyx_module.errors import OutboxError, RigError
from pybpod_alyx_module.gui.guard import slot
from pybpod_alyx_module.gui.running_outbox import running_outbox
from pybpod_alyx_module.outbox.items import State
from pybpod_alyx_module.sessions.pybpod_session import csv_of, uuid_of
from pybpod_alyx_module.sessions.registration_note import remember

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from pathlib import Path

    from pybpod_alyx_module.gui.running_outbox import RunningOutbox
    from pybpod_alyx_module.gui.task import Task
    from pybpod_alyx_module.outbox.items import Item
    from pybpod_alyx_module.outbox.outbox import Outbox
    from pybpod_alyx_module.sessions.registration_note import Registration

logger = logging.getLogger(__name__)


@dataclass(frozen=True)
class Standing:
    """Whether and where a session is registered."""

    #: The newest that was not given up; None where there is none.
    registration: Registration | None = None
    #: Items of the outbox, by key, as last heard of.
    items: Mapping[str, Item] = field(default_factory=dict, hash=False)
    #: Why it is not known; empty where it is.
    problem: str = ""

    @property
    def sent(self) -> bool:
        """Whether it is on Alyx."""
        return self.registration is not None and self.registration.session_id is not None

    @property
    def pending(self) -> bool:
        """Whether it waits in the outbox of this computer."""
        return (
            self.registration is not None
            and self.registration.session_id is None
            and self.registration.host == socket.gethostname()
        )

    @property
    def words(self) -> str:
        """What the tree tells of it; empty where it is not registered."""
        found = self.registration
        if self.problem or found is None:
            return self.problem
        if found.session_id is not None:
            return f"On Alyx: {found.server}, session {found.session_id}"
        if not self.pending:
            return f"Waiting in the Alyx outbox of the computer {found.host}, for {found.server}"
        item = self.items.get(found.key)
        why = f"\n{item.reason}" if item is not None and item.reason else ""
        return f"Waiting in the Alyx outbox, for {found.server}{why}"


def standing_of(found: Sequence[Registration], items: Mapping[str, Item]) -> Standing:
    """Say where a session stands.

    ``items``: items of the outbox by key, as far as they are known.
    """
    valid = [one for one in found if one.key not in items or items[one.key].state is not State.DISCARDED]
    newest = max(valid, key=lambda one: one.registered_at, default=None)
    return Standing(newest, dict(items))


class Registrations(QObject):
    """Follows the sessions of this PyBpod that wait in the outbox; notes their id on Alyx once they were sent."""

    #: Something was heard of a session (the PyBpod session).
    heard = Signal(object)

    def __init__(self) -> None:
        super().__init__()
        self._followed: dict[str, tuple[Any, Registration]] = {}
        self._outbox: RunningOutbox | None = None
        self._looking: Task | None = None
        self._again = False

    def follow(self, session: Any) -> None:
        """Follow a session until it was sent or given up.

        ``session``: the PyBpod session, which is told by ``alyx_heard``.
        """
        registration = session.alyx_standing.registration
        if registration is None:
            return
        known = self._followed.get(registration.key)
        self._followed[registration.key] = session, registration
        outbox = running_outbox()
        if outbox is not self._outbox:
            self._outbox = outbox
            outbox.changed.connect(self._look)
        if known is None or known[0] is not session:
            self._look()

    @slot
    def _look(self) -> None:
        self._followed = {
            key: (session, registration)
            for key, (session, registration) in self._followed.items()
            if not (session.alyx_is_gone or session.project.is_closed)
        }
        if not self._followed:
            return
        if self._looking is not None and not self._looking.settled:
            self._again = True
            return
        self._again = False
        asked = [
            (registration, csv_of(session).parent, uuid_of(session))
            for session, registration in self._followed.values()
        ]
        self._looking = running_outbox().read(lambda outbox: _heard(asked, outbox), name="alyx-registrations")
        self._looking.succeeded.connect(self._on_heard)
        self._looking.start()

    @slot
    def _on_heard(self, news: Sequence[tuple[Registration, Item]]) -> None:
        for registration, item in news:
            session, _before = self._followed.get(registration.key, (None, None))
            if session is None:
                continue
            if item.state in {State.SENT, State.DISCARDED}:
                del self._followed[registration.key]
            session.alyx_heard(registration, item)
            self.heard.emit(session)
        if self._again:
            self._look()


def _heard(
    asked: Sequence[tuple[Registration, Path, str | None]], outbox: Outbox
) -> tuple[tuple[Registration, Item], ...]:
    found = []
    for registration, folder, uuid in asked:
        try:
            item = outbox.item(registration.key)
        except OutboxError as error:
            logger.warning("A registered session cannot be followed: %s", error)
            continue
        if item.state is State.SENT:
            registration = replace(registration, session_id=item.server_id)
            try:
                remember(folder, uuid, registration)
            except RigError as error:
                logger.warning("%s", error)
        found.append((registration, item))
    return tuple(found)


_registrations: list[Registrations] = []


def registrations() -> Registrations:
    """Return what follows the sessions of this PyBpod, made at first use."""
    if not _registrations:
        _registrations.append(Registrations())
    return _registrations[0]


def follow(session: Any) -> None:
    """Follow a session until it was sent or given up."""
    registrations().follow(session)
