"""The water of the ticked animals of *Today* as it goes into the outbox, and what became of it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from alyx_connector.errors import AlyxError, ConfigurationError
from pybpod_alyx_module.animals.today.water_draft import water_draft
from pybpod_alyx_module.gui.animals.recorder import state_sentence
from pybpod_alyx_module.numbers import millilitres
from pybpod_alyx_module.outbox.items import Item, State
from pybpod_alyx_module.outbox.words import reason_words

if TYPE_CHECKING:
    from collections.abc import Sequence
    from decimal import Decimal

    from pybpod_alyx_module.animals.today.board import Board
    from pybpod_alyx_module.animals.today.today_animals import TodayAnimal
    from pybpod_alyx_module.gui.today.rows import TodayRow
    from pybpod_alyx_module.outbox.items import Draft

__all__ = ["make_drafts", "some_of", "take_item"]

#: How many animals a sentence names.
_NAMED: Final = 5


def make_drafts(board: Board, rows: Sequence[TodayRow]) -> tuple[list[Draft], list[TodayRow]]:
    """Make what is put into the outbox for some rows.

    Returns: a draft for each row, and the rows whose amount is wrong, which say so.
    """
    drafts, wrong = [], []
    for row in rows:
        try:
            drafts.append(_draft(board, row.seen.animal, millilitres(row.amount)))
        except AlyxError as error:
            row.result = str(error)
            wrong.append(row)
    return drafts, wrong


def _draft(board: Board, animal: TodayAnimal, amount: Decimal) -> Draft:
    water = animal.water
    if water.weight_known and amount > max(2 * water.expected - water.given, water.remaining):
        raise ConfigurationError(
            f"{amount:f} mL would be more than twice what it needs today.",
            hint="To give as much, press G: Give water… asks about it.",
            setting="amount of water",
        )
    return water_draft(board, animal, amount, animal.moment())


def take_item(row: TodayRow, item: Item) -> None:
    """Let a row say what became of its water."""
    reason = "" if item.state is State.SENT else reason_words(item)
    row.item, row.result = item, f"{row.amount} mL: {state_sentence(item)} {reason}".rstrip()


def some_of(rows: Sequence[TodayRow]) -> str:
    """Name some animals."""
    names = [row.name for row in rows]
    if len(names) > _NAMED:
        names[_NAMED:] = [f"{len(names) - _NAMED} more"]
    return " and ".join(part for part in (", ".join(names[:-1]), names[-1]) if part)
