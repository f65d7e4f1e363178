"""The one question before many subjects are removed from a PyBpod project."""

from __future__ import annotations

from typing import TYPE_CHECKING

from AnyQt.QtWidgets import QDialogButtonBox, QPlainTextEdit, QVBoxLayout

from pybpod_alyx_module.gui.guard import slot
from pybpod_alyx_module.gui.sync.questions.question import Question
from pybpod_alyx_module.gui.widgets import plain_label
from pybpod_alyx_module.gui.windows import resize_to_screen
from pybpod_alyx_module.sync.plan import Action

if TYPE_CHECKING:
    from AnyQt.QtWidgets import QWidget

    from pybpod_alyx_module.sync.plan import SyncPlan


class RemovalsDialog(Question):
    """Lists the subjects that a sync would remove, and asks once: True to remove, False to leave them for now."""

    def __init__(self, plan: SyncPlan, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setWindowTitle("Many subjects are not alive on Alyx")
        resize_to_screen(self, 560, 420)
        removals = plan.of(Action.REMOVE)
        heading = plain_label(
            f"On {plan.server}, {len(removals)} subjects of this project are not alive. Should they be removed from "
            "this PyBpod project? Their folders are kept: the next save moves them to the folder 'removed' of the "
            "project. Nothing changes on Alyx."
        )
        self.list = QPlainTextEdit("\n".join(f"{entry.name}: {entry.reason}" for entry in removals))
        self.list.setReadOnly(True)
        self.buttons = QDialogButtonBox()
        self.remove_button = self.buttons.addButton("Remove from this PyBpod project", QDialogButtonBox.DestructiveRole)
        self.leave_button = self.buttons.addButton("Do not remove", QDialogButtonBox.NoRole)
        self.cancel_button = self.buttons.addButton("Cancel the sync", QDialogButtonBox.RejectRole)
        for button in (self.remove_button, self.leave_button, self.cancel_button):
            button.setAutoDefault(False)
        self.leave_button.setDefault(True)
        column = QVBoxLayout(self)
        column.addWidget(heading)
        column.addWidget(self.list)
        column.addWidget(self.buttons)
        self.remove_button.clicked.connect(self._on_remove)
        self.leave_button.clicked.connect(self._on_leave)
        self.cancel_button.clicked.connect(self.reject)

    @slot
    def _on_remove(self) -> None:
        self._answer = True
        self.accept()

    @slot
    def _on_leave(self) -> None:
        self._answer = False
        self.accept()
