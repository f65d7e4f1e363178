"""What a hand does at the plugin's windows, and what an eye sees there."""

from __future__ import annotations

import gc
import threading
import types

import keyring
import pytest
from AnyQt.QtCore import QEvent, QObject, Qt
from AnyQt.QtWidgets import QApplication, QLineEdit
from keyring.backend import KeyringBackend

from pybpod_alyx_module.gui.running_outbox import stop_outbox
from pybpod_alyx_module.gui.sync.questions.choose_subjects import ChooseSubjectsDialog
from pybpod_alyx_module.gui.sync.questions.removals_dialog import RemovalsDialog
from pybpod_alyx_module.gui.sync.questions.review_dialog import ReviewDialog

#: What the plugin adds to the menu of an Alyx subject.
SUBJECT_ENTRIES = ["Alyx details", "Record weight…", "Give water…"]

#: What it adds to the menu of a subject that is not linked.
LOCAL_ENTRY = "Send to Alyx…"

#: How long an event may take to come, in milliseconds.
PATIENCE_MS = 30_000


@pytest.fixture
def alyx_home(tmp_path, monkeypatch):
    """Give the plugin an empty folder for accounts and tokens, tokens in a file."""
    home = tmp_path / "alyx-home"
    monkeypatch.setenv("ALYX_CONNECTOR_HOME", str(home))
    monkeypatch.setenv("ALYX_TOKEN_STORE", "file")
    stop_outbox()  # that of another home, with what windows brought there
    yield home
    stop_outbox()


class HangingKeyring(KeyringBackend):
    """A keyring that answers nothing before it is released, as one does whose question nobody sees."""

    priority = 9
    name = "hanging"

    def __init__(self):
        super().__init__()
        self.asked = threading.Event()
        self.released = threading.Event()

    def _hang(self, *_arguments):
        self.asked.set()
        self.released.wait()

    get_password = set_password = delete_password = _hang


@pytest.fixture
def hanging_keyring(alyx_home, monkeypatch):
    """Give the plugin a keyring that hangs until it is released, at the latest at the end."""
    before, backend = keyring.get_keyring(), HangingKeyring()
    keyring.set_keyring(backend)
    monkeypatch.setenv("ALYX_TOKEN_STORE", "auto")
    yield backend
    backend.released.set()
    keyring.set_keyring(before)


def press(qtbot, button):
    assert button.isEnabled(), f"{button.text()} cannot be pressed"
    qtbot.mouseClick(button, Qt.LeftButton)


def fill(qtbot, field, text):
    qtbot.keyClick(field, Qt.Key_A, Qt.ControlModifier)
    qtbot.keyClick(field, Qt.Key_Delete)
    qtbot.keyClicks(field, text)
    assert field.text() == text


def wait(qtbot, condition):
    qtbot.waitUntil(lambda: bool(condition()), timeout=PATIENCE_MS)


def activate(qtbot, window):
    """Give a window the keyboard, once it is there."""
    wait(qtbot, lambda: window.windowHandle() is not None and window.windowHandle().isExposed())
    QApplication.processEvents()
    window.activateWindow()
    wait_active(qtbot, window)


def wait_active(qtbot, window):
    wait(qtbot, lambda: QApplication.activeWindow() is window)


def open_window(qtbot, project, menu):
    """Open the window as the project's menu does, and wait until it knows the last account."""
    menu.trigger(project.node, "Sync to Alyx")
    window = project.alyx_window
    wait(qtbot, lambda: window._lookup.settled)
    return window


def start_connecting(qtbot, window, address, username, password):
    """Type, and press Connect."""
    for field, text in (
        (window.form.address, address),
        (window.form.username, username),
        (window.form.password, password),
    ):
        fill(qtbot, field, text)
    press(qtbot, window.form.connect_button)


def connect(qtbot, window, address, username, password):
    """Type, press Connect, and wait for the outcome."""
    start_connecting(qtbot, window, address, username, password)
    wait(qtbot, lambda: not window.working)


def connected_window(qtbot, project, menu, server, address=None):
    window = open_window(qtbot, project, menu)
    connect(qtbot, window, address or server.url, server.username, server.password)
    assert window.connected, window.form.messages
    return window


def get_subjects(qtbot, window):
    """Press Get Subjects, and wait for a question or the end; return the dialog that asks, if one does."""
    press(qtbot, window.form.get_button)
    wait(qtbot, lambda: not window.working or dialogs_shown())
    return dialogs_shown()[0] if dialogs_shown() else None


def sync(qtbot, window):
    """Get the subjects where nothing is asked."""
    assert get_subjects(qtbot, window) is None
    return window.form.messages


def answer(qtbot, window, button):
    press(qtbot, button)
    wait(qtbot, lambda: not window.working)


def dialogs_shown():
    kinds = (ReviewDialog, RemovalsDialog, ChooseSubjectsDialog)
    return [shown for shown in QApplication.topLevelWidgets() if isinstance(shown, kinds) and shown.isVisible()]


def small_enough(window):
    """Tell whether a window fits on a screen of 1366 x 768, below a title bar and above the desktop's panel."""
    return window.width() <= 1366 and window.height() <= 680


def windows_shown():
    return {shown for shown in QApplication.topLevelWidgets() if shown.isVisible()}


def living(kind):
    """Windows of this kind that Qt still holds, shown or not."""
    QApplication.sendPostedEvents(None, QEvent.DeferredDelete)
    return [window for window in QApplication.topLevelWidgets() if isinstance(window, kind)]


class Row:
    """A row of the review, as an eye sees it."""

    def __init__(self, dialog, index):
        self.dialog, self.index = dialog, index

    def look(self, role, column=0):
        return self.dialog.rows.data(self.index.sibling(self.index.row(), column), role)

    def text(self, column=0):
        return self.look(Qt.DisplayRole, column) or ""

    def children(self):
        return [Row(self.dialog, self.index.child(row, 0)) for row in range(self.dialog.rows.rowCount(self.index))]

    def tick(self, state=Qt.Checked):
        assert self.dialog.rows.flags(self.index) & Qt.ItemIsUserCheckable, f"{self.text()!r} has no box"
        self.dialog.rows.setData(self.index, state, Qt.CheckStateRole)

    @property
    def state(self):
        return self.look(Qt.CheckStateRole)

    def select(self):
        self.dialog.tree.setCurrentIndex(self.index)


def tick(dialog, name):
    row = next(row for row in rows(dialog) if row.text().startswith(f"{name}:"))
    row.tick()
    return row


def rows(dialog):
    return [Row(dialog, dialog.rows.index(row, 0)) for row in range(dialog.rows.rowCount())]


def names(project):
    return sorted(subject.name for subject in project.subjects)


def subject_named(project, name):
    return next(subject for subject in project.subjects if subject.name == name)


class Stacking(QObject):
    """Counts how often a window was raised above the others; a display is not needed for that."""

    def __init__(self, window):
        super().__init__(window)
        self.raised = 0
        window.installEventFilter(self)

    def eventFilter(self, watched, event):  # noqa: N802 - Qt's name
        self.raised += event.type() == QEvent.ZOrderChange
        return super().eventFilter(watched, event)


def plugin_threads():
    """Threads of the windows; the outbox's own run as long as PyBpod."""
    lasting = {"alyx-outbox", "alyx-outbox-watch"}
    return [
        thread for thread in threading.enumerate() if thread.name.startswith("alyx-") and thread.name not in lasting
    ]


def holders(backwards):
    """Find what still holds a text, given backwards so that the asking does not hold it."""
    found = [
        shown for shown in QApplication.allWidgets() if isinstance(shown, QLineEdit) and shown.text()[::-1] == backwards
    ]
    gc.collect()
    for thing in gc.get_objects():
        if isinstance(thing, dict):
            values = list(thing.values())
        elif isinstance(thing, list | tuple | set):
            values = list(thing)
        elif isinstance(thing, types.CellType):
            try:
                values = [thing.cell_contents]
            except ValueError:
                continue
        else:
            continue
        if any(isinstance(value, str) and value[::-1] == backwards for value in values):
            found.append(thing)
    return found
