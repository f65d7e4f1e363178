"""The dialog *Move to another animal*: a session that is on Alyx for the wrong animal, with its water and weights."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

from AnyQt.QtCore import Qt
from AnyQt.QtWidgets import QDialog, QListWidget, QListWidgetItem, QPushButton, QVBoxLayout, QWidget

from alyx_connector.errors import AlyxError
from pybpod_alyx_module.gui.guard import slot
from pybpod_alyx_module.gui.messages import describe
from pybpod_alyx_module.gui.running_outbox import running_outbox
from pybpod_alyx_module.gui.sessions.choose_animal import ChooseAnimalDialog
from pybpod_alyx_module.gui.show_in_front import show_in_front
from pybpod_alyx_module.gui.task import Task, start_task
from pybpod_alyx_module.gui.widgets import BigLabel, button_row, plain_label
from pybpod_alyx_module.gui.windows import FOCUS_STYLE, main_window_of, resize_to_screen
from pybpod_alyx_module.outbox.alyx_records import record_id
from pybpod_alyx_module.outbox.items import OPEN, Kind
from pybpod_alyx_module.outbox.words import time_words, value_words
from pybpod_alyx_module.read_settings import read_rig_settings
from pybpod_alyx_module.remedies import explain
from pybpod_alyx_module.sessions.prepared_session import prepare_session
from pybpod_alyx_module.sessions.pybpod_session import csv_of, read_pybpod_session
from pybpod_alyx_module.sessions.register import MoveRequest, move_session, waters_of, weighings_of, why_not_given
from pybpod_alyx_module.sync.servers import same_server

if TYPE_CHECKING:
    from collections.abc import Sequence

    from alyx_connector.progress import CancelToken, Report
    from pybpod_alyx_module.outbox.items import Item
    from pybpod_alyx_module.sessions.earlier_registration import EarlierRegistration
    from pybpod_alyx_module.sessions.on_rig import LinkedSubject
    from pybpod_alyx_module.sessions.prepared_session import Choice, PreparedSession
    from pybpod_alyx_module.sessions.register import RegistrationResult

NOT_REGISTERED: Final = "The session is not registered for one animal, so it cannot be moved."
STORED: Final = "Stored on this computer."


@dataclass(frozen=True)
class Offer:
    """What can be moved."""

    prepared: PreparedSession
    #: The animal that has the session on Alyx, or that it waits to be sent for; None where that is not known.
    choice: Choice | None
    #: The water of the session: ids on Alyx, or keys in the outbox where the session waits there.
    waters: tuple[str, ...] = ()
    #: Weighings of that day that this computer recorded for that animal, and that can go with it.
    weighings: tuple[Item, ...] = ()
    #: What could not be looked up on Alyx, and why; empty if nothing.
    note: str = ""


class MoveDialog(QDialog):
    """Asks which animal it was and which weights were its, too; nothing is chosen at the start."""

    def __init__(self, session: Any, parent: QWidget | None = None) -> None:
        super().__init__(parent, Qt.Window)
        self.session = session
        self.setWindowTitle(f"Move to another animal – {session.name}")  # noqa: RUF001 - a dash is meant
        self.setAttribute(Qt.WA_DeleteOnClose)
        self.setStyleSheet(FOCUS_STYLE)
        self._offer: Offer | None = None
        self._animal: LinkedSubject | None = None
        self._task: Task | None = None
        self._failure = ""
        self.animals = BigLabel(points=8)
        self.facts = plain_label()
        self.weights_label = plain_label("Tick the weights of that day that were the other animal's, too:")
        self.weights = QListWidget()
        self.status = plain_label()
        self.choose_button, self.cancel_button, self.move_button = (
            QPushButton(text) for text in ("&Which animal was it…", "Cancel", "&Move")
        )
        column = QVBoxLayout(self)
        for widget in (self.animals, self.facts, self.weights_label, self.weights, self.status):
            column.addWidget(widget)
        column.addLayout(button_row(self.cancel_button, self.move_button, left=self.choose_button))
        resize_to_screen(self, 560, 360)
        self.choose_button.clicked.connect(self._on_choose)
        self.cancel_button.clicked.connect(self.close)
        self.move_button.clicked.connect(self._on_move)
        self.finished.connect(self._end)
        self._read()
        self._refresh()

    @property
    def busy(self) -> bool:
        """Whether it reads, asks Alyx or writes."""
        return self._task is not None and not self._task.settled

    def _read(self) -> None:
        recorded, outbox = read_pybpod_session(self.session), running_outbox()

        def work(report: Report, cancel: CancelToken) -> Offer:
            del report
            opened = outbox.open()
            prepared = prepare_session(recorded, opened, outbox.account_for)
            found = [one for one in prepared.choices if one.earlier is not None]
            if len(found) != 1:
                return Offer(prepared, None)
            (choice,) = found
            items, earlier = opened.items(subject=choice.subject.alyx_id), choice.earlier
            day = prepared.file.started.date().isoformat()
            weighings = weighings_of(items, choice, day)
            if earlier is None or earlier.session_id is None:
                return Offer(prepared, choice, _with_it(items, earlier), weighings)
            waters, note = waters_of(items, earlier.item), ""
            try:
                chosen = f"session__pk,{earlier.session_id},subject__pk,{choice.subject.alyx_id}"
                client = outbox.client(choice.server, choice.username)
                rows = client.list("water-administrations", {"django": chosen}, cancel=cancel)
                waters = tuple(record for record in map(record_id, rows) if record)
            except AlyxError as error:
                note = f"Only water that this computer recorded goes with it. {explain(error)}"
            return Offer(prepared, choice, waters, weighings, note)

        self._start(Task(work, "alyx-move-read"), self._on_offer)

    def _start(self, task: Task, succeeded: Any) -> None:
        self._task = task
        start_task(task, succeeded=succeeded, failed=self._on_failed, finished=self._refresh)

    @slot
    def _on_offer(self, offer: Offer) -> None:
        self._offer = offer
        self.weights.clear()
        for item in offer.weighings:
            row = QListWidgetItem(f"{value_words(item)}, {time_words(item)}")
            row.setFlags(Qt.ItemIsEnabled | Qt.ItemIsSelectable | Qt.ItemIsUserCheckable)
            row.setCheckState(Qt.Unchecked)
            self.weights.addItem(row)
        self._refresh()

    @slot
    def _on_choose(self) -> None:
        if self._offer is not None:
            question = ChooseAnimalDialog(self._offer.prepared, self)
            question.answered.connect(self._on_animal)
            question.open()

    @slot
    def _on_animal(self, animal: LinkedSubject | None) -> None:
        self._animal = animal or self._animal
        self._refresh()

    @slot
    def _refresh(self) -> None:
        offer, choice = self._offer, self._offer.choice if self._offer is not None else None
        old = choice.animal.nickname if choice is not None else "…"
        self.animals.say(f"{old} → {self._animal.name if self._animal is not None else '?'}")
        if offer is not None:
            count = len(offer.waters)
            water = {0: "It has no water.", 1: "Its water goes with it."}.get(count, f"Its {count} waters go with it.")
            file = offer.prepared.file
            started = f"{file.started:%Y-%m-%d %H:%M:%S} (the rig's clock)"
            self.facts.setText(f"{file.protocol} · {started} · {file.n_trials} trials\n{water} {offer.note}".rstrip())
        has_weights = self.weights.count() > 0
        self.weights.setVisible(has_weights)
        self.weights_label.setVisible(has_weights)
        problem = self._problem()
        self.status.setText(self._failure or problem)
        self.choose_button.setEnabled(choice is not None and not self.busy)
        self.move_button.setEnabled(not self.busy and not problem)

    def _problem(self) -> str:
        # why it cannot be moved yet; empty if it can
        offer, animal = self._offer, self._animal
        if offer is None:
            return "" if self._failure else "Asking Alyx…"
        if offer.choice is None:
            return NOT_REGISTERED
        old, earlier = offer.choice, offer.choice.earlier
        waits = earlier is not None and earlier.session_id is None
        if waits and earlier is not None and (reason := why_not_given(earlier)):
            return reason
        where = "In the Alyx outbox" if waits else "On Alyx"
        if animal is None:
            return f"{where} the session is of {old.animal.nickname}. Say which animal it was."
        if animal.alyx_id == old.subject.alyx_id:
            return f"{where} the session is of {animal.name} already."
        if not same_server(animal.server, old.server):
            return f"{animal.name} is on another server than the session."
        if read_rig_settings().sessions.is_test_subject(animal.name):
            return f"{animal.name} is a test subject (ALYX_PLUGIN_TEST_SUBJECTS): nothing about it is sent to Alyx."
        return ""

    @slot
    def _on_move(self) -> None:
        offer, animal = self._offer, self._animal
        if offer is None or offer.choice is None or animal is None or not self.move_button.isEnabled():
            return
        ticked = [self.weights.item(row).checkState() == Qt.Checked for row in range(self.weights.count())]
        weighings = tuple(item for item, is_ticked in zip(offer.weighings, ticked, strict=True) if is_ticked)
        folder = csv_of(self.session).parent
        request = MoveRequest(offer.choice, animal, offer.waters, weighings, offer.prepared, folder)
        self._failure = ""
        writing = running_outbox().read(lambda outbox: move_session(request, outbox), name="alyx-move-session")
        writing.succeeded.connect(self.session.alyx_registered)  # also where this dialog is closed meanwhile
        self._start(writing, self._on_moved)
        self._refresh()

    @slot
    def _on_moved(self, result: RegistrationResult) -> None:
        if not result.notes:
            self.close()
            return
        self._offer, self._failure = None, f"{STORED} {' '.join(result.notes)}"

    @slot
    def _on_failed(self, error: BaseException) -> None:
        self._failure = describe(error).text

    @slot
    def _end(self) -> None:
        # what was written down already stays
        if self._task is not None and self._offer is None:
            self._task.cancel()
        if self.session.alyx_move_dialog is self:
            self.session.alyx_move_dialog = None


def _with_it(items: Sequence[Item], earlier: EarlierRegistration | None) -> tuple[str, ...]:
    # the water that waits with a session
    return tuple(
        item.key
        for item in items
        if earlier is not None and item.kind is Kind.WATER and item.follows == earlier.key and item.state in OPEN
    )


def open_move_dialog(session: Any) -> MoveDialog:
    """Show the dialog of a session: the one that is open, else a new one."""
    dialog = session.alyx_move_dialog
    if dialog is None:
        dialog = session.alyx_move_dialog = MoveDialog(session, main_window_of(session))
    show_in_front(dialog)
    return dialog
