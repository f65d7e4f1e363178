"""Gives the ticked animals of *Today* water for days to come."""

from __future__ import annotations

from typing import TYPE_CHECKING

from AnyQt.QtCore import QObject

from pybpod_alyx_module.animals.today.board import give_water
from pybpod_alyx_module.errors import OutboxError
from pybpod_alyx_module.gui.guard import slot
from pybpod_alyx_module.gui.messages import describe
from pybpod_alyx_module.gui.task import Task, start_task
from pybpod_alyx_module.gui.today.in_advance_dialog import InAdvanceDialog
from pybpod_alyx_module.gui.windows import OpenWindow

if TYPE_CHECKING:
    from pybpod_alyx_module.gui.today.rows import TodayRow
    from pybpod_alyx_module.gui.today.window import TodayWindow
    from pybpod_alyx_module.outbox.items import Draft, Item


class GiveInAdvance(QObject):
    """Asks for how many days, and puts the water into the outbox."""

    #: The open dialog, None where there is none.
    dialog = OpenWindow()

    def __init__(self, window: TodayWindow) -> None:
        super().__init__(window)
        self._window = window
        self._rows: list[TodayRow] = []
        self._task: Task | None = None

    @slot
    def ask(self) -> None:
        """Ask about the ticked animals; without a tick, about all shown that are water-restricted."""
        window = self._window
        if window.shown is None or self._task is not None:
            return
        ticked = window.rows.to_give()
        self._rows = ticked or [row for row in window.rows.rows if row.seen.animal.water.restricted]
        if not self._rows:
            window.message.setText("No water-restricted animal is shown. Tick the animals that get water.")
            return
        self.dialog = InAdvanceDialog(window.shown, [row.seen.animal for row in self._rows], window)
        self.dialog.answered.connect(self._on_answered)
        self.dialog.open()

    @slot
    def _on_answered(self, drafts: list[Draft] | None) -> None:
        if not drafts:
            return
        for row in self._rows:  # they were ticked for this
            row.ticked, row.typed = False, None
        self._window.rows.show_changed(self._rows)
        self._window.rows.edited.emit()
        self._task = start_task(
            self._window.running.read(lambda outbox: give_water(outbox, tuple(drafts)), name="alyx-outbox-add"),
            succeeded=self._on_recorded,
            failed=self._on_failed,
            finished=self._on_ended,
        )

    @slot
    def _on_recorded(self, results: tuple[Item | OutboxError, ...]) -> None:
        failed = [one for one in results if isinstance(one, OutboxError)]
        said = f"{len(results) - len(failed)} of {len(results)} x water for days to come kept on this computer."
        more = str(failed[0]) if failed else "Alyx outbox shows what is on Alyx."
        self._window.message.setText(f"{said} {more}")

    @slot
    def _on_failed(self, error: BaseException) -> None:
        self._window.message.setText(describe(error).text)

    @slot
    def _on_ended(self) -> None:
        self._task = None
