"""A rig at which nobody has said who they are, and the main window that asks."""

from __future__ import annotations

import pytest

from pybpod_alyx_module.gui.outbox.edit_dialog import EditDialog
from pybpod_alyx_module.gui.outbox.window import OutboxWindow
from pybpod_alyx_module.gui.sync.log_in_dialog import LogInDialog
from pybpod_alyx_module.gui.sync.log_out_window import LogOutWindow
from pybpod_alyx_module.gui.sync.who_question import WhoQuestion
from tests.gui.hands import living, wait


@pytest.fixture
def known_at_the_rig():
    """Nobody has said who is at the rig."""


@pytest.fixture(name="outbox")
def outbox_in_main_window(outbox, host, qtbot):
    """The outbox of this PyBpod, which its main window shows."""
    wait(qtbot, lambda: host.model.alyx_outbox is not None)
    host.model.alyx_outbox.follow(outbox)
    yield outbox
    for kind in (WhoQuestion, LogInDialog, LogOutWindow, EditDialog, OutboxWindow):
        for window in living(kind):
            window.close()
