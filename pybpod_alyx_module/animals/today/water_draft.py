"""Water of one animal of a board as it goes into the outbox. Pure."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from pybpod_alyx_module.outbox.items import COMPUTER_TIME, Draft, Kind

if TYPE_CHECKING:
    from decimal import Decimal

    from pybpod_alyx_module.animals.today.board import Board
    from pybpod_alyx_module.animals.today.today_animals import TodayAnimal

__all__ = ["water_draft"]


def water_draft(board: Board, animal: TodayAnimal, amount: Decimal | None, moment: str) -> Draft:
    """Make an administration, of the type that the running restriction names.

    ``amount``: mL; None for ad lib, of which Alyx counts no amount.
    ``moment``: lab time with its offset, ISO.
    """
    values: dict[str, Any] = {"water_administered": float(amount or 0), "date_time": moment}
    if amount is None:
        values["adlib"] = True
    if animal.water_type is not None:
        values["water_type"] = animal.water_type
    return Draft(
        kind=Kind.WATER,
        server=board.server,
        username=board.username,
        subject_id=animal.subject_id,
        subject_name=animal.name,
        values=values,
        origin={} if animal.lab_timezone else COMPUTER_TIME,
    )
