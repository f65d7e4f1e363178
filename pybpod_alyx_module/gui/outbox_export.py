"""Writes the outbox to a CSV file. No Qt."""

from __future__ import annotations

import os
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING

from pybpod_alyx_module.outbox.errors import OutboxError

if TYPE_CHECKING:
    from collections.abc import Callable

    from pybpod_alyx_module.outbox.outbox import Outbox


def exporting(path: str) -> Callable[[Outbox], str]:
    """Make the work that writes the outbox to a file; a file that is there is replaced whole or not at all.

    Parameters
    ----------
    path : str
        The file.

    Returns
    -------
    callable
        Takes the outbox and returns what to tell the user. It raises OutboxError where the file cannot be written.
    """
    goal = Path(path)

    def work(outbox: Outbox) -> str:
        try:
            handle, name = tempfile.mkstemp(prefix=".alyx-outbox-", suffix=".csv", dir=goal.parent)
            try:
                # with a mark at the beginning by which spreadsheets know that it is UTF-8
                with open(handle, "w", encoding="utf-8-sig", newline="") as stream:
                    number = outbox.export(stream)
                os.replace(name, goal)
            except BaseException:
                Path(name).unlink(missing_ok=True)
                raise
        except OSError as error:
            raise OutboxError(
                f"The file {goal} cannot be written: {(error.strerror or str(error)).lower()}.",
                hint="Choose another folder or name, and close it where it is open in a spreadsheet.",
            ) from error
        return f"{number} item{'' if number == 1 else 's'} written to {goal}."

    return work
