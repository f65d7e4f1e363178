"""What the dialogs that a sync asks its questions in have in common."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from AnyQt.QtCore import Qt, Signal
from AnyQt.QtWidgets import QDialog

from pybpod_alyx_module.gui.guard import override, slot
from pybpod_alyx_module.gui.windows import FOCUS_STYLE

if TYPE_CHECKING:
    from AnyQt.QtWidgets import QWidget


class Question(QDialog):
    """A dialog with one answer, sent once, however the dialog closes."""

    #: Sent once, when the dialog closes: the answer, None to cancel the sync.
    answered = Signal(object)

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        #: Whether the dialog had the keyboard when it closed.
        self.was_active = False
        self._answer: Any = None
        self._is_answered = False
        self.setAttribute(Qt.WA_DeleteOnClose)
        self.setStyleSheet(FOCUS_STYLE)
        self.finished.connect(self._on_finished)

    @override
    def done(self, result: int) -> None:
        """Close, and note who had the keyboard until then."""
        self.was_active = self.isActiveWindow()
        super().done(result)

    @slot
    def _on_finished(self) -> None:
        if not self._is_answered:
            self._is_answered = True
            self.answered.emit(self._answer)
