"""Progress in a notebook: one line below the cell, which is empty in the file that is saved."""

from __future__ import annotations

import html
import sys
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from alyx_connector.display.state import State

__all__ = ["InNotebook", "in_notebook"]


def in_notebook() -> bool:
    """Tell whether this is a kernel of Jupyter."""
    ipython = sys.modules.get("IPython")
    shell = ipython.get_ipython() if ipython is not None else None
    return getattr(shell, "kernel", None) is not None


class InNotebook:
    """Changes one output of the cell, and empties it at the end.

    No widget: the file would keep a reference to it, and show that reference where the kernel is gone.
    """

    #: Seconds between two changes; each is a message to the browser.
    pause_s = 0.5
    #: Whether it shows at once that the work waits.
    shows_waits = True

    def __init__(self) -> None:
        self._handle: Any = None

    def show(self, state: State) -> None:
        """Show it."""
        bar = f'<progress value="{state.done}" max="{state.total}"></progress> ' if state.total else ""
        self._put({"text/plain": state.line, "text/html": f"{bar}{html.escape(state.line)}"})

    def end(self, state: State) -> None:
        """Leave nothing to be seen."""
        self._put({"text/plain": ""})

    def _put(self, content: dict[str, str]) -> None:
        import IPython.display

        if self._handle is None:
            display: Any = IPython.display.display  # it has no types
            self._handle = display(content, raw=True, display_id=True)
        else:
            self._handle.update(content, raw=True)
