"""The tab *Sessions*: those of the last weeks, with their trials, which are asked for when the tab is looked at."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from pybpod_alyx_module.gui.guard import override, slot
from pybpod_alyx_module.gui.history.axes import day_text
from pybpod_alyx_module.gui.history.copy_table import Cell, TablePage
from pybpod_alyx_module.gui.messages import describe

if TYPE_CHECKING:
    from AnyQt.QtGui import QShowEvent

    from pybpod_alyx_module.animals.history.animal_history import AnimalHistory
    from pybpod_alyx_module.animals.history.session_details import SessionDetails
    from pybpod_alyx_module.animals.rows import SessionSeen
    from pybpod_alyx_module.gui.history.looker import Looker

TITLES: Final = ("Date", "Time", "Number", "Protocol", "Trials", "Correct", "Users")
#: Stands where something is being asked for.
_ASKING: Final = "…"


class SessionsPage(TablePage):
    """Shows the sessions of an animal."""

    def __init__(self, looker: Looker) -> None:
        super().__init__(TITLES)
        self._looker = looker
        self._history: AnimalHistory | None = None
        self._details: dict[str, SessionDetails] = {}
        self._failed: set[str] = set()
        self._asked: set[str] = set()

    def show_history(self, history: AnimalHistory | None) -> None:
        """Show an animal's sessions."""
        is_other = history is not self._history
        self._history = history
        if is_other:
            self._failed.clear()
            today = history.today.date if history is not None else None
            for one in history.sessions if history is not None else ():
                if one.start_time.date() == today:  # it may have ended meanwhile
                    self._details.pop(one.id, None)
        self._show()
        self._ask()

    @override
    def showEvent(self, event: QShowEvent) -> None:  # noqa: N802 - Qt's name
        """Ask for what is missing when somebody looks."""
        super().showEvent(event)
        self._ask()

    def _missing(self) -> list[str]:
        sessions = self._history.sessions if self._history is not None else ()
        return [one.id for one in sessions if one.id not in self._details and one.id not in self._failed]

    def _ask(self) -> None:
        missing = self._missing()
        if self.isVisible() and set(missing) - self._asked:
            self._asked = set(missing)
            self._looker.ask_details(missing, self._on_details, self._on_failed)
            self._show()

    def _show(self) -> None:
        sessions = self._history.sessions if self._history is not None else ()
        self.table.show_rows([self._row(one) for one in sessions])
        if self._history is not None and not self._failed:
            first = self._history.days[0].date
            count = len(sessions)
            self.message.setText(
                f"{count} session{'' if count == 1 else 's'} since {first}." if count else f"No session since {first}."
            )

    def _row(self, seen: SessionSeen) -> list[Cell]:
        details = self._details.get(seen.id)
        open_text = "" if seen.id in self._failed else _ASKING
        protocol = details.task_protocol if details is not None else seen.task_protocol
        return [
            Cell(day_text(seen.start_time.date(), full=True), is_number=False),
            Cell(f"{seen.start_time:%H:%M}", is_number=False),
            Cell("" if seen.number is None else str(seen.number)),
            Cell(protocol or (open_text if details is None else ""), is_number=False),
            Cell(open_text if details is None else _number(details.trials)),
            Cell(open_text if details is None else _number(details.correct)),
            Cell(open_text if details is None else ", ".join(details.users), is_number=False),
        ]

    @slot
    def _on_details(self, answer: tuple[dict[str, SessionDetails], str]) -> None:
        found, why = answer
        self._asked.clear()
        self._details |= found
        self._failed |= set(self._missing()) if why else set()
        if why:
            self.message.setText(f"Some sessions could not be read. {why}")
        self._show()

    @slot
    def _on_failed(self, error: BaseException) -> None:
        self._asked.clear()
        self._failed |= set(self._missing())
        self.message.setText(describe(error).text)
        self._show()


def _number(value: int | None) -> str:
    return "" if value is None else str(value)
