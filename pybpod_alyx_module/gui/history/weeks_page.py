"""The tab *Weight and water*: the plots, what a day says, and what cannot be judged."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from AnyQt.QtWidgets import QVBoxLayout, QWidget

from pybpod_alyx_module.gui.guard import slot
from pybpod_alyx_module.gui.history.history_plot import HistoryPlot
from pybpod_alyx_module.gui.history.plot_words import day_words, what_is_missing
from pybpod_alyx_module.gui.widgets import plain_label

if TYPE_CHECKING:
    from collections.abc import Sequence

    from pybpod_alyx_module.animals.history.animal_history import AnimalHistory
    from pybpod_alyx_module.animals.weight_plausibility import Weighed

#: Stands where the numbers of a day will.
HOW_TO: Final = "Point at a day, or press Left and Right in the plot: its numbers stand here."

#: Stands where Alyx has told nothing.
NOTHING: Final = "Nothing is known of its last weeks yet."


class WeeksPage(QWidget):
    """Shows the plots of an animal."""

    def __init__(self) -> None:
        super().__init__()
        self._history: AnimalHistory | None = None
        self.plot = HistoryPlot()
        self.plot.day_chosen.connect(self._on_day)
        self.missing = plain_label()
        self.day = plain_label()
        column = QVBoxLayout(self)
        column.setContentsMargins(6, 4, 6, 4)
        column.setSpacing(2)
        column.addWidget(self.missing)
        column.addWidget(self.plot, 1)
        column.addWidget(self.day)
        column.addStretch(0)
        self.day.setMinimumHeight(2 * self.fontMetrics().lineSpacing() + 2)
        self.show_history(None)

    def show_history(self, history: AnimalHistory | None, unsent: Sequence[Weighed] = ()) -> None:
        """Show an animal's weeks; see `HistoryPlot.show_history`."""
        self._history = history
        chosen = self.plot.day
        self.plot.show_history(history, unsent)
        self.plot.choose(chosen)
        missing = what_is_missing(history) if history is not None else (NOTHING,)
        self.plot.setVisible(history is not None)
        self.missing.setText(" ".join(missing))
        self.missing.setVisible(bool(missing))
        self.day.setVisible(history is not None)
        self.plot.setAccessibleDescription(self.missing.text())
        self._on_day(self.plot.day)

    @slot
    def _on_day(self, place: int) -> None:
        history = self._history
        if history is None:
            self.day.setText("")
        elif place < 0:
            self.day.setText(HOW_TO)
        else:
            self.day.setText("\n".join(day_words(history, history.days[place])))
