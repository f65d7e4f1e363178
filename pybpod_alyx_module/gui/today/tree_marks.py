"""Hands what *Today* saw of weights to the project's subjects, a few at a time: PyBpod goes on answering."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from AnyQt.QtCore import QObject, QTimer

from pybpod_alyx_module.gui.guard import slot

if TYPE_CHECKING:
    from pybpod_alyx_module.animals.today.board import Board
    from pybpod_alyx_module.host.pybpod_objects import Project

#: How many subjects at a time: about 3 ms.
_AT_ONCE: Final = 100


class TreeMarks(QObject):
    """Marks the animals of a project in PyBpod's tree, as long as its window is there."""

    def __init__(self, project: Project, window: QObject) -> None:
        super().__init__(window)
        self._project = project
        self._table: Board | None = None
        self._left: list[Any] = []
        self._timer = QTimer(self, interval=0)
        self._timer.timeout.connect(self._on_turn)

    @property
    def is_at_work(self) -> bool:
        """Whether there are subjects left."""
        return bool(self._left)

    def show(self, table: Board) -> None:
        """Begin to mark what a table says; what is left of the one before is dropped."""
        self._table, self._left = table, list(self._project.subjects)
        self._timer.start()

    @slot
    def _on_turn(self) -> None:
        table, now, self._left = self._table, self._left[:_AT_ONCE], self._left[_AT_ONCE:]
        if not self._left:
            self._timer.stop()
        if table is not None:
            for subject in now:
                subject.alyx_note_weights(table.server, table.username, table.seen_weights)
