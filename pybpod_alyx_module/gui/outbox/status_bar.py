"""The Alyx outbox in PyBpod's main window: how much waits, and a question before PyBpod closes."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from AnyQt.QtCore import QObject, Qt
from AnyQt.QtWidgets import QApplication, QDialogButtonBox, QMainWindow, QToolButton, QVBoxLayout

from pybpod_alyx_module.gui.guard import slot
from pybpod_alyx_module.gui.outbox.window import open_outbox_window
from pybpod_alyx_module.gui.running_outbox import stop_outbox
from pybpod_alyx_module.gui.show_in_front import show_in_front
from pybpod_alyx_module.gui.sync.questions.question import Question
from pybpod_alyx_module.gui.sync.who_question import WhoQuestion
from pybpod_alyx_module.gui.widgets import plain_label
from pybpod_alyx_module.gui.windows import OpenWindow, resize_to_screen, unrecorded, urgent_colour
from pybpod_alyx_module.gui.words import plain_tip
from pybpod_alyx_module.outbox.words import count_words

if TYPE_CHECKING:
    from collections.abc import Callable

    from AnyQt.QtWidgets import QWidget

    from pybpod_alyx_module.gui.outlook import Outlook
    from pybpod_alyx_module.gui.running_outbox import RunningOutbox

LABEL: Final = "Alyx outbox"


class StatusButton(QToolButton):
    """Shows how much waits to be sent; hidden where nothing does."""

    def __init__(self) -> None:
        super().__init__()
        self.setAutoRaise(True)
        self.setToolButtonStyle(Qt.ToolButtonTextOnly)
        self.setFocusPolicy(Qt.TabFocus)
        self.hide()
        self.clicked.connect(self._on_clicked)

    def show_outbox(self, running: RunningOutbox) -> None:
        """Show how much waits in the outbox."""
        outlook = running.outlook
        words = count_words(outlook.counts.open - outlook.needing, outlook.needing)
        trouble = "a problem" if outlook.problem or outlook.notes else ""
        text = ", ".join(part for part in (words, trouble) if part)
        urgent = bool(outlook.needing or trouble)
        self.setText(f"{LABEL}: {text}")
        self.setStyleSheet(f"QToolButton {{ color: {urgent_colour()}; font-weight: bold }}" if urgent else "")
        told = "\n".join([*outlook.notes, outlook.problem]).strip()
        self.setToolTip(plain_tip(told or "Show what waits to be sent to Alyx"))
        self.setVisible(bool(text))

    @slot
    def _on_clicked(self) -> None:
        open_outbox_window(self)


class ClosingQuestion(Question):
    """Says what still waits, and what was typed and not recorded, when PyBpod is to close.

    It asks: ``"close"``, ``"show"``, or None to stay.
    """

    def __init__(self, running: RunningOutbox, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setWindowTitle(LABEL)
        typed = unrecorded()
        sentences = [_waiting_words(running.outlook)] if running.counts.open else []
        if typed:
            sentences.append(f"Not recorded yet: {', '.join(typed)}.")
        text = "\n".join(sentences)
        self.text = plain_label()
        self.text.setText(text)
        buttons = QDialogButtonBox()
        self.close_button = buttons.addButton("Close PyBpod", QDialogButtonBox.DestructiveRole)
        self.show_button = buttons.addButton("Show the outbox", QDialogButtonBox.ActionRole)
        self.stay_button = buttons.addButton("Do not close", QDialogButtonBox.RejectRole)
        for button in (self.close_button, self.show_button):
            button.setAutoDefault(False)
        self.stay_button.setDefault(True)
        self.show_button.setVisible(bool(running.counts.open))
        self.close_button.clicked.connect(self._on_close)
        self.show_button.clicked.connect(self._on_show)
        self.stay_button.clicked.connect(self.reject)
        column = QVBoxLayout(self)
        column.addWidget(self.text, 1)
        column.addWidget(buttons)
        resize_to_screen(self, 480, 150)
        self.stay_button.setFocus()  # the space bar is as safe as Enter

    @slot
    def _on_close(self) -> None:
        self._answer = "close"
        self.accept()

    @slot
    def _on_show(self) -> None:
        self._answer = "show"
        self.accept()


def _waiting_words(outlook: Outlook) -> str:
    number = outlook.counts.open
    one = number == 1
    text = (
        f"{number} item{'' if one else 's'} still wait{'s' if one else ''} to be sent to Alyx. "
        f"{'It is' if one else 'They are'} kept on this computer and "
    )
    if outlook.needing == number:
        return f"{text}need{'s' if one else ''} action before {'it' if one else 'they'} can be sent: see the outbox."
    text += "will be sent by another PyBpod that is open, or when PyBpod is next open."
    if outlook.needing:
        text += f" {outlook.needing} of them need{'s' if outlook.needing == 1 else ''} action: see the outbox."
    return text


class OutboxInMainWindow(QObject):
    """Shows the outbox in PyBpod's main window, says what waits before PyBpod closes, and ends it with PyBpod.

    ``editor``: PyBpod's main widget: asks in ``_confirm_exit`` before it closes, quits by ``_exit_app``.
    """

    #: What asks before PyBpod closes, and what asks who is at the rig.
    question, who_question = OpenWindow(), OpenWindow()

    def __init__(self, editor: Any, running: RunningOutbox) -> None:
        super().__init__(editor)
        self._editor = editor
        self._confirm: Callable[[], bool] = editor._confirm_exit
        self.button = StatusButton()
        window = editor.window()
        self._bar = window.statusBar() if isinstance(window, QMainWindow) else None
        if self._bar is not None:
            self._bar.addPermanentWidget(self.button)
        editor._confirm_exit = self.confirm_exit  # both ways out of PyBpod ask it
        QApplication.instance().aboutToQuit.connect(self._on_quit)
        self.follow(running)

    def follow(self, running: RunningOutbox) -> None:
        """Show this outbox."""
        self._running = running
        self._times_unclaimed = 0
        running.changed.connect(self._on_changed)
        running.logged_out.connect(self._on_logged_out)
        running.users_changed.connect(self._on_users_changed)
        self._on_changed()

    def confirm_exit(self) -> bool:
        """Say once what waits, then ask what PyBpod itself asks before it closes; a second try closes."""
        question, self.question = self.question, None
        if question is not None:
            question.close()
        elif (self._running.counts.open or unrecorded()) and self._may_ask() and self._ask():
            return False
        return self._confirm()

    @staticmethod
    def _may_ask() -> bool:
        return not QApplication.instance().isSavingSession()

    @slot
    def _ask(self) -> bool:
        question = ClosingQuestion(self._running, self._editor.window())
        question.answered.connect(self._on_answered)
        show_in_front(question)  # not modal: PyBpod's Stop must stay within reach
        self.question = question
        return True

    @slot
    def _on_answered(self, answer: str | None) -> None:
        if answer == "close":
            self._editor._exit_app()
        self.question = None
        if answer == "show":
            open_outbox_window(self._editor)

    @slot
    def _on_changed(self) -> None:
        self.button.show_outbox(self._running)
        if self._bar is not None:
            self._bar.setVisible(not self.button.isHidden() or bool(self._bar.currentMessage()))
        self._ask_who()

    def _ask_who(self) -> None:
        # Until somebody says so, at each record; where the question was closed, at the next one.
        outlook, question, logins = self._running.outlook, self.who_question, self._running.logins
        unclaimed = [account for account in outlook.unclaimed if not logins.at_rig(account[0])]
        if question is not None and (question.server, question.username) not in unclaimed:
            question.close()  # settled elsewhere
        elif unclaimed and outlook.times_unclaimed != self._times_unclaimed:
            if question is None:
                self.who_question = question = WhoQuestion(self._running, *unclaimed[0], self._editor.window())
                question.answered.connect(self._on_who)
            show_in_front(question)
        else:
            return
        self._times_unclaimed = outlook.times_unclaimed

    @slot
    def _on_who(self, answer: bool | None) -> None:
        self.who_question = None
        if answer:
            self._times_unclaimed = 0  # another server may have a record of somebody, too
            self._ask_who()

    @slot
    def _on_logged_out(self, server: str, username: str) -> None:
        for project in self._editor.model.projects:
            project.alyx_logged_out(server, username)

    @slot
    def _on_users_changed(self) -> None:
        for project in self._editor.model.projects:
            project.alyx_show_user()

    @slot
    def _on_quit(self) -> None:
        stop_outbox()
