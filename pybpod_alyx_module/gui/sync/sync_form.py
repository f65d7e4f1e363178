"""The widgets of the sync window, and nothing of what they do."""

from __future__ import annotations

from AnyQt.QtCore import Qt
from AnyQt.QtWidgets import (
    QCheckBox,
    QFormLayout,
    QFrame,
    QHBoxLayout,
    QLineEdit,
    QPlainTextEdit,
    QProgressBar,
    QPushButton,
    QVBoxLayout,
    QWidget,
)

from pybpod_alyx_module.gui.guard import slot
from pybpod_alyx_module.gui.sync.scope_row import ScopeRow
from pybpod_alyx_module.gui.widgets import plain_label
from pybpod_alyx_module.gui.words import without_long_words

#: Progress is shown in whole steps up to the largest number that a Qt progress bar takes.
LARGEST_STEP = 2**31 - 1


class RememberBox(QWidget):
    """*Remember me*, and a line that says where the token goes."""

    def __init__(self) -> None:
        super().__init__()
        #: Where remembered tokens go, in words; empty until it was looked up.
        self.store = ""
        self._account_remembered = False
        self.box = QCheckBox("Remember me")
        self._where = plain_label()
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(2)
        column.addWidget(self.box)
        column.addWidget(self._where)
        self.box.toggled.connect(self._on_toggled)
        self._on_toggled()

    @property
    def checked(self) -> bool:
        """Whether the token is to be remembered."""
        return bool(self.box.isChecked())

    @property
    def keep(self) -> bool | None:
        """Whether to keep the token, True, to delete the one that is kept, False, or to leave the store alone, None."""
        if self.checked:
            return True
        return False if self._account_remembered else None

    @property
    def is_changed(self) -> bool:
        """Whether a hand ticked or unticked the box since the account was shown."""
        return self.checked != self._account_remembered

    def show_account(self, *, remembered: bool) -> None:
        """Tick the box for an account whose token is remembered, untick it for another.

        ``remembered``: whether the token of the account in the fields is in the token store.
        """
        if self._account_remembered or remembered:
            self.box.setChecked(remembered)
        self._account_remembered = remembered
        self._on_toggled()

    @slot
    def _on_toggled(self) -> None:
        if self.checked:
            text = f"The token (never the password) is stored in: {self.store or 'the token store of this computer'}."
            if self._account_remembered:
                text += " Leave the password empty to connect with it."
        elif self._account_remembered:
            text = "When you connect, this user's stored token is deleted."
        else:
            text = "The token stays in memory only."
        self._where.setText(text)


class SyncForm:
    """The widgets, laid out in a window."""

    def __init__(self, window: QWidget) -> None:
        self.address = QLineEdit()
        self.address.setPlaceholderText("alyx.lab.org")
        self.username = QLineEdit()
        self.password = QLineEdit()
        self.password.setEchoMode(QLineEdit.Password)
        self.remember = RememberBox()
        self.connect_button = QPushButton("Connect")
        self.status = plain_label()
        self.scope = ScopeRow()
        self.get_button = QPushButton("Get Subjects")
        self.get_button.setToolTip("Bring the subjects of this project up to date with those on Alyx")
        self.activity = plain_label()
        self.bar = QProgressBar()
        self.bar.setTextVisible(True)
        self.cancel_button = QPushButton("Cancel")
        self.cancel_button.setToolTip("Stop what is going on; the project is left as it was")
        self.results = QPlainTextEdit()
        self.results.setReadOnly(True)
        self.results.setTabChangesFocus(True)
        self.results.setMinimumHeight(40)
        self.results.setPlaceholderText("Messages appear here.")
        self.notice = plain_label()
        font = self.notice.font()
        font.setBold(True)
        self.notice.setFont(font)
        self.undo_button = QPushButton("Un&do this sync…")
        self.undo_button.setToolTip("Bring back what this sync added, changed and removed; you are asked first")
        self.undo_button.hide()
        self._lay_out(window)

    def _lay_out(self, window: QWidget) -> None:
        fields = QFormLayout()
        fields.setFieldGrowthPolicy(QFormLayout.AllNonFixedFieldsGrow)
        for text, widget in (("&Address", self.address), ("&User", self.username), ("&Password", self.password)):
            fields.addRow(text, widget)
        status = QHBoxLayout()
        status.addWidget(self.status, 1)
        status.addWidget(self.connect_button, 0, Qt.AlignTop)
        line = QFrame()
        line.setFrameShape(QFrame.HLine)
        line.setFrameShadow(QFrame.Sunken)
        work = QHBoxLayout()
        work.addWidget(self.get_button)
        work.addWidget(self.bar, 1)
        work.addWidget(self.cancel_button)
        column = QVBoxLayout(window)
        column.addLayout(fields)
        column.addWidget(self.remember)
        column.addLayout(status)
        column.addWidget(line)
        column.addWidget(self.scope)
        column.addLayout(work)
        column.addWidget(self.activity)
        column.addWidget(self.results, 1)
        last = QHBoxLayout()
        last.addWidget(self.notice, 1)
        last.addWidget(self.undo_button)
        column.addLayout(last)

    @slot
    def tell(self, text: str) -> None:
        """Add a paragraph to what happened, and bring its beginning into view."""
        text = without_long_words(text)
        before = self.results.document().characterCount()
        self.results.appendPlainText(text if before == 1 else f"\n{text}")
        cursor = self.results.textCursor()
        cursor.movePosition(cursor.End)
        self.results.setTextCursor(cursor)
        cursor.setPosition(min(before, self.results.document().characterCount() - 1))
        self.results.setTextCursor(cursor)
        self.results.ensureCursorVisible()

    @property
    def messages(self) -> str:
        """What happened so far."""
        return str(self.results.toPlainText())

    @slot
    def show_activity(self, text: str) -> None:
        """Say what is going on."""
        self.activity.setText(without_long_words(text))

    def show_progress(self, done: int, total: int) -> None:
        """Move the progress bar.

        ``done``, ``total``: units done and units there are; a total of 0 shows that something is going on.
        """
        total = min(max(int(total), 0), LARGEST_STEP)
        self.bar.setRange(0, total)
        self.bar.setValue(min(max(int(done), 0), total))
        self.bar.setFormat("%v of %m")

    def rest(self) -> None:
        """Show that nothing is going on."""
        self.activity.clear()
        self.bar.setRange(0, 1)
        self.bar.reset()

    def focus_first_empty(self) -> None:
        """Put the cursor into the first field that is empty."""
        for field in (self.address, self.username, self.password):
            if not field.text():
                field.setFocus()
                return
        self.connect_button.setFocus()
