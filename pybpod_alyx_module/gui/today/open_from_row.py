"""What the keys of *Today* open for the current animal."""

from __future__ import annotations

from typing import TYPE_CHECKING

from AnyQt.QtCore import QObject

from pybpod_alyx_module.gui.guard import slot
from pybpod_alyx_module.gui.history.details_window import open_details_window
from pybpod_alyx_module.gui.sessions.register_several import open_sessions_window
from pybpod_alyx_module.gui.today.one_animal import give_water_to, linked_subject, weigh

if TYPE_CHECKING:
    from pybpod_alyx_module.gui.today.rows import TodayRow
    from pybpod_alyx_module.gui.today.window import TodayWindow


class OpenFromRow(QObject):
    """Opens dialogs of one animal of a window *Today*; what they record shows there by itself."""

    def __init__(self, window: TodayWindow) -> None:
        super().__init__(window)
        self._window = window

    @slot
    def open(self, what: str, row: TodayRow) -> None:
        """Open ``weigh``, ``give``, ``register`` or ``details``."""
        window, board, animal = self._window, self._window.shown, row.seen.animal
        if board is None or window.project.is_closed:
            return
        if what == "weigh":
            weigh(window.project, board, animal)
        elif what == "give":
            give_water_to(window.project, board, animal)
        elif what == "register":
            open_sessions_window(window.project)
        else:
            subject = linked_subject(window.project, board.server, animal.subject_id)
            if subject is not None:
                subject.alyx_details_window = open_details_window(subject)
            else:
                window.message.setText(
                    f"{animal.name} is not in this PyBpod project, so there are no details. To add it: right-click the "
                    "project, choose Sync to Alyx, and get the subjects."
                )
