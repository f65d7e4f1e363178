"""What a record dialog does without a widget: asks Alyx about the animal, puts a record into the outbox, follows it."""

from __future__ import annotations

import uuid
from contextlib import suppress
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any, Final

from AnyQt.QtCore import QObject, Signal

from alyx_connector.errors import AlyxError, LoginRequiredError
from pybpod_alyx_module.animals.alyx_access import nobody_logged_in
from pybpod_alyx_module.animals.overview import AnimalOverview, fetch_overview, unsent_items
from pybpod_alyx_module.gui.guard import slot
from pybpod_alyx_module.gui.running_outbox import running_outbox
from pybpod_alyx_module.gui.task import Task, start_task
from pybpod_alyx_module.outbox.items import Draft, State, WaitsFor

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from alyx_connector.progress import CancelToken
    from pybpod_alyx_module.animals.alyx_subject import AlyxSubject
    from pybpod_alyx_module.outbox.items import Item, Kind
    from pybpod_alyx_module.outbox.outbox import Outbox

#: How long Alyx has to answer about the animal, in seconds; one can type meanwhile.
DEADLINE_S: Final = 10.0

_STATE_SENTENCES: Final = {
    State.WAITING: "Kept on this computer; not on Alyx yet.",
    State.SENDING: "Kept on this computer; it is being sent.",
    State.UNSURE: "Kept on this computer; it may already be on Alyx, which will be checked.",
    State.SENT: "It is on Alyx.",
    State.PARKED: "Kept on this computer, but not sent: see Alyx outbox.",
    State.DISCARDED: "It was discarded in Alyx outbox.",
}


def state_sentence(item: Item) -> str:
    """Say what became of a recorded item, without the reason."""
    if item.state is State.PARKED and item.waits_for is WaitsFor.USER:
        return "Kept on this computer; it will be sent once you have said who recorded it."
    return _STATE_SENTENCES[item.state]


@dataclass(frozen=True)
class Entry:
    """What was typed, checked."""

    kind: Kind
    values: dict[str, Any]
    #: What it is, for people: ``24.5 g``.
    what: str
    #: What is kept with the record: of what a later correction is compared with, and of its time; JSON, not sent.
    facts: Mapping[str, Any] = field(default_factory=dict)


class Recorder(QObject):
    """Records one thing of one animal.

    ``with_water_types``: whether to ask for the types of water, too.
    """

    #: Alyx answered: see `overview`.
    overview_arrived = Signal()
    #: Alyx could not be asked (the exception).
    fetch_failed = Signal(object)
    #: Alyx answered or could not be asked; sent last.
    fetch_ended = Signal()
    #: The outbox holds something else of the animal than `overview` says.
    unsent_changed = Signal()
    #: The record is in the outbox: see `item`.
    recorded = Signal()
    #: The record is in the outbox, and is not sent before a person says so: see `held`.
    was_held = Signal()
    #: What was held is discarded.
    taken_back = Signal()
    #: The outbox could not take it (the exception).
    not_recorded = Signal(object)
    #: The state of `item` is another one.
    item_changed = Signal()

    def __init__(self, animal: AlyxSubject, *, with_water_types: bool) -> None:
        super().__init__()
        #: The animal, and as whom the project records now.
        self.animal = animal
        self._with_water_types = with_water_types
        self._outbox = running_outbox()
        self._mark = str(uuid.uuid4())
        #: What Alyx and the outbox said last; None before.
        self.overview: AnimalOverview | None = None
        #: What is in the outbox and not sent before a person says so; None where nothing is.
        self.held: Item | None = None
        #: What was recorded; None before.
        self.item: Item | None = None
        self._fetch: Task | None = None
        self._write: Task | None = None
        self._look: Task | None = None
        self._outbox.changed.connect(self._on_outbox_changed)

    @property
    def fetching(self) -> bool:
        """Whether Alyx is being asked."""
        return self._fetch is not None

    @property
    def writing(self) -> bool:
        """Whether the record is on its way into the outbox."""
        return self._write is not None

    def fetch(self) -> None:
        """Ask Alyx about the animal, once more where it is being asked."""
        if self._fetch is not None:
            self._fetch.cancel()
        outbox, animal, with_types, mark = self._outbox, self.animal, self._with_water_types, self._mark

        def work(_report: Any, cancel: CancelToken) -> AnimalOverview:
            overview = fetch_overview(
                outbox, animal, deadline_s=DEADLINE_S, cancel=cancel, water_types=with_types, dialog=mark
            )
            with suppress(AlyxError):  # then it is asked about when something is recorded
                overview = replace(overview, asks_who=not outbox.logins.somebody_is_at_rig(animal.server))
            return overview

        self._fetch = start_task(
            Task(work, "alyx-animal"),
            succeeded=self._on_overview,
            failed=self.fetch_failed.emit,
            finished=self._on_fetch_ended,
        )

    def record(self, entry: Entry, username: str) -> None:
        """Put what was typed into the outbox.

        ``username``: the Alyx user who recorded it.
        """
        draft = self._draft(entry, username)
        self._write = start_task(self._outbox.add(draft), succeeded=self._on_recorded, failed=self._on_not_recorded)

    def hold(self, entry: Entry, why: str) -> None:
        """Put what was typed into the outbox, where it is safe, and not sent before `send` or a person says so.

        ``why``: what a person is told there.
        """
        outbox, animal = self._outbox, self.animal

        def add(opened: Outbox) -> Item:
            username = outbox.account_for(animal.server, animal.alyx_user)
            if not username:
                raise LoginRequiredError(nobody_logged_in(animal.server), hint="")
            return opened.add(self._draft(entry, username, held=why))

        self._start(add, self._on_held)

    def hold_because(self, why: str) -> None:
        """Say in the outbox why what is held is held."""
        held = self.held
        if held is not None:
            start_task(self._outbox.read(lambda outbox: outbox.hold(held.key, why)), succeeded=self._on_explained)

    def send(self) -> None:
        """Have sent what is held."""
        held = self.held
        if held is not None:
            self._start(lambda outbox: unless_decided(outbox, held.key, outbox.retry), self._on_held_changed)

    def take_back(self) -> None:
        """Discard what is held."""
        held = self.held
        if held is not None:
            self._start(lambda outbox: unless_decided(outbox, held.key, outbox.discard), self._on_held_changed)

    def _draft(self, entry: Entry, username: str, held: str = "") -> Draft:
        return Draft(
            kind=entry.kind,
            server=self.animal.server,
            username=username,
            subject_id=self.animal.subject_id,
            subject_name=self.animal.name,
            values=entry.values,
            held=held,
            origin={**entry.facts, "dialog": self._mark},
        )

    def _start(self, change: Callable[[Outbox], Item], succeeded: Callable[[Item], None]) -> None:
        self._write = start_task(
            self._outbox.read(change, name="alyx-outbox-add"), succeeded=succeeded, failed=self._on_not_recorded
        )

    def stop(self) -> None:
        """Stop asking Alyx; what is on its way into the outbox gets there."""
        for task in (self._fetch, self._look):
            if task is not None:
                task.cancel()
        self._outbox.changed.disconnect(self._on_outbox_changed)

    @slot
    def _on_overview(self, overview: AnimalOverview) -> None:
        self.overview = overview
        self.overview_arrived.emit()

    @slot
    def _on_fetch_ended(self) -> None:
        self._fetch = None
        self.fetch_ended.emit()

    @slot
    def _on_held(self, item: Item) -> None:
        self._write = None
        self.held = item
        self.was_held.emit()

    @slot
    def _on_explained(self, item: Item) -> None:
        if self.held is not None:
            self.held = item

    @slot
    def _on_held_changed(self, item: Item) -> None:
        # Here, or in the outbox window.
        self._write = None
        if self.held is None or (item.state is State.PARKED and item.waits_for is not WaitsFor.USER):
            return
        self.held = None
        if item.state is State.DISCARDED:
            self.taken_back.emit()
        else:
            self._on_recorded((item,))

    @slot
    def _on_recorded(self, items: tuple[Item, ...]) -> None:
        self._write = None
        self.item = items[0]
        self.recorded.emit()

    @slot
    def _on_not_recorded(self, error: BaseException) -> None:
        self._write = None
        self.not_recorded.emit(error)

    @slot
    def _on_outbox_changed(self) -> None:
        if self._look is not None:
            return
        item, animal, held = self.item, self.animal, self.held
        if held is not None:
            read, succeeded = self._outbox.read(lambda outbox: outbox.item(held.key)), self._on_held_read
        elif item is None:
            mark = self._mark
            read, succeeded = self._outbox.read(lambda outbox: unsent_items(outbox, animal, mark)), self._on_unsent_read
        else:
            read, succeeded = self._outbox.read(lambda outbox: outbox.item(item.key)), self._on_item_read
        self._look = start_task(read, succeeded=succeeded, finished=self._on_look_ended)

    @slot
    def _on_held_read(self, item: Item) -> None:
        if not self.writing:
            self._on_held_changed(item)

    @slot
    def _on_look_ended(self) -> None:
        self._look = None

    @slot
    def _on_item_read(self, item: Item) -> None:
        self.item = item
        self.item_changed.emit()

    @slot
    def _on_unsent_read(self, unsent: tuple[Item, ...]) -> None:
        if self.overview is not None and unsent != self.overview.unsent:
            self.unsent_changed.emit()


def unless_decided(outbox: Outbox, key: str, decide: Callable[[str], Item]) -> Item:
    """Decide about what is held, unless somebody decided in the outbox window a moment ago."""
    item = outbox.item(key)
    return decide(key) if item.state is State.PARKED else item
