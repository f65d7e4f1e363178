"""The field above PyBpod's tree that finds subjects by name."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from AnyQt.QtCore import Qt
from AnyQt.QtWidgets import QLineEdit, QShortcut, QWidget

from pybpod_alyx_module.gui.guard import override, slot
from pybpod_alyx_module.host.tree_order import find_subjects

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from AnyQt.QtGui import QKeyEvent


class SubjectSearch(QLineEdit):
    """Shows in the tree only the subjects whose name has the typed text in it; Escape shows all again.

    ``tree``: PyBpod's; the field stands above it.
    ``projects``: returns the open ones.
    """

    def __init__(self, tree: QWidget, projects: Callable[[], Iterable[Any]]) -> None:
        super().__init__()
        self._tree, self._projects = tree, projects
        self.setPlaceholderText("Find a subject (Ctrl+F)")
        self.setToolTip("Shows only the subjects with this text in their name. Escape shows all.")
        self.setClearButtonEnabled(True)
        # PyForms has put another thing in the place of the tree's own method
        QWidget.parentWidget(tree).layout().insertWidget(0, self)
        shortcut = QShortcut(Qt.CTRL | Qt.Key_F, tree.window(), context=Qt.WindowShortcut)
        shortcut.activated.connect(self._on_shortcut)
        self.textChanged.connect(self._on_typed)

    @override
    def keyPressEvent(self, event: QKeyEvent) -> None:  # noqa: N802 - Qt's name
        """Escape empties it and leads back to the tree, Enter and the arrow down lead there."""
        if event.key() == Qt.Key_Escape:
            self.clear()
            self._tree.setFocus()
        elif event.key() in (Qt.Key_Return, Qt.Key_Enter, Qt.Key_Down):
            self._tree.setFocus()
        else:
            super().keyPressEvent(event)

    @slot
    def _on_shortcut(self) -> None:
        self.setFocus()
        self.selectAll()

    @slot
    def _on_typed(self, text: str) -> None:
        found = find_subjects(self._projects(), text)
        self.setStyleSheet("" if found or not text.strip() else "QLineEdit { background: #ffe2c9; color: #402c00; }")
