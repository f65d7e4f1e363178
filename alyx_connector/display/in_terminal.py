"""Progress in a terminal, on one line, with a second one for what it waits for."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from rich.console import Console, RenderableType

    from alyx_connector.display.state import State

__all__ = ["InTerminal"]

_BAR_WIDTH = 20


class InTerminal:
    """Draws a bar with rich, and wipes it out at the end.

    ``console``: where to draw.
    """

    #: Seconds between two drawings.
    pause_s = 0.1
    #: Whether it shows at once that the work waits.
    shows_waits = True

    def __init__(self, console: Console) -> None:
        # Loaded where it is needed: most searches are over before.
        from rich.live import Live
        from rich.progress import BarColumn, Progress, TextColumn
        from rich.table import Column

        # Whatever does not fit is cut off from the sentence, which comes last.
        last = Column(no_wrap=True, overflow="crop", ratio=1)
        self._console = console
        self._bar = Progress(
            BarColumn(_BAR_WIDTH),
            TextColumn("{task.fields[numbers]}", markup=False),
            TextColumn("{task.description}", markup=False, table_column=last),
            console=console,
            auto_refresh=False,
            expand=True,
        )
        self._task = self._bar.add_task("", numbers="")
        self._sentence = self._wait = ""
        # What others print meanwhile stays where they sent it.
        self._live = Live(
            get_renderable=self._drawing,
            console=console,
            auto_refresh=False,
            transient=True,
            redirect_stdout=False,
            redirect_stderr=False,
        )

    def show(self, state: State) -> None:
        """Draw it."""
        self._sentence, self._wait = "" if state.total else state.sentence, state.wait
        self._bar.update(
            self._task,
            description=state.sentence,
            completed=state.done,
            total=state.total or None,
            visible=state.total > 0,
            numbers=state.numbers,
        )
        self._live.start()
        self._live.refresh()

    def end(self, state: State) -> None:
        """Leave the terminal as it was."""
        self._live.stop()

    def _drawing(self) -> RenderableType:
        from rich.console import Group
        from rich.constrain import Constrain
        from rich.text import Text

        first = Text(self._sentence, no_wrap=True, overflow="crop") if self._sentence else self._bar
        drawing = Group(first, *([Text(self._wait)] if self._wait else []))
        # A ^C that the terminal echoes behind the last line must not begin another one.
        return Constrain(drawing, max(1, self._console.width - 2))
