"""The window *Weigh all…*: the animals of a project, weighed one after the other with (value, Enter)."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from AnyQt.QtCore import QEvent, Qt, QTimer
from AnyQt.QtGui import QKeySequence
from AnyQt.QtWidgets import QApplication, QHBoxLayout, QLineEdit, QPushButton, QSplitter, QVBoxLayout, QWidget

from pybpod_alyx_module.animals.alyx_subject import server_name
from pybpod_alyx_module.animals.weigh_all.round import Choice
from pybpod_alyx_module.errors import OutboxError
from pybpod_alyx_module.gui.animals.weight_dialog import SETTINGS
from pybpod_alyx_module.gui.guard import override, show_error, slot
from pybpod_alyx_module.gui.running_outbox import running_outbox
from pybpod_alyx_module.gui.show_in_front import show_in_front
from pybpod_alyx_module.gui.sync.log_in_dialog import ask_to_log_in
from pybpod_alyx_module.gui.sync.project_login import record_as
from pybpod_alyx_module.gui.weigh_all.animal_panel import AnimalPanel
from pybpod_alyx_module.gui.weigh_all.curve import Curve
from pybpod_alyx_module.gui.weigh_all.in_front import InFront
from pybpod_alyx_module.gui.weigh_all.round_table import RoundModel, RoundTable
from pybpod_alyx_module.gui.weigh_all.weighing import Weighing
from pybpod_alyx_module.gui.widgets import BigLabel, CalmComboBox, button_row, plain_label
from pybpod_alyx_module.gui.windows import AlyxWindow, main_window_of, press_focused, resize_to_screen
from pybpod_alyx_module.gui.words import short_name, without_long_words
from pybpod_alyx_module.outbox.drafts import HELD_HINT
from pybpod_alyx_module.read_settings import read_rig_settings

if TYPE_CHECKING:
    from AnyQt.QtGui import QCloseEvent, QKeyEvent, QResizeEvent

    from pybpod_alyx_module.animals.weigh_all.round_row import RoundRow
    from pybpod_alyx_module.host.pybpod_objects import Project

#: Label of the menu entry.
WEIGH_ALL: Final = "Weigh all…"

#: What is said where Alyx could not be asked.
WITHOUT_ALYX: Final = (
    "Weigh all the same: weights are kept on this computer and sent later. The last weights are those that the project "
    "knows."
)
#: What is said where there is nobody to weigh.
NOBODY: Final = (
    "This PyBpod project has no living Alyx animals. Right-click the project, choose Sync to Alyx and get the subjects."
)
_ASKING: Final = "Asking Alyx who was weighed today… You can weigh meanwhile."
#: How high the window must be, in pixels, for the curve to leave the table enough.
_ENOUGH_FOR_CURVE: Final = 600
#: How many animals a sentence names.
_NAMED: Final = 5


class WeighAllWindow(AlyxWindow):
    """Weighs the animals of a project.

    ``project``: the PyBpod project; it keeps the window as ``alyx_weigh_window``.
    """

    def __init__(self, project: Project, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.project = project
        self.setAttribute(Qt.WA_DeleteOnClose)
        self.setWindowTitle("Weigh all")
        #: Shows once what changed several times.
        self._soon = QTimer(self, singleShot=True, interval=0)
        self._soon.timeout.connect(self._on_soon)
        resize_to_screen(self, 1330, 676)
        settings = read_rig_settings()
        self._wrong = [one.text for one in settings.problems if one.setting.startswith(SETTINGS)]
        self._closed = self._close_when_kept = self._may_lose = False
        self.weighing = Weighing(project, settings, self)
        self.user = BigLabel(points=4)
        self.count = BigLabel(points=4)
        self.log_in_button = QPushButton("&Log in as …")
        self.choice = CalmComboBox()
        self.choice.addItems([choice.value for choice in Choice])
        self.search = QLineEdit()
        self.search.setPlaceholderText("Find an animal (Ctrl+F), then Enter")
        self.search.setClearButtonEnabled(True)
        self.rows = RoundModel()
        self.table = RoundTable(self.rows)
        self.panel = AnimalPanel(settings.scale, self._on_anyway, self._on_back)
        self.question = self.panel.question
        self.in_front = InFront(self.weighing, self.panel, self.rows, self.table)
        self.curve = Curve()
        self.message = plain_label()
        self.again_button = QPushButton("Ask Alyx &again")
        self.close_button = QPushButton("&Close")
        self._lay_out()
        self.log_in_button.clicked.connect(self._on_log_in)
        self.again_button.clicked.connect(self.ask_again)
        self.close_button.clicked.connect(self.close)
        self.choice.activated.connect(self._on_choice)
        self.search.textChanged.connect(self.rows.search)
        self.in_front.changed.connect(self._soon.start)
        self.in_front.asked.connect(self._on_asked)
        self.weighing.answered.connect(self._on_answered)
        self.weighing.line.ended.connect(self._on_kept)
        running_outbox().users_changed.connect(self._on_users_changed)
        self.panel.weight.start()

    def _lay_out(self) -> None:
        top = QHBoxLayout()
        top.addWidget(self.user, 1)
        top.addWidget(self.log_in_button)
        narrow = QHBoxLayout()
        narrow.addWidget(self.choice)
        narrow.addWidget(self.search, 1)
        left = QWidget()
        column = QVBoxLayout(left)
        column.setContentsMargins(0, 0, 0, 0)
        column.addLayout(narrow)
        column.addWidget(self.table, 1)
        column.addWidget(self.count)
        column.addWidget(self.curve)
        halves = QSplitter()
        halves.setChildrenCollapsible(False)
        halves.addWidget(left)
        halves.addWidget(self.panel)
        halves.setStretchFactor(0, 3)
        halves.setStretchFactor(1, 2)
        halves.setSizes([840, 470])
        whole = QVBoxLayout(self)
        whole.addLayout(top)
        whole.addWidget(halves, 1)
        whole.addWidget(self.message)
        whole.addLayout(button_row(self.close_button, left=self.again_button))

    @property
    def current(self) -> RoundRow | None:
        """The animal in front; None where all are weighed."""
        return self.in_front.current

    def begin(self) -> None:
        """Show the window, and ask what the outbox and Alyx know of today."""
        self.panel.weight.start()
        show_in_front(self)
        self.panel.weight.edit.setFocus()
        self.weighing.set_animals()
        self.weighing.look()
        self.ask_again()

    @slot
    def ask_again(self) -> None:
        """Ask Alyx about all animals."""
        self.weighing.ask()
        self._soon.start()

    @slot
    def _on_choice(self) -> None:
        self.weighing.choose(list(Choice)[self.choice.currentIndex()])
        self.in_front.begin_again()
        self.panel.weight.edit.setFocus()

    # What is said -------------------------------------------------------------------------------------------------

    @property
    def _server(self) -> str:
        if self.current is not None:
            return self.current.animal.server
        return next(iter(self.weighing.answers), "")

    @slot
    def _on_soon(self) -> None:
        weighing, server = self.weighing, self._server
        username = weighing.username(server)
        who = f"as {username} " if username else ""
        self.user.say(f"{who}at {server_name(server)}" if server else "Weigh all")
        self.log_in_button.setEnabled(bool(server))
        self.count.say(f"{weighing.round.weighed} of {len(weighing.round.listed)} weighed today")
        answers = weighing.answers.values()
        lines = [*self._wrong, *weighing.unusable]
        if weighing.is_asking:
            lines.append(_ASKING)
        elif not weighing.round.rows:
            lines.append(NOBODY)
        for answer in answers:
            if answer.problem:  # without a user nothing can be recorded
                lines.append(f"{answer.problem} {WITHOUT_ALYX}" if answer.username else answer.problem)
        lines += [note for answer in answers for note in answer.notes]
        self.message.setText(without_long_words("\n".join(lines)))
        self.message.setVisible(bool(lines))
        self.again_button.setEnabled(not weighing.is_asking)
        has_room = self.height() >= _ENOUGH_FOR_CURVE
        self.curve.show_row(self.current if has_room else None, can_ask=weighing.can_ask(server))
        if self.current is None and self.focusWidget() is None:
            self.search.setFocus()

    @slot
    def _on_users_changed(self) -> None:
        if not self._closed:
            self.weighing.answers.clear()
            self.ask_again()

    @slot
    def _on_log_in(self) -> None:
        why = "From then on you record: these animals, and whatever else is recorded in this project."
        ask_to_log_in(self._server, why, self._on_logged_in, parent=self)

    @slot
    def _on_logged_in(self, username: str) -> None:
        if self.project.is_closed:
            running_outbox().claim(self._server, username)
        else:
            record_as(self.project, self._server, username)

    # Questions ----------------------------------------------------------------------------------------------------

    @slot
    def _on_asked(self) -> None:
        if not self.isVisible():  # closed while it was compared
            self._close_when_kept = False
            self.panel.weight.start()
            show_in_front(self)

    @slot
    def _on_anyway(self) -> None:
        if self.in_front.questioned is not None:
            self.in_front.go_ahead()
        else:
            self._may_lose = True  # what was typed was asked about
            self.panel.end_question()
            self.close()

    @slot
    def _on_back(self) -> None:
        if self.in_front.questioned is not None:
            self.in_front.go_back()
        else:
            self.panel.end_question()
            self.panel.weight.edit.setFocus()
        self.in_front.ask_next()

    @override
    def resizeEvent(self, event: QResizeEvent) -> None:  # noqa: N802 - Qt's name
        """Leave the curve out where the window is low."""
        super().resizeEvent(event)
        self._soon.start()

    # Keys ---------------------------------------------------------------------------------------------------------

    @override
    def event(self, event: QEvent) -> bool:
        """Look again who is in the project when somebody comes back to the window."""
        if event.type() == QEvent.WindowActivate and not self._closed:
            self.in_front.set_animals()
        return bool(super().event(event))

    @override
    def keyPressEvent(self, event: QKeyEvent) -> None:  # noqa: N802 - Qt's name
        """Enter does what is next, Down and Up go on and back, R records all the same, Escape goes back or closes."""
        key, asks = event.key(), self.in_front.is_asking
        if key in (Qt.Key_Return, Qt.Key_Enter):
            self._on_enter()
        elif asks and key == Qt.Key_Escape:
            self._on_back()
        elif asks and key == Qt.Key_R and self.in_front.questioned is not None:
            self._on_anyway()
        elif key == Qt.Key_Escape and self.search.text():
            self.search.clear()
            self.panel.weight.edit.setFocus()
        elif key in (Qt.Key_Down, Qt.Key_PageDown, Qt.Key_Up, Qt.Key_PageUp):
            self.in_front.walk(1 if key in (Qt.Key_Down, Qt.Key_PageDown) else -1)
        elif key == Qt.Key_F2:
            self.in_front.correct_last()
        elif event.matches(QKeySequence.Find):
            self.search.setFocus()
            self.search.selectAll()
        else:
            super().keyPressEvent(event)

    def _on_enter(self) -> None:
        if press_focused(self):
            return
        if self.in_front.is_asking:
            self.panel.question.back_button.setFocus()
        elif self.search.hasFocus():
            if self.rows.rows and self.search.text().strip():
                row = self.rows.rows[0]
                self.search.clear()
                self.in_front.choose(row)
        elif self.choice.hasFocus():
            self.panel.weight.edit.setFocus()
        else:
            self.in_front.record()

    # Closing ------------------------------------------------------------------------------------------------------

    @property
    def unrecorded(self) -> str:
        """What was typed and not recorded, for people; empty if nothing was."""
        typed = [row.name for row in self.weighing.round.rows if row.typed]
        if self.current is not None and self.in_front.typed:
            typed.append(self.current.name)
        if not typed or self._closed:
            return ""
        typed = [short_name(name) for name in typed]
        more = [f"{len(typed) - _NAMED} more"] if len(typed) > _NAMED else []
        return f"what you typed for {', '.join([*typed[:_NAMED], *more])}"

    @override
    def closeEvent(self, event: QCloseEvent) -> None:  # noqa: N802 - Qt's name
        """Close; what was typed is asked about, and what is on its way or being compared goes on unseen."""
        if not self._closed:
            if not self._may_close():
                event.ignore()
                return
            self._closed = True
            self.panel.weight.stop()
            self.curve.stop()
            self.weighing.stop()
            if self.project.alyx_weigh_window is self:
                self.project.alyx_weigh_window = None
        super().closeEvent(event)

    def _may_close(self) -> bool:
        if QApplication.instance().isSavingSession():
            return True
        if self.unrecorded and not self._may_lose:
            if not self.in_front.is_asking:  # a second click on Close is no answer
                show_in_front(self)
                what = f"{self.unrecorded[:1].upper()}{self.unrecorded[1:]}"
                self.panel.ask_before_closing(f"{what} has not been recorded.")
            return False
        if self.weighing.line.is_busy or self.weighing.compares:
            self._close_when_kept = True
            self.panel.weight.stop()
            self.hide()
            return False
        held = [row for row in self.weighing.round.rows if row.record is not None and row.record.sentences]
        for row in held:
            said = " ".join(row.record.sentences) if row.record is not None else ""
            show_error(OutboxError(f"The weight of {row.name} has not been sent. {said}", hint=HELD_HINT))
        return True

    @slot
    def _on_answered(self) -> None:
        self._soon.start()
        self._on_kept()

    @slot
    def _on_kept(self) -> None:
        if self._close_when_kept and not self.weighing.line.is_busy and not self.weighing.compares:
            self._close_when_kept = False
            if not self.in_front.waits_for_answer:
                self.close()


def open_weigh_all(project: Project) -> WeighAllWindow:
    """Show the window in which the animals of a project are weighed; it begins with the first not weighed today."""
    window = project.alyx_weigh_window
    if window is None:
        window = WeighAllWindow(project, main_window_of(project))
        project.alyx_weigh_window = window
    window.begin()
    return window
