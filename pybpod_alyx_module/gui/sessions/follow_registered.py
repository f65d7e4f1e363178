"""Follows the registered sessions that wait in the outbox, until it has sent them."""

from __future__ import annotations

import logging
from collections import deque
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

from AnyQt.QtCore import QObject, QTimer, Signal

from pybpod_alyx_module.errors import OutboxError, RigError
from pybpod_alyx_module.gui.guard import slot
from pybpod_alyx_module.gui.running_outbox import running_outbox
from pybpod_alyx_module.gui.time_slice import TimeSlice
from pybpod_alyx_module.outbox.items import OPEN, State, WaitsFor
from pybpod_alyx_module.sessions.pybpod_session import csv_of
from pybpod_alyx_module.sessions.registration_note import write_registration

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from pathlib import Path

    from pybpod_alyx_module.gui.running_outbox import RunningOutbox
    from pybpod_alyx_module.gui.task import Task
    from pybpod_alyx_module.outbox.items import Item
    from pybpod_alyx_module.outbox.outbox import Outbox
    from pybpod_alyx_module.sessions.registration_note import Registration

logger = logging.getLogger(__name__)


class RegistrationFollower(QObject):
    """Follows the sessions of this PyBpod that wait in the outbox; notes their id on Alyx once they were sent."""

    #: The outbox has news of a session (the PyBpod session).
    news = Signal(object)

    def __init__(self) -> None:
        super().__init__()
        self._followed: dict[str, tuple[Any, Registration]] = {}
        self._outbox: RunningOutbox | None = None
        self._looking: Task | None = None
        self._again = False
        #: What the outbox said of each that is followed, as last shown; and what is not shown yet.
        self._shown: dict[str, Item] = {}
        self._news: deque[tuple[Registration, Item]] = deque()
        self._telling = QTimer(self, interval=0)
        self._telling.timeout.connect(self._tell)

    def follow(self, session: Any) -> None:
        """Follow a session until it was sent or given up.

        ``session``: the PyBpod session; its ``alyx_registration_changed`` is called with the news.
        """
        registration = session.alyx_registration_state.registration
        if registration is None:
            return
        before = self._followed.get(registration.key)
        self._shown.pop(registration.key, None)  # the session may show something else by now
        self._followed[registration.key] = session, registration
        outbox = running_outbox()
        if outbox is not self._outbox:
            self._outbox = outbox
            outbox.changed.connect(self._look)
        if before is None or before[0] is not session:
            self._look()

    @slot
    def _look(self) -> None:
        if not self._followed:
            return
        if self._looking is not None and not self._looking.settled:
            self._again = True
            return
        self._again = False
        followed, shown = [registration for _session, registration in self._followed.values()], dict(self._shown)
        self._looking = running_outbox().read(
            lambda outbox: _read_news(followed, shown, outbox), name="alyx-registrations"
        )
        self._looking.succeeded.connect(self._on_news)
        self._looking.start()

    @slot
    def _on_news(self, news: Sequence[tuple[Registration, Item]]) -> None:
        self._news.extend(news)
        self._telling.start()
        if self._again:
            self._look()

    @slot
    def _tell(self) -> None:
        # of hundreds at once where Alyx goes away
        turn, sent = TimeSlice(), []
        while self._news and not turn.is_over:
            registration, item = self._news.popleft()
            session, _before = self._followed.get(item.key, (None, None))
            if session is None:
                continue
            self._shown[item.key] = item
            if item.state in {State.SENT, State.DISCARDED} or session.alyx_is_gone or session.project.is_closed:
                del self._followed[item.key], self._shown[item.key]
            if session.alyx_is_gone or session.project.is_closed:
                continue
            if item.state is State.SENT:
                found = replace(registration, session_id=item.server_id)
                sent.append(_Sent(session, found, item, csv_of(session).parent, session.alyx_uuid))
            else:
                self._show(session, registration, item)
        if not self._news:
            self._telling.stop()
        if sent:
            noting = running_outbox().read(lambda _outbox: _note(sent), name="alyx-note-registrations")
            noting.succeeded.connect(self._on_noted)
            noting.start()

    @slot
    def _on_noted(self, sent: Sequence[_Sent]) -> None:
        for one in sent:
            self._show(one.session, one.registration, one.item)

    def _show(self, session: Any, registration: Registration, item: Item) -> None:
        session.alyx_registration_changed(registration, item)
        self.news.emit(session)


@dataclass(frozen=True)
class _Sent:
    """A session that is on Alyx now."""

    session: Any
    registration: Registration
    item: Item
    folder: Path
    uuid: str | None


def _read_news(
    followed: Sequence[Registration], shown: Mapping[str, Item], outbox: Outbox
) -> list[tuple[Registration, Item]]:
    found = []
    waiting = {item.key: item for item in outbox.items(OPEN)}
    for registration in followed:
        try:
            item = _lasting(waiting.get(registration.key) or outbox.item(registration.key))
        except OutboxError as error:
            logger.warning("The outbox does not show whether a registered session was sent: %s", error)
            continue
        if item != shown.get(item.key):
            found.append((registration, item))
    return found


def _lasting(item: Item) -> Item:
    # without the one that is sent before it, which is another one for each of hundreds within a second
    first = item.behind
    if first is None or first.state not in {State.WAITING, State.SENDING} or first.waits_for is not WaitsFor.NOTHING:
        return item
    return replace(item, behind=None)


def _note(sent: Sequence[_Sent]) -> Sequence[_Sent]:
    for one in sent:
        try:
            write_registration(one.folder, one.uuid, one.registration)
        except RigError as error:
            logger.warning("%s", error)
    return sent


_follower: list[RegistrationFollower] = []


def registration_follower() -> RegistrationFollower:
    """Return what follows the sessions of this PyBpod, made at first use."""
    if not _follower:
        _follower.append(RegistrationFollower())
    return _follower[0]
