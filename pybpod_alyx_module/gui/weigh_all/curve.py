"""The last weeks of the animal in front, drawn once somebody stays with it; who goes on quickly asks nothing."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING, Any, Final

from AnyQt.QtCore import Qt, QTimer
from AnyQt.QtWidgets import QVBoxLayout, QWidget

from pybpod_alyx_module.animals.history.look import Look, fetch_look
from pybpod_alyx_module.animals.unsent import unsent_weights
from pybpod_alyx_module.gui.guard import slot
from pybpod_alyx_module.gui.history.history_plot import HistoryPlot
from pybpod_alyx_module.gui.history.plot_words import day_words, what_is_missing
from pybpod_alyx_module.gui.running_outbox import running_outbox
from pybpod_alyx_module.gui.task import Task, start_task
from pybpod_alyx_module.gui.widgets import plain_label
from pybpod_alyx_module.gui.words import plain_tip
from pybpod_alyx_module.outbox.items import OPEN

if TYPE_CHECKING:
    from alyx_connector.progress import CancelToken
    from pybpod_alyx_module.animals.weigh_all.round_row import RoundRow
    from pybpod_alyx_module.outbox.items import Item

#: How long an animal is in front before Alyx is asked about it alone, in milliseconds.
STAYS_MS: Final = 500


#: How high it is, in pixels.
_HEIGHT: Final = 210


class Curve(QWidget):
    """Shows the weights and the water of one animal, day by day."""

    def __init__(self) -> None:
        super().__init__()
        self._row: RoundRow | None = None
        self._task: Task | None = None
        #: What was seen, and which items the outbox had of the animal then.
        self._looks: dict[tuple[str, str], tuple[Look, tuple[Item, ...]]] = {}
        self._shown: tuple[Any, ...] | None = None
        self._soon = QTimer(self, singleShot=True)
        self._soon.timeout.connect(self._on_soon)
        self.plot = HistoryPlot()
        self.plot.setFocusPolicy(Qt.NoFocus)
        self.plot.setFixedHeight(_HEIGHT)
        self.plot.day_chosen.connect(self._on_day)
        self.said = plain_label()
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 0, 0, 0)
        column.addWidget(self.said)
        column.addWidget(self.plot)
        self._show()

    def show_row(self, row: RoundRow | None, *, can_ask: bool) -> None:
        """Show an animal; None for none.

        ``can_ask``: whether Alyx answers.
        """
        known = self._looks.get(row.key) if row is not None else None
        if row is not self._row:
            self._give_up()
            self._row = row
        lacks = row is not None and (known is None or known[1] != row.items)
        if lacks and can_ask and self._task is None and not self._soon.isActive():
            self._soon.start(STAYS_MS)
        self._show()

    def stop(self) -> None:
        """Ask nothing more."""
        self._row = None
        self._give_up()

    def _give_up(self) -> None:
        self._soon.stop()
        task, self._task = self._task, None
        if task is not None:
            task.cancel()

    def _show(self) -> None:
        row = self._row
        known = self._looks.get(row.key) if row is not None else None
        history = known[0].history if known is not None else None
        shown = (history, row.items if row is not None else ())
        if shown == self._shown:  # to draw it takes milliseconds
            return
        self._shown = shown
        self.setVisible(history is not None)
        if history is None or row is None:
            self.plot.show_history(None)
            return
        waiting = [item for item in row.items if item.state in OPEN]
        self.plot.show_history(history, unsent_weights(waiting, row.zone))
        self.said.setText(" ".join(what_is_missing(history)))
        self.said.setVisible(bool(self.said.text()))

    @slot
    def _on_soon(self) -> None:
        row, running = self._row, running_outbox()
        if row is None:
            return
        animal = row.animal

        def work(_report: Any, cancel: CancelToken) -> Look:
            return fetch_look(running, animal, cancel=cancel)

        self._task = start_task(
            Task(work, "alyx-weigh-curve"), succeeded=partial(self._on_look, row, row.items), finished=self._on_ended
        )

    @slot
    def _on_look(self, row: RoundRow, items: tuple[Item, ...], look: Look) -> None:
        self._looks[row.key] = look, items
        if row is self._row:
            self._show()

    @slot
    def _on_ended(self) -> None:
        self._task = None

    @slot
    def _on_day(self, place: int) -> None:
        known = self._looks.get(self._row.key) if self._row is not None else None
        history = known[0].history if known is not None else None
        said = day_words(history, history.days[place]) if history is not None and place >= 0 else ()
        self.plot.setToolTip(plain_tip("\n".join(said)))
