"""The columns of *Today*: the text of a cell, its colours, its tooltip, and by what it is sorted."""

from __future__ import annotations

from decimal import Decimal
from typing import TYPE_CHECKING, Any, Final

from AnyQt.QtCore import Qt
from AnyQt.QtGui import QBrush, QColor

from pybpod_alyx_module.animals.today.next_step import (
    ALARM,
    Step,
    hours_without_water,
    is_water_overdue,
    next_step,
)
from pybpod_alyx_module.animals.water import UNIT
from pybpod_alyx_module.animals.weight import COLOURS, LOW_TEXT, TOO_LIGHT, Level
from pybpod_alyx_module.natural_order import natural
from pybpod_alyx_module.numbers import rounded_up, shown

if TYPE_CHECKING:
    from collections.abc import Callable

    from pybpod_alyx_module.gui.today.rows import TodayRow

__all__ = ["COLUMNS", "cell_colour", "cell_text", "cell_tip", "sort_key"]

COLUMNS: Final = (
    "Animal",
    "Lab",
    "Next",
    "Last weight",
    "%",
    "Left (mL)",
    "Give (mL)",
    "Last water",
    "Session",
    "Result",
)
ANIMAL, LAB, NEXT, WEIGHT, PERCENT, REMAINS, AMOUNT, LAST_WATER, SESSION, RESULT = range(len(COLUMNS))

#: What the titles leave out.
TIPS: Final = {
    NEXT: "What the animal still lacks today, and the key that opens it",
    PERCENT: "Percent of the expected weight, the implant off both, as on Alyx",
    SESSION: "Sessions of today",
    REMAINS: "Water that is still to be given today, of what the animal needs",
    AMOUNT: "What Give ticked records; Enter changes it",
    LAST_WATER: "How long ago it was given water, in a session or by hand",
}

_STEPS: Final = {Step.WEIGH: "weigh (W)", Step.GIVE: "water (G)", Step.NOTHING: ""}


def _weight(row: TodayRow) -> str:
    animal = row.seen.animal
    last = animal.last_weight
    if last is None:
        return "none lately"
    if last.when is None:
        when = ""
    elif animal.weighed_today:
        when = f"{last.when:%H:%M}"
    else:
        when = f"{last.when:%m-%d %H:%M}"
    weight = f"{shown(last.grams)} g  {when}".rstrip()
    return ", ".join(part for part in (weight, row.too_light) if part)


def _percent(row: TodayRow) -> str:
    percentage = row.judged.percentage if row.judged is not None else None
    return "" if percentage is None else shown(percentage)


def _session(row: TodayRow) -> str:
    sessions = row.seen.animal.sessions
    if sessions is None:
        return ""
    count = "" if sessions.count == 1 else f"{sessions.count} sessions, last "
    trials = "" if sessions.trials is None else f", {sessions.trials} trials"
    return f"{count}{sessions.last_start:%H:%M}{trials}"


def _remains(row: TodayRow) -> str:
    water = row.seen.animal.water
    if not water.restricted:
        return "not restricted"
    return f"{water.remaining} of {rounded_up(water.expected, UNIT)}" if water.weight_known else "weigh it first"


def _last_water(row: TodayRow) -> str:
    ago = hours_without_water(row.seen.animal)
    if not row.seen.animal.water.restricted:
        return ""
    if ago is None:
        return "not lately"
    hours, minutes = divmod(int(ago.total_seconds()) // 60, 60)
    return f"{hours} h ago" if hours else f"{minutes} min ago"


_TEXTS: Final[dict[int, Callable[[TodayRow], str]]] = {
    ANIMAL: lambda row: row.name,
    LAB: lambda row: row.seen.animal.lab,
    NEXT: lambda row: _STEPS[next_step(row.seen.animal)] if row.item is None else "",
    WEIGHT: _weight,
    PERCENT: _percent,
    SESSION: _session,
    REMAINS: _remains,
    LAST_WATER: _last_water,
    AMOUNT: lambda row: row.amount,
    RESULT: lambda row: row.result,
}


def cell_text(row: TodayRow, column: int) -> str:
    """Return the text of a cell."""
    return _TEXTS[column](row)


def cell_tip(row: TodayRow, column: int) -> str | None:
    """Return the tooltip of a cell, None for one that has none."""
    animal = row.seen.animal
    if column in (WEIGHT, PERCENT) and row.judged is not None:
        last = animal.last_weight
        when = last.when if last is not None else None
        day = f" ({when:%Y-%m-%d %H:%M})" if when is not None else ""
        return f"{_weight(row)}: {row.judged.text}{day}"
    if column == SESSION and animal.sessions is not None:
        return f"The last session of today began at {animal.sessions.last_start:%H:%M}"
    if column == REMAINS:
        return " ".join(animal.water.sentences())
    if column == LAST_WATER and animal.last_water is not None:
        return f"{animal.last_water:%Y-%m-%d %H:%M}"
    return cell_text(row, column) if column in (ANIMAL, LAB, SESSION, RESULT) else None


def cell_colour(row: TodayRow, column: int, role: int) -> QBrush | None:
    """Return the background or the colour of the text of a cell; None where it is as usual."""
    level = None
    if column in (WEIGHT, PERCENT) and row.too_light and row.judged is not None:
        level = row.judged.level
    elif column == LAST_WATER and is_water_overdue(row.seen.animal):
        ago = hours_without_water(row.seen.animal)
        level = Level.FAR_BELOW if ago is not None and ago >= ALARM else Level.BELOW
    if level is None:
        return None
    return QBrush(QColor(COLOURS[level] if role == Qt.BackgroundRole else LOW_TEXT))


def _by_weight(row: TodayRow) -> tuple[int, Decimal]:
    last, level = row.seen.animal.last_weight, row.judged.level if row.judged is not None else None
    order = (Level.FAR_BELOW, Level.BELOW).index(level) if level in TOO_LIGHT else 2
    return (3, Decimal(0)) if last is None else (order, last.grams)


def _by_percent(row: TodayRow) -> tuple[bool, Decimal]:
    percentage = row.judged.percentage if row.judged is not None else None
    return percentage is None, percentage or Decimal(0)


def _by_last_water(row: TodayRow) -> tuple[int, float]:
    # the longest without water first
    ago = hours_without_water(row.seen.animal)
    if not row.seen.animal.water.restricted:
        return 2, 0
    return (0, 0) if ago is None else (1, -ago.total_seconds())


#: By what the rows are sorted; a column that is not here is sorted by its text.
_ORDERS: Final[dict[int, Callable[[TodayRow], Any]]] = {
    ANIMAL: lambda row: natural(row.name),
    NEXT: lambda row: (row.urgency, natural(row.name)),
    WEIGHT: _by_weight,
    PERCENT: _by_percent,
    REMAINS: lambda row: row.seen.animal.water.remaining,
    LAST_WATER: _by_last_water,
    AMOUNT: lambda row: (len(row.amount.partition(".")[0]), row.amount),
}


def sort_key(column: int) -> Callable[[TodayRow], Any]:
    """Return by what a column sorts the rows."""
    return _ORDERS.get(column, _TEXTS[column])
