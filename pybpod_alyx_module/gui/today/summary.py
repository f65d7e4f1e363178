"""How it stands today, and what can be done, in a few sentences. No Qt."""

from __future__ import annotations

import datetime as dt
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from pybpod_alyx_module.animals.today.board import Board

__all__ = ["board_summary"]

#: How to use the table.
HOW_TO: Final = (
    "Keys: W record weight, G give water, R register, D details. Several: space ticks, Enter types the amount, then "
    "Give ticked."
)


def board_summary(board: Board) -> tuple[str, ...]:
    """Say how many animals were weighed and have had their water, since when it is so, and what the keys do."""
    if board.unreachable:
        asked = board.answers.asked.astimezone()
        day = "today" if asked.date() == dt.datetime.now().astimezone().date() else f"on {asked:%Y-%m-%d}"
        age = f"Shown is what Alyx answered {day} at {asked:%H:%M}, with what was recorded here since."
        return board.unreachable, age, HOW_TO
    restricted = board.restricted
    if not restricted:
        nothing = "None of your animals is water-restricted."
        return (nothing, HOW_TO) if board.rows else (nothing,)
    weighed = sum(animal.weighed_today for animal in restricted)
    if weighed == len(restricted) and not board.due:
        return ("All your water-restricted animals were weighed and have had their water today.",)
    due = len(board.due)
    stands = f"Of {len(restricted)} water-restricted animals, {weighed} were weighed today and {due} still need water."
    return stands, HOW_TO
