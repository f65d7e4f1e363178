"""The window *Alyx details* of a subject: how it is now, its last weeks, and what the project knows of it."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING, Any, Final

from AnyQt.QtCore import QTimer
from AnyQt.QtWidgets import QApplication, QHBoxLayout, QPushButton, QTabWidget, QVBoxLayout, QWidget

from alyx_connector.errors import AlyxError
from pybpod_alyx_module.animals.alyx_subject import AlyxSubject, alyx_subject_of
from pybpod_alyx_module.animals.history.animal_now import animal_now
from pybpod_alyx_module.animals.weight import read_note
from pybpod_alyx_module.gui.alyx_page import OPEN_IN_ALYX, SUBJECT_PAGE, open_on_alyx
from pybpod_alyx_module.gui.guard import override, slot
from pybpod_alyx_module.gui.history.card_words import facts_of, note_lines, shown_meanwhile
from pybpod_alyx_module.gui.history.days_page import DaysPage
from pybpod_alyx_module.gui.history.looker import Looker
from pybpod_alyx_module.gui.history.record_page import RecordPage
from pybpod_alyx_module.gui.history.sessions_page import SessionsPage
from pybpod_alyx_module.gui.history.state_card import StateCard
from pybpod_alyx_module.gui.history.weeks_page import WeeksPage
from pybpod_alyx_module.gui.show_in_front import show_in_front
from pybpod_alyx_module.gui.widgets import plain_label
from pybpod_alyx_module.gui.windows import AlyxWindow, main_window_of, resize_to_screen, urgent_colour
from pybpod_alyx_module.sync.details import LAST_WEIGHT

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from AnyQt.QtGui import QCloseEvent, QHideEvent, QShowEvent

    from pybpod_alyx_module.host.pybpod_objects import Subject

#: The shown ages are refreshed this often, in milliseconds.
AGE_INTERVAL_MS: Final = 60_000

#: Pixels of the window below which what is least needed is left out.
LOW: Final = 560


class DetailsWindow(AlyxWindow):
    """Shows how an Alyx subject is, and records its weight and water.

    ``subject``: the PyBpod subject: ``name``, ``alyx`` (its record, None for a subject that is not linked),
    ``project``, ``alyx_jobs``.
    """

    def __init__(self, subject: Subject, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.subject = subject
        resize_to_screen(self, 900, 640)
        self.looker = Looker(subject, self)
        self.card = StateCard(low=self.height() < LOW)
        self.problem, self.notes = plain_label(), plain_label()
        self.problem.setStyleSheet(f"color: {urgent_colour()}")
        self.weeks, self.days = WeeksPage(), DaysPage()
        self.sessions, self.record = SessionsPage(self.looker), RecordPage()
        self.tabs = QTabWidget()
        pages = ((self.weeks, "&Weight and water"), (self.days, "&Days"), (self.sessions, "&Sessions"))
        for page, title in (*pages, (self.record, "R&ecord")):
            self.tabs.addTab(page, title)
        self.refresh_button = QPushButton("Re&fresh")
        self.refresh_button.setToolTip("Ask Alyx again")
        self.refresh_button.clicked.connect(self.looker.ask)
        self.close_button = QPushButton("&Close")
        self.close_button.clicked.connect(self.close)
        #: What can be done with the animal from here: the button by what it says.
        self.job_buttons: dict[str, QPushButton] = {}
        row = QHBoxLayout()
        for name, job in (*subject.alyx_jobs, (OPEN_IN_ALYX, self._on_open_in_alyx)):
            button = self.job_buttons[name] = QPushButton(f"&{name}")
            button.clicked.connect(partial(self._on_job, job))
            row.addWidget(button)
        row.addStretch(1)
        row.addWidget(self.refresh_button)
        row.addWidget(self.close_button)
        column = QVBoxLayout(self)
        column.addWidget(self.card)
        column.addWidget(self.problem)
        column.addWidget(self.notes)
        column.addWidget(self.tabs, 1)
        column.addLayout(row)
        self.looker.looked.connect(self._on_looked)
        self.looker.asking_changed.connect(self._show_notes)
        self._clock = QTimer(self, interval=AGE_INTERVAL_MS)
        self._clock.timeout.connect(self._on_clock)
        self._on_looked()

    @slot
    def refresh(self) -> None:
        """Show the subject as the project has it now."""
        record = self.subject.alyx or {}
        self.setWindowTitle(f"Alyx details – {self.subject.name}")  # noqa: RUF001 - a dash is meant
        for button in self.job_buttons.values():
            button.setEnabled(bool(record) and self._is_in_project())
        self.record.show_record(record, self._state(record))
        self._show_notes()

    @slot
    def _on_looked(self) -> None:
        look = self.looker.look
        history = look.history if look is not None else None
        now = animal_now(history, look.unsent) if look is not None and history is not None else None
        self._now = now
        self.card.show_facts(facts_of(history, now, len(look.unsent) if look is not None else 0))
        self.weeks.show_history(history, now.unsent_weights if now is not None else ())
        self.days.show_history(history)
        self.sessions.show_history(history)
        self._show_notes()

    @slot
    def _show_notes(self) -> None:
        looker, look = self.looker, self.looker.look
        problem = looker.problem or (look.problem if look is not None else "")
        lines: tuple[str, ...] = ()
        if looker.is_asking:
            problem, lines = "", ("Asking Alyx…", *shown_meanwhile(look))
        elif look is not None and not looker.problem:
            lines = note_lines(self._animal(), look, self._now, self._known_weight())
        self.problem.setText(problem)
        self.problem.setVisible(bool(problem))
        self.notes.setText("\n".join(lines))
        self.notes.setVisible(bool(lines))
        self.refresh_button.setEnabled(not looker.is_asking)

    def _animal(self) -> AlyxSubject | None:
        try:
            return alyx_subject_of(self.subject)
        except AlyxError:  # its file names no server, or no valid id: the looker says so
            return None

    def _known_weight(self) -> str:
        note = read_note((self.subject.alyx or {}).get(LAST_WEIGHT))
        return "" if note is None else f"Last weight: {note.text}"

    def _state(self, record: Mapping[str, Any]) -> str:
        if not self._is_in_project():
            return "no longer in this PyBpod project"
        if not record:
            return "not linked to Alyx"
        if record.get("alive") is False:
            return f"not alive on Alyx (death date {record.get('death_date') or 'not given'})"
        return ""

    def _is_in_project(self) -> bool:
        return self.subject in self.subject.project.subjects

    @slot
    def _on_job(self, job: Callable[[], None], _checked: bool = False) -> None:
        job()

    @slot
    def _on_open_in_alyx(self) -> None:
        record = self.subject.alyx or {}
        open_on_alyx(str(record.get("alyx_server")), SUBJECT_PAGE, record.get("alyx_id"))

    @slot
    def _on_clock(self) -> None:
        if not self.record.is_selected:
            self.refresh()
        if self.looker.is_stale:
            self.looker.ask()

    @override
    def showEvent(self, event: QShowEvent) -> None:  # noqa: N802 - Qt's name
        """Show current values whenever the window comes up."""
        super().showEvent(event)
        self.refresh()
        self._clock.start()

    @override
    def closeEvent(self, event: QCloseEvent) -> None:  # noqa: N802 - Qt's name
        """End the window; the subject gets a new one when it is asked for again."""
        super().closeEvent(event)
        self.looker.stop()
        if self.subject.alyx_details_window is self:
            self.subject.alyx_details_window = None
        self.deleteLater()

    @override
    def hideEvent(self, event: QHideEvent) -> None:  # noqa: N802 - Qt's name
        """Let the clock rest while nobody looks."""
        super().hideEvent(event)
        self._clock.stop()


def open_details_window(subject: Subject) -> DetailsWindow:
    """Show the details of a subject as they are now: in its window where there is one already, else in a new one.

    ``subject``: the PyBpod subject; it keeps the open window as ``alyx_details_window``.
    """
    window: DetailsWindow | None = subject.alyx_details_window
    if window is None:
        window = DetailsWindow(subject, main_window_of(subject))
        subject.alyx_details_window = window
    window.refresh()
    show_in_front(window)
    window.looker.ask()
    return window


def refresh_details_windows() -> None:
    """Bring every open details window up to date; called after a sync."""
    for window in QApplication.topLevelWidgets():
        if isinstance(window, DetailsWindow) and window.isVisible():
            window.refresh()
