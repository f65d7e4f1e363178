"""The tab *Days*: every day's numbers, the newest first, as Alyx's own page has them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from pybpod_alyx_module.animals.weight import LOW, TOO_LIGHT
from pybpod_alyx_module.gui.history.axes import day_text
from pybpod_alyx_module.gui.history.copy_table import Cell, TablePage
from pybpod_alyx_module.numbers import plain, shown

if TYPE_CHECKING:
    from decimal import Decimal

    from pybpod_alyx_module.animals.history.animal_history import AnimalHistory, HistoryDay

TITLES: Final = (
    "Date", "Weight (g)", "Reference (g)", "Expected (g)", "Weight (%)", "Limit (g)", "Reward (mL)", "Suppl. (mL)",
    "Total (mL)", "Required (mL)", "Excess (mL)", "Implant (g)", "Judged",
)  # fmt: skip

HOW_TO: Final = "Weights are with the implant, as a scale shows them; the reference weight, too."


class DaysPage(TablePage):
    """Shows the days of an animal in a table."""

    def __init__(self) -> None:
        super().__init__(TITLES, HOW_TO)

    def show_history(self, history: AnimalHistory | None) -> None:
        """Show an animal's days."""
        self.table.show_rows([_row(day) for day in reversed(history.days)] if history is not None else [])


def _row(day: HistoryDay) -> list[Cell]:
    def grams(value: Decimal | None) -> Cell:
        return Cell("" if value is None else shown(value))

    def water(value: Decimal | None) -> Cell:
        return Cell("" if value is None else shown(value, 2))

    level = day.level(day.weighing) if day.weighing is not None else None
    weighed = Cell("" if day.weighing is None else plain(day.weighing), bold=True, level=level)
    judged = [grams(day.reference), grams(day.expected), grams(day.percentage), grams(day.limit)]
    if not day.restricted:  # Alyx goes on with numbers that judge nothing
        judged = [Cell()] * len(judged)
    required = [water(day.expected_water), water(day.excess)] if day.restricted else [Cell("ad lib"), Cell()]
    words = TOO_LIGHT[level] if level is not None and level in LOW else ""
    return [
        Cell(day_text(day.date, full=True), is_number=False),
        weighed,
        *judged,
        water(day.reward),
        water(day.supplement),
        Cell(shown(day.given, 2), bold=True),
        *required,
        grams(day.implant if day.implant else None),
        Cell(words, level=level, is_number=False),
    ]
