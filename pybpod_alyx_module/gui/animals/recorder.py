"""What a record dialog does without a widget: asks Alyx about the animal, puts a record into the outbox, follows it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

from AnyQt.QtCore import QObject, Signal

from pybpod_alyx_module.animals.overview import AnimalOverview, fetch_overview, unsent_items
from pybpod_alyx_module.gui.guard import slot
from pybpod_alyx_module.gui.running_outbox import running_outbox
from pybpod_alyx_module.gui.task import Task, start_task
from pybpod_alyx_module.outbox.items import Draft, State

if TYPE_CHECKING:
    from alyx_connector.progress import CancelToken
    from pybpod_alyx_module.animals.alyx_subject import AlyxSubject
    from pybpod_alyx_module.outbox.items import Item, Kind

#: How long Alyx has to answer about the animal, in seconds; one can type meanwhile.
DEADLINE_S: Final = 10.0

#: What the windows say of an item once it is in the outbox, by its state; see `state_sentence`.
STATE_SENTENCES: Final = {
    State.WAITING: "Kept on this computer; it is being sent.",
    State.SENDING: "Kept on this computer; it is being sent.",
    State.UNSURE: "Kept on this computer; the plugin is checking whether it arrived.",
    State.SENT: "It is on Alyx.",
    State.PARKED: "Kept on this computer, but it could not be sent: see Alyx outbox.",
    State.DISCARDED: "It was discarded in Alyx outbox.",
}


def state_sentence(item: Item) -> str:
    """Say what became of a recorded item, without the reason."""
    if item.state is State.WAITING and item.reason:
        return "Kept on this computer; not on Alyx yet."
    return STATE_SENTENCES[item.state]


@dataclass(frozen=True)
class Entry:
    """What was typed, checked."""

    kind: Kind
    values: dict[str, Any]
    #: What it is, for people: ``24.5 g``.
    what: str


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
    #: The outbox could not take it (the exception).
    not_recorded = Signal(object)
    #: The state of `item` is another one.
    item_changed = Signal()

    def __init__(self, animal: AlyxSubject, *, with_water_types: bool) -> None:
        super().__init__()
        self._animal = animal
        self._with_water_types = with_water_types
        self._outbox = running_outbox()
        #: What Alyx and the outbox said last; None before.
        self.overview: AnimalOverview | None = None
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
        """Ask Alyx about the animal."""
        outbox, animal, with_types = self._outbox, self._animal, self._with_water_types

        def work(_report: Any, cancel: CancelToken) -> AnimalOverview:
            return fetch_overview(outbox, animal, deadline_s=DEADLINE_S, cancel=cancel, water_types=with_types)

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
        draft = Draft(
            kind=entry.kind,
            server=self._animal.server,
            username=username,
            subject_id=self._animal.subject_id,
            subject_name=self._animal.name,
            values=entry.values,
        )
        self._write = start_task(self._outbox.add(draft), succeeded=self._on_recorded, failed=self._on_not_recorded)

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
        item, animal = self.item, self._animal
        if item is None:
            read, succeeded = self._outbox.read(lambda outbox: unsent_items(outbox, animal)), self._on_unsent_read
        else:
            read, succeeded = self._outbox.read(lambda outbox: outbox.item(item.key)), self._on_item_read
        self._look = start_task(read, succeeded=succeeded, finished=self._on_look_ended)

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
