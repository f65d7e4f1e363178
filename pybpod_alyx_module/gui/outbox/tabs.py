"""The two pages of the *Alyx outbox* window, and nothing of what they do."""

from __future__ import annotations

from typing import TYPE_CHECKING

from AnyQt.QtCore import Qt
from AnyQt.QtWidgets import QHBoxLayout, QLabel, QPushButton, QSplitter, QStackedLayout, QVBoxLayout, QWidget

from pybpod_alyx_module.gui.outbox.table import SENT, WAITING, OutboxTable
from pybpod_alyx_module.gui.widgets import ValueBox
from pybpod_alyx_module.gui.words import plain_tip
from pybpod_alyx_module.outbox.states import Event, why_not
from pybpod_alyx_module.outbox.words import whole

if TYPE_CHECKING:
    from collections.abc import Iterable

    from pybpod_alyx_module.gui.outbox.table import Column
    from pybpod_alyx_module.outbox.items import Item

PICK = "Select an item first."


class _Page(QWidget):
    """A table with the details of the selected item below, or a line that says that there is nothing."""

    def __init__(self, columns: tuple[Column, ...], nothing: str) -> None:
        super().__init__()
        self.table = OutboxTable(columns)
        self.details = ValueBox()
        self.nothing = QLabel(nothing, alignment=Qt.AlignCenter)
        self.nothing.setTextFormat(Qt.PlainText)
        splitter = QSplitter(Qt.Vertical)
        splitter.addWidget(self.table)
        splitter.addWidget(self.details)
        splitter.setSizes([300, 150])
        splitter.setStretchFactor(0, 1)
        splitter.setChildrenCollapsible(False)
        self._stack = QStackedLayout()
        self._stack.addWidget(self.nothing)
        self._stack.addWidget(splitter)
        self.buttons = QHBoxLayout()
        column = QVBoxLayout(self)
        column.addLayout(self._stack, 1)
        column.addLayout(self.buttons)
        self._shown: Item | None = None
        self.table.picked.connect(self._show_details)

    def show_items(self, items: tuple[Item, ...]) -> None:
        """Show these items.

        ``items``: in the order in which they are shown.
        """
        self.table.show_items(items)
        self._stack.setCurrentIndex(1 if items else 0)
        if items and self.table.selected is None:
            self.table.select(items[0].key)

    def _show_details(self) -> None:
        item = self.table.selected
        if item != self._shown:
            self._shown = item
            self.details.show_value("" if item is None else whole(item))


class WaitingPage(_Page):
    """What waits."""

    def __init__(self) -> None:
        super().__init__(WAITING, "Nothing waits")
        self.retry_button = QPushButton("Retry")
        self.edit_button = QPushButton("Edit…")
        self.discard_button = QPushButton("Discard…")
        self.login_button = QPushButton("Log in…")
        self.noted_button = QPushButton("I have read the note")
        for button in (self.retry_button, self.edit_button, self.discard_button):
            self.buttons.addWidget(button)
        self.buttons.addStretch(1)
        self.buttons.addWidget(self.noted_button)
        self.buttons.addWidget(self.login_button)

    def login_wanted(self, items: Iterable[Item]) -> tuple[str, str] | None:
        """Say who has to log in: for the selected item, else for the first that waits for it.

        Returns: server and user; None where nobody has to.
        """
        picked = self.table.selected
        wanted = [item.account for item in ([picked] if picked else []) + list(items) if item.wants_login]
        return wanted[0] if wanted else None

    def show_choices(self, items: Iterable[Item]) -> None:
        """Enable what can be done with the selected item; the tooltips say why something cannot."""
        item = self.table.selected
        for button, wish in (
            (self.retry_button, Event.RETRY),
            (self.edit_button, Event.EDIT),
            (self.discard_button, Event.DISCARD),
        ):
            reason = PICK if item is None else why_not(item, wish)
            button.setEnabled(not reason)
            button.setToolTip(plain_tip(reason))
        account = self.login_wanted(items)
        self.login_button.setVisible(account is not None)
        if account is not None:
            self.login_button.setText(f"Log in as {account[1]}…")
            self.login_button.setToolTip(plain_tip(f"Log in to {account[0]} as {account[1]} to send what waits for it"))


class SentPage(_Page):
    """What was sent or discarded."""

    def __init__(self) -> None:
        super().__init__(SENT, "Nothing has been sent from this computer yet")
        self.export_button = QPushButton("Export as CSV…")
        self.export_button.setToolTip("Write all items, also those that wait, to a file for a spreadsheet")
        self.buttons.addStretch(1)
        self.buttons.addWidget(self.export_button)
