"""The window *Alyx outbox*."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING, Final

from AnyQt.QtCore import Qt
from AnyQt.QtWidgets import QApplication, QTabWidget, QVBoxLayout, QWidget

from pybpod_alyx_module.gui.guard import override, slot
from pybpod_alyx_module.gui.messages import describe
from pybpod_alyx_module.gui.outbox.discard_dialog import DiscardDialog
from pybpod_alyx_module.gui.outbox.edit_dialog import EditDialog
from pybpod_alyx_module.gui.outbox.recorded_by_question import RecordedByQuestion
from pybpod_alyx_module.gui.outbox.tabs import SentPage, WaitingPage
from pybpod_alyx_module.gui.running_outbox import running_outbox
from pybpod_alyx_module.gui.show_in_front import show_in_front
from pybpod_alyx_module.gui.sync.log_in_dialog import ask_to_log_in
from pybpod_alyx_module.gui.widgets import ask_file, plain_label
from pybpod_alyx_module.gui.windows import AlyxWindow, OpenWindow, resize_to_screen, urgent_colour
from pybpod_alyx_module.outbox.items import OPEN, Kind, WaitsFor
from pybpod_alyx_module.outbox.states import Event, allowed, leaves_a_record
from pybpod_alyx_module.outbox.words import count_words
from pybpod_alyx_module.sessions.register import put_note_back

if TYPE_CHECKING:
    from collections.abc import Callable

    from AnyQt.QtGui import QCloseEvent, QShowEvent

    from pybpod_alyx_module.gui.running_outbox import RunningOutbox
    from pybpod_alyx_module.gui.task import Task
    from pybpod_alyx_module.outbox.items import Item
    from pybpod_alyx_module.outbox.outbox import Outbox

NOTHING: Final = "Nothing waits to be sent to Alyx."
LOG_IN_WHY: Final = "To send what waits for {0}. Who records in the PyBpod projects stays the same."


class OutboxWindow(AlyxWindow):
    """Shows what waits to be sent to Alyx and what was sent; it never waits for disk or network."""

    #: The dialog about an item, and the one that asks for a file.
    dialog, file_dialog = OpenWindow(), OpenWindow()

    def __init__(self, running: RunningOutbox, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setAttribute(Qt.WA_DeleteOnClose)
        self.setWindowTitle("Alyx outbox")
        resize_to_screen(self, 1200, 640)
        self.running = running
        self._items: tuple[Item, ...] = ()
        self._reading: Task | None = None
        self._stale = False
        self.trouble = plain_label()
        self.trouble.setStyleSheet(f"color: {urgent_colour()}")
        self.heading = plain_label()
        self.result = plain_label()
        self.result.hide()
        self.waiting = waiting = WaitingPage()
        self.sent = SentPage()
        self.tabs = QTabWidget()
        self.tabs.addTab(waiting, "Waiting")
        self.tabs.addTab(self.sent, "Sent")
        column = QVBoxLayout(self)
        for widget in (self.trouble, self.heading, self.tabs, self.result):
            column.addWidget(widget, widget is self.tabs)
        waiting.table.picked.connect(self._on_picked)
        waiting.table.doubleClicked.connect(self._on_edit)
        waiting.retry_button.clicked.connect(self._on_retry)
        waiting.edit_button.clicked.connect(self._on_edit)
        waiting.discard_button.clicked.connect(self._on_discard)
        waiting.login_button.clicked.connect(self._on_login)
        waiting.noted_button.clicked.connect(self._on_noted)
        self.sent.export_button.clicked.connect(self._on_export)
        running.changed.connect(self.refresh)
        self._show_status()
        self._on_picked()

    @slot
    def refresh(self) -> None:
        """Read the outbox again."""
        self._show_status()
        if self._reading is not None:
            self._stale = True
            return
        self._stale = False
        self._reading = task = self.running.items()
        task.succeeded.connect(self._on_items)
        task.failed.connect(self._on_failed)
        task.finished.connect(self._on_read)
        task.start()

    @slot
    def _on_items(self, items: tuple[Item, ...]) -> None:
        self._items = items
        waiting = tuple(item for item in items if item.state in OPEN)
        done = tuple(sorted((item for item in items if item.state not in OPEN), key=_last_first, reverse=True))
        self.waiting.show_items(waiting)
        self.sent.show_items(done)
        needing = sum(item.needs_person for item in waiting)
        self.heading.setText(f"{count_words(len(waiting) - needing, needing)}." if waiting else NOTHING)
        self.tabs.setTabText(0, f"Waiting ({len(waiting)})" if waiting else "Waiting")
        self.tabs.setTabText(1, f"Sent ({len(done)})" if done else "Sent")
        if isinstance(self.dialog, EditDialog):
            found = [item for item in items if item.key == self.dialog.item.key]
            if found:
                self.dialog.follow(found[0])
        self._on_picked()

    @slot
    def _on_read(self) -> None:
        self._reading = None
        if self._stale:
            self.refresh()

    def _show_status(self) -> None:
        outlook = self.running.outlook
        text = "\n".join([*outlook.notes, outlook.problem] if outlook.problem else outlook.notes)
        self.trouble.setText(text)
        self.trouble.setVisible(bool(text))
        self.waiting.noted_button.setVisible(bool(outlook.notes))

    @slot
    def _on_picked(self) -> None:
        self.waiting.show_choices(self._items)

    @slot
    def _on_retry(self) -> None:
        item = self.waiting.table.selected
        if item is not None:
            self._change(lambda outbox: outbox.retry(item.key), self._ask_who_recorded)

    @slot
    def _on_edit(self) -> None:
        item = self.waiting.table.selected
        if item is None or Event.EDIT not in allowed(item):
            return
        if self.dialog is not None:
            show_in_front(self.dialog)
            return
        self.dialog = EditDialog(item, self.running, self)
        self.dialog.finished.connect(self._on_dialog_closed)
        self.dialog.show()  # not modal: PyBpod's Stop must stay within reach

    @slot
    def _on_discard(self) -> None:
        item = self.waiting.table.selected
        if item is None or Event.DISCARD not in allowed(item):
            return
        if self.dialog is not None:
            show_in_front(self.dialog)
            return
        followers = [other for other in self._items if other.follows == item.key and other.state in OPEN]
        self.dialog = DiscardDialog(item, followers, self)
        self.dialog.answered.connect(partial(self._on_discard_answered, item))
        self.dialog.finished.connect(self._on_dialog_closed)
        self.dialog.show()

    @slot
    def _on_discard_answered(self, asked: Item, answer: bool | None) -> None:
        if answer:
            warned = leaves_a_record(asked)  # as the question said
            self._change(partial(_discard, asked.key, warned))

    @slot
    def _on_dialog_closed(self) -> None:
        self.dialog = None

    @slot
    def _ask_who_recorded(self, item: Item) -> None:
        # of what this PyBpod recorded, its main window asks
        if item.waits_for is not WaitsFor.USER or self.running.asks_who_recorded(item):
            return
        if self.dialog is not None:
            show_in_front(self.dialog)
            return
        users = dict.fromkeys([item.username, self.running.logins.at_rig(item.server) or item.username])
        self.dialog = RecordedByQuestion(item, users, self)
        self.dialog.answered.connect(partial(self._on_recorded_by, item))
        self.dialog.finished.connect(self._on_dialog_closed)
        self.dialog.show()

    @slot
    def _on_recorded_by(self, item: Item, username: str | None) -> None:
        if username is not None:
            self._change(lambda outbox: outbox.claim(item.key, username))

    def _change(self, change: Callable[[Outbox], Item], changed: Callable[[Item], None] | None = None) -> None:
        self._show_result("")
        task = self.running.read(change, name="alyx-outbox-change")
        if changed is not None:
            task.succeeded.connect(changed)
        task.succeeded.connect(self._on_changed)
        task.failed.connect(self._on_failed)
        task.start()

    @slot
    def _on_changed(self) -> None:
        self.running.wake()
        self.refresh()

    @slot
    def _on_failed(self, error: BaseException) -> None:
        self._show_result(describe(error).text)

    def _show_result(self, text: str) -> None:
        self.result.setText(text)
        self.result.setVisible(bool(text))

    @slot
    def _on_login(self) -> None:
        account = self.waiting.login_wanted(self._items)
        if account is not None:
            server, username = account
            ask_to_log_in(server, LOG_IN_WHY.format(username), self._on_logged_in, username=username, parent=self)

    @slot
    def _on_logged_in(self, username: str) -> None:
        self._show_result(f"{username} is logged in: what waits for {username} is sent.")

    @slot
    def _on_noted(self) -> None:
        self.running.acknowledge()

    @slot
    def _on_export(self) -> None:
        if self.file_dialog is not None:
            show_in_front(self.file_dialog)
            return
        self.file_dialog = ask_file(self, "Export the Alyx outbox", "alyx-outbox.csv", "csv", self._on_file)
        self.file_dialog.finished.connect(self._on_file_dialog_closed)

    @slot
    def _on_file_dialog_closed(self) -> None:
        self.file_dialog = None

    @slot
    def _on_file(self, path: str) -> None:
        task = self.running.read(lambda outbox: (outbox.export(path), path), name="alyx-outbox-export")
        task.succeeded.connect(self._on_exported)
        task.failed.connect(self._on_failed)
        task.start()

    @slot
    def _on_exported(self, written: tuple[int, str]) -> None:
        count, path = written
        self._show_result(f"{count} item{'' if count == 1 else 's'} written to {path}.")

    @override
    def showEvent(self, event: QShowEvent) -> None:  # noqa: N802 - Qt's name
        """Read the outbox."""
        super().showEvent(event)
        self.refresh()

    @override
    def closeEvent(self, event: QCloseEvent) -> None:  # noqa: N802 - Qt's name
        """Forget what is being read; nothing in the outbox changes."""
        super().closeEvent(event)
        self._stale = False
        if self._reading is not None:
            self._reading.cancel()


def _discard(key: str, warned: bool, outbox: Outbox) -> Item:
    item = outbox.discard(key, even_if_unsure=warned)
    if item.kind is Kind.SESSION_MOVE and not warned:
        put_note_back(item)
    return item


def _last_first(item: Item) -> tuple[float, int]:
    return (item.sent_at or item.created).timestamp(), item.number


def open_outbox_window(parent: QWidget | None = None) -> OutboxWindow:
    """Show the outbox window: the one that is open, or a new one.

    ``parent``: PyBpod's main window, or a widget in it.
    """
    shown = [one for one in QApplication.topLevelWidgets() if isinstance(one, OutboxWindow) and one.isVisible()]
    window = shown[0] if shown else OutboxWindow(running_outbox(), parent.window() if parent is not None else None)
    show_in_front(window)
    return window
