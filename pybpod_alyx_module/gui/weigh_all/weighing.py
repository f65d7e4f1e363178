"""A weighing round without its widgets: asks Alyx, puts weights into the outbox, and follows what becomes of them."""

from __future__ import annotations

import datetime as dt
from functools import partial
from typing import TYPE_CHECKING, Any, Final

from AnyQt.QtCore import QObject, Signal

from alyx_connector.errors import LoginRequiredError
from alyx_connector.zones.lab_zones import last_zone
from pybpod_alyx_module.animals.alyx_access import nobody_logged_in
from pybpod_alyx_module.animals.overview import fetch_overview
from pybpod_alyx_module.animals.weigh_all.animals_of_project import animals_of_project
from pybpod_alyx_module.animals.weigh_all.round import Choice, Round
from pybpod_alyx_module.animals.weigh_all.seen_animals import SeenAnimals, fetch_seen_animals
from pybpod_alyx_module.animals.weight import note_of
from pybpod_alyx_module.animals.weight_plausibility import Weighed
from pybpod_alyx_module.errors import OutboxError
from pybpod_alyx_module.gui.animals.record_dialog import NOT_COMPARED
from pybpod_alyx_module.gui.animals.recorder import DEADLINE_S, unless_decided
from pybpod_alyx_module.gui.guard import slot
from pybpod_alyx_module.gui.messages import describe
from pybpod_alyx_module.gui.running_outbox import running_outbox
from pybpod_alyx_module.gui.task import Task, start_task
from pybpod_alyx_module.gui.weigh_all.outbox_line import OutboxLine
from pybpod_alyx_module.host.alyx_user import alyx_user
from pybpod_alyx_module.outbox.items import OPEN, Item, Kind, State, WaitsFor

if TYPE_CHECKING:
    from collections.abc import Callable
    from decimal import Decimal

    from alyx_connector.progress import CancelToken
    from pybpod_alyx_module.animals.overview import AnimalOverview
    from pybpod_alyx_module.animals.weigh_all.round_row import Record, RoundRow
    from pybpod_alyx_module.host.pybpod_objects import Project
    from pybpod_alyx_module.outbox.outbox import Outbox
    from pybpod_alyx_module.rig_settings import RigSettings


#: How old a weight that was sent may be and still be one of today, whatever the zones.
_COUNTED: Final = dt.timedelta(days=2)


class Weighing(QObject):
    """The round of a project's animals."""

    #: Rows came, went or are listed otherwise.
    rows_changed = Signal()
    #: Something of one animal is another (its row).
    row_changed = Signal(object)
    #: The record of a row is settled: it is in the outbox, or on its way there (its row).
    recorded = Signal(object)
    #: Something speaks against the record of a row: see its `sentences`.
    asks = Signal(object)
    #: A question about a row was answered elsewhere, or the record is gone (its row).
    settled = Signal(object)
    #: The outbox could not take the weight of a row (its row, the exception).
    not_recorded = Signal(object, object)
    #: Alyx answered or could not be asked.
    answered = Signal()

    def __init__(self, project: Project, settings: RigSettings, parent: QObject) -> None:
        super().__init__(parent)
        self._project, self._settings = project, settings
        self._running = running_outbox()
        self.round = Round(settings.weight_change_percent)
        self.line = OutboxLine()
        #: What each server said last.
        self.answers: dict[str, SeenAnimals] = {}
        #: Why animals of the project are not in the round, a sentence each.
        self.unusable: tuple[str, ...] = ()
        self._fetches: dict[str, Task] = {}
        self._alone: Task | None = None
        self._asked_alone: set[tuple[str, str]] = set()
        self._look: Task | None = None
        self._look_again = False
        self._items: dict[str, Item] = {}
        self._has_read = False
        self._is_over = False
        self._running.changed.connect(self.look)

    def set_animals(self) -> None:
        """Take the animals that the project has now."""
        if self._project.is_closed:
            return
        animals, self.unusable = animals_of_project(self._project, self._settings.sessions)
        labs = {(one.animal.server, one.animal.lab) for one in animals}
        before = [(row.key, row.name) for row in self.round.rows]
        self.round.set_animals(animals, {lab: last_zone(*lab) for lab in labs})
        if [(row.key, row.name) for row in self.round.rows] != before:
            self.round.take_items(self._items.values())
            self.rows_changed.emit()

    def choose(self, choice: Choice) -> None:
        """List the animals of a choice."""
        self.round.choose(choice)
        self.rows_changed.emit()

    def stop(self) -> None:
        """Ask nothing more; what is on its way into the outbox gets there."""
        self._is_over = True
        for task in (*self._fetches.values(), self._alone, self._look):
            if task is not None:
                task.cancel()
        self._running.changed.disconnect(self.look)

    # What Alyx says -----------------------------------------------------------------------------------------------

    @property
    def is_asking(self) -> bool:
        """Whether Alyx is being asked about all animals."""
        return bool(self._fetches)

    @property
    def compares(self) -> bool:
        """Whether weights wait to be compared with what Alyx says."""
        return any(row.record is not None and not row.record.compared for row in self.round.rows)

    def ask(self) -> None:
        """Ask Alyx about all animals, each server at the same time; what was asked before is dropped."""
        for task in self._fetches.values():
            task.cancel()
        self._fetches.clear()
        self._asked_alone.clear()
        of_server: dict[str, list[str]] = {}
        for row in self.round.rows:
            of_server.setdefault(row.animal.server, []).append(row.animal.subject_id)
        user, running = self._alyx_user(), self._running
        for server, ids in of_server.items():

            def work(_report: Any, cancel: CancelToken, server: str = server, ids: list[str] = ids) -> SeenAnimals:
                return fetch_seen_animals(running, server, user, set(ids), cancel=cancel)

            self._fetches[server] = start_task(
                Task(work, "alyx-weigh-all"),
                succeeded=self._on_seen,
                failed=partial(self._on_failed, server),
            )

    @slot
    def _on_seen(self, answer: SeenAnimals) -> None:
        self._fetches.pop(answer.server, None)
        self.answers[answer.server] = answer
        self.round.take_seen(answer)
        self.rows_changed.emit()
        self._compare(answer.server)
        self.answered.emit()

    @slot
    def _on_failed(self, server: str, error: BaseException) -> None:
        self._on_seen(SeenAnimals(server, "", problem=describe(error).text))

    def ask_alone(self, row: RoundRow) -> None:
        """Ask Alyx by what an animal is judged where its lists do not tell, once."""
        server = row.animal.server
        if not self.can_ask(server) or row.key in self._asked_alone or not row.is_to_be_asked:
            return
        if not self.answers[server].tells_limits:
            return
        self._asked_alone.add(row.key)
        animal, running = row.animal, self._running

        def work(_report: Any, cancel: CancelToken) -> AnimalOverview:
            return fetch_overview(running, animal, deadline_s=DEADLINE_S, cancel=cancel)

        self._alone = start_task(Task(work, "alyx-weigh-one"), succeeded=partial(self._on_alone, row))

    @slot
    def _on_alone(self, row: RoundRow, overview: AnimalOverview) -> None:
        requirement = overview.state.requirement
        if requirement is not None and requirement.today.is_water_restricted:
            row.asked = requirement
            self.row_changed.emit(row)

    def username(self, server: str) -> str:
        """Return as whom is recorded at a server, as far as it is known; empty where it is not."""
        answer = self.answers.get(server)
        return answer.username if answer is not None else self._alyx_user()

    def can_ask(self, server: str) -> bool:
        """Tell whether a server answered when it was asked last."""
        answer = self.answers.get(server)
        return answer is not None and not answer.problem

    def _alyx_user(self) -> str:
        return "" if self._project.is_closed else alyx_user(self._project)

    # Recording ----------------------------------------------------------------------------------------------------

    def record(self, row: RoundRow, grams: Decimal, *, correcting: str = "") -> None:
        """Put a weight into the outbox; held there where there is something to ask, or Alyx is still being asked.

        ``correcting``: key of the item that it corrects; empty for none.
        """
        before = row.record
        row.record = record = row.begin(grams)
        record.replaces = correcting
        row.typed, row.is_of_round = "", True
        record.compared = row.seen is not None or row.animal.server not in self._fetches
        if record.compared:
            record.sentences = self.round.concern_sentences(row, grams, correcting=correcting)
        self._put(row, record)
        if before is not None and not before.decided:  # typed anew while it was on its way, or compared
            before.decided = before.is_taken_back = True
            self._give_up(row, lambda: before.key)
        self.row_changed.emit(row)
        if record.sentences:
            self.asks.emit(row)
        else:
            self.recorded.emit(row)

    def _put(self, row: RoundRow, record: Record) -> None:
        running, animal, user = self._running, row.animal, self._alyx_user()
        held = " ".join(record.sentences) if record.compared else NOT_COMPARED

        def work(outbox: Outbox) -> Item:
            username = running.account_for(animal.server, user)
            if not username:
                raise LoginRequiredError(nobody_logged_in(animal.server), hint="")
            return outbox.add(record.draft(animal, username, held))

        self.line.put(work, partial(self._on_put, row, record), partial(self._on_not_put, row, record))

    @slot
    def _on_put(self, row: RoundRow, record: Record, item: Item) -> None:
        record.item = item
        if record.is_taken_back:
            row.dropped.add(item.key)
        if item.key in self._items:  # a look saw it before it was known to be this one
            self.round.take_items(self._items.values())
        if not record.decided and record.compared and not record.sentences:
            self._settle(row, record, item)

    @slot
    def _on_not_put(self, row: RoundRow, record: Record, error: BaseException) -> None:
        if row.record is record:
            row.record = None
            row.typed = row.typed or f"{record.grams:f}"
        self.not_recorded.emit(row, error)
        self.row_changed.emit(row)

    def _settle(self, row: RoundRow, record: Record, item: Item) -> None:
        if row.record is record:
            row.record = None
        self._items[item.key] = item
        if record.replaces:
            self._give_up(row, lambda: record.replaces)
        self.round.take_items(self._items.values())
        self._note(row, record)
        self.row_changed.emit(row)

    def _note(self, row: RoundRow, record: Record) -> None:
        # in the project's tree; an animal without a restriction has no mark there
        today = row.weight_today
        if self._project.is_closed or not row.restricted or today is None or today.grams != record.grams:
            return
        judged = row.judge(record.grams)
        level, text = (judged.level, judged.minimum_text) if judged is not None else (None, "")
        when: dt.datetime = today.when.replace(microsecond=0)
        note = note_of(Weighed(record.grams, when), level, text)
        for subject in self._project.subjects:
            if subject.is_alyx and subject.alyx["alyx_id"] == row.animal.subject_id:
                subject.alyx_note_weight(note)

    # Questions ----------------------------------------------------------------------------------------------------

    def _compare(self, server: str) -> None:
        for row in self.round.rows:
            record = row.record
            if record is None or record.compared or row.animal.server != server:
                continue
            record.compared = True
            record.sentences = self.round.concern_sentences(row, record.grams, correcting=record.replaces)
            if record.sentences:
                self._explain(record)
                self.asks.emit(row)
            else:
                self.decide(row, send=True)

    def _explain(self, record: Record) -> None:
        def work(outbox: Outbox) -> None:
            if record.item is not None:
                outbox.hold(record.item.key, " ".join(record.sentences))

        self.line.put(work, _nothing, _nothing)

    def decide(self, row: RoundRow, *, send: bool) -> None:
        """Send what is held of a row, or take it back."""
        record = row.record
        if record is None or record.decided:
            return
        record.decided, record.is_taken_back = True, not send

        def work(outbox: Outbox) -> Item | None:
            if record.item is None:  # it could not be put into the outbox
                return None
            return unless_decided(outbox, record.item.key, outbox.retry if send else outbox.discard)

        done, failed = partial(self._on_decided, row, record), partial(self._on_undecided, row, record)
        self.line.put(work, done, failed)

    @slot
    def _on_decided(self, row: RoundRow, record: Record, item: Item | None) -> None:
        if item is not None and item.state is not State.DISCARDED:
            self._settle(row, record, item)
            return
        if row.record is record:
            row.record = None
            self.row_changed.emit(row)
        self._on_given_up(row, item)

    @slot
    def _on_undecided(self, row: RoundRow, record: Record, error: BaseException) -> None:
        record.decided = record.is_taken_back = False
        self.not_recorded.emit(row, error)

    def _give_up(self, row: RoundRow, key_of: Callable[[], str]) -> None:
        # what a later weight replaces; it does not count any more, unless it is on Alyx
        row.dropped.add(key_of())

        def work(outbox: Outbox) -> Item | None:
            key = key_of()
            if not key:  # it could not be put into the outbox
                return None
            try:
                return outbox.discard(key)
            except OutboxError:  # it is being sent, or on Alyx
                return outbox.item(key)

        self.line.put(work, partial(self._on_given_up, row), _nothing)

    @slot
    def _on_given_up(self, row: RoundRow, item: Item | None) -> None:
        if item is not None:
            row.dropped.discard(item.key)
            self._take_items([item])

    # What becomes of them -------------------------------------------------------------------------------------------

    @slot
    def look(self) -> None:
        """Read what the outbox has: all of it the first time, later what may have changed."""
        if self._look is not None:
            self._look_again = True
            return
        self._look_again = False
        followed = [key for key, item in self._items.items() if item.state in OPEN]
        followed += [row.record.item.key for row in self.round.rows if row.record is not None and row.record.item]
        read_all = not self._has_read

        def read(outbox: Outbox) -> list[Item]:
            items = outbox.items() if read_all else outbox.items(OPEN)
            known = {item.key for item in items}
            return [*items, *(outbox.item(key) for key in followed if key not in known)]

        self._look = start_task(
            self._running.read(read, name="alyx-outbox-look"), succeeded=self._on_read, finished=self._on_look_ended
        )

    @slot
    def _on_read(self, items: list[Item]) -> None:
        self._has_read = True
        since = dt.datetime.now(dt.timezone.utc) - _COUNTED
        recent = (item for item in items if item.state in OPEN or item.created > since)
        self._take_items([item for item in recent if item.kind is Kind.WEIGHING])

    def _take_items(self, items: list[Item]) -> None:
        new = [item for item in items if self._items.get(item.key) != item]
        self._items.update((item.key, item) for item in new)
        if new:
            self.round.take_items(self._items.values())
            self.rows_changed.emit()
        by_key = {item.key: item for item in items}
        for row in self.round.rows:
            record = row.record
            held = by_key.get(record.item.key) if record is not None and record.item is not None else None
            if record is None or held is None or record.decided:
                continue
            if held.state is not State.PARKED or held.waits_for is WaitsFor.USER:
                record.decided = True  # in the outbox window
                self._on_decided(row, record, held)
                self.settled.emit(row)

    @slot
    def _on_look_ended(self) -> None:
        self._look = None
        if self._look_again and not self._is_over:
            self.look()


@slot
def _nothing(_outcome: object) -> None:
    # what came of it is seen by the next look
    pass
